"""Panels: what was asked for and where it stands. Attempts are in :mod:`storage.attempts`."""

import sqlite3
from collections.abc import Set as AbstractSet

from pipeline.domain.errors import NotFound, WrongState
from pipeline.domain.panel import Panel, PanelBrief, PanelOrigin, PanelStatus
from storage.attempts import (
    add_attempt,
    candidates_of,
    get_candidate,
    label_candidates,
    panel_hashes,
    plan_of,
)
from storage.database import Database
from storage.records import (
    brief_from_json,
    brief_to_json,
    figures_from_json,
    figures_to_json,
    report_from_json,
    report_to_json,
)
from storage.times import Moment, from_text, to_text

__all__ = [
    "add_attempt",
    "brief_from_json",
    "brief_to_json",
    "candidates_of",
    "chapters_on_page",
    "choose_candidate",
    "create_panel",
    "figures_from_json",
    "figures_to_json",
    "get_candidate",
    "get_panel",
    "label_candidates",
    "list_panels",
    "open_voting",
    "panel_from_row",
    "panel_hashes",
    "plan_of",
    "report_from_json",
    "report_to_json",
    "set_status",
    "submission_of",
]

_LOST = frozenset({PanelStatus.REJECTED, PanelStatus.CANCELLED, PanelStatus.FAILED})


def create_panel(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    series_id: int,
    requester_id: int,
    origin: PanelOrigin,
    brief: PanelBrief,
    channel_id: int | None,
    submission_sha256: str | None,
    now: Moment,
) -> int:
    """Write down a request, queued; returns the panel's id.

    Raises:
        NotFound: the guild has no such series.
    """
    owned = tx.execute(
        "SELECT 1 FROM series WHERE id = ? AND guild_id = ?", (series_id, guild_id)
    ).fetchone()
    if owned is None:
        raise NotFound("That series is not here. Create one with /series create.")
    moment = to_text(now)
    row = tx.execute(
        "INSERT INTO panel (guild_id, series_id, requester_id, origin, status, brief, "
        "page_number, submission_sha256, channel_id, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            guild_id,
            series_id,
            requester_id,
            origin,
            brief_to_json(brief),
            brief.page,
            submission_sha256,
            channel_id,
            moment,
            moment,
        ),
    ).fetchone()
    return row["id"]


def set_status(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    panel_id: int,
    status: PanelStatus,
    expected: AbstractSet[PanelStatus] | None = None,
    failure: str | None = None,
    now: Moment,
) -> None:
    """Move a panel on.

    Args:
        tx: inside a write.
        guild_id: the tenant.
        panel_id: which panel.
        status: where it goes.
        expected: where it has to be now; None allows any.
        failure: a sentence for people, stored with it; None removes an earlier one.
        now: when.

    Raises:
        NotFound: the guild has no such panel.
        WrongState: it is in none of the expected states.
    """
    _require(tx, guild_id, panel_id, frozenset(PanelStatus) if expected is None else expected)
    tx.execute(
        "UPDATE panel SET status = ?, failure = ?, updated_at = ? WHERE id = ?",
        (status, failure, to_text(now), panel_id),
    )


def move_to_page(
    tx: sqlite3.Connection, *, guild_id: int, panel_id: int, page: int, now: Moment
) -> None:
    """Let an accepted panel belong to another page.

    Raises:
        NotFound: the guild has no such panel.
        WrongState: it is not accepted.
    """
    _require(tx, guild_id, panel_id, {PanelStatus.ACCEPTED})
    tx.execute(
        "UPDATE panel SET page_number = :page, brief = json_set(brief, '$.page', :page), "
        "updated_at = :now WHERE id = :panel",
        {"page": page, "now": to_text(now), "panel": panel_id},
    )


def choose_candidate(
    tx: sqlite3.Connection, *, guild_id: int, panel_id: int, candidate_id: int, now: Moment
) -> None:
    """Accept a panel with one of its candidates.

    Raises:
        NotFound: the guild has no such panel, or the panel no such candidate.
        WrongState: it was rejected, cancelled or failed before.
    """
    _require(tx, guild_id, panel_id, frozenset(PanelStatus) - _LOST)
    row = tx.execute(
        "UPDATE panel SET status = 'accepted', chosen_candidate = :candidate, failure = NULL, "
        "updated_at = :now WHERE id = :panel AND EXISTS (SELECT 1 FROM candidate "
        "WHERE candidate.id = :candidate AND candidate.panel_id = panel.id) RETURNING id",
        {"candidate": candidate_id, "now": to_text(now), "panel": panel_id},
    ).fetchone()
    if row is None:
        raise NotFound(f"Panel {panel_id} has no such alternate.")


