"""The sqlite-vec mirror of the fingerprints: derived, kept in step, rebuilt when stale.

The record of truth is the table ``fingerprint``. For each encoder, crop class and colour mode one
``vec0`` table repeats the vectors, partitioned by guild; it is made when the first vector comes.
A process without sqlite-vec marks a mirror stale instead of writing to it.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.domain.errors import EncoderMismatch

_SHADOW_VECTORS = "{name}_vector_chunks00"


@dataclass(frozen=True, slots=True)
class MirrorKey:
    """What one mirror holds: the encoder as text, the crop class and the colour mode."""

    encoder: str
    crop: str
    color_mode: str

    @property
    def table(self) -> str:
        """The name of its table: hex digits only, whatever the encoder is called."""
        text = "\n".join((self.encoder, self.crop, self.color_mode))
        return f"vec_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def add(tx: sqlite3.Connection, key: MirrorKey, *, guild_id: int, row: int, vector: bytes) -> None:
    """Repeat one stored fingerprint in its mirror.

    Args:
        tx: inside a write.
        key: which mirror.
        guild_id: its partition.
        row: ``fingerprint.id``.
        vector: little-endian float32 bytes, as stored.

    Raises:
        EncoderMismatch: earlier vectors of this encoder have another size.
    """
    stale = _register(tx, key, len(vector) // 4)
    _count_change(tx, key)
    if not _writable(tx):
        tx.execute("UPDATE vector_mirror SET stale = 1 WHERE name = ?", (key.table,))
    elif stale:
        _rebuild(tx, key)  # reads the fingerprint rows, the new one among them
    else:
        tx.execute(
            f'INSERT INTO "{key.table}" (fingerprint_id, guild_id, vector) VALUES (?, ?, ?)',  # noqa: S608 - hex digits of our own making
            (row, guild_id, vector),
        )


def remove(tx: sqlite3.Connection, rows: Iterable[tuple[MirrorKey, int]]) -> None:
    """Take fingerprints out of their mirrors, before or after their own rows go.

    Without sqlite-vec the vectors of a whole mirror are wiped and it is marked stale: what a
    person deletes must not live on in a copy.
    """
    by_table: dict[MirrorKey, list[int]] = {}
    for key, row in rows:
        by_table.setdefault(key, []).append(row)
    for key, ids in by_table.items():
        _count_change(tx, key)
        if _writable(tx) and _exists(tx, key.table):
            tx.executemany(
                f'DELETE FROM "{key.table}" WHERE fingerprint_id = ?',  # noqa: S608 - hex digits
                [(row,) for row in ids],
            )
        else:
            _wipe(tx, key)


def nearest(
    tx: sqlite3.Connection, key: MirrorKey, *, guild_id: int, vector: bytes, k: int
) -> Sequence[tuple[int, float]]:
    """The ``k`` (≤ 4096) closest fingerprints of a guild as (reference id, L2 distance)."""
    return [(row[0], row[1]) for row in tx.execute(knn_sql(key), (vector, k, guild_id, guild_id))]


def knn_sql(key: MirrorKey) -> str:
    """The query behind :func:`nearest`; parameters are vector, k and the guild twice."""
    return (
        "SELECT f.reference_id, hit.distance FROM "  # noqa: S608 - hex digits of our own making
        f'(SELECT fingerprint_id, distance FROM "{key.table}" '
        "WHERE vector MATCH ? AND k = ? AND guild_id = ?) AS hit "
        "JOIN fingerprint AS f ON f.id = hit.fingerprint_id AND f.guild_id = ? "
        "ORDER BY hit.distance, f.reference_id"
    )


def refresh(tx: sqlite3.Connection) -> None:
    """Rebuild every mirror that is stale or missing (at opening, with sqlite-vec)."""
    rows = tx.execute("SELECT encoder, crop, color_mode, stale FROM vector_mirror").fetchall()
    for encoder, crop, color_mode, stale in rows:
        key = MirrorKey(encoder, crop, color_mode)
        if stale or not _exists(tx, key.table):
            _rebuild(tx, key)


def _writable(tx: sqlite3.Connection) -> bool:
    return getattr(tx, "has_vec0", False)


def _register(tx: sqlite3.Connection, key: MirrorKey, dimensions: int) -> bool:
    """Note the mirror if it is new; returns whether it has to be rebuilt before use."""
    tx.execute(
        "INSERT INTO vector_mirror (name, encoder, crop, color_mode, dimensions, stale) "
        "VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING",
        (key.table, key.encoder, key.crop, key.color_mode, dimensions),
    )
    known, stale = tx.execute(
        "SELECT dimensions, stale FROM vector_mirror WHERE name = ?", (key.table,)
    ).fetchone()
    if known != dimensions:
        raise EncoderMismatch(
            f"Vectors of {key.encoder} have {known} numbers, this one has {dimensions}; "
            "give the changed encoder a new version."
        )
    return bool(stale)


def _count_change(tx: sqlite3.Connection, key: MirrorKey) -> None:
    tx.execute("UPDATE vector_mirror SET changes = changes + 1 WHERE name = ?", (key.table,))


def _exists(tx: sqlite3.Connection, table: str) -> bool:
    found = tx.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    return found.fetchone() is not None


def _rebuild(tx: sqlite3.Connection, key: MirrorKey) -> None:
    (dimensions,) = tx.execute(
        "SELECT dimensions FROM vector_mirror WHERE name = ?", (key.table,)
    ).fetchone()
    tx.execute(f'DROP TABLE IF EXISTS "{key.table}"')
    # Chunks of 64: a guild holds few vectors, and each guild has chunks of its own. The default
    # of 1024 made the file 20 times as large as its vectors.
    tx.execute(
        f'CREATE VIRTUAL TABLE "{key.table}" USING vec0('
        "fingerprint_id INTEGER PRIMARY KEY, guild_id INTEGER PARTITION KEY, "
        f"vector FLOAT[{int(dimensions)}] DISTANCE_METRIC=L2, chunk_size=64)"
    )
    tx.execute(
        f'INSERT INTO "{key.table}" (fingerprint_id, guild_id, vector) '  # noqa: S608 - hex digits
        "SELECT id, guild_id, vector FROM fingerprint "
        "WHERE encoder = ? AND crop = ? AND color_mode = ?",
        (key.encoder, key.crop, key.color_mode),
    )
    tx.execute("UPDATE vector_mirror SET stale = 0 WHERE name = ?", (key.table,))


def _wipe(tx: sqlite3.Connection, key: MirrorKey) -> None:
    shadow = _SHADOW_VECTORS.format(name=key.table)
    if _exists(tx, shadow):
        tx.execute(f'DELETE FROM "{shadow}"')  # noqa: S608 - hex digits of our own making
    tx.execute("UPDATE vector_mirror SET stale = 1 WHERE name = ?", (key.table,))
