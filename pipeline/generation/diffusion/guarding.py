"""The sentinel beside the sampling: previews at its looks, a stronger hold, or an early end."""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.domain.conditioning import Intervention
from pipeline.domain.sentinel import Receipt
from pipeline.generation.diffusion.call import Call
from pipeline.generation.diffusion.ip_adapters import set_hold
from pipeline.generation.diffusion.preview import LatentPreview
from pipeline.generation.watched import SentinelPolicy
from pipeline.quality.sentinel import Act, Sentinel, Vector


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
            first = len(self._receipts)
            run.sentinels = [
                Sentinel(policy.middle, policy.bounds_of(first + n), steps) for n in range(pictures)
            ]
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
        if self._run.raised:
            return found
        return replace(found, anchored_at=None, anchored_after=None)


@contextmanager
def repeated(call: Call, made: Sequence[Intervention]) -> Iterator[Callable[[Any, Any], None]]:
    """Do to one picture again what was done to it before; gives what the step callback asks.

    Args:
        call: the job's call; the hold is as its plan says afterwards.
        made: the interventions in this picture.
    """
    due = {one.step: one.hold for one in made if one.hold is not None}
    done = 0

    def step(_pipe: Any, _latents: Any) -> None:
        nonlocal done
        done += 1
        if done in due:
            set_hold(call, due[done])

    try:
        yield step
    finally:
        if due:
            set_hold(call, 1.0)


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
