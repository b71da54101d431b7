"""The cast of a guild: its characters.

Appearances live in :mod:`storage.appearances`, references and what was computed from them in
:mod:`storage.references`, marks in :mod:`storage.marks`, series in :mod:`storage.series`; their
functions are offered here too, so that one import serves.
"""

import difflib
import sqlite3
import unicodedata
from collections.abc import Iterable

from pipeline.domain.character import Character, EntryKind
from pipeline.domain.errors import AlreadyExists, NotFound
from storage.appearances import (
    appearance_ids,
    create_appearance,
    find_appearance,
    list_appearances,
    merged_looks,
    put_appearance,
    retire_appearance,
    update_appearance,
)
from storage.database import Database
from storage.erasure import delete_character
from storage.marks import add_mark, list_marks, mark_prints, remove_mark, replace_mark_prints
from storage.references import (
    add_fingerprints,
    add_reference,
    canon_fingerprints,
    fingerprints_of,
    get_reference,
    list_references,
    move_references,
    placement_of,
    put_reference,
    put_threshold,
    reference_hashes,
    replace_thresholds,
    thresholds_of,
)
from storage.series import active_series, create_series, list_series, update_series
from storage.times import Moment, from_text, to_text

__all__ = [
    "active_series",
    "add_fingerprints",
    "add_mark",
    "add_reference",
    "appearance_ids",
    "canon_fingerprints",
    "create_appearance",
    "create_character",
    "create_series",
    "delete_character",
    "find_appearance",
    "find_character",
    "fingerprints_of",
    "get_reference",
    "list_appearances",
    "list_characters",
    "list_marks",
    "list_references",
    "list_series",
    "mark_prints",
    "merged_looks",
    "move_references",
    "placement_of",
    "put_appearance",
    "put_character",
    "put_reference",
    "put_threshold",
    "reference_hashes",
    "remove_mark",
    "replace_mark_prints",
    "replace_thresholds",
    "retire_appearance",
    "suggest_characters",
    "thresholds_of",
    "update_appearance",
    "update_series",
]


def create_character(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    series_id: int,
    character_id: str,
    name: str,
    owner_id: int,
    notes: str,
    height_ratio: float,
    now: Moment,
    kind: EntryKind = EntryKind.CHARACTER,
) -> int:
    """Add a character to a series; returns its row id.

    Raises:
        AlreadyExists: the guild has a character with this ``character_id``.
        NotFound: the guild has no such series.
    """
    owned = tx.execute(
        "SELECT 1 FROM series WHERE id = ? AND guild_id = ?", (series_id, guild_id)
    ).fetchone()
    if owned is None:
        raise NotFound("That series is not here. Create one with /series create.")
    row = tx.execute(
        "INSERT INTO character (guild_id, series_id, character_id, name, name_key, owner_id, "
        "notes, height_ratio, created_at, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (guild_id, character_id) DO NOTHING RETURNING id",
        (
            guild_id,
            series_id,
            character_id,
            name,
            _folded(name),
            owner_id,
            notes,
            height_ratio,
            to_text(now),
            kind,
        ),
    ).fetchone()
    if row is None:
        raise AlreadyExists(
            f"{character_id} is registered already. Add pictures with /character add-reference, "
            "or choose another name."
        )
    return row["id"]


def put_character(tx: sqlite3.Connection, character: Character) -> None:
    """Write what people may change of a character: all but its ids, owner and date.

    Raises:
        NotFound: its guild has no such character.
    """
    row = tx.execute(
        "UPDATE character SET name = ?, name_key = ?, notes = ?, height_ratio = ?, kind = ?, "
        "credits = ?, license = ? WHERE id = ? AND guild_id = ? RETURNING id",
        (
            character.name,
            _folded(character.name),
            character.notes,
            character.height_ratio,
            character.kind,
            character.credits,
            character.license,
            character.id,
            character.guild_id,
        ),
    ).fetchone()
    if row is None:
        raise NotFound("That character is not registered here. See /character list.")


async def list_characters(db: Database, guild_id: int) -> list[Character]:
    """The whole cast of a guild, in alphabetical order."""
    rows = await db.fetch_all(
        "SELECT * FROM character WHERE guild_id = ? ORDER BY name_key, id", (guild_id,)
    )
    return [_character(row) for row in rows]


async def find_character(db: Database, guild_id: int, key: str) -> Character:
    """A character by ``character_id`` or by name, whatever the capitals.

    Raises:
        NotFound: there is none (the text names similar ones), or several have that name.
    """
    folded = _folded(key)
    rows = await db.fetch_all(
        "SELECT * FROM character WHERE guild_id = :guild AND (character_id = :key "
        "OR name_key = :key) ORDER BY character_id = :key DESC, id",
        {"guild": guild_id, "key": folded},
    )
    if rows and (len(rows) == 1 or rows[0]["character_id"] == folded):
        return _character(rows[0])
    if rows:
        ids = ", ".join(row["character_id"] for row in rows)
        raise NotFound(f"Several characters are called {key}. Use the id: {ids}.")
    near = _near(folded, await list_characters(db, guild_id))
    advice = f"Did you mean {near}?" if near else "See /character list."
    raise NotFound(f"There is no character {key} here. {advice}")


async def suggest_characters(
    db: Database, guild_id: int, prefix: str, limit: int = 25
) -> list[Character]:
    """Characters for an autocomplete: names that begin with the text first, then any that hold it.

    An empty text gives the first ones of the alphabet.
    """
    rows = await db.fetch_all(
        "SELECT * FROM character WHERE guild_id = :guild "
        "AND (instr(name_key, :text) OR instr(character_id, :text)) "
        "ORDER BY instr(name_key, :text) <> 1, name_key, id LIMIT :limit",
        {"guild": guild_id, "text": _folded(prefix), "limit": limit},
    )
    return [_character(row) for row in rows]


def _folded(name: str) -> str:
    """How names are compared: without regard to capitals, width and odd spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _near(key: str, cast: Iterable[Character]) -> str:
    known = {text: c for c in cast for text in (_folded(c.name), c.character_id)}
    close = difflib.get_close_matches(key, known, n=3, cutoff=0.6)
    return " or ".join(dict.fromkeys(f"{known[t].name} ({known[t].character_id})" for t in close))


def _character(row: sqlite3.Row) -> Character:
    return Character(
        id=row["id"],
        guild_id=row["guild_id"],
        series_id=row["series_id"],
        character_id=row["character_id"],
        name=row["name"],
        owner_id=row["owner_id"],
        notes=row["notes"],
        height_ratio=row["height_ratio"],
        created_at=from_text(row["created_at"]),
        kind=EntryKind(row["kind"]),
        credits=row["credits"],
        license=row["license"],
    )
