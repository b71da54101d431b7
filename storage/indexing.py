"""With which encoders each reference was indexed, and what is left to do when they change."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.fingerprint import Fingerprint, PictureHashes
from storage import mirror
from storage.database import Database
from storage.records import hashes_to_columns
from storage.references import add_fingerprints
from storage.times import Moment, to_text

_OF_MARK = (
    "SELECT group_concat(encoder, ',') FROM (SELECT DISTINCT encoder FROM mark_fingerprint "
    "WHERE mark_id = m.id ORDER BY encoder)"
)
_STALE = (
    "FROM reference AS r LEFT JOIN reference_index AS i ON i.reference_id = r.id "  # noqa: S608 - text of our own
    "WHERE i.encoders IS NOT :encoders OR r.hash_version IS NOT :hashes OR EXISTS "
    f"(SELECT 1 FROM mark AS m WHERE m.reference_id = r.id AND ({_OF_MARK}) IS NOT :encoders)"
)

_COUNT = (
    "SELECT (SELECT count(*) FROM reference) AS total, "  # noqa: S608 - text of our own
    f"(SELECT count(*) {_STALE}) AS stale"
)


@dataclass(frozen=True, slots=True)
class IndexState:
    """How many references there are, and how many wait to be indexed anew."""

    references: int
    stale: int

    @property
    def done(self) -> bool:
        """Whether nothing waits."""
        return self.stale == 0


@dataclass(frozen=True, slots=True)
class StaleAppearance:
    """An appearance some of whose references were indexed otherwise."""

    guild_id: int
    appearance_row: int
    appearance_id: str


def mark_indexed(
    tx: sqlite3.Connection, *, guild_id: int, reference_id: int, encoders: str, now: Moment
) -> None:
    """Note with which encoder set a reference was indexed, also where no figure was found."""
    tx.execute(
        "INSERT INTO reference_index (reference_id, guild_id, encoders, indexed_at) "
        "SELECT id, guild_id, ?, ? FROM reference WHERE id = ? AND guild_id = ? "
        "ON CONFLICT (reference_id) DO UPDATE SET "
        "encoders = excluded.encoders, indexed_at = excluded.indexed_at",
        (encoders, to_text(now), reference_id, guild_id),
    )


def replace_index(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    reference_id: int,
    hashes: PictureHashes,
    fingerprints: Iterable[Fingerprint],
) -> None:
    """Store hashes and vectors of a reference in place of all that it had.

    Raises:
        EncoderMismatch: other vectors of an encoder have another size.
        NotFound: the guild has no such reference.
    """
    old = tx.execute(
        "DELETE FROM fingerprint WHERE reference_id = ? AND guild_id = ? "
        "RETURNING id, encoder, crop, color_mode",
        (reference_id, guild_id),
    ).fetchall()
    mirror.remove(
        tx,
        [(mirror.MirrorKey(r["encoder"], r["crop"], r["color_mode"]), r["id"]) for r in old],
    )
    add_fingerprints(tx, guild_id=guild_id, reference_id=reference_id, fingerprints=fingerprints)
    tx.execute(
        "UPDATE reference SET hash_version = ?, phash = ?, dhash = ?, ahash = ? "
        "WHERE id = ? AND guild_id = ?",
        (*hashes_to_columns(hashes), reference_id, guild_id),
    )


def reference_ids(tx: sqlite3.Connection, *, guild_id: int, appearance_row: int) -> set[int]:
    """The references of an appearance at the moment of writing."""
    rows = tx.execute(
        "SELECT id FROM reference WHERE guild_id = ? AND appearance_row = ?",
        (guild_id, appearance_row),
    ).fetchall()
    return {row["id"] for row in rows}


async def index_state(db: Database, encoders: str, hash_version: str) -> IndexState:
    """How far the index is: all guilds together, numbers only."""
    row = await db.fetch_one(_COUNT, {"encoders": encoders, "hashes": hash_version})
    return IndexState(row["total"], row["stale"]) if row else IndexState(0, 0)


async def stale_appearances(
    db: Database, encoders: str, hash_version: str
) -> list[StaleAppearance]:
    """Everything that was indexed otherwise, in all guilds, oldest first."""
    rows = await db.fetch_all(
        "SELECT a.guild_id, a.id, a.appearance_id FROM appearance AS a WHERE a.id IN "  # noqa: S608 - text of our own
        f"(SELECT r.appearance_row {_STALE}) ORDER BY a.id",
        {"encoders": encoders, "hashes": hash_version},
    )
    return [StaleAppearance(row["guild_id"], row["id"], row["appearance_id"]) for row in rows]


async def stored_encoders(db: Database) -> list[str]:
    """The encoder keys of all stored vectors, as text, sorted."""
    rows = await db.fetch_all("SELECT DISTINCT encoder FROM vector_mirror ORDER BY encoder")
    found = [row["encoder"] for row in rows]
    used = [
        await db.fetch_one("SELECT 1 FROM fingerprint WHERE encoder = ? LIMIT 1", (encoder,))
        for encoder in found
    ]
    return [encoder for encoder, row in zip(found, used, strict=True) if row is not None]


def read_index_state(path: Path, encoders: str, hash_version: str) -> IndexState | None:
    """The same for a database that is not open here, read only.

    Returns:
        None where there is no database yet, or one that is older than this table.
    """
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as found:
            total, stale = found.execute(
                _COUNT, {"encoders": encoders, "hashes": hash_version}
            ).fetchone()
    except sqlite3.Error:
        return None
    return IndexState(total, stale)
