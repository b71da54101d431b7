"""Who in this guild looks like this? Nearest references by one encoder's vectors.

What is asked for again without a change in between is answered from a copy in memory (see
:mod:`storage.shelf`). Else sqlite-vec answers where it is active and its mirror is in step, and
numpy reads the fingerprint rows otherwise. All give the same references in the same order, up to
float32 rounding. A guild with very many vectors of one kind is searched by sign bits kept in
memory, and the best few hundred are rescored exactly: then a far neighbour may be missed, a near
one hardly ever.
"""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

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
"""Vectors of one kind in one guild from which sign bits are searched. Fewer are few megabytes, and
a product with all of them is exact and takes less than a millisecond."""
_RESCORED_LEAST, _RESCORED_EACH = 200, 16
_CHUNK = 4096
_OF_GUILD = (
    "SELECT id, reference_id, vector FROM fingerprint "
    "WHERE guild_id = :guild AND encoder = :encoder AND crop = :crop AND color_mode = :mode"
)
_COUNT = f"SELECT count(*) AS n FROM ({_OF_GUILD})"  # noqa: S608 - text of our own
_OF_LOOK = (
    # The plus sign keeps the planner from walking through all references of the guild.
    "SELECT f.id, f.reference_id, f.vector FROM reference AS r "
    "JOIN fingerprint AS f ON f.reference_id = r.id WHERE +r.guild_id = :guild "
    "AND r.appearance_row = :look AND f.encoder = :encoder AND f.crop = :crop "
    "AND f.color_mode = :mode"
)

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A guild was searched once; a second time is worth a copy. How many vectors it has."""

    count: int


@dataclass(frozen=True, slots=True, eq=False)
class VectorCopy:
    """The vectors of a guild or of a look in memory: ``ids`` (n,) and ``stored`` (n, d)."""

    ids: NDArray[np.int64]
    stored: Vectors

    @property
    def size(self) -> int:
        """In bytes."""
        return self.ids.nbytes + self.stored.nbytes

    def nearest(self, vector: FloatVector, k: int) -> list[tuple[int, float]]:
        """The ``k`` most similar as (reference id, cosine), the most similar first, then by id."""
        similarity = self.stored @ vector
        some = _at_least_the_best(similarity, k)
        order = np.lexsort((self.ids[some], -similarity[some]))[:k]
        chosen = some[order]
        cosines = similarity[chosen].clip(-1, 1)
        return list(zip(self.ids[chosen].tolist(), cosines.tolist(), strict=True))


async def nearest(
    db: Database,
    guild_id: int,
    encoder: EncoderKey,
    crop: CropClass,
    color_mode: ColorMode,
    vector: FloatVector,
    k: int,
    *,
    appearance_row: int | None = None,
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
        appearance_row: only references of this look; None for all.

    Returns:
        ``(reference_id, cosine in [-1, 1])``, most similar first, then lower id.

    Raises:
        EncoderMismatch: the stored vectors of this encoder have another size.
        ValueError: ``k`` is out of range.
    """
    if not 1 <= k <= MOST:
        raise ValueError(f"k must be 1 to {MOST}, got {k}")
    search = _Search(
        db, guild_id, MirrorKey(str(encoder), crop.value, color_mode.value), appearance_row
    )
    held = db.shelf.get(guild_id, search.kept_as)
    if isinstance(held, VectorCopy):
        _check_size(encoder, vector, held.stored.shape[1])
        return held.nearest(vector, k)
    async with db.reader() as reader:
        known = await _row(
            reader,
            "SELECT dimensions, stale FROM vector_mirror WHERE name = ?",
            (search.key.table,),
        )
        if known is None:
            return []
        _check_size(encoder, vector, known["dimensions"])
        if isinstance(held, BitIndex):
            return await search.by_bits(reader, held, vector, k)
        serves = db.has_vec0 and not known["stale"] and appearance_row is None
        return await search.first(reader, held, vector, k, by_vec0=serves)


def _check_size(encoder: EncoderKey, vector: FloatVector, dimensions: int) -> None:
    if vector.dtype != np.float32 or vector.shape != (dimensions,):
        raise EncoderMismatch(
            f"The registered vectors of {encoder} have {dimensions} numbers; "
            "re-index the references with the encoder in use."
        )


