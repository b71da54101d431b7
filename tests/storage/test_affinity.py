"""Jobs that need the same may run in a row; turns stay fair, and nobody is passed too often."""

import itertools
import sqlite3
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.domain.job import Job, JobKind
from storage import jobs
from storage.affinity import MOST_AHEAD, MOST_PASSED
from storage.schema_text import schema_text

SCHEMA = schema_text()
KEYS = itertools.count()


def ledger() -> sqlite3.Connection:
    tx = sqlite3.connect(":memory:", isolation_level=None)
    tx.row_factory = sqlite3.Row
    tx.executescript("PRAGMA foreign_keys = ON;" + SCHEMA)
    for guild in (1, 2):
        tx.execute(
            "INSERT INTO guild (guild_id, wrapped_key, created_at) VALUES (?, x'00', '')", (guild,)
        )
        tx.execute(
            "INSERT INTO series (id, guild_id, slug, name, reading_direction, color_mode, "
            "created_by, created_at) VALUES (?1, ?1, 's', 's', 'ltr', 'color', 1, '')",
            (guild,),
        )
    return tx


def put(tx: sqlite3.Connection, affinity: str, member: int = 1, guild: int = 1, **more: Any) -> int:
    panel = tx.execute(
        "INSERT INTO panel (guild_id, series_id, requester_id, origin, status, brief, "
        "created_at, updated_at) VALUES (?1, ?1, ?2, 'generated', 'queued', '{}', '', '') "
        "RETURNING id",
        (guild, member),
    ).fetchone()["id"]
    return jobs.enqueue(
        tx,
        guild_id=guild,
        member_id=member,
        kind=JobKind.GENERATE,
        panel_id=panel,
        dedupe_key=str(next(KEYS)),
        affinity=affinity,
        now=1.0,
        **more,
    )


def take(tx: sqlite3.Connection, prefers: str = "") -> Job | None:
    return jobs.claim(tx, owner="w", lease_seconds=60, now=1.0, prefers=prefers)


def served(tx: sqlite3.Connection) -> list[Job]:
    """Everything that waits, by one worker that goes on with what it has loaded."""
    done: list[Job] = []
    while job := take(tx, done[-1].affinity if done else ""):
        done.append(job)
    return done


def test_a_members_panels_of_one_look_are_drawn_in_a_row() -> None:
    tx = ledger()
    for look in "ababab":
        put(tx, look)
    assert "".join(job.affinity for job in served(tx)) == "aaabbb"
    tx.close()


def test_another_member_may_go_first_who_is_hardly_ahead_and_uses_up_a_turn() -> None:
    tx = ledger()
    for member, look in ((1, "b"), (2, "a"), (1, "b"), (2, "a"), (2, "a")):
        put(tx, look, member)
    first = take(tx, "a")  # member 2 goes before member 1, who is next
    assert first is not None
    assert (first.member_id, first.affinity) == (2, "a")
    turns = [take(tx, "a"), take(tx, "a"), take(tx, "a"), take(tx, "a")]
    assert [job.member_id for job in turns if job] == [2, 1, 2, 1], "no further than the bound"
    tx.close()


def test_a_newcomer_is_not_put_behind_whom_affinity_served_early() -> None:
    tx = ledger()
    put(tx, "b", 1)
    for _ in range(3):
        put(tx, "a", 2)
    assert [job.member_id for job in (take(tx, "a"), take(tx, "a")) if job] == [2, 2]
    put(tx, "c", 3)
    order = [job.member_id for job in (take(tx), take(tx), take(tx)) if job]
    assert order == [1, 3, 2]
    tx.close()


def test_without_a_preference_the_order_is_as_it_was() -> None:
    tx = ledger()
    ids = [put(tx, look) for look in "abab"]
    taken = [take(tx), take(tx, "c"), take(tx, ""), take(tx, "x")]
    assert [job.id for job in taken if job] == ids
    tx.close()


def test_priority_goes_before_affinity() -> None:
    tx = ledger()
    put(tx, "a")
    urgent = put(tx, "b", priority=1)
    job = take(tx, "a")
    assert job is not None
    assert job.id == urgent
    tx.close()


def test_a_job_that_comes_back_keeps_its_bound() -> None:
    tx = ledger()
    first = put(tx, "b")
    for _ in range(MOST_PASSED):
        put(tx, "a")
        job = take(tx, "a")
        assert job is not None
        assert job.id != first
    put(tx, "a")
    mine = take(tx, "a")
    assert mine is not None
    assert mine.id == first
    jobs.requeue(tx, job_id=first, fence=mine.fence, now=1.0)
    again = take(tx, "a")
    assert again is not None
    assert again.id == first
    tx.close()


asked = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(1, 2), st.integers(0, 1)),
        st.sampled_from("abc"),
    ),
    max_size=40,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(asked)
def test_no_job_is_passed_more_often_than_the_bound_and_turns_are_fair(events: list[Any]) -> None:
    """Twins: one ledger is claimed with preferences, the other without.

    The same guilds are served, and at any time nobody has got fewer panels than in the fair order
    by more than the bound.
    """
    affine, plain = ledger(), ledger()
    waiting: dict[int, tuple[int, int, int]] = {}
    passed: Counter[int] = Counter()
    got: Counter[tuple[int, int]] = Counter()

    def serve(prefers: str) -> None:
        job, twin = take(affine, prefers), take(plain)
        assert (job is None) == (twin is None)
        if job is None or twin is None:
            return
        assert job.guild_id == twin.guild_id
        got[job.guild_id, job.member_id] += 1
        got[twin.guild_id, twin.member_id] -= 1
        assert min(got.values()) >= -(MOST_AHEAD + MOST_PASSED)
        mine = waiting.pop(job.id)
        passed.update(id_ for id_, place in waiting.items() if place == mine and id_ < job.id)

    for event in events:
        if isinstance(event, str):
            serve(event)
            continue
        look, member, guild, priority = event
        for tx in (affine, plain):
            job_id = put(tx, look, member, guild, priority=priority)
        waiting[job_id] = (guild, member, priority)
    while waiting:
        serve("a")
    assert max(passed.values(), default=0) <= MOST_PASSED
    affine.close()
    plain.close()
