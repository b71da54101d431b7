"""Attempts of a panel and the candidates that they drew."""

import json
import sqlite3
from collections.abc import Collection, Sequence

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import NotFound
from pipeline.domain.fingerprint import PictureHashes
from pipeline.domain.panel import ALTERNATE_LABELS
from pipeline.domain.quality import Attempt
from pipeline.domain.review import StoredCandidate
from storage.database import Database
from storage.lessons import learn_from
from storage.previews import add_watched
from storage.records import (
    figures_to_json,
    hashes_from_row,
    hashes_to_columns,
    report_from_json,
    report_to_json,
)
from storage.taste import add_traits
from storage.times import Moment, to_text

_CANDIDATE = (
    "SELECT c.*, a.number AS attempt_number, a.seconds AS attempt_seconds FROM candidate AS c "
    "JOIN attempt AS a ON a.id = c.attempt_id "
)


_PASSED_BESIDE = (
    "WHERE c.guild_id = ? AND c.verdict = 'on_model' AND a.job_id = ("
    "SELECT b.job_id FROM candidate AS d JOIN attempt AS b ON b.id = d.attempt_id "
    "WHERE d.id = ? AND d.guild_id = c.guild_id) ORDER BY c.id"
)


def add_attempt(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    panel_id: int,
    job_id: int,
    attempt: Attempt,
    image_shas: Sequence[str],
    now: Moment,
) -> list[int]:
    """Remember one rung of the ladder, its pictures, and what it teaches.

    Args:
        tx: inside a write.
        guild_id: the tenant.
        panel_id: whose attempt.
        job_id: the run that made it, a job of this panel.
        attempt: what came back.
        image_shas: the blobs of its candidates, in order.
        now: when.

    Returns:
        The candidates' row ids, in order.

    Raises:
        NotFound: the guild has no such job of such a panel.
        ValueError: not one blob per candidate.
    """
    if len(image_shas) != len(attempt.candidates):
        raise ValueError(f"{len(attempt.candidates)} candidates but {len(image_shas)} blobs")
    owned = tx.execute(
        "SELECT 1 FROM job WHERE id = ? AND panel_id = ? AND guild_id = ?",
        (job_id, panel_id, guild_id),
    ).fetchone()
    if owned is None:
        raise NotFound(f"There is no panel {panel_id} here. See /panel status.")
    moment = to_text(now)
    plan = None if attempt.plan is None else attempt.plan.to_json()
    row = tx.execute(
        "INSERT INTO attempt (guild_id, panel_id, job_id, number, plan, seconds, created_at, "
        "copy_score) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            guild_id,
            panel_id,
            job_id,
            attempt.number,
            plan,
            attempt.seconds,
            moment,
            attempt.copy_score,
        ),
    ).fetchone()
    learn_from(tx, guild_id=guild_id, attempt_id=row["id"], attempt=attempt)
    candidates = [
        tx.execute(
            "INSERT INTO candidate (guild_id, panel_id, attempt_id, sha256, width, height, "
            "verdict, report, figures, created_at, hash_version, phash, dhash, ahash) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                guild_id,
                panel_id,
                row["id"],
                sha256,
                *judged.candidate.size,
                judged.report.verdict,
                report_to_json(judged.report),
                figures_to_json(judged.candidate.figures),
                moment,
                *hashes_to_columns(judged.hashes),
            ),
        ).fetchone()["id"]
        for judged, sha256 in zip(attempt.candidates, image_shas, strict=True)
    ]
    if attempt.watched is not None:
        add_watched(
            tx,
            guild_id=guild_id,
            attempt_id=row["id"],
            watched=attempt.watched,
            candidate_ids=candidates,
        )
    for candidate_id, judged in zip(candidates, attempt.candidates, strict=True):
        if judged.traits is not None:
            add_traits(tx, guild_id=guild_id, candidate_id=candidate_id, traits=judged.traits)
    return candidates


def label_candidates(
    tx: sqlite3.Connection, *, guild_id: int, panel_id: int, candidate_ids: Sequence[int]
) -> None:
    """Call candidates A, B, C, D in this order; others of the panel lose their label.

    Raises:
        NotFound: one is not a candidate of this panel of the guild.
        ValueError: more than there are letters, or one twice.
    """
    if len(candidate_ids) > len(ALTERNATE_LABELS) or len(set(candidate_ids)) < len(candidate_ids):
        raise ValueError("at most four different candidates can be labelled")
    tx.execute(
        "UPDATE candidate SET label = NULL WHERE panel_id = ? AND guild_id = ?",
        (panel_id, guild_id),
    )
    for label, candidate_id in zip(ALTERNATE_LABELS, candidate_ids, strict=False):
        row = tx.execute(
            "UPDATE candidate SET label = ? WHERE id = ? AND panel_id = ? AND guild_id = ? "
            "RETURNING id",
            (label, candidate_id, panel_id, guild_id),
        ).fetchone()
        if row is None:
            raise _missing()


