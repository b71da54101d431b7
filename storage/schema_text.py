"""Writes ``schema.sql``, the readable sum of all migrations.

Run ``python -m storage.schema_text`` after adding a migration; a test compares the two.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from storage.migrate import MIGRATIONS, load_migrations, statements

SCHEMA = Path(__file__).parent / "schema.sql"
_HEAD = "-- The sum of storage/migrations, made by `python -m storage.schema_text`. Do not edit.\n"


def schema_text(directory: Path = MIGRATIONS) -> str:
    """The schema (and the rows that every database starts with) after all migrations."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for migration in load_migrations(directory):
            for statement in statements(migration.sql):
                connection.execute(statement)
        return _HEAD + "".join(f"\n{part};\n" for part in _parts(connection))


def _parts(connection: sqlite3.Connection) -> Iterator[str]:
    made = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    for kind, name, sql in made:
        yield sql
        if kind == "table":
            for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 - our tables
                literals = (connection.execute("SELECT quote(?)", (v,)).fetchone()[0] for v in row)
                yield f"INSERT INTO {name} VALUES ({', '.join(literals)})"  # noqa: S608 - quoted


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
