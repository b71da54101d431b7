"""Lets a worker go on with what it has loaded, without anybody waiting much longer for it.

Whose turn it is stays the fair order's decision (see :mod:`storage.jobs`). Among the waiting jobs
of that member, of the same priority, one with the same affinity may go first. If there is none,
another member of the same guild who is at most :data:`MOST_AHEAD` turns ahead may be served with
such a job now, and uses up a turn by that. No job is passed by more than :data:`MOST_PASSED`
others for either reason.
"""

import sqlite3

MOST_PASSED = 3
"""How many others may go before a job out of turn, over all its time in the queue."""
MOST_AHEAD = 1
"""How many turns somebody may be ahead who is served out of turn. Source: ``onmodel bench queue``:
the smallest number with which four in ten switches are saved."""
_LOOK_AT = 8
"""So many members are looked at, those first whose turns come first."""

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

_MEMBERS = f"""{FAIR_TURN}
SELECT guild_id, member_id, vtime FROM share
WHERE guild_id = (SELECT guild_id FROM next_guild) AND member_id <> 0 AND waiting > 0
ORDER BY vtime, member_id LIMIT {_LOOK_AT}
"""  # noqa: S608 - our own constants
_NEXT = (
    "SELECT id, guild_id, member_id, priority, affinity, passed FROM job WHERE status = 'queued' "
    "AND held = 0 AND guild_id = ? AND member_id = ? ORDER BY priority DESC, id LIMIT 1"
)
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
    members = tx.execute(_MEMBERS).fetchall() if prefers else []
    passed: list[int] = []
    for place, member in enumerate(members):
        if member["vtime"] > members[0]["vtime"] + MOST_AHEAD:
            return None
        head = tx.execute(_NEXT, (member["guild_id"], member["member_id"])).fetchone()
        if head["affinity"] == prefers and not place:
            return None
        same = _same(tx, head, prefers)
        if same is not None:
            tx.executemany(
                "UPDATE job SET passed = passed + 1 WHERE id = ?", [(i,) for i in passed]
            )
            return same
        if head["passed"] >= MOST_PASSED:
            return None
        passed.append(head["id"])
    return None


def _same(tx: sqlite3.Connection, head: sqlite3.Row, prefers: str) -> int | None:
    """A member's first job of the affinity that may go before its others; notes these."""
    told = {**dict(head), "prefers": prefers, "most": MOST_PASSED}
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
