"""The dispatcher over the real ledger: whatever dies, a job has one exit and one post."""

import asyncio
import importlib
import io
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from bot.queue.dispatcher import Dispatcher, Hooks
from bot.queue.executors.base import WorkerCrashed, WorkerUnavailable
from bot.queue.executors.local import LocalExecutor
from bot.queue.presence import Presence
from bot.queue.timing import QueueTiming
from bot.services.runs import MAX_CRASHES, RunService
from pipeline.domain.character import ColorMode, ReadingDirection, ShotType
from pipeline.domain.errors import Cancelled, GenerationFailed, WrongState
from pipeline.domain.fingerprint import PictureHashes
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.job import Job, JobKind, JobStatus
from pipeline.domain.panel import Candidate, CastRole, PanelBrief, PanelOrigin, PanelStatus
from pipeline.domain.quality import (
    Accept,
    Attempt,
    CandidateReport,
    JudgedCandidate,
    PanelOutcome,
    Verdict,
)
from storage import jobs, panels, series
from storage.blobs import BlobStore
from storage.database import Database, open_database
from storage.errors import DatabaseError, LeaseLost
from storage.keys import Keyring

GUILD, MEMBER = 100, 7
QUICK = QueueTiming(
    lease=60, beat=0.05, progress=0.05, poll=0.05, finish=0.05, cancel=5, restart_most=0.02
)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(file, "PNG")
    return file.getvalue()


def outcome() -> PanelOutcome:
    judged = JudgedCandidate(
        Candidate(picture(), Size(8, 8)),
        PictureHashes("test-1", None, None, None),
        CandidateReport(Verdict.ON_MODEL, ()),
    )
    return PanelOutcome((Attempt(1, None, (judged,), 0.1),), Accept(((0, 0),)), None, 0.1)


Script = Callable[
    [PanelInputs, Callable[[float, str], None], asyncio.Event], Awaitable[PanelOutcome]
]


async def draw(inputs, on_progress, cancelled) -> PanelOutcome:
    return outcome()


async def until_cancelled(inputs, on_progress, cancelled) -> PanelOutcome:
    await cancelled.wait()
    raise Cancelled("Cancelled.")


def raising(error: Exception) -> Script:
    async def script(inputs, on_progress, cancelled):
        raise error

    return script


@dataclass
class ScriptedExecutor:
    """Runs coroutines instead of a model; the real process has tests of its own."""

    script: Script = draw
    start_errors: list[Exception] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    stopped: bool = False
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        if self.start_errors:
            raise self.start_errors.pop(0)

    async def run(self, inputs, *, on_progress, cancelled):
        self.runs.append(inputs.panel_id)
        self.began.set()
        return await self.script(inputs, on_progress, cancelled)

    async def stop(self) -> None:
        self.stopped = True


@dataclass
class Room:
    """A database with one guild and what the tests ask of it."""

    db: Database
    runs: RunService
    asked: int = 0

    async def ask(
        self,
        *,
        member: int = MEMBER,
        cast: tuple[CastRole, ...] = (),
        prompt: str = "a street",
    ) -> int:
        """Write a panel and its job as the service does; returns the panel's id."""
        self.asked += 1
        number = self.asked

        def work(tx) -> int:
            now = datetime.now(UTC)
            panel_id = panels.create_panel(
                tx,
                guild_id=GUILD,
                series_id=1,
                requester_id=member,
                origin=PanelOrigin.GENERATED,
                brief=PanelBrief(prompt, cast, ShotType.HALF),
                channel_id=None,
                submission_sha256=None,
                now=now,
            )
            jobs.enqueue(
                tx,
                guild_id=GUILD,
                member_id=member,
                kind=JobKind.GENERATE,
                panel_id=panel_id,
                dedupe_key=f"key {number}",
                now=now.timestamp(),
            )
            return panel_id

        return await self.db.write(work)

    async def claim(self, *, owner: str = "somebody else", lease: float = 60) -> Job:
        job = await self.db.write(
            lambda tx: jobs.claim(tx, owner=owner, lease_seconds=lease, now=time.time())
        )
        assert job is not None
        return job

    async def cancel(self, panel_id: int) -> JobStatus | None:
        return await self.db.write(
            lambda tx: jobs.request_cancel(tx, guild_id=GUILD, panel_id=panel_id, now=time.time())
        )

    async def job(self, panel_id: int) -> Job:
        job = await jobs.job_of_panel(self.db, GUILD, panel_id)
        assert job is not None
        return job

    async def status(self, panel_id: int) -> tuple[JobStatus, PanelStatus]:
        panel = await panels.get_panel(self.db, GUILD, panel_id)
        return (await self.job(panel_id)).status, panel.status

    async def owed(self) -> list[tuple[str, int]]:
        rows = await self.db.fetch_all("SELECT kind, subject_id FROM outbox ORDER BY id")
        return [(row["kind"], row["subject_id"]) for row in rows]

    async def settled(self, *panel_ids: int) -> None:
        """Wait until these panels' jobs are final."""
        live = (JobStatus.QUEUED, JobStatus.RUNNING)
        for panel_id in panel_ids:
            await until(lambda panel_id=panel_id: self._is_not(panel_id, live))

    async def _is_not(self, panel_id: int, statuses: tuple[JobStatus, ...]) -> bool:
        return (await self.job(panel_id)).status not in statuses


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again; the test's time limit is the only clock."""
    while not await condition():  # noqa: ASYNC110 - what is waited for is a row of a database
        await asyncio.sleep(0.005)


