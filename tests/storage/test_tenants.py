"""Two guilds with the same names never see each other's rows, through any read there is.

Every read function of the package is found by introspection; one that is added later is driven as
well, or the test says which argument it cannot fill.
"""

import dataclasses
import importlib
import inspect
import pkgutil
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pytest

import storage
from pipeline.domain.access import AccessRule, Circle, Deed
from pipeline.domain.character import ShotType
from pipeline.domain.errors import NotFound
from pipeline.domain.quest import View
from pipeline.domain.review import PostKind, Tally
from pipeline.domain.searching import PanelWish
from storage import (
    access,
    cast,
    drift,
    jobs,
    lettering,
    outbox,
    pages,
    panels,
    quests,
    reviews,
    votes,
)
from storage.database import Database
from storage.taste import Record

# Reads that are not about one guild, and why that is right.
WITHOUT_GUILD = {
    "storage.census.take": "numbers for whoever runs the program",
    "storage.guilds.get_setting": "facts of the program",
    "storage.outbox.pending_count": "a number for the doctor",
    "storage.votes.due_votes": "the clock closes the votes of all guilds",
    "storage.doomed.doomed_files": "files that have to go, for the chore that takes them away",
    "storage.guild_rows.left_before": "servers that the bot left, for the chore that erases them",
    "storage.guild_rows.schema_version": "a number",
    "storage.tables.read_tables": "names of tables",
    "storage.indexing.index_state": "two numbers, for the doctor",
    "storage.indexing.stale_appearances": "the program's own work, in all guilds",
    "storage.indexing.stored_encoders": "names of encoders",
    "storage.searching.next_unprinted": "the program's own work, in all guilds",
    "storage.queue.place_of": "numbers only",
    "storage.estimates.read_estimates": "numbers only",
    "storage.steering.host_pause": "facts of the program",
    "storage.queue.lease_owners": "names of processes, for the dispatcher",
}
NOT_READS = {"storage.database.open_database"}


def reads() -> dict[str, Callable[..., Any]]:
    """Every public coroutine function whose first parameter is the database."""
    found = {}
    for info in pkgutil.iter_modules(storage.__path__):
        module = importlib.import_module(f"storage.{info.name}")
        for name, function in vars(module).items():
            if name.startswith("_") or not inspect.iscoroutinefunction(function):
                continue
            if function.__module__.startswith("storage."):
                found[f"{function.__module__}.{name}"] = function
    return {
        name: f for name, f in found.items() if next(iter(inspect.signature(f).parameters)) == "db"
    }


READS = reads()
GUILD_READS = {
    name: function
    for name, function in READS.items()
    if list(inspect.signature(function).parameters)[1:2] == ["guild_id"]
}


