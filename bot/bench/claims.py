"""How fast a job is claimed from a long backlog, and whether a busy guild starves the others.

Two peers in the same run. A table without indexes that is asked by SELECT … ORDER BY and then
updated: compared inside one transaction, because a commit costs whatever the disk is doing. And
SqliteHuey's storage, when huey is installed: compared as it is used, with one durable commit a
claim. Neither shares fairly, and huey forgets a job that it hands out, so they do less.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bot.bench.figures import Figure
from pipeline.domain.character import ColorMode, ReadingDirection, ShotType
from pipeline.domain.job import JobKind
from pipeline.domain.panel import PanelBrief, PanelOrigin
from storage import jobs, panels, series
from storage.database import Database, Transaction, open_database
from storage.keys import Keyring

BACKLOG, CLAIMS, AT_ONCE = 10_000, 300, 8
GUILDS, BUSY_SHARE, MEMBERS = 51, 0.9, 3
_NAIVE, _HUEY = "SELECT … ORDER BY without index + UPDATE", "SqliteHuey (huey, fsync)"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was measured of our ledger.

    Attributes:
        bare: seconds of single claims inside one transaction.
        seconds: of single claims with a commit each.
        together: claims a second with :data:`AT_ONCE` askers and a commit each.
        guilds: in the order in which they were served.
    """

    bare: list[float]
    seconds: list[float]
    together: float
    guilds: list[int]


def measure_claims(folder: Path, backlog: int = BACKLOG, claims: int = CLAIMS) -> list[Figure]:
    """Measure ours and the peers on ``backlog`` waiting jobs, nine in ten of one guild."""
    ours = asyncio.run(_ours(folder / "ours.db", backlog, claims))
    rate = 1 / float(np.median(ours.seconds))
    bare = float(np.median(ours.bare))
    figures = [
        Figure("queue.claim.seconds", bare, "s", "lower", target=0.001, n=claims),
        _ratio("queue.claim.ratio", _naive(folder, backlog, claims), ours.bare, _NAIVE),
        Figure("queue.claim.rate", rate, "1/s", "higher", n=claims),
        Figure(f"queue.claim.rate.{AT_ONCE}_at_once", ours.together, "1/s", "higher", n=claims),
        _fairness(ours.guilds, backlog),
    ]
    if find_spec("huey") is not None:
        peer, together = _huey(folder, backlog, claims)
        name = "queue.claim.ratio.huey"
        figures += [
            _ratio(name, peer, ours.seconds, _HUEY),
            Figure(
                f"{name}.{AT_ONCE}_at_once",
                ours.together / together,
                "ratio",
                "higher",
                peer=f"{_HUEY}, {AT_ONCE} threads",
                n=claims,
            ),
        ]
    return figures


def _fairness(guilds: list[int], backlog: int) -> Figure:
    """Claims until every guild was served once; first come, first served needs the whole hog."""
    served: set[int] = set()
    needed = len(guilds) + 1
    for number, guild in enumerate(guilds, 1):
        served.add(guild)
        if len(served) == GUILDS:
            needed = number
            break
    peer = f"first come, first served: {int(backlog * BUSY_SHARE) + 1} at least"
    name = "queue.fair.claims_until_all_served"
    return Figure(name, needed, "claims", "lower", target=GUILDS, peer=peer, n=GUILDS)


def _ratio(name: str, peer: list[float], ours: list[float], named: str) -> Figure:
    """How many times faster than the peer, by medians, with a bootstrap interval."""
    chance = np.random.default_rng(0)
    many = [
        float(np.median(chance.choice(peer, len(peer))) / np.median(chance.choice(ours, len(ours))))
        for _ in range(500)
    ]
    low, high = (float(value) for value in np.quantile(many, (0.025, 0.975)))
    value = float(np.median(peer) / np.median(ours))
    return Figure(name, value, "ratio", "higher", None, named, len(ours), (low, high))


# --- ours ---------------------------------------------------------------------------------------


