"""Who in this guild looks like this? Nearest references by one encoder's vectors.

sqlite-vec answers where it is active and its mirror is in step; numpy reads the fingerprint rows
otherwise. Both give the same references in the same order, up to float32 rounding. A guild with
very many vectors of one kind is searched by sign bits kept in memory, and the best few hundred are
rescored exactly: then a far neighbour may be missed, a near one hardly ever.
"""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import aiosqlite
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import EncoderMismatch
from pipeline.domain.fingerprint import CropClass, EncoderKey, FloatVector
from storage.bit_index import BitIndex
from storage.database import Database
from storage.mirror import MirrorKey, knn_sql

MOST = 4096
"""The most neighbours that one search returns (the limit of sqlite-vec)."""
MANY = 5_000
"""Vectors of one kind in one guild from which sign bits are searched first. Below, a scan by
sqlite-vec takes less than three milliseconds and is exact."""
_RESCORED_LEAST, _RESCORED_EACH = 200, 16
_CHUNK = 4096


@dataclass(slots=True)
class _Kept:
    """The bits of one guild and kind, or how many vectors it has; true until ``changes`` moves."""

    changes: int
    count: int
    index: BitIndex | None = None


_kept: WeakKeyDictionary[Database, dict[tuple[int, MirrorKey], _Kept]] = WeakKeyDictionary()


async def nearest(
    db: Database,
    guild_id: int,
    encoder: EncoderKey,
    crop: CropClass,
    color_mode: ColorMode,
    vector: FloatVector,
    k: int,
) -> list[tuple[int, float]]:
    """The references of a guild that are most similar to a vector.

    Args:
        db: the database.
        guild_id: only this guild's references are looked at.
        encoder: what made ``vector``; only vectors of the same are compared.
        crop: which part of the figure.
        color_mode: colour or grey.
        vector: unit float32 of shape ``(d,)``.
        k: how many, 1 to 4096.

    Returns:
        ``(reference_id, cosine in [-1, 1])``, most similar first, then lower id.

    Raises:
        EncoderMismatch: the stored vectors of this encoder have another size.
        ValueError: ``k`` is out of range.
    """
    if not 1 <= k <= MOST:
        raise ValueError(f"k must be 1 to {MOST}, got {k}")
    key = MirrorKey(str(encoder), crop.value, color_mode.value)
    async with db.reader() as reader:
        known = await _row(
            reader,
            "SELECT dimensions, stale, changes FROM vector_mirror WHERE name = ?",
            (key.table,),
        )
        if known is None:
            return []
        if vector.dtype != np.float32 or vector.shape != (known["dimensions"],):
            raise EncoderMismatch(
                f"The registered vectors of {encoder} have {known['dimensions']} numbers; "
                "re-index the references with the encoder in use."
            )
        kept = await _remembered(db, reader, guild_id, key, known["changes"])
        if kept.count > MANY:
            return await _by_bits(reader, key, guild_id, vector, k, kept)
        if db.has_vec0 and not known["stale"]:
            return await _by_vec0(reader, key, guild_id, vector, k)
        return await _by_numpy(reader, key, guild_id, vector, k)


async def _remembered(
    db: Database, reader: aiosqlite.Connection, guild_id: int, key: MirrorKey, changes: int
) -> _Kept:
    """What is known of a guild's vectors of one kind, counted again after a change."""
    known = _kept.setdefault(db, {})
    kept = known.get((guild_id, key))
    if kept is None or kept.changes != changes:
        row = await _row(
            reader,
            "SELECT count(*) AS n FROM fingerprint "
            "WHERE guild_id = ? AND encoder = ? AND crop = ? AND color_mode = ?",
            (guild_id, key.encoder, key.crop, key.color_mode),
        )
        kept = _Kept(changes, row["n"] if row else 0)
        known[guild_id, key] = kept
    return kept


async def _by_bits(
    reader: aiosqlite.Connection,
    key: MirrorKey,
    guild_id: int,
    vector: FloatVector,
    k: int,
    kept: _Kept,
) -> list[tuple[int, float]]:
    if kept.index is None:
        kept.index = await _read_bits(reader, key, guild_id, len(vector))
    count = max(_RESCORED_LEAST, _RESCORED_EACH * k)
    # Here and not in a thread: a millisecond for 100,000 vectors, less than the way there and back.
    rows = kept.index.candidates(vector, count)
    # The plus signs keep the planner from walking through all rows of the guild.
    found = await reader.execute_fetchall(
        "SELECT reference_id, vector FROM fingerprint "
        "WHERE id IN (SELECT value FROM json_each(?)) AND +guild_id = ? AND +encoder = ?",
        (json.dumps(rows.tolist()), guild_id, key.encoder),
    )
    return _rank(list(found), vector, k)


async def _read_bits(
    reader: aiosqlite.Connection, key: MirrorKey, guild_id: int, dimensions: int
) -> BitIndex:
    """The bits of all vectors, read in pieces; the first piece gives the centre."""
    index: BitIndex | None = None
    async with reader.execute(
        "SELECT id, vector FROM fingerprint "
        "WHERE guild_id = ? AND encoder = ? AND crop = ? AND color_mode = ?",
        (guild_id, key.encoder, key.crop, key.color_mode),
    ) as cursor:
        while rows := list(await cursor.fetchmany(_CHUNK)):
            ids = np.array([row["id"] for row in rows], np.int64)
            stored = _stacked(rows)
            if index is None:
                index = BitIndex(dimensions, stored.mean(axis=0, dtype=np.float32))
            await asyncio.to_thread(index.add, ids, stored)
    return index or BitIndex(dimensions, np.zeros(dimensions, np.float32))


async def _by_vec0(
    reader: aiosqlite.Connection, key: MirrorKey, guild_id: int, vector: FloatVector, k: int
) -> list[tuple[int, float]]:
    rows = await reader.execute_fetchall(knn_sql(key), (vector.tobytes(), k, guild_id, guild_id))
    # On unit vectors |a - b|² = 2 - 2 a·b.
    return [
        (row["reference_id"], float(np.clip(1 - row["distance"] ** 2 / 2, -1, 1))) for row in rows
    ]


async def _by_numpy(
    reader: aiosqlite.Connection, key: MirrorKey, guild_id: int, vector: FloatVector, k: int
) -> list[tuple[int, float]]:
    rows = await reader.execute_fetchall(
        "SELECT reference_id, vector FROM fingerprint "
        "WHERE guild_id = ? AND encoder = ? AND crop = ? AND color_mode = ?",
        (guild_id, key.encoder, key.crop, key.color_mode),
    )
    return _rank(list(rows), vector, k)


def _rank(rows: Sequence[sqlite3.Row], vector: FloatVector, k: int) -> list[tuple[int, float]]:
    if not rows:
        return []
    ids = np.array([row["reference_id"] for row in rows])
    stored = _stacked(rows)
    similarity = np.clip(stored @ vector, -1, 1)
    order = np.lexsort((ids, -similarity))[:k]
    return [(int(ids[i]), float(similarity[i])) for i in order]


def _stacked(rows: Sequence[sqlite3.Row]) -> NDArray[np.float32]:
    """The vectors of rows, shape (rows, dimensions)."""
    joined = b"".join(row["vector"] for row in rows)
    return np.frombuffer(joined, "<f4").reshape(len(rows), -1).astype(np.float32, copy=False)


async def _row(
    reader: aiosqlite.Connection, sql: str, params: Sequence[object]
) -> sqlite3.Row | None:
    rows = list(await reader.execute_fetchall(sql, params))
    return rows[0] if rows else None
