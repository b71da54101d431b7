"""Reference quests: pictures that would save tries, asked of artists and credited to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pipeline.domain.character import ShotType
from pipeline.domain.vocabulary import Expression


class QuestStatus(StrEnum):
    """Where a quest stands. ``accepted`` and ``closed`` are ends."""

    OPEN = "open"
    TAKEN = "taken"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    CLOSED = "closed"


ALIVE = frozenset({QuestStatus.OPEN, QuestStatus.TAKEN, QuestStatus.DELIVERED})


@dataclass(frozen=True, slots=True)
class View:
    """What a picture shows, or what a panel asks to see; what is not said is open.

    ``angle`` is one of :data:`pipeline.domain.vocabulary.ANGLES` or empty.
    """

    shot_type: ShotType
    angle: str = ""
    expression: Expression | None = None

    @property
    def key(self) -> str:
        """As one word: ``full.back`` or ``headshot..joy``."""
        return f"{self.shot_type.value}.{self.angle}.{self.expression or ''}".rstrip(".")

    @classmethod
    def of(cls, key: str) -> "View":
        """Read a :attr:`key`.

        Raises:
            ValueError: it is none.
        """
        shot, angle, expression = (*key.split("."), "", "")[:3]
        return cls(ShotType(shot), angle, Expression(expression) if expression else None)


@dataclass(frozen=True, slots=True)
class Saving:
    """What a picture is expected to save, and what that rests on.

    Attributes:
        tries: failed tries that it would spare, if as many panels are asked for as lately.
        asked: panels of late that wanted to see this and had no such picture.
        panels: all panels of the look that were counted.
        failed_without: failed tries a panel where no picture showed what was wanted, smoothed.
        failed_with: the same where one did.
    """

    tries: float
    asked: int
    panels: int
    failed_without: float
    failed_with: float


@dataclass(frozen=True, slots=True)
class QuestIdea:
    """A picture that could be asked for; ``saving`` is None where no panel has wanted it yet."""

    appearance_id: str
    view: View
    saving: Saving | None = None


@dataclass(frozen=True, slots=True)
class Quest:
    """A picture that artists are asked for.

    ``basis`` holds the :class:`Saving` as it was when it was posted. ``delivery_sha256`` is the
    picture that waits for a decision, ``reference_id`` what became of it.
    """

    id: int
    guild_id: int
    appearance_row: int
    appearance_id: str
    character_id: str
    character_name: str
    view: View
    saving: float
    basis: Mapping[str, float]
    status: QuestStatus
    posted_by: int
    artist_id: int | None
    due_at: datetime | None
    delivery_sha256: str | None
    reference_id: int | None
    decided_by: int | None
    note: str
    channel_id: int | None
    created_at: datetime
    updated_at: datetime = field(compare=False)
