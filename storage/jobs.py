"""The job ledger: leases with a fencing token, and a fair share for guilds and members.

The counters of the table ``share`` follow the jobs by triggers (see the first migration), so that
claim is one statement that looks at three index entries, however long the backlog is.

Source:
    Fairness is start-time fair queueing: P. Goyal, H. Vin, H. Cheng, "Start-time Fair Queuing",
    SIGCOMM 1996, with unit cost, on two levels (guilds, then members of a guild).
"""

import json
import sqlite3
import statistics
from collections.abc import Sequence

from pipeline.domain.errors import AlreadyExists, NotFound
from pipeline.domain.job import Job, JobKind, JobStatus, QueuePlace
from storage.database import Database
from storage.errors import LeaseLost
from storage.times import from_text, to_text

MEASURED_LEAST, MEASURED_MOST = 3, 20
"""How many finished jobs an estimate needs, and how many of the latest it looks at."""

CLAIM = """
WITH next_guild AS MATERIALIZED (
    SELECT guild_id FROM share WHERE member_id = 0 AND waiting > 0
    ORDER BY vtime, guild_id LIMIT 1
), next_member AS MATERIALIZED (
    SELECT guild_id, member_id FROM share
    WHERE guild_id = (SELECT guild_id FROM next_guild) AND member_id <> 0 AND waiting > 0
    ORDER BY vtime, member_id LIMIT 1
)
UPDATE job SET status = 'running', fence = fence + 1, lease_owner = :owner, lease_until = :until,
               started_at = :started, progress = 0, progress_note = ''
WHERE id = (
    SELECT id FROM job WHERE status = 'queued'
    AND guild_id = (SELECT guild_id FROM next_member)
    AND member_id = (SELECT member_id FROM next_member)
    ORDER BY priority DESC, id LIMIT 1
)
RETURNING *
"""

# A waiting job's start tag is its member's (guild's) vtime plus the number of jobs of the same
# member (guild) before it; the order of tags is the order of claims. Of other guilds only their
# counters are needed: with w jobs waiting from vtime v, max(0, min(w, tag - v)) of them have a
# smaller tag, one more an equal one, which wins the tie if its guild's id is lower.
PLACES = """
WITH mine AS (
    SELECT job.*, row_number() OVER (PARTITION BY member_id ORDER BY priority DESC, id) - 1 AS nth
    FROM job WHERE guild_id = :guild_id AND status = 'queued'
), ordered AS (
    SELECT mine.*,
           row_number() OVER (ORDER BY share.vtime + mine.nth, share.member_id) - 1 AS kth
    FROM mine JOIN share ON share.guild_id = :guild_id AND share.member_id = mine.member_id
)
SELECT ordered.*, ordered.kth + 1 + (
    SELECT coalesce(sum(min(other.waiting,
                            max(0, own.vtime + ordered.kth - other.vtime
                                   + (other.guild_id < :guild_id)))), 0)
    FROM share AS other
    WHERE other.member_id = 0 AND other.waiting > 0 AND other.guild_id <> :guild_id
) AS position
FROM ordered JOIN share AS own ON own.guild_id = :guild_id AND own.member_id = 0
ORDER BY position
"""


def enqueue(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    member_id: int,
    kind: JobKind,
    panel_id: int,
    dedupe_key: str,
    priority: int = 0,
    strength: int = 0,
    now: float,
) -> int:
    """Put a job into the queue.

    Args:
        tx: inside a write.
        guild_id: the tenant.
        member_id: whose share it uses (a Discord id, above 0).
        kind: what to do.
        panel_id: for which panel of the guild.
        dedupe_key: a second job of the guild with the same key is refused.
        priority: larger first, among the jobs of the same member only.
        strength: rung of the retry ladder to start on.
        now: seconds since 1970.

    Returns:
        The job's id.

    Raises:
        AlreadyExists: the key was used before.
        NotFound: the guild has no such panel.
    """
    panel = tx.execute(
        "SELECT 1 FROM panel WHERE id = ? AND guild_id = ?", (panel_id, guild_id)
    ).fetchone()
    if panel is None:
        raise NotFound(f"There is no panel {panel_id} here. See /panel status.")
    row = tx.execute(
        "INSERT INTO job (guild_id, member_id, kind, panel_id, dedupe_key, status, priority, "
        "strength, created_at) VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?) "
        "ON CONFLICT (guild_id, dedupe_key) DO NOTHING RETURNING id",
        (guild_id, member_id, kind, panel_id, dedupe_key, priority, strength, to_text(now)),
    ).fetchone()
    if row is None:
        raise AlreadyExists("This was asked for already; see its place with /queue show.")
    return row["id"]


