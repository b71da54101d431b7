"""Migrations: their sum, their backup, and what happens when one is wrong."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import open_database
from storage.errors import DatabaseError, DatabaseTooNew, MigrationChanged, MigrationFailed
from storage.migrate import load_migrations, migrate, remove_backups, statements
from storage.schema_text import SCHEMA, schema_text

FIRST = "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;\nINSERT INTO a VALUES (7);\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "migrations"
    made.mkdir()
    (made / "0001_first.sql").write_text(FIRST)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "onmodel.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.row_factory = sqlite3.Row
        made.execute("PRAGMA foreign_keys = ON")
        yield made


def dump(connection: sqlite3.Connection) -> list[str]:
    return list(connection.iterdump())


def tables(connection: sqlite3.Connection) -> set[str]:
    return {
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }


def master(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    return {
        tuple(row)
        for row in connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
        if row[1] != "schema_migration"
    }


def test_schema_sql_is_the_sum_of_the_migrations(
    connection: sqlite3.Connection, path: Path
) -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "run python -m storage.schema_text"
    migrate(connection, path)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as other:
        for statement in statements(SCHEMA.read_text(encoding="utf-8")):
            other.execute(statement)
        assert master(other) == master(connection)
        for table in tables(other):
            query = f"SELECT * FROM {table}"
            assert other.execute(query).fetchall() == [
                tuple(row) for row in connection.execute(query)
            ]


def test_every_table_of_people_carries_the_guild_and_is_strict(
    connection: sqlite3.Connection, path: Path
) -> None:
    migrate(connection, path)
    # Facts of the program itself, of the schema and of the mirrors; no person's data.
    exempt = {"setting", "schema_migration", "vector_mirror"}
    for row in connection.execute("PRAGMA table_list").fetchall():
        if row["schema"] != "main" or row["name"].startswith("sqlite_"):
            continue
        assert row["strict"], row["name"]
        columns = {c["name"] for c in connection.execute(f"PRAGMA table_info({row['name']})")}
        assert row["name"] in exempt or "guild_id" in columns, row["name"]


def test_every_foreign_key_has_an_index(connection: sqlite3.Connection, path: Path) -> None:
    """A delete looks for the rows that refer to it; without an index it reads the whole table."""
    migrate(connection, path)
    small = {"guild_id", "series_id"}  # nobody deletes those row by row
    for table in tables(connection):
        keys = connection.execute(f"PRAGMA foreign_key_list({table})").fetchall()
        for column in {key["from"] for key in keys} - small:
            plan = connection.execute(
                f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {column} = 1"
            ).fetchall()
            assert "SEARCH" in plan[0]["detail"], f"{table}.{column}: {plan[0]['detail']}"


def test_applied_once_and_in_order(
    connection: sqlite3.Connection, path: Path, folder: Path
) -> None:
    (folder / "0002_second.sql").write_text("ALTER TABLE a ADD COLUMN b TEXT;")
    assert migrate(connection, path, folder) == [1, 2]
    before = dump(connection)
    assert migrate(connection, path, folder) == []
    assert dump(connection) == before
    assert list(path.parent.glob("*.bak-*")) == []  # nothing to lose in a new database


def test_backup_before_an_upgrade(connection: sqlite3.Connection, path: Path, folder: Path) -> None:
    migrate(connection, path, folder)
    connection.execute("INSERT INTO a VALUES (8)")
    (folder / "0002_second.sql").write_text("DELETE FROM a;")
    assert migrate(connection, path, folder) == [2]
    backup = path.with_name("onmodel.db.bak-1")
    assert backup.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(backup)) as old:
        assert old.execute("SELECT id FROM a").fetchall() == [(7,), (8,)]
        assert old.execute("SELECT max(version) FROM schema_migration").fetchone() == (1,)
    assert remove_backups(path) == 1
    assert not backup.exists()


def test_a_backup_that_fails_changes_nothing(
    connection: sqlite3.Connection, path: Path, folder: Path
) -> None:
    migrate(connection, path, folder)
    before = dump(connection)
    (folder / "0002_second.sql").write_text("DELETE FROM a;")
    path.with_name("onmodel.db.bak-1").mkdir()  # a folder is in the way
    with pytest.raises(DatabaseError, match="free space"):
        migrate(connection, path, folder)
    assert dump(connection) == before


@pytest.mark.parametrize(
    "bad",
    [
        "CREATE TABLE b (x); INSERT INTO a VALUES (9); SELECT nonsense;",
        "CREATE TABLE b (x); COMMIT;",
        "CREATE TABLE b (x); ROLLBACK;",
        "CREATE TABLE b (x); INSERT INTO b VALUES (1)",
        "CREATE TABLE b (x REFERENCES a (id)); INSERT INTO b VALUES (99);",
        "CREATE TABLE b (x); VACUUM;",
    ],
    ids=["sql", "commit", "rollback", "no semicolon", "foreign key", "vacuum"],
)
def test_a_failing_migration_leaves_nothing(
    connection: sqlite3.Connection, path: Path, folder: Path, bad: str
) -> None:
    migrate(connection, path, folder)
    before = dump(connection)
    (folder / "0002_bad.sql").write_text(bad)
    (folder / "0003_never.sql").write_text("CREATE TABLE c (x);")
    with pytest.raises(MigrationFailed, match="version 2"):
        migrate(connection, path, folder)
    assert dump(connection) == before
    assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    (folder / "0002_bad.sql").write_text("CREATE TABLE b (x);")
    assert migrate(connection, path, folder) == [2, 3]


def test_the_earlier_ones_stay_when_a_later_one_fails(
    connection: sqlite3.Connection, path: Path, folder: Path
) -> None:
    (folder / "0002_bad.sql").write_text("SELECT nonsense;")
    with pytest.raises(MigrationFailed):
        migrate(connection, path, folder)
    assert tables(connection) == {"a", "schema_migration"}


def test_a_table_that_others_refer_to_can_be_rebuilt(
    connection: sqlite3.Connection, path: Path, folder: Path
) -> None:
    (folder / "0002_child.sql").write_text(
        "CREATE TABLE child (a_id INTEGER NOT NULL REFERENCES a (id) ON DELETE CASCADE) STRICT;"
        "INSERT INTO child VALUES (7);"
    )
    (folder / "0003_rebuild.sql").write_text(
        "CREATE TABLE a2 (id INTEGER PRIMARY KEY, extra TEXT) STRICT;"
        "INSERT INTO a2 SELECT id, 'x' FROM a; DROP TABLE a; ALTER TABLE a2 RENAME TO a;"
    )
    assert migrate(connection, path, folder) == [1, 2, 3]
    assert connection.execute("SELECT a_id FROM child").fetchone()[0] == 7


def test_an_edited_file_is_noticed_but_line_ends_do_not_count(
    connection: sqlite3.Connection, path: Path, folder: Path
) -> None:
    migrate(connection, path, folder)
    (folder / "0001_first.sql").write_bytes(FIRST.replace("\n", "\r\n").encode())
    assert migrate(connection, path, folder) == []
    (folder / "0001_first.sql").write_text(FIRST + "-- a thought\n")
    with pytest.raises(MigrationChanged, match="0001"):
        migrate(connection, path, folder)


async def test_a_newer_database_is_refused(
    database_path: Path, threads: Callable[[], set[str]]
) -> None:
    async with open_database(database_path) as db:
        await db.write(
            lambda tx: (
                tx.execute("INSERT INTO schema_migration VALUES (99, 'later', 'x', 'x')") and None
            )
        )
    with pytest.raises(DatabaseTooNew, match="version 99"):
        async with open_database(database_path):
            pytest.fail("opened")
    assert threads() == set()


@pytest.mark.parametrize("name", ["0003_gap.sql", "0001_twice.sql", "2_short.sql", "0002_Bad.sql"])
def test_wrong_numbers_and_names_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("SELECT 1;")
    with pytest.raises(MigrationChanged):
        load_migrations(folder)


def test_two_processes_migrate_once(path: Path, folder: Path) -> None:
    """The second one finds, inside its transaction, that the first was quicker."""
    with closing(sqlite3.connect(path, isolation_level=None)) as one:
        one.row_factory = sqlite3.Row
        migrate(one, path, folder)
        (folder / "0002_second.sql").write_text("INSERT INTO a VALUES (8);")
        hurried: list[list[int]] = []

        def overtake(statement: str) -> None:
            if statement.startswith("PRAGMA foreign_keys = OFF") and not hurried:
                hurried.append([])
                with closing(sqlite3.connect(path, isolation_level=None)) as two:
                    two.row_factory = sqlite3.Row
                    hurried[0] = migrate(two, path, folder)

        one.set_trace_callback(overtake)
        assert migrate(one, path, folder) == []
        assert hurried == [[2]]
        assert [row[0] for row in one.execute("SELECT id FROM a")] == [7, 8]


def test_statements_are_split_where_sqlite_would() -> None:
    script = """
    -- a comment; with a semicolon
    CREATE TABLE t (x TEXT DEFAULT 'a;b'); /* and ; here */
    CREATE TRIGGER r AFTER INSERT ON t BEGIN
        UPDATE t SET x = ';'; DELETE FROM t;
    END;
    INSERT INTO t VALUES ('it''s;'); -- the end;
    """
    parts = list(statements(script))
    assert [part.split("\n")[-1].strip()[:14] for part in parts] == [
        "CREATE TABLE t",
        "END;",
        "INSERT INTO t ",
    ]
    with pytest.raises(ValueError, match="semicolon"):
        list(statements("SELECT 1; SELECT 2"))
