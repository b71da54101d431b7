"""The lines of a balloon at their places on the page, and their ink.

The one place that knows how lines stand in a balloon: the renderer draws from it, and exports lay
their live text over the same places.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, cos, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from pipeline.comics.fonts import STYLE_OF_KIND, FontStyle
from pipeline.comics.harfbuzz import harfbuzz
from pipeline.comics.measures import CAP, COLUMN
from pipeline.comics.scripts import is_rtl
from pipeline.comics.shaping import Glyph, ShapedLine, shape_column, shape_line
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, Point, TextRun

Transform = tuple[float, float, float, float, float, float]
"""``(xx, yx, xy, yy, x, y)`` as HarfBuzz has them: from font units to pixels, y downwards."""
PlacedGlyph = tuple[Glyph, Transform]


@dataclass(frozen=True, slots=True)
class SetLine:
    """One line as it stands before the balloon's ``angle`` is applied; page pixels.

    ``origin`` is the start of the baseline (for a column the middle of its top); ``box`` bounds
    the line from cap to descender.
    """

    text: str
    origin: Point
    box: Box
    shaped: ShapedLine


def set_lines(balloon: Balloon) -> tuple[SetLine, ...]:
    """The lines of a balloon in reading order."""
    return tuple(_set(balloon, i) for i in range(len(balloon.lines)))


def _set(balloon: Balloon, index: int) -> SetLine:
    style, size, text = STYLE_OF_KIND[balloon.kind], balloon.font_size, balloon.text
    shape = shape_column if balloon.vertical else shape_line
    shaped = shape(balloon.runs_of(index), style, balloon.language)
    long = shaped.length * size
    if balloon.vertical:
        x = text.x1 - (index * balloon.line_height + 0.5 * COLUMN * size)
        half = COLUMN * size / 2
        box = Box(round(x - half), text.y0, round(x + half), round(text.y0 + long))
        return SetLine(balloon.lines[index], Point(x, text.y0), box, shaped)
    left = (text.x0 + text.x1 - long) / 2
    if balloon.kind.is_boxed:
        left = text.x1 - long if is_rtl(balloon.words) else text.x0
    base = text.y0 + CAP * size + index * balloon.line_height
    top = base - CAP * size - 0.5 * (balloon.line_height - CAP * size)
    box = Box(round(left), round(top), round(left + long), round(top + balloon.line_height))
    return SetLine(balloon.lines[index], Point(left, base), box, shaped)


def ink_of(balloon: Balloon, tile: Box, scale: float, *, stroke: float = 0.0) -> NDArray[np.uint8]:
    """How much ink the words leave in ``tile`` (page pixels): shape ``(h, w)``, 0 to 255.

    Args:
        balloon: whose words; its ``angle`` is applied.
        tile: the part of the page that is drawn.
        scale: pixels of the result for each of the page.
        stroke: the outlines are widened by so many page pixels on every side.
    """
    size = (round(tile.width * scale), round(tile.height * scale))
    ink = _raster(placed_words(balloon, tile, scale), size)
    return _widened(ink, stroke * scale) if stroke else ink


def placed_words(balloon: Balloon, tile: Box, scale: float) -> Iterator[PlacedGlyph]:
    """The glyphs of a balloon's words, its ``angle`` applied, on a tile as in :func:`ink_of`."""
    for line in set_lines(balloon):
        for glyph in line.shaped.glyphs:
            yield glyph, _transform(balloon, line.origin, glyph, tile, scale)


def line_ink(text: str, style: FontStyle, size: float, height: int) -> NDArray[np.uint8]:
    """One plain line at ``size`` pixels per em in the middle of a strip of ``height`` pixels."""
    placed, width = placed_line(text, style, size, height)
    return _raster(placed, (width, height))


def placed_line(
    text: str, style: FontStyle, size: float, height: int
) -> tuple[tuple[PlacedGlyph, ...], int]:
    """The glyphs of such a line, and how wide it is in pixels."""
    shaped = shape_line((TextRun(text),), style)
    base = (height + CAP * size) / 2
    unit = {glyph.face: size / glyph.face.units_per_em for glyph in shaped.glyphs}
    placed = tuple(
        (g, (unit[g.face], 0.0, 0.0, -unit[g.face], g.x * size, base - g.y * size))
        for g in shaped.glyphs
    )
    return placed, round(shaped.length * size) + 1


def _raster(placed: Iterable[PlacedGlyph], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Ink of glyphs on a picture of ``size`` (width, height)."""
    hb = harfbuzz()
    width, height = size
    raster = hb.RasterDraw()
    raster.extents = hb.RasterExtents(width=width, height=height, stride=width)
    for glyph, transform in placed:
        raster.transform = transform
        raster.draw_glyph(glyph.face.font, glyph.id)
    image = raster.render()
    if image is None:
        raise MemoryError("the lettering of a page could not be drawn")
    row = image.extents.stride
    return np.frombuffer(bytes(image.buffer), np.uint8).reshape(-1, row)[:height, :width]


def _transform(balloon: Balloon, origin: Point, glyph: Glyph, tile: Box, scale: float) -> Transform:
    """From the glyph's font units to pixels of the tile, with y turned downwards."""
    size = balloon.font_size
    x, y = origin.x + glyph.x * size, origin.y - glyph.y * size
    unit = size / glyph.face.units_per_em
    xx, yx, xy, yy = (v * unit for v in glyph.matrix)
    a, b, c, d = xx, -yx, xy, -yy
    if balloon.angle:
        turn, (mx, my) = radians(balloon.angle), balloon.box.center
        co, si = cos(turn), sin(turn)
        x, y = mx + (x - mx) * co - (y - my) * si, my + (x - mx) * si + (y - my) * co
        a, b = a * co - b * si, a * si + b * co
        c, d = c * co - d * si, c * si + d * co
    x, y = x - tile.x0, y - tile.y0
    return a * scale, b * scale, c * scale, d * scale, x * scale, y * scale


def _widened(ink: NDArray[np.uint8], by: float) -> NDArray[np.uint8]:
    """Ink with a round border of ``by`` pixels: shifted along two circles and laid together.

    The inner circle closes what the outer one leaves open behind strokes thinner than ``by``.
    """
    reach = ceil(by)
    padded = np.pad(ink, reach)
    height, width = ink.shape
    found = ink.copy()
    for radius in (by / 2, by):
        count = max(16, ceil(4 * radius))
        for i in range(count):
            dx, dy = (round(radius * f(2 * pi * i / count)) + reach for f in (cos, sin))
            np.maximum(found, padded[dy : dy + height, dx : dx + width], out=found)
    return found
