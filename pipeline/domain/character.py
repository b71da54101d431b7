"""Who a character is: two levels (character, appearance) and the references that prove it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pipeline.domain.geometry import Box
from pipeline.domain.voting import USUAL_VOTING, TasteUse, VotingRules


class ShotType(StrEnum):
    """How much of a figure a picture shows (source AF14)."""

    HEADSHOT = "headshot"
    HALF = "half"
    FULL = "full"
    DYNAMIC = "dynamic"


class EntryKind(StrEnum):
    """What an entry of the registry is: all four have appearances and references."""

    CHARACTER = "character"
    PROP = "prop"
    LOCATION = "location"
    STYLE = "style"


class ColorMode(StrEnum):
    """Whether a series is printed in colour or in black, white and tone."""

    COLOR = "color"
    GRAYSCALE = "grayscale"


class MissingShot(StrEnum):
    """What happens to a request whose cast has no reference for the planned shot."""

    WARN = "warn"
    BLOCK = "block"


class ReadingDirection(StrEnum):
    """The order in which a page is read."""

    LTR = "ltr"
    RTL = "rtl"
    WEBTOON = "webtoon"


class ReferenceKind(StrEnum):
    """What a reference documents (source AF1)."""

    SHEET = "sheet"
    TURNAROUND = "turnaround"
    POSE = "pose"
    OUTFIT = "outfit"
    EXPRESSION = "expression"
    PROP = "prop"
    PANEL = "panel"


class StoryPoint(NamedTuple):
    """A place in the story, in reading order; both numbers count from 1."""

    chapter: int
    page: int


@dataclass(frozen=True, slots=True)
class Series:
    """One comic of a guild and its defaults. Discord ids are snowflakes; None means not set.

    ``chapter`` is the one that is being drawn; ``page_format`` names the sheet; ``voting`` is who
    votes on alternates, and until when. ``quota`` is how many panels a member may ask for in 24
    hours, ``gpu_seconds`` how long the engine may draw for them (None: as long as it takes),
    ``cooldown`` how many seconds lie between two requests. ``language`` is that of posts which
    everyone sees, such as ``de``; empty means that of the server.
    ``sentinel``: pictures are looked at while they are drawn. ``taste`` is what is done with what
    its votes teach. Its queue pauses since ``paused_at``, for ``pause_reason``.
    """

    id: int
    guild_id: int
    slug: str
    name: str
    style: str
    reading_direction: ReadingDirection
    color_mode: ColorMode
    moderator_role_id: int | None
    panel_channel_id: int | None
    review_channel_id: int | None
    alternates: int
    quota: int
    created_by: int
    created_at: datetime
    missing_shot: MissingShot = MissingShot.WARN
    false_flag_percent: int = 10
    audit_percent: int = 10
    chapter: int | None = None
    page_format: str = "a4"
    voting: VotingRules = USUAL_VOTING
    gpu_seconds: int | None = None
    cooldown: int = 0
    language: str = ""
    sentinel: bool = True
    taste: TasteUse = TasteUse.RANK
    paused_at: datetime | None = None
    pause_reason: str = ""


@dataclass(frozen=True, slots=True)
class Character:
    """A member of the cast. ``character_id`` is a slug like ``ch_akira``, unique per guild.

    Props, locations and styles are entries of the same shape; ``kind`` tells them apart.
    ``height_ratio`` is relative to an adult of the series. ``credits`` and ``license`` say whose
    art it is and what others may do with it; empty means not stated.
    """

    id: int
    guild_id: int
    series_id: int
    character_id: str
    name: str
    owner_id: int
    notes: str
    height_ratio: float
    created_at: datetime
    kind: EntryKind = EntryKind.CHARACTER
    credits: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True)
class Appearance:
    """One look of a character. ``appearance_id`` is a slug like ``akira_s1_school_uniform``.

    ``components`` maps a vocabulary word to a value (``hair_color`` → ``navy``, source AF13);
    ``palette`` holds ``#rrggbb`` strings, most used first; ``colorway`` names the colour variant.
    ``version`` counts redesigns of one costume or prop. ``valid_from`` and ``valid_to`` bound
    where in the story the look is worn, both inclusive; None is open. ``suggested`` are
    components read from the art that nobody has confirmed; they are never used as facts.
    """

    id: int
    guild_id: int
    character_row: int
    appearance_id: str
    label: str
    components: Mapping[str, str] = field(default_factory=dict)
    palette: tuple[str, ...] = ()
    notes: str = ""
    colorway: str = ""
    version: int = 1
    valid_from: StoryPoint | None = None
    valid_to: StoryPoint | None = None
    suggested: Mapping[str, str] = field(default_factory=dict)

    def worn_at(self, point: StoryPoint) -> bool:
        """Whether the look is valid at a place of the story."""
        return (self.valid_from is None or self.valid_from <= point) and (
            self.valid_to is None or point <= self.valid_to
        )


def appearance_at(looks: Iterable[Appearance], point: StoryPoint) -> Appearance | None:
    """The look that is worn at a place of the story; None where no look is valid.

    Where several are, the one that began last wins, then the one that ends first: a costume for
    one scene beats the everyday clothes. Among equals the newer version wins, then the older row.
    """
    never, always = StoryPoint(10**9, 0), StoryPoint(0, 0)
    worn = [look for look in looks if look.worn_at(point)]
    if not worn:
        return None
    ordered = sorted(worn, key=lambda a: (-a.version, a.id))
    ordered.sort(key=lambda a: a.valid_to or never)
    return max(ordered, key=lambda a: a.valid_from or always)


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture of an appearance. ``sha256`` names the canonical PNG among the guild's blobs.

    ``canon`` is False for accepted panels: they are *derived* and never decide alone who a
    character is (sources AF25 and AF28 together would otherwise confirm their own drift).
    ``guessed`` names the fields (``shot_type``, ``angle``) that the program filled in and nobody
    has confirmed.
    """

    id: int
    guild_id: int
    appearance_row: int
    sha256: str
    kind: ReferenceKind
    shot_type: ShotType
    angle: str
    expression: str
    width: int
    height: int
    canon: bool
    notes: str
    added_by: int
    created_at: datetime
    guessed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that must never be lost: a scar, an emblem (source AF15).

    ``box`` is its region in pixels of the reference; ``side`` is the figure's own side (``left``,
    ``right``, ``center``) or empty. A mark lies on one reference and goes wherever that goes.
    """

    id: int
    guild_id: int
    reference_id: int
    name: str
    side: str
    box: Box
    notes: str = ""
