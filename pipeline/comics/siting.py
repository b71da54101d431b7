"""Where one balloon may stand by itself: a grid of places, their tails and their regret.

Everything is an array over places, of shape ``(n,)``. The hard rules that concern one balloon are
kept here (inside the frame, off every head); those between balloons are kept by the search.
Regret is counted in rough ems: bodies covered, distance from the speaker, strained line breaks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.comics.measures import ROUNDNESS
from pipeline.comics.tails import (
    FACE_GAP,
    LONGEST,
    SHORTEST,
    Bools,
    Floats,
    clip,
    crosses,
    grown,
    mouth_of,
)
from pipeline.comics.textfit import Fit
from pipeline.domain.geometry import Box
from pipeline.domain.panel import BalloonKind

GRID = 26  # places along each side of the room
HEAD_GAP = 0.25  # ems between a balloon and any head
TAIL_GAP = 0.6  # ems between the middle of a tail and what it must not touch
_EDGE_GAP = 0.3  # ems between the frame and the middle of a thought's last bubble
_AIMED = 1.5  # regret for each em between a balloon and the place that somebody wants for it

# Places are tried with one tail for each speaker who is sought.
Segments = tuple[Floats, Floats, Floats, Floats]


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be placed: its breaks (ems), its em in pixels, and whom its tails seek.

    ``heads`` is empty when no speaker is seen; ``follows`` when the line before is the same
    speaker's and this balloon may hang on it; ``offstage`` when its tail seeks the frame's edge.
    ``aim`` (page pixels) is where somebody wants its middle.
    """

    kind: BalloonKind
    em: float
    fits: tuple[Fit, ...]
    heads: tuple[Box, ...] = ()
    follows: bool = False
    offstage: bool = False
    aim: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """The inside of a frame (page pixels): where balloons may lie and what they must spare.

    ``bodies`` is a summed-area table of shape ``(rows + 1, columns + 1)`` over cells of ``cell``
    pixels, counted from ``safe``'s corner: how much of each cell the figures fill.
    """

    frame: Box
    safe: Box
    heads: tuple[Box, ...]
    hands: tuple[Box, ...]
    bodies: NDArray[np.float64]
    cell: int
    rtl: bool


@dataclass(frozen=True, slots=True)
class Tails:
    """Straight tails of every place to one target, and which of them are fit to draw."""

    segments: Segments
    fit: Bools

    def only(self, which: NDArray[np.intp]) -> "Tails":
        """Those of some of the places, by index."""
        bx, by, tx, ty = self.segments
        return Tails((bx[which], by[which], tx[which], ty[which]), self.fit[which])


@dataclass(frozen=True, slots=True)
class Options:
    """Places of one line in one break: boxes, regret and tails, one for each target."""

    fit: Fit
    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    cost: Floats
    tails: tuple[Tails, ...]

    def only(self, which: NDArray[np.intp]) -> "Options":
        """Some of the places, by index."""
        return Options(
            self.fit,
            self.x0[which],
            self.y0[which],
            self.x1[which],
            self.y1[which],
            self.cost[which],
            tuple(tails.only(which) for tails in self.tails),
        )


def options_for(line: Line, fit: Fit, room: Room) -> Options | None:
    """Every place of a grid that breaks no rule by itself, with its own regret."""
    width, height = round(fit.width * line.em), round(fit.height * line.em)
    safe = room.safe
    if width > safe.width or height > safe.height:
        return None
    xs = np.unique(np.linspace(safe.x0, safe.x1 - width, GRID).round())
    ys = np.unique(np.linspace(safe.y0, safe.y1 - height, GRID).round())
    x0, y0 = (a.ravel() for a in np.meshgrid(xs, ys))
    free = np.ones(x0.shape, bool)
    for spared in (*room.heads, *room.hands):
        hx0, hy0, hx1, hy1 = grown(spared, HEAD_GAP * line.em)
        free &= (x0 >= hx1) | (x0 + width <= hx0) | (y0 >= hy1) | (y0 + height <= hy0)
    x0, y0 = x0[free], y0[free]
    if not x0.size:
        return None
    box = (x0, y0, x0 + width, y0 + height)
    tails = _straight_tails(line, box, room)
    return Options(fit, *box, _regret(line, fit, box, tails, room), tails)


