"""All rows of one guild: out of a database, into another one, or away."""

import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from pipeline.domain.errors import InvalidInput, WrongState
from storage import mirror
from storage.database import Database
from storage.doomed import DoomedKind, doom
from storage.guilds import FIRST_SNOWFLAKE
from storage.steering import hold_again
from storage.tables import DERIVED, Column, guild_tables, read_tables
from storage.times import Moment, to_text

Row = dict[str, Any]
_BYTES = "base64"
_NOT_CARRIED = frozenset({"wrapped_key", "left_at"})
# A job that runs here does not run there.
_WAITS = {
    "status": "queued",
    "lease_owner": None,
    "lease_until": None,
    "progress": 0.0,
    "progress_note": "",
}


async def guild_rows(db: Database, guild_id: int) -> AsyncIterator[tuple[str, Row]]:
    """Every row of a guild as (table, columns), parents first, as of one moment.

    The key of the guild, the fair shares and the mirrors are left out: they are made anew.
    """
    tables = await read_tables(db)
    async with db.reader() as connection:
        await connection.execute("BEGIN")  # one snapshot; the reader ends it when it is given back
        for table in tables:
            if table in DERIVED:
                continue
            query = f'SELECT * FROM "{table}" WHERE guild_id = ? ORDER BY 1, 2, 3'  # noqa: S608 - names from the schema
            async with connection.execute(query, (guild_id,)) as cursor:
                async for row in cursor:
                    yield table, _packed(table, dict(row))


async def schema_version(db: Database) -> int:
    """How many migrations the database has."""
    row = await db.fetch_one("SELECT max(version) AS newest FROM schema_migration")
    return 0 if row is None else row["newest"]


async def knows_guild(db: Database, guild_id: int) -> bool:
    """Whether anything is kept of a guild, beyond an empty entry."""
    for table in await read_tables(db):
        if table not in {*DERIVED, "guild"}:
            found = await db.fetch_one(
                f'SELECT 1 FROM "{table}" WHERE guild_id = ? LIMIT 1',  # noqa: S608 - names from the schema
                (guild_id,),
            )
            if found is not None:
                return True
    return False


def load_guild_rows(
    tx: sqlite3.Connection, *, guild_id: int, rows: Iterable[tuple[str, Row]]
) -> int:
    """Add the rows of :func:`guild_rows` to a database that has the guild's entry and no more.

    The numbers of the rows stay as they are, because the buttons of posted messages name them.

    Returns:
        How many rows there were.

    Raises:
        InvalidInput: a row is not one of this guild, or refers to something that is not there.
        WrongState: a number is taken by another guild of this database.
    """
    tables = guild_tables(tx)
    tx.execute("PRAGMA defer_foreign_keys = ON")  # a look may have been merged into a later one
    count = 0
    try:
        for table, row in rows:
            _insert(tx, tables, table, row, guild_id)
            count += 1
        hold_again(tx, guild_id=guild_id)
        broken = tx.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.IntegrityError as error:
        if "UNIQUE" in str(error) or "PRIMARY" in str(error):
            raise WrongState(
                "Row numbers of this export are taken by another server here. Import it into a "
                "data folder of its own (ONMODEL_DATA_DIR)."
            ) from error
        raise InvalidInput(
            "This export is damaged; a row breaks a rule of the database."
        ) from error
    if broken is not None:
        raise InvalidInput(f"This export is damaged: rows of {broken[0]} refer to nothing.")
    tx.execute("PRAGMA defer_foreign_keys = OFF")
    return count


def erase_guild(tx: sqlite3.Connection, *, guild_id: int) -> dict[str, int]:
    """Delete every row of a guild, its vectors in the mirrors and its key; doom its files.

    Returns:
        How many rows went, by table.
    """
    prints = tx.execute(
        "SELECT id, encoder, crop, color_mode FROM fingerprint WHERE guild_id = ?", (guild_id,)
    ).fetchall()
    mirror.remove(
        tx, [(mirror.MirrorKey(r["encoder"], r["crop"], r["color_mode"]), r["id"]) for r in prints]
    )
    tables = [table for table in guild_tables(tx) if table != "doomed_file"]
    doom(tx, guild_id=guild_id, kind=DoomedKind.GUILD, names=[""])
    counts = {
        table: tx.execute(
            f'SELECT count(*) FROM "{table}" WHERE guild_id = ?',  # noqa: S608 - names from the schema
            (guild_id,),
        ).fetchone()[0]
        for table in tables
    }
    for table in reversed(tables):  # children first
        tx.execute(f'DELETE FROM "{table}" WHERE guild_id = ?', (guild_id,))  # noqa: S608 - names from the schema
    return {table: count for table, count in counts.items() if count}


