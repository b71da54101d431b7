"""Who looks at an open review: taken for a while, given back, or taken over."""

import sqlite3

from pipeline.domain.errors import NotAllowed, NotFound, WrongState
from storage import audit
from storage.database import Database
from storage.times import Moment, to_text

_FREE = "(claimed_by IS NULL OR claimed_by = :member OR claimed_at < :stale)"


def claim_next(
    tx: sqlite3.Connection, *, guild_id: int, member_id: int, after: int, stale: Moment, now: Moment
) -> int | None:
    """Take the next open review that nobody else has taken.

    Args:
        tx: inside a write.
        guild_id: the tenant.
        member_id: who takes it.
        after: the review that is looked at now; later ones go first, and it goes last.
        stale: what was taken before this is free again.
        now: when.

    Returns:
        Its id, None where nothing is left.
    """
    row = tx.execute(
        "UPDATE review SET claimed_by = :member, claimed_at = :now WHERE id = (SELECT id "  # noqa: S608 - text of our own
        f"FROM review WHERE guild_id = :guild AND status = 'open' AND id != :after AND {_FREE} "
        "ORDER BY id < :after, id LIMIT 1) RETURNING id",
        {
            "member": member_id,
            "now": to_text(now),
            "guild": guild_id,
            "after": after,
            "stale": to_text(stale),
        },
    ).fetchone()
    return None if row is None else row["id"]


def claim(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    review_id: int,
    member_id: int,
    stale: Moment,
    over: bool,
    now: Moment,
) -> int | None:
    """Take an open review, or take it over from somebody.

    Args:
        tx: inside a write.
        guild_id: the tenant.
        review_id: which.
        member_id: who takes it.
        stale: what was taken before this is free again.
        over: take it even if somebody else has it; the log keeps that.
        now: when.

    Returns:
        Who had it until now, None for nobody else.

    Raises:
        NotFound: the guild has no such review.
        WrongState: it is decided, or somebody else has it.
    """
    row = _open(tx, guild_id, review_id)
    held = row["claimed_by"] if (row["claimed_at"] or "") >= to_text(stale) else None
    other = None if held == member_id else held
    if other is not None and not over:
        raise WrongState("Another moderator is looking at this. You can take it over.")
    tx.execute(
        "UPDATE review SET claimed_by = ?, claimed_at = ? WHERE id = ?",
        (member_id, to_text(now), review_id),
    )
    if other is not None:
        audit.note(
            tx,
            guild_id=guild_id,
            member_id=member_id,
            action="review.taken_over",
            subject=f"review {review_id}",
            detail=f"from {other}",
            now=now,
        )
    return other


def release(tx: sqlite3.Connection, *, guild_id: int, review_id: int, member_id: int) -> None:
    """Give a review back.

    Raises:
        NotFound: the guild has no such review.
        WrongState: it is decided.
        NotAllowed: somebody else has it.
    """
    row = _open(tx, guild_id, review_id)
    if row["claimed_by"] not in (None, member_id):
        raise NotAllowed("Only whoever has taken a review gives it back. You can take it over.")
    tx.execute("UPDATE review SET claimed_by = NULL, claimed_at = NULL WHERE id = ?", (review_id,))


async def claimed_by(db: Database, guild_id: int, review_id: int, since: Moment) -> int | None:
    """Who has taken a review since a time; None if nobody."""
    row = await db.fetch_one(
        "SELECT claimed_by FROM review WHERE guild_id = ? AND id = ? AND claimed_at >= ?",
        (guild_id, review_id, to_text(since)),
    )
    return None if row is None else row["claimed_by"]


def _open(tx: sqlite3.Connection, guild_id: int, review_id: int) -> sqlite3.Row:
    row = tx.execute(
        "SELECT status, claimed_by, claimed_at FROM review WHERE id = ? AND guild_id = ?",
        (review_id, guild_id),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such review here. See /review list.")
    if row["status"] != "open":
        raise WrongState(f"This was decided already: {row['status']}.")
    return row