@dataclass(frozen=True, slots=True)
class _Search:
    """What is searched: vectors of one kind in one guild, of all its looks or of one."""

    db: Database
    guild_id: int
    key: MirrorKey
    look: int | None

    @property
    def kept_as(self) -> tuple[MirrorKey, int | None]:
        """Under which key copies of it lie on the shelf."""
        return self.key, self.look

    async def first(
        self,
        reader: aiosqlite.Connection,
        asked: _Asked | None,
        vector: FloatVector,
        k: int,
        *,
        by_vec0: bool,
    ) -> list[tuple[int, float]]:
        """Answer without a copy, or make one where that is worth it."""
        stamp = self.db.shelf.stamp(self.guild_id)
        count = asked.count if asked else await self._count(reader)
        if by_vec0 and asked is None:
            self._keep(_Asked(count), 100, stamp)
            return await _by_vec0(reader, self.key, self.guild_id, vector, k)
        if self.look is None and count > MANY:
            index = await self._read_bits(reader, len(vector))
            self._keep(index, index.size, stamp)
            return await self.by_bits(reader, index, vector, k)
        copy = await self._read_copy(reader, len(vector))
        self._keep(copy, copy.size, stamp)
        return copy.nearest(vector, k)

    async def by_bits(
        self, reader: aiosqlite.Connection, index: BitIndex, vector: FloatVector, k: int
    ) -> list[tuple[int, float]]:
        """Candidates by their signs, then the true cosines of these."""
        count = max(_RESCORED_LEAST, _RESCORED_EACH * k)
        # Here and not in a thread: a millisecond for 100,000 vectors, less than there and back.
        rows = index.candidates(vector, count)
        # The plus signs keep the planner from walking through all rows of the guild.
        found = await reader.execute_fetchall(
            "SELECT reference_id, vector FROM fingerprint "
            "WHERE id IN (SELECT value FROM json_each(?)) AND +guild_id = ? AND +encoder = ?",
            (json.dumps(rows.tolist()), self.guild_id, self.key.encoder),
        )
        return _copy_of(list(found), len(vector)).nearest(vector, k)

    async def _count(self, reader: aiosqlite.Connection) -> int:
        if self.look is not None:
            return 0
        row = await _row(reader, _COUNT, self._parameters)
        return row["n"] if row else 0

    async def _read_copy(self, reader: aiosqlite.Connection, dimensions: int) -> VectorCopy:
        sql = _OF_GUILD if self.look is None else _OF_LOOK
        return _copy_of(list(await reader.execute_fetchall(sql, self._parameters)), dimensions)

    async def _read_bits(self, reader: aiosqlite.Connection, dimensions: int) -> BitIndex:
        """The bits of all vectors, read in pieces; the first piece gives the centre."""
        index: BitIndex | None = None
        async with reader.execute(_OF_GUILD, self._parameters) as cursor:
            while rows := list(await cursor.fetchmany(_CHUNK)):
                ids = np.array([row["id"] for row in rows], np.int64)
                stored = _stacked(rows, dimensions)
                if index is None:
                    index = BitIndex(dimensions, stored.mean(axis=0, dtype=np.float32))
                await asyncio.to_thread(index.add, ids, stored)
        return index or BitIndex(dimensions, np.zeros(dimensions, np.float32))

    def _keep(self, value: object, size: int, stamp: int | None) -> None:
        self.db.shelf.put(self.guild_id, self.kept_as, value, size=size, stamp=stamp)

    @property
    def _parameters(self) -> dict[str, object]:
        return {
            "guild": self.guild_id,
            "encoder": self.key.encoder,
            "crop": self.key.crop,
            "mode": self.key.color_mode,
            "look": self.look,
        }


async def _by_vec0(
    reader: aiosqlite.Connection, key: MirrorKey, guild_id: int, vector: FloatVector, k: int
) -> list[tuple[int, float]]:
    rows = await reader.execute_fetchall(knn_sql(key), (vector.tobytes(), k, guild_id, guild_id))
    # On unit vectors |a - b|² = 2 - 2 a·b.
    return [
        (row["reference_id"], float(np.clip(1 - row["distance"] ** 2 / 2, -1, 1))) for row in rows
    ]


def _at_least_the_best(similarity: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """The places of the ``k`` largest numbers, with all that equal the last of them."""
    if len(similarity) <= k:
        return np.arange(len(similarity))
    least = np.partition(similarity, len(similarity) - k)[-k]
    return np.flatnonzero(similarity >= least)


def _copy_of(rows: Sequence[sqlite3.Row], dimensions: int) -> VectorCopy:
    ids = np.array([row["reference_id"] for row in rows], np.int64)
    return VectorCopy(ids, _stacked(rows, dimensions))


def _stacked(rows: Sequence[sqlite3.Row], dimensions: int) -> Vectors:
    """The vectors of rows, shape (rows, dimensions)."""
    joined = b"".join(row["vector"] for row in rows)
    return np.frombuffer(joined, "<f4").reshape(-1, dimensions).astype(np.float32, copy=False)


async def _row(
    reader: aiosqlite.Connection, sql: str, params: Sequence[object] | dict[str, object]
) -> sqlite3.Row | None:
    rows = list(await reader.execute_fetchall(sql, params))
    return rows[0] if rows else None
