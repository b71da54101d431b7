"""The outbox: posts that are owed to Discord, written in the transaction that owes them."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from pipeline.domain.review import OutboxItem, Posted, PostKind, StandingPost, StuckPost
from storage.database import Database
from storage.times import Moment, to_seconds, to_text

BACKOFF_SECONDS, BACKOFF_MOST = 30.0, 600.0
"""An item that was taken is due again after 30 s, 60 s, 120 s … and 10 minutes at most."""

# An item waits for the earlier ones about the same panel (or the same review): a result must not
# come before the card that it edits. A panel's and a review's numbers are not related.
TAKE = """
UPDATE outbox SET tries = tries + 1,
                  next_at = :now + min(:most, :backoff * (1 << min(tries, 16)))
WHERE id IN (
    SELECT id FROM outbox AS item WHERE status = 'pending' AND next_at <= :now
    AND NOT EXISTS (
        SELECT 1 FROM outbox AS earlier
        WHERE earlier.guild_id = item.guild_id AND earlier.subject_id = item.subject_id
        AND earlier.status = 'pending' AND earlier.id < item.id
        AND (earlier.kind IN ('review_thread', 'review_decided'))
            = (item.kind IN ('review_thread', 'review_decided'))
        AND earlier.kind IN ('vote_card', 'review_thread', 'panel_result', 'panel_failed',
                             'review_decided')
    )
    ORDER BY next_at, id LIMIT :limit
)
RETURNING *
"""


def owe(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    kind: PostKind,
    subject_id: int,
    dedupe_key: str,
    payload: Mapping[str, Any] | None = None,
    now: Moment,
) -> bool:
    """Note that something has to be posted, once.

    Args:
        tx: inside the write that makes the post due.
        guild_id: the tenant.
        kind: what kind of message.
        subject_id: the row it is about (a panel, a review).
        dedupe_key: the same key of a guild is owed only once.
        payload: JSON-able facts for the message.
        now: when.

    Returns:
        False if it was owed before; then nothing changes.
    """
    row = tx.execute(
        "INSERT INTO outbox (guild_id, kind, subject_id, dedupe_key, payload, next_at, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (guild_id, dedupe_key) DO NOTHING RETURNING id",
        (
            guild_id,
            kind,
            subject_id,
            dedupe_key,
            json.dumps(dict(payload or {}), ensure_ascii=False),
            to_seconds(now),
            to_text(now),
        ),
    ).fetchone()
    return row is not None


def take_due(tx: sqlite3.Connection, *, now: float, limit: int = 10) -> list[OutboxItem]:
    """Take items whose time has come, oldest first, and count the try before it is made.

    Of those about one panel, or about one review, only the first is taken; the next when that one
    is posted or given up.
    ``OutboxItem.tries`` is the number of earlier tries. Each item is due again later, unless
    :func:`mark_posted` comes first: so a crash in the middle of a post loses nothing.
    """
    rows = tx.execute(
        TAKE, {"now": now, "limit": limit, "backoff": BACKOFF_SECONDS, "most": BACKOFF_MOST}
    ).fetchall()
    return [_item(row) for row in sorted(rows, key=lambda row: row["id"])]


def resume(tx: sqlite3.Connection, *, now: float) -> int:
    """Make all pending items due at once, when a pump starts and nobody else is posting.

    Returns:
        How many are pending.
    """
    return tx.execute(
        "UPDATE outbox SET next_at = min(next_at, ?) WHERE status = 'pending'", (now,)
    ).rowcount


def mark_posted(tx: sqlite3.Connection, *, item_id: int, posted: Posted, now: Moment) -> None:
    """Remember where a post ended up; it is not owed any more."""
    tx.execute(
        "UPDATE outbox SET status = 'posted', channel_id = ?, message_id = ?, thread_id = ?, "
        "error = NULL, posted_at = ? WHERE id = ?",
        (posted.channel_id, posted.message_id, posted.thread_id, to_text(now), item_id),
    )


def mark_failed(
    tx: sqlite3.Connection, *, item_id: int, error: str, now: Moment, give_up: bool
) -> None:
    """Remember why a try failed. It is tried again after 2, 4, 8 … seconds, unless given up."""
    tx.execute(
        "UPDATE outbox SET error = :error, status = iif(:give_up, 'dead', status), "
        "next_at = :now + min(:most, 1 << min(tries, 16)) "
        "WHERE id = :id AND status = 'pending'",
        {
            "id": item_id,
            "error": error,
            "give_up": give_up,
            "now": to_seconds(now),
            "most": BACKOFF_MOST,
        },
    )


async def posts_of(db: Database, guild_id: int, kind: PostKind, subject_id: int) -> list[Posted]:
    """Where the posts about a row ended up, oldest first."""
    rows = await db.fetch_all(
        "SELECT channel_id, message_id, thread_id FROM outbox WHERE guild_id = ? AND kind = ? "
        "AND subject_id = ? AND status = 'posted' AND message_id IS NOT NULL ORDER BY id",
        (guild_id, kind, subject_id),
    )
    return [Posted(row["channel_id"], row["message_id"], row["thread_id"]) for row in rows]


# --- posts that people still need -----------------------------------------------------------------

MOST_AGAIN = 3
"""How often a post that somebody deleted is made again; whoever goes on deleting it means it."""
MOST_TRIES = 150
"""Tries after which a post is not taken up again; with the pauses that is about a day."""
_STANDING = (
    "SELECT max(o.id) AS id, o.guild_id, o.kind, o.subject_id, o.channel_id, o.message_id, "
    "o.thread_id FROM outbox AS o WHERE o.status = 'posted' AND o.message_id IS NOT NULL "
    "AND (:guild IS NULL OR o.guild_id = :guild) AND o.id > :after AND ("
    "o.kind = 'vote_card' AND o.subject_id IN (SELECT id FROM panel WHERE status = 'voting' "
    "AND guild_id = o.guild_id) OR o.kind = 'review_thread' AND o.subject_id IN "
    "(SELECT id FROM review WHERE status = 'open' AND guild_id = o.guild_id) "
    "OR o.kind = 'held_picture' AND o.subject_id IN "
    "(SELECT id FROM held_picture WHERE status = 'open' AND guild_id = o.guild_id)) "
    "GROUP BY o.guild_id, o.kind, o.subject_id ORDER BY 1 LIMIT :limit"
)


async def standing_posts(
    db: Database, guild_id: int | None = None, *, after: int = 0, limit: int = 50
) -> list[StandingPost]:
    """Posts that must be there for people to vote or to decide, in the order of their rows.

    Args:
        db: the database.
        guild_id: whose; None for all guilds.
        after: only rows behind this one.
        limit: at most so many.
    """
    told = {"guild": guild_id, "after": after, "limit": limit}
    rows = await db.fetch_all(_STANDING, told)
    return [
        StandingPost(
            row["id"], row["guild_id"], PostKind(row["kind"]), row["subject_id"],
            Posted(row["channel_id"], row["message_id"], row["thread_id"]),
        )
        for row in rows
    ]  # fmt: skip


def owe_again(tx: sqlite3.Connection, *, post: StandingPost, now: Moment) -> bool:
    """Somebody deleted a post that people need: owe it once more, a few times at most.

    Returns:
        False if it was made often enough, or was noticed before.
    """
    gone = tx.execute(
        "UPDATE outbox SET message_id = NULL WHERE id = ? AND message_id = ? RETURNING id",
        (post.row, post.posted.message_id),
    ).fetchone()
    if gone is None:
        return False
    (before,) = tx.execute(
        "SELECT count(*) FROM outbox WHERE guild_id = ? AND kind = ? AND subject_id = ? "
        "AND dedupe_key LIKE 'again:%'",
        (post.guild_id, post.kind, post.subject_id),
    ).fetchone()
    if before >= MOST_AGAIN:
        return False
    key = f"again:{post.kind.value}:{post.subject_id}:{before + 1}"
    return owe(
        tx, guild_id=post.guild_id, kind=post.kind, subject_id=post.subject_id, dedupe_key=key,
        now=now,
    )  # fmt: skip


def revive(tx: sqlite3.Connection, *, guild_id: int, now: Moment) -> int:
    """Try once more what was given up, as something has changed; returns how many.

    The tries count on, so that this ends, too.
    """
    return tx.execute(
        "UPDATE outbox SET status = 'pending', next_at = ? WHERE guild_id = ? "
        "AND status = 'dead' AND kind != 'notice' AND tries < ?",
        (to_seconds(now), guild_id, MOST_TRIES),
    ).rowcount


async def stuck_posts(db: Database, guild_id: int, limit: int = 20) -> list[StuckPost]:
    """What could not be posted and still waits for somebody to mend the reason, newest first."""
    rows = await db.fetch_all(
        "SELECT kind, subject_id, error FROM outbox WHERE guild_id = ? AND status = 'dead' "
        "AND kind != 'notice' ORDER BY id DESC LIMIT ?",
        (guild_id, limit),
    )
    return [StuckPost(PostKind(r["kind"]), r["subject_id"], r["error"] or "") for r in rows]


async def latest_channel(db: Database, guild_id: int) -> int | None:
    """Where the newest post about a panel stands; None where there is none."""
    row = await db.fetch_one(
        "SELECT channel_id FROM outbox WHERE guild_id = ? AND status = 'posted' "
        "AND kind IN ('vote_card', 'panel_result', 'panel_failed') AND channel_id > 0 "
        "ORDER BY id DESC LIMIT 1",
        (guild_id,),
    )
    return None if row is None else row["channel_id"]


async def pending_count(db: Database) -> int:
    """How many posts are owed, over all guilds."""
    row = await db.fetch_one("SELECT count(*) AS n FROM outbox WHERE status = 'pending'")
    return 0 if row is None else row["n"]


def _item(row: sqlite3.Row) -> OutboxItem:
    return OutboxItem(
        id=row["id"],
        guild_id=row["guild_id"],
        kind=PostKind(row["kind"]),
        subject_id=row["subject_id"],
        dedupe_key=row["dedupe_key"],
        payload=json.loads(row["payload"]),
        tries=row["tries"] - 1,
    )