def arguments(function: Callable[..., Any], made: Any, build: Any) -> dict[str, Any]:
    """What to pass so that the guild that ``made`` describes finds something."""
    known: dict[str, Any] = {
        "character_row": made.character_row,
        "appearance_row": made.appearance_row,
        "reference_id": made.reference_id,
        "series_id": made.series_id,
        "panel_id": made.panel_id,
        "candidate_id": made.candidate_ids[0],
        "review_id": made.review_id,
        "alarm_id": made.alarm_id,
        "script_id": made.script_id,
        "search_id": made.search_id,
        "panels": [made.accepted_panel],
        "printer": "whole:1",
        "wish": PanelWish(),
        "channel_id": made.guild_id * 1000 + 6,
        "consent_id": made.consent_id,
        "quest_id": made.quest_id,
        "characters": ["ch_akira"],
        "job_id": made.job_id,
        "member_id": 21,
        "held_id": made.held_id,
        "sha256": "f" * 64,
        "key": "Akira",
        "prefix": "ak",
        "appearance_id": "akira_s1_school",
        "character_id": "ch_akira",
        "encoder": build.encoder,
        "crop": build.fingerprint(0).crop,
        "color_mode": build.fingerprint(0).color_mode,
        "vector": made.vector,
        "k": 10,
        "number": 1,
        "page": 1,
        "kind": PostKind.VOTE_CARD,
        "subject_id": made.panel_id,
        "now": build.now,
        "hashes": build.hashes(made.guild_id),
        "within": 20,
        "since": datetime(2000, 1, 1, tzinfo=build.now.tzinfo),
        "limit": 50,
        "last": 50,
        "modes": {"hair_color": ("hair_color",)},
        "look": build.look,
    }
    if function.__name__ == "unprinted":
        known["printer"] = "whole:2"
    if function.__name__ == "review_of_panel":
        known["panel_id"] = made.reviewed_panel
    if function.__name__ == "job_of_panel":
        known["panel_id"] = made.queued_panel
    parameters = list(inspect.signature(function).parameters.values())[2:]
    missing = [p.name for p in parameters if p.default is p.empty and p.name not in known]
    assert not missing, f"teach this test what to pass to {function.__name__} for {missing}"
    needed = {p.name for p in parameters if p.default is p.empty}
    # Optional filters by row are passed too: a filter must not replace the guild.
    filters = {p.name for p in parameters if p.name.endswith(("_row", "_id", "limit", "last"))}
    return {name: known[name] for name in needed | (filters & set(known))}


def is_empty(result: Any) -> bool:
    """Nothing, or a tally that counts nothing."""
    if isinstance(result, Tally):
        return not result.counts and result.leader is None and result.voters == 0
    if isinstance(result, Record):
        return result.expected == 0
    if isinstance(result, (list, tuple, dict, frozenset)):
        return len(result) == 0
    return result is None or result == 0


