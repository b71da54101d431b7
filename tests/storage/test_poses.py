"""Poses come back as they were stored, and only in their own guild."""

from typing import Any

import pytest

from pipeline.domain.errors import NotFound
from pipeline.domain.pose import Pose
from storage.database import Database
from storage.poses import poses_of, put_pose


async def test_a_pose_is_stored_replaced_and_goes_with_its_reference(
    db: Database, build: Any
) -> None:
    made = await db.write(lambda tx: build.everything(tx, 1))
    whole = ((3.0, 4.0, 0.25),) * 116
    for x, beyond in ((1.0, whole), (2.5, ()), (2.0, whole)):
        pose = Pose(((x, 2.0, 0.5),) * 17, beyond)
        await db.write(
            lambda tx, pose=pose: put_pose(
                tx, guild_id=1, reference_id=made.reference_id, pose=pose
            )
        )
        assert (await poses_of(db, 1, made.appearance_row))[made.reference_id] == pose
    with pytest.raises(NotFound):
        await db.write(
            lambda tx: put_pose(tx, guild_id=2, reference_id=made.reference_id, pose=pose)
        )
    await db.write(lambda tx: tx.execute("DELETE FROM reference").rowcount)
    assert await poses_of(db, 1, made.appearance_row) == {}
