"""Appearances of characters. A merged one stays as a signpost to the look that took it in."""

import json
import sqlite3
from collections.abc import Mapping, Sequence

from pipeline.domain.character import Appearance, StoryPoint
from pipeline.domain.errors import AlreadyExists, NotFound
from storage.database import Database
from storage.records import to_json
from storage.times import Moment, to_text

_MOST_SIGNPOSTS = 32


def create_appearance(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    character_row: int,
    appearance_id: str,
    label: str,
    components: Mapping[str, str],
    palette: Sequence[str],
    notes: str,
    now: Moment,
    suggested: Mapping[str, str] | None = None,
) -> int:
    """Add a look to a character; returns its row id.

    The name of a look of this character that was merged and holds no picture is free again.

    Raises:
        AlreadyExists: the guild has an appearance with this ``appearance_id``.
        NotFound: the guild has no such character.
    """
    owned = tx.execute(
        "SELECT 1 FROM character WHERE id = ? AND guild_id = ?", (character_row, guild_id)
    ).fetchone()
    if owned is None:
        raise NotFound("That character is not registered here. See /character list.")
    tx.execute(
        "DELETE FROM appearance WHERE guild_id = :guild AND appearance_id = :slug "
        "AND character_row = :row AND merged_into IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM reference WHERE appearance_row = appearance.id)",
        {"guild": guild_id, "slug": appearance_id, "row": character_row},
    )
    row = tx.execute(
        "INSERT INTO appearance (guild_id, character_row, appearance_id, label, components, "
        "palette, notes, created_at, suggested) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (guild_id, appearance_id) DO NOTHING RETURNING id",
        (
            guild_id,
            character_row,
            appearance_id,
            label,
            to_json(dict(components)),
            to_json(list(palette)),
            notes,
            to_text(now),
            to_json(dict(suggested or {})),
        ),
    ).fetchone()
    if row is None:
        raise AlreadyExists(f"There is an appearance {appearance_id} already; choose another name.")
    return row["id"]


def update_appearance(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    appearance_row: int,
    components: Mapping[str, str] | None = None,
    palette: Sequence[str] | None = None,
    notes: str | None = None,
    suggested: Mapping[str, str] | None = None,
) -> None:
    """Replace what is given; None leaves it as it is.

    Raises:
        NotFound: the guild has no such appearance.
    """
    row = tx.execute(
        "UPDATE appearance SET components = coalesce(?, components), "
        "palette = coalesce(?, palette), notes = coalesce(?, notes), "
        "suggested = coalesce(?, suggested) WHERE id = ? AND guild_id = ? RETURNING id",
        (
            None if components is None else to_json(dict(components)),
            None if palette is None else to_json(list(palette)),
            notes,
            None if suggested is None else to_json(dict(suggested)),
            appearance_row,
            guild_id,
        ),
    ).fetchone()
    if row is None:
        raise _no_appearance()


def put_appearance(tx: sqlite3.Connection, look: Appearance) -> None:
    """Write everything that describes a look: all but its ids. It counts as not merged then.

    Raises:
        NotFound: its guild has no such appearance.
    """
    row = tx.execute(
        "UPDATE appearance SET label = ?, components = ?, palette = ?, notes = ?, colorway = ?, "
        "version = ?, valid_from = ?, valid_to = ?, suggested = ?, merged_into = NULL "
        "WHERE id = ? AND guild_id = ? RETURNING id",
        (
            look.label,
            to_json(dict(look.components)),
            to_json(list(look.palette)),
            look.notes,
            look.colorway,
            look.version,
            _point_text(look.valid_from),
            _point_text(look.valid_to),
            to_json(dict(look.suggested)),
            look.id,
            look.guild_id,
        ),
    ).fetchone()
    if row is None:
        raise _no_appearance()


def retire_appearance(
    tx: sqlite3.Connection, *, guild_id: int, appearance_row: int, into: int
) -> None:
    """Make a look a signpost to another one of its character; what was learned for it goes.

    Raises:
        NotFound: the two are not looks of one character of the guild.
    """
    row = tx.execute(
        "UPDATE appearance SET merged_into = :into WHERE id = :row AND guild_id = :guild "
        "AND id <> :into AND EXISTS (SELECT 1 FROM appearance AS t WHERE t.id = :into "
        "AND t.guild_id = :guild AND t.character_row = appearance.character_row) RETURNING id",
        {"into": into, "row": appearance_row, "guild": guild_id},
    ).fetchone()
    if row is None:
        raise _no_appearance()
    tx.execute("DELETE FROM threshold WHERE appearance_row = ?", (appearance_row,))


