"""A person asks to be forgotten: every column that names one has a fate, and no trace is left."""

import json
import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pipeline.domain.errors import NotAllowed, WrongState
from pipeline.domain.job import JobStatus
from pipeline.domain.privacy import ConsentScope, ConsentStatus
from storage import audit, cast, consent, jobs, panels, privacy
from storage.database import Database, open_database
from storage.doomed import DoomedFile, DoomedKind, condemned, doomed_files
from storage.errors import LeaseLost
from storage.privacy import FATES, Fate
from storage.tables import guild_tables

ANN = 700_000_000_000_000_021  # as long as Discord's ids are
BOB = 700_000_000_000_000_022


def test_every_column_that_names_a_person_has_a_fate(tx: sqlite3.Connection) -> None:
    """A table that comes later cannot be forgotten here."""
    named = {(table, column.name) for table, column in privacy.person_columns(guild_tables(tx))}
    assert named == set(FATES)


def test_no_other_column_sounds_like_a_person(tx: sqlite3.Connection) -> None:
    """The pattern that finds them knows every number that is an id of something else."""
    known = re.compile(
        r"^(id|guild_id|channel_id|message_id|thread_id|moderator_role_id|vote_role_id|role_id|panel_channel_id|"
        r"review_channel_id|subject_id|undone_by|since_sample|merged_into|appeal_of|page_number|"
        r"chosen_candidate|active_series_id|circle_role_id)$|_at$"
    )
    unknown = {
        f"{table}.{column.name}"
        for table, columns in guild_tables(tx).items()
        for column in columns
        if column.type == "INTEGER"
        and column.refers_to is None
        and not column.names_a_person
        and re.search(r"(_id|_by|_to|member|user|person)$", column.name)
        and not known.search(column.name)
    }
    assert unknown == set()


def as_ann(tx: sqlite3.Connection, guild_id: int, number: int) -> None:
    """Let Ann stand wherever a test's person stands, and mention her in words."""
    for table, column in privacy.person_columns(guild_tables(tx)):
        if table not in ("consent", "likeness"):
            tx.execute(
                f"UPDATE {table} SET {column.name} = ? WHERE guild_id = ? AND {column.name} = ?",
                (ANN, guild_id, number),
            )


async def filled(db: Database, build: Any) -> Any:
    def work(tx: sqlite3.Connection) -> Any:
        made = build.everything(tx, 1)
        build.everything(tx, 2)
        for number in (1, 11, 21, 41, 51, 52):
            for guild_id in (1, 2):
                as_ann(tx, guild_id, number)
        tx.execute("UPDATE consent SET person_id = ?", (ANN,))
        tx.execute("UPDATE likeness SET person_id = ?", (ANN,))
        tx.execute("UPDATE review SET note = 'ask <@' || ? || '>' WHERE status <> 'open'", (ANN,))
        tx.execute(
            "UPDATE job SET dedupe_key = 'reroll:' || id || ':' || ? WHERE id = ?",
            (ANN, made.job_id),
        )
        return made

    return await db.write(work)


def forget(build: Any, **options: Any) -> Callable[[sqlite3.Connection], privacy.Forgotten]:
    given = {"guild_id": 1, "member_id": ANN, "references": False, "now": build.now, **options}
    return lambda tx: privacy.forget_member(tx, **given)


@pytest.mark.parametrize("references", [False, True])
async def test_no_trace_of_a_person_is_left_in_their_guild_and_the_other_keeps_all(
    db: Database, build: Any, references: bool
) -> None:
    await filled(db, build)
    before = await privacy.traces_of_member(db, 1, ANN)
    assert {"vote.member_id", "panel.requester_id", "review.note", "job.dedupe_key"} <= set(before)
    other = await privacy.rows_of_member(db, 2, ANN)
    done = await db.write(forget(build, references=references))
    assert await privacy.traces_of_member(db, 1, ANN) == []
    assert await privacy.rows_of_member(db, 1, ANN) == {}
    assert await privacy.rows_of_member(db, 2, ANN) == other
    assert done.rows["vote", Fate.DELETED] == 1
    assert done.rows["character", Fate.HANDED_OVER] == 1
    notes = await db.fetch_all("SELECT note FROM review WHERE note <> '' AND guild_id = 1")
    assert {row["note"] for row in notes} <= {"ask <@1>"}
    assert await db.fetch_all("PRAGMA foreign_key_check") == []


async def test_what_was_foretold_is_what_is_done(db: Database, build: Any) -> None:
    await filled(db, build)
    told = {(h.table, h.fate): h.rows for h in await privacy.held_of_member(db, 1, ANN)}
    assert told["panel", Fate.DELETED] + told["panel", Fate.ANONYMISED] == 3
    done = await db.write(forget(build))
    assert done.rows["panel", Fate.DELETED] == told["panel", Fate.DELETED]
    for key in (("vote", Fate.DELETED), ("character", Fate.HANDED_OVER)):
        assert done.rows[key] == told[key]