@pytest.fixture
async def room(tmp_path) -> AsyncIterator[Room]:
    async with open_database(tmp_path / "onmodel.db") as db:
        keyring = Keyring(db, bytes(32))
        await keyring.guild_key(GUILD)
        await db.write(
            lambda tx: series.create_series(
                tx,
                guild_id=GUILD,
                name="Night Shift",
                style="",
                reading_direction=ReadingDirection.LTR,
                color_mode=ColorMode.COLOR,
                created_by=MEMBER,
                now=datetime.now(UTC),
            )
        )
        yield Room(db, RunService(db, BlobStore(tmp_path / "blobs", keyring)))


@asynccontextmanager
async def dispatching(
    room: Room, *executors: ScriptedExecutor, timing=QUICK, hooks=None, runs=None
):
    dispatcher = Dispatcher(room.db, runs or room.runs, executors, hooks=hooks, timing=timing)
    stop = asyncio.Event()
    task = asyncio.create_task(dispatcher.run(stop))
    try:
        yield dispatcher
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=task.cancelled())


# --- the good way -------------------------------------------------------------------------


async def test_a_job_is_run_settled_and_owed_once(room):
    panel_id = await room.ask()
    settled = []
    executor = ScriptedExecutor()
    async with dispatching(room, executor, hooks=Hooks(on_settled=lambda: settled.append(1))):
        await room.settled(panel_id)
    assert await room.status(panel_id) == (JobStatus.DONE, PanelStatus.ACCEPTED)
    assert await room.owed() == [("vote_card", panel_id)]
    assert settled == [1]
    assert executor.stopped


async def test_new_work_is_noticed_at_once_when_told(room):
    slow = QueueTiming(poll=3600, beat=3600)
    async with dispatching(room, ScriptedExecutor(), timing=slow) as dispatcher:
        first = await room.ask()
        dispatcher.notify()
        await room.settled(first)
        second = await room.ask()
        dispatcher.notify()
        await room.settled(second)


async def test_work_added_by_another_process_is_found_without_being_told(room):
    async with dispatching(room, ScriptedExecutor()):
        panel_id = await room.ask()
        await room.settled(panel_id)


async def test_executors_work_side_by_side_and_each_job_runs_once(room):
    together = asyncio.Barrier(3)

    async def meet(inputs, on_progress, cancelled):
        await together.wait()
        return outcome()

    ids = [await room.ask() for _ in range(6)]
    executors = [ScriptedExecutor(meet) for _ in range(3)]
    async with dispatching(room, *executors):
        await room.settled(*ids)
    assert sorted(number for executor in executors for number in executor.runs) == ids
    assert len(await room.owed()) == 6


async def test_a_failure_for_people_reaches_them_with_its_words(room):
    panel_id = await room.ask()
    async with dispatching(room, ScriptedExecutor(raising(GenerationFailed("No ink is left.")))):
        await room.settled(panel_id)
    panel = await panels.get_panel(room.db, GUILD, panel_id)
    assert (panel.status, panel.failure) == (PanelStatus.FAILED, "No ink is left.")
    assert await room.owed() == [("panel_failed", panel_id)]


