"""What the schema itself says about a guild's tables: which they are, in which order, who is in."""

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from storage.database import Database

# Derived from other tables by triggers or rebuilt, or kept beyond the guild on purpose.
DERIVED = frozenset({"share", "vector_change", "doomed_file"})
_PERSON = re.compile(
    r"(^|_)(member|owner|user|author|requester|voter|reporter|artist|actor|person|holder|creator|"
    r"moderator|editor|reviewer|claimant)(_id)?$|_by$"
)
# The vec0 mirrors and their shadows are called vec_…; they repeat what the table fingerprint holds.
_COLUMNS = """
SELECT m.name AS tbl, c.name, c.type, c."notnull" AS required,
       (SELECT f."table" FROM pragma_foreign_key_list(m.name) AS f WHERE f."from" = c.name)
           AS refers_to
FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND substr(m.name, 1, 4) <> 'vec_'
ORDER BY m.name, c.cid
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its declared type, whether NULL is allowed, what it refers to."""

    name: str
    type: str
    nullable: bool
    refers_to: str | None

    @property
    def names_a_person(self) -> bool:
        """Whether it holds the Discord id of a member, by its name."""
        return self.type == "INTEGER" and self.refers_to is None and bool(_PERSON.search(self.name))


def guild_tables(connection: sqlite3.Connection) -> dict[str, tuple[Column, ...]]:
    """All tables with rows of guilds and their columns; parents come before their children."""
    return _in_order(connection.execute(_COLUMNS).fetchall())


async def read_tables(db: Database) -> dict[str, tuple[Column, ...]]:
    """The same on a reader."""
    return _in_order(await db.fetch_all(_COLUMNS))


def _in_order(rows: Iterable[sqlite3.Row]) -> dict[str, tuple[Column, ...]]:
    found: dict[str, tuple[Column, ...]] = {}
    for row in rows:
        column = Column(row["name"], row["type"], not row["required"], row["refers_to"])
        found[row["tbl"]] = (*found.get(row["tbl"], ()), column)
    tables = {t: c for t, c in found.items() if any(column.name == "guild_id" for column in c)}
    return {name: tables[name] for name in _parents_first(tables)}


def _parents_first(tables: dict[str, tuple[Column, ...]]) -> list[str]:
    done: list[str] = []

    def visit(table: str) -> None:
        if table in done:
            return
        for column in tables[table]:
            if column.refers_to in tables and column.refers_to != table:
                visit(column.refers_to)
        done.append(table)

    for table in tables:
        visit(table)
    return done
