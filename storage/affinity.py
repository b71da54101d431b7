"""Lets a worker go on with what it has loaded, without anybody waiting much longer for it.

Whose turn it is stays the fair order's decision (see :mod:`storage.jobs`). Only among the waiting
jobs of that one member, of the same priority, a job with the same affinity may go first, and no
job is passed by more than :data:`MOST_PASSED` others.
"""

import sqlite3

MOST_PASSED = 3
"""How many later jobs of the same member may go before a job, over all its time in the queue."""

FAIR_TURN = """
WITH next_guild AS MATERIALIZED (
    SELECT guild_id FROM share WHERE member_id = 0 AND waiting > 0
    ORDER BY vtime, guild_id LIMIT 1
), next_member AS MATERIALIZED (
    SELECT guild_id, member_id FROM share
    WHERE guild_id = (SELECT guild_id FROM next_guild) AND member_id <> 0 AND waiting > 0
    ORDER BY vtime, member_id LIMIT 1
)
"""
"""Whose turn it is in the fair order, as ``next_member``; reads one index entry a step."""

_NEXT = f"""{FAIR_TURN}
SELECT id, guild_id, member_id, priority, affinity FROM job WHERE status = 'queued' AND held = 0
AND guild_id = (SELECT guild_id FROM next_member)
AND member_id = (SELECT member_id FROM next_member)
ORDER BY priority DESC, id LIMIT 1
"""  # noqa: S608 - our own constants
_BESIDE = (
    "status = 'queued' AND held = 0 AND guild_id = :guild_id AND member_id = :member_id "
    "AND priority = :priority"
)


def preferred(tx: sqlite3.Connection, prefers: str) -> int | None:
    """The job to take instead of the next one, if there is one that may go first.

    What it passes is noted, so it must be claimed in the same transaction.

    Args:
        tx: inside a write.
        prefers: the affinity of what the worker did last; empty for none.

    Returns:
        The id of a waiting job, or None where the fair order holds as it is.
    """
    following = tx.execute(_NEXT).fetchone() if prefers else None
    if following is None or following["affinity"] == prefers:
        return None
    told = {**dict(following), "prefers": prefers, "most": MOST_PASSED}
    same = tx.execute(
        f"SELECT min(id) AS id FROM job WHERE {_BESIDE} AND affinity = :prefers",  # noqa: S608 - a constant
        told,
    ).fetchone()["id"]
    if same is None:
        return None
    told["same"] = same
    held_up = tx.execute(
        f"SELECT 1 FROM job WHERE {_BESIDE} AND id < :same AND passed >= :most LIMIT 1",  # noqa: S608
        told,
    ).fetchone()
    if held_up is not None:
        return None
    tx.execute(
        f"UPDATE job SET passed = passed + 1 WHERE {_BESIDE} AND id < :same",  # noqa: S608
        told,
    )
    return same