async def test_a_bug_becomes_a_sentence_and_the_queue_goes_on(room, caplog):
    first, second = await room.ask(), await room.ask()
    scripts = [raising(ZeroDivisionError("secret")), draw]

    async def one_after_another(*arguments):
        return await scripts.pop(0)(*arguments)

    async with dispatching(room, ScriptedExecutor(one_after_another)):
        await room.settled(first, second)
    panel = await panels.get_panel(room.db, GUILD, first)
    assert "ZeroDivisionError" in panel.failure
    assert "secret" not in panel.failure
    assert (await room.status(second))[0] is JobStatus.DONE


async def test_a_character_that_was_deleted_meanwhile_fails_the_panel(room):
    panel_id = await room.ask(cast=(CastRole("ch_gone", "gone_s1"),))
    executor = ScriptedExecutor()
    async with dispatching(room, executor):
        await room.settled(panel_id)
    assert await room.status(panel_id) == (JobStatus.DEAD, PanelStatus.FAILED)
    assert executor.runs == []


# --- what broke elsewhere -------------------------------------------------------------------


async def test_a_late_finish_is_fenced_off(room):
    """Solid Queue let a worker finish a job that was no longer its own."""
    panel_id = await room.ask()
    release = asyncio.Event()

    async def late(inputs, on_progress, cancelled):
        await release.wait()
        return outcome()

    frozen = ScriptedExecutor(late)
    asleep = QueueTiming(lease=0.01, beat=3600, poll=3600)  # as a suspended machine
    async with dispatching(room, frozen, timing=asleep):
        await frozen.began.wait()
        awake = ScriptedExecutor()
        async with dispatching(room, awake):
            await room.settled(panel_id)
        release.set()
    assert (len(frozen.runs), len(awake.runs)) == (1, 1)
    assert await room.owed() == [("vote_card", panel_id)]
    attempts = await room.db.fetch_all("SELECT id FROM attempt")
    assert len(attempts) == 1
    assert await room.status(panel_id) == (JobStatus.DONE, PanelStatus.ACCEPTED)


async def test_a_late_failure_is_fenced_off_too(room):
    panel_id = await room.ask()
    stale = await room.claim(lease=-1)
    async with dispatching(room, ScriptedExecutor()):
        await room.settled(panel_id)
    for write in (
        room.runs.fail(stale, GenerationFailed("late")),
        room.runs.cancelled(stale),
        room.runs.release_crashed(stale, "late"),
        room.runs.requeue(stale),
        room.runs.complete(stale, outcome()),
    ):
        with pytest.raises(LeaseLost):
            await write
    assert await room.status(panel_id) == (JobStatus.DONE, PanelStatus.ACCEPTED)
    assert await room.owed() == [("vote_card", panel_id)]


async def test_a_late_start_does_not_reopen_a_finished_panel(room):
    panel_id = await room.ask()
    stale = await room.claim(lease=-1)
    async with dispatching(room, ScriptedExecutor()):
        await room.settled(panel_id)
    with pytest.raises(WrongState):
        await room.runs.inputs_for(stale)
    assert await room.status(panel_id) == (JobStatus.DONE, PanelStatus.ACCEPTED)


async def test_jobs_of_a_dead_process_do_not_stay_running(room):
    """River left thousands of jobs running after crashes."""
    ids = [await room.ask() for _ in range(5)]
    for _ in ids:
        await room.claim(lease=-1)
    async with dispatching(room, ScriptedExecutor()):
        await room.settled(*ids)
    assert [(await room.job(i)).crashes for i in ids] == [1] * 5
    assert sorted(await room.owed()) == [("vote_card", i) for i in ids]


async def test_a_lease_that_runs_out_later_is_noticed_without_a_restart(room):
    panel_id = await room.ask()
    await room.claim(lease=0.2)
    async with dispatching(room, ScriptedExecutor()):
        await room.settled(panel_id)
    assert (await room.job(panel_id)).fence == 2


