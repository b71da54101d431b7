"""A panel: what was asked for, what came back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.geometry import Box, Size

ALTERNATE_LABELS = "ABCD"
PANEL_SIZE = Size(1024, 768)


class PanelOrigin(StrEnum):
    """Who drew it."""

    GENERATED = "generated"
    SUBMITTED = "submitted"


class PanelStatus(StrEnum):
    """Where a panel stands. The last four are outcomes; REVIEW and VOTING wait for people."""

    QUEUED = "queued"
    RUNNING = "running"
    REVIEW = "review"
    VOTING = "voting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"


class BalloonKind(StrEnum):
    """How a line of dialogue is lettered."""

    SPEECH = "speech"
    THOUGHT = "thought"
    SHOUT = "shout"
    CAPTION = "caption"


@dataclass(frozen=True, slots=True)
class DialogueLine:
    """One balloon. ``speaker`` is a ``character_id``, or None for a caption."""

    text: str
    speaker: str | None = None
    kind: BalloonKind = BalloonKind.SPEECH


@dataclass(frozen=True, slots=True)
class CastRole:
    """A character that takes part, in one of its appearances, both by slug."""

    character_id: str
    appearance_id: str


@dataclass(frozen=True, slots=True)
class PanelBrief:
    """What a person asked for, complete: cast in speaking order, words, framing, dialogue.

    ``style_freedom`` (0 to 1) is how far the panel may leave the style of its references.
    """

    prompt: str
    cast: tuple[CastRole, ...]
    shot_type: ShotType
    alternates: int = 1
    color_mode: ColorMode = ColorMode.COLOR
    dialogue: tuple[DialogueLine, ...] = ()
    page: int | None = None
    sketch_sha256: str | None = None
    seed: int = 0
    size: Size = PANEL_SIZE
    style_freedom: float = 0.0


@dataclass(frozen=True, slots=True)
class Panel:
    """A row of the ledger: the brief and where it stands."""

    id: int
    guild_id: int
    series_id: int
    requester_id: int
    origin: PanelOrigin
    status: PanelStatus
    brief: PanelBrief
    channel_id: int | None
    chosen_candidate: int | None
    voting_closes_at: datetime | None
    failure: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PlacedFigure:
    """Where a character stands in a picture. ``head`` is the box that no balloon may cover.

    ``mask`` is a PNG of mode L and of the picture's size (255 where the figure is seen), or None
    where only the box is known. Masks live as long as a run; they are not stored.
    """

    character_id: str
    box: Box
    head: Box | None = None
    mask: bytes | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One picture that a generator (or a person) offers: canonical PNG and its figures."""

    image: bytes
    size: Size
    figures: tuple[PlacedFigure, ...] = ()
