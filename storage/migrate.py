"""Migrations: numbered SQL files, forward only, one transaction each, a backup before.

The ledger of applied files is the table ``schema_migration``; it holds the hash of each, so that
an edited old file is noticed instead of silently meaning two things.
"""

import hashlib
import logging
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.errors import DatabaseError, DatabaseTooNew, MigrationChanged, MigrationFailed

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migration (
    version     INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    applied_at  TEXT NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name and its text with Unix line ends."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Of the text, so that a checkout with other line ends counts as the same."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations(directory: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """Read all files of a folder, lowest number first.

    Raises:
        MigrationChanged: a name is not ``NNNN_name.sql``, or a number is missing or doubled.
    """
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise MigrationChanged(f"{path.name} is not named like 0001_what_it_does.sql.")
        text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
        found.append(Migration(int(match[1]), match[2], text))
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationChanged("The migrations are not numbered 0001, 0002, … without a gap.")
    return tuple(found)


def migrate(connection: sqlite3.Connection, path: Path, directory: Path = MIGRATIONS) -> list[int]:
    """Bring a database up to date.

    Args:
        connection: in autocommit mode, rows as :class:`sqlite3.Row`.
        path: its file; the backup ``<file>.bak-<version>`` is put beside it.
        directory: where the files are.

    Returns:
        The versions that were applied now.

    Raises:
        DatabaseTooNew: the database knows a version that this program does not.
        MigrationChanged: an applied file was edited.
        MigrationFailed: one raised; the database is as it was before that one.
    """
    migrations = load_migrations(directory)
    applied = _applied(connection)
    _check(applied, migrations)
    pending = migrations[len(applied) :]
    if not pending:
        return []
    if applied:
        _back_up(connection, path.with_name(f"{path.name}.bak-{len(applied)}"))
    # Rebuilding a table that others refer to needs the keys unchecked meanwhile; the pragma does
    # nothing inside a transaction. _apply checks all keys before it commits.
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        return [m.version for m in pending if _apply(connection, m)]
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def remove_backups(path: Path) -> int:
    """Delete the backups beside a database file, for erasure; returns how many there were."""
    backups = list(path.parent.glob(f"{path.name}.bak-*"))
    for backup in backups:
        backup.unlink()
    return len(backups)


def _applied(connection: sqlite3.Connection) -> dict[int, tuple[str, str]]:
    exists = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'"
    ).fetchone()
    if exists is None:
        return {}
    rows = connection.execute("SELECT version, name, sha256 FROM schema_migration").fetchall()
    return {row["version"]: (row["name"], row["sha256"]) for row in rows}


def _check(applied: dict[int, tuple[str, str]], migrations: Sequence[Migration]) -> None:
    if max(applied, default=0) > len(migrations):
        raise DatabaseTooNew(
            f"The database is at version {max(applied)}, this program knows {len(migrations)}. "
            "Update the program, or restore a backup that fits it."
        )
    if sorted(applied) != list(range(1, len(applied) + 1)):
        raise MigrationChanged("The database's list of migrations has a gap; restore a backup.")
    for migration in migrations[: len(applied)]:
        if applied[migration.version][1] != migration.sha256:
            raise MigrationChanged(
                f"Migration {migration.version:04d} was edited after it had been applied. Restore "
                "the file and put the change into a new migration."
            )


def _back_up(connection: sqlite3.Connection, target: Path) -> None:
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(unfinished)) as copy:
            connection.backup(copy)
        unfinished.chmod(0o600)
        unfinished.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(
            "The backup before the update of the database failed, so nothing was changed. Check "
            "that the disk of the data folder has free space."
        ) from error
    log.info("backed up the database", extra={"action": "backup"})


def _apply(connection: sqlite3.Connection, migration: Migration) -> bool:
    """Apply one migration; False if another process did it meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_LEDGER)
        if migration.version in _applied(connection):
            connection.execute("ROLLBACK")
            return False
        _run(connection, migration)
        connection.execute(
            "INSERT INTO schema_migration (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)",
            (migration.version, migration.name, migration.sha256, datetime.now(UTC).isoformat()),
        )
        connection.execute("COMMIT")
    except (sqlite3.Error, ValueError) as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        log.exception("migration %04d failed", migration.version, extra={"action": "migrate"})
        raise MigrationFailed(
            f"Updating the database to version {migration.version} failed; it is unchanged. "
            "Report this with the log."
        ) from error
    return True


def _run(connection: sqlite3.Connection, migration: Migration) -> None:
    # A COMMIT in the file would keep half of it; the authorizer refuses all of its kind.
    connection.set_authorizer(_refuse_transactions)
    try:
        for statement in statements(migration.sql):
            connection.execute(statement)
    finally:
        connection.set_authorizer(None)
    if (broken := connection.execute("PRAGMA foreign_key_check").fetchone()) is not None:
        raise ValueError(f"rows of {broken['table']} refer to rows that do not exist")


def _refuse_transactions(action: int, *_: object) -> int:
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_TRANSACTION else sqlite3.SQLITE_OK


def statements(sql: str) -> Iterator[str]:
    """Split a script into its statements; triggers and strings may hold semicolons.

    Raises:
        ValueError: the last statement has no semicolon.
    """
    start = 0
    for match in re.finditer(";", sql):
        piece = sql[start : match.end()]
        if sqlite3.complete_statement(piece):
            yield piece.strip()
            start = match.end()
    rest = re.sub(r"--[^\n]*|/\*.*?\*/", "", sql[start:], flags=re.DOTALL)
    if rest.strip():
        raise ValueError("the last statement has no semicolon")
