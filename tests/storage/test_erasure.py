"""What a person deletes is gone from the file, not just unlinked."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage import cast
from storage.database import Database, open_database
from storage.vector_support import NUMPY, VectorSupport, detect

WITHOUT = VectorSupport(NUMPY, "switched off")
NAME = "Shiranui Kagerou"
NOTES = "has a scar below the left eye, never drawn from behind"


def traces(path: Path, needles: list[bytes]) -> int:
    """How many of the needles are still somewhere in the database, its WAL or its index."""
    stored = b"".join(p.read_bytes() for p in path.parent.iterdir() if p.name.startswith(path.name))
    return sum(needle in stored for needle in needles)


async def fill(db: Database, build: Any) -> tuple[int, list[bytes]]:
    """Forty references of one character, among those of another; returns it and its bytes."""
    needles = [NAME.encode(), NOTES.encode()]

    def work(tx: sqlite3.Connection) -> int:
        series = build.guild(tx, 1)
        _, other = build.character(tx, 1, series, "Beni")
        character = cast.create_character(
            tx,
            guild_id=1,
            series_id=series,
            character_id="ch_kagerou",
            name=NAME,
            owner_id=1,
            notes=NOTES,
            height_ratio=1.0,
            now=build.now,
        )
        look = cast.create_appearance(
            tx,
            guild_id=1,
            character_row=character,
            appearance_id="kagerou_s1",
            label="x",
            components={},
            palette=[],
            notes="",
            now=build.now,
        )
        for number in range(80):
            mine = number % 2 == 0
            reference = build.reference(tx, 1, look if mine else other, number)
            fingerprint = build.fingerprint(number)
            cast.add_fingerprints(
                tx, guild_id=1, reference_id=reference, fingerprints=[fingerprint]
            )
            if mine:
                vector = fingerprint.embedding.vector.tobytes()
                needles.extend(vector[i : i + 16] for i in range(0, len(vector) - 15, 16))
        return character

    return await db.write(work), needles


@pytest.mark.parametrize("index", ["sqlite-vec", "numpy", "numpy after sqlite-vec"])
async def test_no_byte_of_a_deleted_vector_is_left(
    database_path: Path, build: Any, index: str
) -> None:
    support = WITHOUT if index == "numpy" else detect()
    async with open_database(database_path, support=support) as db:
        character, needles = await fill(db, build)
        await db.checkpoint()
        assert traces(database_path, needles) == len(needles)  # the search finds what is there
    later = detect() if index == "sqlite-vec" else WITHOUT
    async with open_database(database_path, support=later) as db:
        await db.write(lambda tx: cast.delete_character(tx, guild_id=1, character_row=character))
        assert await db.checkpoint()
        assert traces(database_path, needles) == 0
        assert len(await db.fetch_all("SELECT * FROM fingerprint")) == 40
    with closing(sqlite3.connect(database_path)) as check:
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_the_check_would_notice_a_writer_without_secure_delete(
    database_path: Path, build: Any
) -> None:
    async with open_database(database_path) as db:
        character, needles = await fill(db, build)
        await db.write(lambda tx: tx.execute("PRAGMA secure_delete = OFF") and None)
        await db.write(lambda tx: cast.delete_character(tx, guild_id=1, character_row=character))
        assert await db.checkpoint()
        assert traces(database_path, needles) > 0
