"""Reports: what members find wrong with a panel that everyone can see."""

import sqlite3
from datetime import datetime

from pipeline.domain.errors import AlreadyExists, NotFound, WrongState
from pipeline.domain.quality import Flag
from storage import reviews
from storage.database import Database
from storage.times import Moment, to_text


def report_panel(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    panel_id: int,
    reporter_id: int,
    reason: str,
    now: Moment,
) -> tuple[int, bool]:
    """Write a report down; the first about a panel opens its review, later ones join it.

    Returns:
        The review, and whether it was opened by this.

    Raises:
        NotFound: the guild has no such panel.
        WrongState: nobody can see it, or moderators kept it after an earlier report.
        AlreadyExists: the person reported it before.
    """
    panel = tx.execute(
        "SELECT status, coalesce(chosen_candidate, (SELECT min(c.id) FROM candidate AS c "
        "WHERE c.panel_id = panel.id AND c.label IS NOT NULL)) AS candidate "
        "FROM panel WHERE id = ? AND guild_id = ?",
        (panel_id, guild_id),
    ).fetchone()
    if panel is None:
        raise NotFound(f"There is no panel {panel_id} here.")
    review = tx.execute(
        "SELECT id FROM review WHERE panel_id = ? AND status = 'open'", (panel_id,)
    ).fetchone()
    fresh = review is None
    review_id = _open(tx, guild_id, panel_id, panel, now) if fresh else review["id"]
    added = tx.execute(
        "INSERT INTO report (guild_id, review_id, reporter_id, reason, created_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
        (guild_id, review_id, reporter_id, reason, to_text(now)),
    ).fetchone()
    if added is None:
        raise AlreadyExists("You have reported this already; moderators will look at it.")
    return review_id, fresh


async def reports_since(db: Database, guild_id: int, member_id: int, since: datetime) -> int:
    """How many panels a member reported after ``since``."""
    row = await db.fetch_one(
        "SELECT count(*) AS n FROM report "
        "WHERE guild_id = ? AND reporter_id = ? AND created_at > ?",
        (guild_id, member_id, to_text(since)),
    )
    return 0 if row is None else row["n"]


async def reasons_of(db: Database, guild_id: int, review_id: int) -> list[str]:
    """What was reported, oldest first. Who did is told to nobody."""
    rows = await db.fetch_all(
        "SELECT reason FROM report WHERE guild_id = ? AND review_id = ? ORDER BY id",
        (guild_id, review_id),
    )
    return [row["reason"] for row in rows]


def _open(
    tx: sqlite3.Connection, guild_id: int, panel_id: int, panel: sqlite3.Row, now: Moment
) -> int:
    if panel["status"] not in ("voting", "accepted") or panel["candidate"] is None:
        raise WrongState("This panel is not shown any more; there is nothing to report.")
    kept = tx.execute(
        "SELECT 1 FROM review WHERE panel_id = ? AND flag = ? AND status = 'approved'",
        (panel_id, Flag.REPORT),
    ).fetchone()
    if kept is not None:
        raise WrongState(
            "Moderators have looked at this panel after a report and kept it. Speak to one of them "
            "if there is something new."
        )
    return reviews.open_review(
        tx,
        guild_id=guild_id,
        panel_id=panel_id,
        candidate_id=panel["candidate"],
        flag=Flag.REPORT,
        reason="Members reported this panel. May it stay?",
        evidence_sha256=None,
        now=now,
    )
