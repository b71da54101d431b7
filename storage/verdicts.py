"""What moderators said about pictures, as the limits of the check are learned from it."""

import sqlite3

from pipeline.domain.calibration import ScoredVerdict, ScoreKey, ScorePlace
from pipeline.domain.character import ColorMode
from pipeline.domain.errors import NotFound
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.quality import Verdict
from storage.database import Database
from storage.times import Moment, to_text

LOOKS_JOINT = "+"

_GOOD = (
    "SELECT s.* FROM verdict_label AS l JOIN drift_sample AS s ON s.id = l.sample_id "
    "WHERE l.guild_id = ? AND l.withdrawn_at IS NULL AND l.good = 1 "
    "AND s.score IS NOT NULL AND s.probability > 0 AND NOT EXISTS ("
    "SELECT 1 FROM review_label AS d WHERE d.review_id = l.review_id AND d.label <> 'nothing') "
    "ORDER BY l.id DESC LIMIT ?"
)
_UNSEEN = (
    "SELECT DISTINCT s.encoders, s.looks, s.color_mode, s.character_id, s.appearance_id "
    "FROM drift_sample AS s WHERE s.guild_id = ? AND s.score IS NOT NULL "
    "AND s.probability > 0 AND s.probability < 1 "
    "AND NOT EXISTS (SELECT 1 FROM review AS r WHERE r.candidate_id = s.candidate_id)"
)


def label_samples(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    review_id: int,
    good: bool,
    member_id: int,
    now: Moment,
) -> int:
    """Write down what a decision says about the characters of the reviewed picture.

    A good picture is good of everyone on it. A bad one says something only about the characters
    that the check objected to, or about the one character that is on it. What the same review said
    before is withdrawn.

    Returns:
        How many characters were labelled.

    Raises:
        NotFound: the guild has no such review.
    """
    row = tx.execute(
        "SELECT candidate_id FROM review WHERE id = ? AND guild_id = ?", (review_id, guild_id)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such review here. See /review list.")
    withdraw_labels(tx, guild_id=guild_id, review_id=review_id, now=now)
    samples = tx.execute(
        "SELECT id, verdict FROM drift_sample WHERE candidate_id = ? AND guild_id = ?",
        (row["candidate_id"], guild_id),
    ).fetchall()
    meant = [
        sample["id"]
        for sample in samples
        if good or len(samples) == 1 or sample["verdict"] == Verdict.OFF_MODEL
    ]
    for sample_id in meant:
        tx.execute(
            "UPDATE verdict_label SET withdrawn_at = ? "
            "WHERE sample_id = ? AND guild_id = ? AND withdrawn_at IS NULL",
            (to_text(now), sample_id, guild_id),
        )
        tx.execute(
            "INSERT INTO verdict_label (guild_id, sample_id, review_id, good, member_id, "
            "created_at) VALUES (?, ?, ?, ?, ?, ?)",
            (guild_id, sample_id, review_id, good, member_id, to_text(now)),
        )
    return len(meant)


def withdraw_labels(tx: sqlite3.Connection, *, guild_id: int, review_id: int, now: Moment) -> None:
    """Take back what a review taught, because it was undone or appealed."""
    tx.execute(
        "UPDATE verdict_label SET withdrawn_at = ? "
        "WHERE review_id = ? AND guild_id = ? AND withdrawn_at IS NULL",
        (to_text(now), review_id, guild_id),
    )


async def good_verdicts(
    db: Database, guild_id: int, limit: int = 2000
) -> tuple[ScoredVerdict, ...]:
    """The newest verdicts of a guild on pictures that people called good.

    A picture that was approved although somebody named what had drifted is not among them.
    """
    rows = await db.fetch_all(_GOOD, (guild_id, limit))
    return tuple(ScoredVerdict(_place(row), row["score"], row["probability"]) for row in rows)


async def unseen_places(db: Database, guild_id: int) -> frozenset[ScorePlace]:
    """Where pictures passed that the blind audit did not draw."""
    return frozenset(_place(row) for row in await db.fetch_all(_UNSEEN, (guild_id,)))


def key_columns(basis: ScoreKey | None) -> tuple[str, str, ColorMode]:
    """``encoders``, ``looks`` and ``color_mode`` of a score."""
    if basis is None:
        return "", "", ColorMode.COLOR
    return basis.encoders, LOOKS_JOINT.join(basis.looks), basis.color_mode


def _place(row: sqlite3.Row) -> ScorePlace:
    looks = tuple(CropClass(look) for look in row["looks"].split(LOOKS_JOINT))
    key = ScoreKey(row["encoders"], looks, ColorMode(row["color_mode"]))
    return ScorePlace(key, row["character_id"], row["appearance_id"])
