"""The lettering of panels: edited lines of dialogue, and the same in other languages."""

import sqlite3
from collections.abc import Sequence

from pipeline.domain.errors import NotFound
from pipeline.domain.panel import DialogueLine
from storage.database import Database
from storage.records import dialogue_from_json, dialogue_to_json
from storage.times import Moment, to_text


def put_lettering(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    panel_id: int,
    language: str,
    lines: Sequence[DialogueLine],
    now: Moment,
) -> None:
    """Store the lines of a panel in one language; replaces those that are there.

    Raises:
        NotFound: the guild has no such panel.
    """
    known = tx.execute(
        "SELECT 1 FROM panel WHERE id = ? AND guild_id = ?", (panel_id, guild_id)
    ).fetchone()
    if known is None:
        raise NotFound(f"There is no panel {panel_id} here. See /panel status.")
    tx.execute(
        "INSERT INTO lettering (guild_id, panel_id, language, lines, updated_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (guild_id, panel_id, language) DO UPDATE SET "
        "lines = excluded.lines, updated_at = excluded.updated_at",
        (guild_id, panel_id, language, dialogue_to_json(lines), to_text(now)),
    )


async def get_lettering(
    db: Database, guild_id: int, panel_id: int
) -> dict[str, tuple[DialogueLine, ...]]:
    """The edited lines of a panel by language; empty where nobody edited any."""
    rows = await db.fetch_all(
        "SELECT language, lines FROM lettering WHERE guild_id = ? AND panel_id = ? "
        "ORDER BY language",
        (guild_id, panel_id),
    )
    return {row["language"]: dialogue_from_json(row["lines"]) for row in rows}


async def list_languages(db: Database, guild_id: int, series_id: int) -> list[str]:
    """The languages that panels of a series were lettered in, beside the first one."""
    rows = await db.fetch_all(
        "SELECT DISTINCT l.language FROM lettering AS l JOIN panel AS p ON p.id = l.panel_id "
        "WHERE l.guild_id = ? AND p.guild_id = ? AND p.series_id = ? AND l.language <> '' "
        "ORDER BY l.language",
        (guild_id, guild_id, series_id),
    )
    return [row["language"] for row in rows]