async def test_a_restart_never_takes_its_dead_self_for_alive(room):
    """procrastinate hid orphans behind a worker id that was used again."""
    first = Dispatcher(room.db, room.runs, [])
    second = Dispatcher(room.db, room.runs, [])
    assert first.owner != second.owner
    panel_id = await room.ask()
    await room.claim(owner=first.owner, lease=-1)
    async with dispatching(room, ScriptedExecutor()):
        await room.settled(panel_id)
    assert (await room.job(panel_id)).status is JobStatus.DONE


async def test_a_killed_process_is_noticed_before_its_lease_runs_out(room):
    dead = Presence(room.db.path.parent / "owners")
    with Presence(room.db.path.parent / "owners") as alive:
        lost, kept = await room.ask(), await room.ask()
        await room.claim(owner=dead.name, lease=3600)
        await room.claim(owner=alive.name, lease=3600)
        (room.db.path.parent / "owners" / f"{dead.name.rpartition(':')[2]}.lock").touch()
        async with dispatching(room, ScriptedExecutor()):
            await room.settled(lost)
        assert await room.status(kept) == (JobStatus.RUNNING, PanelStatus.QUEUED)
    job = await room.job(lost)
    assert (job.status, job.crashes, job.fence) == (JobStatus.DONE, 1, 2)


async def test_a_job_longer_than_its_lease_is_not_started_twice(room):
    """Celery on Redis, and taskiq on NATS, start such a task again."""
    panel_id = await room.ask()
    over = asyncio.Event()

    async def long(inputs, on_progress, cancelled):
        await over.wait()
        return outcome()

    timing = QueueTiming(lease=2.0, beat=0.05, poll=0.05)
    first, second = ScriptedExecutor(long), ScriptedExecutor(long)
    async with dispatching(room, first, timing=timing), dispatching(room, second, timing=timing):

        async def claimed() -> bool:
            return await lease_until(room, panel_id) is not None

        await until(claimed)
        claimed_until = await lease_until(room, panel_id)

        async def held_for_two_leases() -> bool:
            return await lease_until(room, panel_id) > claimed_until + 2 * timing.lease

        await until(held_for_two_leases)
        over.set()
        await room.settled(panel_id)
    job = await room.job(panel_id)
    assert len(first.runs) + len(second.runs) == 1
    assert (job.status, job.fence, job.crashes) == (JobStatus.DONE, 1, 0)


async def lease_until(room: Room, panel_id: int) -> float | None:
    row = await room.db.fetch_one("SELECT lease_until FROM job WHERE panel_id = ?", (panel_id,))
    return row["lease_until"]


async def test_the_fence_only_grows(room):
    """A generation that is reset lets an old holder write again."""
    panel_id = await room.ask()
    fences = [(await room.claim(lease=-1)).fence]
    await room.runs.recover_expired()
    second = await room.claim()
    fences.append(second.fence)
    await room.runs.requeue(second)
    third = await room.claim()
    fences.append(third.fence)
    await room.runs.release_crashed(third, "crashed")
    fences.append((await room.claim()).fence)
    assert fences == [1, 2, 3, 4]
    assert (await room.job(panel_id)).fence == 4


async def test_our_own_leases_survive_a_suspend(room):
    """After a suspend every lease has run out; the work is prolonged, not thrown away."""
    panel_id = await room.ask()
    over = asyncio.Event()

    async def long(inputs, on_progress, cancelled):
        await over.wait()
        return outcome()

    executor = ScriptedExecutor(long)
    async with dispatching(room, executor, timing=QueueTiming(beat=3600)) as dispatcher:
        await executor.began.wait()
        await room.db.write(lambda tx: tx.execute("UPDATE job SET lease_until = 1") and None)
        assert not await dispatcher._recover()
        over.set()
        await room.settled(panel_id)
    job = await room.job(panel_id)
    assert (job.status, job.crashes, job.fence) == (JobStatus.DONE, 0, 1)


# --- crashes --------------------------------------------------------------------------------


async def test_a_crash_returns_the_job_and_then_it_succeeds(room):
    panel_id = await room.ask()
    scripts = [raising(WorkerCrashed("The drawing process crashed (SIGSEGV).")), draw]

    async def one_after_another(*arguments):
        return await scripts.pop(0)(*arguments)

    executor = ScriptedExecutor(one_after_another)
    async with dispatching(room, executor):
        await room.settled(panel_id)
    job = await room.job(panel_id)
    assert (job.status, job.crashes, len(executor.runs)) == (JobStatus.DONE, 1, 2)


