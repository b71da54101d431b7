"""Accepted panels, found again: by what was asked for, by their pictures; and kept searches."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from pipeline.domain.errors import NotFound
from pipeline.domain.fingerprint import FloatVector
from pipeline.domain.searching import Hit, PanelSearch, PanelWish
from storage.database import Database
from storage.records import to_json
from storage.times import Moment, from_text, to_text

MOST_PANELS = 20_000
"""The newest accepted panels of a guild that a search looks at."""

# A panel that another one replaced on its page is not shown any more. What may not be for everyone
# is shown where Discord restricts by age, and elsewhere once a moderator has approved it.
_ACCEPTED = """
FROM panel AS p WHERE p.guild_id = :guild AND p.status = 'accepted'
AND p.chosen_candidate IS NOT NULL AND p.id NOT IN (
    SELECT json_extract(later.brief, '$.replaces') FROM panel AS later
    WHERE later.guild_id = :guild AND later.status = 'accepted'
    AND json_extract(later.brief, '$.replaces') IS NOT NULL)
AND (:restricted OR NOT coalesce((
    SELECT json_extract(c.report, '$.rating.over') FROM candidate AS c
    WHERE c.id = p.chosen_candidate), 0)
    OR EXISTS (SELECT 1 FROM review AS r WHERE r.status = 'approved' AND r.panel_id IN (
        p.id, json_extract(p.brief, '$.revision.panel_id'))))
"""
_WISHED = f"""
SELECT p.id, json_extract(p.brief, '$.prompt') AS prompt,
       json_extract(p.brief, '$.dialogue') AS dialogue {_ACCEPTED}
AND (:character IS NULL OR EXISTS (
    SELECT 1 FROM json_each(p.brief, '$.cast') AS role
    WHERE json_extract(role.value, '$.character_id') = :character))
