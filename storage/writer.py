"""The one writer: a thread that commits waiting requests together.

A commit with ``synchronous=FULL`` costs a sync of the disk, whatever it holds. So all requests
that wait share one transaction, each inside its own savepoint: one that fails is rolled back
alone, and everyone hears of success only after the common COMMIT.
"""

import asyncio
import logging
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from storage.errors import DatabaseBusy, DatabaseError

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]

GROUP_LIMIT = 256
"""Most requests in one transaction: bounds how long the first of them waits for the last."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request: its value, or the exception that its caller gets."""

    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    work: Work
    future: asyncio.Future[Any]
    alone: bool = False


def commit_together(connection: sqlite3.Connection, works: Sequence[Work]) -> list[Outcome]:
    """Run every work in a savepoint of one transaction and commit it.

    Args:
        connection: in autocommit mode (``isolation_level=None``), no transaction open.
        works: run in this order.

    Returns:
        One outcome per work, in order. After an error of BEGIN or COMMIT each of the group has
        it. If SQLite gave up the whole transaction in the middle (disk full, I/O error), those
        before have an error too, and the rest is committed on its own.
    """
    outcomes: list[Outcome] = []
    while len(outcomes) < len(works):
        outcomes += _commit_some(connection, works[len(outcomes) :])
    return outcomes


def _commit_some(connection: sqlite3.Connection, works: Sequence[Work]) -> list[Outcome]:
    try:
        if connection.in_transaction:  # an earlier ROLLBACK failed, on a disk error say
            connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
    except Exception as error:  # noqa: BLE001 - handed to every caller of the group
        return [Outcome(error=_translated(error))] * len(works)
    outcomes: list[Outcome] = []
    for work in works:
        outcomes.append(_run_in_savepoint(connection, work))
        if not connection.in_transaction:
            return _undone(outcomes)
    try:
        connection.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - handed to every caller of the group
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        lost = _translated(error)
        return [outcome if outcome.error else Outcome(error=lost) for outcome in outcomes]
    return outcomes


def _run_in_savepoint(connection: sqlite3.Connection, work: Work) -> Outcome:
    connection.execute("SAVEPOINT request")
    try:
        value = work(connection)
        if not connection.in_transaction:
            raise DatabaseError("A write ended the transaction that it shares; nothing was kept.")
        connection.execute("RELEASE request")
    except BaseException as error:  # noqa: BLE001 - re-raised in the task that asked
        if connection.in_transaction:
            connection.execute("ROLLBACK TO request")
            connection.execute("RELEASE request")
        return Outcome(error=error)
    return Outcome(value=value)


def _undone(outcomes: list[Outcome]) -> list[Outcome]:
    """The transaction is gone and with it what the earlier requests of the group wrote."""
    log.error("a whole group of writes was rolled back", extra={"action": "write"})
    lost = DatabaseError("The change could not be saved; nothing was kept. Please try again.")
    return [outcome if outcome.error else Outcome(error=lost) for outcome in outcomes]


def _translated(error: Exception) -> Exception:
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        busy = DatabaseBusy("Another process is writing to the database. Try again in a moment.")
        busy.__cause__ = error
        return busy
    return error


class Writer:
    """Owns the writing connection and its thread.

    The thread opens the connection, so that no other thread ever touches it. :meth:`start` and
    :meth:`stop` belong together; the thread is gone when ``stop`` returns.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._requests: SimpleQueue[_Request | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._open = False
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Start the thread and wait until its connection is open.

        Raises:
            Exception: whatever ``connect`` raised; the thread has ended then.
        """
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # A daemon: whoever forgets to stop it must not keep the process from ending. Nothing is
        # lost by that, because nothing is acknowledged before its commit.
        self._thread = threading.Thread(
            target=self._main, args=(ready,), name="onmodel-writer", daemon=True
        )
        self._open = True
        self._thread.start()
        try:
            await ready
        except BaseException:
            await self.stop()
            raise

    async def run(self, work: Callable[[sqlite3.Connection], T], *, alone: bool = False) -> T:
        """Run ``work`` in the writer and return its value once it is committed.

        A write that was handed over is carried out even if the waiting task is cancelled.

        Args:
            work: called with the connection, in the writer's thread.
            alone: run it outside any transaction (checkpoints).

        Raises:
            DatabaseError: the writer is stopped, or the commit failed.
            Exception: whatever ``work`` raised; then nothing of it was kept.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._gate:
            if not self._open:
                raise DatabaseError("The database is closed; the program is shutting down.")
            self._requests.put(_Request(work, future, alone))
        return await future

    async def stop(self) -> None:
        """Finish what was handed over, close the connection and end the thread."""
        with self._gate:
            if self._open:
                self._open = False
                self._requests.put(None)
        thread = self._thread
        while thread is not None and thread.is_alive():
            # Polling keeps the loop free and cannot be lost when the loop or this task goes.
            thread.join(0.0)
            try:
                await asyncio.sleep(0.002)
            except asyncio.CancelledError:
                thread.join()
                raise

    def _main(self, ready: asyncio.Future[None]) -> None:
        try:
            connection = self._connect()
        except BaseException as error:  # noqa: BLE001 - re-raised by start()
            _deliver([(ready, Outcome(error=error))])
            return
        try:
            _deliver([(ready, Outcome())])
            self._serve(connection)
        finally:
            connection.close()

    def _serve(self, connection: sqlite3.Connection) -> None:
        while (first := self._requests.get()) is not None:
            group, stopping = self._gather(first)
            try:
                done = _carry_out(connection, group)
            except BaseException as error:  # noqa: BLE001 - nobody may wait for ever
                done = [(request.future, Outcome(error=error)) for request in group]
            _deliver(done)
            if stopping:
                return

    def _gather(self, first: _Request) -> tuple[list[_Request], bool]:
        """Everything that waits already, up to the limit; whether the stop sign came."""
        group = [first]
        while len(group) < GROUP_LIMIT:
            try:
                request = self._requests.get_nowait()
            except Empty:
                break
            if request is None:
                return group, True
            group.append(request)
        return group, False


def _carry_out(
    connection: sqlite3.Connection, group: Iterable[_Request]
) -> list[tuple[asyncio.Future[Any], Outcome]]:
    grouped = [request for request in group if not request.alone]
    done = list(
        zip(
            (request.future for request in grouped),
            commit_together(connection, [request.work for request in grouped]),
            strict=True,
        )
    )
    for request in group:
        if request.alone:
            done.append((request.future, _run_alone(connection, request.work)))
    return done


def _run_alone(connection: sqlite3.Connection, work: Work) -> Outcome:
    try:
        return Outcome(value=work(connection))
    except BaseException as error:  # noqa: BLE001 - re-raised in the task that asked
        return Outcome(error=error)


def _deliver(done: Iterable[tuple[asyncio.Future[Any], Outcome]]) -> None:
    """Hand results to their event loops, one wake-up per loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Outcome]]]
    by_loop = defaultdict(list)
    for future, outcome in done:
        by_loop[future.get_loop()].append((future, outcome))
    for loop, settled in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, settled)
        except RuntimeError:
            # The loop is closed: nobody waits any more, and what was committed stays.
            log.warning("%d results came after the event loop had closed", len(settled))


def _settle(settled: Iterable[tuple[asyncio.Future[Any], Outcome]]) -> None:
    for future, outcome in settled:
        if future.done():  # the waiting task was cancelled
            continue
        if isinstance(outcome.error, StopIteration):  # a future refuses to hold it
            future.set_exception(RuntimeError("a write raised StopIteration"))
        elif outcome.error is not None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.value)
