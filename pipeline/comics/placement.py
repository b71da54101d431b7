"""Where the balloons of a panel go: a beam search over breaks and places.

Hard rules, never bent: a balloon lies inside the frame, off every head, apart from every other
balloon, and after its predecessors in reading order (not starting higher, and below or beside).
Everything else is a cost in rough "ems of regret": bodies covered, distance from the speaker,
long eye travel, strained line breaks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.comics.tails import (
    FACE_GAP,
    LONGEST,
    SHORTEST,
    Bools,
    Floats,
    clip,
    crosses,
    grown,
    meet,
    mouth_of,
)
from pipeline.comics.textfit import ROUNDNESS, Fit
from pipeline.domain.geometry import Box
from pipeline.domain.panel import BalloonKind

BEAM = 18
GRID = 26
BALLOON_GAP = 0.4  # ems between balloons
HEAD_GAP = 0.25  # ems between a balloon and any head
TAIL_GAP = 0.6  # ems between the middle of a tail and what it must not touch
NO_TAIL = 14.0  # regret for a visible speaker's balloon without a tail


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be placed: its breaks (ems), its em in pixels, and whom its tail seeks.

    ``head`` is None when the speaker is not seen; ``follows`` when the line before is the same
    speaker's and this balloon may hang on it.
    """

    kind: BalloonKind
    em: float
    fits: tuple[Fit, ...]
    head: Box | None = None
    follows: bool = False
    offstage: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """The inside of a frame (page pixels): where balloons may lie and what they should spare.

    ``bodies`` is a summed-area table of shape ``(rows + 1, columns + 1)`` over cells of ``cell``
    pixels, counted from ``safe``'s corner: how much of each cell the figures fill.
    """

    safe: Box
    heads: tuple[Box, ...]
    bodies: NDArray[np.float64]
    cell: int
    rtl: bool


@dataclass(frozen=True, slots=True)
class Place:
    """One balloon placed: box (page pixels), the break used, the straight tail or None."""

    box: Box
    fit: Fit
    tail: tuple[float, float, float, float] | None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class _Options:
    """All places of one line in one break, arrays of shape ``(n,)``."""

    fit: Fit
    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    cost: Floats
    tails: tuple[Floats, Floats, Floats, Floats]
    tailed: Bools


@dataclass(frozen=True, slots=True)
class _State:
    cost: float
    places: tuple[Place, ...] = field(default=())


def place_balloons(
    lines: Sequence[Line], room: Room, tails_needed: bool
) -> tuple[tuple[Place, ...], int]:
    """Place all lines, in order.

    With ``tails_needed`` every visible speaker's balloon must get its tail.

    Returns:
        The places, and how many lines could be placed: fewer than ``len(lines)`` is a failure.
    """
    beam = [_State(0.0)]
    for index, line in enumerate(lines):
        options = [_options(line, fit, room) for fit in line.fits]
        after = lines[index + 1 :]
        grown_beam = [
            child
            for state in beam
            for option in options
            if option is not None
            for child in _children(state, line, option, room, tails_needed)
        ]
        if not grown_beam:
            return beam[0].places, index
        grown_beam.sort(key=lambda s: s.cost + _crowding(s, after, room))
        beam = _varied(grown_beam)
    return beam[0].places, len(lines)


