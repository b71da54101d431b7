"""A script as data: pages, panels, who is in them, what is said. Its JSON Schema is published.

One shape for the plain-text format, YAML and JSON; whatever was read has passed these checks.
"""

from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from pipeline.comics.dialogue import MAX_LINE_LENGTH, MAX_LINES
from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.panel import BalloonKind

MAX_PAGES = 200
MAX_PANELS = 12
MAX_ACTION = 1000
MAX_CAST = 4

NOBODY = frozenset({"caption", "narration", "narrator", "sfx", "sound"})
"""Words that stand where a speaker would and mean that nobody speaks."""


def _one_line(value: object) -> object:
    """Blanks and line breaks are single blanks: a script means the same however it is wrapped."""
    return " ".join(value.split()) if isinstance(value, str) else value


def _somebody(value: str) -> str:
    if value.casefold() in NOBODY:
        raise ValueError(f"nobody can be called “{value}”: it marks what nobody says")
    return value


_Tidy = BeforeValidator(_one_line)
Name = Annotated[
    str,
    _Tidy,
    StringConstraints(min_length=1, max_length=80, pattern=r"^[^:：()\[\],&]+$"),
    AfterValidator(_somebody),
]
"""How a character, a look or a prop is called in a script: no ``: ( ) [ ] , &`` in it."""

Words = Annotated[str, _Tidy, StringConstraints(max_length=MAX_ACTION, pattern=r"^[^\[\]]*$")]
"""One paragraph; square brackets are left to notes."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Role(_Part):
    """Somebody who is in a panel, and the look that was named, if one was."""

    name: Name
    look: Name | None = None


class Prop(_Part):
    """A thing that is seen, and who has it."""

    name: Name
    holder: Name | None = None


class Line(_Part):
    """One balloon or caption. ``speaker`` is None for what nobody says, ``also`` says it too."""

    text: Annotated[Words, Field(min_length=1, max_length=MAX_LINE_LENGTH)]
    speaker: Name | None = None
    kind: BalloonKind = BalloonKind.SPEECH
    also: Name | None = None

    @model_validator(mode="after")
    def _spoken(self) -> Self:
        if self.speaker is None and self.kind.has_tail:
            raise ValueError("this needs a speaker; write “Caption: text” for what nobody says")
        if (self.also is not None) != (self.kind is BalloonKind.DOUBLE_TAIL):
            raise ValueError("what two say at once is “Mira & Oskar: text”")
        return self


class PanelScript(_Part):
    """One panel. The cast stands from left to right in the order of ``cast``.

    ``scene`` says where and when, as in ``INT. STUDIO - DAY``; None goes on with the scene of the
    panel before. ``weight`` is how much room the panel deserves on its page, 1 being usual.
    """

    number: int = Field(ge=1, le=9999)
    shot: ShotType = ShotType.HALF
    weight: float = Field(default=1.0, ge=0.25, le=4)
    scene: Annotated[Words, Field(min_length=1, max_length=120, pattern=r"^[^.]")] | None = None
    cast: tuple[Role, ...] = Field(min_length=1, max_length=MAX_CAST)
    props: tuple[Prop, ...] = Field(default=(), max_length=12)
    action: tuple[Annotated[Words, Field(min_length=1)], ...] = Field(min_length=1, max_length=20)
    dialogue: tuple[Line, ...] = Field(default=(), max_length=MAX_LINES)
    notes: tuple[Annotated[Words, Field(min_length=1)], ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = [role.name.casefold() for role in self.cast]
        if len(set(names)) != len(names):
            raise ValueError("a character is named twice in the cast")
        if sum(map(len, self.action)) > MAX_ACTION:
            raise ValueError(f"its action is longer than {MAX_ACTION} characters")
        return self

    @property
    def prompt(self) -> str:
        """What happens, as one text."""
        return " ".join(self.action)


class PageScript(_Part):
    """One page and its panels in reading order."""

    number: int = Field(ge=1, le=9999)
    panels: tuple[PanelScript, ...] = Field(min_length=1, max_length=MAX_PANELS)

    @model_validator(mode="after")
    def _numbered_once(self) -> Self:
        numbers = [panel.number for panel in self.panels]
        if len(set(numbers)) != len(numbers):
            raise ValueError("two panels of this page have the same number")
        return self


class Script(_Part):
    """A comic, or a chapter of one, as written. ``language`` is an ISO 639-1 code."""

    title: Annotated[Words, Field(min_length=1, max_length=120)]
    logline: Annotated[Words, Field(max_length=400)] = ""
    authors: tuple[Annotated[Name, Field(max_length=80)], ...] = Field(default=(), max_length=12)
    language: str = Field(default="en", pattern=r"^[a-z]{2}$")
    direction: ReadingDirection = ReadingDirection.LTR
    chapter: int | None = Field(default=None, ge=1, le=9999)
    notes: tuple[Annotated[Words, Field(min_length=1)], ...] = Field(default=(), max_length=20)
    pages: tuple[PageScript, ...] = Field(min_length=1, max_length=MAX_PAGES)

    @model_validator(mode="after")
    def _numbered_once(self) -> Self:
        numbers = [page.number for page in self.pages]
        if len(set(numbers)) != len(numbers):
            raise ValueError("two pages have the same number")
        return self

    @property
    def panels(self) -> int:
        """How many panels there are in all."""
        return sum(len(page.panels) for page in self.pages)