def open_voting(
    tx: sqlite3.Connection, *, guild_id: int, panel_id: int, closes_at: Moment, now: Moment
) -> None:
    """Let people vote on the labelled candidates until ``closes_at``.

    Raises:
        NotFound: the guild has no such panel.
        WrongState: it has an outcome already.
    """
    _require(tx, guild_id, panel_id, frozenset(PanelStatus) - _LOST - {PanelStatus.ACCEPTED})
    tx.execute(
        "UPDATE panel SET status = 'voting', voting_closes_at = ?, updated_at = ? WHERE id = ?",
        (to_text(closes_at), to_text(now), panel_id),
    )


def status_in(tx: sqlite3.Connection, guild_id: int, panel_id: int) -> PanelStatus:
    """Where a panel stands, inside a write.

    Raises:
        NotFound: the guild has no such panel.
    """
    row = tx.execute(
        "SELECT status FROM panel WHERE id = ? AND guild_id = ?", (panel_id, guild_id)
    ).fetchone()
    if row is None:
        raise _missing(panel_id)
    return PanelStatus(row["status"])


async def get_panel(db: Database, guild_id: int, panel_id: int) -> Panel:
    """One panel.

    Raises:
        NotFound: the guild has none with this id.
    """
    row = await db.fetch_one(
        "SELECT * FROM panel WHERE id = ? AND guild_id = ?", (panel_id, guild_id)
    )
    if row is None:
        raise _missing(panel_id)
    return panel_from_row(row)


async def list_panels(
    db: Database,
    guild_id: int,
    *,
    page: int | None = None,
    status: PanelStatus | None = None,
    series_id: int | None = None,
    limit: int = 100,
) -> list[Panel]:
    """The newest ``limit`` panels that fit, oldest first (the order in which a page is told)."""
    rows = await db.fetch_all(
        "SELECT * FROM panel WHERE guild_id = :guild AND (:page IS NULL OR page_number = :page) "
        "AND (:status IS NULL OR status = :status) "
        "AND (:series IS NULL OR series_id = :series) ORDER BY id DESC LIMIT :limit",
        {"guild": guild_id, "page": page, "status": status, "series": series_id, "limit": limit},
    )
    return [panel_from_row(row) for row in reversed(rows)]


async def suggest_panels(db: Database, guild_id: int, prefix: str, limit: int = 25) -> list[Panel]:
    """The newest panels whose number begins with the text, or whose cast or prompt holds it."""
    rows = await db.fetch_all(
        "SELECT * FROM panel WHERE guild_id = :guild AND (:text = '' "
        "OR instr(id, :text) = 1 OR instr(lower(json_extract(brief, '$.prompt')), :text) "
        "OR instr(lower(json_extract(brief, '$.cast')), :text)) ORDER BY id DESC LIMIT :limit",
        {"guild": guild_id, "text": prefix.strip().lower(), "limit": limit},
    )
    return [panel_from_row(row) for row in rows]


async def chapters_on_page(db: Database, guild_id: int, series_id: int, page: int) -> list[int]:
    """The chapters in which the panels of a page play, the most frequent first, then the lower."""
    rows = await db.fetch_all(
        "SELECT json_extract(brief, '$.chapter') AS chapter FROM panel WHERE guild_id = ? "
        "AND series_id = ? AND page_number = ? AND status NOT IN ('rejected', 'cancelled', "
        "'failed') AND chapter IS NOT NULL GROUP BY chapter ORDER BY count(*) DESC, chapter",
        (guild_id, series_id, page),
    )
    return [row["chapter"] for row in rows]


async def submission_of(db: Database, guild_id: int, panel_id: int) -> str | None:
    """The sha256 of the drawing that a person submitted, or None for a generated panel.

    Raises:
        NotFound: the guild has no such panel.
    """
    row = await db.fetch_one(
        "SELECT submission_sha256 FROM panel WHERE id = ? AND guild_id = ?", (panel_id, guild_id)
    )
    if row is None:
        raise _missing(panel_id)
    return row["submission_sha256"]


def panel_from_row(row: sqlite3.Row) -> Panel:
    """A row of the table as the domain's value."""
    return Panel(
        id=row["id"],
        guild_id=row["guild_id"],
        series_id=row["series_id"],
        requester_id=row["requester_id"],
        origin=PanelOrigin(row["origin"]),
        status=PanelStatus(row["status"]),
        brief=brief_from_json(row["brief"]),
        channel_id=row["channel_id"],
        chosen_candidate=row["chosen_candidate"],
        voting_closes_at=from_text(row["voting_closes_at"]),
        failure=row["failure"],
        created_at=from_text(row["created_at"]),
        updated_at=from_text(row["updated_at"]),
    )


def _require(
    tx: sqlite3.Connection, guild_id: int, panel_id: int, allowed: AbstractSet[PanelStatus]
) -> None:
    status = status_in(tx, guild_id, panel_id)
    if status not in allowed:
        raise WrongState(f"Panel {panel_id} is {status} already. See /panel status.")


def _missing(panel_id: int) -> NotFound:
    return NotFound(f"There is no panel {panel_id} here. See /panel status.")
