"""Who decided what, and when: written in the transaction of the decision, bounded per guild.

Decided reviews are written down by a trigger. A person who is erased stays in the log as nobody.
"""

import sqlite3

from pipeline.domain.privacy import AuditEvent
from storage.database import Database
from storage.times import Moment, from_text, to_text

SUBJECT, DETAIL = 120, 600
"""Most characters that are kept of what a decision was about, and of its particulars."""


def note(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    member_id: int | None,
    action: str,
    subject: str = "",
    detail: str = "",
    now: Moment,
) -> None:
    """Write a decision down.

    Args:
        tx: inside the write that carries the decision out.
        guild_id: the tenant.
        member_id: who decided; None for the program itself.
        action: a word of two parts such as ``series.settings``.
        subject: what it is about, cut to :data:`SUBJECT` characters.
        detail: particulars, cut to :data:`DETAIL` characters.
        now: when.
    """
    tx.execute(
        "INSERT INTO audit_event (guild_id, member_id, action, subject, detail, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (guild_id, member_id, action, subject[:SUBJECT], detail[:DETAIL], to_text(now)),
    )


async def audit_events(
    db: Database, guild_id: int, *, before: int | None = None, limit: int = 20
) -> list[AuditEvent]:
    """The newest ``limit`` decisions of a guild, newest first; or those before a number."""
    rows = await db.fetch_all(
        "SELECT * FROM audit_event WHERE guild_id = :guild "
        "AND (:before IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        {"guild": guild_id, "before": before, "limit": limit},
    )
    return [
        AuditEvent(
            row["id"], row["guild_id"], row["member_id"], row["action"], row["subject"],
            row["detail"], from_text(row["created_at"]),
        )
        for row in rows
    ]  # fmt: skip
