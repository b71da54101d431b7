"""The log that the drift watch reads, and the alarms that it raised."""

import sqlite3

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import NotFound
from pipeline.domain.review import DriftAlarm, LoggedSample
from storage.database import Database
from storage.times import Moment, from_text, to_text

# One picture of each panel, the best. What people have not decided about is not told yet, and what
# they sent back is not part of the comic.
_LOG = (
    "SELECT s.*, json_extract(p.brief, '$.page') AS page, a.copy_score "
    "FROM drift_sample AS s JOIN panel AS p ON p.id = s.panel_id "
    "JOIN candidate AS c ON c.id = s.candidate_id JOIN attempt AS a ON a.id = c.attempt_id "
    "WHERE s.guild_id = :guild AND s.character_id = :character AND s.appearance_id = :look "
    "AND s.best AND p.status IN ('voting', 'accepted') AND s.id >= :since "
    "AND coalesce((SELECT r.status FROM review AS r WHERE r.candidate_id = s.candidate_id "
    "ORDER BY r.id DESC LIMIT 1), 'approved') = 'approved' "
    "AND (s.encoders, s.looks, s.color_mode) = ("
    "SELECT t.encoders, t.looks, t.color_mode FROM drift_sample AS t "
    "WHERE t.guild_id = :guild AND t.character_id = :character AND t.appearance_id = :look "
    "AND t.best ORDER BY t.id DESC LIMIT 1) ORDER BY s.id DESC LIMIT :last"
)
_ALARM = (
    "SELECT a.*, s.panel_id FROM drift_alarm AS a JOIN drift_sample AS s ON s.id = a.sample_id "
)


def log_of(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    character_id: str,
    appearance_id: str,
    since: int = 0,
    last: int = 200,
) -> list[LoggedSample]:
    """The similarities of one look, oldest first, as far as they can be compared with the newest.

    Args:
        tx: inside a write.
        guild_id: the tenant.
        character_id: whose.
        appearance_id: in which look.
        since: leave out samples before this one.
        last: at most so many.
    """
    rows = tx.execute(_LOG, _asked(guild_id, character_id, appearance_id, since, last)).fetchall()
    return [_sample(row) for row in reversed(rows)]


async def drift_log(
    db: Database, guild_id: int, character_id: str, appearance_id: str, last: int = 100
) -> list[LoggedSample]:
    """As :func:`log_of`, for a report."""
    rows = await db.fetch_all(_LOG, _asked(guild_id, character_id, appearance_id, 0, last))
    return [_sample(row) for row in reversed(rows)]


async def logged_looks(db: Database, guild_id: int) -> list[tuple[str, str]]:
    """The characters and looks of which there is a log, most pictures first."""
    rows = await db.fetch_all(
        "SELECT character_id, appearance_id, count(*) AS n FROM drift_sample "
        "WHERE guild_id = ? AND best "
        "GROUP BY character_id, appearance_id ORDER BY n DESC, character_id, appearance_id",
        (guild_id,),
    )
    return [(row["character_id"], row["appearance_id"]) for row in rows]


def looks_on(tx: sqlite3.Connection, *, guild_id: int, panel_id: int) -> list[tuple[str, str]]:
    """Who is on a panel, in which look."""
    rows = tx.execute(
        "SELECT DISTINCT character_id, appearance_id FROM drift_sample "
        "WHERE guild_id = ? AND panel_id = ? AND best",
        (guild_id, panel_id),
    ).fetchall()
    return [(row["character_id"], row["appearance_id"]) for row in rows]


def plan_of_sample(
    tx: sqlite3.Connection, *, guild_id: int, sample_id: int
) -> ConditioningPlan | None:
    """The recipe of a sample's picture; None for a person's own drawing.

    Raises:
        NotFound: the guild has no such sample.
    """
    row = tx.execute(
        "SELECT a.plan FROM drift_sample AS s JOIN candidate AS c ON c.id = s.candidate_id "
        "JOIN attempt AS a ON a.id = c.attempt_id WHERE s.id = ? AND s.guild_id = ?",
        (sample_id, guild_id),
    ).fetchone()
    if row is None:
        raise NotFound("There is no such picture in the log.")
    return None if row["plan"] is None else ConditioningPlan.from_json(row["plan"])


def last_alarm_since(
    tx: sqlite3.Connection, *, guild_id: int, character_id: str, appearance_id: str
) -> int:
    """The first sample after the last change that was reported; 0 where none was."""
    row = tx.execute(
        "SELECT max(since_sample) AS since FROM drift_alarm "
        "WHERE guild_id = ? AND character_id = ? AND appearance_id = ?",
        (guild_id, character_id, appearance_id),
    ).fetchone()
    return row["since"] or 0


def add_alarm(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    at: LoggedSample,
    since: LoggedSample,
    watcher: str,
    before: float,
    after: float,
    cause: str,
    now: Moment,
) -> int | None:
    """Remember an alarm; returns its id, or None where this sample raised one before."""
    row = tx.execute(
        "INSERT INTO drift_alarm (guild_id, character_id, appearance_id, sample_id, since_sample, "
        "watcher, similarity_before, similarity_after, cause, created_at) "
        "SELECT guild_id, character_id, appearance_id, id, ?, ?, ?, ?, ?, ? "
        "FROM drift_sample WHERE id = ? AND guild_id = ? ON CONFLICT DO NOTHING RETURNING id",
        (since.id, watcher, before, after, cause, to_text(now), at.id, guild_id),
    ).fetchone()
    return None if row is None else row["id"]


async def get_alarm(db: Database, guild_id: int, alarm_id: int) -> DriftAlarm:
    """One alarm.

    Raises:
        NotFound: the guild has no such alarm.
    """
    row = await db.fetch_one(_ALARM + "WHERE a.guild_id = ? AND a.id = ?", (guild_id, alarm_id))
    if row is None:
        raise NotFound("There is no such drift alarm here. See /drift report.")
    return _alarm(row)


async def alarms(
    db: Database, guild_id: int, character_id: str | None = None, last: int = 20
) -> list[DriftAlarm]:
    """The last alarms of a character, or of the whole cast, oldest first."""
    rows = await db.fetch_all(
        _ALARM + "WHERE a.guild_id = :guild "
        "AND (:character IS NULL OR a.character_id = :character) ORDER BY a.id DESC LIMIT :last",
        {"guild": guild_id, "character": character_id, "last": last},
    )
    return [_alarm(row) for row in reversed(rows)]


def _asked(guild: int, character: str, look: str, since: int, last: int) -> dict[str, object]:
    return {"guild": guild, "character": character, "look": look, "since": since, "last": last}


def _sample(row: sqlite3.Row) -> LoggedSample:
    return LoggedSample(
        id=row["id"],
        panel_id=row["panel_id"],
        page=row["page"],
        similarity=row["similarity"],
        threshold=row["threshold"],
        copy_score=row["copy_score"],
    )


def _alarm(row: sqlite3.Row) -> DriftAlarm:
    return DriftAlarm(
        id=row["id"],
        guild_id=row["guild_id"],
        character_id=row["character_id"],
        appearance_id=row["appearance_id"],
        sample_id=row["sample_id"],
        since_sample=row["since_sample"],
        panel_id=row["panel_id"],
        watcher=row["watcher"],
        before=row["similarity_before"],
        after=row["similarity_after"],
        cause=row["cause"],
        at=from_text(row["created_at"]),
    )
