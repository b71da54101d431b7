"""What the sentinel would save: a simulation with its assumptions stated.

Final likeness and preview scores are normal; the preview at share t of the steps correlates with
the final likeness by ``rho`` at the last look and a little less at the earlier ones. A share of the
pictures passes. One in five is left alone, as in the studio. Re-anchoring is given no effect, so
that what is reported is what giving up saves.
"""

import numpy as np

from bot.bench.figures import Figure
from pipeline.domain.sentinel import Bounds, PastRun
from pipeline.quality.sentinel import LOOKS, LOST_GOOD, Act, Sentinel, is_control, learn_bounds

_LESS = {0.25: 0.8, 0.35: 0.9, 0.5: 1.0}
"""How the correlation grows from look to look: an assumption, not a measurement."""
_STEPS, _LEARNED, _RUNS = 20, 200, 2000
_GOALS = {(0.5, 0.7): 0.10, (0.5, 0.95): 0.25}


def sentinel_figures(seed: int = 7) -> list[Figure]:
    """Share of the sampling steps saved for each accepted picture, and of good pictures lost."""
    figures: list[Figure] = []
    for rate in (0.3, 0.5, 0.7, 0.9):
        for rho in (0.7, 0.95):
            saved, lost, good = _simulated(rate, rho, np.random.default_rng(seed))
            name = f"quality.sentinel.pass_{rate:.2f}.correlation_{rho:.2f}"
            peer = "checking only the finished picture (simulated)"
            figures.append(Figure(f"{name}.steps_saved", saved, "share", "higher",
                                  _GOALS.get((rate, rho)), peer, _RUNS))  # fmt: skip
            figures.append(Figure(f"{name}.good_lost", lost, "share", "lower", LOST_GOOD, None,
                                  good))  # fmt: skip
    return figures


def _simulated(rate: float, rho: float, rng: np.random.Generator) -> tuple[float, float, int]:
    past = [_run(rate, rho, rng) for _ in range(_LEARNED)]
    bounds = learn_bounds([PastRun(scores, good) for scores, good in past])
    steps = passed = good = 0
    for number in range(_RUNS):
        scores, fine = _run(rate, rho, rng)
        own = Bounds(why_off="left alone") if is_control(number) else bounds
        done, kept = _watched(scores, Sentinel(np.ones(1, np.float32), own, _STEPS))
        steps += done
        good += fine
        passed += fine and kept
    plain = _STEPS * _RUNS / max(1, good)
    return 1 - steps / max(1, passed) / plain, 1 - passed / max(1, good), good


def _run(rate: float, rho: float, rng: np.random.Generator) -> tuple[dict[float, float], bool]:
    final = float(rng.normal())
    scores = {}
    for look in LOOKS:
        share = rho * _LESS[look]
        scores[look] = share * final + float(np.sqrt(1 - share * share) * rng.normal())
    limit = float(np.quantile(_NORMAL, 1 - rate))
    return scores, final > limit


_NORMAL = np.random.default_rng(0).normal(size=100_000)


def _watched(scores: dict[float, float], sentinel: Sentinel) -> tuple[int, bool]:
    """Steps that were sampled, and whether the run came to its end."""
    for look in LOOKS:
        step = max(1, round(look * _STEPS))
        preview = np.array([scores[look]], np.float32)
        if sentinel.at_step(step, lambda p=preview: p) is Act.ABORT:
            return step, False
    return _STEPS, True
