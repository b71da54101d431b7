"""What an executor is: something that makes one panel somewhere else, and may die doing it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from pipeline.domain.errors import OnModelError
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.quality import PanelOutcome


class ProgressCallback(Protocol):
    """Told how far a run is, 0 to 1, a word for people, and now and then a small PNG of it."""

    def __call__(self, fraction: float, note: str, preview: bytes | None = None, /) -> None:
        """Take note."""
        ...


class WorkerCrashed(OnModelError):
    """The process that was making the panel is gone; nobody knows how far it came."""

    code = "worker_crashed"


class WorkerUnavailable(WorkerCrashed):
    """The process died before it could take a job, so no job is to blame."""

    code = "worker_unavailable"


class PanelWork(Protocol):
    """What runs inside a worker: inputs in, outcome out, one at a time."""

    def __call__(
        self,
        inputs: PanelInputs,
        *,
        progress: ProgressCallback,
        cancelled: Callable[[], bool],
    ) -> PanelOutcome:
        """Make the panel; ask ``cancelled`` between steps and raise ``Cancelled`` when it is."""
        ...


WorkFactory = Callable[[], PanelWork]
"""Builds the work inside the worker. Must be picklable: a module function or a partial of one."""


class Executor(Protocol):
    """Runs one panel at a time outside the event loop's process."""

    async def start(self) -> None:
        """Be ready to run; does nothing when it is ready already.

        Raises:
            WorkerUnavailable: the worker died while it was loading.
            OnModelError: the engine cannot be loaded; the text says why.
        """
        ...

    async def run(
        self,
        inputs: PanelInputs,
        *,
        on_progress: ProgressCallback,
        cancelled: asyncio.Event,
    ) -> PanelOutcome:
        """Make one panel.

        Args:
            inputs: everything the run needs.
            on_progress: called on the event loop with the fraction done (0 to 1) and a word.
            cancelled: set it to stop the run; it ends within the executor's grace time.

        Raises:
            WorkerCrashed: the worker died or was too slow; the next run gets a new one.
            Cancelled: ``cancelled`` was set in time.
            OnModelError: the work failed; same class and text as in the worker.
        """
        ...

    async def stop(self) -> None:
        """Let go of the worker within a few seconds; leaves no process behind."""
        ...