async def test_a_job_that_always_crashes_is_given_up_with_a_reason(room):
    panel_id = await room.ask()
    executor = ScriptedExecutor(raising(WorkerCrashed("The drawing process crashed (SIGSEGV).")))
    async with dispatching(room, executor):
        await room.settled(panel_id)
    assert len(executor.runs) == MAX_CRASHES
    panel = await panels.get_panel(room.db, GUILD, panel_id)
    assert panel.status is PanelStatus.FAILED
    assert "SIGSEGV" in panel.failure
    assert await room.owed() == [("panel_failed", panel_id)]


async def test_a_worker_that_does_not_start_is_nobodys_fault(room, caplog):
    panel_id = await room.ask()
    broken = [WorkerUnavailable("The engine is not there.")] * (MAX_CRASHES + 2)
    executor = ScriptedExecutor(start_errors=list(broken))
    async with dispatching(room, executor) as dispatcher:
        await until_true(lambda: dispatcher.trouble == "The engine is not there.")
        await room.settled(panel_id)
        assert dispatcher.trouble is None
    job = await room.job(panel_id)
    assert (job.status, job.crashes, job.fence) == (JobStatus.DONE, 0, 1)
    assert caplog.text.count("The engine is not there.") == len(broken)


async def until_true(condition: Callable[[], bool]) -> None:
    async def ask() -> bool:
        return condition()

    await until(ask)


async def test_stop_interrupts_the_wait_for_a_worker_that_does_not_start(room):
    await room.ask()
    executor = ScriptedExecutor(start_errors=[WorkerUnavailable("no")] * 10_000)
    async with dispatching(room, executor, timing=QueueTiming(restart_most=3600)) as dispatcher:
        await until_true(lambda: dispatcher.trouble is not None)
    assert executor.stopped


# --- cancelling -----------------------------------------------------------------------------


async def test_a_running_job_is_cancelled_at_once_when_told(room):
    panel_id = await room.ask()
    executor = ScriptedExecutor(until_cancelled)
    slow = QueueTiming(beat=3600, poll=3600)
    async with dispatching(room, executor, timing=slow) as dispatcher:
        await executor.began.wait()
        assert await room.cancel(panel_id) is JobStatus.RUNNING
        dispatcher.notify_cancel()
        await room.settled(panel_id)
    assert await room.status(panel_id) == (JobStatus.CANCELLED, PanelStatus.CANCELLED)
    assert await room.owed() == []


async def test_a_cancel_from_elsewhere_is_seen_by_the_heartbeat(room):
    panel_id = await room.ask()
    executor = ScriptedExecutor(until_cancelled)
    async with dispatching(room, executor):
        await executor.began.wait()
        await room.cancel(panel_id)
        await room.settled(panel_id)
    assert await room.status(panel_id) == (JobStatus.CANCELLED, PanelStatus.CANCELLED)


@pytest.mark.parametrize(
    "end",
    [draw, raising(WorkerCrashed("x")), raising(GenerationFailed("y"))],
    ids=["drawn", "crashed", "failed"],
)
async def test_a_cancel_wins_over_any_other_end(room, end):
    panel_id = await room.ask()

    async def stubborn(inputs, on_progress, cancelled):
        await cancelled.wait()
        return await end(inputs, on_progress, cancelled)

    executor = ScriptedExecutor(stubborn)
    async with dispatching(room, executor):
        await executor.began.wait()
        await room.cancel(panel_id)
        await room.settled(panel_id)
    assert await room.status(panel_id) == (JobStatus.CANCELLED, PanelStatus.CANCELLED)
    assert await room.owed() == []


async def test_a_cancel_that_only_a_dead_process_knew_is_kept(room):
    """Whoever takes the job back writes the cancel into the panel too."""
    ids = [await room.ask() for _ in range(3)]
    for lease in (-1, 60, 60):
        await room.claim(lease=lease)
    for panel_id in ids:
        await room.cancel(panel_id)
    crashed, stopped = await room.job(ids[1]), await room.job(ids[2])
    await room.runs.recover_expired()
    await room.runs.release_crashed(crashed, "x")
    await room.runs.requeue(stopped)
    for panel_id in ids:
        assert await room.status(panel_id) == (JobStatus.CANCELLED, PanelStatus.CANCELLED)
    assert await room.owed() == []


