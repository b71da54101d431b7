"""The drift watch against the source's rule, on the same streams."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.bench.art import CLEAN, Examined
from bot.bench.figures import Figure
from pipeline.quality.drift import PATIENCE, Alarm, by_rule, by_test

_LEVEL, _DROP = 0.85, 0.10
_BEFORE, _AFTER, _STREAMS = 40, 60, 300
_QUIET = 300
"""Panels of a stream in which nothing happens."""

Floats = NDArray[np.float64]
Noise = Callable[[int, np.random.Generator], Floats]
Watch = Callable[[Sequence[float]], list[Alarm]]


def measure_watching(examined: Sequence[Examined] | None, streams: int = _STREAMS) -> list[Figure]:
    """Delays and false alarms on normal noise, and on what similarities of art scatter by."""
    figures: list[Figure] = []
    for spread in (0.02, 0.035, 0.05):
        figures += _against(f"normal_{spread:.3f}", _normal(spread), streams)
    if examined is not None:
        scatter = _scatter_of(examined)
        figures += _against("art", _of_one(scatter), streams)
        figures += _against("art_mixed", _of_all(scatter), streams)
    return figures


def _against(name: str, noise: Noise, streams: int) -> list[Figure]:
    ours, rule = _performance(by_test, noise, streams), _performance(by_rule, noise, streams)
    return [
        Figure(
            f"quality.watch.delay.{name}",
            ours[0],
            "panels",
            "lower",
            8,
            f"the source's rule: {rule[0]:.1f}",
            streams,
        ),
        Figure(
            f"quality.watch.missed.{name}",
            ours[1],
            "share",
            "lower",
            None,
            f"the source's rule: {rule[1]:.3f}",
            streams,
        ),
        Figure(
            f"quality.watch.false_alarms_per_{PATIENCE}.{name}",
            ours[2],
            "alarms",
            "lower",
            1,
            f"the source's rule: {rule[2]:.2f}",
            streams * _QUIET,
        ),
    ]


def _performance(watch: Watch, noise: Noise, streams: int) -> tuple[float, float, float]:
    """Mean delay of a fall of a tenth, share not noticed in time, false alarms per PATIENCE.

    What is not noticed counts with the length of the stream after the fall.
    """
    rng = np.random.default_rng(21)
    delays, missed, false = [], 0, 0
    for _ in range(streams):
        values = _LEVEL + noise(_BEFORE + _AFTER, rng)
        values[_BEFORE:] *= 1 - _DROP
        found = [a.at - _BEFORE + 1 for a in watch(values.tolist()) if a.at >= _BEFORE]
        missed += not found
        delays.append(found[0] if found else _AFTER)
        false += len(watch((_LEVEL + noise(_QUIET, rng)).tolist()))
    per = false / (streams * _QUIET) * PATIENCE
    return float(np.mean(delays)), missed / streams, per


def _normal(spread: float) -> Noise:
    return lambda count, rng: rng.normal(0, spread, count)


def _scatter_of(examined: Sequence[Examined]) -> list[Floats]:
    """How similarities of art scatter around their identity's mean, by identity."""
    own: dict[str, list[float]] = {}
    for one in examined:
        if one.own and one.kind == CLEAN and one.check.similarity is not None:
            own.setdefault(one.identity, []).append(one.check.similarity)
    return [
        np.array(values) - sum(values) / len(values) for values in own.values() if len(values) > 2
    ]


def _of_one(scatter: Sequence[Floats]) -> Noise:
    """A stream is of one look: its scatter is that of one identity, drawn with replacement."""
    return lambda count, rng: rng.choice(scatter[int(rng.integers(len(scatter)))], count)


def _of_all(scatter: Sequence[Floats]) -> Noise:
    """As if one look scattered like all identities together: the steady and the wild ones."""
    pool = np.concatenate(list(scatter))
    return lambda count, rng: rng.choice(pool, count)
