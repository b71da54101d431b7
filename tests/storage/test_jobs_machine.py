"""A random walk over the ledger: whatever happens, no job is lost, doubled or miscounted."""

import itertools
import sqlite3

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pipeline.domain.errors import WrongState
from pipeline.domain.job import Job, JobKind, JobStatus
from storage import jobs, steering
from storage.errors import LeaseLost
from storage.schema_text import schema_text

SCHEMA = schema_text()
GUILDS, MEMBERS, MAX_CRASHES = (1, 2, 3), (1, 2, 3), 2


class LedgerMachine(RuleBasedStateMachine):
    """The model: what each worker believes it holds, and the highest fence of each job."""

    def __init__(self) -> None:
        super().__init__()
        self.tx = sqlite3.connect(":memory:", isolation_level=None)
        self.tx.row_factory = sqlite3.Row
        self.tx.executescript("PRAGMA foreign_keys = ON;" + SCHEMA)
        for guild in GUILDS:
            self.tx.execute(
                "INSERT INTO guild (guild_id, wrapped_key, created_at) VALUES (?, x'00', '')",
                (guild,),
            )
            self.tx.execute(
                "INSERT INTO series (id, guild_id, slug, name, reading_direction, color_mode, "
                "created_by, created_at) VALUES (?1, ?1, 's', 's', 'ltr', 'color', 1, '')",
                (guild,),
            )
        self.now = 1000.0
        self.keys = itertools.count()
        self.fences: dict[int, int] = {}
        self.held: dict[int, Job] = {}  # job → the claim that counts
        self.stale: list[Job] = []  # claims that were superseded
        self.final: dict[int, JobStatus] = {}
        self.panels: dict[int, tuple[int, int]] = {}  # job → (guild, panel)

    def teardown(self) -> None:
        self.tx.close()

    @rule(
        guild=st.sampled_from(GUILDS), member=st.sampled_from(MEMBERS), priority=st.integers(0, 2)
    )
    def ask(self, guild: int, member: int, priority: int) -> None:
        panel = self.tx.execute(
            "INSERT INTO panel (guild_id, series_id, requester_id, origin, status, brief, "
            "created_at, updated_at) VALUES (?1, ?1, ?2, 'generated', 'queued', '{}', '', '') "
            "RETURNING id",
            (guild, member),
        ).fetchone()["id"]
        job_id = jobs.enqueue(
            self.tx,
            guild_id=guild,
            member_id=member,
            kind=JobKind.GENERATE,
            panel_id=panel,
            dedupe_key=str(next(self.keys)),
            priority=priority,
            now=self.now,
        )
        self.fences[job_id] = 0
        self.panels[job_id] = (guild, panel)

    @rule(lease=st.sampled_from((5.0, 50.0)))
    def claim(self, lease: float) -> None:
        expected = self._fair_choice()
        job = jobs.claim(self.tx, owner="w", lease_seconds=lease, now=self.now)
        if job is None:
            assert expected is None
            return
        assert (job.guild_id, job.member_id) == expected
        assert job.id not in self.held, "claimed twice"
        assert job.id not in self.final, "claimed after its end"
        assert job.fence == self.fences[job.id] + 1
        self.fences[job.id] = job.fence
        self.held[job.id] = job

    def _fair_choice(self) -> tuple[int, int] | None:
        """The same choice by a plain scan over who really waits."""
        waiting = self.tx.execute(
            "SELECT DISTINCT j.guild_id, j.member_id, g.vtime AS gv, m.vtime AS mv FROM job AS j "
            "JOIN share AS g ON g.guild_id = j.guild_id AND g.member_id = 0 "
            "JOIN share AS m ON m.guild_id = j.guild_id AND m.member_id = j.member_id "
            "WHERE j.status = 'queued' AND j.held = 0"
        ).fetchall()
        best = min(
            waiting,
            key=lambda r: (r["gv"], r["guild_id"], r["mv"], r["member_id"]),
            default=None,
        )
        if best is None:
            return None
        first = self.tx.execute(
            "SELECT guild_id, member_id FROM job WHERE status = 'queued' AND held = 0 "
            "AND front > 0 AND guild_id = ? ORDER BY front DESC, id",
            (best["guild_id"],),
        ).fetchone()
        return tuple(first) if first else (best["guild_id"], best["member_id"])

    @rule(guild=st.sampled_from(GUILDS))
    def pause_or_resume(self, guild: int) -> None:
        try:
            steering.pause_series(self.tx, guild_id=guild, series_id=guild, reason="", now=self.now)
        except WrongState:
            steering.resume_series(self.tx, guild_id=guild, series_id=guild)

    @precondition(lambda self: self.panels)
    @rule(data=st.data(), first=st.booleans())
    def move(self, data: st.DataObject, first: bool) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.panels)))
        guild, panel = self.panels[job_id]
        waits = job_id not in self.final and job_id not in self.held
        try:
            steering.move(self.tx, guild_id=guild, panel_id=panel, first=first)
        except WrongState:
            assert not waits
        else:
            assert waits

    @precondition(lambda self: self.held)
    @rule(data=st.data(), status=st.sampled_from((JobStatus.DONE, JobStatus.CANCELLED)))
    def finish(self, data: st.DataObject, status: JobStatus) -> None:
        job = self.held.pop(data.draw(st.sampled_from(sorted(self.held))))
        jobs.finish(
            self.tx, job_id=job.id, fence=job.fence, status=status, seconds=1.0, now=self.now
        )
        self.stale.append(job)
        self.final[job.id] = status

    @precondition(lambda self: self.held)
    @rule(data=st.data(), graceful=st.booleans())
    def give_back(self, data: st.DataObject, graceful: bool) -> None:
        job = self.held.pop(data.draw(st.sampled_from(sorted(self.held))))
        if graceful:
            status = jobs.requeue(self.tx, job_id=job.id, fence=job.fence, now=self.now)
        else:
            status = jobs.release_crashed(
                self.tx,
                job_id=job.id,
                fence=job.fence,
                max_crashes=MAX_CRASHES,
                error="died",
                now=self.now,
            )
        self.stale.append(job)
        self._settled(job.id, status)

    @rule(seconds=st.sampled_from((1.0, 10.0, 100.0)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        for job in jobs.requeue_expired(self.tx, now=self.now, max_crashes=MAX_CRASHES):
            self.stale.append(self.held.pop(job.id))
            self._settled(job.id, job.status)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        job = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        cancel = jobs.heartbeat(
            self.tx, job_id=job.id, fence=job.fence, lease_seconds=50.0, now=self.now
        )
        row = self.tx.execute("SELECT * FROM job WHERE id = ?", (job.id,)).fetchone()
        assert cancel == bool(row["cancel_requested"])

    @precondition(lambda self: self.panels)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.panels)))
        guild, panel = self.panels[job_id]
        answer = jobs.request_cancel(self.tx, guild_id=guild, panel_id=panel, now=self.now)
        if job_id in self.final:
            assert answer is None
        elif job_id in self.held:
            assert answer is JobStatus.RUNNING
        else:
            assert answer is JobStatus.CANCELLED
            self.final[job_id] = JobStatus.CANCELLED

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def a_late_worker_speaks(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.stale))
        before = self.tx.execute("SELECT * FROM job WHERE id = ?", (job.id,)).fetchone()
        for late in (
            lambda: jobs.finish(
                self.tx, job_id=job.id, fence=job.fence, status=JobStatus.DONE, now=self.now
            ),
            lambda: jobs.heartbeat(
                self.tx, job_id=job.id, fence=job.fence, lease_seconds=5, now=self.now
            ),
        ):
            try:
                late()
            except LeaseLost:
                continue
            raise AssertionError("a late call was taken")
        after = self.tx.execute("SELECT * FROM job WHERE id = ?", (job.id,)).fetchone()
        assert tuple(before) == tuple(after)

    def _settled(self, job_id: int, status: JobStatus) -> None:
        if status is not JobStatus.QUEUED:
            self.final[job_id] = status

    @invariant()
    def no_job_is_lost_or_changed_behind_our_back(self) -> None:
        rows = self.tx.execute("SELECT id, status, fence, lease_until FROM job").fetchall()
        assert {row["id"] for row in rows} == set(self.fences)
        for row in rows:
            expected = self.final.get(
                row["id"], JobStatus.RUNNING if row["id"] in self.held else JobStatus.QUEUED
            )
            assert row["status"] == expected
            assert row["fence"] == self.fences[row["id"]]
            assert (row["lease_until"] is not None) == (row["status"] == "running")

    @invariant()
    def the_waiting_counters_are_right(self) -> None:
        wrong = self.tx.execute(
            "SELECT * FROM share WHERE waiting <> (SELECT count(*) FROM job "
            "WHERE status = 'queued' AND held = 0 AND job.guild_id = share.guild_id "
            "AND (share.member_id = 0 OR job.member_id = share.member_id))"
        ).fetchall()
        assert wrong == []

    @invariant()
    def what_waits_is_held_if_and_only_if_its_series_pauses(self) -> None:
        wrong = self.tx.execute(
            "SELECT 1 FROM job JOIN panel ON panel.id = job.panel_id "
            "JOIN series ON series.id = panel.series_id WHERE job.status = 'queued' "
            "AND job.held <> (series.paused_at IS NOT NULL)"
        ).fetchall()
        assert wrong == []

    @invariant()
    def nobody_who_waits_is_behind_the_clock(self) -> None:
        behind = self.tx.execute(
            "SELECT 1 FROM share AS child JOIN share AS parent ON parent.member_id = 0 "
            "AND parent.guild_id = iif(child.member_id = 0, 0, child.guild_id) "
            "WHERE child.waiting > 0 AND child.guild_id <> 0 AND child.vtime < parent.clock"
        ).fetchall()
        assert behind == []


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    max_examples=200,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
