"""Series of a guild: the comics that are made, one of them active."""

import re
import sqlite3
import unicodedata
from typing import Any

from pipeline.domain.character import ColorMode, MissingShot, ReadingDirection, Series
from pipeline.domain.errors import AlreadyExists, NotFound
from pipeline.domain.voting import TasteUse, TieRule, VotingRules
from storage.database import Database
from storage.times import Moment, from_text, to_text

_CHANGEABLE = (
    "name",
    "style",
    "reading_direction",
    "color_mode",
    "moderator_role_id",
    "panel_channel_id",
    "review_channel_id",
    "alternates",
    "quota",
    "false_flag_percent",
    "audit_percent",
    "missing_shot",
    "chapter",
    "page_format",
    "vote_hours",
    "vote_quorum",
    "vote_role_id",
    "vote_days",
    "vote_tie",
    "gpu_seconds",
    "cooldown",
    "language",
    "sentinel",
    "taste",
)
_UPDATE = (
    f"UPDATE series SET {', '.join(f'{column} = :{column}' for column in _CHANGEABLE)} "  # noqa: S608 - our own constants
    "WHERE id = :series_id AND guild_id = :guild_id"
)


def create_series(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    name: str,
    style: str,
    reading_direction: ReadingDirection,
    color_mode: ColorMode,
    created_by: int,
    now: Moment,
) -> int:
    """Create a series and make it the guild's active one.

    Returns:
        Its row id.

    Raises:
        AlreadyExists: the guild has a series of this name (however it is capitalised).
        NotFound: the guild has no row yet (its key is made first).
    """
    taken = tx.execute("SELECT slug, name FROM series WHERE guild_id = ?", (guild_id,)).fetchall()
    if name.casefold() in {row["name"].casefold() for row in taken}:
        raise AlreadyExists(f"There is a series {name} already. Change it with /series settings.")
    if tx.execute("SELECT 1 FROM guild WHERE guild_id = ?", (guild_id,)).fetchone() is None:
        raise NotFound("This server is not known yet. Try again.")
    row = tx.execute(
        "INSERT INTO series (guild_id, slug, name, style, reading_direction, color_mode, "
        "created_by, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            guild_id,
            _free_slug(name, {row["slug"] for row in taken}),
            name,
            style,
            reading_direction,
            color_mode,
            created_by,
            to_text(now),
        ),
    ).fetchone()
    tx.execute("UPDATE guild SET active_series_id = ? WHERE guild_id = ?", (row["id"], guild_id))
    return row["id"]


def update_series(tx: sqlite3.Connection, *, guild_id: int, series_id: int, **changed: Any) -> None:
    """Change settings of a series, by column name; the rest stays.

    Raises:
        NotFound: the guild has no such series.
        TypeError: there is no such setting.
    """
    if unknown := set(changed) - set(_CHANGEABLE):
        raise TypeError(f"a series has no {', '.join(sorted(unknown))}")
    row = tx.execute(
        "SELECT * FROM series WHERE id = ? AND guild_id = ?", (series_id, guild_id)
    ).fetchone()
    if row is None:
        raise _none()
    kept = {column: row[column] for column in _CHANGEABLE}
    tx.execute(_UPDATE, {**kept, **changed, "series_id": series_id, "guild_id": guild_id})


async def active_series(db: Database, guild_id: int) -> Series:
    """The series that a guild works on.

    Raises:
        NotFound: none was created yet.
    """
    row = await db.fetch_one(
        "SELECT series.* FROM series JOIN guild ON guild.active_series_id = series.id "
        "WHERE guild.guild_id = ? AND series.guild_id = guild.guild_id",
        (guild_id,),
    )
    if row is None:
        raise _none()
    return _series(row)


async def get_series(db: Database, guild_id: int, series_id: int) -> Series:
    """One series by its row.

    Raises:
        NotFound: the guild has no such series.
    """
    row = await db.fetch_one(
        "SELECT * FROM series WHERE id = ? AND guild_id = ?", (series_id, guild_id)
    )
    if row is None:
        raise _none()
    return _series(row)


async def list_series(db: Database, guild_id: int) -> list[Series]:
    """All series of a guild, oldest first."""
    rows = await db.fetch_all("SELECT * FROM series WHERE guild_id = ? ORDER BY id", (guild_id,))
    return [_series(row) for row in rows]


def voting_rules(tx: sqlite3.Connection, *, guild_id: int, panel_id: int) -> VotingRules:
    """The rules of a panel's series, inside a write.

    Raises:
        NotFound: the guild has no such panel.
    """
    row = tx.execute(
        "SELECT series.* FROM series JOIN panel ON panel.series_id = series.id "
        "WHERE panel.id = ? AND panel.guild_id = ?",
        (panel_id, guild_id),
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no panel {panel_id} here. See /panel status.")
    return _voting(row)


def _none() -> NotFound:
    return NotFound("There is no series yet. Create one with /series create.")


def _free_slug(name: str, taken: set[str]) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "_", ascii_name).strip("_")[:40] or "series"
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}_{number}", number + 1
    return slug


def _series(row: sqlite3.Row) -> Series:
    return Series(
        id=row["id"],
        guild_id=row["guild_id"],
        slug=row["slug"],
        name=row["name"],
        style=row["style"],
        reading_direction=ReadingDirection(row["reading_direction"]),
        color_mode=ColorMode(row["color_mode"]),
        moderator_role_id=row["moderator_role_id"],
        panel_channel_id=row["panel_channel_id"],
        review_channel_id=row["review_channel_id"],
        alternates=row["alternates"],
        quota=row["quota"],
        created_by=row["created_by"],
        created_at=from_text(row["created_at"]),
        false_flag_percent=row["false_flag_percent"],
        audit_percent=row["audit_percent"],
        missing_shot=MissingShot(row["missing_shot"]),
        chapter=row["chapter"],
        page_format=row["page_format"],
        voting=_voting(row),
        gpu_seconds=row["gpu_seconds"],
        cooldown=row["cooldown"],
        language=row["language"],
        sentinel=bool(row["sentinel"]),
        taste=TasteUse(row["taste"]),
        paused_at=from_text(row["paused_at"]),
        pause_reason=row["pause_reason"],
    )


def _voting(row: sqlite3.Row) -> VotingRules:
    return VotingRules(
        hours=row["vote_hours"],
        quorum=row["vote_quorum"],
        role_id=row["vote_role_id"],
        member_days=row["vote_days"],
        tie=TieRule(row["vote_tie"]),
    )