async def test_panels_of_pages_and_votes_stay_and_the_rest_goes_with_its_pictures(
    db: Database, build: Any
) -> None:
    made = await filled(db, build)
    done = await db.write(forget(build))
    kept = await panels.list_panels(db, 1)
    assert [panel.id for panel in kept] == [made.panel_id]
    assert kept[0].requester_id == privacy.NOBODY
    assert done.stopped == 2
    going = {f.name for f in await doomed_files(db) if f.kind is DoomedKind.PICTURE}
    assert build.sha(1210) in going
    assert build.sha(1200) not in going, "the picture of a panel that stays"


async def test_a_run_that_ends_later_is_refused(db: Database, build: Any) -> None:
    made = await filled(db, build)
    running = made.job_id
    fence = (await jobs.get_job(db, 1, running)).fence
    await db.write(forget(build))
    with pytest.raises(LeaseLost):
        await db.write(
            lambda tx: jobs.finish(tx, job_id=running, fence=fence, status=JobStatus.DONE, now=9.0)
        )
    rows = await db.fetch_all("SELECT waiting FROM share WHERE guild_id = 1")
    assert [row["waiting"] for row in rows] == [0]


async def test_registered_pictures_stay_unless_they_are_asked_for(db: Database, build: Any) -> None:
    made = await filled(db, build)
    await db.write(lambda tx: tx.execute("DELETE FROM likeness WHERE guild_id = 1") and None)
    await db.write(forget(build))
    (kept,) = await cast.list_references(db, 1, made.appearance_row)
    assert kept.id == made.reference_id
    await db.write(
        lambda tx: (
            tx.execute("UPDATE reference SET added_by = ? WHERE guild_id = 1", (ANN,)) and None
        )
    )
    await db.write(forget(build, references=True))
    assert await cast.list_references(db, 1, made.appearance_row) == []
    left = await db.fetch_all("SELECT guild_id FROM fingerprint")
    assert [row["guild_id"] for row in left] == [2]


async def test_two_people_are_forgotten_where_each_could_say_one_thing(
    db: Database, build: Any
) -> None:
    def two_opinions(tx: sqlite3.Connection) -> None:
        made = build.everything(tx, 1)
        tx.execute("DELETE FROM review_opinion")
        for who in (ANN, BOB):
            tx.execute(
                "INSERT INTO review_opinion (guild_id, review_id, member_id, good, created_at) "
                "VALUES (1, ?, ?, 1, '2031')",
                (made.review_id, who),
            )

    await db.write(two_opinions)
    await db.write(forget(build))
    done = await db.write(forget(build, member_id=BOB))
    assert done.rows["review_opinion", Fate.DELETED] == 1
    rows = await db.fetch_all("SELECT member_id FROM review_opinion")
    assert [row["member_id"] for row in rows] == [privacy.NOBODY]


async def test_all_or_nothing(db: Database, build: Any) -> None:
    await filled(db, build)
    before = await privacy.rows_of_member(db, 1, ANN)

    def half(tx: sqlite3.Connection) -> None:
        forget(build)(tx)
        raise RuntimeError("the power goes")

    with pytest.raises(RuntimeError):
        await db.write(half)
    assert await privacy.rows_of_member(db, 1, ANN) == before
    assert await doomed_files(db) == []


async def test_doomed_files_outlive_a_restart_and_a_named_one_is_pardoned(
    database_path: Any, build: Any
) -> None:
    async with open_database(database_path) as db:
        made = await filled(db, build)
        await db.write(forget(build))
        doomed = await doomed_files(db)
        assert doomed
    async with open_database(database_path) as db:
        assert await doomed_files(db) == doomed
        file = next(f for f in doomed if f.kind is DoomedKind.PICTURE and f.name)
        await db.write(
            lambda tx: (
                tx.execute("UPDATE page SET sha256 = ? WHERE guild_id = 1", (file.name,)) and None
            )
        )
        going = await db.write(lambda tx: condemned(tx, guild_id=1, files=doomed))
        assert going == [other for other in doomed if other != file]
        assert file not in await doomed_files(db)
        assert made.guild_id == 1


# --- the log ----------------------------------------------------------------------------------


