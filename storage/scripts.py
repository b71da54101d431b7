"""Scripts that were handed in, and the stagings that their storyboards gave their panels."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.domain.errors import NotFound
from pipeline.domain.panel import Staging
from storage.database import Database
from storage.records import staging_from_json, staging_to_json
from storage.times import Moment, from_text, to_text

Place = tuple[int, int]
"""Page number and panel number of a script."""


@dataclass(frozen=True, slots=True)
class ScriptRecord:
    """A script of a series; ``sha256`` names its text among the guild's blobs."""

    id: int
    guild_id: int
    series_id: int
    title: str
    sha256: str
    imported_by: int
    created_at: datetime


def add_script(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    series_id: int,
    title: str,
    sha256: str,
    imported_by: int,
    now: Moment,
) -> int:
    """Keep a script. Returns its row id.

    Raises:
        NotFound: the series is not this guild's.
    """
    row = tx.execute(
        "INSERT INTO script (guild_id, series_id, title, sha256, imported_by, created_at) "
        "SELECT guild_id, id, ?, ?, ?, ? FROM series WHERE id = ? AND guild_id = ? RETURNING id",
        (title, sha256, imported_by, to_text(now), series_id, guild_id),
    ).fetchone()
    if row is None:
        raise NotFound("That series is not here. Create one with /series create.")
    return row["id"]


def put_stagings(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    script_id: int,
    stagings: Mapping[Place, tuple[str, Staging]],
) -> None:
    """Keep what a storyboard showed: by page and panel the sketch's sha256 and the staging.

    Raises:
        NotFound: the script is not this guild's.
    """
    owned = tx.execute(
        "SELECT 1 FROM script WHERE id = ? AND guild_id = ?", (script_id, guild_id)
    ).fetchone()
    if owned is None:
        raise _no_script()
    tx.execute("DELETE FROM staging WHERE script_id = ?", (script_id,))
    tx.executemany(
        "INSERT INTO staging (guild_id, script_id, page, panel, sketch, staging) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            (guild_id, script_id, page, panel, sketch, staging_to_json(staging))
            for (page, panel), (sketch, staging) in stagings.items()
        ],
    )


async def get_script(db: Database, guild_id: int, script_id: int) -> ScriptRecord:
    """One script.

    Raises:
        NotFound: the guild has no such script.
    """
    row = await db.fetch_one(
        "SELECT * FROM script WHERE id = ? AND guild_id = ?", (script_id, guild_id)
    )
    if row is None:
        raise _no_script()
    return _script(row)


async def list_scripts(db: Database, guild_id: int, limit: int = 100) -> list[ScriptRecord]:
    """The latest scripts, newest first."""
    rows = await db.fetch_all(
        "SELECT * FROM script WHERE guild_id = ? ORDER BY id DESC LIMIT ?", (guild_id, limit)
    )
    return [_script(row) for row in rows]


async def stagings_of(
    db: Database, guild_id: int, script_id: int
) -> dict[Place, tuple[str, Staging]]:
    """What the script's storyboard showed, by page and panel; empty without one."""
    rows = await db.fetch_all(
        "SELECT page, panel, sketch, staging FROM staging WHERE script_id = ? AND guild_id = ?",
        (script_id, guild_id),
    )
    return {
        (row["page"], row["panel"]): (row["sketch"], staging_from_json(row["staging"]))
        for row in rows
    }


def _no_script() -> NotFound:
    return NotFound("That script is not here any more. Hand it in again with /script import.")


def _script(row: sqlite3.Row) -> ScriptRecord:
    return ScriptRecord(**{**dict(row), "created_at": from_text(row["created_at"])})
