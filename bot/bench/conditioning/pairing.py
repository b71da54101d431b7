"""Two characters in one panel: who gets whose looks, with regions and without."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from PIL import Image

from bot.bench.conditioning.lab import Hold, Lab, nearest, with_region
from bot.bench.conditioning.subjects import SHOWN, Subject, head_of, prints_of
from bot.bench.conditioning.tables import STEM, mean, share
from bot.bench.figures import Figure
from pipeline.domain.geometry import Box, Size
from pipeline.imaging import masks
from pipeline.imaging.decode import load_canonical

_SEED = 17
_FILLED = 0.9
"""How much of a half its figure fills, as in the pairs that were learned."""
_WIDE = Size(SHOWN * 3 // 2, SHOWN)
_HALVES = (Box(0, 0, _WIDE.width // 2, SHOWN), Box(_WIDE.width // 2, 0, _WIDE.width, SHOWN))


class _Half(NamedTuple):
    """By how much a half is nearer to its own character, and whether its figure stands out."""

    gap: float
    stands: bool


def pairs(lab: Lab, subjects: Sequence[Subject]) -> list[Figure]:
    """Swap and bleed rates of pairs of one style.

    A half counts as *bled* when its head is nearer to the other character than to its own, and a
    pair as *swapped* when both are. A half whose figure does not stand out by itself is looked at
    where the real drawing would stand; ``stands`` says how many need none of that.
    """
    couples = list(_couples(subjects))
    figures: list[Figure] = []
    for name, masked in (("regions", True), ("everywhere", False)):
        halves = [_halves(lab, one, two, place, masked) for place, (one, two) in enumerate(couples)]
        gaps = [half.gap for pair in halves for half in pair]
        if not gaps:
            continue
        stem, bled = f"{STEM}.pairs.{name}", sum(gap < 0 for gap in gaps)
        swapped = sum(all(half.gap < 0 for half in pair) for pair in halves)
        stands = sum(half.stands for pair in halves for half in pair)
        figures += [
            share(f"{stem}.stands", stands, len(gaps)),
            share(f"{stem}.bleed", bled, len(gaps), better="lower"),
            share(f"{stem}.swap", swapped, len(halves), better="lower"),
            mean(f"{stem}.own_over_other", gaps),
        ]
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
) -> tuple[_Half, _Half]:
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
    one, two = (image.crop(box) for box in _HALVES)
    return _seen(lab, one, left, right), _seen(lab, two, right, left)


def _seen(lab: Lab, half: Image.Image, own: Subject, other: Subject) -> _Half:
    alone = masks.find_figure(half)
    figure = alone or _figure(_standing(own, half.size))
    head = head_of(prints_of(half, figure, lab.encoders))
    return _Half(nearest(head, own) - nearest(head, other), alone is not None)


def _standing(subject: Subject, size: tuple[int, int]) -> Image.Image:
    """The subject's real drawing as large as it stands in a half, on the same ground."""
    truth = load_canonical(subject.truth)
    cut = truth.crop(_figure(truth).box)
    scale = min(_FILLED * size[0] / cut.width, _FILLED * size[1] / cut.height)
    cut = cut.resize((round(scale * cut.width), round(scale * cut.height)))
    image = Image.new("RGB", size, truth.getpixel((0, 0)))
    image.paste(cut, ((size[0] - cut.width) // 2, size[1] - cut.height))
    return image


def _figure(drawing: Image.Image) -> masks.Figure:
    figure = masks.find_figure(drawing)
    if figure is None:
        raise AssertionError("a real drawing stands out before a plain ground")
    return figure
