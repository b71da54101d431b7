"""A member of a guild: what the database holds of them, and how it is made to forget them."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.domain.review import PostKind
from storage import outbox
from storage.consent import end_consents_of
from storage.database import Database
from storage.doomed import COPIES, DoomedKind, doom, doom_unused
from storage.erasure import delete_references
from storage.guilds import FIRST_SNOWFLAKE
from storage.tables import Column, guild_tables, read_tables
from storage.times import to_text

NOBODY = 1
"""Who stands where an erased person stood. No snowflake is so small (they begin at 2^22)."""
# Posts about panels and posts about reviews, whose numbers are not related.
_REVIEW_POSTS = "('review_thread', 'review_decided')"


class Fate(StrEnum):
    """What becomes of a row that names somebody who wants to be forgotten."""

    DELETED = "deleted"
    ANONYMISED = "anonymised"
    HANDED_OVER = "handed over"
    """The thing stays and belongs to nobody: moderators and managers look after it."""
    CLEARED = "cleared"
    """Only the name goes; the column is empty afterwards."""


FATES: Mapping[tuple[str, str], Fate] = {
    ("audit_event", "member_id"): Fate.ANONYMISED,
    ("blocked_word", "added_by"): Fate.ANONYMISED,
    ("character", "owner_id"): Fate.HANDED_OVER,
    ("co_owner", "member_id"): Fate.DELETED,
    ("consent", "holder_id"): Fate.ANONYMISED,
    ("consent", "person_id"): Fate.ANONYMISED,
    ("held_picture", "decided_by"): Fate.ANONYMISED,
    ("held_picture", "member_id"): Fate.DELETED,
    ("job", "member_id"): Fate.ANONYMISED,
    ("likeness", "person_id"): Fate.ANONYMISED,
    ("panel_search", "member_id"): Fate.DELETED,
    ("panel", "requester_id"): Fate.ANONYMISED,  # those that no page needs are deleted before
    ("quest", "artist_id"): Fate.ANONYMISED,
    ("quest", "decided_by"): Fate.ANONYMISED,
    ("quest", "posted_by"): Fate.ANONYMISED,
    ("reference", "added_by"): Fate.ANONYMISED,  # deleted before, for whoever asks for that
    ("registry_event", "member_id"): Fate.ANONYMISED,
    ("report", "reporter_id"): Fate.ANONYMISED,
    ("review", "claimed_by"): Fate.CLEARED,
    ("review", "decided_by"): Fate.ANONYMISED,
    ("review_label", "member_id"): Fate.ANONYMISED,
    ("review_opinion", "member_id"): Fate.ANONYMISED,
    ("script", "imported_by"): Fate.ANONYMISED,
    ("series", "created_by"): Fate.ANONYMISED,
    ("share", "member_id"): Fate.DELETED,
    ("verdict_label", "member_id"): Fate.ANONYMISED,
    ("vote", "member_id"): Fate.DELETED,
}
"""For every column that names a person. One that is missing here is anonymised all the same."""


@dataclass(frozen=True, slots=True)
class Held:
    """How many rows of a table name a person, and what would become of them."""

    table: str
    fate: Fate
    rows: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done: rows by table and fate, stopped jobs, files that go, posts that may go."""

    rows: Mapping[tuple[str, Fate], int]
    stopped: int
    pictures: int
    posts: tuple[tuple[int, int], ...]


def person_columns(
    tables: Mapping[str, Iterable[Column]],
) -> list[tuple[str, Column]]:
    """Every column of a guild's tables that names a person."""
    return [(t, c) for t, columns in tables.items() for c in columns if c.names_a_person]


def forget_member(
    tx: sqlite3.Connection, *, guild_id: int, member_id: int, references: bool, now: datetime
) -> Forgotten:
    """Forget a person in one guild; all or nothing, as every write.

    Waiting and running jobs end: the fence moves on, so that a late result is refused. Panels
    that no page needs go with all that was drawn for them; so do votes, and with ``references``
    the pictures that the person registered. Everything else stays without its name.
    """
    done: Counter[tuple[str, Fate]] = Counter()
    stopped = _stop_jobs(tx, guild_id, member_id, now)
    end_consents_of(tx, guild_id=guild_id, member_id=member_id, now=now)
    posts, pictures = _delete_panels(tx, guild_id, member_id, done)
    held_posts, held = _held(tx, guild_id, member_id)
    posts, pictures = [*posts, *held_posts], pictures | held
    if references:
        pictures |= _delete_references(tx, guild_id, member_id, done)
    pictures |= _return_quests(tx, guild_id, member_id, now)
    tables = guild_tables(tx)
    for table, column in person_columns(tables):
        _rename(tx, table, column, (guild_id, member_id), done)
    if member_id >= FIRST_SNOWFLAKE:
        _redact(tx, tables, guild_id, member_id)
    gone = doom_unused(tx, guild_id=guild_id, pictures=pictures)
    doom(tx, guild_id=guild_id, kind=DoomedKind.PICTURE, names=[COPIES])
    return Forgotten(dict(done), stopped, gone, tuple(posts))


