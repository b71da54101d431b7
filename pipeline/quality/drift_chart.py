"""The chart of a look's similarity: pictures, rolling mean, limit, the source's line, changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageDraw

from pipeline.imaging.decode import to_png
from pipeline.imaging.typeset import INK, PAPER, QUIET, RULE, Rgb, TextStyle, shortened, write
from pipeline.quality.drift import DROP, WARM_UP

WIDTH, HEIGHT = 1080, 720
_LEFT, _RIGHT, _TOP, _BOTTOM = 110, 40, 150, 130
_LINE: Rgb = (34, 88, 150)
_BAD: Rgb = (190, 48, 42)
_TITLE, _TEXT = TextStyle(46, bold=True), TextStyle(32)
_SMALL = TextStyle(30, color=QUIET)


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One picture: its similarity, the limit that it was held to, and what stands under it."""

    similarity: float
    limit: float | None
    label: str


def drift_chart(
    title: str, points: Sequence[ChartPoint], rolling: Sequence[float], changes: Sequence[int]
) -> bytes:
    """Draw a log as a PNG of WIDTH × HEIGHT.

    Args:
        title: whose log, like ``Akira · school``.
        points: at least one, oldest first.
        rolling: the rolling mean at each point.
        changes: places (from 0) where a fall began.
    """
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    write(draw, (_LEFT - 70, 24), shortened(title, _TITLE, WIDTH - 120), _TITLE)
    frame = _Frame.around(points)
    _grid(draw, frame)
    baseline = sum(p.similarity for p in points[:WARM_UP]) / len(points[:WARM_UP])
    _dashed(draw, frame, (1 - DROP) * baseline, QUIET)
    _changes(draw, frame, changes)
    limits = [(k, p.limit) for k, p in enumerate(points) if p.limit is not None]
    for (a, low), (b, high) in pairwise(limits):
        draw.line((frame.x(a), frame.y(low), frame.x(b), frame.y(high)), fill=_BAD, width=3)
    line = [(frame.x(k), frame.y(value)) for k, value in enumerate(rolling)]
    draw.line(line, fill=_LINE, width=7, joint="curve")
    for k, point in enumerate(points):
        _dot(draw, frame.x(k), frame.y(point.similarity), point)
    _labels(draw, frame, points)
    _legend(draw)
    return to_png(image)


@dataclass(frozen=True, slots=True)
class _Frame:
    """From places and similarities to pixels."""

    count: int
    low: float
    high: float

    @classmethod
    def around(cls, points: Sequence[ChartPoint]) -> "_Frame":
        values = [p.similarity for p in points] + [p.limit for p in points if p.limit is not None]
        baseline = sum(p.similarity for p in points[:WARM_UP]) / len(points[:WARM_UP])
        values.append((1 - DROP) * baseline)
        margin = max(0.02, 0.08 * (max(values) - min(values)))
        return cls(len(points), min(values) - margin, max(values) + margin)

    def x(self, place: float) -> float:
        return _LEFT + (place + 0.5) / self.count * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP)


def _grid(draw: ImageDraw.ImageDraw, frame: _Frame) -> None:
    step = 0.02 if frame.high - frame.low < 0.16 else 0.05 if frame.high - frame.low < 0.5 else 0.1
    value = step * (int(frame.low / step) + 1)
    while value < frame.high:
        y = frame.y(value)
        draw.line((_LEFT, y, WIDTH - _RIGHT, y), fill=RULE, width=2)
        write(draw, (24, y - 20), f"{value:.2f}", _SMALL)
        value += step


def _dashed(draw: ImageDraw.ImageDraw, frame: _Frame, value: float, color: Rgb) -> None:
    y = frame.y(value)
    for x in range(_LEFT, WIDTH - _RIGHT, 26):
        draw.line((x, y, x + 14, y), fill=color, width=4)


def _changes(draw: ImageDraw.ImageDraw, frame: _Frame, changes: Sequence[int]) -> None:
    for place in changes:
        x = frame.x(place - 0.5)
        draw.rectangle((x - 3, _TOP - 8, x + 3, HEIGHT - _BOTTOM), fill=_BAD)
        draw.polygon([(x - 20, _TOP - 34), (x + 20, _TOP - 34), (x, _TOP - 6)], fill=_BAD)


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, point: ChartPoint) -> None:
    """A disc at or over its limit, a square under it."""
    if point.limit is not None and point.similarity < point.limit:
        draw.rectangle((x - 8, y - 8, x + 8, y + 8), fill=_BAD)
    else:
        draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=PAPER, outline=INK, width=3)


def _labels(draw: ImageDraw.ImageDraw, frame: _Frame, points: Sequence[ChartPoint]) -> None:
    """Under the first picture of each label, as far as there is room."""
    free, before = 0.0, None
    for k, point in enumerate(points):
        x = frame.x(k) - 16
        if point.label != before and x >= free:
            write(draw, (x, HEIGHT - _BOTTOM + 10), point.label, _SMALL)
            free = x + 30 + 17 * len(point.label)
        before = point.label


def _legend(draw: ImageDraw.ImageDraw) -> None:
    y = HEIGHT - 62
    draw.line((40, y + 20, 90, y + 20), fill=_LINE, width=7)
    write(draw, (100, y), "mean of 5", _TEXT)
    draw.line((300, y + 20, 350, y + 20), fill=_BAD, width=3)
    write(draw, (360, y), "limit", _TEXT)
    for x in (470, 496):
        draw.line((x, y + 20, x + 14, y + 20), fill=QUIET, width=4)
    write(draw, (530, y), "10 % under the start", _TEXT)
    draw.polygon([(868, y + 6), (908, y + 6), (888, y + 34)], fill=_BAD)
    write(draw, (920, y), "change", _TEXT)
