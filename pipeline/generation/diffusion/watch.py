"""Tells how far a job is, and stops it within one step when it is no longer wanted."""

from collections.abc import Callable
from typing import Any

from pipeline.domain.errors import Cancelled
from pipeline.generation.generators.base import IsCancelled, Progress


class Watch:
    """Follows the denoising steps of a job; preparing and decoding count as nothing."""

    def __init__(self, progress: Progress, cancelled: IsCancelled) -> None:
        self._progress = progress
        self._cancelled = cancelled
        self._total = 1
        self._done = 0
        self.look: Callable[[Any], bytes | None] = lambda _latents: None
        """Turns latents into a small PNG to be shown, or says None; replaced by the engine."""
        self.guard: Callable[[Any, Any], None] = lambda _pipe, _latents: None
        """Asked after each step, with the pipeline and its latents; ends a pass by raising."""

    def begin(self, steps: int) -> None:
        """Expect so many steps in all; a job that is tried again begins again."""
        self._total, self._done = max(1, steps), 0

    def skip(self, steps: int) -> None:
        """Count steps as done that will not be sampled."""
        self._done = min(self._total, self._done + steps)

    def say(self, note: str) -> None:
        """Tell people what happens now.

        Raises:
            Cancelled: nobody wants it any more.
        """
        self.stop_if_cancelled()
        self._progress(self._done / self._total, note)

    def finish(self, note: str) -> None:
        """Tell people that all of it is done."""
        self._progress(1.0, note)

    def stop_if_cancelled(self) -> None:
        """Ask whether the work is still wanted.

        Raises:
            Cancelled: it is not.
        """
        if self._cancelled():
            raise Cancelled("The panel was cancelled while it was being drawn.")

    def step_done(
        self, pipe: Any, _step: int, _timestep: Any, tensors: dict[str, Any]
    ) -> dict[str, Any]:
        """Called by the pipeline at the end of every step.

        Raises:
            Cancelled: the work is not wanted any more; the pipeline stops with it.
            GivenUp: a sentinel ends this picture; the pipeline stops with it too.
        """
        self.stop_if_cancelled()
        self._done = min(self._total, self._done + 1)
        self.guard(pipe, tensors["latents"])
        preview = self.look(tensors["latents"])
        if preview is None:
            self._progress(self._done / self._total, "Drawing")
        else:
            self._progress(self._done / self._total, "Drawing", preview)
        return tensors