# --- stopping -------------------------------------------------------------------------------


async def test_a_stop_puts_the_running_job_back_uncounted(room):
    panel_id = await room.ask()
    executor = ScriptedExecutor(until_cancelled)
    async with dispatching(room, executor):
        await executor.began.wait()
    job = await room.job(panel_id)
    assert await room.status(panel_id) == (JobStatus.QUEUED, PanelStatus.QUEUED)
    assert (job.crashes, executor.stopped) == (0, True)
    async with dispatching(room, ScriptedExecutor()):
        await room.settled(panel_id)


async def test_a_stop_waits_a_moment_for_a_job_that_is_almost_done(room):
    panel_id = await room.ask()
    stop_seen = asyncio.Event()

    async def almost(inputs, on_progress, cancelled):
        await stop_seen.wait()
        return outcome()

    executor = ScriptedExecutor(almost)
    async with dispatching(room, executor, timing=QueueTiming(finish=60)):
        await executor.began.wait()
        asyncio.get_running_loop().call_later(0.02, stop_seen.set)
    assert (await room.status(panel_id))[0] is JobStatus.DONE


async def test_a_stop_does_not_wait_for_a_run_that_ignores_it(room):
    panel_id = await room.ask()

    async def deaf(inputs, on_progress, cancelled):
        await asyncio.Event().wait()
        raise AssertionError

    executor = ScriptedExecutor(deaf)
    async with dispatching(room, executor, timing=QueueTiming(finish=0.01, cancel=0.01)):
        await executor.began.wait()
    assert await room.status(panel_id) == (JobStatus.QUEUED, PanelStatus.QUEUED)


@pytest.mark.timeout(60)
async def test_a_stop_takes_less_than_ten_seconds_even_with_a_deaf_worker(
    room, tmp_path, monkeypatch
):
    """The real process and the real times: the promise is made to whoever runs the service."""
    monkeypatch.syspath_prepend(Path(__file__).parent)  # a spawned worker inherits it
    flag = tmp_path / "flag"
    panel_id = await room.ask(prompt=f"stubborn {flag}")
    executor = LocalExecutor(importlib.import_module("scripted_work").factory)
    stop = asyncio.Event()
    task = asyncio.create_task(Dispatcher(room.db, room.runs, [executor]).run(stop))
    await until_true(flag.exists)
    stop.set()
    async with asyncio.timeout(10):
        await task
    job = await room.job(panel_id)
    assert (job.status, job.crashes, executor.pid) == (JobStatus.QUEUED, 0, None)


class GatedRuns(RunService):
    """Writes its results only when told to, and may fail first."""

    def __init__(self, room: Room, *errors: Exception) -> None:
        super().__init__(room.db, room.runs._blobs)
        self.began, self.gate = asyncio.Event(), asyncio.Event()
        self.errors = list(errors)

    async def complete(self, job, result):
        self.began.set()
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        await super().complete(job, result)


async def test_the_final_write_is_not_torn_by_a_cancellation(room):
    panel_id = await room.ask()
    runs = GatedRuns(room)
    dispatcher = Dispatcher(room.db, runs, [ScriptedExecutor()], timing=QUICK)
    task = asyncio.create_task(dispatcher.run(asyncio.Event()))
    await runs.began.wait()
    task.cancel()
    await asyncio.sleep(0)
    runs.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await room.status(panel_id) == (JobStatus.DONE, PanelStatus.ACCEPTED)
    assert await room.owed() == [("vote_card", panel_id)]


async def test_a_cancelled_dispatcher_puts_its_job_back(room):
    panel_id = await room.ask()
    executor = ScriptedExecutor(until_cancelled)
    dispatcher = Dispatcher(room.db, room.runs, [executor], timing=QUICK)
    task = asyncio.create_task(dispatcher.run(asyncio.Event()))
    await executor.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await room.status(panel_id) == (JobStatus.QUEUED, PanelStatus.QUEUED)
    assert executor.stopped


