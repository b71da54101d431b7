"""Where a balloon's tail starts, how it bends and where it stops.

A tail aims at the mouth, stops short of the face, and keeps clear of every other face and
balloon. While balloons are being placed a tail is a straight line; :func:`bend_tail` then gives
it a curve where there is room for one.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import atan2, cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray

from pipeline.comics.balloons import curve
from pipeline.comics.shapes import edge_towards
from pipeline.domain.geometry import Box
from pipeline.domain.page import Point, Tail

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# In ems. A tail longer than LONGEST stops early, but not before 0.6 of its way.
LONGEST = 4.6
SHORTEST = 0.55
FACE_GAP = 0.3
# How far towards the balloon's middle a tail's root lies.
_ROOT = 0.4


def mouth_of(head: Box) -> Point:
    """Where the voice comes from: the middle of the head box, three quarters down."""
    return Point((head.x0 + head.x1) / 2, head.y0 + 0.72 * head.height)


def grown(box: Box, by: float) -> tuple[float, float, float, float]:
    """The box with a border of ``by`` pixels around it."""
    return box.x0 - by, box.y0 - by, box.x1 + by, box.y1 + by


def crosses(
    x0: Floats, y0: Floats, x1: Floats, y1: Floats, box: tuple[float, float, float, float]
) -> Bools:
    """Which of the segments (arrays of shape ``(n,)``) touch ``box``.

    Source: Liang and Barsky (1984), "A new concept and method for line clipping".
    """
    enter, leave = clip(x0, y0, x1, y1, box)
    return enter <= leave


def clip(
    x0: Floats, y0: Floats, x1: Floats, y1: Floats, box: tuple[float, float, float, float]
) -> tuple[Floats, Floats]:
    """The parameters in [0, 1] at which segments enter and leave a box; enter > leave: a miss."""
    enter, leave = np.zeros(np.shape(x0)), np.ones(np.shape(x0))
    for start, delta, low, high in (
        (x0, x1 - x0, box[0], box[2]),
        (y0, y1 - y0, box[1], box[3]),
    ):
        still = np.abs(delta) < 1e-9
        safe = np.where(still, 1.0, delta)
        a, b = (low - start) / safe, (high - start) / safe
        first, last = np.minimum(a, b), np.maximum(a, b)
        outside = (start < low) | (start > high)
        enter = np.maximum(enter, np.where(still, np.where(outside, 2.0, 0.0), first))
        leave = np.minimum(leave, np.where(still, np.where(outside, -1.0, 1.0), last))
    return enter, leave


def meet(a: tuple[Floats, ...], b: tuple[float, float, float, float]) -> Bools:
    """Which of the segments ``a`` (x0, y0, x1, y1 arrays) cross the one segment ``b``."""
    ax, ay, bx, by = a
    cx, cy, dx, dy = b

    def side(px: Floats, py: Floats, qx: Floats, qy: Floats, rx: Floats, ry: Floats) -> Floats:
        return np.sign((qx - px) * (ry - py) - (qy - py) * (rx - px))

    c, d = (np.full_like(ax, v) for v in (cx, cy)), (np.full_like(ax, v) for v in (dx, dy))
    cx_, cy_ = c
    dx_, dy_ = d
    apart_a = side(ax, ay, bx, by, cx_, cy_) * side(ax, ay, bx, by, dx_, dy_) > 0
    apart_c = side(cx_, cy_, dx_, dy_, ax, ay) * side(cx_, cy_, dx_, dy_, bx, by) > 0
    return ~(apart_a | apart_c)


def bend_tail(
    box: Box,
    straight: tuple[float, float, float, float],
    em: float,
    obstacles: Sequence[Box] | None,
    inset: float,
) -> Tail:
    """A curved horn that leaves a balloon near its middle and arrives pointing at the mouth.

    Args:
        box: the balloon.
        straight: the straight tail (x0, y0, x1, y1), which aims at the mouth.
        em: the font size in pixels.
        obstacles: what a curve must not touch; with None the tail stays straight.
        inset: how far inside ``box`` the balloon's own outline lies (bumps, spikes).
    """
    tip = Point(straight[2], straight[3])
    dx, dy = tip.x - straight[0], tip.y - straight[1]
    boldness = min(1.0, hypot(dx, dy) / (2.2 * em))
    cx, cy = box.center
    for turn in _turns(atan2(dy, dx), boldness) if obstacles is not None else ():
        aim = Point(cx + cos(turn) * 100, cy + sin(turn) * 100)
        tail = _straight_horn(box, edge_towards(box, aim, inset), tip, em)
        tail = replace(tail, bend=_rounded(Point(tip.x - dx * 0.6, tip.y - dy * 0.6)))
        if _clear(tail, obstacles or ()):
            return tail
    return _straight_horn(box, edge_towards(box, tip, inset), tip, em)


def path(straight: tuple[float, float, float, float], em: float) -> Tail:
    """The way of a thought's bubbles, from the outline to the thinker."""
    base, tip = Point(*straight[:2]), Point(*straight[2:])
    middle = Point((base.x + tip.x) / 2, (base.y + tip.y) / 2)
    return Tail(_rounded(base), _rounded(middle), _rounded(tip), width=round(em, 1))


