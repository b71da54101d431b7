"""How a connection to the database file is opened, for writing and for reading."""

import logging
import sqlite3
import time
from pathlib import Path

from storage.errors import DatabaseError
from storage.vector_support import VectorSupport

log = logging.getLogger(__name__)

BUSY_SECONDS = 10.0
"""How long a statement waits for another process's lock before it fails."""

_WRITER_PRAGMAS = (
    # What was acknowledged survives a power cut: the WAL is synced at every commit.
    "PRAGMA synchronous = FULL",
    # On macOS a plain fsync leaves data in the drive's cache; no effect elsewhere.
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA foreign_keys = ON",
    # Deleted vectors, words and names are overwritten with zeros, not just unlinked.
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",
)
_READER_PRAGMAS = (
    "PRAGMA query_only = ON",
    "PRAGMA temp_store = MEMORY",
    # Halves the time of a vec0 scan (measured at 100,000 vectors).
    "PRAGMA mmap_size = 268435456",
)


class StudioConnection(sqlite3.Connection):
    """A connection that knows whether it keeps the ``vec0`` mirrors in step."""

    has_vec0: bool = False


def open_writer(path: Path, support: VectorSupport) -> StudioConnection:
    """Open (or create) the file for writing, in WAL mode, with the pragmas of the writer.

    Raises:
        DatabaseError: the folder or the file cannot be used.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, factory=StudioConnection
        )
    except (OSError, sqlite3.Error) as error:
        raise _unusable(error) from error
    try:
        connection.row_factory = sqlite3.Row
        configure_writer(connection)
        support.prepare(connection)
    except sqlite3.Error as error:
        connection.close()
        raise _unusable(error) from error
    connection.has_vec0 = support.has_vec0
    return connection


def configure_writer(connection: sqlite3.Connection) -> None:
    """Set WAL and the writer's pragmas on a fresh connection."""
    _enter_wal(connection)
    for pragma in _WRITER_PRAGMAS:
        connection.execute(pragma)


def open_reader(path: Path, support: VectorSupport) -> StudioConnection:
    """Open an existing file for reading only."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        factory=StudioConnection,
    )
    try:
        connection.row_factory = sqlite3.Row
        support.prepare(connection)
        for pragma in _READER_PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error:
        connection.close()
        raise
    connection.has_vec0 = support.has_vec0
    return connection


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite does not wait by itself when two processes do this at once."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
            continue
        if mode != "wal":
            raise sqlite3.OperationalError(f"journal mode {mode} instead of wal")
        return


def _unusable(error: Exception) -> DatabaseError:
    log.error("cannot open the database: %s", error, extra={"action": "open_database"})
    return DatabaseError(
        "The database cannot be opened. Check that the data folder exists, is writable, has free "
        "space, and that its database file is one of ours."
    )
