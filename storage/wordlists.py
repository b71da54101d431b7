"""The words that a guild does not want."""

import sqlite3
from collections.abc import Mapping

from pipeline.domain.errors import LimitReached, NotFound
from storage import audit
from storage.database import Database
from storage.times import Moment, to_text

MOST_WORDS = 500


def add_words(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    words: Mapping[str, str],
    member_id: int,
    now: Moment,
) -> int:
    """Add words, each by the key under which it is compared; returns how many are new.

    Raises:
        LimitReached: the list would hold more than :data:`MOST_WORDS`.
    """
    added = [
        word
        for key, word in words.items()
        if tx.execute(
            "INSERT INTO blocked_word (guild_id, key, word, added_by, created_at) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (guild_id, key, word, member_id, to_text(now)),
        ).rowcount
    ]
    (count,) = tx.execute(
        "SELECT count(*) FROM blocked_word WHERE guild_id = ?", (guild_id,)
    ).fetchone()
    if count > MOST_WORDS:
        raise LimitReached(f"The list holds at most {MOST_WORDS} words. Remove some first.")
    if added:
        audit.note(
            tx,
            guild_id=guild_id,
            member_id=member_id,
            action="safety.words",
            subject=f"{len(added)} added",
            detail=", ".join(added),
            now=now,
        )
    return len(added)


def remove_word(
    tx: sqlite3.Connection, *, guild_id: int, key: str, member_id: int, now: Moment
) -> str:
    """Take a word off the list; returns it.

    Raises:
        NotFound: it is not on the list.
    """
    row = tx.execute(
        "DELETE FROM blocked_word WHERE guild_id = ? AND key = ? RETURNING word", (guild_id, key)
    ).fetchone()
    if row is None:
        raise NotFound("That word is not on the list. See /safety words list.")
    audit.note(
        tx,
        guild_id=guild_id,
        member_id=member_id,
        action="safety.words",
        subject="1 removed",
        detail=row["word"],
        now=now,
    )
    return row["word"]


async def blocked_words(db: Database, guild_id: int) -> list[str]:
    """The words of a guild in the order of the alphabet."""
    rows = await db.fetch_all(
        "SELECT word FROM blocked_word WHERE guild_id = ? ORDER BY key", (guild_id,)
    )
    return [row["word"] for row in rows]
