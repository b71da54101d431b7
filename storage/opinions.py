"""Second looks at reviews: what others think of a decision, and appeals."""

import sqlite3

from pipeline.domain.errors import AlreadyExists, NotFound, WrongState
from storage.database import Database
from storage.times import Moment, from_text, to_text

NEAR = 0.06
"""Margin (similarity minus limit) up to which a decision counts as uncertain.

The same as a rough cut out of a scene may cost (:mod:`pipeline.quality.judge`).
"""
_SECOND = (
    "SELECT r.id FROM review AS r JOIN candidate AS c ON c.id = r.candidate_id "
    "WHERE r.guild_id = ? AND r.status IN ('approved', 'rejected') "
    "AND r.flag NOT IN ('CONSENT', 'REPORT', 'UNSAFE') "  # those are not about the model sheet
    "AND (r.flag IN ('CANNOT_JUDGE', 'AUDIT') OR r.appeal_of IS NOT NULL "
    "OR abs(json_extract(c.report, '$.margin')) < ?) "
    "AND (SELECT count(*) FROM review_opinion AS o WHERE o.review_id = r.id) = 1 "
    "AND NOT EXISTS (SELECT 1 FROM review_opinion AS o WHERE o.review_id = r.id "
    "AND o.member_id = ?) ORDER BY r.id LIMIT 1"
)


def give_opinion(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    review_id: int,
    member_id: int,
    good: bool,
    now: Moment,
) -> None:
    """Write down whether a person finds the picture good; a later word replaces an earlier one.

    Raises:
        NotFound: the guild has no such review.
    """
    _require(tx, guild_id, review_id)
    tx.execute(
        "INSERT INTO review_opinion (guild_id, review_id, member_id, good, created_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (review_id, member_id) DO UPDATE SET "
        "good = excluded.good, created_at = excluded.created_at",
        (guild_id, review_id, member_id, good, to_text(now)),
    )


def open_appeal(tx: sqlite3.Connection, *, guild_id: int, review_id: int, now: Moment) -> int:
    """Ask again about a rejected picture; returns the new review's id.

    Raises:
        NotFound: the guild has no such review.
        WrongState: it was not rejected.
        AlreadyExists: its panel was appealed before, or waits for a moderator.
    """
    old = _require(tx, guild_id, review_id)
    if old["status"] != "rejected":
        raise WrongState("Only a rejected panel can be appealed.")
    before = tx.execute(
        "SELECT 1 FROM review WHERE panel_id = ? AND guild_id = ? "
        "AND (appeal_of IS NOT NULL OR status = 'open')",
        (old["panel_id"], guild_id),
    ).fetchone()
    if before is not None:
        raise AlreadyExists("This panel was appealed already; a panel can be appealed once.")
    row = tx.execute(
        "INSERT INTO review (guild_id, panel_id, candidate_id, flag, reason, status, "
        "evidence_sha256, created_at, appeal_of) SELECT guild_id, panel_id, candidate_id, flag, "
        "'Appealed. ' || reason, 'open', evidence_sha256, ?, id FROM review "
        "WHERE id = ? AND guild_id = ? RETURNING id",
        (to_text(now), review_id, guild_id),
    ).fetchone()
    return row["id"]


async def wants_second(db: Database, guild_id: int, member_id: int) -> int | None:
    """The oldest decision worth another look that only one other person has an opinion about.

    Those are where the check could not judge or was near its limit, appeals, and audited pictures,
    which show how far people agree on what passes.
    """
    row = await db.fetch_one(_SECOND, (guild_id, NEAR, member_id))
    return None if row is None else row["id"]


async def opinions(db: Database, guild_id: int, limit: int = 1000) -> list[list[bool]]:
    """What people thought of each of the latest reviews, one list a review."""
    rows = await db.fetch_all(
        "SELECT review_id, group_concat(good, '') AS said FROM review_opinion WHERE guild_id = ? "
        "GROUP BY review_id ORDER BY review_id DESC LIMIT ?",
        (guild_id, limit),
    )
    return [[letter == "1" for letter in row["said"]] for row in rows]


async def decisions(db: Database, guild_id: int) -> dict[str, int]:
    """How many reviews of a guild there are in each state."""
    rows = await db.fetch_all(
        "SELECT status, count(*) AS n FROM review WHERE guild_id = ? GROUP BY status", (guild_id,)
    )
    return {row["status"]: row["n"] for row in rows}


async def decided_since(
    db: Database, guild_id: int, since: Moment, limit: int = 2000
) -> list[tuple[int, float]]:
    """Who decided each of the latest reviews, and how many seconds it had waited by then.

    Args:
        db: the database.
        guild_id: the tenant.
        since: decisions before it do not count.
        limit: at most so many, the latest.
    """
    rows = await db.fetch_all(
        "SELECT decided_by, created_at, decided_at FROM review WHERE guild_id = ? "
        "AND decided_by IS NOT NULL AND decided_at >= ? ORDER BY decided_at DESC LIMIT ?",
        (guild_id, to_text(since), limit),
    )
    return [
        (
            row["decided_by"],
            (from_text(row["decided_at"]) - from_text(row["created_at"])).total_seconds(),
        )
        for row in rows
    ]


def _require(tx: sqlite3.Connection, guild_id: int, review_id: int) -> sqlite3.Row:
    row = tx.execute(
        "SELECT panel_id, status FROM review WHERE id = ? AND guild_id = ?", (review_id, guild_id)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such review here. See /review list.")
    return row
