"""Lettering a panel: sizes, the room that figures leave, balloons with their tails.

The whole page wants one size of lettering. Words shrink in small steps down to the smallest
readable size, then the picture is set back to give them ground; only then a line is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import combinations, pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from pipeline.comics.balloons import curve
from pipeline.comics.framing import frame_art, head_of
from pipeline.comics.placement import Place, place_balloons
from pipeline.comics.siting import Line, Room
from pipeline.comics.tails import bend_tail, neck, path
from pipeline.comics.textfit import LEADING, PADDING, fits
from pipeline.domain.character import ReadingDirection
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, PageSpec, PanelArt, PanelFrame, Point, Tail
from pipeline.domain.panel import BalloonKind, DialogueLine, PlacedFigure

# Speech, as a share of the page's width. 0.0205 is 25 px on a page of 1240, about nine points
# on an A4 sheet; under 0.0145 (18 px) capitals get smaller than two millimetres.
_BASE, _LEAST = 0.0205, 0.0145
# A strip is read on a phone, where its width is what is seen at once.
_STRIP_BASE, _STRIP_LEAST = 0.033, 0.026
_RELATIVE = {BalloonKind.SHOUT: 1.14, BalloonKind.CAPTION: 0.94}
_ZOOMS = (1.0, 1.3, 1.7, 2.3)
# Words may shrink to this share before the picture is set back instead.
_EASY = 0.8
_CELL = 8
# How much of its box a figure fills where its outline is unknown.
_BOX_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class LetteredPanel:
    """A frame with its balloons, all at one ``size`` of speech (pixels per em).

    ``regret`` is 0 when nothing had to give way: smaller words, a picture set back, lost tails.
    """

    frame: PanelFrame
    balloons: tuple[Balloon, ...]
    size: int
    regret: float = 0.0


class DoesNotFit(InvalidInput):
    """A line of dialogue has no room at a readable size."""

    code = "does_not_fit"


def sizes_for(spec: PageSpec) -> tuple[int, ...]:
    """The sizes of speech to try, pixels per em, largest first."""
    strip = spec.reading_direction is ReadingDirection.WEBTOON
    base, least = (_STRIP_BASE, _STRIP_LEAST) if strip else (_BASE, _LEAST)
    high, low = spec.size.width * base, spec.size.width * least
    steps = {round(high - (high - low) * i / 5) for i in range(6)}
    return tuple(sorted((max(8, s) for s in steps), reverse=True))


def letter_panel(
    art: PanelArt, box: Box, spec: PageSpec, sizes: Sequence[int] | None = None
) -> LetteredPanel:
    """Frame one panel in ``box`` and letter its dialogue.

    Args:
        art: the picture with its figures and its lines.
        box: the frame, in page pixels.
        spec: the page.
        sizes: the sizes to try instead of the page's own.

    Raises:
        DoesNotFit: a line has no room even at the smallest size; the message names it.
        InvalidInput: a line is empty or holds a character that the font lacks.
    """
    sizes = sizes or sizes_for(spec)
    if not art.dialogue:
        return LetteredPanel(frame_art(art, box), (), sizes[0])
    reached = 0
    for tails_needed, zoom, steps in _attempts(sizes):
        frame = frame_art(art, box, zoom)
        room = _room(art, frame, spec, sizes[0])
        size, places, done = _largest(art, frame, room, steps, tails_needed)
        if done == len(art.dialogue):
            balloons = _balloons(art, _lines(art, frame, size), places, room)
            regret = 4 * (zoom - 1) + 6 * (1 - size / sizes[0]) + 2 * (not tails_needed)
            return LetteredPanel(frame, balloons, size, regret)
        reached = max(reached, done)
    line = art.dialogue[reached]
    quoted = line.text if len(line.text) <= 60 else line.text[:57] + "…"
    raise DoesNotFit(
        f"Line {reached + 1} of panel {art.panel_id} (“{quoted}”) does not fit at a readable "
        "size. Shorten it, move it to another panel, or choose a layout with a larger frame."
    )


def _attempts(sizes: Sequence[int]) -> Iterator[tuple[bool, float, Sequence[int]]]:
    """Settings, best first: (every tail needed, how far the picture is set back, sizes)."""
    easy = [s for s in sizes if s >= _EASY * sizes[0]]
    for tails_needed in (True, False):
        for steps in (easy, sizes[len(easy) :]):
            for zoom in _ZOOMS if steps else ():
                yield tails_needed, zoom, steps


def _largest(
    art: PanelArt, frame: PanelFrame, room: Room, steps: Sequence[int], tails_needed: bool
) -> tuple[int, tuple[Place, ...], int]:
    """The largest of the sizes that fits, its places, and how many lines were placed.

    The smallest is tried after the largest: where it fails, those between are not worth trying.
    """

    def place(size: int) -> tuple[int, tuple[Place, ...], int]:
        return (size, *place_balloons(_lines(art, frame, size), room, tails_needed))

    largest = place(steps[0])
    if largest[2] == len(art.dialogue) or len(steps) == 1:
        return largest
    smallest = place(steps[-1])
    if smallest[2] == len(art.dialogue):
        for size in steps[1:-1]:
            between = place(size)
            if between[2] == len(art.dialogue):
                return between
    return smallest


def _lines(art: PanelArt, frame: PanelFrame, size: int) -> list[Line]:
    heads = _heads_by_speaker(art.figures)
    found: list[Line] = []
    before: DialogueLine | None = None
    for line in art.dialogue:
        head = heads.get(line.speaker) if line.speaker else None
        same = before is not None and _continues(before, line) and head is not None
        found.append(
            Line(
                kind=line.kind,
                em=size * _RELATIVE.get(line.kind, 1.0),
                fits=fits(line.text, line.kind),
                head=frame.to_page(head).intersection(frame.box) if head else None,
                follows=same,
                offstage=line.speaker is not None and head is None,
            )
        )
        before = line
    return found


def _continues(before: DialogueLine, line: DialogueLine) -> bool:
    """Whether a line goes on where the same speaker stopped, in the same voice."""
    spoken = before.kind is line.kind is BalloonKind.SPEECH
    return spoken and before.speaker == line.speaker


def _heads_by_speaker(figures: Sequence[PlacedFigure]) -> dict[str, Box]:
    """The head of each character; the largest where one is drawn twice."""
    found: dict[str, Box] = {}
    for figure in figures:
        head = head_of(figure)
        if figure.character_id not in found or head.area > found[figure.character_id].area:
            found[figure.character_id] = head
    return found


def _room(art: PanelArt, frame: PanelFrame, spec: PageSpec, size: int) -> Room:
    inset = max(round(0.55 * size), 6)
    box = frame.box
    safe = Box(box.x0 + inset, box.y0 + inset, box.x1 - inset, box.y1 - inset)
    heads = (frame.to_page(head_of(f)).intersection(box) for f in art.figures)
    return Room(
        safe=safe,
        heads=tuple(h for h in heads if h.area),
        bodies=_bodies(art, frame, safe),
        cell=_CELL,
        rtl=spec.reading_direction is ReadingDirection.RTL,
    )


def _bodies(art: PanelArt, frame: PanelFrame, safe: Box) -> NDArray[np.float64]:
    """The summed-area table over cells of the safe area: what share of each is figure."""
    rows, columns = ceil(safe.height / _CELL), ceil(safe.width / _CELL)
    filled = np.zeros((rows, columns))
    for figure in art.figures:
        filled = np.maximum(filled, _cover(figure, frame, safe, (rows, columns)))
    table = np.zeros((rows + 1, columns + 1))
    table[1:, 1:] = filled.cumsum(0).cumsum(1)
    return table


def _cover(
    figure: PlacedFigure, frame: PanelFrame, safe: Box, shape: tuple[int, int]
) -> NDArray[np.float64]:
    rows, columns = shape
    box = frame.to_page(figure.box).intersection(frame.art).shifted(-safe.x0, -safe.y0)
    found = np.zeros(shape)
    if figure.mask is None:
        top, left = max(0, box.y0 // _CELL), max(0, box.x0 // _CELL)
        right, bottom = max(0, ceil(box.x1 / _CELL)), max(0, ceil(box.y1 / _CELL))
        found[top:bottom, left:right] = _BOX_SHARE
        return found
    from PIL import Image

    with Image.open(BytesIO(figure.mask)) as mask:
        part = mask.convert("L").crop(frame.crop).resize((frame.art.width, frame.art.height))
    sheet = Image.new("L", (columns * _CELL, rows * _CELL))
    sheet.paste(part, (frame.art.x0 - safe.x0, frame.art.y0 - safe.y0))
    cells = np.asarray(sheet, float).reshape(rows, _CELL, columns, _CELL)
    return cells.mean((1, 3)) / 255.0


def _balloons(
    art: PanelArt, lines: Sequence[Line], places: Sequence[Place], room: Room
) -> tuple[Balloon, ...]:
    tails = _tails(lines, places, room)
    found: list[Balloon] = []
    rows = zip(art.dialogue, lines, places, tails, strict=True)
    for order, (said, line, place, tail) in enumerate(rows):
        cx, cy = place.box.center
        half_w = place.fit.text_width * line.em / 2
        half_h = place.fit.text_height * line.em / 2
        text = Box(round(cx - half_w), round(cy - half_h), round(cx + half_w), round(cy + half_h))
        found.append(
            Balloon(
                panel_id=art.panel_id,
                order=order,
                kind=line.kind,
                speaker=said.speaker,
                lines=place.fit.lines,
                font_size=round(line.em),
                line_height=round(LEADING * line.em, 2),
                box=place.box,
                text=text,
                tail=tail,
            )
        )
    return tuple(found)


def _tails(lines: Sequence[Line], places: Sequence[Place], room: Room) -> list[Tail | None]:
    """Curved tails; two that would cross once bent are both drawn straight."""
    found: list[Tail | None] = []
    for i, (line, place) in enumerate(zip(lines, places, strict=True)):
        if place.tail is None:
            found.append(None)
        elif place.joined:
            found.append(neck(places[i - 1].box, place.box, line.em, i - 1))
        else:
            others = [p.box for p in places if p is not place]
            found.append(_horn(line, place, [*room.heads, *others]))
    for i, j in combinations(range(len(found)), 2):
        a, b = found[i], found[j]
        if a and b and a.joins is None and b.joins is None and _cross(a, b):
            found[i] = _horn(lines[i], places[i], None)
            found[j] = _horn(lines[j], places[j], None)
    return found


def _horn(line: Line, place: Place, obstacles: Sequence[Box] | None) -> Tail:
    """The tail of one balloon; straight where ``obstacles`` is None."""
    assert place.tail is not None
    depth = PADDING[line.kind][2] * line.em
    if line.kind is BalloonKind.THOUGHT:  # bubbles follow a straight way from the outline
        return path(place.tail, line.em)
    return bend_tail(place.box, place.tail, line.em, obstacles, depth)


def _cross(a: Tail, b: Tail) -> bool:
    first = [curve(a, i / 10) for i in range(11)]
    second = [curve(b, i / 10) for i in range(11)]
    return any(_meets(p, q, r, s) for p, q in pairwise(first) for r, s in pairwise(second))


def _meets(p: Point, q: Point, r: Point, s: Point) -> bool:
    def side(a: Point, b: Point, c: Point) -> float:
        return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)

    return side(p, q, r) * side(p, q, s) < 0 and side(r, s, p) * side(r, s, q) < 0
