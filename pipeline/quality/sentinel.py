"""The sentinel: looks at a picture while it is sampled, and stops what will not be accepted.

At a few points of the sampling a cheap preview is compared with the middle of the look's
references, seen through the same preview. A poor one first gets a stronger hold on its references
from that step on; one that stays poor is given up. The bound for giving up is conformal: of the
pictures that would have been accepted, at most a chosen share is lost.
"""

import math
import zlib
from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.sentinel import Bounds, PastRun, Receipt

Vector = NDArray[np.float32]
Preview = Callable[[], Vector]
"""Gives the preview's unit vector, shape (d,), in the space of the references' previews."""

LOOKS = (0.25, 0.35, 0.5)
"""Shares of the steps at which it looks. Source: idea 4, JY open problem 2."""
LOST_GOOD = 0.05
"""Share of acceptable pictures that may be given up."""
CONTROL = 5
"""One picture in so many is only looked at, whatever its scores: bounds are learned from those."""
IDLE_ABOVE = 0.8
"""Pass rate from which it stays off: nothing is left to save.

Source: simulation, at 90 % passes it saves -1 to 4 % (``onmodel bench quality``).
"""
LEAST_GOOD = 19
"""Accepted pictures that must be known before anything is given up: with fewer, a bound for 5 %
does not exist (the smallest of 19 is exceeded by 95 % of further ones, on average)."""
RATE_WINDOW = 50
"""Latest panels that the pass rate is taken over."""
RAISE = 1.25
"""By how much the hold on the references grows when the picture is re-anchored."""
UNKNOWN = "no earlier pictures are known"


class Act(StrEnum):
    """What to do at a look."""

    GO_ON = "go_on"
    RE_ANCHOR = "re_anchor"
    ABORT = "abort"


def learn_bounds(
    past: Sequence[PastRun], lost: float = LOST_GOOD * CONTROL / (CONTROL - 1)
) -> Bounds:
    """Bounds from earlier runs of a look and shot class, the latest last.

    Args:
        past: runs that nothing was done to, whatever their scores (:func:`is_control`).
        lost: share of acceptable pictures that may be given up, over all looks together; those
            that are left alone in any case do not count.

    Returns:
        Bounds such that a new acceptable picture, exchangeable with the earlier ones, is given up
        with probability at most about ``lost``: one common rank bounds all looks together, chosen
        on what the whole policy would have done to the earlier pictures.

    Source: split conformal prediction; of n numbers and one more the ⌊α(n+1)⌋-th smallest has at
    most a share α below it (Vovk et al. 2005). Runs that the sentinel could have changed are not
    in ``past``: of what it gave up nobody knows whether it would have been accepted, and what it
    spared has better scores than the rest, so that bounds learned from it would creep up.
    """
    latest = past[-RATE_WINDOW:]
    if not latest:
        return Bounds(why_off=UNKNOWN)
    rate = sum(run.accepted for run in latest) / len(latest)
    if rate > IDLE_ABOVE:
        return Bounds(why_off=f"{rate:.0%} pass anyway")
    good = [run for run in past if run.accepted and all(look in run.scores for look in LOOKS)]
    if len(good) < LEAST_GOOD:
        return Bounds(why_off=f"{len(good)} of {LEAST_GOOD} accepted pictures are known")
    scores = np.array([[run.scores[look] for look in LOOKS] for run in good])
    ranks = scores.argsort(axis=0).argsort(axis=0) + 1
    standing = np.sort(_endurance(ranks))
    level = int(standing[math.floor(lost * (len(good) + 1)) - 1])
    ordered = np.sort(scores, axis=0)
    return Bounds(
        {look: float(ordered[level - 1, k]) for k, look in enumerate(LOOKS)},
        {look: float(np.median(scores[:, k])) for k, look in enumerate(LOOKS)},
    )


def is_control(seed: int) -> bool:
    """Whether the picture of a seed is left alone, as one in :data:`CONTROL` is."""
    return zlib.crc32(str(seed).encode()) % CONTROL == 0


def _endurance(ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lowest common rank at which each run would still be ended, shape (n,).

    A run is ended when it is below at the last look, or below at both of the looks before it: the
    first time it is only re-anchored. So what counts is the lower of its last rank and the higher
    of its two earlier ones; bounding that one number bounds the whole policy.
    """
    return np.minimum(ranks[:, -1], ranks[:, :-1].max(axis=1))


def centroid(previews: Sequence[Vector]) -> Vector:
    """The middle of the references' previews, a unit vector.

    Raises:
        ValueError: there are none.
    """
    if not previews:
        raise ValueError("a centroid needs at least one preview")
    mean = np.mean(np.stack(previews), axis=0)
    return (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)


class Sentinel:
    """Watches one run. An engine with a step callback asks :meth:`at_step` after every step."""

    def __init__(self, middle: Vector, bounds: Bounds, steps: int) -> None:
        """Watch a run.

        Args:
            middle: :func:`centroid` of the references' previews.
            bounds: :func:`learn_bounds` of earlier runs.
            steps: sampling steps of the run, ≥ 1.
        """
        self._middle, self._bounds, self._steps = middle, bounds, steps
        self._due = {max(1, round(look * steps)): look for look in LOOKS}
        self._scores: dict[float, float] = {}
        self._anchored: float | None = None
        self._aborted: float | None = None
        self._after: dict[Act, int] = {}

    def at_step(self, done: int, preview: Preview) -> Act:
        """What to do after ``done`` steps; ``preview`` is only made where it is looked at."""
        look = self._due.get(done)
        if look is None or self._aborted is not None:
            return Act.GO_ON
        score = float(self._middle @ preview())
        self._scores[look] = score
        if self._bounds.why_off:
            return Act.GO_ON
        if score < self._bounds.abort.get(look, -math.inf):
            if self._anchored is None and look < LOOKS[-1]:
                self._anchored, self._after[Act.RE_ANCHOR] = look, done
                return Act.RE_ANCHOR
            self._aborted, self._after[Act.ABORT] = look, done
            return Act.ABORT
        return Act.GO_ON

    def receipt(self, seconds_per_step: float) -> Receipt:
        """What was done, with the seconds of the steps that were not sampled."""
        ended = self._after.get(Act.ABORT)
        left = 0 if ended is None else self._steps - ended
        return Receipt(
            dict(self._scores),
            self._anchored,
            self._aborted,
            left * seconds_per_step,
            left,
            self._after.get(Act.RE_ANCHOR),
            ended,
            left_alone=bool(self._bounds.why_off),
        )