def _turns(angle: float, boldness: float) -> tuple[float, ...]:
    """Angles at which a tail may leave, wider first: turned from ``angle`` to the vertical.

    ``boldness`` in [0, 1] scales the turn: a short tail has no room to swing. One that hangs
    straight down still swings a little to the side, as a hand would draw it.
    """
    vertical = pi / 2 if sin(angle) >= 0 else -pi / 2
    apart = vertical - angle
    if abs(apart) < 0.2:
        apart = 0.3 if apart <= 0 else -0.3
    most = 0.5 if sin(angle) >= 0 else 0.25  # a tail that rises looks calmer nearly straight
    turn = max(-most, min(most, 0.55 * apart)) * boldness
    return angle + turn, angle + turn / 2


def _straight_horn(box: Box, edge: Point, tip: Point, em: float) -> Tail:
    """A straight horn that leaves the outline at ``edge``.

    Its root lies deep enough inside that its corners do not show where the outline is flat.
    """
    cx, cy = box.center
    base = Point(edge.x + (cx - edge.x) * _ROOT, edge.y + (cy - edge.y) * _ROOT)
    bend = Point((edge.x + tip.x) / 2, (edge.y + tip.y) / 2)
    width = em * min(1.5, 0.95 + 0.12 * hypot(tip.x - edge.x, tip.y - edge.y) / em)
    return Tail(_rounded(base), _rounded(bend), _rounded(tip), width=round(width, 1))


def _rounded(point: Point) -> Point:
    return Point(round(point.x, 1), round(point.y, 1))


def _width(em: float, reach: float) -> float:
    return em * min(1.5, 0.95 + 0.12 * reach / em)


def neck(first: Box, second: Box, em: float, order: int) -> Tail:
    """The band by which a balloon in ``second`` hangs on the one in ``first``."""
    a, b = Point(*second.center), Point(*first.center)
    out, into = edge_towards(second, b), edge_towards(first, a)
    base = Point(out.x + (a.x - out.x) * 0.4, out.y + (a.y - out.y) * 0.4)
    tip = Point(into.x + (b.x - into.x) * 0.4, into.y + (b.y - into.y) * 0.4)
    middle = Point((out.x + into.x) / 2, (out.y + into.y) / 2)
    width = round(0.95 * em, 1)
    return Tail(_rounded(base), _rounded(middle), _rounded(tip), width=width, joins=order)


def _clear(tail: Tail, obstacles: Sequence[Box]) -> bool:
    """Whether the horn, with its width, stays out of all obstacles."""
    for i in range(1, 17):
        at = curve(tail, i / 16)
        half = tail.width / 2 * (1 - i / 16) + 1
        for box in obstacles:
            x0, y0, x1, y1 = grown(box, half)
            if x0 < at.x < x1 and y0 < at.y < y1:
                return False
    return True
