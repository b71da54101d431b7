"""The writer commits together, keeps requests apart, and nothing outlives the context."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage import connections
from storage.database import Database, DatabaseBusy, DatabaseError, open_database
from storage.writer import Writer


def put(key: str, value: str = "x") -> Callable[[sqlite3.Connection], str]:
    def work(tx: sqlite3.Connection) -> str:
        tx.execute("INSERT INTO setting (key, value) VALUES (?, ?)", (key, value))
        return key

    return work


async def keys(db: Database) -> set[str]:
    return {row["key"] for row in await db.fetch_all("SELECT key FROM setting")}


class Held:
    """Holds the writer in a request, so that what comes meanwhile forms one group."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._go = threading.Event()
        self._started = threading.Event()

    def _wait(self, _: sqlite3.Connection) -> None:
        self._started.set()
        self._go.wait(10)

    async def __aenter__(self) -> "Held":
        self._task = asyncio.create_task(self._db.write(self._wait))
        assert await asyncio.to_thread(self._started.wait, 10)
        return self

    async def submit(self, *works: Callable[[sqlite3.Connection], object]) -> list[asyncio.Task]:
        tasks = [asyncio.create_task(self._db.write(work)) for work in works]
        await asyncio.sleep(0)
        return tasks

    async def __aexit__(self, *_: object) -> None:
        self._go.set()
        await self._task


async def test_pragmas_are_the_durable_ones(db: Database) -> None:
    def read(tx: sqlite3.Connection) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        return {name: tx.execute(f"PRAGMA {name}").fetchone()[0] for name in names}

    assert await db.write(read) == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": int(connections.BUSY_SECONDS * 1000),
    }


async def test_a_written_row_is_read_at_once(db: Database) -> None:
    assert await db.write(put("a", "1")) == "a"
    row = await db.fetch_one("SELECT value FROM setting WHERE key = :key", {"key": "a"})
    assert row is not None
    assert row["value"] == "1"
    assert await db.fetch_one("SELECT value FROM setting WHERE key = 'none'") is None


async def test_waiting_requests_share_one_commit(db: Database) -> None:
    seen: list[str] = []
    await db.write(lambda tx: tx.set_trace_callback(seen.append))
    async with Held(db) as held:
        seen.clear()
        tasks = await held.submit(*(put(f"k{number}") for number in range(50)))
    assert await asyncio.gather(*tasks) == [f"k{number}" for number in range(50)]
    await db.write(lambda tx: tx.set_trace_callback(None))
    # One commit for the holder, one for the fifty, one for switching the trace off.
    commits = [statement for statement in seen if statement == "COMMIT"]
    assert len(commits) == 2
    assert len(await keys(db)) == 50


async def test_a_failing_request_is_rolled_back_alone(db: Database) -> None:
    def fail(tx: sqlite3.Connection) -> None:
        tx.execute("INSERT INTO setting VALUES ('bad', 'x')")
        raise LookupError("mine")

    def fail_in_sql(tx: sqlite3.Connection) -> None:
        tx.execute("INSERT INTO setting VALUES ('worse', 'x')")
        tx.execute("INSERT INTO setting VALUES ('worse', 'x')")

    async with Held(db) as held:
        tasks = await held.submit(put("a"), fail, put("b"), fail_in_sql, put("c"))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[0::2] == ["a", "b", "c"]
    assert isinstance(results[1], LookupError)
    assert isinstance(results[3], sqlite3.IntegrityError)
    assert await keys(db) == {"a", "b", "c"}


async def test_nothing_is_visible_before_the_commit(db: Database) -> None:
    inside, go = threading.Event(), threading.Event()

    def slow(tx: sqlite3.Connection) -> None:
        tx.execute("INSERT INTO setting VALUES ('slow', 'x')")
        inside.set()
        go.wait(10)

    task = asyncio.create_task(db.write(slow))
    assert await asyncio.to_thread(inside.wait, 10)
    assert await keys(db) == set()
    assert not task.done()
    go.set()
    await task
    assert await keys(db) == {"slow"}