def _straight_tails(line: Line, box: Segments, room: Room) -> tuple[Tails, ...]:
    """Straight tails from each place to every target."""
    if not line.kind.has_tail:
        return ()
    if line.offstage:
        return (_edge_tails(line, box, room),)
    return tuple(_head_tails(line, head, box, room) for head in line.heads)


def _head_tails(line: Line, target: Box, box: Segments, room: Room) -> Tails:
    """Tails that aim at a mouth and stop short of its face."""
    x0, y0, x1, y1 = box
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    mouth = mouth_of(target)
    mx, my = np.full_like(cx, mouth.x), np.full_like(cy, mouth.y)
    _, face = clip(mx, my, cx, cy, grown(target, FACE_GAP * line.em))
    tx, ty = mx + face * (cx - mx), my + face * (cy - my)
    bx, by = _outline(cx, cy, x1 - x0, y1 - y0, mx, my)
    dx, dy = tx - bx, ty - by
    length = np.hypot(dx, dy)
    towards = (dx * (mx - cx) + dy * (my - cy)) > 0
    short = np.clip(LONGEST * line.em / np.maximum(length, 1.0), 0.6, 1.0)
    tx, ty = bx + dx * short, by + dy * short
    fit = towards & (length >= _shortest(line) * line.em)
    own = _distance(tx, ty, target)
    for head in room.heads:
        if head != target:  # the whole way is clear, and the tip cannot mean someone else
            fit &= ~crosses(bx, by, mx, my, grown(head, TAIL_GAP * line.em))
            fit &= own <= _distance(tx, ty, head)
    return Tails((bx, by, tx, ty), fit)


def _shortest(line: Line) -> float:
    """The least length of a tail in ems: bubbles need room for two."""
    return 2 * SHORTEST if line.kind is BalloonKind.THOUGHT else SHORTEST


def _distance(x: Floats, y: Floats, box: Box) -> Floats:
    """How far points lie from a box, 0 inside."""
    dx = np.maximum(0.0, np.maximum(box.x0 - x, x - box.x1))
    dy = np.maximum(0.0, np.maximum(box.y0 - y, y - box.y1))
    return np.hypot(dx, dy)


def _edge_tails(line: Line, box: Segments, room: Room) -> Tails:
    """Tails of a speaker outside the frame: to its nearer side, slightly down."""
    x0, y0, x1, y1 = box
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    left = cx < room.safe.center[0]
    inset = 1 + _EDGE_GAP * line.em * (line.kind is BalloonKind.THOUGHT)
    tx = np.where(left, room.frame.x0 + inset, room.frame.x1 - inset)
    ty = np.minimum(cy + 0.6 * (y1 - y0), float(room.safe.y1))
    bx, by = _outline(cx, cy, x1 - x0, y1 - y0, tx, ty)
    length = np.hypot(tx - bx, ty - by)
    short = np.minimum(1.0, LONGEST * line.em / np.maximum(length, 1.0))
    tx, ty = bx + (tx - bx) * short, by + (ty - by) * short
    fit = length >= _shortest(line) * line.em
    for head in room.heads:
        fit &= ~crosses(bx, by, tx, ty, grown(head, FACE_GAP * line.em))
    return Tails((bx, by, tx, ty), fit)