AND (:page IS NULL OR p.page_number = :page)
AND (:chapter IS NULL OR json_extract(p.brief, '$.chapter') = :chapter)
AND (:first IS NULL OR p.created_at >= :first) AND (:last IS NULL OR p.created_at < :last)
AND (:requester IS NULL OR p.requester_id = :requester)
ORDER BY p.id DESC LIMIT :limit
"""  # noqa: S608 - text of our own
_PRINTED = (
    "SELECT p.id, print.vector FROM panel_print AS print "
    "JOIN panel AS p ON p.chosen_candidate = print.candidate_id "
    "WHERE print.guild_id = :guild AND p.guild_id = :guild AND print.encoder = :encoder "
    "AND p.id IN (SELECT value FROM json_each(:panels))"
)


async def wished_panels(
    db: Database, guild_id: int, wish: PanelWish, *, restricted: bool = False
) -> list[int]:
    """The accepted panels that fit, newest first; a likeness is not looked at here.

    ``restricted`` says that they are shown where Discord restricts by age.
    """
    rows = await db.fetch_all(
        _WISHED,
        {
            "guild": guild_id,
            "restricted": restricted,
            "character": wish.character_id,
            "page": wish.page,
            "chapter": wish.chapter,
            "first": _day(wish.first),
            "last": _day(wish.last, 1),
            "requester": wish.requester_id,
            "limit": MOST_PANELS,
        },
    )
    words = wish.words.casefold().split()
    # Ten thousand panels of text, or vectors of them, take longer than the loop should wait.
    return await asyncio.to_thread(lambda: [row["id"] for row in rows if _says(row, words)])


async def similar_panels(
    db: Database, guild_id: int, printer: str, vector: FloatVector, panels: Sequence[int]
) -> list[Hit]:
    """Those of some panels whose pictures have a vector of this printer, the most alike first."""
    rows = await db.fetch_all(
        _PRINTED, {"guild": guild_id, "encoder": printer, "panels": json.dumps(list(panels))}
    )
    return await asyncio.to_thread(_most_alike, rows, vector)


async def unprinted(db: Database, guild_id: int, printer: str, limit: int) -> list[tuple[int, str]]:
    """Accepted pictures (candidate, sha256) that have no vector of this printer, newest first."""
    rows = await db.fetch_all(
        "SELECT c.id, c.sha256 FROM panel AS p JOIN candidate AS c ON c.id = p.chosen_candidate "
        "WHERE p.guild_id = ? AND p.status = 'accepted' AND NOT EXISTS (SELECT 1 "
        "FROM panel_print AS print WHERE print.candidate_id = c.id AND print.encoder = ?) "
        "ORDER BY p.id DESC LIMIT ?",
        (guild_id, printer, limit),
    )
    return [(row["id"], row["sha256"]) for row in rows]


async def next_unprinted(db: Database) -> int | None:
    """A guild with an accepted picture that nobody has looked at yet, or None."""
    row = await db.fetch_one(
        "SELECT p.guild_id FROM panel AS p WHERE p.status = 'accepted' "
        "AND p.chosen_candidate IS NOT NULL AND NOT EXISTS (SELECT 1 FROM panel_print AS print "
        "WHERE print.candidate_id = p.chosen_candidate) ORDER BY p.id DESC LIMIT 1"
    )
    return None if row is None else row["guild_id"]


def put_print(
    tx: sqlite3.Connection, *, guild_id: int, candidate_id: int, encoder: str, vector: FloatVector
) -> None:
    """Store the vector of a picture; one that was deleted meanwhile gets none."""
    tx.execute(
        "INSERT OR REPLACE INTO panel_print (guild_id, candidate_id, encoder, vector) "
        "SELECT guild_id, id, ?, ? FROM candidate WHERE id = ? AND guild_id = ?",
        (encoder, vector.astype(np.float32).tobytes(), candidate_id, guild_id),
    )


def add_search(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    member_id: int,
    wish: PanelWish,
    hits: Sequence[Hit],
    now: Moment,
) -> int:
    """Keep a search and what it found, so that it can be leafed through; returns its id."""
    return tx.execute(
        "INSERT INTO panel_search (guild_id, member_id, wish, found, created_at) "
        "VALUES (?, ?, ?, ?, ?) RETURNING id",
        (
            guild_id,
            member_id,
            to_json({**asdict(wish), "first": _iso(wish.first), "last": _iso(wish.last)}),
            json.dumps([[hit.panel_id, hit.similarity] for hit in hits]),
            to_text(now),
        ),
    ).fetchone()["id"]


async def get_search(db: Database, guild_id: int, search_id: int) -> PanelSearch:
    """One kept search.

    Raises:
        NotFound: the guild has none with this id, or it is too old.
    """
    row = await db.fetch_one(
        "SELECT * FROM panel_search WHERE id = ? AND guild_id = ?", (search_id, guild_id)
    )
    if row is None:
        raise NotFound("This search is no longer kept. Search again with /panel gallery.")
    return PanelSearch(
        id=row["id"],
        guild_id=row["guild_id"],
        member_id=row["member_id"],
        wish=_wish(json.loads(row["wish"])),
        hits=tuple(Hit(*hit) for hit in json.loads(row["found"])),
        created_at=from_text(row["created_at"]),
    )


async def still_accepted(
    db: Database, guild_id: int, panels: Sequence[int], *, restricted: bool = False
) -> frozenset[int]:
    """Those of some panels that are there, accepted and may be shown at this moment."""
    rows = await db.fetch_all(
        f"SELECT p.id {_ACCEPTED} AND p.id IN (SELECT value FROM json_each(:panels))",  # noqa: S608 - text of our own
        {"guild": guild_id, "restricted": restricted, "panels": json.dumps(list(panels))},
    )
    return frozenset(row["id"] for row in rows)


def _most_alike(rows: Sequence[sqlite3.Row], vector: FloatVector) -> list[Hit]:
    if not rows:
        return []
    stored = np.frombuffer(b"".join(row["vector"] for row in rows), np.float32)
    cosines = (stored.reshape(len(rows), -1) @ vector).clip(-1, 1)
    order = np.argsort(-cosines, kind="stable")
    ids: list[int] = [row["id"] for row in rows]
    return [Hit(ids[n], round(float(cosines[n]), 4)) for n in order.tolist()]


def _says(row: sqlite3.Row, words: Sequence[str]) -> bool:
    if not words:
        return True
    lines = [line.get("text", "") for line in json.loads(row["dialogue"] or "[]")]
    said = " ".join([row["prompt"] or "", *lines]).casefold()
    return all(word in said for word in words)


def _day(day: date | None, later: int = 0) -> str | None:
    """When a day begins, in UTC."""
    if day is None:
        return None
    return to_text(datetime.combine(day + timedelta(days=later), time(), UTC))


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _wish(data: Mapping[str, Any]) -> PanelWish:
    days = {k: data[k] and date.fromisoformat(data[k]) for k in ("first", "last")}
    return PanelWish(**{**data, **days})
