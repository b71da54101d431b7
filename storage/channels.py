"""What a panel gets by the channel in which it was asked for."""

import sqlite3

from pipeline.domain.geometry import Size
from pipeline.domain.panel import ChannelDefaults
from storage.database import Database


def put_channel_defaults(
    tx: sqlite3.Connection, *, guild_id: int, channel_id: int, defaults: ChannelDefaults
) -> None:
    """Replace what a channel says; one that says nothing is forgotten."""
    tx.execute(
        "DELETE FROM channel_default WHERE guild_id = ? AND channel_id = ?", (guild_id, channel_id)
    )
    if defaults == ChannelDefaults():
        return
    size = defaults.size or (None, None)
    tx.execute(
        "INSERT INTO channel_default (guild_id, channel_id, generator, style, width, height, "
        "alternates) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (guild_id, channel_id, defaults.generator, defaults.style, *size, defaults.alternates),
    )


async def channel_defaults(db: Database, guild_id: int, channel_id: int) -> ChannelDefaults | None:
    """What a channel of the guild says, None where it says nothing."""
    row = await db.fetch_one(
        "SELECT * FROM channel_default WHERE guild_id = ? AND channel_id = ?",
        (guild_id, channel_id),
    )
    return None if row is None else _defaults(row)


async def list_channel_defaults(db: Database, guild_id: int) -> list[tuple[int, ChannelDefaults]]:
    """Every channel of the guild that says something, and what."""
    rows = await db.fetch_all(
        "SELECT * FROM channel_default WHERE guild_id = ? ORDER BY channel_id", (guild_id,)
    )
    return [(row["channel_id"], _defaults(row)) for row in rows]


def _defaults(row: sqlite3.Row) -> ChannelDefaults:
    return ChannelDefaults(
        generator=row["generator"],
        style=row["style"],
        size=None if row["width"] is None else Size(row["width"], row["height"]),
        alternates=row["alternates"],
    )
