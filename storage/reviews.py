"""Reviews: flagged panels that wait for a moderator, and what they decided."""

import json
import sqlite3

from pipeline.domain.errors import AlreadyExists, NotFound, WrongState
from pipeline.domain.panel import PanelOrigin
from pipeline.domain.quality import Flag
from pipeline.domain.review import Review, ReviewStatus
from storage import audit
from storage.database import Database
from storage.times import Moment, from_text, to_text

_REVIEW = (
    "SELECT r.*, p.origin, p.requester_id, "
    "(SELECT json_group_array(label) FROM "
    "(SELECT label FROM review_label WHERE review_id = r.id ORDER BY id)) AS labels "
    "FROM review AS r JOIN panel AS p ON p.id = r.panel_id "
)


def open_review(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    panel_id: int,
    candidate_id: int,
    flag: Flag,
    reason: str,
    evidence_sha256: str | None,
    now: Moment,
) -> int:
    """Ask the moderators about a candidate; returns the review's id.

    Raises:
        AlreadyExists: a review of this panel is open.
        NotFound: the guild has no such candidate of such a panel.
    """
    owned = tx.execute(
        "SELECT 1 FROM candidate WHERE id = ? AND panel_id = ? AND guild_id = ?",
        (candidate_id, panel_id, guild_id),
    ).fetchone()
    if owned is None:
        raise NotFound(f"There is no such alternate of panel {panel_id} here.")
    row = tx.execute(
        "INSERT INTO review (guild_id, panel_id, candidate_id, flag, reason, status, "
        "evidence_sha256, created_at) VALUES (?, ?, ?, ?, ?, 'open', ?, ?) "
        "ON CONFLICT DO NOTHING RETURNING id",
        (guild_id, panel_id, candidate_id, flag, reason, evidence_sha256, to_text(now)),
    ).fetchone()
    if row is None:
        raise AlreadyExists(f"Panel {panel_id} waits for a moderator already. See /review list.")
    return row["id"]


def decide(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    review_id: int,
    status: ReviewStatus,
    decided_by: int | None,
    note: str,
    now: Moment,
) -> None:
    """Settle an open review.

    Raises:
        NotFound: the guild has no such review.
        ValueError: OPEN is no decision.
        WrongState: it was decided before (the text says how).
    """
    if status is ReviewStatus.OPEN:
        raise ValueError("OPEN is no decision")
    row = tx.execute(
        "UPDATE review SET status = ?, decided_by = ?, decided_at = ?, note = ? "
        "WHERE id = ? AND guild_id = ? AND status = 'open' RETURNING id",
        (status, decided_by, to_text(now), note, review_id, guild_id),
    ).fetchone()
    if row is None:
        earlier = _require(tx, guild_id, review_id)
        raise WrongState(f"This was decided already: {earlier}. Nothing was changed.")


def add_label(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    review_id: int,
    label: str,
    member_id: int,
    now: Moment,
) -> None:
    """Say which drift it is; the same label twice counts once.

    Raises:
        NotFound: the guild has no such review.
    """
    _require(tx, guild_id, review_id)
    tx.execute(
        "INSERT INTO review_label (guild_id, review_id, label, member_id, created_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (review_id, label) DO NOTHING",
        (guild_id, review_id, label, member_id, to_text(now)),
    )


def set_note(
    tx: sqlite3.Connection, *, guild_id: int, review_id: int, note: str, now: Moment
) -> None:
    """Say afterwards why a review was decided as it was; the log keeps each wording.

    Raises:
        NotFound: the guild has no such review.
        WrongState: it is not decided yet.
    """
    row = tx.execute(
        "UPDATE review SET note = ? WHERE id = ? AND guild_id = ? AND status != 'open' "
        "RETURNING decided_by, panel_id",
        (note, review_id, guild_id),
    ).fetchone()
    if row is None:
        _require(tx, guild_id, review_id)
        raise WrongState("This is not decided yet. Approve or reject it first.")
    audit.note(
        tx,
        guild_id=guild_id,
        member_id=row["decided_by"],
        action="review.reason",
        subject=f"review {review_id}, panel {row['panel_id']}",
        detail=note,
        now=now,
    )


def set_thread(tx: sqlite3.Connection, *, guild_id: int, review_id: int, thread_id: int) -> None:
    """Remember the thread in which a review is discussed.

    Raises:
        NotFound: the guild has no such review.
    """
    _require(tx, guild_id, review_id)
    tx.execute("UPDATE review SET thread_id = ? WHERE id = ?", (thread_id, review_id))


async def get_review(db: Database, guild_id: int, review_id: int) -> Review:
    """One review.

    Raises:
        NotFound: the guild has none with this id.
    """
    row = await db.fetch_one(_REVIEW + "WHERE r.id = ? AND r.guild_id = ?", (review_id, guild_id))
    if row is None:
        raise _missing()
    return _review(row)


async def open_reviews(db: Database, guild_id: int) -> list[Review]:
    """What waits for the moderators of a guild, oldest first."""
    rows = await db.fetch_all(
        _REVIEW + "WHERE r.guild_id = ? AND r.status = 'open' ORDER BY r.id", (guild_id,)
    )
    return [_review(row) for row in rows]


async def review_of_panel(db: Database, guild_id: int, panel_id: int) -> Review | None:
    """The latest review of a panel, or None."""
    row = await db.fetch_one(
        _REVIEW + "WHERE r.panel_id = ? AND r.guild_id = ? ORDER BY r.id DESC LIMIT 1",
        (panel_id, guild_id),
    )
    return None if row is None else _review(row)


def _require(tx: sqlite3.Connection, guild_id: int, review_id: int) -> ReviewStatus:
    row = tx.execute(
        "SELECT status FROM review WHERE id = ? AND guild_id = ?", (review_id, guild_id)
    ).fetchone()
    if row is None:
        raise _missing()
    return ReviewStatus(row["status"])


def _missing() -> NotFound:
    return NotFound("There is no such review here. See /review list.")


def _review(row: sqlite3.Row) -> Review:
    return Review(
        id=row["id"],
        guild_id=row["guild_id"],
        panel_id=row["panel_id"],
        candidate_id=row["candidate_id"],
        flag=Flag(row["flag"]),
        reason=row["reason"],
        status=ReviewStatus(row["status"]),
        evidence_sha256=row["evidence_sha256"],
        origin=PanelOrigin(row["origin"]),
        requester_id=row["requester_id"],
        labels=tuple(json.loads(row["labels"])),
        decided_by=row["decided_by"],
        decided_at=from_text(row["decided_at"]),
        note=row["note"],
        thread_id=row["thread_id"],
        created_at=from_text(row["created_at"]),
        appeal_of=row["appeal_of"],
        claimed_by=row["claimed_by"],
        claimed_at=from_text(row["claimed_at"]),
    )
