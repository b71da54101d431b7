"""What a member has used of the studio, and what a series lets its members use."""

import json
import sqlite3
import statistics
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pipeline.domain.errors import NotFound
from storage.database import Database
from storage.times import Moment, from_text, to_text

UNMEASURED = 10.0
"""Seconds that a waiting panel is taken for before any was drawn."""

# Further tries that a moderator asked for (strength above 0) are nobody's to pay.
_JOBS = (
    "FROM job WHERE guild_id = :guild AND member_id = :member AND kind <> 'submission' "
    "AND strength = 0"
)
_REQUESTS = (
    "SELECT created_at FROM panel WHERE guild_id = :guild AND requester_id = :member "
    "AND created_at > :since ORDER BY created_at"
)
_DRAWN = (
    f"SELECT finished_at, seconds {_JOBS} AND finished_at > :since AND seconds > 0 "
    "ORDER BY finished_at"
)
_LIVE = f"SELECT count(*) AS n {_JOBS} AND status IN ('queued', 'running')"
_LATEST = (
    "SELECT seconds FROM job WHERE status = 'done' AND seconds IS NOT NULL "
    "ORDER BY finished_at DESC LIMIT 20"
)
_ROLE = (
    "SELECT max(gpu_seconds) AS most FROM role_quota WHERE guild_id = :guild "
    "AND series_id = :series AND role_id IN (SELECT value FROM json_each(:roles))"
)
_SERIES = "SELECT quota, gpu_seconds, cooldown FROM series WHERE id = :series AND guild_id = :guild"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a member may use in 24 hours, and how many seconds lie between two requests.

    ``seconds`` are the engine's, None for no limit.
    """

    panels: int
    seconds: float | None
    cooldown: int


@dataclass(frozen=True, slots=True)
class Use:
    """What a member has used since a moment.

    ``requests`` is when they asked for panels, ``drawn`` when the engine was done with one and
    how many seconds that took, both oldest first. ``held`` are the seconds that what waits or
    runs will probably take.
    """

    requests: tuple[datetime, ...]
    drawn: tuple[tuple[datetime, float], ...]
    held: float

    @property
    def seconds(self) -> float:
        """Of the engine, used up or held."""
        return self.held + sum(seconds for _, seconds in self.drawn)


def use_in(tx: sqlite3.Connection, *, guild_id: int, member_id: int, since: Moment) -> Use:
    """What a member has used; inside the write that decides about one more."""
    told = {"guild": guild_id, "member": member_id, "since": to_text(since)}
    latest = [row["seconds"] for row in tx.execute(_LATEST)]
    each = statistics.median(latest) if latest else UNMEASURED
    return Use(
        tuple(from_text(row["created_at"]) for row in tx.execute(_REQUESTS, told)),
        tuple((from_text(r["finished_at"]), r["seconds"]) for r in tx.execute(_DRAWN, told)),
        tx.execute(_LIVE, told).fetchone()["n"] * each,
    )


def rules_in(
    tx: sqlite3.Connection, *, guild_id: int, series_id: int, roles: Collection[int]
) -> Rules:
    """What somebody with these roles may use.

    Of the engine's time it is the most that a role gives, else what the series gives everybody.

    Raises:
        NotFound: the guild has no such series.
    """
    told = {"guild": guild_id, "series": series_id, "roles": json.dumps(sorted(roles))}
    row = tx.execute(_SERIES, told).fetchone()
    if row is None:
        raise NotFound("That series is not here. Create one with /series create.")
    most = tx.execute(_ROLE, told).fetchone()["most"]
    return Rules(row["quota"], row["gpu_seconds"] if most is None else most, row["cooldown"])


def put_role_quota(
    tx: sqlite3.Connection, *, guild_id: int, series_id: int, role_id: int, gpu_seconds: int | None
) -> None:
    """Say what a role may use of the engine in 24 hours; None gives it what everybody has."""
    tx.execute(
        "DELETE FROM role_quota WHERE guild_id = ? AND series_id = ? AND role_id = ?",
        (guild_id, series_id, role_id),
    )
    if gpu_seconds is not None:
        tx.execute(
            "INSERT INTO role_quota (guild_id, series_id, role_id, gpu_seconds) "
            "VALUES (?, ?, ?, ?)",
            (guild_id, series_id, role_id, gpu_seconds),
        )


def forget_place(tx: sqlite3.Connection, *, guild_id: int, number: int) -> None:
    """Forget what was said for a role or a channel that is no longer there."""
    tx.execute("DELETE FROM role_quota WHERE guild_id = ? AND role_id = ?", (guild_id, number))
    tx.execute(
        "DELETE FROM channel_default WHERE guild_id = ? AND channel_id = ?", (guild_id, number)
    )


async def role_quotas(db: Database, guild_id: int, series_id: int) -> list[tuple[int, int]]:
    """The roles of a series that have a quota of their own and its seconds, the largest first."""
    rows = await db.fetch_all(
        "SELECT role_id, gpu_seconds FROM role_quota WHERE guild_id = ? AND series_id = ? "
        "ORDER BY gpu_seconds DESC, role_id",
        (guild_id, series_id),
    )
    return [(row["role_id"], row["gpu_seconds"]) for row in rows]
