"""The ledger: fair, fenced, counted, and never scanned."""

import itertools
import random
import sqlite3
from typing import Any

import pytest

from pipeline.domain.errors import AlreadyExists, NotFound
from pipeline.domain.job import JobKind, JobStatus
from storage import jobs
from storage.database import Database
from storage.errors import LeaseLost

T = 1_900_000_000.0


class Ledger:
    """Short words for a queue of one panel per guild."""

    def __init__(self, tx: sqlite3.Connection, build: Any) -> None:
        self.tx = tx
        self._build = build
        self._panels: dict[int, int] = {}
        self._keys = itertools.count()

    def panel(self, guild_id: int) -> int:
        if guild_id not in self._panels:
            series = self._build.guild(self.tx, guild_id)
            self._panels[guild_id] = self._build.panel(self.tx, guild_id, series)
        return self._panels[guild_id]

    def put(self, guild_id: int = 1, member_id: int = 1, **more: Any) -> int:
        return jobs.enqueue(
            self.tx,
            guild_id=guild_id,
            member_id=member_id,
            kind=JobKind.GENERATE,
            panel_id=self.panel(guild_id),
            dedupe_key=more.pop("dedupe_key", f"key{next(self._keys)}"),
            now=T,
            **more,
        )

    def take(self, now: float = T, lease_seconds: float = 60) -> Any:
        return jobs.claim(self.tx, owner="worker", lease_seconds=lease_seconds, now=now)

    def row(self, job_id: int) -> sqlite3.Row:
        return self.tx.execute("SELECT * FROM job WHERE id = ?", (job_id,)).fetchone()

    def counters_are_right(self) -> None:
        shares = self.tx.execute("SELECT guild_id, member_id, waiting FROM share").fetchall()
        for guild_id, member_id, waiting in shares:
            if guild_id == 0:
                assert waiting == 0
                continue
            (true,) = self.tx.execute(
                "SELECT count(*) FROM job WHERE status = 'queued' AND guild_id = ? "
                "AND (? = 0 OR member_id = ?)",
                (guild_id, member_id, member_id),
            ).fetchone()
            assert waiting == true, (guild_id, member_id)


@pytest.fixture
def ledger(tx: sqlite3.Connection, build: Any) -> Ledger:
    return Ledger(tx, build)


def test_the_life_of_a_job(ledger: Ledger) -> None:
    job_id = ledger.put(strength=2)
    job = ledger.take()
    assert (job.id, job.status, job.fence, job.strength) == (job_id, JobStatus.RUNNING, 1, 2)
    assert ledger.take() is None
    assert not jobs.heartbeat(
        ledger.tx, job_id=job_id, fence=1, lease_seconds=60, now=T + 5, progress=0.5, note="half"
    )
    row = ledger.row(job_id)
    assert (row["lease_until"], row["progress"], row["progress_note"]) == (T + 65, 0.5, "half")
    jobs.heartbeat(ledger.tx, job_id=job_id, fence=1, lease_seconds=60, now=T + 6)
    assert ledger.row(job_id)["progress_note"] == "half"
    jobs.finish(ledger.tx, job_id=job_id, fence=1, status=JobStatus.DONE, seconds=7.5, now=T + 8)
    row = ledger.row(job_id)
    assert (row["status"], row["seconds"], row["lease_owner"]) == ("done", 7.5, None)
    ledger.counters_are_right()


def test_the_same_request_is_taken_once_per_guild(ledger: Ledger) -> None:
    ledger.put(1, dedupe_key="interaction 5")
    with pytest.raises(AlreadyExists, match="queue show"):
        ledger.put(1, dedupe_key="interaction 5")
    ledger.put(2, dedupe_key="interaction 5")
    ledger.counters_are_right()


def test_a_panel_of_another_guild_is_not_found(ledger: Ledger) -> None:
    theirs = ledger.panel(2)
    ledger.panel(1)
    with pytest.raises(NotFound):
        jobs.enqueue(
            ledger.tx,
            guild_id=1,
            member_id=1,
            kind=JobKind.GENERATE,
            panel_id=theirs,
            dedupe_key="x",
            now=T,
        )


