"""Files that have to go: written in the transaction that stops naming them, gone after it.

A file cannot be deleted inside a transaction. What is doomed is written down instead, and stays
written until the file is away, so that no crash leaves a picture that somebody had erased.
"""

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from storage.database import Database
from storage.tables import guild_tables

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAMES_PICTURES = re.compile(r"sha256$|^sketch$")
_HOLDS_PICTURES = frozenset({("panel", "brief"), ("attempt", "plan")})


COPIES = ""
"""A picture without a name: nothing but backups and freed pages of the database file have to go."""


class DoomedKind(StrEnum):
    """A picture by its sha256, the modules of an appearance, or everything of a guild."""

    PICTURE = "picture"
    MODULE = "module"
    GUILD = "guild"


@dataclass(frozen=True, slots=True)
class DoomedFile:
    """What has to go: a sha256, an appearance's id, or nothing more for a whole guild."""

    guild_id: int
    kind: DoomedKind
    name: str = ""


def doom(tx: sqlite3.Connection, *, guild_id: int, kind: DoomedKind, names: Iterable[str]) -> None:
    """Write down that files have to go. What was said about a picture goes at once."""
    names = list(names)
    if kind is DoomedKind.PICTURE:
        tx.executemany(
            "DELETE FROM picture_rating WHERE guild_id = ? AND picture = ?",
            [(guild_id, name) for name in names],
        )
    tx.executemany(
        "INSERT INTO doomed_file (guild_id, kind, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(guild_id, kind, name) for name in names],
    )


def doom_unused(tx: sqlite3.Connection, *, guild_id: int, pictures: Iterable[str]) -> int:
    """Doom those of some pictures that no row of the guild names any more; returns how many."""
    gone = set(pictures) - _named(tx, guild_id)
    doom(tx, guild_id=guild_id, kind=DoomedKind.PICTURE, names=sorted(gone))
    return len(gone)


def condemned(
    tx: sqlite3.Connection, *, guild_id: int, files: Iterable[DoomedFile]
) -> list[DoomedFile]:
    """Those of a guild's doomed files that have to go still; the others are struck off the list.

    A picture that is named again meanwhile is pardoned. So is a guild that came back: its old
    pictures cannot be opened, as their key is gone.
    """
    named = _named(tx, guild_id)
    row = tx.execute("SELECT 1 FROM guild WHERE guild_id = ?", (guild_id,)).fetchone()
    going = []
    for file in files:
        is_picture = file.kind is DoomedKind.PICTURE and file.name != COPIES
        back = file.kind is DoomedKind.GUILD and row is not None
        if back or (is_picture and file.name in named):
            strike(tx, file=file)
        else:
            going.append(file)
    return going


def strike(tx: sqlite3.Connection, *, file: DoomedFile) -> None:
    """The file is away."""
    tx.execute(
        "DELETE FROM doomed_file WHERE guild_id = ? AND kind = ? AND name = ?",
        (file.guild_id, file.kind, file.name),
    )


async def doomed_files(db: Database) -> list[DoomedFile]:
    """Everything that has to go, in all guilds."""
    rows = await db.fetch_all("SELECT guild_id, kind, name FROM doomed_file ORDER BY 1, 2, 3")
    return [DoomedFile(row["guild_id"], DoomedKind(row["kind"]), row["name"]) for row in rows]


def _named(tx: sqlite3.Connection, guild_id: int) -> set[str]:
    """Every picture that some row of the guild names, found by the names of the columns."""
    named: set[str] = set()
    for table, columns in guild_tables(tx).items():
        for column in columns:
            if table == "doomed_file" or column.type != "TEXT":
                continue
            inside = (table, column.name) in _HOLDS_PICTURES
            if not inside and not _NAMES_PICTURES.search(column.name):
                continue
            rows = tx.execute(
                f'SELECT "{column.name}" FROM "{table}" '  # noqa: S608 - names from the schema
                f'WHERE guild_id = ? AND "{column.name}" IS NOT NULL',
                (guild_id,),
            )
            for (text,) in rows:
                named.update(_SHA256.findall(text) if inside else (text,))
    return named
