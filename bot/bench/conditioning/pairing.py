"""Two characters in one panel: who gets whose looks, with regions and without."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bot.bench.conditioning.lab import Hold, Lab, nearest, with_region
from bot.bench.conditioning.subjects import SHOWN, Subject, seen
from bot.bench.conditioning.tables import STEM, mean, share
from bot.bench.figures import Figure
from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.geometry import Box, Size
from pipeline.fingerprints.composite import segments_of
from pipeline.imaging.decode import load_canonical

_SEED = 17
_WIDE = Size(SHOWN * 3 // 2, SHOWN)
_HALVES = (Box(0, 0, _WIDE.width // 2, SHOWN), Box(_WIDE.width // 2, 0, _WIDE.width, SHOWN))


def pairs(lab: Lab, subjects: Sequence[Subject]) -> list[Figure]:
    """Swap and bleed rates of pairs of one style.

    A half counts as *bled* when its head is nearer to the other character than to its own, and a
    pair as *swapped* when both are. Halves without a head are counted apart.
    """
    couples = list(_couples(subjects))
    figures: list[Figure] = []
    for name, masked in (("regions", True), ("everywhere", False)):
        halves = [_halves(lab, one, two, place, masked) for place, (one, two) in enumerate(couples)]
        known = [gap for pair in halves for gap in pair if gap is not None]
        blank = sum(gap is None for pair in halves for gap in pair)
        whole = [pair for pair in halves if None not in pair]
        stem = f"{STEM}.pairs.{name}"
        figures.append(share(f"{stem}.no_head", blank, 2 * len(couples), better="lower"))
        if known:
            bled = sum(gap < 0 for gap in known)
            figures.append(share(f"{stem}.bleed", bled, len(known), better="lower"))
            figures.append(mean(f"{stem}.own_over_other", known))
        if whole:
            swapped = sum(all(gap is not None and gap < 0 for gap in pair) for pair in whole)
            figures.append(share(f"{stem}.swap", swapped, len(whole), better="lower"))
    return figures


def _couples(subjects: Sequence[Subject]) -> Sequence[tuple[Subject, Subject]]:
    """Each subject with the next one of its style."""
    out = []
    for style in dict.fromkeys(one.style for one in subjects):
        mine = [one for one in subjects if one.style == style]
        out += pairwise(mine)
    return out


def _halves(
    lab: Lab, left: Subject, right: Subject, place: int, masked: bool
) -> tuple[float | None, float | None]:
    """By how much each half is nearer to its own character than to the other one."""
    plans = [lab.plan(one, Hold(scale=1.0), _SEED + place) for one in (left, right)]
    cast = tuple(
        with_region(plan, box if masked else None) for plan, box in zip(plans, _HALVES, strict=True)
    )
    side = lab.weights.side
    names = f"{left.member.name} and {right.member.name}"
    plan = replace(
        plans[0],
        prompt=f"medium shot, waist up, {names}, light green background, comic panel",
        cast=cast,
        size=_WIDE,
        bucket=Size(side * 3 // 2, side),
    )
    image = load_canonical(lab.draw(plan, left, right))
    out = []
    for box, own, other in zip(_HALVES, (left, right), (right, left), strict=True):
        prints = seen(image.crop(box), lab.encoders)
        head = segments_of(prints, CropClass.HEAD, ColorMode.COLOR)
        out.append(nearest(head, own) - nearest(head, other) if head else None)
    return out[0], out[1]
