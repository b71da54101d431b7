"""The live layer of a page: panels and balloons with their words, at their places in pixels.

What lies invisibly over the picture in a reader, so that words can be selected, found and read
aloud; the panels' rectangles are the guided view.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.comics.alt import alt_text, scene_text, spoken_text
from pipeline.comics.scripts import is_rtl
from pipeline.comics.typesetting import SetLine, set_lines
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, BookInfo, BookPage
from pipeline.domain.panel import BalloonKind, DialogueLine


@dataclass(frozen=True, slots=True)
class LiveLine:
    """One set line; lengths are page pixels. ``style`` is CSS that its direction needs."""

    text: str
    left: int
    top: int
    width: int
    height: int
    style: str = ""


@dataclass(frozen=True, slots=True)
class LiveBalloon:
    """The words of one balloon and who says them (``spoken`` is the whole in one sentence)."""

    kind: BalloonKind
    box: Box
    size: int
    spoken: str
    lines: tuple[LiveLine, ...]


@dataclass(frozen=True, slots=True)
class LivePanel:
    """A panel: its rectangle, what it shows (``scene``), and the same with all that is said."""

    number: int
    panel_id: int
    box: Box
    scene: str
    alt: str
    balloons: tuple[LiveBalloon, ...]


def live_panels(page: BookPage, info: BookInfo) -> tuple[LivePanel, ...]:
    """The live layer of a page, panels and balloons in reading order."""
    return tuple(
        _panel(number, page, frame.panel_id, frame.box, info)
        for number, frame in enumerate(page.page.frames, start=1)
    )


def book_title(info: BookInfo) -> str:
    """The title of a book: ``The Door 2: Nine o’clock``."""
    series = info.series if info.number is None else f"{info.series} {info.number}"
    return f"{series}: {info.title}" if info.title else series


def page_words(page: BookPage, panels: Sequence[LivePanel]) -> str:
    """The page in a few words: ``Page 3, 4 panels``."""
    count = len(panels)
    return f"Page {page.page.number}, {count} panel{'' if count == 1 else 's'}"


def _panel(number: int, page: BookPage, panel_id: int, box: Box, info: BookInfo) -> LivePanel:
    balloons = tuple(_balloon(b, info) for b in page.page.balloons_of(panel_id))
    brief = page.briefs.get(panel_id)
    if brief is None:
        scene = f"Panel {number}."
        alt = " ".join([scene, *(b.spoken for b in balloons)])
    else:
        scene, alt = scene_text(brief, info.names), alt_text(brief, info.names)
    return LivePanel(number, panel_id, box, scene, alt, balloons)


def _balloon(balloon: Balloon, info: BookInfo) -> LiveBalloon:
    said = DialogueLine(_unmarked(balloon.words), balloon.speaker, balloon.kind, balloon.also)
    return LiveBalloon(
        kind=balloon.kind,
        box=balloon.box,
        size=balloon.font_size,
        spoken=spoken_text(said, info.names),
        lines=tuple(_line(line, balloon) for line in set_lines(balloon)),
    )


def _unmarked(words: str) -> str:
    """Words without emphasis, so written that a star stays a star."""
    return words.replace("*", "\\*")


def _line(line: SetLine, balloon: Balloon) -> LiveLine:
    box = line.box
    style = ""
    if balloon.vertical:
        style = f"writing-mode:vertical-rl;line-height:{box.width}px"
    elif is_rtl(line.text):
        style = "direction:rtl"
    return LiveLine(line.text, box.x0, box.y0, box.width, box.height, style)
