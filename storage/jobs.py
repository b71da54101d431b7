"""The job ledger: leases with a fencing token, and a fair share for guilds and members.

The counters of the table ``share`` follow the jobs by triggers (see the first migration), so that
claim is one statement that looks at three index entries, however long the backlog is. The reads
are in :mod:`storage.queue` and offered here too.

Source:
    Fairness is start-time fair queueing: P. Goyal, H. Vin, H. Cheng, "Start-time Fair Queuing",
    SIGCOMM 1996, with unit cost, on two levels (guilds, then members of a guild).
"""

import json
import sqlite3
from collections.abc import Sequence

from pipeline.domain.errors import AlreadyExists, NotFound
from pipeline.domain.job import Job, JobKind, JobStatus
from storage.affinity import FAIR_TURN, preferred
from storage.errors import LeaseLost
from storage.queue import (
    get_job,
    held_jobs,
    job_from_row,
    job_of_panel,
    lease_owners,
    place_of,
    queue_places,
    queued_or_running,
    running_jobs,
)
from storage.steering import IS_PAUSED, OF_JOB, is_host_paused, put_in_front
from storage.times import to_text

__all__ = [
    "CLAIM",
    "claim",
    "end_leases",
    "enqueue",
    "finish",
    "get_job",
    "heartbeat",
    "held_jobs",
    "job_of_panel",
    "lease_owners",
    "note_expected",
    "place_of",
    "queue_places",
    "queued_or_running",
    "release_crashed",
    "request_cancel",
    "requeue",
    "requeue_expired",
    "running_jobs",
]

CLAIM = f"""{FAIR_TURN}
UPDATE job SET status = 'running', fence = fence + 1, lease_owner = :owner, lease_until = :until,
               started_at = :started, progress = 0, progress_note = ''
WHERE id = (
    SELECT id FROM job WHERE status = 'queued' AND held = 0
    AND guild_id = (SELECT guild_id FROM next_member)
    AND member_id = (SELECT member_id FROM next_member)
    ORDER BY priority DESC, id LIMIT 1
)
RETURNING *
"""  # noqa: S608 - our own constants

_CLAIM_ONE = """
UPDATE job SET status = 'running', fence = fence + 1, lease_owner = :owner, lease_until = :until,
               started_at = :started, progress = 0, progress_note = ''
WHERE id = :id AND status = 'queued' AND held = 0 RETURNING *
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
    affinity: str = "",
    engine: str = "",
    work: float = 0.0,
    now: float,
) -> int:
    """Put a job into the queue; where its series pauses it is held until that goes on.

    Args:
        tx: inside a write.
        guild_id: the tenant.
        member_id: whose share it uses (a Discord id, above 0).
        kind: what to do.
        panel_id: for which panel of the guild.
        dedupe_key: a second job of the guild with the same key is refused.
        priority: larger first, among the jobs of the same member only.
        strength: rung of the retry ladder to start on.
        affinity: what it needs loaded; jobs of a member with the same may run in a row.
        engine: what draws it.
        work: what there is to draw: alternates times megapixels.
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
        "INSERT INTO job (guild_id, member_id, kind, panel_id, dedupe_key, status, priority, "  # noqa: S608 - our own
        "strength, affinity, engine, work, held, created_at) "
        f"VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, {IS_PAUSED}, ?) "
        "ON CONFLICT (guild_id, dedupe_key) DO NOTHING RETURNING id",
        (
            guild_id,
            member_id,
            kind,
            panel_id,
            dedupe_key,
            priority,
            strength,
            affinity,
            engine,
            work,
            panel_id,
            to_text(now),
        ),
    ).fetchone()
    if row is None:
        raise AlreadyExists("This was asked for already; see its place with /queue show.")
    return row["id"]


def claim(
    tx: sqlite3.Connection, *, owner: str, lease_seconds: float, now: float, prefers: str = ""
) -> Job | None:
    """Take the next job of the fair order, or None if nothing waits.

    The lease runs ``lease_seconds`` from ``now``; ``Job.fence`` is the token that every later
    call for this run has to show. ``prefers`` is the affinity of what the worker did last: of the
    member whose turn it is, a job with the same may go first (see :mod:`storage.affinity`). What
    moderators put in front goes first in its guild, and uses its member's share all the same.
    """
    told = {"owner": owner, "until": now + lease_seconds, "started": to_text(now)}
    if is_host_paused(tx):
        return None
    chosen = put_in_front(tx) or preferred(tx, prefers)
    if chosen is None:
        row = tx.execute(CLAIM, told).fetchone()
    else:
        row = tx.execute(_CLAIM_ONE, {**told, "id": chosen}).fetchone()
    return None if row is None else job_from_row(row)


def note_expected(tx: sqlite3.Connection, *, job_id: int, seconds: float) -> None:
    """Remember when a job that has just been asked for is expected to be done, from now."""
    tx.execute(
        "UPDATE job SET expected_seconds = ? WHERE id = ? AND status = 'queued'", (seconds, job_id)
    )


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
        "UPDATE job SET status = ?, crashes = ?, error = ?, finished_at = ?, lease_owner = NULL, "  # noqa: S608 - our own
        f"lease_until = NULL, held = {OF_JOB} WHERE id = ?",
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
        job_from_row(tx.execute("SELECT * FROM job WHERE id = ?", (row["id"],)).fetchone())
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
        "UPDATE job SET status = iif(cancel_requested, 'cancelled', 'queued'), "  # noqa: S608 - our own
        "finished_at = iif(cancel_requested, ?, NULL), lease_owner = NULL, lease_until = NULL, "
        f"progress = 0, progress_note = '', held = {OF_JOB} "
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


def _lost() -> LeaseLost:
    return LeaseLost("This job was taken over or settled meanwhile; its late result is dropped.")
