"""What people are told when something that the studio relies on was deleted or closed."""

from collections.abc import Sequence

from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.verdicts import WAITING
from cogs.ui.words import mark, retell, say
from pipeline.domain.review import Loss, StuckPost

_LOST = {
    Loss.REVIEW_CHANNEL: mark(
        "The channel for reviews was deleted. What waits for a decision opens again where the "
        "panel was asked for, until a manager chooses another: `/series settings review_channel`."
    ),
    Loss.PANEL_CHANNEL: mark(
        "The channel for panels was deleted. Panels go where they were asked for, until a manager "
        "chooses another: `/series settings panel_channel`."
    ),
    Loss.MODERATOR_ROLE: mark(
        "The role of the moderators was deleted. Only server managers decide now, until one of "
        "them chooses another: `/series settings moderator_role`."
    ),
    Loss.VOTE_ROLE: mark(
        "The role of those who vote was deleted. Everybody votes now, until a manager chooses "
        "another: `/series voting role`."
    ),
    Loss.STUCK: mark(
        "Something could not be posted. It is kept and comes as soon as I may post again; `/setup` "
        "says what is missing."
    ),
}


def notice_card(loss: Loss, words: str, row: int) -> Card:
    """What is gone, what happens now, and how to mend it."""
    card = Card(WAITING).heading(f"⚠️ {say('Onmodel needs a hand')}").text(say(_LOST[loss]))
    card.text(f"> {plain(retell(words), 300)}" if words else "")
    return card.small(notice_mark(row))


def notice_mark(row: int) -> str:
    """By which a notice is found again."""
    return f"N{row}."


def stuck_lines(stuck: Sequence[StuckPost]) -> str:
    """What could not be posted, each reason once, for whoever can mend it."""
    reasons = dict.fromkeys(post.error for post in stuck)
    return lines_within((f"⚠️ {plain(retell(reason), 300)}" for reason in reasons), 900)
