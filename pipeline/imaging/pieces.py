"""Connected pieces of a picture: which marked cells touch one another."""

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Labels = NDArray[np.int64]


def pieces_of(flags: Flags) -> Labels:
    """Number the 8-connected pieces of an array (h, w) of flags.

    Returns:
        An array of the same shape: 0 where no flag is set, else 1 to the number of pieces.

    Source: labelling of runs (Rosenfeld and Pfaltz, 1966); the runs that touch are joined by
    taking the least number over every pair and following it, so that even a long diagonal line
    needs a few sweeps over the runs instead of one for each of its pixels.
    """
    labels = np.zeros(flags.shape, np.int64)
    rows, starts, ends = _runs(flags)
    if rows.size == 0:
        return labels
    parents = _joined(rows.size, _touching(rows, starts, ends))
    numbers = np.unique(parents, return_inverse=True)[1].astype(np.int64) + 1
    labels[flags] = np.repeat(numbers, ends - starts)
    return labels


def sizes_of(labels: Labels) -> NDArray[np.int64]:
    """How many cells each piece has, by its number; 0 for the ground."""
    counts = np.bincount(labels.ravel()).astype(np.int64)
    counts[0] = 0
    return counts


def _runs(flags: Flags) -> tuple[Labels, Labels, Labels]:
    """Row, first column and end (exclusive) of every run of set flags, in reading order."""
    edges = np.diff(np.pad(flags, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    return rows, starts, np.nonzero(edges == -1)[1]


def _touching(rows: Labels, starts: Labels, ends: Labels) -> Labels:
    """Pairs of runs of neighbouring rows that touch, corners included; shape (n, 2)."""
    width = int(ends.max()) + 2
    # one number line for all rows: the row above a run becomes one range of neighbours
    first = np.searchsorted(rows * width + ends, (rows - 1) * width + starts, "left")
    last = np.searchsorted(rows * width + starts, (rows - 1) * width + ends, "right")
    counts = np.maximum(last - first, 0)
    below = np.repeat(np.arange(rows.size), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([below, np.repeat(first, counts) + offsets], axis=1)


def _joined(count: int, pairs: Labels) -> Labels:
    """The least run of each run's piece."""
    parents = np.arange(count)
    while pairs.size:
        roots = parents[pairs]
        pairs = pairs[roots[:, 0] != roots[:, 1]]
        roots = parents[pairs]
        np.minimum.at(parents, roots.max(axis=1), roots.min(axis=1))
        while (parents != (higher := parents[parents])).any():
            parents = higher
    return parents
