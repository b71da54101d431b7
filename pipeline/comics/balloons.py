"""Balloons and their tails as polygons, in page pixels: what each kind looks like."""

from math import atan2, cos, hypot, radians, sin

from pipeline.comics.shapes import (
    Polygon,
    burst,
    circle,
    cloud,
    crackle,
    rectangle,
    round_outline,
    turned,
)
from pipeline.comics.textfit import PADDING
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, Point, Tail
from pipeline.domain.panel import BalloonKind


def body(balloon: Balloon) -> list[Polygon]:
    """The polygons whose union is the balloon without its tails; a sound has none."""
    depth = PADDING[balloon.kind][2] * balloon.font_size
    match balloon.kind:
        case BalloonKind.SFX:
            return []
        case BalloonKind.CAPTION | BalloonKind.NARRATION:
            return [rectangle(balloon.box)]
        case BalloonKind.SHOUT:
            return [burst(balloon.box, depth, balloon.panel_id * 131 + balloon.order)]
        case BalloonKind.RADIO:
            return [crackle(balloon.box, depth)]
        case BalloonKind.THOUGHT:
            return cloud(balloon.box, depth)
        case _:
            return [round_outline(balloon.box)]


def core(balloon: Balloon) -> Polygon:
    """The inner outline that no word may leave (boxed kinds: the box itself)."""
    if balloon.kind.is_boxed:
        return rectangle(balloon.box)
    if balloon.kind is BalloonKind.SFX:
        return _leaning(balloon)
    return round_outline(balloon.box, PADDING[balloon.kind][2] * balloon.font_size)


def _leaning(balloon: Balloon) -> Polygon:
    """The turned rectangle around the letters of a sound."""
    pad = PADDING[balloon.kind][0] * balloon.font_size
    t = balloon.text
    around = Box(round(t.x0 - pad), round(t.y0 - pad), round(t.x1 + pad), round(t.y1 + pad))
    return turned(rectangle(around), balloon.box.center, radians(balloon.angle))


def tail_parts(balloon: Balloon) -> list[Polygon]:
    """The polygons of all tails: horns, bolts, bubbles or a neck; nothing without a tail."""
    return [part for tail in balloon.tails for part in _tail(balloon.kind, tail)]


def _tail(kind: BalloonKind, tail: Tail) -> list[Polygon]:
    if tail.joins is not None:
        return [_band(tail)]
    if kind is BalloonKind.THOUGHT:
        return _bubbles(tail)
    if kind is BalloonKind.RADIO:
        return [_bolt(tail)]
    return [_horn(tail)]


def curve(tail: Tail, t: float) -> Point:
    """The point at ``t`` in [0, 1] of the quadratic Bézier curve base, bend, tip."""
    u = 1 - t
    return Point(
        u * u * tail.base.x + 2 * u * t * tail.bend.x + t * t * tail.tip.x,
        u * u * tail.base.y + 2 * u * t * tail.bend.y + t * t * tail.tip.y,
    )


def _horn(tail: Tail, steps: int = 20) -> Polygon:
    left: Polygon = []
    right: Polygon = []
    for i in range(steps + 1):
        t = i / steps
        here, soon = curve(tail, max(0.0, t - 0.01)), curve(tail, min(1.0, t + 0.01))
        dx, dy = soon.x - here.x, soon.y - here.y
        length = hypot(dx, dy) or 1.0
        half = tail.width / 2 * (1 - t) ** 0.9
        at = curve(tail, t)
        left.append(Point(at.x - dy / length * half, at.y + dx / length * half))
        right.append(Point(at.x + dy / length * half, at.y - dx / length * half))
    return left + right[::-1]


def _bolt(tail: Tail) -> Polygon:
    """A flash of three strokes, narrower towards the tip, within the width of a horn."""
    angle = atan2(tail.tip.y - tail.base.y, tail.tip.x - tail.base.x)
    length = hypot(tail.tip.x - tail.base.x, tail.tip.y - tail.base.y)
    half = tail.width / 2
    # along the way (share), across it (half widths): out along one side, back along the other
    way = [(0, 0.8), (0.52, 0.75), (0.46, 0.2), (1, 0), (0.62, -0.55), (0.66, -0.1), (0, -0.8)]
    co, si = cos(angle), sin(angle)
    return [
        Point(
            tail.base.x + a * length * co - b * half * si,
            tail.base.y + a * length * si + b * half * co,
        )
        for a, b in way
    ]


def _band(tail: Tail) -> Polygon:
    """A neck between two balloons, narrower in its middle."""
    dx, dy = tail.tip.x - tail.base.x, tail.tip.y - tail.base.y
    length = hypot(dx, dy) or 1.0
    nx, ny = -dy / length, dx / length
    sides: tuple[Polygon, Polygon] = ([], [])
    for i in range(13):
        at = curve(tail, i / 12)
        half = tail.width * (0.45 + 0.3 * abs(2 * i / 12 - 1) ** 2)
        sides[0].append(Point(at.x + nx * half, at.y + ny * half))
        sides[1].append(Point(at.x - nx * half, at.y - ny * half))
    return sides[0] + sides[1][::-1]


def _bubbles(tail: Tail) -> list[Polygon]:
    """Three bubbles (two on a short way) that shrink towards the thinker."""
    length = hypot(tail.tip.x - tail.base.x, tail.tip.y - tail.base.y)
    radii = [0.42, 0.3, 0.2] if length > 1.5 * tail.width else [0.34, 0.2]
    radii = [r * tail.width for r in radii]
    room = max(0.0, length - 2 * sum(radii)) / len(radii)
    along, found = 0.0, list[Polygon]()
    for radius in radii:
        along += room + radius
        found.append(circle(curve(tail, min(1.0, along / max(length, 1.0))), radius))
        along += radius
    return found
