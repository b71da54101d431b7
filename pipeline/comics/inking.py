"""Balloons and sounds in ink, on a page or on a layer of their own.

Shapes are drawn three times as large and scaled down, which makes the ink smooth. Each chain of
joined balloons is inked as one shape: everything in black with a stroke, then everything in white.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, hypot
from zlib import crc32

from PIL import Image, ImageDraw

from pipeline.comics.balloons import body, tail_parts
from pipeline.comics.shapes import Polygon
from pipeline.comics.typesetting import ink_of
from pipeline.domain.character import ColorMode
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, LetteredPage, Point
from pipeline.domain.panel import BalloonKind

SCALE = 3
INK = (22, 20, 24)
PAPER = (255, 255, 255)
_SMOKE = (74, 70, 78)
# Captions stand on warm paper, as printed narration boxes do.
_CAPTION_PAPER = (255, 247, 219)
# Sounds: letters of one of these colours, by the sound; in ems, their line and its white edge.
_SOUNDS = ((255, 214, 40), (247, 96, 52), (112, 204, 240))
SOUND_LINE, SOUND_EDGE = 0.075, 0.135
# Whispers: dashes and gaps along the outline, in ems.
_DASH, _GAP = 0.42, 0.3

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of line, ground and words; how much heavier the line is; whether it is dashed."""

    line: Colour = INK
    paper: Colour = PAPER
    words: Colour = INK
    weight: float = 1.0
    dashed: bool = False


_LOOKS = {
    BalloonKind.SHOUT: Look(weight=1.35),
    BalloonKind.WHISPER: Look(words=_SMOKE, dashed=True),
    BalloonKind.CAPTION: Look(paper=_CAPTION_PAPER),
    BalloonKind.NARRATION: Look(line=PAPER, paper=INK, words=PAPER),
}
_PLAIN = Look()


def look_of(balloon: Balloon) -> Look:
    """How a balloon of its kind is inked."""
    return _LOOKS.get(balloon.kind, _PLAIN)


def sound_coats(balloon: Balloon, mode: ColorMode) -> tuple[tuple[Colour, float], ...]:
    """The coats of a sound from the lowest: colour, and by how many ems it is widened."""
    fill = _SOUNDS[crc32(balloon.words.encode()) % len(_SOUNDS)]
    if mode is ColorMode.GRAYSCALE:
        fill = PAPER
    return (PAPER, SOUND_EDGE), (INK, SOUND_LINE), (fill, 0.0)


def draw_balloons(sheet: Image.Image, balloons: Sequence[Balloon], page: LetteredPage) -> None:
    """Draw the balloons of one panel onto an RGB ``sheet`` of the page's size."""
    for balloon in balloons:  # sounds belong to the picture: voices stand before them
        if balloon.kind is BalloonKind.SFX:
            _draw_sound(sheet, balloon, page.color_mode)
    for chain in chains(balloons):
        _draw_chain(sheet, chain, ink_width(page))


def ink_width(page: LetteredPage) -> float:
    """The balloons' line in pixels, lighter than the frames' so that frames lead."""
    return max(1.2, page.size.width * 0.0021)


def chains(balloons: Sequence[Balloon]) -> list[list[Balloon]]:
    """Balloons that hang on each other belong together."""
    found: list[list[Balloon]] = []
    for balloon in balloons:
        if balloon.kind is BalloonKind.SFX:
            continue
        joins = balloon.tail.joins if balloon.tail else None
        if joins is not None and found and found[-1][-1].order == joins:
            found[-1].append(balloon)
        else:
            found.append([balloon])
    return found


def _draw_chain(sheet: Image.Image, chain: Sequence[Balloon], ink: float) -> None:
    shapes = [part for b in chain for part in (*body(b), *tail_parts(b))]
    look = look_of(chain[0])
    tile = _bounds(shapes, ink).intersection(Box(0, 0, *sheet.size))
    size = (tile.width * SCALE, tile.height * SCALE)
    outer, inner = Image.new("L", size), Image.new("L", size)
    for shape in shapes:
        points = [((p.x - tile.x0) * SCALE, (p.y - tile.y0) * SCALE) for p in shape]
        ImageDraw.Draw(inner).polygon(points, fill=255)
        width = round(2 * ink * look.weight * SCALE)
        if look.dashed:
            _dash(ImageDraw.Draw(outer), points, chain[0].font_size * SCALE, width)
        else:
            _stroke(ImageDraw.Draw(outer), points, width)
    for colour, mask in ((look.line, outer), (look.paper, inner)):
        _paint(sheet, mask, tile, colour)
    for balloon in chain:
        words = Image.fromarray(ink_of(balloon, tile, SCALE))
        _paint(sheet, words, tile, look_of(balloon).words)


def _draw_sound(sheet: Image.Image, balloon: Balloon, mode: ColorMode) -> None:
    """Letters in colour with a black line around them and a white edge around that."""
    size = balloon.font_size
    edge = ceil(SOUND_EDGE * size) + 2
    b = balloon.box
    tile = Box(b.x0 - edge, b.y0 - edge, b.x1 + edge, b.y1 + edge)
    tile = tile.intersection(Box(0, 0, *sheet.size))
    for colour, stroke in sound_coats(balloon, mode):
        mask = Image.fromarray(ink_of(balloon, tile, SCALE, stroke=stroke * size))
        _paint(sheet, mask, tile, colour)


def _paint(sheet: Image.Image, mask: Image.Image, tile: Box, colour: Colour) -> None:
    small = mask.resize((tile.width, tile.height), Image.Resampling.BOX)
    sheet.paste(colour, (tile.x0, tile.y0), small)


def _bounds(shapes: Sequence[Polygon], ink: float) -> Box:
    xs = [p.x for shape in shapes for p in shape]
    ys = [p.y for shape in shapes for p in shape]
    edge = round(2 * ink) + 2
    return Box(int(min(xs)) - edge, int(min(ys)) - edge, int(max(xs)) + edge, int(max(ys)) + edge)


def _stroke(draw: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], width: int) -> None:
    draw.polygon(points, fill=255)
    draw.line([*points, *points[:2]], fill=255, width=width, joint="curve")


def _dash(
    draw: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], em: float, width: int
) -> None:
    for dash in dashes([Point(*p) for p in points], em):
        draw.line([tuple(p) for p in dash], fill=255, width=width, joint="curve")


def dashes(ring: Polygon, em: float) -> Iterator[Polygon]:
    """Pieces of a closed outline, ``_DASH`` ems long and ``_GAP`` apart, evenly fitted."""
    closed = [*ring, ring[0]]
    total = sum(hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(closed))
    period = total / max(1, round(total / ((_DASH + _GAP) * em)))
    on = period * _DASH / (_DASH + _GAP)
    along, dash = 0.0, list[Point]()
    for a, b in pairwise(closed):
        piece = hypot(b.x - a.x, b.y - a.y)
        steps = max(1, ceil(piece / (0.1 * em)))
        for i in range(steps):
            at = along + piece * i / steps
            if at % period < on:
                dash.append(Point(a.x + (b.x - a.x) * i / steps, a.y + (b.y - a.y) * i / steps))
            elif dash:
                yield dash
                dash = []
        along += piece
    if len(dash) > 1:
        yield dash
