"""Sign bits find the neighbours that floats would find, and notice what changes."""

from typing import Any

import numpy as np
import pytest

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass, Embedding, Fingerprint
from storage import cast, vectors
from storage.bit_index import BitIndex
from storage.database import Database
from storage.indexing import replace_index


def clusters(seed: int, count: int, dimensions: int = 96) -> np.ndarray:
    """Unit vectors around one centre for every eight, as references of characters are."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((count // 8 + 1, dimensions))
    raw = centres[np.arange(count) // 8] + 0.5 * rng.standard_normal((count, dimensions))
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("dimensions", [64, 96, 200])
@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_the_nearest_are_among_the_candidates(dimensions: int, shift: float) -> None:
    stored = np.abs(clusters(1, 4000, dimensions)) if shift else clusters(1, 4000, dimensions)
    index = BitIndex(dimensions, stored.mean(axis=0))
    for start in range(0, 4000, 1000):
        index.add(np.arange(start, start + 1000), stored[start : start + 1000])
    assert len(index) == 4000
    hits = 0
    for row in range(0, 4000, 100):
        near = np.argsort(-(stored @ stored[row]))[:5]
        found = index.candidates(stored[row], 200)
        assert row in found
        assert len(found) == 200
        hits += len(set(near) & set(found))
    assert hits >= 0.95 * 5 * 40


def test_a_small_or_empty_index_gives_all_it_has() -> None:
    index = BitIndex(8, np.zeros(8, np.float32))
    assert len(index.candidates(np.ones(8, np.float32), 5)) == 0
    index.add(np.array([7, 9]), np.eye(8, dtype=np.float32)[:2])
    assert sorted(index.candidates(np.ones(8, np.float32), 5)) == [7, 9]


@pytest.fixture
async def full(db: Database, build: Any, monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """Guild 1 holds 300 vectors, which counts as many here, guild 2 has 10; row of each number."""
    monkeypatch.setattr(vectors, "MANY", 100)
    stored = clusters(2, 310)

    def fill(tx: Any) -> dict[int, int]:
        rows = {}
        for guild_id, numbers in ((1, range(300)), (2, range(300, 310))):
            _, look = build.character(tx, guild_id, build.guild(tx, guild_id))
            for number in numbers:
                rows[number] = build.reference(tx, guild_id, look, number)
                cast.add_fingerprints(
                    tx, guild_id=guild_id, reference_id=rows[number],
                    fingerprints=[printed(stored[number], build)],
                )  # fmt: skip
        return rows

    return await db.write(fill)


def printed(vector: np.ndarray, build: Any) -> Fingerprint:
    return Fingerprint(CropClass.HEAD, ColorMode.COLOR, Embedding(vector, build.encoder))


async def ask(db: Database, build: Any, guild_id: int, vector: np.ndarray, k: int = 5):
    return await vectors.nearest(
        db, guild_id, build.encoder, CropClass.HEAD, ColorMode.COLOR, vector, k
    )


async def test_a_large_guild_is_searched_by_bits_and_rescored_exactly(
    db: Database, build: Any, full: dict[int, int]
) -> None:
    stored = clusters(2, 310)
    for number in range(0, 300, 29):
        found = await ask(db, build, 1, stored[number])
        exact = stored[:300] @ stored[number]
        order = np.argsort(-exact)[:5]
        assert [row for row, _ in found] == [full[int(i)] for i in order]
        assert [cosine for _, cosine in found] == pytest.approx(exact[order].tolist(), abs=1e-5)
    elsewhere = await ask(db, build, 2, stored[0])
    assert {row for row, _ in elsewhere} <= {full[n] for n in range(300, 310)}


async def test_what_changes_is_noticed(db: Database, build: Any, full: dict[int, int]) -> None:
    stored = clusters(2, 310)
    assert (await ask(db, build, 1, stored[0], 1))[0][0] == full[0]
    moved = printed(stored[200], build)
    hashes = build.hashes(1)
    await db.write(
        lambda tx: replace_index(
            tx, guild_id=1, reference_id=full[0], hashes=hashes, fingerprints=[moved]
        )
    )
    first, second = await ask(db, build, 1, stored[200], 2)
    assert {first[0], second[0]} == {full[0], full[200]}
    assert full[0] not in {row for row, _ in await ask(db, build, 1, stored[0], 3)}
    (character,) = await cast.list_characters(db, 1)
    await db.write(lambda tx: cast.delete_character(tx, guild_id=1, character_row=character.id))
    assert await ask(db, build, 1, stored[200]) == []
