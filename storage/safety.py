"""Content safety as a guild keeps it: its rules, ratings of uploads, pictures that wait."""

import sqlite3
from collections.abc import Mapping

from pipeline.domain.errors import LimitReached, NotFound, WrongState
from pipeline.domain.safety import HeldPicture, HeldStatus, Rating, Restricted, SafetyRules
from storage import audit
from storage.database import Database
from storage.doomed import doom_unused
from storage.times import Moment, to_text

MOST_OPEN = 5
"""Pictures of one member that may wait for a moderator at a time."""


def put_rules(
    tx: sqlite3.Connection, *, guild_id: int, rules: SafetyRules, member_id: int, now: Moment
) -> None:
    """Change what a guild wants to be asked about; the log keeps it."""
    tx.execute(
        "INSERT INTO safety_rule (guild_id, flag_percent, restricted, updated_at) "
        "VALUES (?, ?, ?, ?) ON CONFLICT (guild_id) DO UPDATE SET "
        "flag_percent = excluded.flag_percent, restricted = excluded.restricted, "
        "updated_at = excluded.updated_at",
        (guild_id, rules.flag_percent, rules.restricted, to_text(now)),
    )
    audit.note(
        tx,
        guild_id=guild_id,
        member_id=member_id,
        action="safety.settings",
        detail=f"from {rules.flag_percent} %, age-restricted channels: {rules.restricted}",
        now=now,
    )


def put_ratings(
    tx: sqlite3.Connection, *, guild_id: int, ratings: Mapping[str, Rating], now: Moment
) -> None:
    """Remember what was said about pictures, by sha256."""
    tx.executemany(
        "INSERT INTO picture_rating (guild_id, picture, score, rater, created_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (guild_id, picture) DO UPDATE SET "
        "score = excluded.score, rater = excluded.rater, created_at = excluded.created_at",
        [(guild_id, sha, r.score, r.by, to_text(now)) for sha, r in ratings.items()],
    )


def hold_picture(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    sha256: str,
    member_id: int,
    rating: Rating,
    now: Moment,
) -> int | None:
    """Let a picture wait for a moderator; returns its number, None if it waits already.

    Raises:
        LimitReached: too many pictures of the member wait.
    """
    (waiting,) = tx.execute(
        "SELECT count(*) FROM held_picture WHERE guild_id = ? AND member_id = ? "
        "AND status = 'open' AND picture != ?",
        (guild_id, member_id, sha256),
    ).fetchone()
    if waiting >= MOST_OPEN:
        raise LimitReached(
            f"{waiting} of your pictures wait for a moderator already. Wait until they are decided."
        )
    row = tx.execute(
        "INSERT INTO held_picture (guild_id, picture, sha256, member_id, score, rater, status, "
        "created_at) VALUES (?, ?, ?, ?, ?, ?, 'open', ?) ON CONFLICT DO NOTHING RETURNING id",
        (guild_id, sha256, sha256, member_id, rating.score, rating.by, to_text(now)),
    ).fetchone()
    return None if row is None else row["id"]


def decide_held(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    held_id: int,
    status: HeldStatus,
    member_id: int,
    now: Moment,
) -> None:
    """Settle a picture that waits. Its file goes: whoever may use it sends it again.

    Raises:
        NotFound: the guild has no such picture.
        WrongState: it is decided.
    """
    row = tx.execute(
        "UPDATE held_picture SET status = ?, decided_by = ?, decided_at = ?, sha256 = NULL "
        "WHERE id = ? AND guild_id = ? AND status = 'open' RETURNING picture",
        (status, member_id, to_text(now), held_id, guild_id),
    ).fetchone()
    if row is None:
        known = tx.execute(
            "SELECT 1 FROM held_picture WHERE id = ? AND guild_id = ?", (held_id, guild_id)
        ).fetchone()
        if known is None:
            raise _missing()
        raise WrongState("This picture was decided already.")
    doom_unused(tx, guild_id=guild_id, pictures=[row["picture"]])
    audit.note(
        tx,
        guild_id=guild_id,
        member_id=member_id,
        action=f"picture.{status.value}",
        subject=f"picture {held_id}",
        now=now,
    )


async def safety_rules(db: Database, guild_id: int) -> SafetyRules | None:
    """What a guild wants to be asked about; None where it has not said."""
    row = await db.fetch_one(
        "SELECT flag_percent, restricted FROM safety_rule WHERE guild_id = ?", (guild_id,)
    )
    if row is None:
        return None
    return SafetyRules(row["flag_percent"], Restricted(row["restricted"]))


async def rating_of(db: Database, guild_id: int, sha256: str) -> tuple[float, str] | None:
    """The score of a picture that was handed in, and which classifier was surest."""
    row = await db.fetch_one(
        "SELECT score, rater FROM picture_rating WHERE guild_id = ? AND picture = ?",
        (guild_id, sha256),
    )
    return None if row is None else (row["score"], row["rater"])


async def held_status(db: Database, guild_id: int, sha256: str) -> HeldStatus | None:
    """What became of a picture that had to wait; None if it never had to."""
    row = await db.fetch_one(
        "SELECT status FROM held_picture WHERE guild_id = ? AND picture = ?", (guild_id, sha256)
    )
    return None if row is None else HeldStatus(row["status"])


async def get_held(db: Database, guild_id: int, held_id: int) -> HeldPicture:
    """A picture that waits, or waited.

    Raises:
        NotFound: the guild has no such picture.
    """
    row = await db.fetch_one(
        "SELECT * FROM held_picture WHERE id = ? AND guild_id = ?", (held_id, guild_id)
    )
    if row is None:
        raise _missing()
    return HeldPicture(
        row["id"], row["guild_id"], row["member_id"], row["sha256"],
        Rating(row["score"], row["rater"], over=True), HeldStatus(row["status"]),
        row["decided_by"],
    )  # fmt: skip


def _missing() -> NotFound:
    return NotFound("There is no such picture here.")
