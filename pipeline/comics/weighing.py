"""Layouts by weight: every way to break the panels into tiers, and the one that suits them best.

What a panel claims of the page comes from its importance, its shot and its words. Tiers get the
height and panels the width that their claims ask for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import log

from pipeline.comics.tiers import MAX_ACROSS, MAX_TIERS, Column, Tier, Tiers

BLEED_WEIGHT = 3.0
"""A panel of this importance or more stands alone in its tier and bleeds (a splash weighs 4)."""
INSET_CLAIM = 0.6
"""A panel that asks for so little, by importance and words, may be set into the splash before."""
_INSET = 0.34
_SHAPE = 1.33
"""Width by height of the usual panel: art is drawn in 4:3."""


def weighed_layouts(
    claims: Sequence[float], weights: Sequence[float], page: float, limit: int
) -> list[Tiers]:
    """The layouts worth lettering, best first.

    Args:
        claims: the relative area that each panel asks for, in reading order.
        weights: their importance, 1 being usual.
        page: width by height of the live area of the page.
        limit: at most so many.
    """
    scored = sorted(
        (
            (_strain(tiers, claims, page), number, tiers)
            for number, tiers in enumerate(_all(claims, weights))
        ),
        key=lambda item: item[:2],
    )
    return [tiers for _, _, tiers in scored[:limit]]


def _all(claims: Sequence[float], weights: Sequence[float]) -> Iterator[Tiers]:
    for counts in _breaks(len(claims)):
        if len(counts) > MAX_TIERS:
            continue
        starts = [sum(counts[:i]) for i in range(len(counts))]
        rows = [range(start, start + n) for start, n in zip(starts, counts, strict=True)]
        loud = [any(weights[k] >= BLEED_WEIGHT for k in row) for row in rows]
        if any(is_loud and len(row) > 1 for is_loud, row in zip(loud, rows, strict=True)):
            continue
        yield tuple(_tier(row, claims, is_loud) for row, is_loud in zip(rows, loud, strict=True))
        for at in range(len(rows) - 1):
            after = rows[at + 1][0]
            quiet = max(weights[after], claims[after]) <= INSET_CLAIM
            if loud[at] and len(rows[at + 1]) == 1 and quiet:
                tiers = [_tier(r, claims, is_loud) for r, is_loud in zip(rows, loud, strict=True)]
                host = replace(tiers[at], inset=_INSET)
                yield (*tiers[:at], host, *tiers[at + 2 :])
        for at, row in enumerate(rows):
            if len(row) == 3 and not loud[at]:
                tiers = [_tier(r, claims, is_loud) for r, is_loud in zip(rows, loud, strict=True)]
                tiers[at] = _stacked(row, claims)
                yield tuple(tiers)


def _breaks(count: int) -> Iterator[tuple[int, ...]]:
    """Every way to write ``count`` as a row of tiers of one to three panels."""
    if count == 0:
        yield ()
    for first in range(1, min(3, count, MAX_ACROSS) + 1):
        for rest in _breaks(count - first):
            yield (first, *rest)


def _tier(row: range, claims: Sequence[float], bleed: bool) -> Tier:
    """Panels side by side, each as wide as its claim; the tier as high as their sum."""
    total = sum(claims[k] for k in row)
    widths = tuple(Column(_eased(claims[k] * len(row) / total)) for k in row)
    return Tier(_eased(total), widths, bleed)


def _stacked(row: range, claims: Sequence[float]) -> Tier:
    """A tall panel beside two that stand one below the other."""
    first, *others = (claims[k] for k in row)
    total = first + sum(others)
    heights = tuple(_eased(claim * 2 / sum(others)) for claim in others)
    return Tier(
        _eased(total),
        (Column(_eased(2 * first / total)), Column(_eased(2 * sum(others) / total), heights)),
    )


def _eased(weight: float) -> float:
    return round(min(6.0, max(0.4, weight)), 2)


def _strain(tiers: Tiers, claims: Sequence[float], page: float) -> float:
    """How far frames are from the shape of art and from the area that they claim."""
    heights, k, strain = sum(tier.height for tier in tiers), 0, 0.0
    for tier in tiers:
        high = tier.height / heights
        across = sum(column.width for column in tier.columns)
        for column in tier.columns:
            stack = sum(column.panels)
            for panel in column.panels:
                width, height = column.width / across, high * panel / stack
                strain += 0.6 * abs(log(page * width / height / _SHAPE))
                strain += abs(log(width * height / (claims[k] / sum(claims))))
                k += 1
        k += bool(tier.inset)
    return strain
