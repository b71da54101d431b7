"""A page: the art that goes in, the frames and balloons that come out.

All coordinates of frames, balloons and tails are page pixels, x to the right and y down.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from math import ceil, floor
from typing import Any, NamedTuple

from pipeline.domain.character import ColorMode, ReadingDirection, ShotType
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import BalloonKind, DialogueLine, PanelBrief, PlacedFigure

# A4 at 150 dots per inch.
PAGE_SIZE = Size(1240, 1754)


class Point(NamedTuple):
    """A position on the page, in pixels."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class PanelArt:
    """One accepted picture with its figures and its dialogue, in reading order.

    ``image`` is a canonical PNG (RGB or RGBA) of ``size``; the figures' boxes are its pixels.
    ``shot_type`` helps to choose a frame of the right shape; None means unknown. ``weight`` is how
    much of the page the panel deserves, 1 being usual.
    """

    panel_id: int
    image: bytes
    size: Size
    figures: tuple[PlacedFigure, ...] = ()
    dialogue: tuple[DialogueLine, ...] = ()
    shot_type: ShotType | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class PageSpec:
    """What a page is to be like. Lengths are pixels.

    A webtoon page takes its width from ``size`` and is as tall as its panels need. ``number`` is
    printed at the foot where ``show_number`` says so; ``title`` is the running title beside it.
    ``safe`` is how near to the edge of the page words may come where a panel bleeds.
    ``language`` (BCP 47) guides hyphens and the shapes of ideographs; empty: told from the text.
    """

    size: Size = PAGE_SIZE
    margin: int = 62
    gutter: int = 18
    reading_direction: ReadingDirection = ReadingDirection.LTR
    color_mode: ColorMode = ColorMode.COLOR
    title: str = ""
    show_number: bool = True
    language: str = ""
    safe: int = 36


@dataclass(frozen=True, slots=True)
class PanelFrame:
    """Where a panel stands on the page and which part of its art it shows.

    ``crop`` (art pixels) is drawn onto ``art`` (page pixels). ``art`` equals ``box`` unless the
    picture had to be fitted whole; then the rest of ``box`` takes the tone of the art's edges.
    """

    panel_id: int
    box: Box
    crop: Box
    art: Box

    @property
    def scale(self) -> float:
        """Page pixels per art pixel."""
        return self.art.width / self.crop.width

    def to_page(self, box: Box) -> Box:
        """The page box that covers an art ``box``, rounded outwards, not clipped to the frame."""
        s = self.scale
        return Box(
            self.art.x0 + floor((box.x0 - self.crop.x0) * s),
            self.art.y0 + floor((box.y0 - self.crop.y0) * s),
            self.art.x0 + ceil((box.x1 - self.crop.x0) * s),
            self.art.y0 + ceil((box.y1 - self.crop.y0) * s),
        )


@dataclass(frozen=True, slots=True)
class Tail:
    """The pointer of a balloon: a horn of ``width`` pixels at ``base``, bent, sharp at ``tip``.

    For a thought it is the path that the small bubbles follow. ``joins`` is the order of an
    earlier balloon of the same speaker that this one hangs on, instead of pointing at the face.
    """

    base: Point
    bend: Point
    tip: Point
    width: float
    joins: int | None = None


@dataclass(frozen=True, slots=True)
class TextRun:
    """Words of one emphasis inside a line."""

    text: str
    bold: bool = False
    italic: bool = False


@dataclass(frozen=True, slots=True)
class Balloon:
    """One lettered line of dialogue.

    ``box`` bounds the drawn shape without its tail; ``text`` bounds the lines, which are centred
    (boxed kinds: flush with the side where reading starts), ``line_height`` apart. ``order``
    counts from 0 within the panel. ``runs`` holds the emphasis of each line, empty where there is
    none anywhere. Where ``vertical``, the lines are columns, the first on the right. ``angle``
    turns the lines around the middle of ``box``, in degrees, clockwise on the page. ``said`` is
    the whole text, undivided; ``also`` is a second speaker, at whom ``also_tail`` points.
    """

    panel_id: int
    order: int
    kind: BalloonKind
    speaker: str | None
    lines: tuple[str, ...]
    font_size: int
    line_height: float
    box: Box
    text: Box
    tail: Tail | None = None
    also_tail: Tail | None = None
    said: str = ""
    runs: tuple[tuple[TextRun, ...], ...] = ()
    vertical: bool = False
    angle: float = 0.0
    language: str = ""
    also: str | None = None

    @property
    def words(self) -> str:
        """The whole text in one line, without emphasis."""
        return self.said or " ".join(self.lines)

    @property
    def tails(self) -> tuple[Tail, ...]:
        """All its tails."""
        return tuple(tail for tail in (self.tail, self.also_tail) if tail is not None)

    def runs_of(self, line: int) -> tuple[TextRun, ...]:
        """The runs of one line."""
        return self.runs[line] if self.runs else (TextRun(self.lines[line]),)


