"""A gate that learns from its moderators, simulated: with the blind audit and without.

Scores of good and bad panels are drawn from two normal distributions that differ from character to
character; people are taken to be right. What is simulated is only the stream of panels: the limit
is learned by the product's own code.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.calibration import ScoredVerdict, ScoreKey, ScorePlace
from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass
from pipeline.quality.conformal import flag_limit

PLACE = ScorePlace(ScoreKey("simulated", (CropClass.HEAD,), ColorMode.COLOR), "ch", "look")
_RELEARN = 20
"""Panels between two looks at the verdicts; the product looks before every panel."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One character's panels: scores, and which of them are good."""

    scores: NDArray[np.float64]
    good: NDArray[np.bool_]


def stream(panels: int, rng: np.random.Generator, good_share: float = 0.8) -> Stream:
    """Panels of a character whose scores have a place and a spread of their own."""
    middle, spread = rng.normal(0.06, 0.03), rng.uniform(0.02, 0.06)
    good = rng.random(panels) < good_share
    scores = rng.normal(np.where(good, middle, middle - rng.uniform(0.10, 0.25)), spread)
    return Stream(scores, good)


def verdict(score: float, probability: float = 1.0) -> ScoredVerdict:
    """A good verdict of the simulated character."""
    return ScoredVerdict(PLACE, float(score), probability)


def run_gate(
    panels: Stream, alpha: float, audit: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Let a gate judge panels one after another.

    Args:
        panels: in the order in which they come.
        alpha: the share of good panels that may be flagged.
        audit: the share of passed panels that people see, 0 for none.
        rng: draws the audit.

    Returns:
        The limit that each panel was judged by, (panels,). The shipped one is 0.
    """
    verdicts: list[ScoredVerdict] = []
    limits = np.zeros(len(panels.scores))
    limit = 0.0
    for place, (score, good) in enumerate(zip(panels.scores, panels.good, strict=True)):
        if place % _RELEARN == 0 and verdicts:
            learned = flag_limit(verdicts, alpha)
            limit = limit if learned is None else learned
        limits[place] = limit
        if score < limit:
            seen, probability = True, 1.0
        else:
            seen, probability = bool(rng.random() < audit), audit
        if seen and good:
            verdicts.append(verdict(score, probability))
    return limits


def false_flags(panels: Stream, limits: NDArray[np.float64], last: int) -> float:
    """The share of the good among the ``last`` panels that were flagged."""
    tail = slice(len(limits) - last, None)
    good = panels.good[tail]
    return float((panels.scores[tail] < limits[tail])[good].mean())