async def test_the_log_is_bounded_and_forgets_names_only(db: Database, build: Any) -> None:
    def write(tx: sqlite3.Connection) -> None:
        build.guild(tx, 1)
        for number in range(10_200):
            audit.note(
                tx, guild_id=1, member_id=ANN, action="test.done", subject=str(number),
                now=build.now,
            )  # fmt: skip

    await db.write(write)
    await db.write(forget(build))
    (row,) = await db.fetch_all("SELECT count(*) AS n FROM audit_event")
    assert 10_000 <= row["n"] <= 10_064
    newest, *_ = await audit.audit_events(db, 1, limit=5)
    assert (newest.member_id, newest.subject) == (privacy.NOBODY, "10199")


async def test_a_decided_review_is_in_the_log_whoever_writes_it(db: Database, build: Any) -> None:
    await db.write(lambda tx: build.everything(tx, 1))
    found = {event.action: event for event in await audit.audit_events(db, 1)}
    assert found["review.approved"].member_id == 51
    assert found["consent.given"].member_id == 21


# --- consent ----------------------------------------------------------------------------------


async def asked(db: Database, build: Any) -> tuple[Any, int]:
    made = await db.write(lambda tx: build.everything(tx, 1))

    def ask(tx: sqlite3.Connection) -> int:
        return consent.ask_consent(
            tx, guild_id=1, character_row=made.character_row, holder_id=11, person_id=21,
            scope=ConsentScope.TRAIN, expires_at=build.now + timedelta(days=9), now=build.now,
        )  # fmt: skip

    return made, await db.write(ask)


async def scope(db: Database, build: Any, days: int = 0) -> ConsentScope | None:
    when = build.now + timedelta(days=days)
    return (await consent.likenesses(db, 1, ["ch_akira", "ch_beni"], when))["ch_akira"]


async def answer(db: Database, build: Any, number: int, who: int, agrees: bool) -> Any:
    return await db.write(
        lambda tx: consent.answer_consent(
            tx, guild_id=1, consent_id=number, person_id=who, agrees=agrees, now=build.now
        )
    )


async def test_only_the_person_answers_and_the_newest_yes_holds(db: Database, build: Any) -> None:
    _, number = await asked(db, build)
    assert await scope(db, build) is ConsentScope.DRAW
    with pytest.raises(NotAllowed):
        await answer(db, build, number, 11, agrees=True)
    await answer(db, build, number, 21, agrees=True)
    assert await scope(db, build) is ConsentScope.TRAIN
    assert await scope(db, build, days=9) is None
    states = [c.status for c in await consent.consents_of(db, 1, 21)]
    assert states == [ConsentStatus.GIVEN, ConsentStatus.EXPIRED]


async def test_a_no_takes_references_vectors_modules_and_jobs_and_flags_panels(
    db: Database, build: Any
) -> None:
    made, number = await asked(db, build)
    await answer(db, build, number, 21, agrees=True)
    gone = await answer(db, build, number, 21, agrees=False)
    assert gone.references == 1
    assert gone.jobs == 2
    assert gone.panels == (made.panel_id,)
    samples = await db.fetch_all("SELECT DISTINCT character_id FROM drift_sample")
    assert [row["character_id"] for row in samples] == ["ch_cleo"]
    for table in ("reference", "fingerprint", "threshold", "mark"):
        rows = await db.fetch_all(f"SELECT 1 FROM {table}")
        assert rows == [], table
    assert (await panels.get_panel(db, 1, made.panel_id)).status == "review"
    doomed = await doomed_files(db)
    assert DoomedFile(1, DoomedKind.MODULE, "akira_s1_school") in doomed
    assert await scope(db, build) is None
    with pytest.raises(WrongState):
        await answer(db, build, number, 21, agrees=True)
    (review,) = await db.fetch_all("SELECT reason FROM review WHERE flag = 'CONSENT'")
    assert "page 1" in review["reason"]


async def test_a_consent_runs_out_and_stops_what_waits(db: Database, build: Any) -> None:
    made, number = await asked(db, build)
    await answer(db, build, number, 21, agrees=True)
    late = build.now + timedelta(days=10)
    assert await db.write(lambda tx: consent.expire_consents(tx, now=late)) == 1
    assert (await jobs.get_job(db, 1, made.queued_job)).status == JobStatus.CANCELLED
    assert len(await cast.list_references(db, 1, made.appearance_row)) == 1
    assert (await consent.get_consent(db, 1, number)).status is ConsentStatus.EXPIRED


async def test_a_person_who_is_forgotten_withdraws_at_once(db: Database, build: Any) -> None:
    made, number = await asked(db, build)
    await answer(db, build, number, 21, agrees=True)
    await db.write(forget(build, member_id=21))
    assert await cast.list_references(db, 1, made.appearance_row) == []
    assert await scope(db, build) is None
    (row,) = await db.fetch_all("SELECT json_group_array(DISTINCT status) AS s FROM consent")
    assert set(json.loads(row["s"])) == {"expired", "revoked"}
