"""Outlines that several kinds of balloon are made of: rings of bumps, spikes and teeth.

All are made by rule from a box and a depth, so that a page draws the same each time.
"""

import random
from collections.abc import Sequence
from itertools import pairwise
from math import atan2, cos, hypot, pi, sin

from pipeline.comics.measures import ROUNDNESS
from pipeline.domain.geometry import Box
from pipeline.domain.page import Point

Polygon = list[Point]
TURN = 2 * pi


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


def round_outline(box: Box, inset: float = 0.0) -> Polygon:
    """The superellipse in ``box``."""
    return [on_superellipse(box, TURN * i / 160, inset) for i in range(160)]


def rectangle(box: Box) -> Polygon:
    """The four corners of a box."""
    b = box
    return [Point(b.x0, b.y0), Point(b.x1, b.y0), Point(b.x1, b.y1), Point(b.x0, b.y1)]


def circle(middle: Point, radius: float) -> Polygon:
    """A round polygon."""
    return [
        Point(middle.x + radius * cos(TURN * i / 40), middle.y + radius * sin(TURN * i / 40))
        for i in range(40)
    ]


def turned(polygon: Polygon, middle: tuple[float, float], angle: float) -> Polygon:
    """A polygon turned around a point by ``angle`` radians, clockwise on the page."""
    (mx, my), co, si = middle, cos(angle), sin(angle)
    return [
        Point(mx + (p.x - mx) * co - (p.y - my) * si, my + (p.x - mx) * si + (p.y - my) * co)
        for p in polygon
    ]


def cloud(box: Box, depth: float) -> list[Polygon]:
    """A middle and bumps of two sizes, evenly spaced along the way round."""
    ring = evenly([on_superellipse(box, TURN * i / 240, depth) for i in range(240)], 2.3 * depth)
    spacing = _length([*ring, ring[0]]) / len(ring)
    middle = [on_superellipse(box, TURN * i / 120, depth) for i in range(120)]
    bumps: list[Polygon] = []
    for i, at in enumerate(ring):
        radius = min(depth * 0.98, spacing * (0.66 if i % 2 else 0.58))
        bumps.append(circle(at, max(radius, spacing * 0.52)))
    return [middle, *(_inside(bump, box) for bump in bumps)]


def burst(box: Box, depth: float, seed: int) -> Polygon:
    """Spikes of uneven length; valleys never come nearer to the words than the core."""
    chance = random.Random(seed)
    rim = evenly([on_superellipse(box, TURN * i / 240, depth) for i in range(240)], 1.5 * depth)
    cx, cy = box.center
    found: Polygon = []
    for i, (at, after) in enumerate(pairwise([*rim, rim[0]])):
        reach = depth * (chance.uniform(0.75, 1.0) if i % 2 == 0 else chance.uniform(0.4, 0.75))
        valley, peak = at, Point((at.x + after.x) / 2, (at.y + after.y) / 2)
        away = hypot(peak.x - cx, peak.y - cy) or 1.0
        lift = reach / away
        found.append(valley)
        found.append(Point(peak.x + (peak.x - cx) * lift, peak.y + (peak.y - cy) * lift))
    return _inside(found, box)


def crackle(box: Box, depth: float) -> Polygon:
    """Even teeth that all lean one way, as a wave that comes out of a loudspeaker."""
    rim = evenly([on_superellipse(box, TURN * i / 240, depth) for i in range(240)], 1.25 * depth)
    cx, cy = box.center
    found: Polygon = []
    for at, after in pairwise([*rim, rim[0]]):
        peak = Point(at.x + (after.x - at.x) * 0.8, at.y + (after.y - at.y) * 0.8)
        away = hypot(peak.x - cx, peak.y - cy) or 1.0
        lift = 0.95 * depth / away
        found.append(at)
        found.append(Point(peak.x + (peak.x - cx) * lift, peak.y + (peak.y - cy) * lift))
    return _inside(found, box)


def evenly(ring: Polygon, spacing: float) -> Polygon:
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


def _inside(polygon: Polygon, box: Box) -> Polygon:
    return [Point(min(max(p.x, box.x0), box.x1), min(max(p.y, box.y0), box.y1)) for p in polygon]


def _length(line: Sequence[Point]) -> float:
    return sum(hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(line))