async def held_of_member(db: Database, guild_id: int, member_id: int) -> list[Held]:
    """How many rows name a person, and what erasure would do with them."""
    tables = await read_tables(db)
    found: Counter[tuple[str, Fate]] = Counter()
    for table, column in person_columns(tables):
        fate = FATES.get((table, column.name), Fate.ANONYMISED)
        found[table, fate] += await _count(
            db, table, f'"{column.name}" = :member', guild_id, member_id
        )
    mine = f"requester_id = :member AND {_UNNEEDED}"
    going = await _count(db, "panel", mine, guild_id, member_id)
    found["panel", Fate.ANONYMISED] -= going
    found["panel", Fate.DELETED] += going
    return [Held(table, fate, n) for (table, fate), n in found.items() if n]


async def traces_of_member(db: Database, guild_id: int, member_id: int) -> list[str]:
    """The columns of the guild's rows in which a person's id still stands; none after erasure.

    All numbers are looked at, and all texts, JSON as well. An id that is no snowflake (a test's)
    is too short to be recognised in just any number; then only columns that name persons count.
    """
    real = member_id >= FIRST_SNOWFLAKE
    found = []
    for table, columns in (await read_tables(db)).items():
        for column in columns:
            if column.names_a_person or (real and column.type == "INTEGER"):
                where = f'"{column.name}" = :member'
            elif real and column.type == "TEXT":
                where = f"instr(\"{column.name}\", '{int(member_id)}') > 0"
            else:
                continue
            if column.name != "guild_id" and await _count(db, table, where, guild_id, member_id):
                found.append(f"{table}.{column.name}")
    return found


