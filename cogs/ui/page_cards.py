"""The card of a page that came back from a painting program."""

from bot.services.page_submissions import Submitted
from cogs.ui.card import Card
from cogs.ui.limits import clip
from cogs.ui.verdicts import GOOD
from cogs.ui.words import retell, say, say_n

_LINE = 200


def submitted_card(done: Submitted) -> Card:
    """What is checked now, what was lettered, what stays, and what could not be taken."""
    card = Card(GOOD).heading(say("🖌️ Page {page} came back", page=done.number))
    if done.repainted:
        lines = [
            say("panel {old} → panel {new}", old=taken.panel.brief.replaces, new=taken.panel.id)
            for taken in done.repainted
        ]
        title = say("Checked now, then reviewed like every drawing")
        card.text(f"**{title}**\n" + "\n".join(lines))
    if done.lettered:
        lines = [f"“{clip(words, _LINE)}”" for words in done.lettered]
        card.text(f"**{say('Lettered')}**\n" + "\n".join(lines))
    if done.notes:
        notes = [f"- {clip(retell(note), _LINE)}" for note in done.notes[:8]]
        card.text(f"**{say('Not taken')}**\n" + "\n".join(notes))
    words = say_n(
        "{n} picture untouched, to the bit.", "{n} pictures untouched, to the bit.", done.kept
    )
    if done.repainted:
        words += " " + say("Compose the page again once they are accepted.")
    return card.small(words)
