"""Which references of a guild are copies of a picture, by the bands of their hashes.

pHash and dHash are 128 bits, cut into eight bands of 16. If two pictures differ in at most ``w``
bits, at least one band differs in at most ``w // 8`` of them, so looking up every value near each
band finds all of them: the search is exact, and an index answers each look-up.

Source: multi-index hashing (Norouzi, Punjani and Fleet, 2012).
"""

import functools
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from pipeline.domain.fingerprint import PictureHashes
from storage.database import Database
from storage.records import hashes_from_row

MOST_BITS = 23
"""The widest search: beyond it a band may differ in three bits, and most rows would match."""
_HASHES = ("phash", "dhash")
_BANDS, _BAND_BITS, _DIGITS = 4, 16, 4


@dataclass(frozen=True, slots=True)
class Copy:
    """A registered picture that may be a copy, whose it is, and how many of 128 bits differ."""

    reference_id: int
    sha256: str
    character_id: str
    bits: int


async def copies_of(
    db: Database, guild_id: int, hashes: PictureHashes, *, within: int
) -> list[Copy]:
    """The references whose pHash and dHash together are within so many bits, nearest first.

    Args:
        db: the database.
        guild_id: only this guild's references are looked at.
        hashes: of the picture in question; only hashes of the same version are compared.
        within: 0 to 23 bits.

    Returns:
        Every such reference; nothing for a picture that is too flat for a hash.

    Raises:
        ValueError: ``within`` is out of range.
    """
    if not 0 <= within <= MOST_BITS:
        raise ValueError(f"within must be 0 to {MOST_BITS}, got {within}")
    if hashes.phash is None or hashes.dhash is None:
        return []
    flips = within // (len(_HASHES) * _BANDS)
    parameters: list[object] = []
    for value in (hashes.phash, hashes.dhash):
        for band in _bands(value):
            parameters += [guild_id, *(f"{band ^ mask:04x}" for mask in _masks(flips))]
    rows = await db.fetch_all(_search(len(_masks(flips))), (*parameters, guild_id, hashes.version))
    return _ranked(rows, hashes, within)


def _ranked(rows: list[sqlite3.Row], hashes: PictureHashes, within: int) -> list[Copy]:
    found: list[Copy] = []
    for row in rows:
        stored = hashes_from_row(row)
        if (bits := _apart(stored, hashes)) is not None and bits <= within:
            found.append(Copy(row["id"], row["sha256"], row["character_id"], bits))
    return sorted(found, key=lambda copy: (copy.bits, copy.reference_id))


def _apart(a: PictureHashes, b: PictureHashes) -> int | None:
    if a.phash is None or a.dhash is None or b.phash is None or b.dhash is None:
        return None
    return (a.phash ^ b.phash).bit_count() + (a.dhash ^ b.dhash).bit_count()


def _bands(value: int) -> Iterator[int]:
    """The bands of a hash, in the order of its hex digits."""
    for place in reversed(range(_BANDS)):
        yield value >> (place * _BAND_BITS) & (1 << _BAND_BITS) - 1


@functools.cache
def _masks(flips: int) -> tuple[int, ...]:
    """Every way to flip at most so many of 16 bits: 1, 17 or 137."""
    return tuple(
        sum(1 << bit for bit in bits)
        for count in range(flips + 1)
        for bits in combinations(range(_BAND_BITS), count)
    )


@functools.cache
def _search(probes: int) -> str:
    """One look-up a band; the expressions are those of the indexes, letter by letter."""
    marks = ", ".join("?" * probes)
    bands = " UNION ".join(
        f"SELECT id FROM reference WHERE guild_id = ? "  # noqa: S608 - column names of our own
        f"AND substr({column}, {1 + band * _DIGITS}, {_DIGITS}) IN ({marks})"
        for column in _HASHES
        for band in range(_BANDS)
    )
    return (
        "SELECT r.id, r.sha256, r.hash_version, r.phash, r.dhash, r.ahash, c.character_id "  # noqa: S608 - as above
        "FROM reference AS r JOIN appearance AS a ON a.id = r.appearance_row "
        "JOIN character AS c ON c.id = a.character_row "
        f"WHERE r.id IN ({bands}) AND r.guild_id = ? AND r.hash_version = ?"
    )