def _varied(states: Sequence[_State]) -> list[_State]:
    """The best states, at most two that differ only a little in their last place."""
    kept: list[_State] = []
    seen: dict[tuple[int, int, int], int] = {}
    for state in states:
        box = state.places[-1].box
        key = (box.x0 // 60, box.y0 // 60, box.width // 40)
        if seen.get(key, 0) < 2:
            seen[key] = seen.get(key, 0) + 1
            kept.append(state)
        if len(kept) == BEAM:
            break
    return kept


def _crowding(state: _State, after: Sequence[Line], room: Room) -> float:
    """Regret foreseen: the room below the last balloon's top against what is still to come."""
    if not after:
        return 0.0
    need = sum(min(f.width * f.height for f in line.fits) * line.em**2 for line in after)
    last = state.places[-1].box
    left = max(1, room.safe.y1 - last.y0) * room.safe.width - last.area
    heads = sum(h.intersection(room.safe).area for h in room.heads if h.y1 > last.y0)
    return 20.0 * max(0.0, need / max(1.0, 0.75 * left - heads) - 0.6)


def _options(line: Line, fit: Fit, room: Room) -> _Options | None:
    """Every place of a grid that breaks no rule by itself, with its own regret."""
    width, height = round(fit.width * line.em), round(fit.height * line.em)
    safe = room.safe
    if width > safe.width or height > safe.height:
        return None
    xs = np.unique(np.linspace(safe.x0, safe.x1 - width, GRID).round())
    ys = np.unique(np.linspace(safe.y0, safe.y1 - height, GRID).round())
    x0, y0 = (a.ravel() for a in np.meshgrid(xs, ys))
    free = np.ones(x0.shape, bool)
    for head in room.heads:
        hx0, hy0, hx1, hy1 = grown(head, HEAD_GAP * line.em)
        free &= (x0 >= hx1) | (x0 + width <= hx0) | (y0 >= hy1) | (y0 + height <= hy0)
    x0, y0 = x0[free], y0[free]
    if not x0.size:
        return None
    x1, y1 = x0 + width, y0 + height
    tails, tailed = _straight_tails(line, x0, y0, x1, y1, room)
    cost = _regret(line, fit, (x0, y0, x1, y1), tails, room)
    return _Options(fit, x0, y0, x1, y1, cost, tails, tailed)


def _straight_tails(
    line: Line, x0: Floats, y0: Floats, x1: Floats, y1: Floats, room: Room
) -> tuple[tuple[Floats, Floats, Floats, Floats], Bools]:
    """Straight tails from each place, and which of them are fit to be drawn."""
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    if line.kind is BalloonKind.CAPTION or (line.head is None and not line.offstage):
        return (cx, cy, cx, cy), np.zeros(x0.shape, bool)
    if line.head is None:
        return _edge_tails(line, x0, y0, x1, y1, room)
    mouth = mouth_of(line.head)
    mx, my = np.full_like(cx, mouth.x), np.full_like(cy, mouth.y)
    _, face = clip(mx, my, cx, cy, grown(line.head, FACE_GAP * line.em))
    tx, ty = mx + face * (cx - mx), my + face * (cy - my)
    bx, by = _outline(cx, cy, x1 - x0, y1 - y0, mx, my)
    dx, dy = tx - bx, ty - by
    length = np.hypot(dx, dy)
    towards = (dx * (mx - cx) + dy * (my - cy)) > 0
    short = np.clip(LONGEST * line.em / np.maximum(length, 1.0), 0.6, 1.0)
    tx, ty = bx + dx * short, by + dy * short
    tailed = towards & (length >= SHORTEST * line.em)
    own = _distance(tx, ty, line.head)
    for head in room.heads:
        if head != line.head:  # the whole way is clear, and the tip cannot mean someone else
            tailed &= ~crosses(bx, by, mx, my, grown(head, TAIL_GAP * line.em))
            tailed &= own <= _distance(tx, ty, head)
    return (bx, by, tx, ty), tailed


def _distance(x: Floats, y: Floats, box: Box) -> Floats:
    """How far points lie from a box, 0 inside."""
    dx = np.maximum(0.0, np.maximum(box.x0 - x, x - box.x1))
    dy = np.maximum(0.0, np.maximum(box.y0 - y, y - box.y1))
    return np.hypot(dx, dy)


def _edge_tails(
    line: Line, x0: Floats, y0: Floats, x1: Floats, y1: Floats, room: Room
) -> tuple[tuple[Floats, Floats, Floats, Floats], Bools]:
    """Tails of a speaker outside the frame: to the nearer side, slightly down."""
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    left = cx < room.safe.center[0]
    tx = np.where(left, room.safe.x0, room.safe.x1).astype(float)
    ty = np.minimum(cy + 0.6 * (y1 - y0), float(room.safe.y1))
    bx, by = _outline(cx, cy, x1 - x0, y1 - y0, tx, ty)
    length = np.hypot(tx - bx, ty - by)
    short = np.minimum(1.0, 2.4 * line.em / np.maximum(length, 1.0))
    tx, ty = bx + (tx - bx) * short, by + (ty - by) * short
    tailed = length >= SHORTEST * line.em
    for head in room.heads:
        tailed &= ~crosses(bx, by, tx, ty, grown(head, FACE_GAP * line.em))
    return (bx, by, tx, ty), tailed


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


def _regret(
    line: Line,
    fit: Fit,
    box: tuple[Floats, Floats, Floats, Floats],
    tails: tuple[Floats, Floats, Floats, Floats],
    room: Room,
) -> Floats:
    x0, y0, x1, y1 = box
    em, safe = line.em, room.safe
    cost = 5.0 * fit.strain + 0.012 * fit.width * fit.height + _slab(fit, line.kind)
    covered = _covered(room, x0, y0, x1, y1)
    cost = cost + 7.0 * covered + 0.05 * covered * fit.width * fit.height
    cost = cost + 2.2 * (y0 - safe.y0) / max(1, safe.height)
    if line.kind is BalloonKind.CAPTION:
        side = (safe.x1 - x1) if room.rtl else (x0 - safe.x0)
        edge = np.minimum(y0 - safe.y0, safe.y1 - y1)
        return cost + 0.25 * (side + 1.5 * edge) / em
    if line.head is None:
        return cost + 0.1 * np.minimum(x0 - safe.x0, safe.x1 - x1) / em
    mouth = mouth_of(line.head)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    length = np.hypot(tails[2] - tails[0], tails[3] - tails[1]) / em
    away = np.hypot(mouth.x - tails[0], mouth.y - tails[1]) / em
    cost = cost + 0.22 * np.maximum(0.0, away - 4.0) + 1.2 * np.maximum(0.0, 1.3 - length)
    cost = cost + 0.5 * np.maximum(0.0, length - LONGEST)
    cost = cost + 0.06 * np.abs(cx - mouth.x) / em
    cost = cost + 2.5 * (cy > mouth.y) + 0.3 * np.maximum(0.0, cy - mouth.y) / em
    for head in room.heads:  # nobody else should look like the speaker
        if head != line.head:
            other = mouth_of(head)
            nearer = away - np.hypot(other.x - tails[0], other.y - tails[1]) / em
            cost = cost + 0.5 * np.maximum(0.0, nearer + 1.0)
    return cost


def _slab(fit: Fit, kind: BalloonKind) -> float:
    """Regret for an outline that is too wide or too tall to look well."""
    ratio = fit.width / fit.height
    best = 2.6 if kind is BalloonKind.CAPTION else 1.7
    return 0.9 * abs(np.log(ratio / best))


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


def _children(
    state: _State, line: Line, option: _Options, room: Room, tails_needed: bool
) -> Iterator[_State]:
    """The best places of one option after the balloons that stand already."""
    allowed, cost, tailed = _after(state, line, option, room)
    joined = np.zeros(allowed.shape, bool)
    if line.follows and state.places:
        joined, hang = _hanging(state, line, option, room)
        cost = cost + np.where(joined, hang, 2.0)
    speaks = line.kind is not BalloonKind.CAPTION and line.head is not None
    if speaks and tails_needed:
        allowed = allowed & (tailed | joined)
    elif speaks:
        cost = cost + NO_TAIL * ~(tailed | joined)
    else:
        cost = cost + 1.0 * (line.offstage & ~tailed)
    for i in _spread(allowed, cost, option, room):
        box = Box(int(option.x0[i]), int(option.y0[i]), int(option.x1[i]), int(option.y1[i]))
        tail = None
        if joined[i]:
            tail = (*state.places[-1].box.center, *box.center)
        elif tailed[i]:
            bx, by, tx, ty = (float(ends[i]) for ends in option.tails)
            tail = (bx, by, tx, ty)
        place = Place(box, option.fit, tail, bool(joined[i]))
        yield _State(state.cost + float(cost[i]), (*state.places, place))


def _after(state: _State, line: Line, option: _Options, room: Room) -> tuple[Bools, Floats, Bools]:
    """Which places keep order and distance, their regret, and which tails stay clear."""
    gap = BALLOON_GAP * line.em
    allowed = np.ones(option.x0.shape, bool)
    tailed = option.tailed.copy()
    x0, y0, x1, y1 = option.x0, option.y0, option.x1, option.y1
    for place in state.places:
        box = place.box
        beside = x1 <= box.x0 - gap if room.rtl else x0 >= box.x1 + gap
        allowed &= (y0 >= box.y0) & ((y0 >= box.y1 + gap) | beside)
        tailed &= ~crosses(*option.tails, grown(box, TAIL_GAP * line.em))
        if place.tail is not None:
            clear = TAIL_GAP * line.em
            shape = (x0 - clear, y0 - clear, x1 + clear, y1 + clear)
            allowed &= ~_boxes_cross(shape, place.tail)
            tailed &= ~meet(option.tails, place.tail)
    cost = option.cost
    if state.places:
        last = state.places[-1].box
        travel = np.hypot((x0 + x1) / 2 - last.center[0], (y0 + y1) / 2 - last.center[1])
        cost = cost + 0.05 * travel / line.em
        ragged = np.abs(y0 - last.y0) / line.em  # nearly, but not quite, in a row
        cost = cost + 0.5 * ((ragged > 0.1) & (ragged < 0.6))
    return allowed, cost, tailed


def _boxes_cross(
    boxes: tuple[Floats, Floats, Floats, Floats], segment: tuple[float, float, float, float]
) -> Bools:
    """Which boxes (arrays) one segment touches: the same clipping, with the roles exchanged."""
    x0, y0, x1, y1 = segment
    enter, leave = np.zeros(boxes[0].shape), np.ones(boxes[0].shape)
    for start, delta, low, high in (
        (x0, x1 - x0, boxes[0], boxes[2]),
        (y0, y1 - y0, boxes[1], boxes[3]),
    ):
        if abs(delta) < 1e-9:
            outside = (start < low) | (start > high)
            enter = np.where(outside, 2.0, enter)
            continue
        a, b = (low - start) / delta, (high - start) / delta
        enter = np.maximum(enter, np.minimum(a, b))
        leave = np.minimum(leave, np.maximum(a, b))
    return enter <= leave


def _hanging(state: _State, line: Line, option: _Options, room: Room) -> tuple[Bools, Floats]:
    """Which places are near enough below the last balloon to hang on it, and how well."""
    last = state.places[-1].box
    cx = (option.x0 + option.x1) / 2
    down = (option.y0 - last.y1) / line.em
    shift = np.abs(cx - last.center[0]) / (0.5 * (last.width + option.x1 - option.x0))
    joined = (down >= BALLOON_GAP) & (down < 1.6) & (shift < 0.75)
    lx, ly = last.center
    cy = (option.y0 + option.y1) / 2
    full = np.full_like(cx, 1.0)
    for head in room.heads:
        joined &= ~crosses(lx * full, ly * full, cx, cy, grown(head, 0.2 * line.em))
    for place in state.places[:-1]:
        joined &= ~crosses(lx * full, ly * full, cx, cy, grown(place.box, 0.1 * line.em))
        if place.tail is not None:
            joined &= ~meet((lx * full, ly * full, cx, cy), place.tail)
    return joined, 0.6 * down + 1.2 * np.abs(shift - 0.3)


def _spread(allowed: Bools, cost: Floats, option: _Options, room: Room) -> list[int]:
    """The best places, one for each cell of a coarse grid over the room, at most eight."""
    found: list[int] = []
    taken: set[tuple[int, int]] = set()
    order = np.argsort(np.where(allowed, cost, np.inf), kind="stable")
    for i in order[:160]:
        if not allowed[i]:
            break
        key = (
            int((option.x0[i] - room.safe.x0) * 6 / max(1, room.safe.width)),
            int((option.y0[i] - room.safe.y0) * 6 / max(1, room.safe.height)),
        )
        if key not in taken:
            taken.add(key)
            found.append(int(i))
        if len(found) == 8:
            break
    return found