async def _ours(path: Path, backlog: int, claims: int) -> Claimed:
    async with open_database(path) as db:
        await _fill(db, backlog)
        bare, guilds = await db.write(lambda tx: _claim_within(tx, claims))
        seconds = []
        for _ in range(claims):
            began = time.perf_counter()
            await _claim(db)
            seconds.append(time.perf_counter() - began)

        async def some() -> None:
            for _ in range(claims // AT_ONCE):
                await _claim(db)

        began = time.perf_counter()
        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
        together = claims // AT_ONCE * AT_ONCE / (time.perf_counter() - began)
        return Claimed(bare, seconds, together, guilds)


def _claim_within(tx: Transaction, claims: int) -> tuple[list[float], list[int]]:
    guilds: list[int] = []
    return _timed(lambda: guilds.append(_claim_one(tx)) or guilds, claims), guilds


async def _claim(db: Database) -> None:
    await db.write(_claim_one)


def _claim_one(tx: Transaction) -> int:
    job = jobs.claim(tx, owner="bench", lease_seconds=3600, now=time.time())
    if job is None:
        raise RuntimeError("the backlog is used up; ask for fewer claims")
    return job.guild_id


async def _fill(db: Database, backlog: int) -> None:
    """Nine in ten jobs are guild 1's and came first; the others wait behind them."""
    keyring = Keyring(db, bytes(32))
    for guild in range(1, GUILDS + 1):
        await keyring.guild_key(guild)
    busy = int(backlog * BUSY_SHARE)

    def work(tx: Transaction) -> None:
        now = datetime.now(UTC)
        rows = {guild: _series(tx, guild, now) for guild in range(1, GUILDS + 1)}
        for number in range(backlog):
            guild = 1 if number < busy else 2 + number % (GUILDS - 1)
            _enqueue(tx, guild, rows[guild], number, now)

    await db.write(work)


def _series(tx: Transaction, guild: int, now: datetime) -> int:
    return series.create_series(
        tx,
        guild_id=guild,
        name="Bench",
        style="",
        reading_direction=ReadingDirection.LTR,
        color_mode=ColorMode.COLOR,
        created_by=1,
        now=now,
    )


def _enqueue(tx: Transaction, guild: int, series_id: int, number: int, now: datetime) -> None:
    member = 1 + number % MEMBERS
    panel_id = panels.create_panel(
        tx,
        guild_id=guild,
        series_id=series_id,
        requester_id=member,
        origin=PanelOrigin.GENERATED,
        brief=PanelBrief("a street", (), ShotType.HALF),
        channel_id=None,
        submission_sha256=None,
        now=now,
    )
    jobs.enqueue(
        tx,
        guild_id=guild,
        member_id=member,
        kind=JobKind.GENERATE,
        panel_id=panel_id,
        dedupe_key=f"bench {number}",
        now=now.timestamp(),
    )


# --- peers --------------------------------------------------------------------------------------


def _timed(claim: Callable[[], object], claims: int) -> list[float]:
    seconds = []
    for _ in range(claims):
        began = time.perf_counter()
        if claim() is None:
            raise RuntimeError("the backlog is used up; ask for fewer claims")
        seconds.append(time.perf_counter() - began)
    return seconds


def _naive(folder: Path, backlog: int, claims: int) -> list[float]:
    with _naive_table(folder / "naive.db", backlog) as connection:

        def claim() -> object:
            row = connection.execute(
                "SELECT id FROM job WHERE status = 'queued' "
                "ORDER BY priority DESC, created_at LIMIT 1"
            ).fetchone()
            connection.execute("UPDATE job SET status = 'running' WHERE id = ?", row)
            return row

        connection.execute("BEGIN IMMEDIATE")
        seconds = _timed(claim, claims)
        connection.execute("COMMIT")
        return seconds


@contextmanager
def _naive_table(path: Path, backlog: int) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE job (id INTEGER PRIMARY KEY, guild_id INTEGER, member_id INTEGER, "
            "status TEXT, priority INTEGER, created_at TEXT, brief TEXT)"
        )
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO job VALUES (?, 1, 1, 'queued', 0, ?, ?)",
            ((number, f"{number:08}", "x" * 300) for number in range(1, backlog + 1)),
        )
        connection.execute("COMMIT")
        yield connection


def _huey(folder: Path, backlog: int, claims: int) -> tuple[list[float], float]:
    """Seconds of single claims, and claims a second of several threads."""
    from huey.storage import SqliteStorage  # pyright: ignore[reportMissingImports] - optional

    storage = SqliteStorage("bench", str(folder / "huey.db"), fsync=True)
    with storage.db(commit=True) as cursor:
        cursor.executemany(
            "insert into task (queue, data, priority) values ('bench', ?, 0)",
            ((b"x" * 300,) for _ in range(backlog)),
        )
    try:
        alone = _timed(storage.dequeue, claims)
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            each = claims // AT_ONCE
            list(threads.map(lambda _: _timed(storage.dequeue, each), range(AT_ONCE)))
        return alone, each * AT_ONCE / (time.perf_counter() - began)
    finally:
        storage.close()
