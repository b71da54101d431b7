"""Who a character is: two levels (character, appearance) and the references that prove it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ShotType(StrEnum):
    """How much of a figure a picture shows (source AF14)."""

    HEADSHOT = "headshot"
    HALF = "half"
    FULL = "full"
    DYNAMIC = "dynamic"


class ColorMode(StrEnum):
    """Whether a series is printed in colour or in black, white and tone."""

    COLOR = "color"
    GRAYSCALE = "grayscale"


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


@dataclass(frozen=True, slots=True)
class Series:
    """One comic of a guild and its defaults. Discord ids are snowflakes; None means not set."""

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


@dataclass(frozen=True, slots=True)
class Character:
    """A member of the cast. ``character_id`` is a slug like ``ch_akira``, unique per guild."""

    id: int
    guild_id: int
    series_id: int
    character_id: str
    name: str
    owner_id: int
    notes: str
    height_ratio: float
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Appearance:
    """One look of a character. ``appearance_id`` is a slug like ``akira_s1_school_uniform``.

    ``components`` maps a vocabulary word to a value (``hair_color`` → ``navy``, source AF13);
    ``palette`` holds ``#rrggbb`` strings, most used first.
    """

    id: int
    guild_id: int
    character_row: int
    appearance_id: str
    label: str
    components: Mapping[str, str] = field(default_factory=dict)
    palette: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture of an appearance. ``sha256`` names the canonical PNG among the guild's blobs.

    ``canon`` is False for accepted panels: they are *derived* and never decide alone who a
    character is (sources AF25 and AF28 together would otherwise confirm their own drift).
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
