"""What was seen of pictures while they were drawn, and what became of them in the end."""

import sqlite3
from typing import Any

import pytest

from pipeline.domain.errors import NotFound
from pipeline.domain.quality import Flag
from pipeline.domain.review import ReviewStatus
from pipeline.domain.sentinel import PastRun, Receipt, Savings, Watched
from storage import previews, reviews
from storage.database import Database

HIGH, LOW = {0.25: 0.9, 0.35: 0.91, 0.5: 0.92}, {0.25: 0.1}


@pytest.fixture
async def made(db: Database, build: Any) -> Any:
    return await db.write(lambda tx: build.everything(tx, 1))


def watched(tx: sqlite3.Connection, made: Any, *receipts: Receipt, kind: str = "a") -> list[int]:
    """An attempt of panel 1 with pictures; returns the rows of those that were finished."""
    tx.execute("DELETE FROM preview_run")
    (candidate,) = tx.execute(
        "SELECT * FROM candidate WHERE id = ?", (made.candidate_ids[0],)
    ).fetchall()
    kept = []
    for receipt in receipts:
        if receipt.aborted_at is None:
            values = {**dict(candidate), "id": 1000 + len(kept), "label": None}
            marks = ", ".join("?" * len(values))
            tx.execute(
                f"INSERT INTO candidate ({', '.join(values)}) VALUES ({marks})",
                tuple(values.values()),
            )
            kept.append(values["id"])
    previews.add_watched(
        tx, guild_id=1, attempt_id=candidate["attempt_id"],
        watched=Watched("mira_v1", kind, receipts), candidate_ids=kept,
    )  # fmt: skip
    return kept


async def test_what_could_have_been_changed_is_no_history(db: Database, made: Any) -> None:
    await db.write(
        lambda tx: watched(
            tx, made, Receipt(HIGH, left_alone=True), Receipt(HIGH), Receipt(LOW, aborted_at=0.35)
        )
    )
    assert await previews.past_runs(db, 1, "mira_v1") == {"a": [PastRun(HIGH, True)]}
    assert await previews.past_runs(db, 1, "mira_v2") == {}
    assert await previews.past_runs(db, 2, "mira_v1") == {}


async def test_people_have_the_last_word_about_what_was_good(
    db: Database, build: Any, made: Any
) -> None:
    def work(tx: sqlite3.Connection) -> list[int]:
        one = Receipt(HIGH, left_alone=True)
        ids = watched(tx, made, one, one, one, one)
        tx.execute("UPDATE candidate SET verdict = 'off_model' WHERE id = ?", (ids[0],))
        tx.execute("UPDATE candidate SET verdict = 'off_model' WHERE id = ?", (ids[1],))
        tx.execute("UPDATE candidate SET verdict = 'cannot_judge' WHERE id = ?", (ids[2],))
        return ids

    ids = await db.write(work)
    accepted = [run.accepted for run in (await previews.past_runs(db, 1, "mira_v1"))["a"]]
    assert accepted == [False, False, True], "what nobody could judge is neither"

    def approve(tx: sqlite3.Connection) -> None:
        for candidate, status in ((ids[1], ReviewStatus.APPROVED), (ids[3], ReviewStatus.REJECTED)):
            review = reviews.open_review(
                tx, guild_id=1, panel_id=made.panel_id, candidate_id=candidate,
                flag=Flag.OFF_MODEL, reason="", evidence_sha256=None, now=build.now,
            )  # fmt: skip
            reviews.decide(
                tx, guild_id=1, review_id=review, status=status, decided_by=7, note="",
                now=build.now,
            )  # fmt: skip

    await db.write(approve)
    accepted = [run.accepted for run in (await previews.past_runs(db, 1, "mira_v1"))["a"]]
    assert accepted == [False, True, False]


async def test_what_was_saved_is_summed_over_a_panel(db: Database, made: Any) -> None:
    ended = Receipt(LOW, 0.25, 0.35, 3.5, 13)
    await db.write(lambda tx: watched(tx, made, ended, Receipt(HIGH, 0.35), ended))
    assert await previews.savings(db, 1, made.panel_id) == Savings(3, 2, 3, 26, 7.0)
    assert await previews.savings(db, 1, made.reviewed_panel) is None
    assert await previews.savings(db, 2, made.panel_id) is None


async def test_receipts_of_another_guilds_attempt_or_too_few_pictures_are_refused(
    db: Database, made: Any
) -> None:
    def another(tx: sqlite3.Connection) -> None:
        previews.add_watched(
            tx, guild_id=2, attempt_id=1, watched=Watched("m", "a", ()), candidate_ids=[]
        )

    def too_few(tx: sqlite3.Connection) -> None:
        one = Watched("m", "a", (Receipt(HIGH),))
        previews.add_watched(tx, guild_id=1, attempt_id=1, watched=one, candidate_ids=[])

    with pytest.raises(NotFound):
        await db.write(another)
    with pytest.raises(ValueError, match="shorter"):
        await db.write(too_few)


async def test_they_go_with_their_panel(db: Database, made: Any) -> None:
    await db.write(lambda tx: watched(tx, made, Receipt(HIGH, left_alone=True)))

    def delete(tx: sqlite3.Connection) -> None:
        tx.execute("DELETE FROM attempt WHERE panel_id = ?", (made.panel_id,))

    await db.write(delete)
    assert await previews.past_runs(db, 1, "mira_v1") == {}
