"""Reference quests, and what past panels tell about the pictures that are lacking."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.domain.character import ShotType
from pipeline.domain.errors import AlreadyExists, NotFound
from pipeline.domain.panel import PanelBrief
from pipeline.domain.quality import Verdict
from pipeline.domain.quest import Quest, QuestStatus, View
from pipeline.domain.vocabulary import Expression
from storage.database import Database
from storage.records import brief_from_json, to_json
from storage.times import Moment, from_text, to_text

_QUEST = (
    "SELECT q.*, a.appearance_id, c.character_id, c.name FROM quest AS q "
    "JOIN appearance AS a ON a.id = q.appearance_row "
    "JOIN character AS c ON c.id = a.character_row "
)
_ALIVE = "('open', 'taken', 'delivered')"


@dataclass(frozen=True, slots=True)
class PanelTries:
    """A drawn panel: its brief, when it was asked for, and the verdicts of each of its tries.

    ``tries`` holds for each attempt the verdicts of its candidates by ``appearance_id``.
    """

    panel_id: int
    brief: PanelBrief
    created_at: datetime
    tries: tuple[tuple[Mapping[str, Verdict], ...], ...]


def add_quest(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    appearance_row: int,
    view: View,
    saving: float,
    basis: Mapping[str, float],
    posted_by: int,
    channel_id: int | None,
    now: Moment,
) -> int:
    """Ask for a picture; returns the row id.

    Raises:
        NotFound: the guild has no such look.
        AlreadyExists: it is asked for already.
    """
    owned = tx.execute(
        "SELECT 1 FROM appearance WHERE id = ? AND guild_id = ?", (appearance_row, guild_id)
    ).fetchone()
    if owned is None:
        raise NotFound("That appearance is not registered here. See /character sheet.")
    moment = to_text(now)
    row = tx.execute(
        "INSERT INTO quest (guild_id, appearance_row, shot_type, angle, expression, saving, basis, "
        "status, posted_by, channel_id, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
        (
            guild_id, appearance_row, view.shot_type, view.angle, view.expression or "", saving,
            to_json(dict(basis)), posted_by, channel_id, moment, moment,
        ),
    ).fetchone()  # fmt: skip
    if row is None:
        raise AlreadyExists("This picture is asked for already. See /character quests.")
    return row["id"]


def take_quest(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    quest_id: int,
    artist_id: int,
    due_at: Moment,
    now: Moment,
) -> bool:
    """Let an artist have an open quest until ``due_at``; False if it is open no more."""
    return _step(
        tx,
        "status = 'taken', artist_id = :who, due_at = :due, note = ''",
        "status = 'open'",
        {
            "guild": guild_id,
            "id": quest_id,
            "who": artist_id,
            "due": to_text(due_at),
            "now": to_text(now),
        },
    )


def return_quest(
    tx: sqlite3.Connection, *, guild_id: int, quest_id: int, artist_id: int, now: Moment
) -> bool:
    """Open a quest again that an artist has taken and not delivered."""
    return _step(
        tx,
        "status = 'open', artist_id = NULL, due_at = NULL",
        "status = 'taken' AND artist_id = :who",
        {"guild": guild_id, "id": quest_id, "who": artist_id, "now": to_text(now)},
    )


def deliver_quest(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    quest_id: int,
    artist_id: int,
    sha256: str,
    now: Moment,
) -> bool:
    """Note the picture that waits for a decision; it has no due date any more."""
    return _step(
        tx,
        "status = 'delivered', delivery_sha256 = :sha, due_at = NULL",
        "status = 'taken' AND artist_id = :who",
        {"guild": guild_id, "id": quest_id, "who": artist_id, "sha": sha256, "now": to_text(now)},
    )


def accept_quest(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    quest_id: int,
    reference_id: int,
    decided_by: int,
    sha256: str,
    now: Moment,
) -> bool:
    """The delivered picture ``sha256`` became a reference; the artist is credited."""
    return _step(
        tx,
        "status = 'accepted', delivery_sha256 = NULL, reference_id = :reference, "
        "decided_by = :who, note = ''",
        "status = 'delivered' AND delivery_sha256 = :sha",
        {
            "guild": guild_id, "id": quest_id, "reference": reference_id, "who": decided_by,
            "sha": sha256, "now": to_text(now),
        },
    )  # fmt: skip


def send_back(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    quest_id: int,
    decided_by: int,
    note: str,
    due_at: Moment,
    now: Moment,
) -> str | None:
    """Give a delivered quest back to its artist; returns the picture that is named no more."""
    row = tx.execute(
        "SELECT delivery_sha256 FROM quest WHERE id = ? AND guild_id = ? AND status = 'delivered'",
        (quest_id, guild_id),
    ).fetchone()
    if row is None:
        return None
    _step(
        tx,
        "status = 'taken', delivery_sha256 = NULL, decided_by = :who, note = :note, due_at = :due",
        "status = 'delivered'",
        {
            "guild": guild_id, "id": quest_id, "who": decided_by, "note": note,
            "due": to_text(due_at), "now": to_text(now),
        },
    )  # fmt: skip
    return row["delivery_sha256"]


def close_quest(
    tx: sqlite3.Connection, *, guild_id: int, quest_id: int, decided_by: int, now: Moment
) -> bool:
    """Ask for it no more; one that is delivered has to be decided first."""
    return _step(
        tx,
        "status = 'closed', due_at = NULL, decided_by = :who",
        "status IN ('open', 'taken')",
        {"guild": guild_id, "id": quest_id, "who": decided_by, "now": to_text(now)},
    )


def return_overdue(tx: sqlite3.Connection, *, now: Moment) -> list[tuple[int, int]]:
    """Open quests again whose artist let the time pass, in all guilds: (guild, quest)."""
    rows = tx.execute(
        "UPDATE quest SET status = 'open', artist_id = NULL, due_at = NULL, note = '', "
        "updated_at = :now WHERE status = 'taken' AND due_at IS NOT NULL AND due_at <= :now "
        "RETURNING guild_id, id",
        {"now": to_text(now)},
    ).fetchall()
    return [(row["guild_id"], row["id"]) for row in rows]


async def get_quest(db: Database, guild_id: int, quest_id: int) -> Quest:
    """One quest.

    Raises:
        NotFound: the guild has no such quest.
    """
    row = await db.fetch_one(_QUEST + "WHERE q.id = ? AND q.guild_id = ?", (quest_id, guild_id))
    if row is None:
        raise NotFound("There is no such quest here any more. See /character quests.")
    return _quest(row)


async def list_quests(
    db: Database, guild_id: int, character_row: int | None = None, limit: int = 50
) -> list[Quest]:
    """The quests that are alive, the most saving first."""
    rows = await db.fetch_all(
        _QUEST + "WHERE q.guild_id = :guild AND (:row IS NULL OR c.id = :row) "
        f"AND q.status IN {_ALIVE} ORDER BY q.saving DESC, q.id LIMIT :limit",
        {"guild": guild_id, "row": character_row, "limit": limit},
    )
    return [_quest(row) for row in rows]


async def quest_credits(db: Database, guild_id: int, character_row: int) -> dict[int, int]:
    """How many accepted quests of a character each artist is credited with, most first."""
    rows = await db.fetch_all(
        "SELECT q.artist_id, count(*) AS n FROM quest AS q "
        "JOIN appearance AS a ON a.id = q.appearance_row "
        "WHERE q.guild_id = ? AND a.character_row = ? AND q.status = 'accepted' "
        "GROUP BY q.artist_id ORDER BY n DESC, q.artist_id",
        (guild_id, character_row),
    )
    return {row["artist_id"]: row["n"] for row in rows}


async def panel_tries(
    db: Database, guild_id: int, since: datetime, limit: int = 500
) -> list[PanelTries]:
    """The newest panels that were drawn since a moment, with the verdicts of all their tries."""
    rows = await db.fetch_all(
        "WITH chosen AS (SELECT id, brief, created_at FROM panel WHERE guild_id = :guild "
        "AND origin = 'generated' AND created_at > :since ORDER BY id DESC LIMIT :limit) "
        "SELECT p.id, p.brief, p.created_at, a.id AS attempt, c.id AS candidate, "
        "json_extract(one.value, '$.appearance_id') AS look, "
        "json_extract(one.value, '$.verdict') AS verdict "
        "FROM chosen AS p JOIN attempt AS a ON a.panel_id = p.id "
        "JOIN candidate AS c ON c.attempt_id = a.id, json_each(c.report, '$.checks') AS one "
        "ORDER BY p.id, a.id, c.id",
        {"guild": guild_id, "since": to_text(since), "limit": limit},
    )
    panels: dict[int, sqlite3.Row] = {}
    tries: dict[int, dict[int, dict[int, dict[str, Verdict]]]] = {}
    for row in rows:
        panels[row["id"]] = row
        attempts = tries.setdefault(row["id"], {})
        seen = attempts.setdefault(row["attempt"], {}).setdefault(row["candidate"], {})
        seen[row["look"]] = Verdict(row["verdict"])
    return [
        PanelTries(
            number,
            brief_from_json(row["brief"]),
            from_text(row["created_at"]),
            tuple(tuple(candidates.values()) for candidates in tries[number].values()),
        )
        for number, row in panels.items()
    ]


def _step(tx: sqlite3.Connection, change: str, where: str, told: Mapping[str, object]) -> bool:
    row = tx.execute(
        f"UPDATE quest SET {change}, updated_at = :now "  # noqa: S608 - text of our own
        f"WHERE id = :id AND guild_id = :guild AND {where} RETURNING id",
        told,
    ).fetchone()
    return row is not None


def _quest(row: sqlite3.Row) -> Quest:
    expression = Expression(row["expression"]) if row["expression"] else None
    return Quest(
        id=row["id"],
        guild_id=row["guild_id"],
        appearance_row=row["appearance_row"],
        appearance_id=row["appearance_id"],
        character_id=row["character_id"],
        character_name=row["name"],
        view=View(ShotType(row["shot_type"]), row["angle"], expression),
        saving=row["saving"],
        basis=json.loads(row["basis"]),
        status=QuestStatus(row["status"]),
        posted_by=row["posted_by"],
        artist_id=row["artist_id"],
        due_at=from_text(row["due_at"]) if row["due_at"] else None,
        delivery_sha256=row["delivery_sha256"],
        reference_id=row["reference_id"],
        decided_by=row["decided_by"],
        note=row["note"],
        channel_id=row["channel_id"],
        created_at=from_text(row["created_at"]),
        updated_at=from_text(row["updated_at"]),
    )