def test_every_late_call_is_fenced(ledger: Ledger) -> None:
    """Solid Queue's bug: a finish that came late was taken, and a job ran eleven times."""
    job_id = ledger.put()
    ledger.take(lease_seconds=10)
    (job,) = jobs.requeue_expired(ledger.tx, now=T + 11, max_crashes=5)
    assert job.status is JobStatus.QUEUED
    assert ledger.take(T + 12).fence == 2
    before = tuple(ledger.row(job_id))
    late: list[Any] = [
        lambda: jobs.finish(ledger.tx, job_id=job_id, fence=1, status=JobStatus.DONE, now=T),
        lambda: jobs.heartbeat(ledger.tx, job_id=job_id, fence=1, lease_seconds=9, now=T),
        lambda: jobs.requeue(ledger.tx, job_id=job_id, fence=1, now=T),
        lambda: jobs.release_crashed(
            ledger.tx, job_id=job_id, fence=1, max_crashes=3, error="x", now=T
        ),
    ]
    for call in late:
        with pytest.raises(LeaseLost):
            call()
    assert tuple(ledger.row(job_id)) == before
    jobs.finish(ledger.tx, job_id=job_id, fence=2, status=JobStatus.DONE, now=T + 13)
    for call in late:
        with pytest.raises(LeaseLost):
            call()


def test_a_live_lease_is_left_alone(ledger: Ledger) -> None:
    """Celery with Redis runs every task twice that is longer than its timeout."""
    job_id = ledger.put()
    ledger.take(lease_seconds=5)
    for second in range(1, 60):
        jobs.heartbeat(ledger.tx, job_id=job_id, fence=1, lease_seconds=5, now=T + second)
        assert jobs.requeue_expired(ledger.tx, now=T + second + 4.9, max_crashes=3) == []


def test_only_final_states_finish(ledger: Ledger) -> None:
    job_id = ledger.put()
    ledger.take()
    for status in (JobStatus.QUEUED, JobStatus.RUNNING):
        with pytest.raises(ValueError, match="not final"):
            jobs.finish(ledger.tx, job_id=job_id, fence=1, status=status, now=T)


def test_after_too_many_crashes_a_job_is_dead_with_a_reason(ledger: Ledger) -> None:
    job_id = ledger.put()
    seen = []
    for _ in range(3):
        job = ledger.take()
        seen.append(
            jobs.release_crashed(
                ledger.tx,
                job_id=job_id,
                fence=job.fence,
                max_crashes=3,
                error="the engine ran out of memory.",
                now=T,
            )
        )
    assert seen == [JobStatus.QUEUED, JobStatus.QUEUED, JobStatus.DEAD]
    row = ledger.row(job_id)
    assert "3 tries" in row["error"]
    assert "out of memory" in row["error"]
    assert (row["fence"], row["crashes"]) == (3, 3)
    assert ledger.take() is None
    ledger.counters_are_right()


def test_expired_leases_end_dead_as_well(ledger: Ledger) -> None:
    """River's bug: thousands of jobs stuck in running for ever."""
    ledger.put()
    now = T
    for status in (JobStatus.QUEUED, JobStatus.DEAD):
        ledger.take(now, lease_seconds=10)
        now += 11
        (job,) = jobs.requeue_expired(ledger.tx, now=now, max_crashes=2)
        assert job.status is status
    assert jobs.requeue_expired(ledger.tx, now=now + 99, max_crashes=2) == []


def test_leases_of_dead_owners_end_at_once(ledger: Ledger) -> None:
    """Procrastinate's bug: a restart under the same name hid the orphans."""
    dead, alive = ledger.put(), ledger.put()
    jobs.claim(ledger.tx, owner="dead", lease_seconds=60, now=T)
    jobs.claim(ledger.tx, owner="alive", lease_seconds=60, now=T)
    assert jobs.requeue_expired(ledger.tx, now=T + 1, max_crashes=3) == []
    assert jobs.end_leases(ledger.tx, owners=["dead", "unknown"], now=T + 1) == 1
    (job,) = jobs.requeue_expired(ledger.tx, now=T + 1, max_crashes=3)
    assert (job.id, job.status, job.crashes, job.fence) == (dead, JobStatus.QUEUED, 1, 1)
    assert ledger.row(alive)["lease_until"] == T + 60


def test_a_stop_puts_the_job_back_where_it_was(ledger: Ledger) -> None:
    first = ledger.put(member_id=1)
    ledger.put(member_id=2)
    job = ledger.take()
    assert job.id == first
    assert jobs.requeue(ledger.tx, job_id=first, fence=1, now=T) is JobStatus.QUEUED
    row = ledger.row(first)
    assert (row["crashes"], row["fence"], row["lease_until"]) == (0, 1, None)
    ledger.counters_are_right()
    again = ledger.take()
    assert (again.id, again.fence) == (first, 2)