@dataclass(frozen=True, slots=True)
class LetteredPage:
    """A page ready to be drawn: with the art of its panels it gives the same pixels each time."""

    number: int
    size: Size
    layout: str
    reading_direction: ReadingDirection
    color_mode: ColorMode
    frames: tuple[PanelFrame, ...]
    balloons: tuple[Balloon, ...]
    title: str = ""
    show_number: bool = True

    def balloons_of(self, panel_id: int) -> tuple[Balloon, ...]:
        """The balloons of one panel in reading order."""
        return tuple(b for b in self.balloons if b.panel_id == panel_id)

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, so that equal pages give equal text."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "LetteredPage":
        """Read :meth:`to_json` back; the result equals the original.

        Raises:
            ValueError: a field is missing, unknown or of the wrong kind.
        """
        try:
            data = json.loads(text)
            return cls(
                **{
                    **data,
                    "size": Size(*data["size"]),
                    "reading_direction": ReadingDirection(data["reading_direction"]),
                    "color_mode": ColorMode(data["color_mode"]),
                    "frames": tuple(_frame(f) for f in data["frames"]),
                    "balloons": tuple(_balloon(b) for b in data["balloons"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a lettered page: {error}") from error


@dataclass(frozen=True, slots=True)
class BookInfo:
    """What a book says about itself. Names are shown to readers; ``language`` is ISO 639-1.

    ``number`` is the issue's, None where the book is the whole series so far. ``identifier`` tells
    this book from every other (empty: made from series, title and number) and ``modified`` is the
    UTC time of its last change. ``names`` maps a ``character_id`` to the name that readers see.
    """

    series: str
    title: str = ""
    number: int | None = None
    reading_direction: ReadingDirection = ReadingDirection.LTR
    color_mode: ColorMode = ColorMode.COLOR
    language: str = "en"
    summary: str = ""
    writers: tuple[str, ...] = ()
    artists: tuple[str, ...] = ()
    letterers: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    notes: str = ""
    identifier: str = ""
    modified: datetime | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BookPage:
    """A lettered page and its rendered PNG (RGB, of the page's size).

    ``heads`` are the boxes of the heads that are seen (page pixels). ``briefs`` says what each
    panel shows, by panel id; descriptions for people who do not see it are made from them.
    ``bleed`` above 0 means a sheet for print: its picture has no words yet and goes on so many
    pixels beyond each edge of the page. ``arts`` are the panels themselves, for exports that take
    the page apart; ``language`` is whose lettering it has, empty for the first. ``translations``
    are the same page in other languages, by language, for exports that hold several.
    """

    page: LetteredPage
    png: bytes
    heads: tuple[Box, ...] = ()
    briefs: Mapping[int, PanelBrief] = field(default_factory=dict)
    bleed: int = 0
    arts: tuple[PanelArt, ...] = ()
    language: str = ""
    translations: Mapping[str, "BookPage"] = field(default_factory=dict)


class BookFormat(StrEnum):
    """The forms in which a book can be exported."""

    PNG = "png"
    CBZ = "cbz"
    PDF = "pdf"
    EPUB = "epub"
    WEBTOON = "webtoon"
    WEB = "web"
    PRINT = "print"
    ORA = "ora"
    PSD = "psd"


def _frame(data: Mapping[str, Any]) -> PanelFrame:
    boxes = {key: Box(*data[key]) for key in ("box", "crop", "art")}
    return PanelFrame(**{**data, **boxes})


def _balloon(data: Mapping[str, Any]) -> Balloon:
    return Balloon(
        **{
            **data,
            "kind": BalloonKind(data["kind"]),
            "lines": tuple(data["lines"]),
            "box": Box(*data["box"]),
            "text": Box(*data["text"]),
            "tail": _tail(data["tail"]),
            "also_tail": _tail(data.get("also_tail")),
            "runs": tuple(tuple(TextRun(**run) for run in line) for line in data.get("runs", ())),
        }
    )


def _tail(data: Mapping[str, Any] | None) -> Tail | None:
    if data is None:
        return None
    return Tail(**{**data, **{key: Point(*data[key]) for key in ("base", "bend", "tip")}})
