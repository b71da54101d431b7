"""The sentinel beside the sampling: previews at its looks, a stronger hold, or an early end."""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from pipeline.domain.panel import Candidate
from pipeline.generation.diffusion.call import Call
from pipeline.generation.diffusion.ip_adapters import set_hold
from pipeline.generation.diffusion.preview import LatentPreview
from pipeline.quality.sentinel import RAISE, Act, Bounds, Receipt, Sentinel, Vector

Seen = Callable[[Image.Image], Vector]
"""From an RGB preview to a unit vector of shape (d,)."""
_SHADES = 4
"""Steps of a colour channel in :func:`colours`: 64 bins for a preview of some thousand pixels."""


def colours(preview: Image.Image) -> Vector:
    """Which colours a preview has and how much of each: a unit vector, shape (64,).

    Roots of shares, so that the product of two vectors is Bhattacharyya's coefficient.
    """
    bins = np.asarray(preview.convert("RGB"), np.int64) * _SHADES // 256
    index = (bins * (_SHADES**2, _SHADES, 1)).sum(axis=-1)
    counts = np.bincount(index.ravel(), minlength=_SHADES**3)
    return np.sqrt(counts / counts.sum()).astype(np.float32)


@dataclass(frozen=True, slots=True)
class SentinelPolicy:
    """What a job's sentinel is told.

    ``middle`` is the centroid of the references' previews, ``bounds`` what was learned from
    earlier pictures; where they are off, previews are scored and nothing is decided. ``seen``
    turns a preview into a unit vector in the space of ``middle``; ``factor`` is by how much the
    hold on the references grows.
    """

    middle: Vector
    bounds: Bounds
    seen: Seen = colours
    factor: float = RAISE

    @property
    def decides(self) -> bool:
        """Whether it may change or end anything."""
        return not self.bounds.why_off


@dataclass(frozen=True, slots=True)
class Guarded:
    """What a guarded job drew, by alternate: None where the picture was given up.

    ``receipts`` are the sentinel's, by alternate; empty without one.
    """

    candidates: tuple[Candidate | None, ...]
    receipts: tuple[Receipt, ...] = ()

    @property
    def kept(self) -> list[Candidate]:
        """The pictures that came to their end."""
        return [candidate for candidate in self.candidates if candidate is not None]

    @property
    def notes(self) -> tuple[str, ...]:
        """For people: what was given up and saved, and what was held harder."""
        ended = [receipt for receipt in self.receipts if receipt.aborted_at is not None]
        raised = sum(receipt.anchored_at is not None for receipt in self.receipts)
        out = []
        if ended:
            steps, seconds = (
                sum(r.saved_steps for r in ended),
                sum(r.saved_seconds for r in ended),
            )
            out.append(
                f"{len(ended)} of {len(self.receipts)} pictures were given up early: "
                f"{steps} steps and at least {seconds:.1f} s were not sampled."
            )
        if raised:
            out.append(f"{raised} of {len(self.receipts)} were held harder from a look on.")
        return tuple(out)


class GivenUp(Exception):
    """The sentinel ends a picture; the engine catches it around the pipeline's call."""


@dataclass(slots=True, eq=False)
class _Run:
    """The sentinels of one pass, one a picture, once the pipeline has said how many steps."""

    sentinels: list[Sentinel] = field(default_factory=list)
    done: int = 0
    since: float = 0.0
    per_step: float = 0.0
    raised: bool = False


class Guard:
    """Watches the passes of a job, one after the other, for as long as its policy says."""

    def __init__(self, policy: SentinelPolicy, preview: LatentPreview) -> None:
        self._policy, self._preview = policy, preview
        self._receipts: list[Receipt] = []
        self._run = _Run()

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Of the pictures so far, in their order."""
        return tuple(self._receipts)

    @contextmanager
    def over(self, call: Call, pictures: int) -> Iterator[Callable[[Any, Any], None]]:
        """Watch one pass; gives what the step callback has to ask.

        The hold is as the plan says afterwards. Where the policy decides, a pass has one picture:
        one of a batch cannot be ended or held harder alone.

        Raises:
            ValueError: it decides, and the pass has several pictures.
        """
        if self._policy.decides and pictures != 1:
            raise ValueError("a sentinel that decides watches one picture at a time")
        run = self._run = _Run()
        with _estimates(call.pipe.scheduler) as estimate:
            try:
                yield lambda pipe, latents: self._step(call, pipe, estimate(latents), pictures)
            finally:
                if run.raised:
                    set_hold(call, 1.0)
                self._receipts += [self._receipt(one) for one in run.sentinels]

    def _step(self, call: Call, pipe: Any, latents: Any, pictures: int) -> None:
        run, policy = self._run, self._policy
        if latents.ndim != 4:  # packed latents have no preview
            return
        if not run.sentinels:
            steps = pipe.num_timesteps
            run.since = time.monotonic()
            run.sentinels = [Sentinel(policy.middle, policy.bounds, steps) for _ in range(pictures)]
        run.done += 1
        for sentinel, one in zip(run.sentinels, latents, strict=True):
            act = sentinel.at_step(run.done, lambda one=one: self._seen(one))
            if act is Act.RE_ANCHOR:
                run.raised = set_hold(call, policy.factor)
            elif act is Act.ABORT:
                raise GivenUp

    def _seen(self, latents: Any) -> Vector:
        picture = self._preview.picture(latents)
        # the device has caught up now; the first step's end is where the clock began, so that
        # what is claimed as saved is rather too little
        self._run.per_step = (time.monotonic() - self._run.since) / self._run.done
        return self._policy.seen(picture)

    def _receipt(self, sentinel: Sentinel) -> Receipt:
        found = sentinel.receipt(self._run.per_step)
        return found if self._run.raised else replace(found, anchored_at=None)


@contextmanager
def _estimates(scheduler: Any) -> Iterator[Callable[[Any], Any]]:
    """Gives a function from a step's latents to what the finished ones would be, as it seems now.

    Half way the latents themselves are mostly noise. Every sampler reckons with an estimate of
    the end at every step: multistep ones keep it, the others hand it out beside their result.
    Where neither is so, the latents are taken as they are.
    """
    step, last = scheduler.step, []

    @functools.wraps(step)
    def remembered(*args: Any, **told: Any) -> Any:
        out = step(*args, **told)
        last[:] = out[1:2] if isinstance(out, tuple) else ()
        return out

    def estimate(latents: Any) -> Any:
        kept: Sequence[Any] = getattr(scheduler, "model_outputs", None) or last
        found = kept[-1] if kept else None
        return latents if found is None else found

    scheduler.step = remembered
    try:
        yield estimate
    finally:
        del scheduler.step
