"""The database for looking only: nothing is made, migrated or changed."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from storage.database import Database, enter_reader
from storage.errors import DatabaseError
from storage.migrate import load_migrations
from storage.shelf import open_shelf
from storage.vector_support import VectorSupport, detect
from storage.writer import Writer


class _NoWriter(Writer):
    """Refuses every write."""

    async def run(self, *_: Any, **__: Any) -> Any:
        raise DatabaseError("This registry is open for reading only.")


@asynccontextmanager
async def open_for_reading(
    path: Path, *, support: VectorSupport | None = None
) -> AsyncIterator[Database]:
    """Open an existing database of exactly this program's version; others may write meanwhile.

    Raises:
        DatabaseError: there is none, it is of another version, or somebody wants to write.
    """
    if not await asyncio.to_thread(path.exists):
        raise DatabaseError("There is no registry in that folder. Set ONMODEL_DATA_DIR to yours.")
    support = support or detect()
    async with AsyncExitStack() as stack:
        reader = await enter_reader(stack, path, support)
        shelf = open_shelf(path)
        stack.callback(shelf.close)
        db = Database(path, support.name, _NoWriter(partial(_never, path)), [reader], shelf)
        await _check_version(db)
        yield db


async def _check_version(db: Database) -> None:
    try:
        row = await db.fetch_one("SELECT max(version) AS newest FROM schema_migration")
    except sqlite3.Error as error:
        raise DatabaseError("That file is no registry of this studio.") from error
    newest, known = (row["newest"] if row is not None else 0) or 0, len(load_migrations())
    if newest != known:
        raise DatabaseError(
            f"The registry is at version {newest}, this program reads version {known}. Use the "
            "same version of Onmodel here as the bot does."
        )


def _never(_path: Path) -> sqlite3.Connection:
    raise DatabaseError("This registry is open for reading only.")
