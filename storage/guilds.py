"""Guilds (tenants) and the settings of the program itself."""

import sqlite3
from datetime import UTC, datetime

from storage.database import Database
from storage.times import Moment, to_text

FIRST_SNOWFLAKE = 1 << 22
"""Every id of Discord is at least so large; smaller numbers are registries of a shell.

Source: Discord's documentation, "Snowflakes": the time since 2015 stands above the lowest 22 bits.
"""


def ensure_guild(
    tx: sqlite3.Connection, guild_id: int, wrapped_key: bytes, now: Moment | None = None
) -> bytes:
    """Create the guild's row unless it exists; returns the wrapped key that counts."""
    tx.execute(
        "INSERT INTO guild (guild_id, wrapped_key, created_at) VALUES (?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (guild_id, wrapped_key, to_text(datetime.now(UTC) if now is None else now)),
    )
    row = tx.execute("SELECT wrapped_key FROM guild WHERE guild_id = ?", (guild_id,)).fetchone()
    return row["wrapped_key"]


async def wrapped_key(db: Database, guild_id: int) -> bytes | None:
    """The guild's wrapped data key, or None before its first use."""
    row = await db.fetch_one("SELECT wrapped_key FROM guild WHERE guild_id = ?", (guild_id,))
    return None if row is None else row["wrapped_key"]


async def get_setting(db: Database, key: str) -> str | None:
    """A remembered fact of the program (not of a guild), or None."""
    row = await db.fetch_one("SELECT value FROM setting WHERE key = ?", (key,))
    return None if row is None else row["value"]


def put_setting(tx: sqlite3.Connection, key: str, value: str) -> None:
    """Remember a fact of the program; replaces the earlier value."""
    tx.execute(
        "INSERT INTO setting (key, value) VALUES (?, ?) "
        "ON CONFLICT DO UPDATE SET value = excluded.value",
        (key, value),
    )
