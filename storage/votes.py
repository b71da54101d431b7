"""Votes: one per person and panel, changeable while the vote is open."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from pipeline.domain.errors import NotFound, WrongState
from pipeline.domain.panel import Panel, PanelStatus
from pipeline.domain.review import Tally
from storage.database import Database
from storage.panels import panel_from_row
from storage.times import Moment, to_text

# The leader comes first: most votes, then the larger margin of the check, then the lower label.
_COUNT = (
    "SELECT c.id, count(v.member_id) AS votes FROM candidate AS c "
    "LEFT JOIN vote AS v ON v.panel_id = c.panel_id AND v.candidate_id = c.id "
    "WHERE c.panel_id = :panel AND c.label IS NOT NULL "
    "AND (:guild IS NULL OR c.guild_id = :guild) GROUP BY c.id "
    "ORDER BY votes DESC, json_extract(c.report, '$.margin') DESC NULLS LAST, c.label"
)


def cast_vote(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    panel_id: int,
    member_id: int,
    candidate_id: int,
    now: Moment,
) -> None:
    """Vote for an alternate, or change one's vote.

    Raises:
        NotFound: the guild has no such panel, or the panel no such labelled candidate.
        WrongState: the vote is not open (any more).
    """
    panel = tx.execute(
        "SELECT status FROM panel WHERE id = ? AND guild_id = ?", (panel_id, guild_id)
    ).fetchone()
    if panel is None:
        raise NotFound(f"There is no panel {panel_id} here. See /panel status.")
    if panel["status"] != PanelStatus.VOTING:
        raise WrongState(f"The vote on panel {panel_id} is closed; see the result in its card.")
    candidate = tx.execute(
        "SELECT 1 FROM candidate WHERE id = ? AND panel_id = ? AND label IS NOT NULL",
        (candidate_id, panel_id),
    ).fetchone()
    if candidate is None:
        raise NotFound(f"Panel {panel_id} has no such alternate; use the buttons of its card.")
    tx.execute(
        "INSERT INTO vote (guild_id, panel_id, member_id, candidate_id, cast_at) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (panel_id, member_id) DO UPDATE SET "
        "candidate_id = excluded.candidate_id, cast_at = excluded.cast_at",
        (guild_id, panel_id, member_id, candidate_id, to_text(now)),
    )


def count_in(tx: sqlite3.Connection, panel_id: int) -> Tally:
    """The tally inside a transaction, so that a vote is closed with exactly what it counts."""
    return _tally(panel_id, tx.execute(_COUNT, {"panel": panel_id, "guild": None}).fetchall())


async def tally(db: Database, guild_id: int, panel_id: int) -> Tally:
    """How the vote on a panel stands: every labelled candidate, also those without votes.

    With no votes at all, the one with the largest margin leads. Empty if the guild has no such
    panel.
    """
    return _tally(panel_id, await db.fetch_all(_COUNT, {"panel": panel_id, "guild": guild_id}))


def vote_of(tx: sqlite3.Connection, panel_id: int, member_id: int) -> int | None:
    """Which candidate a person voted for, or None."""
    row = tx.execute(
        "SELECT candidate_id FROM vote WHERE panel_id = ? AND member_id = ?", (panel_id, member_id)
    ).fetchone()
    return None if row is None else row["candidate_id"]


def extend(
    tx: sqlite3.Connection, *, guild_id: int, panel_id: int, closes_at: Moment, now: Moment
) -> bool:
    """Let a vote go on until ``closes_at``; False if that was done before or it is not open."""
    return (
        tx.execute(
            "UPDATE panel SET voting_closes_at = ?, vote_extended = 1, updated_at = ? "
            "WHERE id = ? AND guild_id = ? AND status = 'voting' AND vote_extended = 0",
            (to_text(closes_at), to_text(now), panel_id, guild_id),
        ).rowcount
        > 0
    )


async def due_votes(db: Database, now: datetime) -> list[Panel]:
    """The panels of all guilds whose vote has run out, the most overdue first."""
    rows = await db.fetch_all(
        "SELECT * FROM panel WHERE status = 'voting' AND voting_closes_at <= ? "
        "ORDER BY voting_closes_at, id",
        (to_text(now),),
    )
    return [panel_from_row(row) for row in rows]


def _tally(panel_id: int, rows: Sequence[sqlite3.Row]) -> Tally:
    counts = {row["id"]: row["votes"] for row in rows}
    return Tally(
        panel_id=panel_id,
        counts=counts,
        leader=next(iter(counts), None),
        voters=sum(counts.values()),
    )
