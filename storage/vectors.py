"""Who in this guild looks like this? Nearest references by one encoder's vectors.

sqlite-vec answers where it is active and its mirror is in step; numpy reads the fingerprint rows
otherwise. Both give the same references in the same order, up to float32 rounding.
"""

import sqlite3
from collections.abc import Sequence

import aiosqlite
import numpy as np

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import EncoderMismatch
from pipeline.domain.fingerprint import CropClass, EncoderKey, FloatVector
from storage.database import Database
from storage.mirror import MirrorKey, knn_sql

MOST = 4096
"""The most neighbours that one search returns (the limit of sqlite-vec)."""


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
            reader, "SELECT dimensions, stale FROM vector_mirror WHERE name = ?", (key.table,)
        )
        if known is None:
            return []
        if vector.dtype != np.float32 or vector.shape != (known["dimensions"],):
            raise EncoderMismatch(
                f"The registered vectors of {encoder} have {known['dimensions']} numbers; "
                "re-index the references with the encoder in use."
            )
        if db.has_vec0 and not known["stale"]:
            return await _by_vec0(reader, key, guild_id, vector, k)
        return await _by_numpy(reader, key, guild_id, vector, k)


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
    stored = np.frombuffer(b"".join(row["vector"] for row in rows), "<f4").reshape(len(rows), -1)
    similarity = np.clip(stored @ vector, -1, 1)
    order = np.lexsort((ids, -similarity))[:k]
    return [(int(ids[i]), float(similarity[i])) for i in order]


async def _row(
    reader: aiosqlite.Connection, sql: str, params: Sequence[object]
) -> sqlite3.Row | None:
    rows = list(await reader.execute_fetchall(sql, params))
    return rows[0] if rows else None
