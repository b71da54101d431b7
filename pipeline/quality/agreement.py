"""How far moderators agree: Krippendorff's alpha over what they said about the same pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence


def krippendorff_alpha(units: Sequence[Sequence[str]]) -> float | None:
    """Agreement beyond chance of people who put pictures into named classes.

    Args:
        units: for each picture what every person said who was asked; pictures with fewer than
            two answers count for nothing.

    Returns:
        1 where all agree, 0 where they agree as often as by chance, below 0 where they disagree
        more; None where nothing can be compared, or where everybody said the same all the time.

    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", nominal data.
    """
    pairable = [unit for unit in units if len(unit) >= 2]
    totals: Counter[str] = Counter(word for unit in pairable for word in unit)
    count = totals.total()
    if count < 2 or len(totals) < 2:
        return None
    observed = sum(_disagreement(Counter(unit)) / (len(unit) - 1) for unit in pairable) / count
    expected = _disagreement(totals) / (count * (count - 1))
    return 1 - observed / expected


def _disagreement(counts: Mapping[str, int]) -> int:
    """Ordered pairs of answers that differ."""
    total = sum(counts.values())
    return sum(n * (total - n) for n in counts.values())
