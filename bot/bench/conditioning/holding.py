"""Parts with one character and no training: scale, references, attention, negatives, repair."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from bot.bench.conditioning.lab import LIGHT, Hold, Lab, Look
from bot.bench.conditioning.subjects import SHOWN, Subject, drawings
from bot.bench.conditioning.tables import figures_of
from bot.bench.figures import Figure
from pipeline.domain.conditioning import InpaintUse
from pipeline.domain.vocabulary import COLOR_SLOTS
from pipeline.imaging.decode import to_png
from pipeline.training.generator.cast import Casting

Seen = Callable[[Subject, int], Look]
_SEED = 7
_DENOISE = (0.6, 0.9)
_SEEN_CHANGE = 24
"""Of 255: what a drawing must differ by for a place to be in need of repair."""
_LEAST_CHANGE = 40
"""Pixels of the whole picture that a drift must change to count as one."""


def scale(lab: Lab, subjects: Sequence[Subject]) -> list[Figure]:
    """The IP-Adapter from 0 to 1 with one reference, words alone, and both; real drawings beside.

    ``copied`` says how stiff each is. With the real drawings this is also the gate: same-style
    top-1 of what was drawn against that of what an artist drew.
    """
    held = {f"{value:.2f}": Hold(scale=value) for value in (0.0, 0.3, 0.6, 1.0)}
    words = {"words": Hold(words=True), "0.60_words": Hold(scale=0.6, words=True)}
    rows = _drawn(lab, subjects, {**held, **words})
    rows["real"] = [lab.look(one.truth, one, lab.plan(one, Hold(1.0), 0)) for one in subjects]
    return figures_of("scale", subjects, rows, "0.00")


def references(lab: Lab, subjects: Sequence[Subject]) -> list[Figure]:
    """One, two and four references at the same hold, which they share."""
    holds = {f"{n}": Hold(scale=0.8, references=n) for n in (1, 2, 4)}
    return figures_of("references", subjects, _drawn(lab, subjects, holds), "1")


def attention(lab: Lab, subjects: Sequence[Subject]) -> list[Figure]:
    """Reference attention alone, and on top of an IP-Adapter."""
    holds = {f"{value:.2f}": Hold(attention=value) for value in (0.0, 0.5, 1.0)}
    holds |= {f"{v:.2f}_ip": Hold(scale=0.6, attention=v) for v in (0.0, 0.5)}
    return figures_of("attention", subjects, _drawn(lab, subjects, holds), "0.00")


def negatives(lab: Lab, subjects: Sequence[Subject]) -> list[Figure]:
    """A drift that the prompt provokes (hair of another colour), with and without negatives.

    References hold lightly: held firmly, they win over such words anyway.
    """
    chosen = [one for one in subjects if "hair_color" in one.member.components]
    rows: dict[str, list[Look]] = {"calm": [], "provoked": [], "negative": [], "heavy": []}
    for place, one in enumerate(chosen):
        wrong = f"{_other_colour(one)} hair"
        for name, hold in {
            "calm": Hold(scale=LIGHT),
            "provoked": Hold(scale=LIGHT, more=wrong),
            "negative": Hold(scale=LIGHT, more=wrong, negative=wrong),
            "heavy": Hold(scale=LIGHT, more=wrong, negative=wrong, weight=1.6),
        }.items():
            rows[name].append(lab.measure(one, hold, _SEED + place))
    return figures_of("negatives", chosen, rows, "provoked") if chosen else []


def repair(lab: Lab, subjects: Sequence[Subject]) -> list[Figure]:
    """A real drawing with one thing wrong, drawn again where it is wrong."""
    rows: dict[str, list[Look]] = {"wrong": [], **{f"denoise_{d:.1f}": [] for d in _DENOISE}}
    chosen = []
    for place, one in enumerate(subjects):
        wrong = _with_a_fault(lab, one, place)
        if wrong is None:
            continue
        chosen.append(one)
        base, mask = wrong
        rows["wrong"].append(lab.look(base, one))
        for denoise in _DENOISE:
            rows[f"denoise_{denoise:.1f}"].append(_repaired(lab, one, base, mask, denoise))
    return figures_of("repair", chosen, rows, "wrong") if chosen else []


def _drawn(
    lab: Lab, subjects: Sequence[Subject], holds: Mapping[str, Hold]
) -> dict[str, list[Look]]:
    """Looks by condition; a subject has the same seed in all of them."""
    return {
        name: [lab.measure(one, hold, _SEED + place) for place, one in enumerate(subjects)]
        for name, hold in holds.items()
    }


def _other_colour(subject: Subject) -> str:
    own = subject.member.components["hair_color"]
    others = [name for name in COLOR_SLOTS["hair_color"] if name != own]
    return Random(subject.identity.number).choice(others).replace("_", " ")


def _with_a_fault(lab: Lab, subject: Subject, place: int) -> tuple[bytes, bytes] | None:
    """The truth with one part or colour of somebody else, and a mask of where that shows."""
    casting = Casting(subject.style, lab.weights.seed)
    other = casting.lookalike(subject.identity, Random(place))
    *_, variant = drawings(casting, subject.identity, len(subject.member.references) + 1)
    which = next(
        n
        for n in range(len(subject.member.references), 100)
        if casting.variant(subject.identity, n, 32).components == variant.components
    )
    wrong = lab.troupe.reduced(other, casting.variant(other, which, SHOWN))
    right = lab.troupe.reduced(subject.identity, casting.variant(subject.identity, which, SHOWN))
    one, two = (np.asarray(image, np.int16) for image in (wrong, right))
    changed = np.abs(one - two).max(axis=2) > _SEEN_CHANGE
    if changed.sum() < _LEAST_CHANGE:
        return None
    mask = Image.fromarray(np.where(changed, 255, 0).astype(np.uint8))
    mask = mask.filter(ImageFilter.MaxFilter(17))
    return to_png(wrong), to_png(mask.convert("RGB"))


def _repaired(lab: Lab, one: Subject, base: bytes, mask: bytes, denoise: float) -> Look:
    names = [hashlib.sha256(png).hexdigest() for png in (base, mask)]
    plan = lab.plan(one, Hold(scale=1.0), _SEED)
    plan = replace(plan, inpaint=InpaintUse(names[0], names[1], denoise, ""))
    given = dict(zip(names, (base, mask), strict=True))
    return lab.look(lab.draw(plan, one, more=given), one)
