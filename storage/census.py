"""How much there is of what, over all guilds: numbers only, for whoever runs the bot."""

from dataclasses import dataclass

from pipeline.domain.job import JobStatus
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Census:
    """What one reading of the database counted.

    ``jobs`` has every status, also those that no job is in.
    """

    jobs: dict[JobStatus, int]
    owed_posts: int
    open_reviews: int


async def take(db: Database) -> Census:
    """Count. One pass over the jobs, some milliseconds with 100,000 of them.

    Raises:
        DatabaseError: the database cannot be read.
    """
    rows = await db.fetch_all("SELECT status, count(*) AS n FROM job GROUP BY status")
    jobs = dict.fromkeys(JobStatus, 0) | {JobStatus(row["status"]): row["n"] for row in rows}
    row = await db.fetch_one(
        "SELECT (SELECT count(*) FROM outbox WHERE status = 'pending') AS owed,"
        " (SELECT count(*) FROM review WHERE status = 'open') AS reviews"
    )
    assert row is not None  # a SELECT without FROM has one row
    return Census(jobs, row["owed"], row["reviews"])