def claim(tx: sqlite3.Connection, *, owner: str, lease_seconds: float, now: float) -> Job | None:
    """Take the next job of the fair order, or None if nothing waits.

    The lease runs ``lease_seconds`` from ``now``; ``Job.fence`` is the token that every later
    call for this run has to show.
    """
    row = tx.execute(
        CLAIM, {"owner": owner, "until": now + lease_seconds, "started": to_text(now)}
    ).fetchone()
    return None if row is None else _job(row)


def heartbeat(
    tx: sqlite3.Connection,
    *,
    job_id: int,
    fence: int,
    lease_seconds: float,
    now: float,
    progress: float | None = None,
    note: str | None = None,
) -> bool:
    """Prolong the lease and note the progress (0 to 1).

    Returns:
        Whether someone asked to cancel the job.

    Raises:
        LeaseLost: the job is no longer ours.
    """
    row = tx.execute(
        "UPDATE job SET lease_until = ?, progress = coalesce(?, progress), "
        "progress_note = coalesce(?, progress_note) "
        "WHERE id = ? AND fence = ? AND status = 'running' RETURNING cancel_requested",
        (now + lease_seconds, progress, note, job_id, fence),
    ).fetchone()
    if row is None:
        raise _lost()
    return bool(row["cancel_requested"])


def finish(
    tx: sqlite3.Connection,
    *,
    job_id: int,
    fence: int,
    status: JobStatus,
    seconds: float | None = None,
    error: str | None = None,
    now: float,
) -> None:
    """Settle a running job for good.

    Args:
        tx: inside the write that also stores the results.
        job_id: which job.
        fence: the token of the claim.
        status: DONE, CANCELLED or DEAD.
        seconds: how long the work took; the estimates are made of it.
        error: a sentence for people, if it went wrong.
        now: seconds since 1970.

    Raises:
        LeaseLost: the job is no longer ours; the whole write has to be given up.
        ValueError: the status is not final.
    """
    if status in (JobStatus.QUEUED, JobStatus.RUNNING):
        raise ValueError(f"{status} is not final")
    row = tx.execute(
        "UPDATE job SET status = ?, seconds = ?, error = ?, finished_at = ?, lease_owner = NULL, "
        "lease_until = NULL WHERE id = ? AND fence = ? AND status = 'running' RETURNING id",
        (status, seconds, error, to_text(now), job_id, fence),
    ).fetchone()
    if row is None:
        raise _lost()


def release_crashed(
    tx: sqlite3.Connection, *, job_id: int, fence: int, max_crashes: int, error: str, now: float
) -> JobStatus:
    """Return a job whose worker died to the queue; after ``max_crashes`` deaths it is dead.

    Raises:
        LeaseLost: the job is no longer ours.
    """
    row = tx.execute(
        "SELECT crashes, cancel_requested FROM job "
        "WHERE id = ? AND fence = ? AND status = 'running'",
        (job_id, fence),
    ).fetchone()
    if row is None:
        raise _lost()
    crashes = row["crashes"] + 1
    status = JobStatus.QUEUED
    if row["cancel_requested"]:
        status = JobStatus.CANCELLED
    elif crashes >= max_crashes:
        status = JobStatus.DEAD
        error = (
            f"Given up after {crashes} {'try' if crashes == 1 else 'tries'}: {error} "
            "Ask for the panel again, with a simpler prompt or fewer alternates if it repeats."
        )
    tx.execute(
        "UPDATE job SET status = ?, crashes = ?, error = ?, finished_at = ?, lease_owner = NULL, "
        "lease_until = NULL WHERE id = ?",
        (status, crashes, error, None if status is JobStatus.QUEUED else to_text(now), job_id),
    )
    return status


