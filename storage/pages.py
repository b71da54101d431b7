"""Composed pages: which panels, in which layout, and the picture of it."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.domain.errors import NotFound
from storage.database import Database
from storage.records import to_json
from storage.times import Moment, from_text, to_text


@dataclass(frozen=True, slots=True)
class PageRecord:
    """A page of a series. ``sha256`` names its picture among the guild's blobs, if composed."""

    id: int
    guild_id: int
    series_id: int
    number: int
    layout: str
    panels: tuple[int, ...]
    sha256: str | None
    updated_at: datetime


def put_page(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    series_id: int,
    number: int,
    layout: str,
    panels: Sequence[int],
    sha256: str | None,
    now: Moment,
) -> int:
    """Store a page; replaces the page of this number. Returns its row id.

    Raises:
        NotFound: the series or a panel is not this guild's.
    """
    owned = tx.execute(
        "SELECT 1 FROM series WHERE id = ? AND guild_id = ?", (series_id, guild_id)
    ).fetchone()
    if owned is None:
        raise NotFound("That series is not here. Create one with /series create.")
    for panel_id in panels:
        known = tx.execute(
            "SELECT 1 FROM panel WHERE id = ? AND guild_id = ?", (panel_id, guild_id)
        ).fetchone()
        if known is None:
            raise NotFound(f"There is no panel {panel_id} here. See /panel status.")
    row = tx.execute(
        "INSERT INTO page (guild_id, series_id, number, layout, panels, sha256, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (guild_id, series_id, number) DO UPDATE SET "
        "layout = excluded.layout, panels = excluded.panels, sha256 = excluded.sha256, "
        "updated_at = excluded.updated_at RETURNING id",
        (guild_id, series_id, number, layout, to_json(list(panels)), sha256, to_text(now)),
    ).fetchone()
    return row["id"]


async def get_page(db: Database, guild_id: int, series_id: int, number: int) -> PageRecord:
    """One page by its number.

    Raises:
        NotFound: it was not composed yet.
    """
    row = await db.fetch_one(
        "SELECT * FROM page WHERE guild_id = ? AND series_id = ? AND number = ?",
        (guild_id, series_id, number),
    )
    if row is None:
        raise NotFound(f"There is no page {number} yet. Compose it with /page compose.")
    return _page(row)


async def list_pages(db: Database, guild_id: int, series_id: int) -> list[PageRecord]:
    """The pages of a series by number."""
    rows = await db.fetch_all(
        "SELECT * FROM page WHERE guild_id = ? AND series_id = ? ORDER BY number",
        (guild_id, series_id),
    )
    return [_page(row) for row in rows]


def _page(row: sqlite3.Row) -> PageRecord:
    return PageRecord(
        id=row["id"],
        guild_id=row["guild_id"],
        series_id=row["series_id"],
        number=row["number"],
        layout=row["layout"],
        panels=tuple(json.loads(row["panels"])),
        sha256=row["sha256"],
        updated_at=from_text(row["updated_at"]),
    )