async def test_a_result_is_written_again_when_the_database_was_busy(room):
    panel_id = await room.ask()
    runs = GatedRuns(room, DatabaseError("busy"))
    runs.gate.set()
    executor = ScriptedExecutor()
    async with dispatching(room, executor, runs=runs):
        await room.settled(panel_id)
    assert (await room.status(panel_id))[0] is JobStatus.DONE
    assert len(executor.runs) == 1


async def test_a_result_that_cannot_be_kept_is_a_failure_with_words(room):
    panel_id = await room.ask()
    runs = GatedRuns(room, PermissionError("/secret"))
    runs.gate.set()
    async with dispatching(room, ScriptedExecutor(), runs=runs):
        await room.settled(panel_id)
    panel = await panels.get_panel(room.db, GUILD, panel_id)
    assert panel.status is PanelStatus.FAILED
    assert "PermissionError" in panel.failure


# --- progress and chores --------------------------------------------------------------------


async def test_progress_is_told_and_written_but_not_more_often_than_agreed(room):
    panel_id = await room.ask()
    told: list[tuple[int, float, str]] = []
    once = asyncio.Event()

    async def tell(job: Job, fraction: float, note: str) -> None:
        told.append((job.panel_id, fraction, note))
        once.set()

    async def chatty(inputs, on_progress, cancelled):
        on_progress(0.0, "step 0")
        await once.wait()
        for step in range(1, 100):
            on_progress(step / 100, f"step {step}")
            await asyncio.sleep(0.001)
        return outcome()

    timing = QueueTiming(progress=3600, beat=0.01)
    async with dispatching(
        room, ScriptedExecutor(chatty), timing=timing, hooks=Hooks(on_progress=tell)
    ):
        await room.settled(panel_id)
    assert told == [(panel_id, 0.0, "step 0")]


async def test_the_latest_progress_arrives(room):
    panel_id = await room.ask()
    told: list[str] = []
    last = asyncio.Event()

    async def tell(job: Job, fraction: float, note: str) -> None:
        told.append(note)
        if note == "step 99":
            last.set()

    async def chatty(inputs, on_progress, cancelled):
        for step in range(100):
            on_progress(step / 100, f"step {step}")
        await last.wait()
        row = await room.db.fetch_one("SELECT progress, progress_note FROM job")
        assert (row["progress"], row["progress_note"]) == (0.99, "step 99")
        return outcome()

    async with dispatching(room, ScriptedExecutor(chatty), hooks=Hooks(on_progress=tell)):
        await room.settled(panel_id)
    assert (await room.status(panel_id))[0] is JobStatus.DONE
    assert told == ["step 99"]


async def test_a_slow_or_broken_listener_does_not_cost_the_lease(room, caplog):
    panel_id = await room.ask()
    calls = []

    async def slow(job: Job, fraction: float, note: str) -> None:
        calls.append(note)
        if len(calls) == 1:
            raise RuntimeError("Discord is down")
        await asyncio.Event().wait()

    async def chatty(inputs, on_progress, cancelled):
        while len(calls) < 2:
            on_progress(0.5, "drawing")
            await asyncio.sleep(0.005)
        before = await lease_until(room, panel_id)

        async def prolonged() -> bool:
            return (await lease_until(room, panel_id) or 0) > (before or 0)

        await until(prolonged)
        return outcome()

    hooks = Hooks(on_progress=slow)
    async with dispatching(room, ScriptedExecutor(chatty), hooks=hooks):
        await room.settled(panel_id)
    assert (await room.status(panel_id))[0] is JobStatus.DONE
    assert "Discord is down" in caplog.text


async def test_chores_are_done_regularly_and_a_broken_one_harms_no_other(room, caplog):
    done, settled = [], []

    async def broken() -> None:
        raise RuntimeError("no votes today")

    async def chore() -> int:
        done.append(1)
        return len(done) == 2

    hooks = Hooks(on_settled=lambda: settled.append(len(done)), chores=(broken, chore))
    with caplog.at_level(logging.ERROR):
        async with dispatching(room, ScriptedExecutor(), hooks=hooks):
            await until_true(lambda: len(done) >= 3)
    assert settled == [2]
    assert "no votes today" in caplog.text