def requeue_expired(tx: sqlite3.Connection, *, now: float, max_crashes: int) -> list[Job]:
    """Take back the jobs whose leases ran out, as if their workers had crashed.

    Returns:
        The jobs as they are now: queued again, dead or cancelled.
    """
    expired = tx.execute(
        "SELECT id, fence FROM job WHERE status = 'running' AND lease_until < ? ORDER BY id",
        (now,),
    ).fetchall()
    for row in expired:
        release_crashed(
            tx,
            job_id=row["id"],
            fence=row["fence"],
            max_crashes=max_crashes,
            error="the worker stopped answering.",
            now=now,
        )
    return [
        _job(tx.execute("SELECT * FROM job WHERE id = ?", (row["id"],)).fetchone())
        for row in expired
    ]


def end_leases(tx: sqlite3.Connection, *, owners: Sequence[str], now: float) -> int:
    """Let the leases of owners that are known to be dead run out now; returns how many.

    :func:`requeue_expired` takes the jobs back then.
    """
    return tx.execute(
        "UPDATE job SET lease_until = min(lease_until, ?) WHERE status = 'running' "
        "AND lease_owner IN (SELECT value FROM json_each(?))",
        (now - 1.0, json.dumps(list(owners))),
    ).rowcount


def requeue(tx: sqlite3.Connection, *, job_id: int, fence: int, now: float) -> JobStatus:
    """Put a running job back, because the program stops: no crash is counted, no share is used.

    Returns:
        QUEUED, or CANCELLED if someone had asked for that.

    Raises:
        LeaseLost: the job is no longer ours.
    """
    row = tx.execute(
        "UPDATE job SET status = iif(cancel_requested, 'cancelled', 'queued'), "
        "finished_at = iif(cancel_requested, ?, NULL), lease_owner = NULL, lease_until = NULL, "
        "progress = 0, progress_note = '' "
        "WHERE id = ? AND fence = ? AND status = 'running' RETURNING status",
        (to_text(now), job_id, fence),
    ).fetchone()
    if row is None:
        raise _lost()
    return JobStatus(row["status"])


def request_cancel(
    tx: sqlite3.Connection, *, guild_id: int, panel_id: int, now: float
) -> JobStatus | None:
    """Cancel the live jobs of a panel: a queued one at once, a running one as soon as it can.

    Returns:
        CANCELLED, RUNNING (it was told to stop), or None if nothing was live.
    """
    rows = tx.execute(
        "UPDATE job SET status = iif(status = 'queued', 'cancelled', status), "
        "finished_at = iif(status = 'queued', ?, NULL), cancel_requested = 1 "
        "WHERE panel_id = ? AND guild_id = ? AND status IN ('queued', 'running') "
        "RETURNING status",
        (to_text(now), panel_id, guild_id),
    ).fetchall()
    found = {JobStatus(row["status"]) for row in rows}
    if JobStatus.RUNNING in found:
        return JobStatus.RUNNING
    return JobStatus.CANCELLED if found else None


async def queue_places(db: Database, guild_id: int) -> list[tuple[Job, QueuePlace]]:
    """The guild's waiting jobs and where they stand among those of all guilds, next first."""
    rows = await db.fetch_all(PLACES, {"guild_id": guild_id})
    running = await _running(db)
    each = await _median_seconds(db)
    return [(_job(row), _place(row, running, each)) for row in rows]


