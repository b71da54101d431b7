"""Where the balloons of a panel go: a beam search over breaks and places.

Hard rules, never bent: a balloon lies inside the frame, off every head, apart from every other
balloon, and after its predecessors in reading order (not starting higher, and below or beside).
Everything else is regret, see ``siting``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.comics.siting import (
    TAIL_GAP,
    Line,
    Options,
    Room,
    Segments,
    Tails,
    options_for,
)
from pipeline.comics.tails import Bools, Floats, crosses, grown, meet
from pipeline.comics.textfit import Fit
from pipeline.domain.geometry import Box
from pipeline.domain.panel import BalloonKind

BEAM = 18
BALLOON_GAP = 0.4  # ems between balloons
NO_TAIL = 14.0  # regret for a visible speaker's balloon without a tail
_REACH = 1.6  # ems that a neck between joined balloons may be long
NOT_JOINED = 12.0  # regret for a balloon that should hang on the last one and does not

Segment = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """One balloon placed: box (page pixels), the break used, its straight tails.

    There is one for each target of the line, None where it cannot be drawn; a ``joined`` balloon
    has the way between the two middles instead.
    """

    box: Box
    fit: Fit
    tails: tuple[Segment | None, ...]
    joined: bool = False

    @property
    def drawn(self) -> tuple[Segment, ...]:
        """The tails that are drawn."""
        return tuple(tail for tail in self.tails if tail is not None)


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
    areas = [min((f.width * f.height for f in line.fits), default=0) * line.em**2 for line in lines]
    for index, line in enumerate(lines):
        options = [o for fit in line.fits if (o := options_for(line, fit, room)) is not None]
        children = [
            child
            for state in beam
            for option in options
            for child in _children(state, line, option, room, tails_needed)
        ]
        if not children:
            return beam[0].places, index
        need = sum(areas[index + 1 :])
        children.sort(key=lambda s: s.cost + _crowding(s, need, room))
        beam = _varied(children)
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


def _crowding(state: _State, need: float, room: Room) -> float:
    """Regret foreseen: the room below the last balloon's top against what is still to come.

    ``need`` is the area in square pixels of the balloons that are not placed yet.
    """
    if not need:
        return 0.0
    last = state.places[-1].box
    left = max(1, room.safe.y1 - last.y0) * room.safe.width - last.area
    heads = sum(h.intersection(room.safe).area for h in room.heads if h.y1 > last.y0)
    return 20.0 * max(0.0, need / max(1.0, 0.75 * left - heads) - 0.6)


def _children(
    state: _State, line: Line, option: Options, room: Room, tails_needed: bool
) -> Iterator[_State]:
    """The best places of one option after the balloons that stand already."""
    option = option.only(_in_order(state, line, option, room))
    if not option.x0.size:
        return
    allowed, tailed = _clear_of(state, line, option)
    cost = option.cost + _flow(state, line, option)
    joined = np.zeros(allowed.shape, bool)
    if line.follows and state.places:
        joined, hang = _hanging(state, line, option, room)
        asked = line.kind is BalloonKind.JOINED
        cost = cost + np.where(joined, hang, NOT_JOINED if asked else 2.0)
    for fit in tailed:
        if not line.offstage and tails_needed:
            allowed = allowed & (fit | joined)
        else:
            cost = cost + (2.5 if line.offstage else NO_TAIL) * ~(fit | joined)
    for i in _spread(allowed, cost, option, room):
        box = Box(int(option.x0[i]), int(option.y0[i]), int(option.x1[i]), int(option.y1[i]))
        tails: tuple[Segment | None, ...] = tuple(
            _segment(tail, i) if fit[i] else None
            for tail, fit in zip(option.tails, tailed, strict=True)
        )
        if joined[i]:
            tails = ((*state.places[-1].box.center, *box.center),)
        place = Place(box, option.fit, tails, bool(joined[i]))
        yield _State(state.cost + float(cost[i]), (*state.places, place))


def _segment(tails: Tails, i: int) -> Segment:
    bx, by, tx, ty = (float(ends[i]) for ends in tails.segments)
    return bx, by, tx, ty


def _in_order(state: _State, line: Line, option: Options, room: Room) -> NDArray[np.intp]:
    """Which places come after all balloons that stand: not higher, and below or beside."""
    gap = BALLOON_GAP * line.em
    allowed = np.ones(option.x0.shape, bool)
    for place in state.places:
        box = place.box
        beside = option.x1 <= box.x0 - gap if room.rtl else option.x0 >= box.x1 + gap
        allowed &= (option.y0 >= box.y0) & ((option.y0 >= box.y1 + gap) | beside)
    return np.flatnonzero(allowed)


def _clear_of(state: _State, line: Line, option: Options) -> tuple[Bools, list[Bools]]:
    """Which places spare the tails that are drawn, and which new tails spare everything."""
    allowed = np.ones(option.x0.shape, bool)
    tailed = [tails.fit.copy() for tails in option.tails]
    clear = TAIL_GAP * line.em
    x0, y0 = option.x0 - clear, option.y0 - clear
    x1, y1 = option.x1 + clear, option.y1 + clear
    for place in state.places:
        for fit, tails in zip(tailed, option.tails, strict=True):
            fit &= ~crosses(*tails.segments, grown(place.box, clear))
        for drawn in place.drawn:
            allowed &= ~_boxes_cross((x0, y0, x1, y1), drawn)
            for fit, tails in zip(tailed, option.tails, strict=True):
                fit &= ~meet(tails.segments, drawn)
    return allowed, tailed


def _flow(state: _State, line: Line, option: Options) -> Floats:
    """Regret for the eye's way from the last balloon, and for rows that are nearly level."""
    if not state.places:
        return np.zeros(option.x0.shape)
    last = state.places[-1].box
    x, y = last.center
    travel = np.hypot((option.x0 + option.x1) / 2 - x, (option.y0 + option.y1) / 2 - y)
    ragged = np.abs(option.y0 - last.y0) / line.em
    return 0.05 * travel / line.em + 0.5 * ((ragged > 0.1) & (ragged < 0.6))