async def traces_of_guild(db: Database, guild_id: int) -> list[str]:
    """The tables that still hold rows of a guild; none after :func:`erase_guild`."""
    left = []
    for table in await read_tables(db):
        found = await db.fetch_one(
            f'SELECT 1 FROM "{table}" WHERE guild_id = ? LIMIT 1',  # noqa: S608 - names from the schema
            (guild_id,),
        )
        if found is not None:
            left.append(table)
    return left


# --- servers that the bot left --------------------------------------------------------------------


def note_presence(tx: sqlite3.Connection, *, present: Iterable[int], now: Moment) -> None:
    """Say in which servers the bot is: the clock of the others runs from now, unless it ran.

    Registries from a shell have small numbers and are nobody's server.
    """
    here = json.dumps(list(present))
    tx.execute(
        "UPDATE guild SET left_at = NULL WHERE left_at IS NOT NULL "
        "AND guild_id IN (SELECT value FROM json_each(?))",
        (here,),
    )
    tx.execute(
        "UPDATE guild SET left_at = ? WHERE left_at IS NULL AND guild_id >= ? "
        "AND guild_id NOT IN (SELECT value FROM json_each(?))",
        (to_text(now), FIRST_SNOWFLAKE, here),
    )


def note_left(tx: sqlite3.Connection, *, guild_id: int, left_at: Moment | None) -> None:
    """The bot left a server, or (None) came back in time."""
    text = None if left_at is None else to_text(left_at)
    tx.execute(
        "UPDATE guild SET left_at = iif(?1 IS NULL, NULL, coalesce(left_at, ?1)) "
        "WHERE guild_id = ?2",
        (text, guild_id),
    )


async def left_before(db: Database, moment: Moment) -> list[int]:
    """The guilds that the bot left before a moment."""
    rows = await db.fetch_all(
        "SELECT guild_id FROM guild WHERE left_at < ? ORDER BY left_at", (to_text(moment),)
    )
    return [row["guild_id"] for row in rows]


# --- inside ---------------------------------------------------------------------------------------


def _packed(table: str, row: Row) -> Row:
    if table == "job" and row["status"] == "running":
        row |= _WAITS
    if table == "guild":
        row = {key: value for key, value in row.items() if key not in _NOT_CARRIED}
    return {
        key: {_BYTES: base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for key, value in row.items()
    }


def _unpacked(value: Any) -> Any:
    if isinstance(value, Mapping):
        try:
            return base64.b64decode(value[_BYTES], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("This export is damaged: bytes cannot be read.") from error
    if not isinstance(value, str | int | float | None):
        raise InvalidInput("This export is damaged: a value is of no known kind.")
    return value


def _insert(
    tx: sqlite3.Connection,
    tables: Mapping[str, tuple[Column, ...]],
    table: str,
    row: Row,
    guild_id: int,
) -> None:
    known = {column.name for column in tables.get(table, ())}
    if table in DERIVED or not known.issuperset(row) or row.get("guild_id") != guild_id:
        raise InvalidInput("This export is damaged: it holds rows that are not of this server.")
    values = {key: _unpacked(value) for key, value in row.items()}
    if table == "guild":
        tx.execute(
            "UPDATE guild SET active_series_id = ?, created_at = ? WHERE guild_id = ?",
            (values.get("active_series_id"), values.get("created_at"), guild_id),
        )
        return
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    tx.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', tuple(values.values()))  # noqa: S608 - names from the schema
    if table == "fingerprint":
        key = mirror.MirrorKey(values["encoder"], values["crop"], values["color_mode"])
        mirror.add(tx, key, guild_id=guild_id, row=values["id"], vector=values["vector"])
