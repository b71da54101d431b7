"""Pictures that were looked at while they were drawn, and what became of them."""

import json
import sqlite3
from collections.abc import Sequence

from pipeline.domain.errors import NotFound
from pipeline.domain.sentinel import PastRun, Savings, Watched
from storage.database import Database
from storage.records import to_json

# What people said about the picture counts; where nobody looked, what the check said. What it
# could not judge, and nobody did, is neither.
_PAST = (
    "SELECT * FROM (SELECT p.id, p.kind, p.scores, coalesce("
    "(SELECT r.status = 'approved' FROM review AS r WHERE r.candidate_id = c.id "
    "AND r.status IN ('approved', 'rejected', 'retried') ORDER BY r.id DESC LIMIT 1), "
    "CASE c.verdict WHEN 'on_model' THEN 1 WHEN 'off_model' THEN 0 END) AS accepted "
    "FROM preview_run AS p JOIN candidate AS c ON c.id = p.candidate_id "
    "WHERE p.guild_id = ? AND p.look = ? AND p.left_alone = 1) "
    "WHERE accepted IS NOT NULL ORDER BY id DESC LIMIT ?"
)


def add_watched(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    attempt_id: int,
    watched: Watched,
    candidate_ids: Sequence[int],
) -> None:
    """Keep an attempt's receipts.

    Args:
        tx: inside a write.
        guild_id: the tenant.
        attempt_id: the row of the attempt.
        watched: what the sentinel saw and did, one receipt an alternate.
        candidate_ids: the rows of the pictures that came to their end, in order.

    Raises:
        NotFound: the guild has no such attempt.
        ValueError: not one picture for each that was not given up.
    """
    owned = tx.execute(
        "SELECT 1 FROM attempt WHERE id = ? AND guild_id = ?", (attempt_id, guild_id)
    ).fetchone()
    if owned is None:
        raise NotFound("There is no such attempt here. See /panel status.")
    kept = [n for n, one in enumerate(watched.receipts) if one.aborted_at is None]
    rows = dict(zip(kept, candidate_ids, strict=True))
    tx.executemany(
        "INSERT INTO preview_run (guild_id, attempt_id, candidate_id, alternate, look, kind, "
        "scores, left_alone, anchored_at, aborted_at, saved_steps, saved_seconds) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                guild_id,
                attempt_id,
                rows.get(alternate),
                alternate,
                watched.look,
                watched.kind,
                to_json({str(look): score for look, score in one.scores.items()}),
                one.left_alone,
                one.anchored_at,
                one.aborted_at,
                one.saved_steps,
                one.saved_seconds,
            )
            for alternate, one in enumerate(watched.receipts)
        ],
    )


async def past_runs(
    db: Database, guild_id: int, look: str, limit: int = 1000
) -> dict[str, list[PastRun]]:
    """What was left alone of a look, by kind, the latest last: scores and the final verdict.

    Args:
        db: the database.
        guild_id: the tenant.
        look: appearance ids in order, joined by commas.
        limit: how many of the latest count, over all kinds.
    """
    rows = await db.fetch_all(_PAST, (guild_id, look, limit))
    found: dict[str, list[PastRun]] = {}
    for row in reversed(rows):
        scores = {float(name): score for name, score in json.loads(row["scores"]).items()}
        found.setdefault(row["kind"], []).append(PastRun(scores, bool(row["accepted"])))
    return found


async def savings(db: Database, guild_id: int, panel_id: int) -> Savings | None:
    """What the sentinel did for a panel, over all its attempts; None where it saw nothing of it."""
    row = await db.fetch_one(
        "SELECT count(*) AS pictures, count(p.aborted_at) AS ended, "
        "count(p.anchored_at) AS anchored, coalesce(sum(p.saved_steps), 0) AS steps, "
        "coalesce(sum(p.saved_seconds), 0.0) AS seconds "
        "FROM preview_run AS p JOIN attempt AS a ON a.id = p.attempt_id "
        "WHERE p.guild_id = ? AND a.panel_id = ?",
        (guild_id, panel_id),
    )
    return None if row is None or not row["pictures"] else Savings(**dict(row))
