"""From the ledger to the workers and back: claim, run, settle.

The ledger is the truth. A claim is a lease with a fencing token; whatever happens to this process
or to a worker, the lease runs out and somebody else takes the job, and a late result of ours is
refused by its old token.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.queue.executors.base import Executor, WorkerCrashed, WorkerUnavailable
from bot.queue.lease import End, HeldLease, ProgressHook
from bot.queue.presence import Presence
from bot.queue.timing import QueueTiming
from bot.queue.waiting import first_of, to_the_end
from pipeline.domain.errors import Cancelled, GenerationFailed, OnModelError
from pipeline.domain.job import Job
from pipeline.domain.quality import PanelOutcome
from storage import jobs
from storage.database import Database
from storage.errors import DatabaseError, LeaseLost

if TYPE_CHECKING:
    from bot.services.runs import RunService

log = logging.getLogger(__name__)

_WRITE_PAUSES = (0.5, 1.5)  # before writing a result again that the database refused

Ending = PanelOutcome | OnModelError
"""How a run ended: with an outcome, or with the reason why there is none."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the dispatcher tells others.

    Attributes:
        on_progress: awaited with job, fraction and word, at most every ``timing.progress`` seconds.
        on_settled: called when something may be owed to Discord now.
        chores: awaited regularly; a true result counts as something owed (due votes, say).
    """

    on_progress: ProgressHook | None = None
    on_settled: Callable[[], None] = lambda: None
    chores: Sequence[Callable[[], Awaitable[object]]] = ()


class Dispatcher:
    """Runs the queue with one claim per executor at a time."""

    def __init__(
        self,
        db: Database,
        runs: "RunService",
        executors: Sequence[Executor],
        *,
        hooks: Hooks | None = None,
        timing: QueueTiming | None = None,
    ) -> None:
        """Take the parts; nothing runs before :meth:`run`.

        Args:
            db: the ledger.
            runs: reads inputs and writes results.
            executors: as many jobs run at once; they are started here and stopped at the end.
            hooks: who is told what.
            timing: seconds of everything.
        """
        self._db = db
        self._runs = runs
        self._executors = executors
        self._hooks = hooks or Hooks()
        self._timing = timing or QueueTiming()
        self._presence = Presence(db.path.parent / "owners")
        self._wakes = [asyncio.Event() for _ in executors]
        self._held: set[HeldLease] = set()
        self.trouble: str | None = None
        """Why no worker can be started at the moment, as a sentence; None when all is well."""

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set; then put running jobs back and stop the executors."""
        with self._presence:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_house(stop))
                for executor, wake in zip(self._executors, self._wakes, strict=True):
                    group.create_task(self._serve(executor, wake, stop))

    @property
    def owner(self) -> str:
        """The name under which this dispatcher claims; never the same twice."""
        return self._presence.name

    def notify(self) -> None:
        """Something was enqueued: look now."""
        for wake in self._wakes:
            wake.set()

    def preview_of(self, panel_id: int) -> bytes | None:
        """The last preview, a small PNG, of a panel that is being drawn here at this moment."""
        return next((held.preview for held in self._held if held.job.panel_id == panel_id), None)

    def notify_cancel(self) -> None:
        """Somebody cancelled a running job: ask the ledger now."""
        for lease in self._held:
            lease.look_now()

    # --- one executor -----------------------------------------------------------------------

    async def _serve(self, executor: Executor, wake: asyncio.Event, stop: asyncio.Event) -> None:
        last = ""
        try:
            while not stop.is_set():
                if not await self._made_ready(executor, stop):
                    break
                wake.clear()  # before the look, so that no notice is lost between look and wait
                job = await self._claim(last)
                if job is None:
                    await first_of(self._timing.poll, stop, wake)
                else:
                    last = job.affinity
                    await self._handle(job, executor, stop)
        finally:
            await executor.stop()

    async def _made_ready(self, executor: Executor, stop: asyncio.Event) -> bool:
        """Have a worker before a job is claimed; False when it is time to stop.

        A worker that cannot even start is nobody's job's fault: jobs wait and nothing is counted.
        """
        pause = min(1.0, self._timing.restart_most)
        while not stop.is_set():
            starting = asyncio.create_task(executor.start())
            try:
                await first_of(None, stop, until=starting)
                if not starting.done():
                    return False
                starting.result()
            except OnModelError as error:
                self.trouble = str(error)
                log.error("no worker: %s", error, extra={"action": "worker_start"})  # noqa: TRY400 - said in full
            except Exception:
                self.trouble = "The drawing engine cannot be started; see the log."
                log.exception("no worker", extra={"action": "worker_start"})
            else:
                self.trouble = None
                return True
            finally:
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
            await first_of(pause, stop)
            pause = min(2 * pause, self._timing.restart_most)
        return False

    async def _claim(self, last: str) -> Job | None:
        try:
            return await self._db.write(
                lambda tx: jobs.claim(
                    tx,
                    owner=self.owner,
                    lease_seconds=self._timing.lease,
                    now=time.time(),
                    prefers=last,
                )
            )
        except Exception:
            log.exception("no job could be claimed", extra={"action": "claim"})
            return None

    # --- one job ----------------------------------------------------------------------------

    async def _handle(self, job: Job, executor: Executor, stop: asyncio.Event) -> None:
        """Run a claimed job to its one exit."""
        started = time.monotonic()
        async with HeldLease(self._db, job, self._timing, self._hooks.on_progress) as lease:
            self._held.add(lease)
            try:
                ending = await self._run(lease, executor, stop)
                await lease.hush()
                exit_name = await to_the_end(self._settle(lease, ending))
            finally:
                self._held.discard(lease)
        log.info(
            "job %d of panel %d: %s after %.1f s",
            job.id, job.panel_id, exit_name, time.monotonic() - started,
            extra={"action": "job", "job_id": job.id},
        )  # fmt: skip
        self._hooks.on_settled()

    async def _run(self, lease: HeldLease, executor: Executor, stop: asyncio.Event) -> Ending:
        """Run until the end, or until a stop has no more patience."""
        running = asyncio.create_task(self._attempt(lease, executor))
        try:
            await first_of(None, stop, until=running)
            if not running.done():
                await asyncio.wait({running}, timeout=self._timing.finish)
            if not running.done():
                lease.ask_to_end(End.STOPPING)
                await asyncio.wait({running}, timeout=self._timing.cancel)
        except asyncio.CancelledError:
            lease.ask_to_end(End.STOPPING)
            running.cancel()
            await to_the_end(asyncio.wait({running}))
            await to_the_end(self._settle(lease, Cancelled("The program stops.")))
            raise
        if not running.done():
            running.cancel()
            await asyncio.wait({running})
        return Cancelled("The program stops.") if running.cancelled() else running.result()

    async def _attempt(self, lease: HeldLease, executor: Executor) -> Ending:
        try:
            inputs = await self._runs.inputs_for(lease.job)
            return await executor.run(inputs, on_progress=lease.report, cancelled=lease.ended)
        except OnModelError as error:
            return error
        except Exception as error:
            log.exception("job %d failed unexpectedly", lease.job.id)
            return GenerationFailed(
                f"Something unexpected went wrong ({type(error).__name__}). Try again, or ask "
                "whoever runs the bot to look into its log."
            )

    # --- the exit ---------------------------------------------------------------------------

    async def _settle(self, lease: HeldLease, ending: Ending) -> str:
        """Write how the job ended, once, unless its lease is lost; returns a word for the log."""
        for pause in (*_WRITE_PAUSES, None):
            try:
                return await self._written(lease, ending)
            except LeaseLost:
                log.warning("job %d was taken over; its result is dropped", lease.job.id)
                return "dropped"
            except DatabaseError:
                log.exception("job %d: its end could not be written", lease.job.id)
            except Exception as error:
                log.exception("job %d: its end could not be written", lease.job.id)
                ending = error if isinstance(error, OnModelError) else _unwritable(error)
            if pause is not None:
                await asyncio.sleep(pause)
        return "left to its lease"

    async def _written(self, lease: HeldLease, ending: Ending) -> str:
        job = lease.job
        match lease.end, ending:
            case (End.LOST, _) | (_, LeaseLost()):
                raise LeaseLost("The job was taken over.")
            case End.CANCELLED, _:
                await self._runs.cancelled(job)
                return "cancelled"
            case End.STOPPING, Cancelled() | WorkerCrashed() | DatabaseError():
                await self._runs.requeue(job)
                return "put back"
            case _, WorkerUnavailable():
                await self._runs.requeue(job)
                return "put back, no worker"
            case _, WorkerCrashed() | DatabaseError():
                status = await self._runs.release_crashed(job, str(ending))
                return f"crashed, now {status.value}"
            case _, OnModelError():
                await self._runs.fail(job, ending)
                return f"failed ({ending.code})"
            case _:
                await self._runs.complete(job, ending)
                return "done"

    # --- regular work -----------------------------------------------------------------------

    async def _keep_house(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._chore(self._recover)
            for chore in self._hooks.chores:
                await self._chore(chore)
            await first_of(self._timing.beat, stop)

    async def _chore(self, chore: Callable[[], Awaitable[object]]) -> None:
        try:
            if await chore():
                self._hooks.on_settled()
        except Exception:
            log.exception("a regular chore failed", extra={"action": "chore"})

    async def _recover(self) -> bool:
        """Take back what dead processes held.

        Our own leases are prolonged first: after a suspend of the machine they have all run out,
        and the work goes on all the same.
        """
        await asyncio.gather(*(lease.beat() for lease in tuple(self._held)))
        dead = self._presence.dead(await jobs.lease_owners(self._db))
        if dead:
            await self._db.write(lambda tx: jobs.end_leases(tx, owners=dead, now=time.time()))
        taken = await self._runs.recover_expired()
        self._presence.forget(dead)
        for job in taken:
            log.warning(
                "job %d: its worker is gone; now %s", job.id, job.status.value,
                extra={"action": "recover", "job_id": job.id},
            )  # fmt: skip
        if taken:
            self.notify()
        return bool(taken)


def _unwritable(error: Exception) -> GenerationFailed:
    return GenerationFailed(
        f"The result could not be kept ({type(error).__name__}). Try again, or ask whoever runs "
        "the bot to look into its log."
    )
