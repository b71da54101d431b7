"""The card of a page that came back from a painting program."""

from bot.services.page_submissions import Submitted
from cogs.ui.card import Card
from cogs.ui.limits import clip
from cogs.ui.verdicts import GOOD

_LINE = 200


def submitted_card(done: Submitted) -> Card:
    """What is checked now, what was lettered, what stays, and what could not be taken."""
    card = Card(GOOD).heading(f"🖌️ Page {done.number} came back")
    if done.repainted:
        lines = [
            f"panel {taken.panel.brief.replaces} → panel {taken.panel.id}"
            for taken in done.repainted
        ]
        card.text("**Checked now, then reviewed like every drawing**\n" + "\n".join(lines))
    if done.lettered:
        lines = [f"“{clip(words, _LINE)}”" for words in done.lettered]
        card.text("**Lettered**\n" + "\n".join(lines))
    if done.notes:
        notes = [f"- {clip(note, _LINE)}" for note in done.notes[:8]]
        card.text("**Not taken**\n" + "\n".join(notes))
    after = " Compose the page again once they are accepted." if done.repainted else ""
    plural = "" if done.kept == 1 else "s"
    return card.small(f"{done.kept} picture{plural} untouched, to the bit.{after}")
