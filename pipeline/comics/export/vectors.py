"""Balloons and words as outlines in a PDF: sharp at any size, and set with our own fonts.

The same shapes, colours and line widths that :mod:`pipeline.comics.inking` paints with pixels.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.comics.balloons import body, tail_parts
from pipeline.comics.fonts import Face, FontStyle
from pipeline.comics.inking import Colour, chains, dashes, ink_width, look_of, sound_coats
from pipeline.comics.rendering import FOOT_COLOUR, foot_of
from pipeline.comics.shapes import Polygon
from pipeline.comics.typesetting import PlacedGlyph, placed_line, placed_words
from pipeline.domain.character import ColorMode
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, LetteredPage, Point
from pipeline.domain.panel import BalloonKind

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

_ROUND = 1
_NON_ZERO = 1
_Step = tuple[str, tuple[float, ...]]


def draw_lettering(canvas: "Canvas", page: LetteredPage) -> None:
    """Draw balloons, words and the foot; the canvas counts in page pixels with y downwards."""
    canvas.setLineJoin(_ROUND)
    canvas.setLineCap(_ROUND)
    for frame in page.frames:
        balloons = page.balloons_of(frame.panel_id)
        for balloon in balloons:
            if balloon.kind is BalloonKind.SFX:
                _draw_sound(canvas, balloon, page.color_mode)
        for chain in chains(balloons):
            _draw_chain(canvas, chain, page)
    _draw_foot(canvas, page)


def _draw_chain(canvas: "Canvas", chain: Sequence[Balloon], page: LetteredPage) -> None:
    shapes = [part for b in chain for part in (*body(b), *tail_parts(b))]
    look = look_of(chain[0])
    _colour(canvas, look.line, page.color_mode)
    canvas.setLineWidth(2 * ink_width(page) * look.weight)
    for shape in shapes:
        if look.dashed:
            for dash in dashes([Point(*p) for p in shape], chain[0].font_size):
                canvas.drawPath(_polygon(canvas, dash, closed=False), stroke=1, fill=0)
        else:
            canvas.drawPath(_polygon(canvas, shape), stroke=1, fill=1, fillMode=_NON_ZERO)
    _colour(canvas, look.paper, page.color_mode)
    for shape in shapes:
        canvas.drawPath(_polygon(canvas, shape), stroke=0, fill=1, fillMode=_NON_ZERO)
    for balloon in chain:
        _colour(canvas, look_of(balloon).words, page.color_mode)
        _fill(canvas, placed_words(balloon, Box(0, 0, *page.size), 1.0))


def _draw_sound(canvas: "Canvas", balloon: Balloon, mode: ColorMode) -> None:
    words = tuple(placed_words(balloon, Box(0, 0, 1, 1), 1.0))
    for colour, wider in sound_coats(balloon, mode):
        _colour(canvas, colour, mode)
        canvas.setLineWidth(2 * wider * balloon.font_size)
        _fill(canvas, words, stroked=wider > 0)


def _draw_foot(canvas: "Canvas", page: LetteredPage) -> None:
    foot = foot_of(page)
    if foot is None:
        return
    placed, width = placed_line(foot.words, FontStyle.REGULAR, foot.size, foot.box.height)
    _colour(canvas, FOOT_COLOUR, page.color_mode)
    x, y = (page.size.width - width) // 2, foot.box.y0
    _fill(canvas, [(g, (*t[:4], t[4] + x, t[5] + y)) for g, t in placed])


def _colour(canvas: "Canvas", colour: Colour, mode: ColorMode) -> None:
    if mode is ColorMode.GRAYSCALE:
        # The luma weights of ITU-R BT.601, as Pillow's.
        grey = sum(w * c for w, c in zip((0.299, 0.587, 0.114), colour, strict=True)) / 255
        canvas.setFillGray(grey)
        canvas.setStrokeGray(grey)
        return
    red, green, blue = (part / 255 for part in colour)
    canvas.setFillColorRGB(red, green, blue)
    canvas.setStrokeColorRGB(red, green, blue)


def _polygon(canvas: "Canvas", shape: Polygon, *, closed: bool = True) -> Any:
    path = canvas.beginPath()
    path.moveTo(*shape[0])
    for point in shape[1:]:
        path.lineTo(*point)
    if closed:
        path.close()
    return path


def _fill(canvas: "Canvas", placed: Iterable[PlacedGlyph], *, stroked: bool = False) -> None:
    """Fill the outlines of glyphs, and widen them by a line where ``stroked``."""
    path, empty = canvas.beginPath(), True
    for glyph, (xx, yx, xy, yy, x, y) in placed:
        for verb, points in _outline(glyph.face, glyph.id):
            empty = False
            moved: list[float] = []
            for px, py in zip(points[::2], points[1::2], strict=True):
                moved += (xx * px + xy * py + x, yx * px + yy * py + y)
            getattr(path, verb)(*moved)
    if not empty:
        canvas.drawPath(path, stroke=int(stroked), fill=1, fillMode=_NON_ZERO)


class _Pen:
    """Takes an outline down as steps of a PDF path, in font units."""

    def __init__(self) -> None:
        self.steps: list[_Step] = []
        self._at = (0.0, 0.0)

    def moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - the protocol's name
        """Begin a contour."""
        self.steps.append(("moveTo", point))
        self._at = point

    def lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - the protocol's name
        """Draw a line."""
        self.steps.append(("lineTo", point))
        self._at = point

    def curveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802 - the protocol's name
        """Draw a cubic curve."""
        self.steps.append(("curveTo", tuple(v for point in points for v in point)))
        self._at = points[-1]

    def qCurveTo(  # noqa: N802 - the protocol's name
        self, control: tuple[float, float], end: tuple[float, float]
    ) -> None:
        """Draw a quadratic curve as the cubic one that equals it."""
        (x0, y0), (x1, y1), (x2, y2) = self._at, control, end
        first = (x0 + 2 / 3 * (x1 - x0), y0 + 2 / 3 * (y1 - y0))
        second = (x2 + 2 / 3 * (x1 - x2), y2 + 2 / 3 * (y1 - y2))
        self.curveTo(first, second, end)

    def closePath(self) -> None:  # noqa: N802 - the protocol's name
        """End a contour."""
        self.steps.append(("close", ()))


@lru_cache(maxsize=4096)
def _outline(face: Face, glyph: int) -> tuple[_Step, ...]:
    pen = _Pen()
    face.font.draw_glyph_with_pen(glyph, pen)
    return tuple(pen.steps)