async def rows_of_member(
    db: Database, guild_id: int, member_id: int
) -> dict[str, list[dict[str, Any]]]:
    """Every row that names a person, by table; vectors and other bytes are left out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table, column in person_columns(await read_tables(db)):
        rows = await db.fetch_all(
            f'SELECT * FROM "{table}" WHERE guild_id = ? AND "{column.name}" = ?',  # noqa: S608 - names from the schema
            (guild_id, member_id),
        )
        for row in rows:
            plain = {k: row[k] for k in row.keys() if not isinstance(row[k], bytes)}  # noqa: SIM118 - a Row iterates over values
            if plain not in found.setdefault(table, []):
                found[table].append(plain)
    return found


async def pictures_of_member(db: Database, guild_id: int, member_id: int) -> list[tuple[str, str]]:
    """A person's pictures as (where from, sha256), each once.

    What they handed in comes first, then what they asked for, newest first.
    """
    rows = await db.fetch_all(
        "SELECT 1, 'references/' || a.appearance_id || '-' || r.id AS name, r.sha256, r.id "
        "FROM reference AS r JOIN appearance AS a ON a.id = r.appearance_row "
        "WHERE r.guild_id = :guild AND r.added_by = :member UNION ALL "
        "SELECT 2, 'drawings/panel-' || id, submission_sha256, id FROM panel "
        "WHERE guild_id = :guild AND requester_id = :member AND submission_sha256 IS NOT NULL "
        "UNION ALL SELECT 2, 'drawings/quest-' || id, delivery_sha256, id FROM quest "
        "WHERE guild_id = :guild AND artist_id = :member AND delivery_sha256 IS NOT NULL "
        "UNION ALL SELECT 3, 'sketches/panel-' || id, json_extract(brief, '$.sketch_sha256'), id "
        "FROM panel WHERE guild_id = :guild AND requester_id = :member "
        "AND json_extract(brief, '$.sketch_sha256') IS NOT NULL UNION ALL "
        "SELECT 4, 'panels/panel-' || p.id || '-' || coalesce(c.label, c.id), c.sha256, c.id "
        "FROM candidate AS c JOIN panel AS p ON p.id = c.panel_id "
        "WHERE p.guild_id = :guild AND p.requester_id = :member UNION ALL "
        "SELECT 5, 'waiting/picture-' || id, sha256, id FROM held_picture "
        "WHERE guild_id = :guild AND member_id = :member AND sha256 IS NOT NULL "
        "ORDER BY 1, 4 DESC",
        {"guild": guild_id, "member": member_id},
    )
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row["sha256"], row["name"])
    return [(name, sha256) for sha256, name in first.items()]


# --- inside ---------------------------------------------------------------------------------------

_UNNEEDED = (
    "status NOT IN ('accepted', 'voting') AND NOT EXISTS (SELECT 1 FROM page, "
    "json_each(page.panels) AS placed WHERE page.guild_id = :guild AND placed.value = panel.id)"
)


async def _count(db: Database, table: str, where: str, guild_id: int, member_id: int) -> int:
    row = await db.fetch_one(
        f'SELECT count(*) AS n FROM "{table}" WHERE guild_id = :guild AND ({where})',  # noqa: S608 - names from the schema
        {"guild": guild_id, "member": member_id},
    )
    return 0 if row is None else row["n"]


def _stop_jobs(tx: sqlite3.Connection, guild_id: int, member_id: int, now: datetime) -> int:
    """End what waits or runs; a late result meets a fence that has moved on."""
    stopped = tx.execute(
        "UPDATE job SET status = 'cancelled', fence = fence + 1, cancel_requested = 1, "
        "lease_owner = NULL, lease_until = NULL, finished_at = ? "
        "WHERE guild_id = ? AND member_id = ? AND status IN ('queued', 'running') "
        "RETURNING panel_id",
        (to_text(now), guild_id, member_id),
    ).fetchall()
    for row in stopped:
        tx.execute(
            "UPDATE panel SET status = 'cancelled', updated_at = ? WHERE id = ? "
            "AND status IN ('queued', 'running')",
            (to_text(now), row["panel_id"]),
        )
    return len(stopped)


def _delete_panels(
    tx: sqlite3.Connection, guild_id: int, member_id: int, done: Counter[tuple[str, Fate]]
) -> tuple[list[tuple[int, int]], set[str]]:
    """Delete the person's panels that no page needs; returns their posts and their pictures."""
    who = {"guild": guild_id, "member": member_id}
    panels = [
        row["id"]
        for row in tx.execute(
            "SELECT id FROM panel WHERE guild_id = :guild "  # noqa: S608 - text of our own
            f"AND requester_id = :member AND {_UNNEEDED}",
            who,
        ).fetchall()
    ]
    told = {"guild": guild_id, "panels": json.dumps(panels)}
    pictures = {
        row[0]
        for row in tx.execute(
            "WITH gone AS (SELECT value AS id FROM json_each(:panels)) "
            "SELECT sha256 FROM candidate WHERE panel_id IN gone UNION "
            "SELECT evidence_sha256 FROM review WHERE panel_id IN gone UNION "
            "SELECT submission_sha256 FROM panel WHERE id IN gone UNION "
            "SELECT json_extract(brief, '$.sketch_sha256') FROM panel WHERE id IN gone UNION "
            "SELECT json_extract(guide.value, '$.sha256') FROM attempt, "
            "json_each(attempt.plan, '$.controls') AS guide WHERE panel_id IN gone UNION "
            "SELECT json_extract(plan, '$.inpaint.mask_sha256') FROM attempt "
            "WHERE panel_id IN gone",
            told,
        ).fetchall()
    } - {None}
    posts = tx.execute(
        "DELETE FROM outbox WHERE guild_id = :guild AND ("  # noqa: S608 - text of our own
        f"(kind IN ('vote_card', 'panel_result', 'panel_failed') "
        "AND subject_id IN (SELECT value FROM json_each(:panels))) OR "
        f"(kind IN {_REVIEW_POSTS} AND subject_id IN (SELECT id FROM review "
        "WHERE panel_id IN (SELECT value FROM json_each(:panels))))) "
        "RETURNING channel_id, message_id",
        told,
    ).fetchall()
    tx.execute("DELETE FROM panel WHERE id IN (SELECT value FROM json_each(:panels))", told)
    done["panel", Fate.DELETED] += len(panels)
    return [(row[0], row[1]) for row in posts if row[0] and row[1]], pictures


