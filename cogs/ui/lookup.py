"""The card that answers "who is this?"."""

from bot.services.lookup import Identified
from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import QUIET, figures, look
from pipeline.domain.quality import Verdict


def identity_card(found: Identified, picture: Picture) -> Card:
    """A name or an honest nobody, the evidence, and who else was thought of."""
    if found.who is not None:
        shown = look(Verdict.ON_MODEL)
        card = Card(shown.colour).heading(f"{shown.symbol} {plain(found.who.name, 40)}")
    else:
        unsure = found.ranking[0].check.verdict is Verdict.CANNOT_JUDGE
        card = Card(QUIET).heading("❔ I cannot say" if unsure else "❔ Nobody I know")
    card.text(plain(found.sentence, 600)).gallery(picture)
    others = [
        f"{look(one.check.verdict)} **{plain(one.name, 40)}** {figures(one.check)}"
        for one in found.ranking[:5]
    ]
    return card.text(lines_within(others, 1200))
