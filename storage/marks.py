"""Must-keep marks: named regions of references, each with small fingerprints of its own."""

import sqlite3
from collections.abc import Iterable

import numpy as np

from pipeline.domain.character import ColorMode, Mark
from pipeline.domain.errors import AlreadyExists, NotFound
from pipeline.domain.fingerprint import Embedding, EncoderKey
from pipeline.domain.geometry import Box
from storage.database import Database
from storage.times import Moment, to_text


def add_mark(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    reference_id: int,
    name: str,
    side: str,
    box: Box,
    notes: str,
    prints: Iterable[tuple[ColorMode, Embedding]],
    now: Moment,
) -> int:
    """Name a region of a reference; returns the mark's row id.

    Raises:
        NotFound: the guild has no such reference.
        AlreadyExists: the reference has a mark of this name.
    """
    owned = tx.execute(
        "SELECT 1 FROM reference WHERE id = ? AND guild_id = ?", (reference_id, guild_id)
    ).fetchone()
    if owned is None:
        raise NotFound("That reference is not registered here. See /character sheet.")
    row = tx.execute(
        "INSERT INTO mark (guild_id, reference_id, name, side, x0, y0, x1, y1, notes, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (reference_id, name) DO NOTHING "
        "RETURNING id",
        (guild_id, reference_id, name, side, *box, notes, to_text(now)),
    ).fetchone()
    if row is None:
        raise AlreadyExists(f"That reference has a mark “{name}” already; choose another name.")
    replace_mark_prints(tx, guild_id=guild_id, mark_id=row["id"], prints=prints)
    return row["id"]


def replace_mark_prints(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    mark_id: int,
    prints: Iterable[tuple[ColorMode, Embedding]],
) -> None:
    """Store the vectors of a mark in place of all that it had; nothing where the mark is gone."""
    tx.execute(
        "DELETE FROM mark_fingerprint WHERE mark_id = ? AND guild_id = ?", (mark_id, guild_id)
    )
    tx.executemany(
        "INSERT INTO mark_fingerprint (guild_id, mark_id, encoder, color_mode, vector) "
        "SELECT guild_id, id, ?, ?, ? FROM mark WHERE id = ? AND guild_id = ?",
        [
            (str(e.encoder), mode, e.vector.astype("<f4").tobytes(), mark_id, guild_id)
            for mode, e in prints
        ],
    )


def remove_mark(tx: sqlite3.Connection, *, guild_id: int, mark_id: int) -> None:
    """Forget a mark.

    Raises:
        NotFound: the guild has none with this id.
    """
    row = tx.execute(
        "DELETE FROM mark WHERE id = ? AND guild_id = ? RETURNING id", (mark_id, guild_id)
    ).fetchone()
    if row is None:
        raise NotFound("That mark is not registered here. See /character sheet.")


async def list_marks(db: Database, guild_id: int, appearance_row: int) -> list[Mark]:
    """The marks on the references of an appearance, oldest first."""
    rows = await db.fetch_all(
        "SELECT m.* FROM mark AS m JOIN reference AS r ON r.id = m.reference_id "
        "WHERE m.guild_id = ? AND r.appearance_row = ? ORDER BY m.id",
        (guild_id, appearance_row),
    )
    return [
        Mark(
            id=row["id"],
            guild_id=row["guild_id"],
            reference_id=row["reference_id"],
            name=row["name"],
            side=row["side"],
            box=Box(row["x0"], row["y0"], row["x1"], row["y1"]),
            notes=row["notes"],
        )
        for row in rows
    ]


async def mark_prints(
    db: Database, guild_id: int, appearance_row: int
) -> dict[int, tuple[tuple[ColorMode, Embedding], ...]]:
    """The vectors of an appearance's marks by mark id, by encoder and colour mode."""
    rows = await db.fetch_all(
        "SELECT f.mark_id, f.encoder, f.color_mode, f.vector FROM mark_fingerprint AS f "
        "JOIN mark AS m ON m.id = f.mark_id JOIN reference AS r ON r.id = m.reference_id "
        "WHERE f.guild_id = ? AND r.appearance_row = ? "
        "ORDER BY f.mark_id, f.encoder, f.color_mode",
        (guild_id, appearance_row),
    )
    found: dict[int, tuple[tuple[ColorMode, Embedding], ...]] = {}
    for row in rows:
        vector = np.frombuffer(row["vector"], "<f4").astype(np.float32)
        one = (ColorMode(row["color_mode"]), Embedding(vector, EncoderKey.parse(row["encoder"])))
        found[row["mark_id"]] = (*found.get(row["mark_id"], ()), one)
    return found
