"""Whom a character belongs to beside its owner, and for whom it is open."""

import sqlite3
from collections import defaultdict

from pipeline.domain.access import AccessRule, CharacterAccess, Circle, Deed
from pipeline.domain.errors import NotFound
from storage.database import Database
from storage.times import Moment, to_text


def add_co_owner(
    tx: sqlite3.Connection, *, guild_id: int, character_row: int, member_id: int, now: Moment
) -> bool:
    """Let a member own a character too; returns False if they do already.

    Raises:
        NotFound: the guild has no such character.
    """
    _require(tx, guild_id, character_row)
    row = tx.execute(
        "INSERT INTO co_owner (guild_id, character_row, member_id, created_at) "
        "VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        (guild_id, character_row, member_id, to_text(now)),
    ).fetchone()
    return row is not None


def remove_co_owner(
    tx: sqlite3.Connection, *, guild_id: int, character_row: int, member_id: int
) -> bool:
    """End it; returns False if they were none."""
    row = tx.execute(
        "DELETE FROM co_owner WHERE guild_id = ? AND character_row = ? AND member_id = ? "
        "RETURNING 1",
        (guild_id, character_row, member_id),
    ).fetchone()
    return row is not None


def set_owner(
    tx: sqlite3.Connection, *, guild_id: int, character_row: int, owner_id: int, expected: int
) -> bool:
    """Give a character to somebody else; False if it is not ``expected``'s any more."""
    row = tx.execute(
        "UPDATE character SET owner_id = ? WHERE id = ? AND guild_id = ? AND owner_id = ? "
        "RETURNING 1",
        (owner_id, character_row, guild_id, expected),
    ).fetchone()
    return row is not None


def put_rule(
    tx: sqlite3.Connection, *, guild_id: int, character_row: int, deed: Deed, rule: AccessRule
) -> None:
    """Say for whom a deed is open.

    Raises:
        NotFound: the guild has no such character.
    """
    _require(tx, guild_id, character_row)
    tx.execute(
        "INSERT INTO access_rule (guild_id, character_row, deed, circle, circle_role_id) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (character_row, deed) DO UPDATE SET "
        "circle = excluded.circle, circle_role_id = excluded.circle_role_id",
        (guild_id, character_row, deed, rule.circle, rule.role_id),
    )


async def access_in(
    db: Database, guild_id: int, character_row: int | None = None
) -> dict[int, CharacterAccess]:
    """Owner, co-owners and rules of the whole cast of a guild, or of one of it, by row."""
    told = {"guild": guild_id, "row": character_row}
    which = "guild_id = :guild AND (:row IS NULL OR character_row = :row)"
    owners = await db.fetch_all(
        "SELECT id, owner_id FROM character WHERE guild_id = :guild "
        "AND (:row IS NULL OR id = :row)",
        told,
    )
    shared = await db.fetch_all(
        f"SELECT character_row, member_id FROM co_owner WHERE {which} ORDER BY created_at, 2",  # noqa: S608 - text of our own
        told,
    )
    ruled = await db.fetch_all(f"SELECT * FROM access_rule WHERE {which}", told)  # noqa: S608 - text of our own
    people: dict[int, list[int]] = defaultdict(list)
    for row in shared:
        people[row["character_row"]].append(row["member_id"])
    rules: dict[int, dict[Deed, AccessRule]] = defaultdict(dict)
    for row in ruled:
        rule = AccessRule(Circle(row["circle"]), row["circle_role_id"])
        rules[row["character_row"]][Deed(row["deed"])] = rule
    return {
        row["id"]: CharacterAccess(
            row["owner_id"], tuple(people.get(row["id"], ())), rules.get(row["id"], {})
        )
        for row in owners
    }


def _require(tx: sqlite3.Connection, guild_id: int, character_row: int) -> None:
    found = tx.execute(
        "SELECT 1 FROM character WHERE id = ? AND guild_id = ?", (character_row, guild_id)
    ).fetchone()
    if found is None:
        raise NotFound("That character is not registered here. See /character list.")
