"""Copies in memory are true or they are gone, whoever changes what they copy."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import EncoderMismatch
from pipeline.domain.fingerprint import CropClass
from storage import cast
from storage.database import Database, open_database
from storage.indexing import replace_index
from storage.shelf import Shelf
from storage.vectors import VectorCopy, nearest


@pytest.fixture
def stamps() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE vector_change (guild_id INTEGER PRIMARY KEY, stamp)")
        yield connection


def change(stamps: sqlite3.Connection, guild_id: int, stamp: int) -> None:
    stamps.execute(
        "INSERT INTO vector_change VALUES (0, :stamp), (:guild, :stamp) "
        "ON CONFLICT (guild_id) DO UPDATE SET stamp = :stamp",
        {"guild": guild_id, "stamp": stamp},
    )


def put(shelf: Shelf, guild_id: int, key: str, size: int = 10) -> None:
    shelf.put(guild_id, key, key, size=size, stamp=shelf.stamp(guild_id))


def test_a_copy_lives_until_its_guild_changes(stamps: sqlite3.Connection) -> None:
    shelf = Shelf(stamps)
    put(shelf, 1, "a")
    put(shelf, 2, "b")
    assert (shelf.get(1, "a"), shelf.get(2, "a"), shelf.get(2, "b")) == ("a", None, "b")
    change(stamps, 1, 77)
    assert (shelf.get(1, "a"), shelf.get(2, "b")) == (None, "b")
    assert (len(shelf), shelf.size) == (1, 10)


def test_what_was_read_before_a_change_and_kept_after_it_is_not_believed(
    stamps: sqlite3.Connection,
) -> None:
    shelf = Shelf(stamps)
    before = shelf.stamp(1)
    change(stamps, 1, 5)
    shelf.sweep()
    shelf.put(1, "a", "old", size=1, stamp=before)
    shelf.sweep()
    assert len(shelf) == 0


def test_a_sweep_takes_only_what_is_old(stamps: sqlite3.Connection) -> None:
    shelf = Shelf(stamps)
    for guild in (1, 2, 3):
        put(shelf, guild, "a")
    change(stamps, 2, 9)
    shelf.sweep()
    assert [shelf.get(guild, "a") for guild in (1, 2, 3)] == ["a", None, "a"]
    change(stamps, 3, 10)
    shelf.sweep()
    assert len(shelf) == 1


def test_the_copy_that_was_asked_for_longest_ago_goes_first(stamps: sqlite3.Connection) -> None:
    shelf = Shelf(stamps, most_bytes=30)
    for key in "abc":
        put(shelf, 1, key)
    shelf.get(1, "a")
    put(shelf, 1, "d")
    assert [shelf.get(1, key) for key in "abcd"] == ["a", None, "c", "d"]
    put(shelf, 1, "huge", size=31)
    assert shelf.get(1, "huge") is None
    put(shelf, 1, "e", size=25)
    assert shelf.size <= 30
    assert shelf.get(1, "e") == "e"
    put(shelf, 1, "e", size=5)
    assert shelf.size == 5


def test_where_no_stamp_can_be_read_nothing_is_kept() -> None:
    with closing(sqlite3.connect(":memory:")) as empty:
        shelf = Shelf(empty)
        assert shelf.stamp(1) is None
        put(shelf, 1, "a")
        assert len(shelf) == 0


# --- on the real database ---------------------------------------------------------------------


async def fill(db: Database, build: Any, guild_id: int, seeds: range) -> tuple[int, int, list[int]]:
    """One character with a look; returns their rows and those of the references."""

    def work(tx: sqlite3.Connection) -> tuple[int, int, list[int]]:
        character, look = build.character(tx, guild_id, build.guild(tx, guild_id))
        made = []
        for seed in seeds:
            made.append(build.reference(tx, guild_id, look, seed))
            cast.add_fingerprints(
                tx, guild_id=guild_id, reference_id=made[-1], fingerprints=[build.fingerprint(seed)]
            )
        return character, look, made

    return await db.write(work)


async def search(
    db: Database, build: Any, guild_id: int, seed: int, k: int = 5, look: int | None = None
) -> list[tuple[int, float]]:
    return await nearest(
        db, guild_id, build.encoder, CropClass.HEAD, ColorMode.COLOR, build.unit(seed), k,
        appearance_row=look,
    )  # fmt: skip


async def warm(db: Database, build: Any, *guilds: int) -> None:
    """Ask until the answers come from copies."""
    for guild_id in guilds:
        for _ in range(2):
            await search(db, build, guild_id, 0)


def copies(db: Database) -> list[int]:
    """The guilds of which vectors lie in memory."""
    held = db.shelf._copies  # what must be gone is asked of the memory itself
    return sorted(guild for (guild, _), copy in held.items() if isinstance(copy.value, VectorCopy))


async def test_the_second_search_makes_a_copy_that_says_the_same(db: Database, build: Any) -> None:
    await fill(db, build, 1, range(60))
    first = await search(db, build, 1, 900, 10)
    assert copies(db) == []
    second = await search(db, build, 1, 900, 10)
    assert copies(db) == [1]
    third = await search(db, build, 1, 900, 10)
    assert [r for r, _ in first] == [r for r, _ in second] == [r for r, _ in third]
    assert np.allclose([s for _, s in first], [s for _, s in third], atol=1e-5)


async def test_of_equals_the_older_comes_first_even_at_the_end_of_the_list(
    db: Database, build: Any
) -> None:
    _, _, references = await fill(db, build, 1, range(8))

    def repeat(tx: sqlite3.Connection) -> None:
        for reference in references[2:]:
            cast.add_fingerprints(
                tx, guild_id=1, reference_id=reference, fingerprints=[build.fingerprint(3)]
            )

    await db.write(repeat)
    await warm(db, build, 1)
    assert [r for r, _ in await search(db, build, 1, 3, 4)] == references[2:6]


async def test_a_deleted_character_is_not_in_memory_any_more(db: Database, build: Any) -> None:
    character, _, _ = await fill(db, build, 1, range(6))
    await fill(db, build, 2, range(10, 14))
    await warm(db, build, 1, 2)
    assert copies(db) == [1, 2]
    await db.write(lambda tx: cast.delete_character(tx, guild_id=1, character_row=character))
    assert copies(db) == [2], "erased from memory by the write itself"
    assert await search(db, build, 1, 0) == []
    assert len(await search(db, build, 2, 10)) == 4


async def test_a_new_encoding_is_found_and_the_old_one_is_not(db: Database, build: Any) -> None:
    _, _, references = await fill(db, build, 1, range(4))
    await warm(db, build, 1)
    await db.write(
        lambda tx: replace_index(
            tx,
            guild_id=1,
            reference_id=references[2],
            hashes=build.hashes(2),
            fingerprints=[build.fingerprint(70)],
        )
    )
    assert (await search(db, build, 1, 70))[0] == (references[2], pytest.approx(1, abs=1e-5))
    assert (await search(db, build, 1, 2))[0][1] < 0.999


async def test_references_that_move_to_another_look_move_in_memory_too(
    db: Database, build: Any
) -> None:
    character, look, references = await fill(db, build, 1, range(4))
    other = await db.write(
        lambda tx: cast.create_appearance(
            tx,
            guild_id=1,
            character_row=character,
            appearance_id="other",
            label="Other",
            components={},
            palette=(),
            notes="",
            now=build.now,
        )
    )
    assert len(await search(db, build, 1, 0, look=look)) == 4
    assert await search(db, build, 1, 0, look=other) == []
    await db.write(
        lambda tx: cast.move_references(
            tx, guild_id=1, reference_ids=references[:3], appearance_row=other
        )
    )
    assert [r for r, _ in await search(db, build, 1, 3, look=look)] == references[3:]
    assert {r for r, _ in await search(db, build, 1, 0, look=other)} == set(references[:3])


async def test_what_another_process_writes_is_noticed(
    db: Database, database_path: Path, build: Any
) -> None:
    await fill(db, build, 1, range(3))
    await warm(db, build, 1)
    async with open_database(database_path) as other:
        (character,) = await cast.list_characters(other, 1)
        await other.write(
            lambda tx: cast.delete_character(tx, guild_id=1, character_row=character.id)
        )
        assert await search(db, build, 1, 0) == []


async def test_a_copy_too_refuses_vectors_of_another_size(db: Database, build: Any) -> None:
    await fill(db, build, 1, range(3))
    await warm(db, build, 1)
    with pytest.raises(EncoderMismatch):
        await nearest(
            db, 1, build.encoder, CropClass.HEAD, ColorMode.COLOR, build.unit(1, 8), 3
        )  # fmt: skip


async def test_nothing_is_left_of_a_guild_that_is_gone(db: Database, build: Any) -> None:
    character, _, _ = await fill(db, build, 1, range(2))
    await db.write(lambda tx: cast.delete_character(tx, guild_id=1, character_row=character))
    assert db.shelf.stamp(1) != 0

    def leave(tx: sqlite3.Connection) -> None:
        tx.execute("UPDATE guild SET active_series_id = NULL WHERE guild_id = 1")
        tx.execute("DELETE FROM series WHERE guild_id = 1")
        tx.execute("DELETE FROM guild WHERE guild_id = 1")

    await db.write(leave)
    assert db.shelf.stamp(1) == 0
