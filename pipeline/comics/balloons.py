"""The outlines of balloons and tails as polygons, in page pixels.

A thought is a ring of round bumps, a shout a ring of uneven spikes; both are made by rule from the
balloon's box, font size and place in the panel, so a page draws the same each time.
"""

import random
from collections.abc import Sequence
from itertools import pairwise
from math import atan2, cos, hypot, pi, sin

from pipeline.comics.textfit import PADDING, ROUNDNESS
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, Point, Tail
from pipeline.domain.panel import BalloonKind

Polygon = list[Point]
_TURN = 2 * pi


def on_superellipse(box: Box, angle: float, inset: float = 0.0) -> Point:
    """The outline's point seen from the middle of ``box`` at ``angle`` (radians, y down)."""
    a, b = box.width / 2 - inset, box.height / 2 - inset
    x, y = cos(angle), sin(angle)
    reach = (abs(x / a) ** ROUNDNESS + abs(y / b) ** ROUNDNESS) ** (-1 / ROUNDNESS)
    cx, cy = box.center
    return Point(cx + x * reach, cy + y * reach)


def edge_towards(box: Box, target: Point, inset: float = 0.0) -> Point:
    """Where the line from the middle of ``box`` to ``target`` leaves the round outline."""
    cx, cy = box.center
    return on_superellipse(box, atan2(target.y - cy, target.x - cx), inset)


def body(balloon: Balloon) -> list[Polygon]:
    """The polygons whose union is the balloon without its tail."""
    depth = PADDING[balloon.kind][2] * balloon.font_size
    match balloon.kind:
        case BalloonKind.CAPTION:
            b = balloon.box
            return [[Point(b.x0, b.y0), Point(b.x1, b.y0), Point(b.x1, b.y1), Point(b.x0, b.y1)]]
        case BalloonKind.SHOUT:
            return [_burst(balloon, depth)]
        case BalloonKind.THOUGHT:
            return _cloud(balloon.box, depth)
        case BalloonKind.SPEECH:
            return [[on_superellipse(balloon.box, _TURN * i / 160) for i in range(160)]]


def core(balloon: Balloon) -> Polygon:
    """The inner outline that no word may leave (the box itself for a caption)."""
    if balloon.kind is BalloonKind.CAPTION:
        return body(balloon)[0]
    depth = PADDING[balloon.kind][2] * balloon.font_size
    return [on_superellipse(balloon.box, _TURN * i / 160, depth) for i in range(160)]


def tail_parts(balloon: Balloon) -> list[Polygon]:
    """The polygons of the tail: one horn, or the bubbles of a thought; nothing without a tail."""
    tail = balloon.tail
    if tail is None:
        return []
    if tail.joins is not None:
        return [_band(tail)]
    if balloon.kind is BalloonKind.THOUGHT:
        return _bubbles(tail)
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


def circle(middle: Point, radius: float) -> Polygon:
    """A round polygon."""
    return [
        Point(middle.x + radius * cos(_TURN * i / 40), middle.y + radius * sin(_TURN * i / 40))
        for i in range(40)
    ]


def _cloud(box: Box, depth: float) -> list[Polygon]:
    """A middle and bumps of two sizes, evenly spaced along the way round."""
    ring = _evenly([on_superellipse(box, _TURN * i / 240, depth) for i in range(240)], 2.3 * depth)
    spacing = _length([*ring, ring[0]]) / len(ring)
    middle = [on_superellipse(box, _TURN * i / 120, depth) for i in range(120)]
    bumps: list[Polygon] = []
    for i, at in enumerate(ring):
        radius = min(depth * 0.98, spacing * (0.66 if i % 2 else 0.58))
        bumps.append(circle(at, max(radius, spacing * 0.52)))
    return [middle, *(_inside(bump, box) for bump in bumps)]


def _inside(polygon: Polygon, box: Box) -> Polygon:
    return [Point(min(max(p.x, box.x0), box.x1), min(max(p.y, box.y0), box.y1)) for p in polygon]


def _burst(balloon: Balloon, depth: float) -> Polygon:
    """Spikes of uneven length; valleys never come nearer to the words than the core."""
    chance = random.Random(balloon.panel_id * 131 + balloon.order)
    rim = _evenly(
        [on_superellipse(balloon.box, _TURN * i / 240, depth) for i in range(240)], 1.5 * depth
    )
    cx, cy = balloon.box.center
    found: Polygon = []
    for i, (at, after) in enumerate(pairwise([*rim, rim[0]])):
        reach = depth * (chance.uniform(0.75, 1.0) if i % 2 == 0 else chance.uniform(0.4, 0.75))
        valley, peak = at, Point((at.x + after.x) / 2, (at.y + after.y) / 2)
        away = hypot(peak.x - cx, peak.y - cy) or 1.0
        lift = reach / away
        found.append(valley)
        found.append(Point(peak.x + (peak.x - cx) * lift, peak.y + (peak.y - cy) * lift))
    return _inside(found, balloon.box)


def _length(line: Sequence[Point]) -> float:
    return sum(hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(line))


def _evenly(ring: Polygon, spacing: float) -> Polygon:
    """Points at equal distances along a closed ring, about ``spacing`` apart, an even number."""
    closed = [*ring, ring[0]]
    total = _length(closed)
    count = max(8, 2 * round(total / spacing / 2))
    step, along, found = total / count, 0.0, list[Point]()
    for a, b in pairwise(closed):
        piece = hypot(b.x - a.x, b.y - a.y)
        while len(found) < count and along + piece >= step * len(found):
            t = (step * len(found) - along) / piece if piece else 0.0
            found.append(Point(a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t))
        along += piece
    return found
