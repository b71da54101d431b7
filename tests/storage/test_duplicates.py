"""The banded search finds exactly what a look at every row finds, by index."""

from typing import Any

import numpy as np
import pytest

from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.fingerprint import PictureHashes
from storage import cast, duplicates
from storage.database import Database
from storage.duplicates import MOST_BITS, copies_of


def flipped(hashes: PictureHashes, bits: int, rng: np.random.Generator) -> PictureHashes:
    """The hashes with so many of their 128 bits turned."""
    assert hashes.phash is not None
    assert hashes.dhash is not None
    mask = sum(1 << int(bit) for bit in rng.choice(128, bits, replace=False))
    return PictureHashes(
        hashes.version, hashes.phash ^ (mask >> 64), hashes.dhash ^ (mask & (1 << 64) - 1), None
    )


def random_hashes(rng: np.random.Generator, version: str = "test-1") -> PictureHashes:
    phash, dhash = (int.from_bytes(rng.bytes(8), "big") for _ in range(2))
    return PictureHashes(version, phash, dhash, None)


async def add(db: Database, build: Any, guild_id: int, wanted: list[PictureHashes]) -> list[int]:
    """A guild with one appearance and a reference for each of the hashes."""

    def work(tx: Any) -> list[int]:
        series = build.guild(tx, guild_id)
        row, _ = build.character(tx, guild_id, series, "Akira")
        look = cast.create_appearance(
            tx, guild_id=guild_id, character_row=row, appearance_id="akira_s9", label="s1",
            components={}, palette=[], notes="", now=build.now,
        )  # fmt: skip
        return [
            cast.add_reference(
                tx, guild_id=guild_id, appearance_row=look, sha256=build.sha(number),
                kind=ReferenceKind.POSE, shot_type=ShotType.FULL, angle="", expression="",
                width=8, height=8, canon=True, notes="", hashes=hashes, added_by=1, now=build.now,
            )
            for number, hashes in enumerate(wanted)
        ]  # fmt: skip

    return await db.write(work)


@pytest.mark.parametrize("within", [0, 4, 7, 8, 15, 16, 20, MOST_BITS])
async def test_it_finds_what_a_look_at_every_row_finds(
    db: Database, build: Any, within: int
) -> None:
    rng = np.random.default_rng(within)
    mine = random_hashes(rng)
    distances = [int(d) for d in rng.integers(0, 40, 300)] + [within, within + 1]
    ids = await add(db, build, 1, [flipped(mine, d, rng) for d in distances])
    found = await copies_of(db, 1, mine, within=within)
    expected = sorted((d, row) for d, row in zip(distances, ids, strict=True) if d <= within)
    assert [(copy.bits, copy.reference_id) for copy in found] == expected
    assert {copy.character_id for copy in found} == {"ch_akira"}


async def test_other_versions_guilds_and_flat_pictures_are_never_copies(
    db: Database, build: Any
) -> None:
    mine = random_hashes(np.random.default_rng(1))
    other = PictureHashes("test-2", mine.phash, mine.dhash, None)
    flat = PictureHashes("test-1", None, None, None)
    await add(db, build, 1, [other, flat])
    await add(db, build, 2, [mine])
    assert await copies_of(db, 1, mine, within=MOST_BITS) == []
    assert await copies_of(db, 2, flat, within=MOST_BITS) == []
    assert len(await copies_of(db, 2, mine, within=0)) == 1


@pytest.mark.parametrize("within", [-1, MOST_BITS + 1])
async def test_a_search_that_is_too_wide_is_refused(db: Database, within: int) -> None:
    with pytest.raises(ValueError, match="within"):
        await copies_of(db, 1, random_hashes(np.random.default_rng(1)), within=within)


async def test_every_band_is_looked_up_in_an_index(db: Database) -> None:
    sql = duplicates._search(17)
    parameters = (*([1, *["0000"] * 17] * 8), 1, "test-1")
    plan = [row["detail"] for row in await db.fetch_all(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    assert sum("USING INDEX reference_band" in line for line in plan) == 8
    assert not [line for line in plan if line.startswith("SCAN reference")]
