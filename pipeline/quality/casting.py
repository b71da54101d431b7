"""Who is who: the figures that were found in a panel, shared out among the expected cast."""

from collections.abc import Sequence
from functools import cache

from pipeline.domain.quality import CharacterCheck

_Way = tuple[int, float, tuple[int | None, ...]]
"""How many members got a figure, the sum of their margins, and who got which."""


def share_out(checks: Sequence[Sequence[CharacterCheck]]) -> list[int | None]:
    """Give every member of the cast at most one figure, so that all fit best together.

    Args:
        checks: of every member (first index) against every figure (second), equally many each.

    Returns:
        For each member the index of its figure, None where there are too few. As many as
        possible get one; among those ways the one with the largest sum of similarity minus
        limit is taken, exactly, over all subsets of figures (which are few).
    """
    figures = len(checks[0]) if checks else 0

    @cache
    def best(member: int, taken: int) -> _Way:
        if member == len(checks):
            return 0, 0.0, ()
        count, total, rest = best(member + 1, taken)
        ways: list[_Way] = [(count, total, (None, *rest))]
        for k in range(figures):
            if not taken >> k & 1:
                count, total, rest = best(member + 1, taken | 1 << k)
                ways.append((count + 1, total + _margin(checks[member][k]), (k, *rest)))
        return max(ways, key=lambda way: way[:2])

    return list(best(0, 0)[2])


def _margin(check: CharacterCheck) -> float:
    """How far a check is over its limit; far under all limits where nothing was compared."""
    if check.similarity is None or check.threshold is None:
        return -2.0
    return check.similarity - check.threshold
