"""Drift watch: when a character's similarity sinks, since when, and what changed in the recipe.

Two judges look at the same log. The source's rule compares a rolling mean with 90 % of the
baseline. The sequential test asks of each new picture whether its similarity is likelier after a
fall of a tenth than without one, adds the answers up, and raises an alarm when they have grown to
:data:`ENOUGH`, which on an unchanged character happens once in :data:`PATIENCE` pictures at most.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

WARM_UP = 8
"""Pictures from which a baseline is taken before anything is judged."""
WINDOW = 5
"""Pictures in the rolling mean."""
DROP = 0.10
"""How far the rolling mean may sink under the baseline. Source: "review when more than 10 % below
baseline" (asset fingerprinting, drift watch); window and baseline are not given there."""
PATIENCE = 500
"""At most one false alarm in so many pictures, on average."""
ENOUGH = 6.2
"""Evidence (natural logarithm of a likelihood ratio) that raises an alarm. Source: on 100 streams
of what the similarities of 249 training and validation identities scatter by, 0.8 to 0.9 false
alarms in PATIENCE pictures; on normal noise 0.0 to 0.2."""
_MOST = 2.0
"""What one picture can add or take, so that it takes four to raise an alarm."""
_TAIL = 2.0
"""Degrees of freedom of the scatter: one picture in twenty lies far out (another pose, another
expression). With 2 to 3 degrees and 2 to 2.5 as the most, delay and false alarms differ little."""
_USUAL_SPREAD, _WORTH = 0.03, 8
"""The spread that a look has before its pictures are seen, and how many pictures it is worth."""
_MAD = 1.4826
"""Standard deviations in a median absolute deviation, where scatter is normal."""

Floats = NDArray[np.float64]


class Watcher(StrEnum):
    """Who noticed."""

    RULE = "rule"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A fall in similarity.

    ``at`` is the picture at which it was noticed, ``since`` the first that belongs to it (both
    count from 0). ``before`` and ``after`` are mean similarities.
    """

    watcher: Watcher
    at: int
    since: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Cause:
    """A part of the recipe that changed with the similarity.

    ``share_before`` and ``share_after`` are the shares of pictures with the value ``now``.
    """

    facet: str
    was: str
    now: str
    share_before: float
    share_after: float


def watch(similarities: Sequence[float]) -> tuple[Alarm, ...]:
    """Both judges' alarms over a log, oldest first.

    After an alarm a judge takes what came since the change as its new baseline, so that one fall
    is reported once.
    """
    found = [*by_rule(similarities), *by_test(similarities)]
    return tuple(sorted(found, key=lambda alarm: (alarm.at, alarm.watcher)))


def rolling_mean(similarities: Sequence[float], window: int = WINDOW) -> list[float]:
    """The mean of each picture and those before it, at most ``window`` together."""
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(similarities, np.float64))])
    ends = np.arange(1, len(sums))
    starts = np.maximum(0, ends - window)
    return [float(mean) for mean in (sums[ends] - sums[starts]) / (ends - starts)]


def by_rule(similarities: Sequence[float]) -> list[Alarm]:
    """The source's rule alone."""
    values = np.asarray(similarities, np.float64)
    alarms: list[Alarm] = []
    start = 0
    for at in range(len(values)):
        if at - start < WARM_UP + WINDOW - 1:
            continue
        baseline = float(values[start : start + WARM_UP].mean())
        recent = values[at - WINDOW + 1 : at + 1]
        if recent.mean() < (1 - DROP) * baseline:
            since = at - WINDOW + 1
            alarms.append(Alarm(Watcher.RULE, at, since, baseline, float(recent.mean())))
            start = since
    return alarms


def by_test(similarities: Sequence[float]) -> list[Alarm]:
    """The sequential test alone.

    A CUSUM of log-likelihood ratios: scatter as Student's t around the median of the baseline
    against the same around a median that is a tenth lower. Spread is the median absolute deviation,
    pooled with a usual one. The baseline is what came before the evidence began to grow, so that
    the fall itself does not become normal. Few similarities far out hardly move any of this; that
    is what a normal model could not do: beside them it does not see a fall of a tenth.

    The bound on false alarms is measured, not proved: the scatter is estimated.

    Source: Page 1954 for the CUSUM; Student's t as a robust likelihood, Lange, Little and Taylor
    1989.
    """
    values = np.asarray(similarities, np.float64)
    alarms: list[Alarm] = []
    start = 0
    while True:
        found = _first_alarm(values, start)
        if found is None:
            return alarms
        alarms.append(found)
        start = found.since


def causes(recipes: Sequence[Mapping[str, str]], since: int, last: int = 20) -> list[Cause]:
    """Which parts of the recipes changed where the similarity did, most telling first.

    Args:
        recipes: what each picture of the log was made with, by facet.
        since: the first picture of the fall.
        last: how many pictures before the change are compared with.

    Returns:
        For each facet at most one cause: the value whose share rose most. Nothing that rose by
        less than a half.
    """
    before, after = recipes[max(0, since - last) : since], recipes[since:]
    if not before or not after:
        return []
    found = []
    for facet in sorted({name for recipe in recipes for name in recipe}):
        old = Counter(recipe.get(facet, "") for recipe in before)
        new = Counter(recipe.get(facet, "") for recipe in after)
        now = max(
            new, key=lambda value: (new[value] / len(after) - old[value] / len(before), value)
        )
        cause = Cause(
            facet, old.most_common(1)[0][0], now, old[now] / len(before), new[now] / len(after)
        )
        if cause.share_after - cause.share_before >= 0.5:
            found.append(cause)
    return sorted(found, key=lambda c: c.share_before - c.share_after)


def cause_words(found: Sequence[Cause]) -> str:
    """What changed, in one sentence."""
    if not found:
        return "Nothing in the recipes changed with it: look at the pictures themselves."
    said = [
        f"{c.facet} from “{c.was or 'none'}” to “{c.now or 'none'}” "
        f"({100 * c.share_before:.0f} % of pictures before, {100 * c.share_after:.0f} % since)"
        for c in found[:3]
    ]
    return f"What changed with it: {'; '.join(said)}."


def _first_alarm(values: Floats, start: int) -> Alarm | None:
    evidence, since = 0.0, start + WARM_UP
    for at in range(start + WARM_UP, len(values)):
        if evidence <= 0:  # the likeliest place of a change is where evidence began to grow
            evidence, since = 0.0, at
        evidence += _evidence(values[start:since], float(values[at]))
        if evidence >= ENOUGH:
            before, after = values[start:since], values[since : at + 1]
            return Alarm(Watcher.TEST, at, since, float(before.mean()), float(after.mean()))
    return None


def _evidence(before: Floats, value: float) -> float:
    """How much likelier a value is after a fall of a tenth than without one, a logarithm."""
    middle, count = float(np.median(before)), len(before)
    spread = _MAD * float(np.median(np.abs(before - middle)))
    pooled = math.sqrt((_WORTH * _USUAL_SPREAD**2 + count * spread**2) / (_WORTH + count))
    unit = pooled * math.sqrt(1 + math.pi / 2 / count)  # the median has a variance, too
    same, lower = (value - middle) / unit, (value - (1 - DROP) * middle) / unit
    ratio = math.log1p(same**2 / _TAIL) - math.log1p(lower**2 / _TAIL)
    return max(-_MOST, min(_MOST, (_TAIL + 1) / 2 * ratio))
