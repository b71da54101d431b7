"""Where a strip is cut: in gutters, else beside balloons and heads, through them only at need."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Box

# A slice that is cut within a panel has at least this share of the tallest slice.
_LEAST = 0.4


@dataclass(frozen=True, slots=True)
class Strip:
    """A strip of ``height`` rows: its panels, and what no cut may go through where it can.

    ``detail`` (shape ``(height,)``, 0 to 255) says how much is drawn in each row; cuts within a
    panel prefer quiet rows.
    """

    height: int
    panels: Sequence[Box]
    kept_whole: Sequence[Box]
    detail: NDArray[np.float64]


def cuts_of(strip: Strip, tallest: int) -> list[int]:
    """The rows at which slices end, the last being the strip's end.

    Every slice is at most ``tallest`` rows. A cut lies in the middle of the last gutter that is
    within reach; where none is, in the quietest row that meets no balloon and no head; and only
    where those fill the whole reach, through one of them.
    """
    in_panel = _rows(strip.height, strip.panels)
    in_something = _rows(strip.height, strip.kept_whole)
    gutters = _runs(~in_panel & ~in_something)
    found = [0]
    while strip.height - found[-1] > tallest:
        start, end = found[-1], found[-1] + tallest
        near = [(first, last) for first, last in gutters if start < first <= end]
        if near:
            first, last = near[-1]
            found.append(min((first + last) // 2, end))
        else:
            found.append(_within(strip, in_something, start, end))
    return [*found[1:], strip.height]


def _within(strip: Strip, in_something: NDArray[np.bool_], start: int, end: int) -> int:
    """The best row for a cut through a panel."""
    low = start + round(_LEAST * (end - start))
    cost = strip.detail[low : end + 1] + 1000.0 * in_something[low : end + 1]
    # Of equal rows the lowest wins: fewer slices.
    return low + len(cost) - 1 - int(np.argmin(cost[::-1]))


def _rows(height: int, boxes: Iterable[Box]) -> NDArray[np.bool_]:
    """Which rows a cut above them would go through a box (its first row is not hurt)."""
    found = np.zeros(height + 1, bool)
    for box in boxes:
        found[max(0, box.y0 + 1) : max(0, box.y1)] = True
    return found


def _runs(free: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The runs of free rows, first and last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], free, [False])).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
