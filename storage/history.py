"""The history of a character's looks: what was before, what came after, and going back."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from pipeline.domain.character import Appearance, StoryPoint
from pipeline.domain.errors import NotFound, WrongState
from pipeline.domain.history import LooksState, RegistryAction, RegistryEvent
from storage.appearances import create_appearance, looks_in, put_appearance, retire_appearance
from storage.database import Database
from storage.records import to_json
from storage.references import move_references
from storage.times import Moment, from_text, to_text

_ROW_FIELDS = frozenset({"id", "guild_id", "character_row", "appearance_id"})
DESCRIPTION = tuple(f.name for f in fields(Appearance) if f.name not in _ROW_FIELDS)
"""The fields of a look that people may change."""


def state_of(
    tx: sqlite3.Connection, guild_id: int, character_row: int, slugs: frozenset[str]
) -> LooksState:
    """The named looks that are in use, and where the references of the named ones lie."""
    looks = {
        slug: look
        for slug, (look, in_use) in looks_in(tx, guild_id, character_row).items()
        if in_use and slug in slugs
    }
    rows = tx.execute(
        "SELECT r.id, a.appearance_id FROM reference AS r "
        "JOIN appearance AS a ON a.id = r.appearance_row "
        "WHERE r.guild_id = ? AND a.character_row = ? ORDER BY r.id",
        (guild_id, character_row),
    ).fetchall()
    return LooksState(looks, {r["id"]: r["appearance_id"] for r in rows if r[1] in slugs})


def add_event(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    character_row: int,
    action: RegistryAction,
    summary: str,
    before: LooksState,
    after: LooksState,
    member_id: int,
    now: Moment,
) -> int:
    """Write down a change; returns its id.

    Raises:
        NotFound: the guild has no such character.
    """
    owned = tx.execute(
        "SELECT 1 FROM character WHERE id = ? AND guild_id = ?", (character_row, guild_id)
    ).fetchone()
    if owned is None:
        raise NotFound("That character is not registered here. See /character list.")
    row = tx.execute(
        "INSERT INTO registry_event (guild_id, character_row, action, summary, before, after, "
        "member_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            guild_id,
            character_row,
            action,
            summary,
            _state_json(before),
            _state_json(after),
            member_id,
            to_text(now),
        ),
    ).fetchone()
    return row["id"]


def last_standing(
    tx: sqlite3.Connection, guild_id: int, character_row: int
) -> RegistryEvent | None:
    """The newest change that was not taken back."""
    row = tx.execute(
        "SELECT * FROM registry_event WHERE guild_id = ? AND character_row = ? "
        "AND undone_by IS NULL AND action <> 'undo' ORDER BY id DESC LIMIT 1",
        (guild_id, character_row),
    ).fetchone()
    return None if row is None else _event(row)


def take_back(tx: sqlite3.Connection, event: RegistryEvent, *, member_id: int, now: Moment) -> int:
    """Undo a change and write that down; returns the id of the new event.

    Fields that the change left alone stay as they are now. Thresholds are the caller's to renew.

    Raises:
        WrongState: pictures were added to a look that would go.
    """
    slugs = frozenset(event.before.looks) | frozenset(event.after.looks)
    now_is = state_of(tx, event.guild_id, event.character_row, slugs)
    rows = _restore_looks(tx, event, now)
    for slug in event.before.looks:
        move_references(
            tx,
            guild_id=event.guild_id,
            reference_ids=[i for i, home in event.before.placement.items() if home == slug],
            appearance_row=rows[slug],
        )
    _retire_new(tx, event, rows)
    undone = add_event(
        tx,
        guild_id=event.guild_id,
        character_row=event.character_row,
        action=RegistryAction.UNDO,
        summary=f"took back: {event.summary}",
        before=now_is,
        after=state_of(tx, event.guild_id, event.character_row, slugs),
        member_id=member_id,
        now=now,
    )
    tx.execute(
        "UPDATE registry_event SET undone_by = ? WHERE id = ? AND guild_id = ?",
        (undone, event.id, event.guild_id),
    )
    return undone


async def list_events(
    db: Database, guild_id: int, character_row: int, limit: int = 20
) -> list[RegistryEvent]:
    """The history of a character, newest first."""
    rows = await db.fetch_all(
        "SELECT * FROM registry_event WHERE guild_id = ? AND character_row = ? "
        "ORDER BY id DESC LIMIT ?",
        (guild_id, character_row, limit),
    )
    return [_event(row) for row in rows]


def _restore_looks(tx: sqlite3.Connection, event: RegistryEvent, now: Moment) -> dict[str, int]:
    """Bring back the looks as they were before; returns their rows by slug."""
    known = looks_in(tx, event.guild_id, event.character_row)
    rows: dict[str, int] = {}
    for slug, old in event.before.looks.items():
        current = known[slug][0] if slug in known else _made_again(tx, old, now)
        new = event.after.looks.get(slug)
        changed = {
            name: getattr(old, name)
            for name in DESCRIPTION
            if new is None or getattr(old, name) != getattr(new, name)
        }
        put_appearance(tx, replace(current, **changed))
        rows[slug] = current.id
    return rows


def _made_again(tx: sqlite3.Connection, old: Appearance, now: Moment) -> Appearance:
    row = create_appearance(
        tx,
        guild_id=old.guild_id,
        character_row=old.character_row,
        appearance_id=old.appearance_id,
        label=old.label,
        components={},
        palette=(),
        notes="",
        now=now,
    )
    return replace(old, id=row)


def _retire_new(tx: sqlite3.Connection, event: RegistryEvent, rows: Mapping[str, int]) -> None:
    """Turn the looks that the change made into signposts."""
    known = looks_in(tx, event.guild_id, event.character_row)
    for slug in event.after.looks:
        if slug in event.before.looks or slug not in known:
            continue
        row = known[slug][0].id
        held = tx.execute("SELECT 1 FROM reference WHERE appearance_row = ?", (row,)).fetchone()
        if held is not None:
            raise WrongState(
                f"{slug} has got further pictures since. Merge it into another look instead."
            )
        homes = [h for i, h in event.before.placement.items() if event.after.placement[i] == slug]
        into = rows.get(homes[0]) if homes else next(iter(rows.values()), None)
        if into is None:  # a look that began empty: nothing and nobody refers to it
            into = next((a.id for s, (a, used) in known.items() if used and s != slug), None)
        if into is None:
            raise WrongState("The only look of a character cannot be taken back.")
        retire_appearance(tx, guild_id=event.guild_id, appearance_row=row, into=into)


def _state_json(state: LooksState) -> str:
    return to_json(
        {
            "looks": {slug: asdict(look) for slug, look in state.looks.items()},
            "placement": {str(i): slug for i, slug in state.placement.items()},
        }
    )


def _state(text: str) -> LooksState:
    data = json.loads(text)
    return LooksState(
        {slug: _look(entry) for slug, entry in data["looks"].items()},
        {int(i): slug for i, slug in data["placement"].items()},
    )


def _look(entry: dict[str, Any]) -> Appearance:
    points = {
        name: StoryPoint(*entry[name]) if entry[name] else None
        for name in ("valid_from", "valid_to")
    }
    return Appearance(**{**entry, **points, "palette": tuple(entry["palette"])})


def _event(row: sqlite3.Row) -> RegistryEvent:
    return RegistryEvent(
        id=row["id"],
        guild_id=row["guild_id"],
        character_row=row["character_row"],
        action=RegistryAction(row["action"]),
        summary=row["summary"],
        before=_state(row["before"]),
        after=_state(row["after"]),
        member_id=row["member_id"],
        created_at=from_text(row["created_at"]),
        undone_by=row["undone_by"],
    )