def test_cancel_queued_and_running(ledger: Ledger) -> None:
    panel = ledger.panel(1)
    assert jobs.request_cancel(ledger.tx, guild_id=1, panel_id=panel, now=T) is None
    queued = ledger.put()
    assert jobs.request_cancel(ledger.tx, guild_id=2, panel_id=panel, now=T) is None
    assert jobs.request_cancel(ledger.tx, guild_id=1, panel_id=panel, now=T) is JobStatus.CANCELLED
    assert ledger.row(queued)["finished_at"] is not None
    assert ledger.take() is None
    running = ledger.put()
    ledger.take()
    assert jobs.request_cancel(ledger.tx, guild_id=1, panel_id=panel, now=T) is JobStatus.RUNNING
    assert jobs.heartbeat(ledger.tx, job_id=running, fence=1, lease_seconds=9, now=T)
    jobs.finish(ledger.tx, job_id=running, fence=1, status=JobStatus.CANCELLED, now=T)
    ledger.counters_are_right()


@pytest.mark.parametrize("way", ["crash", "stop", "expiry"])
def test_a_cancelled_job_does_not_come_back(ledger: Ledger, way: str) -> None:
    job_id = ledger.put()
    ledger.take(lease_seconds=10)
    jobs.request_cancel(ledger.tx, guild_id=1, panel_id=ledger.panel(1), now=T)
    if way == "crash":
        jobs.release_crashed(ledger.tx, job_id=job_id, fence=1, max_crashes=9, error="x", now=T)
    elif way == "stop":
        jobs.requeue(ledger.tx, job_id=job_id, fence=1, now=T)
    else:
        jobs.requeue_expired(ledger.tx, now=T + 99, max_crashes=9)
    assert ledger.row(job_id)["status"] == "cancelled"
    assert ledger.take() is None
    ledger.counters_are_right()


def test_deleted_panels_take_their_jobs_out_of_the_counters(ledger: Ledger) -> None:
    ledger.put()
    ledger.put(member_id=2)
    ledger.tx.execute("DELETE FROM panel")
    ledger.counters_are_right()
    assert ledger.take() is None


def test_one_member_with_200_jobs_holds_nobody_up(ledger: Ledger) -> None:
    for _ in range(200):
        ledger.put(member_id=1)
    hog = ledger.take()
    assert hog.member_id == 1
    for member in range(2, 22):
        ledger.put(member_id=member)
    served = [ledger.take().member_id for _ in range(21)]
    assert set(range(2, 22)) <= set(served)


def test_guilds_share_before_members_do(ledger: Ledger) -> None:
    for member in range(1, 51):
        ledger.put(guild_id=1, member_id=member)
    for _ in range(10):
        ledger.put(guild_id=2, member_id=1)
    served = [ledger.take().guild_id for _ in range(20)]
    assert served.count(2) == 10


@pytest.mark.parametrize("known", [False, True], ids=["a new guild", "a returning guild"])
def test_nobody_saves_up_credit_by_staying_away(ledger: Ledger, known: bool) -> None:
    if known:
        ledger.put(guild_id=2)
        ledger.take()
    for _ in range(50):
        ledger.put(guild_id=1)
        ledger.take()
    # Guild 2 was away while guild 1 was served 50 times: from now on they take turns.
    for _ in range(10):
        ledger.put(guild_id=2)
        ledger.put(guild_id=1)
    served = [ledger.take().guild_id for _ in range(20)]
    for start in range(0, 20, 4):
        assert served[start : start + 4].count(1) == 2


def test_coming_and_going_brings_nothing(ledger: Ledger) -> None:
    """A member that asks for one at a time gets no more than one that asks for all at once."""
    for _ in range(30):
        ledger.put(member_id=1)
    served = []
    for _ in range(30):
        ledger.put(member_id=2)
        served.append(ledger.take().member_id)
    assert 14 <= served.count(1) <= 16


def test_priority_orders_within_a_member_only(ledger: Ledger) -> None:
    low = ledger.put(member_id=1)
    high = ledger.put(member_id=1, priority=5)
    other = ledger.put(member_id=2)
    assert [ledger.take().id for _ in range(3)] == [high, other, low]


def test_a_crashing_job_pays_for_each_try(ledger: Ledger) -> None:
    bad = ledger.put(member_id=1)
    others = [ledger.put(member_id=member) for member in (2, 3)]
    job = ledger.take()
    assert job.id == bad
    jobs.release_crashed(ledger.tx, job_id=bad, fence=job.fence, max_crashes=9, error="x", now=T)
    assert [ledger.take().id for _ in range(3)] == [*others, bad]


