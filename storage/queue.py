"""What can be read from the ledger: jobs, their places in the fair order, their estimates."""

import sqlite3
import statistics
from collections.abc import Sequence

from pipeline.domain.errors import NotFound
from pipeline.domain.job import Job, JobKind, JobStatus, QueuePlace
from storage.database import Database
from storage.times import from_text

MEASURED_LEAST, MEASURED_MOST = 3, 20
"""How many finished jobs an estimate needs, and how many of the latest it looks at."""

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
WHERE :job_id IS NULL OR ordered.id = :job_id
ORDER BY position
"""


async def queue_places(db: Database, guild_id: int) -> list[tuple[Job, QueuePlace]]:
    """The guild's waiting jobs and where they stand among those of all guilds, next first."""
    return await _places(db, guild_id, None)


async def place_of(db: Database, job_id: int) -> QueuePlace | None:
    """Where one waiting job stands; None if it does not wait. Tells nothing but numbers."""
    job = await db.fetch_one(
        "SELECT guild_id FROM job WHERE id = ? AND status = 'queued'", (job_id,)
    )
    if job is None:
        return None
    places = await _places(db, job["guild_id"], job_id)
    return places[0][1] if places else None


async def _places(db: Database, guild_id: int, job_id: int | None) -> list[tuple[Job, QueuePlace]]:
    rows = await db.fetch_all(PLACES, {"guild_id": guild_id, "job_id": job_id})
    running = await _running(db)
    each = await _median_seconds(db)
    return [(job_from_row(row), _place(row, running, each)) for row in rows]


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
    )
