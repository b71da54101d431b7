"""The database: one writer, two readers, one file.

Reads never wait for writes (WAL), and a slow scan never holds up a write: the writer has a thread
and a connection of its own, the readers are read-only :mod:`aiosqlite` connections.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from storage import mirror
from storage.connections import open_reader, open_writer
from storage.errors import DatabaseBusy, DatabaseError
from storage.migrate import migrate
from storage.shelf import Shelf, open_shelf
from storage.vector_support import NUMPY, VectorSupport, detect, vector_support
from storage.writer import Writer, commit_together

__all__ = [
    "Database",
    "DatabaseBusy",
    "DatabaseError",
    "Transaction",
    "open_database",
    "vector_support",
]

log = logging.getLogger(__name__)

T = TypeVar("T")
Transaction = sqlite3.Connection
Parameters = Sequence[Any] | Mapping[str, Any]

READERS = 2


class Database:
    """What :func:`open_database` yields. Use it on the event loop that opened it."""

    def __init__(
        self,
        path: Path,
        vector_index: str,
        writer: Writer,
        readers: Sequence[aiosqlite.Connection],
        shelf: Shelf,
    ) -> None:
        self.path = path
        self.shelf = shelf
        self.vector_index = vector_index
        self._writer = writer
        self._readers: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        for reader in readers:
            self._readers.put_nowait(reader)

    @property
    def has_vec0(self) -> bool:
        """Whether sqlite-vec serves the searches (else numpy)."""
        return self.vector_index != NUMPY

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in a transaction and return its value after the commit.

        ``work`` gets a connection whose rows are :class:`sqlite3.Row`; it must not begin, commit
        or roll back. It runs in the writer's thread, so it must not touch the event loop, and its
        value must not be a cursor. Waiting writes share one commit. A write that was handed over
        is carried out even if the waiting task is cancelled.

        Raises:
            DatabaseError: the database is closed or busy, or the commit failed.
            Exception: whatever ``work`` raised; then nothing of it was kept.
        """
        value = await self._writer.run(work)
        self.shelf.sweep()
        return value

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[aiosqlite.Connection]:
        """Borrow a read-only connection; waits while all are lent."""
        connection = await self._readers.get()
        try:
            yield connection
        finally:
            try:
                if connection.in_transaction:  # an open snapshot would hold back checkpoints
                    await asyncio.shield(connection.rollback())
            finally:
                self._readers.put_nowait(connection)

    async def fetch_all(self, sql: str, params: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of a query, on a reader."""
        async with self.reader() as connection:
            return list(await connection.execute_fetchall(sql, params))

    async def fetch_one(self, sql: str, params: Parameters = ()) -> sqlite3.Row | None:
        """The first row of a query, or None, on a reader."""
        rows = await self.fetch_all(sql, params)
        return rows[0] if rows else None

    async def checkpoint(self) -> bool:
        """Move the WAL into the database file and empty it; after it, what was deleted is gone.

        Returns:
            Whether the WAL is empty now (False: a reader of another process held it).
        """
        return await self._writer.run(_checkpoint, alone=True)


@asynccontextmanager
async def open_database(
    path: Path, *, support: VectorSupport | None = None
) -> AsyncIterator[Database]:
    """Open the database, migrated, and close it with all its threads.

    Args:
        path: the file; it and its folder are created if need be. Other processes may have it
            open as well.
        support: which vector index to use; found out if None.

    Raises:
        DatabaseError: it cannot be opened or migrated; the text says what to do.
    """
    support = support or detect()
    async with AsyncExitStack() as stack:
        writer = Writer(partial(_open_migrated, path, support))
        await writer.start()
        stack.push_async_callback(writer.stop)
        readers = [await enter_reader(stack, path, support) for _ in range(READERS)]
        shelf = open_shelf(path)
        stack.callback(shelf.close)
        yield Database(path, support.name, writer, readers, shelf)


def _open_migrated(path: Path, support: VectorSupport) -> sqlite3.Connection:
    connection = open_writer(path, support)
    try:
        migrate(connection, path)
        if support.has_vec0:
            (outcome,) = commit_together(connection, [mirror.refresh])
            if outcome.error is not None:
                raise outcome.error
    except BaseException:
        connection.close()
        raise
    return connection


async def enter_reader(
    stack: AsyncExitStack, path: Path, support: VectorSupport
) -> aiosqlite.Connection:
    """Open a reading connection that ends with the stack."""

    async def connect() -> aiosqlite.Connection:
        return await aiosqlite.Connection(partial(open_reader, path, support), 64)

    # The opening is a task of its own, so that a cancellation in its middle loses no thread.
    opening = asyncio.ensure_future(connect())
    stack.push_async_callback(_close_reader, opening)
    return await asyncio.shield(opening)


async def _close_reader(opening: asyncio.Future[aiosqlite.Connection]) -> None:
    await asyncio.wait([opening])
    if opening.exception() is None:  # else it was raised to whoever opened
        await opening.result().close()


def _checkpoint(connection: sqlite3.Connection) -> bool:
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
