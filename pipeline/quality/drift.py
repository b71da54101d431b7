"""Drift watch: when a character's similarity sinks, since when, and what changed in the recipe.

Two judges look at the same log. The source's rule compares a rolling mean with 90 % of the
baseline. The sequential test asks of each new picture how surprising its similarity is after all
earlier ones, and bets against "nothing changed"; it raises an alarm when the bets have grown
:data:`PATIENCE`-fold, which on an unchanged character happens once in that many pictures at most.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.quality.conformal import incomplete_beta

WARM_UP = 8
"""Pictures from which a baseline is taken before anything is judged."""
WINDOW = 5
"""Pictures in the rolling mean."""
DROP = 0.10
"""How far the rolling mean may sink under the baseline. Source: "review when more than 10 % below
baseline" (asset fingerprinting, drift watch); window and baseline are not given there."""
PATIENCE = 500
"""At most one false alarm in so many pictures, on average."""

_BETS = (0.2, 0.5)
_FLOOR = 0.005
"""Surprises count up to here, so that no single picture can raise an alarm."""

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

    Each similarity is compared with its prediction from the ones before: the studentised
    recursive residual, whose probabilities are independent and uniform as long as the values
    scatter normally around one mean. A bet of expectation 1 is made on small probabilities, and
    the bets are multiplied up as in CUSUM, M = max(M, 1) · bet; M ≥ PATIENCE raises the alarm, so
    that the mean time to a false one is at least PATIENCE.

    Source: recursive residuals, Brown, Durbin and Evans 1975; e-detectors, Shin, Ramdas and
    Rinaldo 2024, for the bound; power bets as in conformal martingales, Vovk et al. 2003.
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
    evidence, since = 1.0, start
    for at in range(start + WARM_UP, len(values)):
        bet = _bet(_surprise(values[start:at], float(values[at])))
        if evidence <= 1:  # the likeliest place of a change is where the bets began to pay
            evidence, since = 1.0, at
        evidence *= bet
        if evidence >= PATIENCE:
            before, after = values[start:since], values[since : at + 1]
            return Alarm(Watcher.TEST, at, since, float(before.mean()), float(after.mean()))
    return None


def _surprise(before: Floats, value: float) -> float:
    """The probability of a value this low or lower after the ones before, 0 to 1."""
    count = len(before)
    spread = max(float(before.std(ddof=1)), 1e-6) * math.sqrt(1 + 1 / count)
    t = (value - float(before.mean())) / spread
    freedom = count - 1
    tail = 0.5 * incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))
    return tail if t < 0 else 1 - tail


def _bet(surprise: float) -> float:
    """What a bet on small probabilities pays; 1 on average where they are uniform."""
    p = max(surprise, _FLOOR)
    paid = (k * p ** (k - 1) / (1 - (1 - k) * _FLOOR**k) for k in _BETS)
    return sum(paid) / len(_BETS)