async def test_a_failing_commit_reaches_everyone_of_the_group(db: Database) -> None:
    def orphan(tx: sqlite3.Connection) -> str:
        # A deferred foreign key is checked by COMMIT, so it is COMMIT that fails.
        tx.execute("PRAGMA defer_foreign_keys = ON")
        tx.execute(
            "INSERT INTO vote (guild_id, panel_id, member_id, candidate_id, cast_at) "
            "VALUES (1, 1, 1, 1, '')"
        )
        return "written"

    def own_error(tx: sqlite3.Connection) -> None:
        raise LookupError("mine")

    async with Held(db) as held:
        tasks = await held.submit(put("a"), orphan, own_error, put("b"))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [
        sqlite3.IntegrityError,
        sqlite3.IntegrityError,
        LookupError,
        sqlite3.IntegrityError,
    ]
    assert await keys(db) == set()
    assert await db.write(put("after")) == "after"


@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK"])
async def test_a_request_that_ends_the_transaction_is_told_so(db: Database, statement: str) -> None:
    async with Held(db) as held:
        tasks = await held.submit(put("a"), lambda tx: tx.execute(statement) and None, put("b"))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], DatabaseError)
    assert isinstance(results[1], DatabaseError)
    assert results[2] == "b"
    assert "b" in await keys(db)


async def test_a_cancelled_waiter_disturbs_nobody_and_its_write_stands(db: Database) -> None:
    async with Held(db) as held:
        first, second, third = await held.submit(put("a"), put("b"), put("c"))
        second.cancel()
        await asyncio.sleep(0)
    assert await asyncio.gather(first, third) == ["a", "c"]
    assert second.cancelled()
    assert await keys(db) == {"a", "b", "c"}


async def test_odd_exceptions_reach_the_caller(db: Database) -> None:
    def stop(tx: sqlite3.Connection) -> None:
        raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        await db.write(stop)
    future = asyncio.ensure_future(db.write(lambda tx: tx.execute("SELECT nonsense") and None))
    with pytest.raises(sqlite3.OperationalError):
        await future
    assert await db.write(put("still here")) == "still here"


async def test_closing_finishes_what_was_handed_over(
    database_path: Path, threads: Callable[[], set[str]]
) -> None:
    async with open_database(database_path) as db:
        tasks = [asyncio.create_task(db.write(put(f"k{number}"))) for number in range(20)]
        await asyncio.sleep(0)
    assert threads() == set()
    assert await asyncio.gather(*tasks) == [f"k{number}" for number in range(20)]
    with pytest.raises(DatabaseError, match="closed"):
        await db.write(put("late"))
    async with open_database(database_path) as again:
        assert len(await keys(again)) == 20


async def test_closing_after_an_error_and_after_a_cancellation(
    database_path: Path, threads: Callable[[], set[str]]
) -> None:
    with pytest.raises(LookupError):
        async with open_database(database_path):
            raise LookupError
    assert threads() == set()

    async def forever() -> None:
        async with open_database(database_path):
            await asyncio.Event().wait()

    for delay in (0.0, 0.001, 0.004, 0.05):
        task = asyncio.create_task(forever())
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(500):
            if not threads():
                break
            await asyncio.sleep(0.01)
        assert threads() == set()


