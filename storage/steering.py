"""How people steer the queue: a series pauses, a panel goes first, the whole machine rests.

A held job waits like any other, but counters and turns do not know it: while its series pauses
others are served as if it were not there, and it takes its fair place again afterwards.
"""

import sqlite3

from pipeline.domain.errors import NotFound, WrongState
from storage.affinity import FAIR_TURN
from storage.database import Database
from storage.guilds import get_setting
from storage.times import Moment, to_text

_HOST = "queue_paused"
IS_PAUSED = (
    "(SELECT series.paused_at IS NOT NULL FROM panel JOIN series ON series.id = panel.series_id "
    "WHERE panel.id = ?)"
)
"""Whether the series of a panel pauses, as an expression with the panel's id as its parameter."""
OF_JOB = IS_PAUSED.replace("?", "job.panel_id")
"""The same, inside of an UPDATE of jobs."""

_FRONT = f"""{FAIR_TURN}
SELECT id FROM job WHERE status = 'queued' AND held = 0 AND front > 0
AND guild_id = (SELECT guild_id FROM next_guild) ORDER BY front DESC, id LIMIT 1
"""  # noqa: S608 - our own constants


def pause_series(
    tx: sqlite3.Connection, *, guild_id: int, series_id: int, reason: str, now: Moment
) -> int:
    """Hold what waits of a series; what is being drawn is finished. Returns how many are held.

    Raises:
        NotFound: the guild has no such series.
        WrongState: it pauses already.
    """
    _require(tx, guild_id, series_id, paused=False)
    tx.execute(
        "UPDATE series SET paused_at = ?, pause_reason = ? WHERE id = ?",
        (to_text(now), reason, series_id),
    )
    return _hold(tx, series_id, held=True)


def resume_series(tx: sqlite3.Connection, *, guild_id: int, series_id: int) -> int:
    """Let a series go on; returns how many jobs wait for their turn again.

    Raises:
        NotFound: the guild has no such series.
        WrongState: it does not pause.
    """
    _require(tx, guild_id, series_id, paused=True)
    tx.execute("UPDATE series SET paused_at = NULL, pause_reason = '' WHERE id = ?", (series_id,))
    return _hold(tx, series_id, held=False)


def hold_again(tx: sqlite3.Connection, *, guild_id: int) -> None:
    """Hold what waits of a guild's paused series, after rows were brought in from elsewhere."""
    tx.execute(
        f"UPDATE job SET held = 1 WHERE guild_id = ? AND status = 'queued' AND {OF_JOB}",  # noqa: S608 - our own
        (guild_id,),
    )


def move(tx: sqlite3.Connection, *, guild_id: int, panel_id: int, first: bool) -> None:
    """Let a waiting panel go before all others of its guild, or give it back its fair turn.

    Of several the one that was moved last goes first.

    Raises:
        WrongState: nothing of the panel waits in this guild.
    """
    front = 0
    if first:
        front = tx.execute(
            "SELECT coalesce(max(front), 0) + 1 FROM job WHERE guild_id = ? "
            "AND status = 'queued' AND held = 0 AND front > 0",
            (guild_id,),
        ).fetchone()[0]
    # what was expected when it was asked for says nothing any more
    moved = tx.execute(
        "UPDATE job SET front = ?, expected_seconds = NULL WHERE guild_id = ? AND panel_id = ? "
        "AND status = 'queued'",
        (front, guild_id, panel_id),
    ).rowcount
    if not moved:
        raise WrongState(f"Panel {panel_id} does not wait in the queue. See /queue show.")


def put_in_front(tx: sqlite3.Connection) -> int | None:
    """What goes first in the guild whose turn it is; None where the fair order holds."""
    row = tx.execute(_FRONT).fetchone()
    return None if row is None else row["id"]


def pause_host(tx: sqlite3.Connection, reason: str) -> None:
    """Let no job begin, in any guild, until :func:`resume_host`."""
    tx.execute(
        "INSERT INTO setting (key, value) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (_HOST, reason),
    )


def resume_host(tx: sqlite3.Connection) -> bool:
    """Let jobs begin again; False if they might all the time."""
    return tx.execute("DELETE FROM setting WHERE key = ?", (_HOST,)).rowcount > 0


def is_host_paused(tx: sqlite3.Connection) -> bool:
    """Whether the host lets no job begin."""
    return tx.execute("SELECT 1 FROM setting WHERE key = ?", (_HOST,)).fetchone() is not None


async def host_pause(db: Database) -> str | None:
    """Why the host lets no job begin; None if jobs may."""
    return await get_setting(db, _HOST)


def _require(tx: sqlite3.Connection, guild_id: int, series_id: int, *, paused: bool) -> None:
    row = tx.execute(
        "SELECT paused_at FROM series WHERE id = ? AND guild_id = ?", (series_id, guild_id)
    ).fetchone()
    if row is None:
        raise NotFound("There is no series yet. Create one with /series create.")
    if paused and row["paused_at"] is None:
        raise WrongState("The queue does not pause. /queue pause lets it.")
    if not paused and row["paused_at"] is not None:
        raise WrongState("The queue pauses already. /queue resume lets it go on.")


def _hold(tx: sqlite3.Connection, series_id: int, *, held: bool) -> int:
    return tx.execute(
        "UPDATE job SET held = ?, expected_seconds = NULL WHERE status = 'queued' AND held <> ? "
        "AND panel_id IN (SELECT id FROM panel WHERE series_id = ?)",
        (held, held, series_id),
    ).rowcount