def guilds_in(value: Any) -> set[int]:
    """Every ``guild_id`` anywhere inside a result."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts: Iterable[Any] = [getattr(value, f.name) for f in dataclasses.fields(value)]
        own = {value.guild_id} if hasattr(value, "guild_id") else set()
        return own.union(*(guilds_in(part) for part in parts))
    if isinstance(value, Mapping):
        return set().union(*(guilds_in(part) for pair in value.items() for part in pair))
    if isinstance(value, (list, tuple, set, frozenset)):
        return set().union(*(guilds_in(part) for part in value))
    return set()


@pytest.fixture
async def two(db: Database, build: Any) -> tuple[Any, Any]:
    first = await db.write(lambda tx: build.accepted(tx, build.everything(tx, 1)))
    second = await db.write(lambda tx: build.accepted(tx, build.everything(tx, 2)))
    return first, second


def test_every_read_takes_a_guild_or_says_why_not() -> None:
    assert set(READS) - set(GUILD_READS) - NOT_READS == set(WITHOUT_GUILD)
    assert len(GUILD_READS) >= 30


@pytest.mark.parametrize("name", sorted(GUILD_READS))
async def test_own_rows_are_found_and_the_others_are_not(
    name: str, db: Database, build: Any, two: tuple[Any, Any]
) -> None:
    function = GUILD_READS[name]
    mine, theirs = two
    if name.startswith("storage.taste."):
        for made in two:
            await db.write(lambda tx, m=made: build.closed_vote(tx, m.guild_id, m.series_id))
    if name == "storage.queue.held_jobs":
        await db.write(lambda tx: tx.execute("UPDATE job SET held = 1 WHERE status = 'queued'"))
    own = await function(db, mine.guild_id, **arguments(function, mine, build))
    assert not is_empty(own), "the test drives nothing"
    assert guilds_in(own) <= {mine.guild_id}

    # The other guild's row numbers, asked for in the name of one's own guild.
    try:
        leaked = await function(db, mine.guild_id, **arguments(function, theirs, build))
    except NotFound:
        leaked = None
    assert guilds_in(leaked) <= {mine.guild_id}
    by_row = {
        p
        for p in inspect.signature(function).parameters
        if p.endswith(("_row", "_id"))
        and p not in ("guild_id", "member_id", "character_id", "appearance_id")
    }
    if by_row:
        assert is_empty(leaked), f"{name} gave another guild's row"

    # A guild that is not there sees nothing.
    try:
        nobody = await function(db, 999, **arguments(function, mine, build))
    except NotFound:
        nobody = None
    assert is_empty(nobody)


async def test_values_without_a_guild_id_are_ones_own(
    db: Database, build: Any, two: tuple[Any, Any]
) -> None:
    """Hashes, vectors and samples carry no guild; the pictures of the two differ."""
    mine, theirs = two
    hashes = await cast.reference_hashes(db, 1)
    assert [found.id for found, _, _ in hashes] == [mine.reference_id]
    vectors = await cast.fingerprints_of(db, 1, mine.appearance_row)
    (fingerprint,) = vectors[mine.reference_id]
    assert np.array_equal(fingerprint.embedding.vector, mine.vector)
    assert {s.panel_id for s in await drift.samples(db, 1)} == {mine.panel_id, mine.reviewed_panel}
    assert list(await panels.panel_hashes(db, 1)) == [
        f"panel {mine.accepted_panel}",
        f"panel {mine.panel_id} A",
        f"panel {mine.panel_id} B",
    ]
    (posted,) = await outbox.posts_of(db, 2, PostKind.VOTE_CARD, theirs.panel_id)
    assert posted.message_id == 2000


def foreign_writes(mine: Any, theirs: Any, build: Any) -> dict[str, Callable[[Any], object]]:
    """Writes in the name of guild 1 on rows of guild 2."""
    now = build.now
    panel, candidate = theirs.panel_id, theirs.candidate_ids[0]
    return {
        "update_series": lambda tx: cast.update_series(
            tx, guild_id=1, series_id=theirs.series_id, name="taken"
        ),
        "create_character": lambda tx: build.character(tx, 1, theirs.series_id, "Beni"),
        "create_appearance": lambda tx: cast.create_appearance(
            tx,
            guild_id=1,
            character_row=theirs.character_row,
            appearance_id="x",
            label="x",
            components={},
            palette=[],
            notes="",
            now=now,
        ),
        "update_appearance": lambda tx: cast.update_appearance(
            tx, guild_id=1, appearance_row=theirs.appearance_row, notes="taken"
        ),
        "add_reference": lambda tx: build.reference(tx, 1, theirs.appearance_row, 5),
        "add_fingerprints": lambda tx: cast.add_fingerprints(
            tx, guild_id=1, reference_id=theirs.reference_id, fingerprints=[build.fingerprint(1)]
        ),
        "delete_character": lambda tx: cast.delete_character(
            tx, guild_id=1, character_row=theirs.character_row
        ),
        "create_panel": lambda tx: build.panel(tx, 1, theirs.series_id),
        "set_status": lambda tx: panels.set_status(
            tx, guild_id=1, panel_id=panel, status=panels.PanelStatus.FAILED, now=now
        ),
        "open_voting": lambda tx: panels.open_voting(
            tx, guild_id=1, panel_id=panel, closes_at=now, now=now
        ),
        "choose_candidate": lambda tx: panels.choose_candidate(
            tx, guild_id=1, panel_id=panel, candidate_id=candidate, now=now
        ),
        "choose_candidate of mine": lambda tx: panels.choose_candidate(
            tx, guild_id=1, panel_id=mine.panel_id, candidate_id=candidate, now=now
        ),
        "add_attempt": lambda tx: build.candidates(tx, 1, panel, theirs.job_id, 5),
        "label_candidates": lambda tx: panels.label_candidates(
            tx, guild_id=1, panel_id=panel, candidate_ids=[candidate]
        ),
        "cast_vote": lambda tx: votes.cast_vote(
            tx, guild_id=1, panel_id=panel, member_id=1, candidate_id=candidate, now=now
        ),
        "cast_vote of mine": lambda tx: votes.cast_vote(
            tx, guild_id=1, panel_id=mine.panel_id, member_id=1, candidate_id=candidate, now=now
        ),
        "open_review": lambda tx: reviews.open_review(
            tx,
            guild_id=1,
            panel_id=panel,
            candidate_id=candidate,
            flag=reviews.Flag.OFF_MODEL,
            reason="x",
            evidence_sha256=None,
            now=now,
        ),
        "decide": lambda tx: reviews.decide(
            tx,
            guild_id=1,
            review_id=theirs.review_id,
            status=reviews.ReviewStatus.APPROVED,
            decided_by=1,
            note="",
            now=now,
        ),
        "add_label": lambda tx: reviews.add_label(
            tx, guild_id=1, review_id=theirs.review_id, label="x", member_id=1, now=now
        ),
        "set_thread": lambda tx: reviews.set_thread(
            tx, guild_id=1, review_id=theirs.review_id, thread_id=1
        ),
        "put_page": lambda tx: pages.put_page(
            tx,
            guild_id=1,
            series_id=theirs.series_id,
            number=1,
            layout="x",
            panels=[],
            sha256=None,
            now=now,
        ),
        "put_page with a panel": lambda tx: pages.put_page(
            tx,
            guild_id=1,
            series_id=mine.series_id,
            number=2,
            layout="x",
            panels=[panel],
            sha256=None,
            now=now,
        ),
        "put_lettering": lambda tx: lettering.put_lettering(
            tx, guild_id=1, panel_id=panel, language="de", lines=[], now=now
        ),
        "add_sample": lambda tx: drift.add_sample(
            tx, guild_id=1, panel_id=panel, candidate_id=candidate, check=build.check(), now=now
        ),
        "add_co_owner": lambda tx: access.add_co_owner(
            tx, guild_id=1, character_row=theirs.character_row, member_id=1, now=now
        ),
        "put_rule": lambda tx: access.put_rule(
            tx,
            guild_id=1,
            character_row=theirs.character_row,
            deed=Deed.EDIT,
            rule=AccessRule(Circle.EVERYONE),
        ),
        "add_quest": lambda tx: quests.add_quest(
            tx,
            guild_id=1,
            appearance_row=theirs.appearance_row,
            view=View(ShotType.HALF),
            saving=1.0,
            basis={},
            posted_by=1,
            channel_id=None,
            now=now,
        ),
        "enqueue": lambda tx: build.job(tx, 1, panel, "foreign"),
    }


async def test_no_write_reaches_another_guilds_row(
    db: Database, build: Any, two: tuple[Any, Any]
) -> None:
    def dump(tx: sqlite3.Connection) -> list[str]:
        # A vec0 table cannot be dumped; the rows that it repeats can.
        return [
            repr(tuple(row))
            for (table,) in tx.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'vec%'"
            ).fetchall()
            for row in tx.execute(f"SELECT * FROM {table}").fetchall()
        ]

    before = await db.write(dump)
    for name, work in foreign_writes(*two, build).items():
        try:
            await db.write(work)
        except NotFound:
            continue
        pytest.fail(f"{name} was allowed")
    assert await db.write(dump) == before


async def test_cancelling_another_guilds_panel_does_nothing(
    db: Database, two: tuple[Any, Any]
) -> None:
    _, theirs = two
    answer = await db.write(
        lambda tx: jobs.request_cancel(tx, guild_id=1, panel_id=theirs.queued_panel, now=1.0)
    )
    assert answer is None
    assert (await jobs.get_job(db, 2, theirs.queued_job)).status == "queued"


async def test_the_queue_of_a_guild_shows_places_among_all_but_rows_of_its_own(
    db: Database, two: tuple[Any, Any]
) -> None:
    mine, theirs = two
    ((job, place),) = await jobs.queue_places(db, 1)
    ((other, behind),) = await jobs.queue_places(db, 2)
    assert (job.id, other.id) == (mine.queued_job, theirs.queued_job)
    assert {place.position, behind.position} == {1, 2}
