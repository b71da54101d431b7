"""Verdicts as data: what a decision says about whom, what is undone, and the drift log beside it."""

import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from pipeline.domain.errors import NotFound
from pipeline.domain.quality import Flag, Verdict
from pipeline.domain.review import ReviewStatus
from storage import drift, drift_log, panels, reviews, verdicts
from storage.database import Database


@pytest.fixture
async def made(db: Database, build: Any) -> Any:
    return await db.write(lambda tx: build.everything(tx, 1))


def sample(tx: sqlite3.Connection, build: Any, made: Any, who: str, verdict: Verdict) -> None:
    check = replace(build.check(), character_id=who, verdict=verdict)
    drift.add_sample(
        tx,
        guild_id=1,
        panel_id=made.reviewed_panel,
        candidate_id=made.candidate_ids[2],
        check=check,
        now=build.now,
        probability=1.0,
    )


def label(tx: sqlite3.Connection, build: Any, made: Any, good: bool) -> int:
    return verdicts.label_samples(
        tx, guild_id=1, review_id=made.review_id, good=good, member_id=7, now=build.now
    )


async def standing(db: Database) -> list[tuple[str, int]]:
    rows = await db.fetch_all(
        "SELECT s.character_id AS who, l.good FROM verdict_label AS l "
        "JOIN drift_sample AS s ON s.id = l.sample_id WHERE l.withdrawn_at IS NULL "
        "AND s.character_id <> 'ch_cleo' ORDER BY s.id"
    )
    return [(row["who"], row["good"]) for row in rows]


async def test_a_good_picture_is_good_of_everybody_on_it(db: Database, build: Any, made: Any):
    def work(tx: sqlite3.Connection) -> int:
        sample(tx, build, made, "ch_a", Verdict.OFF_MODEL)
        sample(tx, build, made, "ch_b", Verdict.ON_MODEL)
        return label(tx, build, made, True)

    assert await db.write(work) == 2
    assert await standing(db) == [("ch_a", 1), ("ch_b", 1)]


async def test_a_bad_one_speaks_only_of_whom_the_check_objected_to(
    db: Database, build: Any, made: Any
):
    def work(tx: sqlite3.Connection) -> int:
        sample(tx, build, made, "ch_a", Verdict.OFF_MODEL)
        sample(tx, build, made, "ch_b", Verdict.ON_MODEL)
        return label(tx, build, made, False)

    assert await db.write(work) == 1
    assert await standing(db) == [("ch_a", 0)]


async def test_of_one_character_alone_a_bad_picture_speaks_whatever_the_check_said(
    db: Database, build: Any, made: Any
):
    def work(tx: sqlite3.Connection) -> int:
        sample(tx, build, made, "ch_a", Verdict.ON_MODEL)
        return label(tx, build, made, False)

    assert await db.write(work) == 1
    assert await standing(db) == [("ch_a", 0)]


async def test_a_later_decision_takes_the_place_of_the_earlier_one(
    db: Database, build: Any, made: Any
):
    def work(tx: sqlite3.Connection) -> None:
        sample(tx, build, made, "ch_a", Verdict.OFF_MODEL)
        label(tx, build, made, False)
        label(tx, build, made, True)

    await db.write(work)
    assert await standing(db) == [("ch_a", 1)]
    await db.write(
        lambda tx: verdicts.withdraw_labels(tx, guild_id=1, review_id=made.review_id, now=build.now)
    )
    assert await standing(db) == []


async def test_a_picture_that_was_approved_in_spite_of_named_drift_teaches_nothing(
    db: Database, build: Any, made: Any
):
    """The builder's review carries the label “hair”."""

    def work(tx: sqlite3.Connection) -> None:
        sample(tx, build, made, "ch_a", Verdict.OFF_MODEL)
        label(tx, build, made, True)

    await db.write(work)
    known = {v.place.character_id for v in await verdicts.good_verdicts(db, 1)}
    assert known == {"ch_cleo"}


async def test_the_score_comes_back_with_its_key_and_chance(db: Database, build: Any, made: Any):
    (verdict,) = await verdicts.good_verdicts(db, 1)
    assert verdict.probability == 0.1
    assert verdict.score == pytest.approx(0.1)
    assert verdict.place.key == build.check().basis
    assert {p.character_id for p in await verdicts.unseen_places(db, 1)} == {"ch_akira"}


async def test_another_guilds_review_cannot_be_labelled(db: Database, build: Any, made: Any):
    with pytest.raises(NotFound):
        await db.write(
            lambda tx: verdicts.label_samples(
                tx, guild_id=9, review_id=made.review_id, good=True, member_id=7, now=build.now
            )
        )


async def test_the_log_leaves_out_what_waits_and_what_was_sent_back(
    db: Database, build: Any, made: Any
):
    look = {"character_id": "ch_akira", "appearance_id": "akira_s1_school"}

    async def logged() -> list[int]:
        log = await drift_log.drift_log(db, 1, **look)
        return [one.panel_id for one in log]

    await db.write(lambda tx: sample(tx, build, made, "ch_akira", Verdict.OFF_MODEL))
    assert await logged() == [made.panel_id], "the other panel waits for a decision"

    def decide(tx: sqlite3.Connection) -> None:
        reviews.decide(
            tx,
            guild_id=1,
            review_id=made.review_id,
            status=ReviewStatus.APPROVED,
            decided_by=7,
            note="",
            now=build.now,
        )
        panels.choose_candidate(
            tx,
            guild_id=1,
            panel_id=made.reviewed_panel,
            candidate_id=made.candidate_ids[2],
            now=build.now,
        )

    await db.write(decide)
    assert await logged() == [made.panel_id, made.reviewed_panel]
    await db.write(
        lambda tx: tx.execute(
            "UPDATE review SET status = 'retried' WHERE id = ?", (made.review_id,)
        )
    )
    assert await logged() == [made.panel_id]


async def test_an_audit_is_a_review_like_any_other(db: Database, made: Any):
    row = await db.fetch_one("SELECT flag, status FROM review WHERE flag = 'AUDIT'")
    assert row is not None
    assert (row["flag"], row["status"]) == (Flag.AUDIT, ReviewStatus.APPROVED)
