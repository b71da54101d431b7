"""Content safety: what classifiers say about a picture, and from where on a person has to look."""

from dataclasses import dataclass
from enum import StrEnum

USUAL_FLAG = 0.8
"""Score from which a picture needs a person unless a server says otherwise.

Source: the authors of open_nsfw call less than 0.2 likely safe and more than 0.8 highly likely not.
"""


@dataclass(frozen=True, slots=True)
class Rating:
    """How likely a picture is not for everyone (0 to 1), and which classifier was surest.

    ``over`` says that the score reached what the server had set when it was rated: the picture is
    hidden behind a spoiler wherever it is shown.
    """

    score: float
    by: str
    over: bool = False


@dataclass(frozen=True, slots=True)
class SafetyPolicy:
    """From which score on a picture is not for everyone, and whether a person has to look first."""

    flag_from: float = USUAL_FLAG
    hold: bool = True


class Restricted(StrEnum):
    """What happens in age-restricted channels with pictures that are not for everyone."""

    REVIEW = "review"
    """The same as anywhere: a moderator looks first."""
    ALLOW = "allow"
    """They are posted there, behind a spoiler, and nowhere else."""


@dataclass(frozen=True, slots=True)
class SafetyRules:
    """What a server wants to be asked about: from which score on, in percent, and where."""

    flag_percent: int = round(100 * USUAL_FLAG)
    restricted: Restricted = Restricted.REVIEW

    def policy(self, *, restricted_channel: bool) -> SafetyPolicy:
        """What holds for a picture that goes to such a channel."""
        free = restricted_channel and self.restricted == Restricted.ALLOW
        return SafetyPolicy(self.flag_percent / 100, hold=not free)


class HeldStatus(StrEnum):
    """OPEN waits for a moderator."""

    OPEN = "open"
    ALLOWED = "allowed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class HeldPicture:
    """A picture that somebody handed in and that a moderator has to see first.

    ``sha256`` is None once it is decided: the file goes then.
    """

    id: int
    guild_id: int
    member_id: int
    sha256: str | None
    rating: Rating
    status: HeldStatus
    decided_by: int | None
