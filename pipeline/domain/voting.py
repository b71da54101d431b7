"""How a series votes on alternates, and what it does with what votes teach."""

from dataclasses import dataclass
from enum import StrEnum


class TieRule(StrEnum):
    """What happens when the vote ends and several alternates have the most votes.

    EXTEND gives the vote as much time once more (a day at most); a tie that is left then, or when
    somebody closes the vote by hand, goes by MARGIN. REQUESTER takes the one of them that whoever
    asked for the panel voted for, else MARGIN. MARGIN takes the one that is most clearly on-model.
    The words are stored; keep them.
    """

    EXTEND = "extend"
    REQUESTER = "requester"
    MARGIN = "margin"


class TasteUse(StrEnum):
    """What a series does with its taste. The words are stored; keep them."""

    OFF = "off"
    """Nothing is learned from votes and nothing is guessed."""
    RANK = "rank"
    """It decides between alternates with equally many votes, and says what it had expected."""
    SPARE = "spare"
    """Beside that it draws fewer alternates once the winner is clear."""


@dataclass(frozen=True, slots=True)
class VotingRules:
    """When a vote closes and who may vote.

    It closes ``hours`` after it was opened, or as soon as ``quorum`` people have voted and one
    alternate leads; None for no quorum. Voters need the role ``role_id`` (None: nobody needs one)
    and must have been in the server for ``member_days`` days.
    """

    hours: int = 24
    quorum: int | None = None
    role_id: int | None = None
    member_days: int = 0
    tie: TieRule = TieRule.EXTEND


USUAL_VOTING = VotingRules()
