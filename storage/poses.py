"""Poses of references, where somebody or some program marked them: the body, or all of it."""

import json
import sqlite3

from pipeline.domain.errors import NotFound
from pipeline.domain.pose import Keypoint, Pose
from storage.database import Database
from storage.records import to_json


def put_pose(tx: sqlite3.Connection, *, guild_id: int, reference_id: int, pose: Pose) -> None:
    """Store the pose of a reference; replaces the earlier one.

    Raises:
        NotFound: the guild has no such reference.
    """
    row = tx.execute(
        "INSERT INTO reference_pose (reference_id, guild_id, keypoints, beyond) "
        "SELECT id, guild_id, ?, ? FROM reference WHERE id = ? AND guild_id = ? "
        "ON CONFLICT (reference_id) DO UPDATE SET keypoints = excluded.keypoints, "
        "beyond = excluded.beyond RETURNING reference_id",
        (_to_text(pose.keypoints), _to_text(pose.beyond), reference_id, guild_id),
    ).fetchone()
    if row is None:
        raise NotFound("That reference is not registered here. See /character sheet.")


async def poses_of(db: Database, guild_id: int, appearance_row: int) -> dict[int, Pose]:
    """The known poses of an appearance by reference id."""
    rows = await db.fetch_all(
        "SELECT p.reference_id, p.keypoints, p.beyond FROM reference_pose AS p "
        "JOIN reference AS r ON r.id = p.reference_id "
        "WHERE r.guild_id = ? AND r.appearance_row = ? ORDER BY p.reference_id",
        (guild_id, appearance_row),
    )
    return {
        row["reference_id"]: Pose(_from_text(row["keypoints"]), _from_text(row["beyond"]))
        for row in rows
    }


def _to_text(points: tuple[Keypoint, ...]) -> str:
    return to_json([list(point) for point in points])


def _from_text(text: str) -> tuple[Keypoint, ...]:
    return tuple((x, y, seen) for x, y, seen in json.loads(text))
