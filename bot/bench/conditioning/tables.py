"""Looks under several conditions as figures: means with 95 % intervals, gains paired by seed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from bot.bench.conditioning.lab import Look
from bot.bench.conditioning.subjects import Subject
from bot.bench.figures import Figure
from bot.bench.shares import wilson

STEM = "conditioning"
_RESAMPLES = 2000

Rows = Mapping[str, Sequence[Look]]
"""Looks by condition, each in the order of the subjects."""


def figures_of(part: str, subjects: Sequence[Subject], rows: Rows, base: str) -> list[Figure]:
    """Every condition over characters of learned styles and of new ones, and its gain over a base.

    Args:
        part: of the bench.
        subjects: who was drawn.
        rows: what was seen of them.
        base: the condition that gains are taken over, picture by picture with the same seed.
    """
    return [
        figure
        for name, looks in rows.items()
        for group, chosen in groups(subjects).items()
        for figure in _condition(f"{STEM}.{part}.{name}.{group}", looks, chosen, base, rows)
    ]


def groups(subjects: Sequence[Subject]) -> dict[str, list[int]]:
    """Places of the subjects of learned styles and of new ones; groups that are empty left out."""
    found = {
        "learned": [n for n, one in enumerate(subjects) if one.learned],
        "new": [n for n, one in enumerate(subjects) if not one.learned],
    }
    return {name: places for name, places in found.items() if places}


def _condition(
    stem: str, looks: Sequence[Look], places: list[int], base: str, rows: Rows
) -> Iterator[Figure]:
    mine = [looks[n] for n in places]
    values = [one.similarity for one in mine if one.similarity is not None]
    if values:
        yield mean(f"{stem}.similarity", values)
    yield share(f"{stem}.top1", sum(one.found for one in mine), len(mine))
    yield share(f"{stem}.stands", sum(one.stands for one in mine), len(mine))
    yield share(f"{stem}.on_model", sum(one.passed for one in mine), len(mine))
    copied = [one.copied for one in mine if one.copied is not None]
    if copied:
        yield mean(f"{stem}.copied", copied, better="lower")
    gains = [
        one.similarity - other.similarity
        for one, other in zip(mine, (rows[base][n] for n in places), strict=True)
        if one.similarity is not None and other.similarity is not None
    ]
    if gains and looks is not rows[base]:
        yield mean(f"{stem}.gain", gains, peer=base)


def mean(
    name: str,
    values: Sequence[float],
    *,
    better: Literal["higher", "lower"] = "higher",
    peer: str | None = None,
) -> Figure:
    """A mean with its bootstrap interval over characters."""
    rng = np.random.default_rng(20)
    array = np.asarray(values, float)
    means = array[rng.integers(len(array), size=(_RESAMPLES, len(array)))].mean(axis=1)
    low, high = (float(v) for v in np.percentile(means, (2.5, 97.5)))
    value = float(array.mean())
    return Figure(name, value, "cosine", better, None, peer, len(array), (low, high))


def share(
    name: str, hits: int, total: int, *, better: Literal["higher", "lower"] = "higher"
) -> Figure:
    """A share with Wilson's interval."""
    return Figure(name, hits / total, "share", better, None, None, total, wilson(hits, total))
