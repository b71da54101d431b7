"""``onmodel bench retrieval``: how fast the registry is searched, each as a ratio in one run.

The store holds many vectors of 512 numbers in characters of 50 references, all in one guild, and a
second guild of a thousand. The peers have everything in memory and know nothing of guilds.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.bench.figures import Figure, publish
from bot.services.briefs import preflight, read_cast
from pipeline.domain.character import ColorMode, ReadingDirection, ShotType
from pipeline.domain.fingerprint import CropClass, EncoderKey
from storage import cast, mirror, vectors
from storage.bit_index import BitIndex
from storage.database import Database, Transaction, open_database
from storage.keys import Keyring
from storage.mirror import MirrorKey

DIMENSIONS, EACH, SMALL = 512, 50, 1_000
_LARGE_GUILD, _SMALL_GUILD = 1, 2
_ROUNDS, _K, _SPREAD = 60, 10, 0.8
_NUMPY = "numpy in memory"
_FROM = EncoderKey("bench", "large", 1), EncoderKey("bench", "small", 1)

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Store:
    """The vectors in memory, the same as in the database: rows are reference ids minus one."""

    db: Database
    large: Matrix
    small: Matrix


def bench_retrieval(count: int = 100_000, json_file: Path | None = None, seed: int = 5) -> int:
    """Measure with ``count`` vectors, print, write; returns 0."""
    with tempfile.TemporaryDirectory(prefix="onmodel-bench-") as name, _one_thread():
        figures = asyncio.run(_measure(Path(name) / "bench.db", count, seed))
    publish(figures, json_file)
    return 0


async def _measure(path: Path, count: int, seed: int) -> list[Figure]:
    rng = np.random.default_rng(seed)
    large, small = _vectors(rng, count), _vectors(rng, SMALL)
    async with open_database(path) as db:
        await _fill(db, large, small)
        store = Store(db, large, small)
        asked = [_near(rng, large) for _ in range(_ROUNDS)]
        return [
            *await _one_character(store, asked),
            *await _one_guild(store, [_near(rng, small) for _ in range(_ROUNDS)]),
            *await _whole_store(store, asked),
            await _preflight(store, rng),
        ]


def _vectors(rng: np.random.Generator, count: int) -> Matrix:
    """Unit vectors in clusters of one character each."""
    centres = rng.standard_normal((-(-count // EACH), DIMENSIONS), dtype=np.float32)
    raw = np.repeat(centres, EACH, axis=0)[:count]
    raw += _SPREAD * rng.standard_normal(raw.shape, dtype=np.float32)
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def _near(rng: np.random.Generator, stored: Matrix) -> NDArray[np.float32]:
    """A new picture of somebody in the store."""
    one = stored[rng.integers(len(stored))]
    raw = one + 0.5 / DIMENSIONS**0.5 * rng.standard_normal(DIMENSIONS, dtype=np.float32)
    return (raw / np.linalg.norm(raw)).astype(np.float32)


# --- what is measured -----------------------------------------------------------------------------


async def _one_character(store: Store, asked: list[Any]) -> list[Figure]:
    """The ten nearest of one character among all, from the database and from memory."""
    look = 1 + len(store.large) // EACH // 2
    rows = np.arange((look - 1) * EACH, look * EACH)

    async def ours() -> object:
        return await _nearest(store.db, _LARGE_GUILD, _FROM[0], asked[0], look)

    def theirs() -> object:
        return _best(store.large[rows] @ asked[0])

    return await _warm_and_cold(store, "retrieval.one_character", ours, theirs, 3)


async def _one_guild(store: Store, asked: list[Any]) -> list[Figure]:
    turn = _in_turn(asked)

    async def ours() -> object:
        return await _nearest(store.db, _SMALL_GUILD, _FROM[1], next(turn))

    def theirs() -> object:
        return _best(store.small @ next(turn))

    return await _warm_and_cold(store, "retrieval.one_guild_of_1000", ours, theirs, 4)


async def _warm_and_cold(
    store: Store,
    name: str,
    ours: Callable[[], Awaitable[object]],
    theirs: Callable[[], object],
    target: float,
) -> list[Figure]:
    """As asked again and again, and as asked for the first time after a change."""

    async def changed() -> object:
        store.db.shelf.forget()
        return await ours()

    await ours()
    warm, peer, cold = await _timed(ours), _timed_here(theirs), await _timed(changed)
    return [
        _ratio(name, warm, peer, target, _NUMPY),
        _ratio(f"{name}.after_a_change", cold, peer, None, _NUMPY),
    ]


async def _whole_store(store: Store, asked: list[Any]) -> list[Figure]:
    """Everything: through the database, by the index alone, and how many neighbours are right."""
    turn = _in_turn(asked)
    began = time.perf_counter()
    for _ in range(2):  # the second reads the bits
        await _nearest(store.db, _LARGE_GUILD, _FROM[0], asked[0])
    warm_up = time.perf_counter() - began
    index = BitIndex(DIMENSIONS, store.large.mean(axis=0))
    index.add(np.arange(len(store.large)), store.large)

    async def ours() -> object:
        return await _nearest(store.db, _LARGE_GUILD, _FROM[0], next(turn))

    def in_memory() -> object:
        query = next(turn)
        rows = index.candidates(query, 200)
        return rows[_best(store.large[rows] @ query)]

    def matvec() -> object:
        return store.large @ next(turn)

    through, alone, peer = await _timed(ours), _timed_here(in_memory), _timed_here(matvec)
    name = "retrieval.whole_store"
    figures = [
        _ratio(name, through, peer, 0.35, "numpy matvec"),
        _ratio(f"{name}.index_only", alone, peer, 0.35, "numpy matvec"),
        await _recall(store, asked),
        Figure(f"{name}.first_search", warm_up, "s", "lower", n=len(store.large)),
    ]
    if find_spec("faiss") is not None:
        flat, bits = _faiss(store.large, asked)
        figures += [
            _ratio(f"{name}.faiss_flat", alone, flat, None, "faiss FlatIP, one thread"),
            _ratio(f"{name}.faiss_bits", alone, bits, None, "faiss bits + rescore, one thread"),
        ]
    return figures


async def _recall(store: Store, asked: list[Any]) -> Figure:
    hits = 0
    for query in asked:
        found = await _nearest(store.db, _LARGE_GUILD, _FROM[0], query)
        hits += len({row - 1 for row, _ in found} & set(_best(store.large @ query).tolist()))
    total = _K * len(asked)
    return Figure(
        "retrieval.whole_store.recall_at_10", hits / total, "share", "higher", 0.95, n=total
    )


async def _preflight(store: Store, rng: np.random.Generator) -> Figure:
    """From typed names to warnings, as before a panel is queued; nothing is cached."""
    seconds = []
    for _ in range(5 * _ROUNDS):
        name = f"ch_{rng.integers(1, len(store.large) // EACH + 1)}"
        began = time.perf_counter()
        roles = await read_cast(store.db, _LARGE_GUILD, name, None)
        await preflight(store.db, _LARGE_GUILD, roles, ShotType.FULL)
        seconds.append(time.perf_counter() - began)
    p95 = float(np.quantile(seconds, 0.95))
    return Figure("retrieval.preflight.p95", p95, "s", "lower", 0.010, n=len(seconds))


def _faiss(stored: Matrix, asked: list[Any]) -> tuple[list[float], list[float]]:
    """Seconds of a flat search, and of a search by bits with the same rescoring."""
    faiss: Any = import_module("faiss")
    faiss.omp_set_num_threads(1)
    flat, bits = faiss.IndexFlatIP(DIMENSIONS), faiss.IndexBinaryFlat(DIMENSIONS)
    centre = stored.mean(axis=0)
    flat.add(stored)
    bits.add(np.packbits(stored > centre, axis=1))
    turn = _in_turn(asked)

    def by_bits() -> object:
        query = next(turn)
        _, rows = bits.search(np.packbits(query > centre)[None], 200)
        return rows[0][_best(stored[rows[0]] @ query)]

    return _timed_here(lambda: flat.search(next(turn)[None], _K)), _timed_here(by_bits)


# --- how it is measured ---------------------------------------------------------------------------


async def _nearest(
    db: Database, guild: int, encoder: EncoderKey, query: Any, look: int | None = None
) -> Any:
    return await vectors.nearest(
        db, guild, encoder, CropClass.HEAD, ColorMode.COLOR, query, _K, appearance_row=look
    )


def _best(similarity: NDArray[np.floating]) -> NDArray[np.intp]:
    if len(similarity) <= _K:
        return np.argsort(-similarity)
    some = np.argpartition(-similarity, _K)[:_K]
    return some[np.argsort(-similarity[some])]


def _in_turn(asked: list[Any]) -> Iterator[Any]:
    while True:
        yield from asked


async def _timed(work: Callable[[], Awaitable[object]]) -> list[float]:
    await work()
    seconds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        await work()
        seconds.append(time.perf_counter() - began)
    return seconds


def _timed_here(work: Callable[[], object]) -> list[float]:
    work()
    seconds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds


@contextmanager
def _one_thread() -> Iterator[None]:
    """One core for the products of numpy, on both sides, where threadpoolctl can say so.

    Several threads for a thousand vectors cost more than they bring, the more so on a busy machine.
    """
    if find_spec("threadpoolctl") is None:
        yield
        return
    limits: Any = import_module("threadpoolctl")
    with limits.threadpool_limits(1):
        yield


def _ratio(
    name: str, ours: list[float], peer: list[float], target: float | None, named: str
) -> Figure:
    """Our fast tenth over the peer's: below 1 is faster; with a bootstrap interval.

    The tenth that nobody disturbed tells more of the code than the median on a busy machine.
    """
    chance = np.random.default_rng(0)
    many = [
        _calm(chance.choice(ours, len(ours))) / _calm(chance.choice(peer, len(peer)))
        for _ in range(300)
    ]
    low, high = (float(value) for value in np.quantile(many, (0.025, 0.975)))
    value = _calm(ours) / _calm(peer)
    seconds = f"{named}: {_calm(peer) * 1e3:.2f} ms, here {_calm(ours) * 1e3:.2f} ms"
    return Figure(name, value, "ratio", "lower", target, seconds, len(ours), (low, high))


def _calm(seconds: Any) -> float:
    return float(np.quantile(seconds, 0.1))


# --- the store ------------------------------------------------------------------------------------


async def _fill(db: Database, large: Matrix, small: Matrix) -> None:
    keyring = Keyring(db, bytes(32))
    for guild in (_LARGE_GUILD, _SMALL_GUILD):
        await keyring.guild_key(guild)

    def work(tx: Transaction) -> None:
        _guild(tx, _LARGE_GUILD, _FROM[0], large, first=0)
        _guild(tx, _SMALL_GUILD, _FROM[1], small, first=len(large))

    await db.write(work)


def _guild(tx: Transaction, guild: int, encoder: EncoderKey, stored: Matrix, *, first: int) -> None:
    """A cast with its references and vectors, row by row in bulk; the ids count from ``first``."""
    now = datetime.now(UTC)
    series = cast.create_series(
        tx, guild_id=guild, name="Bench", style="", reading_direction=ReadingDirection.LTR,
        color_mode=ColorMode.COLOR, created_by=1, now=now,
    )  # fmt: skip
    people = range(1, -(-len(stored) // EACH) + 1)
    base, text = first // EACH, now.isoformat()
    tx.executemany(
        "INSERT INTO character (id, guild_id, series_id, character_id, name, name_key, owner_id, "
        "created_at) VALUES (?, ?, ?, ?, ?, ?, 1, ?)",
        ((base + n, guild, series, f"ch_{n}", f"C{n}", f"c{n}", text) for n in people),
    )
    tx.executemany(
        "INSERT INTO appearance (id, guild_id, character_row, appearance_id, label, created_at) "
        "VALUES (?, ?, ?, ?, 'usual', ?)",
        ((base + n, guild, base + n, f"c{n}_usual", text) for n in people),
    )
    rows = range(first, first + len(stored))
    tx.executemany(
        "INSERT INTO reference (id, guild_id, appearance_row, sha256, kind, shot_type, width, "
        "height, hash_version, phash, dhash, added_by, created_at) "
        "VALUES (?, ?, ?, ?, 'pose', 'half', 8, 8, 'bench', ?, ?, 1, ?)",
        ((row + 1, guild, row // EACH + 1, f"{row:064x}", _hex(row), _hex(~row), text)
         for row in rows),
    )  # fmt: skip
    tx.executemany(
        "INSERT INTO fingerprint (id, guild_id, reference_id, encoder, crop, color_mode, vector) "
        "VALUES (?, ?, ?, ?, 'head', 'color', ?)",
        ((row + 1, guild, row + 1, str(encoder), stored[row - first].tobytes()) for row in rows),
    )
    key = MirrorKey(str(encoder), CropClass.HEAD, ColorMode.COLOR)
    if guild == _SMALL_GUILD:
        # New to the mirrors, so all of its rows are taken.
        mirror.add(tx, key, guild_id=guild, row=rows[-1] + 1, vector=stored[-1].tobytes())
        return
    tx.execute(
        "INSERT INTO vector_mirror (name, encoder, crop, color_mode, dimensions) "
        "VALUES (?, ?, ?, ?, ?)",
        (key.table, key.encoder, key.crop, key.color_mode, DIMENSIONS),
    )


def _hex(row: int) -> str:
    return f"{(row * 0x9E3779B97F4A7C15) & (1 << 64) - 1:016x}"