async def candidates_of(
    db: Database, guild_id: int, panel_id: int, labelled_only: bool = False
) -> list[StoredCandidate]:
    """The candidates of a panel: the labelled ones first (A to D), then the rest by age."""
    rows = await db.fetch_all(
        _CANDIDATE + "WHERE c.guild_id = ? AND c.panel_id = ? AND (NOT ? OR c.label IS NOT NULL) "
        "ORDER BY c.label IS NULL, c.label, c.id",
        (guild_id, panel_id, labelled_only),
    )
    return [_candidate(row) for row in rows]


async def passed_beside(db: Database, guild_id: int, candidate_id: int) -> list[StoredCandidate]:
    """The candidates of the same run that nobody had to look at, in the order of drawing."""
    rows = await db.fetch_all(
        _CANDIDATE + _PASSED_BESIDE,
        (guild_id, candidate_id),
    )
    return [found for found in map(_candidate, rows) if found.report.acceptable]


async def get_candidate(db: Database, guild_id: int, candidate_id: int) -> StoredCandidate:
    """One candidate.

    Raises:
        NotFound: the guild has none with this id.
    """
    row = await db.fetch_one(
        _CANDIDATE + "WHERE c.guild_id = ? AND c.id = ?", (guild_id, candidate_id)
    )
    if row is None:
        raise _missing()
    return _candidate(row)


async def plan_of(db: Database, guild_id: int, candidate_id: int) -> ConditioningPlan | None:
    """The recipe of a candidate; None for a person's own drawing.

    Raises:
        NotFound: the guild has no such candidate.
    """
    row = await db.fetch_one(
        "SELECT a.plan FROM candidate AS c JOIN attempt AS a ON a.id = c.attempt_id "
        "WHERE c.guild_id = ? AND c.id = ?",
        (guild_id, candidate_id),
    )
    if row is None:
        raise _missing()
    return None if row["plan"] is None else ConditioningPlan.from_json(row["plan"])


async def last_good_plan(
    db: Database, guild_id: int, appearance_id: str, *, except_panel: int | None = None
) -> ConditioningPlan | None:
    """The recipe of the latest picture of a look that was shown as good; None without one."""
    row = await db.fetch_one(
        "SELECT a.plan FROM drift_sample AS d "
        "JOIN candidate AS c ON c.id = d.candidate_id AND c.label IS NOT NULL "
        "JOIN attempt AS a ON a.id = c.attempt_id AND a.plan IS NOT NULL "
        "WHERE d.guild_id = ? AND d.appearance_id = ? AND d.panel_id IS NOT ? "
        "ORDER BY d.id DESC LIMIT 1",
        (guild_id, appearance_id, except_panel),
    )
    return None if row is None else ConditioningPlan.from_json(row["plan"])


async def panel_hashes(
    db: Database, guild_id: int, limit: int = 500, *, except_panels: Collection[int] = ()
) -> dict[str, PictureHashes]:
    """Hashes of the pictures that were shown as panels, newest first, to find copies of them.

    Args:
        db: the database.
        guild_id: the tenant.
        limit: how many pictures at most.
        except_panels: leave these out (a panel is no copy of itself).

    Returns:
        ``panel 12`` for what was accepted, ``panel 12 B`` for the alternates of a vote.
    """
    rows = await db.fetch_all(
        "SELECT p.id AS panel, iif(c.id = p.chosen_candidate, '', ' ' || c.label) AS suffix, "
        "c.hash_version, c.phash, c.dhash, c.ahash "
        "FROM panel AS p JOIN candidate AS c ON c.panel_id = p.id "
        "WHERE p.guild_id = :guild AND p.id NOT IN (SELECT value FROM json_each(:skip)) "
        "AND ((p.status = 'accepted' AND c.id = p.chosen_candidate) "
        "OR (p.status = 'voting' AND c.label IS NOT NULL)) "
        "ORDER BY p.id DESC, c.id LIMIT :limit",
        {"guild": guild_id, "skip": json.dumps(list(except_panels)), "limit": limit},
    )
    return {f"panel {row['panel']}{row['suffix']}": hashes_from_row(row) for row in rows}


def _missing() -> NotFound:
    return NotFound("There is no such alternate here. See /panel status.")


def _candidate(row: sqlite3.Row) -> StoredCandidate:
    return StoredCandidate(
        id=row["id"],
        guild_id=row["guild_id"],
        panel_id=row["panel_id"],
        attempt=row["attempt_number"],
        label=row["label"],
        sha256=row["sha256"],
        width=row["width"],
        height=row["height"],
        report=report_from_json(row["report"]),
        figures=row["figures"],
        seconds=row["attempt_seconds"],
    )
