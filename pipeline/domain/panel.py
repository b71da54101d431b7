"""A panel: what was asked for, what came back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.geometry import Box, Size

ALTERNATE_LABELS = "ABCD"
PANEL_SIZE = Size(1024, 768)
PANEL_SIZES = {
    "landscape": PANEL_SIZE,
    "portrait": Size(768, 1024),
    "square": Size(896, 896),
    "wide": Size(1280, 640),
    "tall": Size(640, 1280),
}
"""Shapes of panels by name, all of about the same area, with sides that every engine draws."""


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
    """How a line of dialogue is lettered.

    ``OFF_PANEL`` speaks from outside the frame, ``JOINED`` hangs on the balloon before it,
    ``DOUBLE_TAIL`` is said by two at once.
    """

    SPEECH = "speech"
    THOUGHT = "thought"
    SHOUT = "shout"
    WHISPER = "whisper"
    RADIO = "radio"
    CAPTION = "caption"
    NARRATION = "narration"
    SFX = "sfx"
    OFF_PANEL = "off-panel"
    JOINED = "joined"
    DOUBLE_TAIL = "double-tail"

    @property
    def has_tail(self) -> bool:
        """Whether somebody speaks or thinks it, so that a tail belongs to it."""
        return self not in (BalloonKind.CAPTION, BalloonKind.NARRATION, BalloonKind.SFX)

    @property
    def is_boxed(self) -> bool:
        """Whether it stands in a rectangle, its lines flush with one side."""
        return self in (BalloonKind.CAPTION, BalloonKind.NARRATION)


@dataclass(frozen=True, slots=True)
class DialogueLine:
    """One balloon. ``speaker`` is a ``character_id``, or None for a caption or a sound.

    ``text`` may hold ``*italic*`` and ``**bold**``. ``also`` is who says it too (double tails).
    ``aim`` is where somebody wants the balloon's middle: shares of the frame, (0, 0) its top left;
    None leaves it to the letterer.
    """

    text: str
    speaker: str | None = None
    kind: BalloonKind = BalloonKind.SPEECH
    also: str | None = None
    aim: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class CastRole:
    """A character that takes part, in one of its appearances, both by slug."""

    character_id: str
    appearance_id: str


class PlanPart(StrEnum):
    """A part of a recipe that a person may change alone. The words are stored; keep them."""

    PROMPT = "prompt"
    SEED = "seed"
    SHOT_TYPE = "shot_type"
    ALTERNATES = "alternates"
    REFERENCES = "references"
    HOLD = "hold"
    STYLE_FREEDOM = "style_freedom"
    VARIATION = "variation"
    ENLARGEMENT = "enlargement"


@dataclass(frozen=True, slots=True)
class Revision:
    """The recipe of a drawn candidate is taken as it is, but for the ``changed`` parts.

    ``place`` says which alternate of its attempt the candidate was, from 0. ``panel_id`` is whose
    candidate it is; 0 in what was stored before that was known.
    """

    candidate_id: int
    place: int
    changed: tuple[PlanPart, ...]
    panel_id: int = 0


@dataclass(frozen=True, slots=True)
class Staging:
    """Where a storyboard has the figures, by character id, and the balloons that need free space.

    Boxes are pixels of the brief's ``size``.
    """

    figures: tuple[tuple[str, Box], ...] = ()
    clear: tuple[Box, ...] = ()

    def box_of(self, character_id: str) -> Box | None:
        """Where a character stands; None where the storyboard does not show it."""
        return dict(self.figures).get(character_id)


@dataclass(frozen=True, slots=True)
class ChannelDefaults:
    """What a panel gets that is asked for in a channel, where its request does not say otherwise.

    None leaves a thing to the series: ``style`` in words, ``size`` in pixels, how many
    ``alternates``. ``generator`` is the engine's name, None for the studio's own.
    """

    generator: str | None = None
    style: str | None = None
    size: Size | None = None
    alternates: int | None = None


@dataclass(frozen=True, slots=True)
class PanelBrief:
    """What a person asked for, complete: cast in speaking order, words, framing, dialogue.

    ``style_freedom`` (0 to 1) is how far the panel may leave the style of its references.
    ``chapter`` is when it plays: a flashback belongs to the chapter that it looks back to.
    ``lead`` are references (by id) that a person wants drawn from first, ``hold`` is how strongly
    references hold at the first try, 0 to 1, None for the usual. ``staging`` is what a storyboard
    showed of this panel, ``weight`` how much of its page it deserves, 1 being usual. ``replaces``
    is the panel (by id) whose place on its page this one takes once it is accepted. ``style`` is
    how it is drawn, in words; empty for the series' own. ``generator`` is the engine that draws
    it; empty for the studio's own. ``restricted`` says that it was asked for in an age-restricted
    channel.
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
    chapter: int | None = None
    lead: tuple[int, ...] = ()
    hold: float | None = None
    revision: Revision | None = None
    staging: Staging | None = None
    weight: float = 1.0
    replaces: int | None = None
    restricted: bool = False
    style: str = ""
    generator: str = ""

    @property
    def work(self) -> float:
        """What there is to draw: alternates times megapixels."""
        return self.alternates * self.size.width * self.size.height / 1e6

    @property
    def affinity(self) -> str:
        """The looks that it draws: what is trained for them is loaded once for several panels."""
        return "+".join(sorted(role.appearance_id for role in self.cast))


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
    where only the box is known. Masks live as long as a run; they are not stored. ``hands`` are
    spared like heads where they are known and there is any other room.
    """

    character_id: str
    box: Box
    head: Box | None = None
    mask: bytes | None = None
    hands: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One picture that a generator (or a person) offers: canonical PNG and its figures."""

    image: bytes
    size: Size
    figures: tuple[PlacedFigure, ...] = ()