async def place_of(db: Database, job_id: int) -> QueuePlace | None:
    """Where one waiting job stands; None if it does not wait. Tells nothing but numbers."""
    job = await db.fetch_one(
        "SELECT guild_id FROM job WHERE id = ? AND status = 'queued'", (job_id,)
    )
    if job is None:
        return None
    places = await queue_places(db, job["guild_id"])
    return next((place for _, place in places if place.job_id == job_id), None)


async def running_jobs(db: Database, guild_id: int) -> list[Job]:
    """The guild's jobs that are being worked on."""
    rows = await db.fetch_all(
        "SELECT * FROM job WHERE status = 'running' AND guild_id = ? ORDER BY id", (guild_id,)
    )
    return [_job(row) for row in rows]


async def lease_owners(db: Database) -> list[str]:
    """The names under which jobs run at the moment, over all guilds."""
    rows = await db.fetch_all("SELECT DISTINCT lease_owner FROM job WHERE status = 'running'")
    return [row["lease_owner"] for row in rows]


async def get_job(db: Database, guild_id: int, job_id: int) -> Job:
    """One job of the guild.

    Raises:
        NotFound: there is none with this id.
    """
    row = await db.fetch_one("SELECT * FROM job WHERE id = ? AND guild_id = ?", (job_id, guild_id))
    if row is None:
        raise NotFound(f"There is no job {job_id} here. See /queue show.")
    return _job(row)


async def job_of_panel(db: Database, guild_id: int, panel_id: int) -> Job | None:
    """The latest job of a panel, or None."""
    row = await db.fetch_one(
        "SELECT * FROM job WHERE panel_id = ? AND guild_id = ? ORDER BY id DESC LIMIT 1",
        (panel_id, guild_id),
    )
    return None if row is None else _job(row)


async def queued_or_running(db: Database, guild_id: int, member_id: int) -> int:
    """How many live jobs a member has: what a quota counts."""
    row = await db.fetch_one(
        "SELECT (SELECT count(*) FROM job WHERE status = 'queued' AND guild_id = :guild "
        "AND member_id = :member) + (SELECT count(*) FROM job WHERE status = 'running' "
        "AND guild_id = :guild AND member_id = :member) AS live",
        {"guild": guild_id, "member": member_id},
    )
    return 0 if row is None else row["live"]


async def _running(db: Database) -> int:
    row = await db.fetch_one("SELECT count(*) AS n FROM job WHERE status = 'running'")
    return 0 if row is None else row["n"]


async def _median_seconds(db: Database) -> float | None:
    rows = await db.fetch_all(
        "SELECT seconds FROM job WHERE status = 'done' AND seconds IS NOT NULL "
        "ORDER BY finished_at DESC LIMIT ?",
        (MEASURED_MOST,),
    )
    return _median([row["seconds"] for row in rows])


def _median(seconds: Sequence[float]) -> float | None:
    return statistics.median(seconds) if len(seconds) >= MEASURED_LEAST else None


def _place(row: sqlite3.Row, running: int, each: float | None) -> QueuePlace:
    position = row["position"]
    return QueuePlace(
        job_id=row["id"],
        position=position,
        ahead=position - 1 + running,
        eta_seconds=None if each is None else position * each,
    )


def _lost() -> LeaseLost:
    return LeaseLost("This job was taken over or settled meanwhile; its late result is dropped.")


def _job(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        guild_id=row["guild_id"],
        member_id=row["member_id"],
        kind=JobKind(row["kind"]),
        panel_id=row["panel_id"],
        status=JobStatus(row["status"]),
        priority=row["priority"],
        fence=row["fence"],
        crashes=row["crashes"],
        cancel_requested=bool(row["cancel_requested"]),
        strength=row["strength"],
        progress=float(row["progress"]),
        progress_note=row["progress_note"],
        error=row["error"],
        seconds=row["seconds"],
        created_at=from_text(row["created_at"]),
        started_at=from_text(row["started_at"]),
        finished_at=from_text(row["finished_at"]),
    )
