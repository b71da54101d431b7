"""Reads the figure detector's maps: peaks become boxes, votes become masks of figures."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.imaging.masks import flood_from_border

CELL, FINE, UNIT = 4, 2, 32.0
"""Strides of the maps of boxes and of the mask; pixels that distances are given in."""
SAME = 0.55
"""Boxes that overlap by this IoU are one figure."""
_PEAK = 0.2
"""Least share of belief in a middle to be looked at at all."""
_ASTRAY = 0.45
"""Votes that miss the middle by more than this share of the box's size belong to nobody."""
_MOST = 8

Map = NDArray[np.float32]
Values = NDArray[np.float64]


class Maps(NamedTuple):
    """What the network says about one picture; see ``pipeline.training.figure_net``."""

    centres: Map
    boxes: Map
    votes: Map
    mask: Map


class Found(NamedTuple):
    """A peak: score and box (x0, y0, x1, y1) in pixels of the network's picture."""

    score: float
    box: Values


def peaks(maps: Maps, kind: int) -> list[Found]:
    """Boxes at the map's local maxima, the surest first, each figure (0) or head (1) once."""
    belief = 1 / (1 + np.exp(-maps.centres[kind].astype(np.float64)))
    padded = np.pad(belief, 1)
    rows, columns = belief.shape
    around = np.max(
        [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)], axis=0
    )
    ys, xs = np.nonzero((belief >= around) & (belief >= _PEAK))
    kept: list[Found] = []
    for k in np.argsort(-belief[ys, xs], kind="stable"):
        y, x = int(ys[k]), int(xs[k])
        left, top, right, low = maps.boxes[4 * kind : 4 * kind + 4, y, x].astype(np.float64) * UNIT
        px, py = (x + 0.5) * CELL, (y + 0.5) * CELL
        box = np.array([px - left, py - top, px + right, py + low])
        if all(iou(box, other.box) < SAME for other in kept):
            kept.append(Found(float(belief[y, x]), box))
    return kept[:_MOST]


def instances(maps: Maps, figures: list[Found]) -> list[Values]:
    """Each figure's share of the foreground, (H, W) in 0–1: pixels vote for a middle."""
    share = 1 / (1 + np.exp(-maps.mask[0].astype(np.float64)))
    if not figures:
        return []
    rows, columns = share.shape
    y, x = (np.mgrid[:rows, :columns] + 0.5) * FINE
    ratio = CELL // FINE
    votes = maps.votes.astype(np.float64).repeat(ratio, axis=1).repeat(ratio, axis=2) * UNIT
    away = np.stack([_missed(x + votes[0], y + votes[1], one.box) for one in figures])
    nearest = away.argmin(axis=0)
    inside = np.stack([_within(x, y, one.box) for one in figures])
    return [
        _closed(share * ((nearest == k) & (away[k] < _ASTRAY) & inside[k]))
        for k in range(len(figures))
    ]


def _closed(share: Values) -> Values:
    """The same with holes filled: a shirt in the colour of the wall is no window."""
    solid = share > 0.5
    ground = flood_from_border(~np.pad(solid, ((1, 0), (1, 1))))[1:, 1:-1]
    return np.where(solid | ground, share, 1.0)


def _missed(x: Values, y: Values, box: Values) -> Values:
    """How far votes (x, y) are from a box's middle, in shares of its size."""
    wide, high = max(box[2] - box[0], 1.0), max(box[3] - box[1], 1.0)
    across, down = x - (box[0] + box[2]) / 2, y - (box[1] + box[3]) / 2
    return np.hypot(across / max(wide, 0.4 * high), down / max(high, 0.4 * wide))


def _within(x: Values, y: Values, box: Values) -> NDArray[np.bool_]:
    dx, dy = 0.12 * (box[2] - box[0]) + CELL, 0.12 * (box[3] - box[1]) + CELL
    return (x > box[0] - dx) & (x < box[2] + dx) & (y > box[1] - dy) & (y < box[3] + dy)


def iou(a: Sequence[float] | Values, b: Sequence[float] | Values) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(wide * high / (both - wide * high))
