"""One contract, two indexes: sqlite-vec and numpy; and the mirror between them."""

import ctypes
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import EncoderMismatch
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, Fingerprint
from storage import cast, mirror, vector_support
from storage.database import Database, open_database
from storage.vector_support import NUMPY, VectorSupport, detect
from storage.vectors import nearest

HEAD, COLOR = CropClass.HEAD, ColorMode.COLOR
WITHOUT = VectorSupport(NUMPY, "switched off")


@pytest.fixture(params=["sqlite-vec", "numpy"])
async def indexed(request: pytest.FixtureRequest, database_path: Path) -> AsyncIterator[Database]:
    support = WITHOUT if request.param == "numpy" else detect()
    async with open_database(database_path, support=support) as db:
        assert db.vector_index.split()[0] == request.param
        yield db


async def fill(db: Database, build: Any, guild_id: int, seeds: range) -> dict[int, np.ndarray]:
    """One character with one reference per seed; returns reference id → vector."""

    def work(tx: sqlite3.Connection) -> dict[int, np.ndarray]:
        series = build.guild(tx, guild_id)
        _, appearance = build.character(tx, guild_id, series)
        made = {}
        for seed in seeds:
            reference = build.reference(tx, guild_id, appearance, seed)
            cast.add_fingerprints(
                tx,
                guild_id=guild_id,
                reference_id=reference,
                fingerprints=[
                    build.fingerprint(seed),
                    build.fingerprint(seed + 5000, crop=CropClass.FIGURE),
                    build.fingerprint(seed + 9000, color_mode=ColorMode.GRAYSCALE),
                ],
            )
            made[reference] = build.unit(seed)
        return made

    return await db.write(work)


async def test_finds_what_a_plain_matrix_product_finds(indexed: Database, build: Any) -> None:
    mine = await fill(indexed, build, 1, range(100))
    await fill(indexed, build, 2, range(100, 200))
    query = build.unit(777)
    expected = sorted(((float(v @ query), r) for r, v in mine.items()), reverse=True)[:10]
    found = await nearest(indexed, 1, build.encoder, HEAD, COLOR, query, 10)
    assert [reference for reference, _ in found] == [reference for _, reference in expected]
    assert np.allclose([s for _, s in found], [s for s, _ in expected], atol=1e-5)


async def test_a_stored_vector_finds_itself(indexed: Database, build: Any) -> None:
    for reference, vector in (await fill(indexed, build, 1, range(5))).items():
        (best, similarity), *_ = await nearest(indexed, 1, build.encoder, HEAD, COLOR, vector, 1)
        assert best == reference
        assert similarity == pytest.approx(1.0, abs=1e-5)


async def test_never_another_guilds(indexed: Database, build: Any) -> None:
    mine = await fill(indexed, build, 1, range(3))
    theirs = await fill(indexed, build, 2, range(100, 180))
    vector = next(iter(theirs.values()))
    found = await nearest(indexed, 1, build.encoder, HEAD, COLOR, vector, 100)
    assert {reference for reference, _ in found} == set(mine)
    assert await nearest(indexed, 3, build.encoder, HEAD, COLOR, vector, 100) == []


async def test_crops_modes_and_encoders_are_kept_apart(indexed: Database, build: Any) -> None:
    await fill(indexed, build, 1, range(3))
    other = EncoderKey("palette", "0123abcd", 2)
    assert await nearest(indexed, 1, other, HEAD, COLOR, build.unit(0), 5) == []
    assert await nearest(indexed, 1, build.encoder, CropClass.HALF, COLOR, build.unit(0), 5) == []
    figure = await nearest(indexed, 1, build.encoder, CropClass.FIGURE, COLOR, build.unit(5001), 1)
    assert figure[0][1] == pytest.approx(1.0, abs=1e-5)


async def test_replaced_vectors_are_found_at_their_new_place(indexed: Database, build: Any) -> None:
    (reference,) = await fill(indexed, build, 1, range(1))
    await indexed.write(
        lambda tx: cast.add_fingerprints(
            tx, guild_id=1, reference_id=reference, fingerprints=[build.fingerprint(50)]
        )
    )
    found = await nearest(indexed, 1, build.encoder, HEAD, COLOR, build.unit(50), 5)
    assert len(found) == 1
    assert found[0] == (reference, pytest.approx(1.0, abs=1e-5))


async def test_deleted_characters_are_not_found(indexed: Database, build: Any) -> None:
    await fill(indexed, build, 1, range(10))
    kept = await fill(indexed, build, 2, range(20, 22))
    (character,) = await cast.list_characters(indexed, 1)
    await indexed.write(
        lambda tx: cast.delete_character(tx, guild_id=1, character_row=character.id)
    )
    assert await nearest(indexed, 1, build.encoder, HEAD, COLOR, build.unit(3), 5) == []
    assert len(await nearest(indexed, 2, build.encoder, HEAD, COLOR, build.unit(3), 5)) == len(kept)


async def test_a_rolled_back_write_leaves_no_vector(indexed: Database, build: Any) -> None:
    (reference,) = await fill(indexed, build, 1, range(1))

    def fail(tx: sqlite3.Connection) -> None:
        cast.add_fingerprints(
            tx,
            guild_id=1,
            reference_id=reference,
            fingerprints=[build.fingerprint(60, encoder=EncoderKey("new", "ff", 1))],
        )
        raise LookupError

    with pytest.raises(LookupError):
        await indexed.write(fail)
    new = EncoderKey("new", "ff", 1)
    assert await nearest(indexed, 1, new, HEAD, COLOR, build.unit(60), 5) == []