def test_results_survive_a_closed_loop(tmp_path: Path) -> None:
    """A loop that dies while a write is under way: the write is committed, the thread ends."""
    path = tmp_path / "loop.db"
    go = threading.Event()
    loop = asyncio.new_event_loop()

    def connect() -> sqlite3.Connection:
        made = sqlite3.connect(path, isolation_level=None)
        made.execute("CREATE TABLE t (x)")
        return made

    writer = Writer(connect)
    loop.run_until_complete(writer.start())
    inside = threading.Event()

    def slow(tx: sqlite3.Connection) -> None:
        inside.set()
        go.wait(10)
        tx.execute("INSERT INTO t VALUES (1)")

    async def hand_over() -> None:
        task = asyncio.create_task(writer.run(slow))
        assert await asyncio.to_thread(inside.wait, 10)
        task.cancel()

    loop.run_until_complete(hand_over())
    loop.close()
    go.set()
    asyncio.run(writer.stop())
    with closing(sqlite3.connect(path)) as check:
        assert check.execute("SELECT x FROM t").fetchall() == [(1,)]


async def test_errors_while_opening_leave_no_thread(
    tmp_path: Path, threads: Callable[[], set[str]]
) -> None:
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"this is no database" * 100)
    file_as_folder = tmp_path / "file"
    file_as_folder.write_text("x")
    for path in (garbage, file_as_folder / "onmodel.db", tmp_path):
        with pytest.raises(DatabaseError) as caught:
            async with open_database(path):
                pytest.fail("opened")
        assert str(tmp_path) not in str(caught.value)
    assert threads() == set()


async def test_an_error_in_a_reader_closes_the_writer_too(
    database_path: Path, threads: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("no reader today")

    monkeypatch.setattr("storage.database.open_reader", refuse)
    with pytest.raises(sqlite3.OperationalError):
        async with open_database(database_path):
            pytest.fail("opened")
    assert threads() == set()


async def test_readers_cannot_write_and_give_their_snapshot_back(db: Database) -> None:
    with pytest.raises(sqlite3.OperationalError):
        await db.fetch_all("INSERT INTO setting VALUES ('a', 'b') RETURNING key")
    async with db.reader() as reader:
        await reader.execute("BEGIN")
        await reader.execute_fetchall("SELECT * FROM setting")
        await db.write(put("a"))
        assert list(await reader.execute_fetchall("SELECT * FROM setting")) == []
    assert await keys(db) == {"a"}
    assert await db.checkpoint()


async def test_readers_are_lent_one_by_one(db: Database) -> None:
    async with db.reader() as first, db.reader() as second:
        assert first is not second
        waiting = asyncio.create_task(db.fetch_all("SELECT 1"))
        await asyncio.sleep(0.01)
        assert not waiting.done()
    assert [tuple(row) for row in await waiting] == [(1,)]


async def test_a_slow_read_holds_up_neither_writes_nor_other_reads(db: Database) -> None:
    count = "WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM n LIMIT 3000000) "
    slow = asyncio.create_task(db.fetch_all(count + "SELECT count(*) FROM n"))
    await asyncio.sleep(0.01)
    assert await db.write(put("a")) == "a"
    assert await keys(db) == {"a"}
    assert not slow.done()
    assert (await slow)[0][0] == 3_000_000


async def test_two_processes_worth_of_writers_share_a_file(database_path: Path) -> None:
    """Two independent writers on one file, as the bot and the shell are."""
    async with open_database(database_path) as one, open_database(database_path) as two:
        await asyncio.gather(
            *(one.write(put(f"one{number}")) for number in range(30)),
            *(two.write(put(f"two{number}")) for number in range(30)),
        )
        assert len(await keys(one)) == len(await keys(two)) == 60


async def test_a_lock_held_too_long_is_a_typed_error(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    async with open_database(database_path) as db:
        with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseBusy, match="Try again"):
                await db.write(put("a"))
            other.execute("ROLLBACK")
        assert await db.write(put("b")) == "b"


async def test_checkpoint_says_whether_the_wal_is_empty(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    async with open_database(database_path) as db:
        await db.write(put("a"))
        with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT * FROM setting").fetchall()
            await db.write(put("b"))
            assert not await db.checkpoint()
            other.execute("COMMIT")
        assert await db.checkpoint()
        assert database_path.with_name("onmodel.db-wal").stat().st_size == 0
