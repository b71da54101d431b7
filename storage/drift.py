"""Drift: how similar the characters of accepted pictures were, over time."""

import json
import sqlite3

from pipeline.domain.errors import NotFound
from pipeline.domain.quality import CharacterCheck
from pipeline.domain.review import DriftSample
from storage.database import Database
from storage.records import to_json
from storage.times import Moment, from_text, to_text
from storage.verdicts import key_columns


def add_sample(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    panel_id: int,
    candidate_id: int,
    check: CharacterCheck,
    now: Moment,
    probability: float = 0.0,
    best: bool = True,
) -> bool:
    """Note how similar a character came out.

    Args:
        tx: inside a write.
        guild_id: the tenant.
        panel_id: of which panel.
        candidate_id: in which picture.
        check: what was measured.
        now: when.
        probability: the chance with which a picture like it is shown to moderators.
        best: whether it is the best picture of its run; the others are its alternates.

    Returns:
        False if nothing could be compared (no similarity): then there is nothing to note.

    Raises:
        NotFound: the guild has no such candidate of such a panel.
    """
    if check.similarity is None:
        return False
    owned = tx.execute(
        "SELECT 1 FROM candidate WHERE id = ? AND panel_id = ? AND guild_id = ?",
        (candidate_id, panel_id, guild_id),
    ).fetchone()
    if owned is None:
        raise NotFound(f"There is no such alternate of panel {panel_id} here.")
    tx.execute(
        "INSERT INTO drift_sample (guild_id, panel_id, candidate_id, character_id, "
        "appearance_id, similarity, threshold, verdict, segments, created_at, score, encoders, "
        "looks, color_mode, probability, best) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            guild_id,
            panel_id,
            candidate_id,
            check.character_id,
            check.appearance_id,
            check.similarity,
            check.threshold,
            check.verdict,
            to_json(dict(check.segments)),
            to_text(now),
            check.score,
            *key_columns(check.basis),
            probability,
            best,
        ),
    )
    return True


async def samples(
    db: Database, guild_id: int, character_id: str | None = None, last: int = 100
) -> list[DriftSample]:
    """The last samples of a character, or of the whole cast, oldest first."""
    rows = await db.fetch_all(
        "SELECT * FROM drift_sample WHERE guild_id = :guild "
        "AND (:character IS NULL OR character_id = :character) ORDER BY id DESC LIMIT :last",
        {"guild": guild_id, "character": character_id, "last": last},
    )
    return [
        DriftSample(
            panel_id=row["panel_id"],
            character_id=row["character_id"],
            appearance_id=row["appearance_id"],
            similarity=row["similarity"],
            threshold=row["threshold"],
            verdict=row["verdict"],
            at=from_text(row["created_at"]),
            segments=json.loads(row["segments"]),
        )
        for row in reversed(rows)
    ]