async def test_wrong_sizes_are_refused(indexed: Database, build: Any) -> None:
    (reference,) = await fill(indexed, build, 1, range(1))
    short = build.unit(1, 8)
    with pytest.raises(EncoderMismatch):
        await nearest(indexed, 1, build.encoder, HEAD, COLOR, short, 5)
    with pytest.raises(EncoderMismatch):
        await indexed.write(
            lambda tx: cast.add_fingerprints(
                tx,
                guild_id=1,
                reference_id=reference,
                fingerprints=[Fingerprint(HEAD, COLOR, Embedding(short, build.encoder))],
            )
        )
    for k in (0, 5000):
        with pytest.raises(ValueError, match="k must be"):
            await nearest(indexed, 1, build.encoder, HEAD, COLOR, build.unit(0), k)


async def test_a_process_without_sqlite_vec_leaves_a_mirror_that_mends_itself(
    database_path: Path, build: Any
) -> None:
    async with open_database(database_path) as db:
        await fill(db, build, 1, range(4))
    async with open_database(database_path, support=WITHOUT) as db:
        await fill(db, build, 2, range(10, 14))
        (character,) = await cast.list_characters(db, 1)
        await db.write(lambda tx: cast.delete_character(tx, guild_id=1, character_row=character.id))
        row = await db.fetch_one("SELECT min(stale) AS stale FROM vector_mirror")
        assert row is not None
        assert row["stale"] == 1
    async with open_database(database_path) as db:
        row = await db.fetch_one("SELECT max(stale) AS stale FROM vector_mirror")
        assert row is not None
        assert row["stale"] == 0
        assert await nearest(db, 1, build.encoder, HEAD, COLOR, build.unit(0), 9) == []
        assert len(await nearest(db, 2, build.encoder, HEAD, COLOR, build.unit(10), 9)) == 4


async def test_a_stale_mirror_is_not_asked(database_path: Path, build: Any) -> None:
    """One process with sqlite-vec reads while another without it writes."""
    async with (
        open_database(database_path) as fast,
        open_database(database_path, support=WITHOUT) as plain,
    ):
        first = await fill(fast, build, 1, range(3))
        (character,) = await cast.list_characters(plain, 1)
        (appearance,) = await cast.list_appearances(plain, 1, character.id)

        def add(tx: sqlite3.Connection, seed: int) -> int:
            reference = build.reference(tx, 1, appearance.id, seed)
            cast.add_fingerprints(
                tx,
                guild_id=1,
                reference_id=reference,
                fingerprints=[build.fingerprint(seed)],
            )
            return reference

        late = await plain.write(lambda tx: add(tx, 40))
        found = await nearest(fast, 1, build.encoder, HEAD, COLOR, build.unit(40), 9)
        assert {reference for reference, _ in found} == {*first, late}
        last = await fast.write(lambda tx: add(tx, 41))  # rebuilds the mirror
        found = await nearest(fast, 1, build.encoder, HEAD, COLOR, build.unit(41), 9)
        assert {reference for reference, _ in found} == {*first, late, last}


async def test_the_mirror_is_searched_by_partition(database_path: Path, build: Any) -> None:
    async with open_database(database_path) as db:
        await fill(db, build, 1, range(3))
        key = mirror.MirrorKey(str(build.encoder), HEAD, COLOR)
        row = await db.fetch_one("SELECT sql FROM sqlite_master WHERE name = ?", (key.table,))
        assert row is not None
        assert "PARTITION KEY" in row["sql"]
        assert "chunk_size=64" in row["sql"]


def test_table_names_are_safe_for_any_encoder() -> None:
    names = {mirror.MirrorKey(text, "head", "color").table for text in ('a"; DROP', "x" * 900, "é")}
    assert len(names) == 3
    assert all(name.removeprefix("vec_").isalnum() for name in names)


def test_support_names_what_is_active() -> None:
    name, hint = vector_support.vector_support()
    assert name.startswith("sqlite-vec 0.")
    assert hint is None


def test_without_the_package_numpy_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> None:
        raise ImportError

    monkeypatch.setattr(vector_support.importlib, "import_module", absent)
    found = vector_support.detect.__wrapped__()
    assert found.name == NUMPY
    assert "pip install sqlite-vec" in (found.hint or "")


def test_a_library_that_is_no_extension_falls_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Package:
        @staticmethod
        def loadable_path() -> str:
            return str(tmp_path / "vec0")

    (tmp_path / "vec0.so").write_bytes(b"not a library")
    monkeypatch.setattr(vector_support.importlib, "import_module", lambda _: Package)
    found = vector_support.detect.__wrapped__()
    assert found.name == NUMPY
    assert "does not load" in (found.hint or "")


def test_a_python_whose_sqlite_is_out_of_reach_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an interpreter with SQLite linked in and its symbols hidden."""
    monkeypatch.setattr(vector_support, "_sqlite_libraries", lambda: iter(()))
    path = vector_support.importlib.import_module("sqlite_vec").loadable_path()
    found = vector_support._register_for_process(path)
    assert found.name == NUMPY
    assert "loadable extensions" in (found.hint or "")


def test_another_sqlite_in_the_process_is_not_mistaken_for_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import apsw  # brings a SQLite of its own

    other = ctypes.CDLL(apsw.__file__ if apsw.__file__.endswith(".so") else None)
    monkeypatch.setattr(vector_support.ctypes, "CDLL", lambda _: other)
    with closing(sqlite3.connect(":memory:")) as probe:
        ours = probe.execute("SELECT sqlite_source_id()").fetchone()[0]
    for library in vector_support._sqlite_libraries():
        assert library.sqlite3_sourceid().decode() == ours