def test_claim_never_scans_the_backlog(ledger: Ledger) -> None:
    """Counted in SQLite's own virtual machine steps: the same with 20 and with 2,000 waiting."""
    steps = []
    for total in (20, 2000):
        while ledger.tx.execute("SELECT count(*) FROM job").fetchone()[0] < total:
            ledger.put(guild_id=random.Random(total).randint(1, 3), member_id=1)
        count = [0]

        def step(count: list[int] = count) -> int:
            count[0] += 1
            return 0

        ledger.tx.set_progress_handler(step, 1)
        assert ledger.take() is not None
        ledger.tx.set_progress_handler(None, 1)
        steps.append(count[0])
    assert steps[1] <= steps[0] * 1.2
    plan = ledger.tx.execute(
        "EXPLAIN QUERY PLAN " + jobs.CLAIM, {"owner": "", "until": 0, "started": ""}
    ).fetchall()
    details = [row["detail"] for row in plan]
    assert not [detail for detail in details if detail.startswith("SCAN job")]
    assert any("share_guilds" in detail for detail in details)
    assert any("share_members" in detail for detail in details)
    assert any("job_queued" in detail for detail in details)


async def test_positions_are_the_order_of_claims(db: Database, build: Any) -> None:
    rng = random.Random(7)

    def fill(tx: sqlite3.Connection) -> None:
        ledger = Ledger(tx, build)
        for _ in range(60):
            ledger.put(rng.randint(1, 4), rng.randint(1, 3), priority=rng.randint(0, 2))
            if rng.random() < 0.4:
                ledger.take()

    await db.write(fill)
    places: dict[int, int] = {}
    for guild_id in range(1, 5):
        for job, place in await jobs.queue_places(db, guild_id):
            assert job.guild_id == guild_id
            assert await jobs.place_of(db, job.id) == place
            places[place.position] = job.id

    def drain(tx: sqlite3.Connection) -> list[int]:
        served = []
        while (job := jobs.claim(tx, owner="w", lease_seconds=60, now=T)) is not None:
            served.append(job.id)
        return served

    served = await db.write(drain)
    assert [places[position] for position in range(1, len(served) + 1)] == served
    assert len(places) == len(served)
    assert await jobs.place_of(db, served[0]) is None


async def test_estimates_need_three_measured_jobs(db: Database, build: Any) -> None:
    def work(tx: sqlite3.Connection, seconds: list[float]) -> None:
        ledger = Ledger(tx, build)
        ledger._panels[1] = tx.execute("SELECT min(id) FROM panel").fetchone()[0]
        for number, spent in enumerate(seconds):
            ledger.put(dedupe_key=f"{spent} {number} {len(seconds)}")
            job = ledger.take()
            jobs.finish(
                tx,
                job_id=job.id,
                fence=job.fence,
                status=JobStatus.DONE,
                seconds=spent,
                now=T + spent,
            )

    await db.write(lambda tx: build.panel(tx, 1, build.guild(tx, 1)))
    await db.write(lambda tx: work(tx, [10.0, 20.0]))

    def wait(tx: sqlite3.Connection) -> None:
        ledger = Ledger(tx, build)
        ledger._panels[1] = tx.execute("SELECT min(id) FROM panel").fetchone()[0]
        for number in range(2):
            ledger.put(dedupe_key=f"wait {number}", member_id=5)

    await db.write(wait)
    etas = [place.eta_seconds for _, place in await jobs.queue_places(db, 1)]
    assert etas == [None, None]
    await db.write(lambda tx: jobs.claim(tx, owner="w", lease_seconds=9, now=T))
    ((_, place),) = await jobs.queue_places(db, 1)
    assert (place.position, place.ahead) == (1, 1)  # the running one is ahead

    def measure(tx: sqlite3.Connection) -> None:
        # Twenty more recent jobs of 30 s are the latest of their kind.
        tx.execute(
            "INSERT INTO job (guild_id, member_id, kind, panel_id, dedupe_key, status, seconds, "
            "created_at, finished_at) SELECT 1, 1, 'generate', (SELECT min(id) FROM panel), "
            "'m' || value, 'done', 30.0, '2099-01-01T00:00:00+00:00', '2099-01-01T00:00:30+00:00' FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,"
            "13,14,15,16,17,18,19,20]')"
        )

    await db.write(measure)
    ((_, place),) = await jobs.queue_places(db, 1, now=T + 10)
    # its own 30 s, and what is left of the one that runs
    assert place.eta_seconds == pytest.approx(50.0, abs=1)
    assert (place.eta_low, place.eta_high) == (None, None), "nobody knows how far off that is"


async def test_reads_of_a_guild(db: Database, build: Any) -> None:
    made = await db.write(lambda tx: build.everything(tx, 1))
    assert (await jobs.get_job(db, 1, made.job_id)).panel_id == made.reviewed_panel
    with pytest.raises(NotFound):
        await jobs.get_job(db, 2, made.job_id)
    latest = await jobs.job_of_panel(db, 1, made.queued_panel)
    assert latest is not None
    assert latest.id == made.queued_job
    assert await jobs.queued_or_running(db, 1, 21) == 2
    assert [job.id for job in await jobs.running_jobs(db, 1)] == [made.job_id]
