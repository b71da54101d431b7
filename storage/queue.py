"""What can be read from the ledger: jobs, their places in the fair order, their estimates."""

import sqlite3
import time

from pipeline.domain.errors import NotFound
from pipeline.domain.job import Job, JobKind, JobStatus, QueuePlace
from storage.database import Database
from storage.estimates import Estimates, read_estimates
from storage.times import from_text

# A waiting job's start tag is its member's (guild's) vtime plus the number of jobs of the same
# member (guild) before it; the order of tags is the order of claims. What moderators put in front
# goes before and uses its member's turns. Of other guilds only their counters are needed: with w
# jobs waiting from vtime v, max(0, min(w, tag - v)) of them have a smaller tag, one more an equal
# one, which wins the tie if its guild's id is lower.
PLACES = """
WITH mine AS (
    SELECT job.*,
           row_number() OVER (
               PARTITION BY member_id ORDER BY front = 0, front DESC, priority DESC, id
           ) - 1 AS nth
    FROM job WHERE guild_id = :guild_id AND status = 'queued' AND held = 0
), ordered AS (
    SELECT mine.*, row_number() OVER turn - 1 AS kth, sum(work) OVER turn - work AS work_ahead
    FROM mine JOIN share ON share.guild_id = :guild_id AND share.member_id = mine.member_id
    WINDOW turn AS (
        ORDER BY front = 0, front DESC, iif(front = 0, share.vtime + nth, id), share.member_id
        ROWS UNBOUNDED PRECEDING
    )
)
SELECT ordered.*, ordered.kth + 1 + (
    SELECT coalesce(sum(min(other.waiting,
                            max(0, own.vtime + ordered.kth - other.vtime
                                   + (other.guild_id < :guild_id)))), 0)
    FROM share AS other
    WHERE other.member_id = 0 AND other.waiting > 0 AND other.guild_id <> :guild_id
) AS position
FROM ordered JOIN share AS own ON own.guild_id = :guild_id AND own.member_id = 0
WHERE :job_id IS NULL OR ordered.id = :job_id
ORDER BY position
"""


async def queue_places(
    db: Database, guild_id: int, *, now: float | None = None
) -> list[tuple[Job, QueuePlace]]:
    """The guild's waiting jobs and where they stand among those of all guilds, next first."""
    return await _places(db, guild_id, None, now)


async def place_of(db: Database, job_id: int, *, now: float | None = None) -> QueuePlace | None:
    """Where one waiting job stands; None if it does not wait. Tells nothing but numbers."""
    job = await db.fetch_one(
        "SELECT guild_id FROM job WHERE id = ? AND status = 'queued' AND held = 0", (job_id,)
    )
    if job is None:
        return None
    places = await _places(db, job["guild_id"], job_id, now)
    return places[0][1] if places else None


async def _places(
    db: Database, guild_id: int, job_id: int | None, now: float | None
) -> list[tuple[Job, QueuePlace]]:
    rows = await db.fetch_all(PLACES, {"guild_id": guild_id, "job_id": job_id})
    if not rows:
        return []
    estimates = await read_estimates(db, time.time() if now is None else now)
    return [(job_from_row(row), _place(row, estimates)) for row in rows]


async def held_jobs(db: Database, guild_id: int) -> list[Job]:
    """The guild's jobs that wait for their series to go on, oldest first."""
    rows = await db.fetch_all(
        "SELECT * FROM job WHERE status = 'queued' AND held = 1 AND guild_id = ? ORDER BY id",
        (guild_id,),
    )
    return [job_from_row(row) for row in rows]


async def running_jobs(db: Database, guild_id: int) -> list[Job]:
    """The guild's jobs that are being worked on."""
    rows = await db.fetch_all(
        "SELECT * FROM job WHERE status = 'running' AND guild_id = ? ORDER BY id", (guild_id,)
    )
    return [job_from_row(row) for row in rows]


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
    return job_from_row(row)


async def job_of_panel(db: Database, guild_id: int, panel_id: int) -> Job | None:
    """The latest job of a panel, or None."""
    row = await db.fetch_one(
        "SELECT * FROM job WHERE panel_id = ? AND guild_id = ? ORDER BY id DESC LIMIT 1",
        (panel_id, guild_id),
    )
    return None if row is None else job_from_row(row)


async def queued_or_running(db: Database, guild_id: int, member_id: int) -> int:
    """How many live jobs a member has: what a quota counts."""
    row = await db.fetch_one(
        "SELECT (SELECT count(*) FROM job WHERE status = 'queued' AND guild_id = :guild "
        "AND member_id = :member) + (SELECT count(*) FROM job WHERE status = 'running' "
        "AND guild_id = :guild AND member_id = :member) AS live",
        {"guild": guild_id, "member": member_id},
    )
    return 0 if row is None else row["live"]


def _place(row: sqlite3.Row, estimates: Estimates) -> QueuePlace:
    position = row["position"]
    eta = estimates.until_done(
        row["engine"],
        row["work"],
        work_ahead=row["work_ahead"],
        jobs_of_others=position - 1 - row["kth"],
        jobs_ahead=position - 1,
    )
    low, high = estimates.around(eta) or (None, None)
    return QueuePlace(row["id"], position, position - 1 + len(estimates.running), eta, low, high)


def job_from_row(row: sqlite3.Row) -> Job:
    """A row of the table as the domain's value."""
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
        affinity=row["affinity"],
        held=bool(row["held"]),
        front=row["front"],
        engine=row["engine"],
        work=row["work"],
    )