def _boxes_cross(boxes: Segments, segment: Segment) -> Bools:
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


def _hanging(state: _State, line: Line, option: Options, room: Room) -> tuple[Bools, Floats]:
    """Which places are near enough below or beside the last balloon to hang on it, how well."""
    last = state.places[-1].box
    cx = (option.x0 + option.x1) / 2
    down = (option.y0 - last.y1) / line.em
    along = (last.x0 - option.x1 if room.rtl else option.x0 - last.x1) / line.em
    shift = np.abs(cx - last.center[0]) / (0.5 * (last.width + option.x1 - option.x0))
    drop = (option.y0 - last.y0) / last.height
    below = (down >= BALLOON_GAP) & (down < _REACH) & (shift < 0.75)
    beside = (along >= BALLOON_GAP) & (along < _REACH) & (drop < 0.5)
    joined = below | beside
    lx, ly = last.center
    cy = (option.y0 + option.y1) / 2
    full = np.full_like(cx, 1.0)
    for head in room.heads:
        joined &= ~crosses(lx * full, ly * full, cx, cy, grown(head, 0.2 * line.em))
    for place in state.places[:-1]:
        joined &= ~crosses(lx * full, ly * full, cx, cy, grown(place.box, 0.1 * line.em))
        for drawn in place.drawn:
            joined &= ~meet((lx * full, ly * full, cx, cy), drawn)
    return joined, np.where(below, 0.6 * down + 1.2 * np.abs(shift - 0.3), 0.6 * along + drop)


def _spread(allowed: Bools, cost: Floats, option: Options, room: Room) -> list[int]:
    """The best places, one for each cell of a coarse grid over the room, at most eight."""
    order = np.argsort(np.where(allowed, cost, np.inf), kind="stable")[: allowed.sum()][:160]
    columns = ((option.x0 - room.safe.x0) * 6 / max(1, room.safe.width)).astype(int)
    rows = ((option.y0 - room.safe.y0) * 6 / max(1, room.safe.height)).astype(int)
    _, first = np.unique((columns + 7 * rows)[order], return_index=True)
    return [int(i) for i in order[np.sort(first)[:8]]]