def _outline(
    cx: Floats, cy: Floats, width: Floats, height: Floats, tx: Floats, ty: Floats
) -> tuple[Floats, Floats]:
    """Where the lines from the middles to the targets leave the round outlines."""
    dx, dy = tx - cx, ty - cy
    reach = (np.abs(dx / (width / 2)) ** ROUNDNESS + np.abs(dy / (height / 2)) ** ROUNDNESS) ** (
        1 / ROUNDNESS
    )
    reach = np.maximum(reach, 1e-6)
    return cx + dx / reach, cy + dy / reach


def _regret(line: Line, fit: Fit, box: Segments, tails: tuple[Tails, ...], room: Room) -> Floats:
    x0, y0, x1, y1 = box
    em, safe = line.em, room.safe
    cost = 5.0 * fit.strain + 0.012 * fit.width * fit.height + _slab(fit, line.kind)
    covered = _covered(room, x0, y0, x1, y1)
    cost = cost + 7.0 * covered + 0.05 * covered * fit.width * fit.height
    cost = cost + 2.2 * (y0 - safe.y0) / max(1, safe.height)
    if line.aim is not None:
        away = np.hypot((x0 + x1) / 2 - line.aim[0], (y0 + y1) / 2 - line.aim[1])
        cost = cost + _AIMED * away / em
    if line.kind.is_boxed:
        side = (safe.x1 - x1) if room.rtl else (x0 - safe.x0)
        edge = np.minimum(y0 - safe.y0, safe.y1 - y1)
        return cost + 0.25 * (side + 1.5 * edge) / em
    if line.offstage:
        return cost + 0.35 * np.minimum(x0 - safe.x0, safe.x1 - x1) / em
    if line.kind.has_tail:
        for head, tail in zip(line.heads, tails, strict=True):
            cost = cost + _tail_regret(line, head, tail.segments, box, room) / len(tails)
    return cost


def _tail_regret(line: Line, target: Box, tail: Segments, box: Segments, room: Room) -> Floats:
    """Regret for the way from each place to one speaker."""
    em, mouth = line.em, mouth_of(target)
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    length = np.hypot(tail[2] - tail[0], tail[3] - tail[1]) / em
    away = np.hypot(mouth.x - tail[0], mouth.y - tail[1]) / em
    wanted = 1.3 + _shortest(line)
    cost = 0.22 * np.maximum(0.0, away - 4.0) + np.maximum(0.0, wanted - length)
    cost = cost + 0.5 * np.maximum(0.0, length - LONGEST)
    cost = cost + 0.06 * np.abs(cx - mouth.x) / em
    cost = cost + 2.5 * (cy > mouth.y) + 0.3 * np.maximum(0.0, cy - mouth.y) / em
    for head in room.heads:  # nobody else should look like the speaker
        if head not in line.heads:
            other = mouth_of(head)
            nearer = away - np.hypot(other.x - tail[0], other.y - tail[1]) / em
            cost = cost + 0.5 * np.maximum(0.0, nearer + 1.0)
    return cost


def _slab(fit: Fit, kind: BalloonKind) -> float:
    """Regret for an outline that is too wide or too tall to look well."""
    if kind is BalloonKind.SFX:
        return 0.0
    best = 2.6 if kind.is_boxed else 1.7
    if fit.vertical:
        best = 0.75
    return 0.9 * abs(np.log(fit.width / fit.height / best))


def _covered(room: Room, x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> Floats:
    """The share of each box that lies on figures, by the summed-area table."""
    rows, columns = room.bodies.shape
    left = np.clip(((x0 - room.safe.x0) / room.cell).astype(int), 0, columns - 1)
    right = np.clip(np.ceil((x1 - room.safe.x0) / room.cell).astype(int), 0, columns - 1)
    top = np.clip(((y0 - room.safe.y0) / room.cell).astype(int), 0, rows - 1)
    bottom = np.clip(np.ceil((y1 - room.safe.y0) / room.cell).astype(int), 0, rows - 1)
    table = room.bodies
    inside = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
    return inside / np.maximum(1, (right - left) * (bottom - top))