def _held(
    tx: sqlite3.Connection, guild_id: int, member_id: int
) -> tuple[list[tuple[int, int]], set[str]]:
    """The cards of pictures of the person that waited for a moderator, and those that wait."""
    who = (guild_id, member_id)
    posts = tx.execute(
        "DELETE FROM outbox WHERE guild_id = ?1 AND kind IN ('held_picture', 'held_decided') "
        "AND subject_id IN (SELECT id FROM held_picture WHERE guild_id = ?1 AND member_id = ?2) "
        "RETURNING channel_id, message_id",
        who,
    ).fetchall()
    rows = tx.execute(
        "SELECT sha256 FROM held_picture WHERE guild_id = ? AND member_id = ? "
        "AND sha256 IS NOT NULL",
        who,
    ).fetchall()
    return [(row[0], row[1]) for row in posts if row[0] and row[1]], {row[0] for row in rows}


def _delete_references(
    tx: sqlite3.Connection, guild_id: int, member_id: int, done: Counter[tuple[str, Fate]]
) -> set[str]:
    """Delete what the person registered; what is left of those looks is indexed anew."""
    rows = tx.execute(
        "SELECT id FROM reference WHERE guild_id = ? AND added_by = ?", (guild_id, member_id)
    ).fetchall()
    done["reference", Fate.DELETED] += len(rows)
    return delete_references(tx, guild_id=guild_id, references=[row["id"] for row in rows])


def _return_quests(
    tx: sqlite3.Connection, guild_id: int, member_id: int, now: datetime
) -> set[str]:
    """Open what the person has in hand again; returns the pictures that nobody decided about."""
    who = {"guild": guild_id, "member": member_id, "now": to_text(now)}
    mine = "guild_id = :guild AND artist_id = :member AND status IN ('taken', 'delivered')"
    drawn = tx.execute(
        "SELECT id, delivery_sha256 FROM quest WHERE guild_id = :guild AND artist_id = :member", who
    ).fetchall()
    tx.execute(
        "UPDATE quest SET status = 'open', artist_id = NULL, due_at = NULL, "  # noqa: S608 - text of our own
        f"delivery_sha256 = NULL, note = '', updated_at = :now WHERE {mine}",
        who,
    )
    for row in drawn:  # their cards name the person
        outbox.owe(
            tx,
            guild_id=guild_id,
            kind=PostKind.QUEST,
            subject_id=row["id"],
            dedupe_key=f"quest:{row['id']}:erased:{now.timestamp():.6f}",
            payload={"event": "erased"},
            now=now,
        )
    return {row["delivery_sha256"] for row in drawn} - {None}


def _rename(
    tx: sqlite3.Connection,
    table: str,
    column: Column,
    who: tuple[int, int],
    done: Counter[tuple[str, Fate]],
) -> None:
    """Take a person out of one column."""
    fate = FATES.get((table, column.name), Fate.ANONYMISED)
    where = f'WHERE guild_id = ? AND "{column.name}" = ?'
    delete = f'DELETE FROM "{table}" {where}'  # noqa: S608 - names from the schema
    if fate is Fate.DELETED:
        count = tx.execute(delete, who).rowcount
    else:
        value = "NULL" if fate is Fate.CLEARED else str(NOBODY)
        change = f'UPDATE OR IGNORE "{table}" SET "{column.name}" = {value} {where}'  # noqa: S608 - names from the schema
        count = tx.execute(change, who).rowcount
        # Two erased people cannot both be nobody where each may say one thing: the later goes.
        done[table, Fate.DELETED] += tx.execute(delete, who).rowcount
    done[table, fate] += count


def _redact(
    tx: sqlite3.Connection,
    tables: Mapping[str, Iterable[Column]],
    guild_id: int,
    member_id: int,
) -> None:
    """Replace the id where it stands in words, mentions and JSON."""
    tx.execute(
        "UPDATE job SET dedupe_key = 'erased:' || id WHERE guild_id = ? AND instr(dedupe_key, ?)",
        (guild_id, str(member_id)),
    )
    for table, columns in tables.items():
        for column in columns:
            if column.type == "TEXT":
                tx.execute(
                    f'UPDATE "{table}" SET "{column.name}" = replace("{column.name}", ?, ?) '  # noqa: S608 - names from the schema
                    f'WHERE guild_id = ? AND instr("{column.name}", ?)',
                    (str(member_id), str(NOBODY), guild_id, str(member_id)),
                )