def looks_in(
    tx: sqlite3.Connection, guild_id: int, character_row: int
) -> dict[str, tuple[Appearance, bool]]:
    """All looks of a character inside a write, by slug, and whether each is in use (not merged)."""
    rows = tx.execute(
        "SELECT * FROM appearance WHERE guild_id = ? AND character_row = ? ORDER BY id",
        (guild_id, character_row),
    ).fetchall()
    return {row["appearance_id"]: (_appearance(row), row["merged_into"] is None) for row in rows}


async def list_appearances(
    db: Database, guild_id: int, character_row: int | None = None
) -> list[Appearance]:
    """The appearances of one character, or of the whole cast, oldest first."""
    rows = await db.fetch_all(
        "SELECT * FROM appearance WHERE guild_id = :guild AND merged_into IS NULL "
        "AND (:row IS NULL OR character_row = :row) ORDER BY id",
        {"guild": guild_id, "row": character_row},
    )
    return [_appearance(row) for row in rows]


async def appearance_ids(db: Database, guild_id: int) -> list[str]:
    """Every ``appearance_id`` that a guild uses, those of merged looks included."""
    rows = await db.fetch_all(
        "SELECT appearance_id FROM appearance WHERE guild_id = ? ORDER BY id", (guild_id,)
    )
    return [row["appearance_id"] for row in rows]


async def merged_looks(db: Database, guild_id: int, character_row: int) -> dict[str, str]:
    """The merged looks of a character: ``appearance_id`` → the one that took it in."""
    rows = await db.fetch_all(
        "SELECT a.appearance_id, t.appearance_id AS target FROM appearance AS a "
        "JOIN appearance AS t ON t.id = a.merged_into "
        "WHERE a.guild_id = ? AND a.character_row = ? ORDER BY a.id",
        (guild_id, character_row),
    )
    return {row["appearance_id"]: row["target"] for row in rows}


async def find_appearance(db: Database, guild_id: int, appearance_id: str) -> Appearance:
    """An appearance by its slug, whatever the capitals; a merged one gives its successor.

    Raises:
        NotFound: there is none.
    """
    row = await db.fetch_one(
        "WITH RECURSIVE way (id, merged_into, steps) AS ("
        "SELECT id, merged_into, 0 FROM appearance WHERE guild_id = :guild "
        "AND appearance_id = :slug UNION ALL "
        "SELECT a.id, a.merged_into, way.steps + 1 FROM way "
        "JOIN appearance AS a ON a.id = way.merged_into WHERE way.steps < :most) "
        "SELECT appearance.* FROM way JOIN appearance USING (id) "
        "WHERE way.merged_into IS NULL AND appearance.guild_id = :guild",
        {"guild": guild_id, "slug": appearance_id.strip().lower(), "most": _MOST_SIGNPOSTS},
    )
    if row is None:
        raise NotFound(f"There is no appearance {appearance_id} here. See /character sheet.")
    return _appearance(row)


def _no_appearance() -> NotFound:
    return NotFound("That appearance is not registered here. See /character sheet.")


def _point_text(point: StoryPoint | None) -> str | None:
    return None if point is None else to_json(list(point))


def _point(text: str | None) -> StoryPoint | None:
    return None if text is None else StoryPoint(*json.loads(text))


def _appearance(row: sqlite3.Row) -> Appearance:
    return Appearance(
        id=row["id"],
        guild_id=row["guild_id"],
        character_row=row["character_row"],
        appearance_id=row["appearance_id"],
        label=row["label"],
        components=json.loads(row["components"]),
        palette=tuple(json.loads(row["palette"])),
        notes=row["notes"],
        colorway=row["colorway"],
        version=row["version"],
        valid_from=_point(row["valid_from"]),
        valid_to=_point(row["valid_to"]),
        suggested=json.loads(row["suggested"]),
    )
