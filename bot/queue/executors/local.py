"""The default executor: one spawned process on this machine that makes one panel at a time.

A segfault, an out-of-memory kill or an ``abort`` in a model ends that process and nothing else; the
run is told at once and the next run gets a new process.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.queue.executors.base import (
    ProgressCallback,
    WorkerCrashed,
    WorkerUnavailable,
    WorkFactory,
)
from bot.queue.executors.process import WorkerProcess
from bot.queue.executors.worker import Cancel, Run, Stop, panel_work
from pipeline.domain.errors import Cancelled
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.quality import PanelOutcome

if TYPE_CHECKING:
    from pipeline.runner import WorkshopSpec

log = logging.getLogger(__name__)

_KILL_SECONDS = 5.0  # how long the kernel may take to reap what was killed


@dataclass(frozen=True, slots=True)
class LocalLimits:
    """Seconds that the worker gets. A worker that overstays is killed.

    ``cancel`` is long enough for one step of a slow engine, because killing it costs loading the
    model again; ``run`` bounds a hang, not the work (the ladder has its own, shorter limit).
    """

    start: float = 600.0
    run: float = 3600.0
    cancel: float = 15.0
    stop: float = 2.0


class LocalExecutor:
    """Runs panels in a separate process; see :class:`~bot.queue.executors.base.Executor`."""

    def __init__(
        self, work: "WorkshopSpec | WorkFactory", limits: LocalLimits | None = None
    ) -> None:
        """Remember how to build the work; no process is started yet.

        Args:
            work: names of engine and encoders, or any picklable factory; built inside the process,
                once for each process.
            limits: how long the process may take for what.
        """
        self._factory = work if callable(work) else partial(panel_work, work)
        self._limits = limits or LocalLimits()
        self._process: WorkerProcess | None = None
        self._starting = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._numbers = 0

    @property
    def pid(self) -> int | None:
        """Process id of the living worker, None when there is none."""
        process = self._process
        return None if process is None or process.gone.done() else process.pid

    async def start(self) -> None:
        """Have a worker that is ready; does nothing when there is one.

        Raises:
            WorkerUnavailable: it died or took too long while it was loading.
            OnModelError: the engine cannot be loaded; the text says why.
        """
        await self._ready_process()

    async def run(
        self,
        inputs: PanelInputs,
        *,
        on_progress: ProgressCallback,
        cancelled: asyncio.Event,
    ) -> PanelOutcome:
        """Make one panel; a second call waits for the first.

        Raises:
            WorkerUnavailable: no worker could be started.
            WorkerCrashed: the worker died, or was killed because it took too long.
            Cancelled: ``cancelled`` was set and the run ended because of it.
            OnModelError: the work failed, with the worker's class and text.
        """
        async with self._turn:
            process = await self._ready_process()
            self._numbers += 1
            result = process.begin(self._numbers, on_progress)
            sending = asyncio.create_task(process.send(Run(self._numbers, inputs)))
            sending.add_done_callback(_carry_error_to(result))
            try:
                return await self._result(process, result, cancelled)
            finally:
                if result.cancel():  # nobody waits for the run any more
                    await self._kill(process)
                elif not result.cancelled():
                    result.exception()  # seen, even when something else is on its way up
                await asyncio.gather(sending, return_exceptions=True)

    async def stop(self) -> None:
        """Ask the worker to go, kill it when it does not; returns when it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        asking = asyncio.create_task(process.send(Stop()))
        await asyncio.wait({process.gone}, timeout=self._limits.stop)
        await self._kill(process)
        await asyncio.gather(asking, return_exceptions=True)

    async def _ready_process(self) -> WorkerProcess:
        async with self._starting:
            process = self._process
            if process is None or process.gone.done():
                process = self._process = WorkerProcess(self._factory)
                log.info("worker %d started", process.pid, extra={"action": "worker_start"})
            await asyncio.wait({process.ready}, timeout=self._limits.start)
            if not process.ready.done():
                await self._kill(process)
                raise WorkerUnavailable("The drawing engine took too long to load.")
            process.ready.result()
            return process

    async def _result(
        self,
        process: WorkerProcess,
        result: "asyncio.Future[PanelOutcome]",
        cancelled: asyncio.Event,
    ) -> PanelOutcome:
        """Wait for the end of the run, a cancel or the time limit, whichever is first."""
        asked = asyncio.create_task(cancelled.wait())
        try:
            await asyncio.wait(
                {result, asked}, timeout=self._limits.run, return_when=asyncio.FIRST_COMPLETED
            )
            if not result.done() and asked.done():
                await self._cancel(process, result)
        finally:
            asked.cancel()
        if result.done():
            return result.result()
        raise WorkerCrashed(f"The panel took longer than {self._limits.run / 60:.0f} minutes.")

    async def _cancel(self, process: WorkerProcess, result: "asyncio.Future[PanelOutcome]") -> None:
        """Ask the run to end; returns when it has.

        Raises:
            Cancelled: it did not end within the grace time.
        """
        asking = asyncio.create_task(process.send(Cancel(self._numbers)))
        try:
            await asyncio.wait({result}, timeout=self._limits.cancel)
            if result.cancel():
                log.warning("worker %d ignores a cancel; it is killed", process.pid)
                await self._kill(process)
                raise Cancelled("The panel was cancelled.")
        finally:
            asking.cancel()

    async def _kill(self, process: WorkerProcess) -> None:
        process.kill()
        await asyncio.wait({process.gone}, timeout=_KILL_SECONDS)
        if not process.gone.done():
            log.error("worker %d does not die", process.pid)


def _carry_error_to(
    result: "asyncio.Future[PanelOutcome]",
) -> "Callable[[asyncio.Task[None]], None]":
    """Inputs that cannot be sent end the run; a broken pipe does not: the death itself will."""

    def carry(sending: "asyncio.Task[None]") -> None:
        error = None if sending.cancelled() else sending.exception()
        if error is not None and not result.done():
            result.set_exception(error)

    return carry
