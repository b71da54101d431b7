"""What somebody looks for among a guild's accepted panels, and what was found."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class PanelWish:
    """Which panels are looked for; None and empty mean whichever.

    ``words`` stand in prompt or dialogue, all of them; ``first`` and ``last`` are days (UTC) of
    the request, both included; ``likeness`` says that a picture was uploaded to compare with.
    """

    character_id: str | None = None
    words: str = ""
    page: int | None = None
    chapter: int | None = None
    first: date | None = None
    last: date | None = None
    requester_id: int | None = None
    likeness: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A panel that was found; ``similarity`` is the cosine with what was uploaded, or None."""

    panel_id: int
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class PanelSearch:
    """A search as it is kept, to be leafed through: what was asked, and the hits in order."""

    id: int
    guild_id: int
    member_id: int
    wish: PanelWish
    hits: tuple[Hit, ...]
    created_at: datetime
