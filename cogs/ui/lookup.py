"""The card that answers "who is this?"."""

from collections.abc import Sequence

from bot.services.lookup import Identified
from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import QUIET, figures, look
from cogs.ui.words import retell, say
from pipeline.domain.quality import Verdict

_SENTENCE, _OTHERS, _RANKED = 600, 1200, 5


def identity_card(found: Sequence[Identified], pictures: Sequence[Picture]) -> Card:
    """A name or an honest nobody for each figure, the evidence, and who else was thought of.

    Args:
        found: the answers, from left to right; at least one.
        pictures: the evidence of each.
    """
    known = any(one.who for one in found)
    card = Card(look(Verdict.ON_MODEL).colour if known else QUIET)
    if len(found) > 1:
        card.small(say("{n} figures, from left to right", n=len(found)))
    for number, (one, picture) in enumerate(zip(found, pictures, strict=True)):
        if number:
            card.rule()
        card.heading(_headline(one)).text(plain(retell(one.sentence), _SENTENCE // len(found)))
        card.gallery(picture)
        card.text(lines_within(_others(one), _OTHERS // len(found)))
    return card


def _headline(one: Identified) -> str:
    if one.who is not None:
        return f"{look(Verdict.ON_MODEL).symbol} {plain(one.who.name, 40)}"
    return say("❔ I cannot say") if one.unsure else say("❔ Nobody I know")


def _others(one: Identified) -> list[str]:
    return [
        f"{look(other.check.verdict)} **{plain(other.name, 40)}** {figures(other.check)}"
        for other in one.ranking[:_RANKED]
    ]
