"""What each repository promises beyond keeping guilds apart."""

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pipeline.domain.errors import AlreadyExists, EncoderMismatch, NotFound, WrongState
from pipeline.domain.fingerprint import CropClass, EncoderKey
from pipeline.domain.panel import PanelStatus
from pipeline.domain.quality import Flag, Threshold, ThresholdKey
from pipeline.domain.review import Posted, PostKind, ReviewStatus
from storage import cast, drift, guilds, outbox, pages, panels, reviews, votes
from storage.database import Database
from storage.times import from_text, to_seconds, to_text


@pytest.fixture
async def made(db: Database, build: Any) -> Any:
    return await db.write(lambda tx: build.everything(tx, 1))


# Moments


def test_moments_are_utc_text_whose_order_is_time() -> None:
    tokyo = timezone(timedelta(hours=9))
    late = datetime(2031, 1, 1, 9, 0, 1, tzinfo=tokyo)
    early = datetime(2031, 1, 1, 0, 0, 0, 999999, tzinfo=UTC)
    assert to_text(early) < to_text(late)
    assert from_text(to_text(late)) == late
    assert to_text(late.timestamp()) == to_text(late)
    assert to_seconds(late) == late.timestamp()
    assert to_seconds(5) == 5.0
    for convert in (to_text, to_seconds):
        with pytest.raises(ValueError, match="time zone"):
            convert(datetime(2031, 1, 1))  # noqa: DTZ001 - that is the point


# Settings and series


async def test_settings_are_replaced(db: Database) -> None:
    assert await guilds.get_setting(db, "tree") is None
    await db.write(lambda tx: guilds.put_setting(tx, "tree", "1"))
    await db.write(lambda tx: guilds.put_setting(tx, "tree", "2"))
    assert await guilds.get_setting(db, "tree") == "2"


async def test_the_newest_series_is_active_and_names_are_taken_once(
    db: Database, build: Any
) -> None:
    with pytest.raises(NotFound, match="/series create"):
        await cast.active_series(db, 1)
    first = await db.write(lambda tx: build.guild(tx, 1))

    def create(tx: sqlite3.Connection, name: str) -> int:
        return cast.create_series(
            tx,
            guild_id=1,
            name=name,
            style="",
            reading_direction=cast_direction,
            color_mode=cast_mode,
            created_by=1,
            now=build.now,
        )

    series = await cast.active_series(db, 1)
    cast_direction, cast_mode = series.reading_direction, series.color_mode
    assert (series.id, series.slug, series.alternates, series.quota) == (first, "rain_city", 2, 20)
    with pytest.raises(AlreadyExists):
        await db.write(lambda tx: create(tx, "RAIN city"))
    second = await db.write(lambda tx: create(tx, "Rain-City"))
    third = await db.write(lambda tx: create(tx, "雨の街"))
    slugs = {s.id: s.slug for s in await cast.list_series(db, 1)}
    assert slugs == {first: "rain_city", second: "rain_city_2", third: "series"}
    assert (await cast.active_series(db, 1)).id == third


async def test_only_given_series_settings_change(db: Database, made: Any) -> None:
    await db.write(
        lambda tx: cast.update_series(
            tx, guild_id=1, series_id=made.series_id, quota=5, moderator_role_id=1 << 62
        )
    )
    series = await cast.active_series(db, 1)
    assert (series.quota, series.moderator_role_id, series.style) == (5, 1 << 62, "ink")
    await db.write(
        lambda tx: cast.update_series(
            tx, guild_id=1, series_id=made.series_id, moderator_role_id=None
        )
    )
    assert (await cast.active_series(db, 1)).moderator_role_id is None
    with pytest.raises(TypeError, match="created_by"):
        await db.write(
            lambda tx: cast.update_series(tx, guild_id=1, series_id=made.series_id, created_by=3)
        )
    with pytest.raises(sqlite3.IntegrityError):
        await db.write(
            lambda tx: cast.update_series(tx, guild_id=1, series_id=made.series_id, quota=0)
        )


# Cast


@pytest.mark.parametrize("key", ["ch_akira", "CH_AKIRA", "akira", " Akira ", "ＡＫＩＲＡ"])
async def test_characters_are_found_whatever_the_capitals(
    db: Database, made: Any, key: str
) -> None:
    assert (await cast.find_character(db, 1, key)).id == made.character_row


async def test_not_found_names_near_matches(db: Database, made: Any) -> None:
    with pytest.raises(NotFound, match=r"Did you mean Akira \(ch_akira\)\?"):
        await cast.find_character(db, 1, "Akria")
    with pytest.raises(NotFound, match="/character list"):
        await cast.find_character(db, 1, "Zoe")


async def test_two_characters_of_one_name_are_told_apart_by_id(
    db: Database, build: Any, made: Any
) -> None:
    def twin(tx: sqlite3.Connection) -> int:
        return cast.create_character(
            tx,
            guild_id=1,
            series_id=made.series_id,
            character_id="ch_akira_2",
            name="AKIRA",
            owner_id=1,
            notes="",
            height_ratio=1.0,
            now=build.now,
        )

    row = await db.write(twin)
    with pytest.raises(NotFound, match="ch_akira, ch_akira_2"):
        await cast.find_character(db, 1, "akira")
    assert (await cast.find_character(db, 1, "ch_akira_2")).id == row
    with pytest.raises(AlreadyExists, match="add-reference"):
        await db.write(twin)


async def test_suggestions_put_beginnings_first(db: Database, build: Any, made: Any) -> None:
    for name in ("Mika", "Karin", "Aki", "Straße"):
        await db.write(lambda tx, n=name: build.character(tx, 1, made.series_id, n))

    async def names(prefix: str, limit: int = 25) -> list[str]:
        return [c.name for c in await cast.suggest_characters(db, 1, prefix, limit)]

    assert await names("ki") == ["Aki", "Akira"]
    assert await names("ka") == ["Karin", "Mika"]
    assert await names("STRASSE") == ["Straße"]
    assert await names("%") == []
    assert await names("", 2) == ["Aki", "Akira"]
    assert [c.name for c in await cast.list_characters(db, 1)] == [
        "Aki",
        "Akira",
        "Karin",
        "Mika",
        "Straße",
    ]


async def test_appearances_keep_what_is_not_changed(db: Database, made: Any) -> None:
    await db.write(
        lambda tx: cast.update_appearance(
            tx, guild_id=1, appearance_row=made.appearance_row, palette=["#ffffff", "#000000"]
        )
    )
    appearance = await cast.find_appearance(db, 1, "AKIRA_s1_school")
    assert appearance.palette == ("#ffffff", "#000000")
    assert appearance.components == {"hair_color": "navy"}
    await db.write(
        lambda tx: cast.update_appearance(
            tx, guild_id=1, appearance_row=made.appearance_row, components={}, notes="n"
        )
    )
    (appearance,) = await cast.list_appearances(db, 1, made.character_row)
    assert (dict(appearance.components), appearance.notes) == ({}, "n")
    with pytest.raises(NotFound):
        await cast.find_appearance(db, 1, "akira_s2")


async def test_a_picture_is_registered_once_per_appearance(
    db: Database, build: Any, made: Any
) -> None:
    with pytest.raises(AlreadyExists):
        await db.write(lambda tx: build.reference(tx, 1, made.appearance_row, 1000))
    second = await db.write(lambda tx: build.reference(tx, 1, made.appearance_row, 7))
    assert [r.id for r in await cast.list_references(db, 1, made.appearance_row)] == [
        made.reference_id,
        second,
    ]
    reference = await cast.get_reference(db, 1, second)
    assert (reference.sha256, reference.canon) == (build.sha(7), True)
    hashes = await cast.reference_hashes(db, 1)
    assert [(r.id, who, h) for r, who, h in hashes] == [
        (made.reference_id, "ch_akira", build.hashes(1000)),
        (second, "ch_akira", build.hashes(7)),
    ]


async def test_thresholds_are_replaced_by_key(db: Database, build: Any, made: Any) -> None:
    (first,) = await cast.thresholds_of(db, 1, made.appearance_row)
    other = ThresholdKey(
        first.key.appearance_id, first.key.encoders, CropClass.FIGURE, first.key.color_mode
    )
    for threshold in (Threshold(first.key, 0.5, "verdicts", 9), Threshold(other, 0.6, "x", 1)):
        await db.write(
            lambda tx, t=threshold: cast.put_threshold(
                tx, guild_id=1, appearance_row=made.appearance_row, threshold=t, now=build.now
            )
        )
    assert await cast.thresholds_of(db, 1, made.appearance_row) == (
        Threshold(first.key, 0.5, "verdicts", 9),
        Threshold(other, 0.6, "x", 1),
    )
    wrong = ThresholdKey("someone_else", "e", CropClass.HEAD, first.key.color_mode)
    with pytest.raises(NotFound):
        await db.write(
            lambda tx: cast.put_threshold(
                tx,
                guild_id=1,
                appearance_row=made.appearance_row,
                threshold=Threshold(wrong, 0.5, "x", 1),
                now=build.now,
            )
        )


async def test_fingerprints_come_back_as_they_were(db: Database, build: Any, made: Any) -> None:
    other = EncoderKey("structure:v2", "ff", 3)
    await db.write(
        lambda tx: cast.add_fingerprints(
            tx,
            guild_id=1,
            reference_id=made.reference_id,
            fingerprints=[build.fingerprint(3, CropClass.FIGURE, encoder=other)],
        )
    )
    found = (await cast.fingerprints_of(db, 1, made.appearance_row))[made.reference_id]
    assert [(f.crop, str(f.embedding.encoder)) for f in found] == [
        (CropClass.HEAD, "palette:0123abcd:1"),
        (CropClass.FIGURE, "structure:v2:ff:3"),
    ]
    assert found[0].embedding.similarity(build.fingerprint(1000).embedding) == pytest.approx(1.0)
    with pytest.raises(EncoderMismatch):
        found[0].embedding.similarity(found[1].embedding)


async def test_deleting_a_character_returns_the_pictures_that_nothing_shows(
    db: Database, build: Any, made: Any
) -> None:
    shared = build.sha(1200)  # also a candidate of a panel

    def prepare(tx: sqlite3.Connection) -> tuple[int, int]:
        build.reference(tx, 1, made.appearance_row, 1200)
        return build.character(tx, 1, made.series_id, "Beni")

    beni, beni_look = await db.write(prepare)
    await db.write(lambda tx: build.reference(tx, 1, beni_look, 77))
    gone = await db.write(
        lambda tx: cast.delete_character(tx, guild_id=1, character_row=made.character_row)
    )
    delivered = build.sha(1095)  # for a quest, and not decided on yet
    assert gone == [build.sha(1000), delivered]
    assert shared not in gone
    assert [c.id for c in await cast.list_characters(db, 1)] == [beni]
    assert await drift.samples(db, 1, "ch_akira") == []
    for table in ("reference", "appearance"):
        rows = await db.fetch_all(f"SELECT * FROM {table}")
        assert len(rows) == 1, table
    assert await db.fetch_all("SELECT * FROM fingerprint") == []
    assert await db.fetch_all("SELECT * FROM threshold") == []
    with pytest.raises(NotFound):
        await db.write(
            lambda tx: cast.delete_character(tx, guild_id=1, character_row=made.character_row)
        )


# Panels and candidates


async def test_panels_are_listed_in_the_order_of_telling(
    db: Database, build: Any, made: Any
) -> None:
    on_two = await db.write(lambda tx: build.panel(tx, 1, made.series_id, page=2))
    everything = [panel.id for panel in await panels.list_panels(db, 1)]
    assert everything == sorted(everything)
    assert len(everything) == 4
    assert [p.id for p in await panels.list_panels(db, 1, page=2)] == [on_two]
    assert [p.id for p in await panels.list_panels(db, 1, status=PanelStatus.VOTING)] == [
        made.panel_id
    ]
    assert [p.id for p in await panels.list_panels(db, 1, limit=2)] == everything[-2:]
    assert (await panels.get_panel(db, 1, on_two)).brief == build.brief(2)


async def test_states_move_only_from_where_they_may(db: Database, build: Any, made: Any) -> None:
    panel, now = made.queued_panel, build.now + timedelta(minutes=1)

    def move(
        tx: sqlite3.Connection, to: PanelStatus, expected: set[PanelStatus], why: str | None = None
    ) -> None:
        panels.set_status(
            tx,
            guild_id=1,
            panel_id=panel,
            status=to,
            expected=expected,
            failure=why,
            now=now,
        )

    await db.write(
        lambda tx: move(tx, PanelStatus.FAILED, {PanelStatus.QUEUED}, "The engine is away.")
    )
    stored = await panels.get_panel(db, 1, panel)
    assert (stored.status, stored.failure) == (PanelStatus.FAILED, "The engine is away.")
    assert stored.updated_at == now
    with pytest.raises(WrongState, match="failed already"):
        await db.write(lambda tx: move(tx, PanelStatus.RUNNING, {PanelStatus.QUEUED}))
    with pytest.raises(WrongState):
        await db.write(
            lambda tx: panels.open_voting(tx, guild_id=1, panel_id=panel, closes_at=now, now=now)
        )


async def test_choosing_accepts_and_only_what_the_panel_has(
    db: Database, build: Any, made: Any
) -> None:
    def choose(tx: sqlite3.Connection, candidate_id: int) -> None:
        panels.choose_candidate(
            tx, guild_id=1, panel_id=made.panel_id, candidate_id=candidate_id, now=build.now
        )

    with pytest.raises(NotFound):
        await db.write(lambda tx: choose(tx, made.candidate_ids[2]))  # of the other panel
    await db.write(lambda tx: choose(tx, made.candidate_ids[1]))
    panel = await panels.get_panel(db, 1, made.panel_id)
    assert (panel.status, panel.chosen_candidate) == (PanelStatus.ACCEPTED, made.candidate_ids[1])
    assert list(await panels.panel_hashes(db, 1)) == [f"panel {made.panel_id}"]
    assert await panels.panel_hashes(db, 1, except_panels=[made.panel_id]) == {}
    await db.write(
        lambda tx: panels.set_status(
            tx, guild_id=1, panel_id=made.panel_id, status=PanelStatus.CANCELLED, now=build.now
        )
    )
    with pytest.raises(WrongState):
        await db.write(lambda tx: choose(tx, made.candidate_ids[1]))


async def test_candidates_carry_report_recipe_and_letters(
    db: Database, build: Any, made: Any
) -> None:
    found = await panels.candidates_of(db, 1, made.panel_id)
    assert [(c.id, c.label, c.attempt, c.seconds) for c in found] == [
        (made.candidate_ids[0], "A", 1, 2.5),
        (made.candidate_ids[1], "B", 1, 2.5),
    ]
    attempt = build.attempt()
    assert found[0].report == attempt.candidates[0].report
    assert panels.figures_from_json(found[0].figures) == attempt.candidates[0].candidate.figures
    assert await panels.plan_of(db, 1, found[0].id) == attempt.plan
    await db.write(
        lambda tx: panels.label_candidates(
            tx, guild_id=1, panel_id=made.panel_id, candidate_ids=[made.candidate_ids[1]]
        )
    )
    labelled = await panels.candidates_of(db, 1, made.panel_id, labelled_only=True)
    assert [(c.id, c.label) for c in labelled] == [(made.candidate_ids[1], "A")]
    assert (await panels.get_candidate(db, 1, made.candidate_ids[0])).label is None


async def test_labels_and_blobs_are_counted(db: Database, build: Any, made: Any) -> None:
    twice = [made.candidate_ids[0]] * 2
    with pytest.raises(ValueError, match="different"):
        await db.write(
            lambda tx: panels.label_candidates(
                tx, guild_id=1, panel_id=made.panel_id, candidate_ids=twice
            )
        )
    with pytest.raises(ValueError, match="1 blobs"):
        await db.write(
            lambda tx: panels.add_attempt(
                tx,
                guild_id=1,
                panel_id=made.reviewed_panel,
                job_id=made.job_id,
                attempt=build.attempt(number=2),
                image_shas=[build.sha(1)],
                now=build.now,
            )
        )


# Reviews


async def test_one_open_review_per_panel_decided_once(db: Database, build: Any, made: Any) -> None:
    def again(tx: sqlite3.Connection) -> int:
        return reviews.open_review(
            tx,
            guild_id=1,
            panel_id=made.reviewed_panel,
            candidate_id=made.candidate_ids[3],
            flag=Flag.CANNOT_JUDGE,
            reason="r",
            evidence_sha256=build.sha(4),
            now=build.now,
        )

    def decide(tx: sqlite3.Connection, status: ReviewStatus) -> None:
        reviews.decide(
            tx,
            guild_id=1,
            review_id=made.review_id,
            status=status,
            decided_by=61,
            note="fine",
            now=build.now,
        )

    with pytest.raises(AlreadyExists):
        await db.write(again)
    with pytest.raises(ValueError, match="no decision"):
        await db.write(lambda tx: decide(tx, ReviewStatus.OPEN))
    await db.write(lambda tx: decide(tx, ReviewStatus.APPROVED))
    with pytest.raises(WrongState, match="approved"):
        await db.write(lambda tx: decide(tx, ReviewStatus.REJECTED))
    review = await reviews.get_review(db, 1, made.review_id)
    assert (review.status, review.decided_by, review.note) == (ReviewStatus.APPROVED, 61, "fine")
    assert review.decided_at == build.now
    assert await reviews.open_reviews(db, 1) == []
    second = await db.write(again)
    latest = await reviews.review_of_panel(db, 1, made.reviewed_panel)
    assert latest is not None
    assert (latest.id, latest.flag, latest.labels) == (second, Flag.CANNOT_JUDGE, ())
    assert await reviews.review_of_panel(db, 1, made.panel_id) is None


async def test_labels_and_threads_of_a_review(db: Database, build: Any, made: Any) -> None:
    def work(tx: sqlite3.Connection) -> None:
        for label in ("eyes", "hair", 'a "quoted" one'):
            reviews.add_label(
                tx, guild_id=1, review_id=made.review_id, label=label, member_id=2, now=build.now
            )
        reviews.set_thread(tx, guild_id=1, review_id=made.review_id, thread_id=99)

    await db.write(work)
    (review,) = await reviews.open_reviews(db, 1)
    assert review.labels == ("hair", "other: hat", "eyes", 'a "quoted" one')
    assert (review.thread_id, review.requester_id) == (99, 21)


# Votes


async def test_one_vote_per_person_changeable_until_closed(
    db: Database, build: Any, made: Any
) -> None:
    a, b = made.candidate_ids[:2]

    def vote(tx: sqlite3.Connection, member: int, candidate: int) -> None:
        votes.cast_vote(
            tx,
            guild_id=1,
            panel_id=made.panel_id,
            member_id=member,
            candidate_id=candidate,
            now=build.now,
        )

    tally = await votes.tally(db, 1, made.panel_id)
    assert (dict(tally.counts), tally.leader, tally.voters) == ({a: 1, b: 0}, a, 1)
    await db.write(lambda tx: vote(tx, 41, b))
    tally = await votes.tally(db, 1, made.panel_id)
    assert (dict(tally.counts), tally.leader, tally.voters) == ({a: 0, b: 1}, b, 1)
    with pytest.raises(NotFound):
        await db.write(lambda tx: vote(tx, 41, made.candidate_ids[2]))
    assert await db.write(lambda tx: votes.count_in(tx, made.panel_id)) == tally
    await db.write(
        lambda tx: panels.choose_candidate(
            tx, guild_id=1, panel_id=made.panel_id, candidate_id=b, now=build.now
        )
    )
    with pytest.raises(WrongState, match="closed"):
        await db.write(lambda tx: vote(tx, 42, a))


@pytest.mark.parametrize(
    ("margins", "ballots", "leader"),
    [
        ((0.1, 0.2, 0.3), [0, 0, 1], 0),
        ((0.1, 0.2, 0.3), [0, 1], 1),
        ((0.2, 0.2, 0.1), [0, 1], 0),
        ((None, 0.2, 0.1), [0, 1], 1),
        ((None, None, None), [], 0),
        ((0.1, 0.2, -0.3), [], 1),
    ],
    ids=["votes", "margin", "label", "no margin", "nobody, nothing", "nobody"],
)
async def test_the_leader_has_votes_then_margin_then_letter(
    db: Database,
    build: Any,
    made: Any,
    margins: tuple[float | None, ...],
    ballots: list[int],
    leader: int,
) -> None:
    def work(tx: sqlite3.Connection) -> list[int]:
        ids = panels.add_attempt(
            tx,
            guild_id=1,
            panel_id=made.reviewed_panel,
            job_id=made.job_id,
            attempt=build.attempt(margins, number=2),
            image_shas=[build.sha(n) for n in range(len(margins))],
            now=build.now,
        )
        where = {"guild_id": 1, "panel_id": made.reviewed_panel, "now": build.now}
        panels.label_candidates(tx, guild_id=1, panel_id=made.reviewed_panel, candidate_ids=ids)
        panels.open_voting(tx, closes_at=build.now, **where)
        for member, choice in enumerate(ballots, 1):
            votes.cast_vote(tx, member_id=member, candidate_id=ids[choice], **where)
        return ids

    ids = await db.write(work)
    tally = await votes.tally(db, 1, made.reviewed_panel)
    assert tally.leader == ids[leader]
    assert tally.voters == len(ballots)


async def test_votes_fall_due_across_guilds(db: Database, build: Any, made: Any) -> None:
    await db.write(lambda tx: build.everything(tx, 2))
    assert await votes.due_votes(db, build.now - timedelta(hours=2)) == []
    due = await votes.due_votes(db, build.now)
    assert {panel.guild_id for panel in due} == {1, 2}


# Pages and drift


async def test_a_page_is_replaced_by_number(db: Database, build: Any, made: Any) -> None:
    def put(tx: sqlite3.Connection, number: int, layout: str) -> int:
        return pages.put_page(
            tx,
            guild_id=1,
            series_id=made.series_id,
            number=number,
            layout=layout,
            panels=[made.panel_id, made.reviewed_panel],
            sha256=build.sha(3),
            now=build.now,
        )

    await db.write(lambda tx: put(tx, 3, "splash"))
    first = await pages.get_page(db, 1, made.series_id, 1)
    assert await db.write(lambda tx: put(tx, 1, "grid")) == first.id
    page = await pages.get_page(db, 1, made.series_id, 1)
    assert (page.layout, page.panels, page.sha256) == (
        "grid",
        (made.panel_id, made.reviewed_panel),
        build.sha(3),
    )
    assert [p.number for p in await pages.list_pages(db, 1, made.series_id)] == [1, 3]
    with pytest.raises(NotFound, match="/page compose"):
        await pages.get_page(db, 1, made.series_id, 2)


async def test_drift_is_told_oldest_first(db: Database, build: Any, made: Any) -> None:
    def add(tx: sqlite3.Connection, similarity: float | None) -> bool:
        return drift.add_sample(
            tx,
            guild_id=1,
            panel_id=made.panel_id,
            candidate_id=made.candidate_ids[0],
            check=build.check(similarity),
            now=build.now,
        )

    assert await db.write(lambda tx: add(tx, 0.5))
    assert not await db.write(lambda tx: add(tx, None))
    assert [s.similarity for s in await drift.samples(db, 1, "ch_akira")] == [0.9, 0.5]
    assert [s.similarity for s in await drift.samples(db, 1, last=1)] == [0.5]
    assert await drift.samples(db, 1, "ch_beni") == []
    (_, sample, _) = await drift.samples(db, 1)
    assert (sample.at, dict(sample.segments)) == (build.now, {"palette": 0.9})


# Outbox


class Box:
    def __init__(self, tx: sqlite3.Connection, build: Any) -> None:
        self.tx = tx
        build.guild(tx, 1)

    def owe(self, subject: int, key: str, kind: PostKind = PostKind.VOTE_CARD) -> bool:
        return outbox.owe(
            self.tx,
            guild_id=1,
            kind=kind,
            subject_id=subject,
            dedupe_key=key,
            payload={"é": [1]},
            now=100.0,
        )

    def take(self, now: float, limit: int = 10) -> list[tuple[str, int]]:
        return [(i.dedupe_key, i.tries) for i in outbox.take_due(self.tx, now=now, limit=limit)]


@pytest.fixture
def box(tx: sqlite3.Connection, build: Any) -> Box:
    return Box(tx, build)


def test_a_post_is_owed_once(box: Box) -> None:
    assert box.owe(1, "a")
    assert not box.owe(1, "a")
    (item,) = outbox.take_due(box.tx, now=100.0)
    assert (item.kind, item.subject_id, item.tries) == (PostKind.VOTE_CARD, 1, 0)
    assert item.payload == {"é": [1]}


def test_tries_are_counted_before_the_post_and_come_back_later(box: Box) -> None:
    box.owe(1, "a")
    box.owe(2, "b")
    assert box.take(99.0) == []
    assert box.take(100.0, limit=1) == [("a", 0)]
    assert box.take(100.0) == [("b", 0)]
    assert box.take(129.0) == []
    assert box.take(131.0) == [("a", 1), ("b", 1)]
    assert box.take(131.0 + 59) == []
    assert box.take(131.0 + 61) == [("a", 2), ("b", 2)]
    for _ in range(30):
        box.tx.execute("UPDATE outbox SET tries = tries + 1")
    box.take(1e6)
    assert box.take(1e6 + 599) == []
    assert len(box.take(1e6 + 601)) == 2


def test_posted_and_given_up_items_rest(box: Box) -> None:
    box.owe(1, "a")
    box.owe(2, "b")
    first, second = outbox.take_due(box.tx, now=100.0)
    outbox.mark_posted(box.tx, item_id=first.id, posted=Posted(5, 6, 7), now=101.0)
    outbox.mark_failed(box.tx, item_id=second.id, error="Missing Access", now=101.0, give_up=True)
    assert box.take(1e9) == []
    rows = box.tx.execute("SELECT status, error FROM outbox ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [("posted", None), ("dead", "Missing Access")]


def test_a_failed_try_is_repeated_soon(box: Box) -> None:
    box.owe(1, "a")
    (item,) = outbox.take_due(box.tx, now=100.0)
    outbox.mark_failed(box.tx, item_id=item.id, error="503", now=100.0, give_up=False)
    assert box.take(101.0) == []
    assert box.take(102.5) == [("a", 1)]


def test_at_a_start_everything_pending_is_due(box: Box) -> None:
    box.owe(1, "a")
    box.owe(2, "b")
    box.take(100.0, limit=1)
    assert outbox.resume(box.tx, now=101.0) == 2
    assert sorted(box.take(101.0)) == [("a", 1), ("b", 0)]


def test_posts_about_one_panel_keep_their_order(box: Box) -> None:
    box.owe(1, "card", PostKind.VOTE_CARD)
    box.owe(1, "result", PostKind.PANEL_RESULT)
    box.owe(1, "thread", PostKind.REVIEW_THREAD)  # about review 1, not about panel 1
    box.owe(1, "decided", PostKind.REVIEW_DECIDED)
    first = outbox.take_due(box.tx, now=100.0)
    assert [item.dedupe_key for item in first] == ["card", "thread"]
    assert box.take(100.0) == []
    outbox.mark_posted(box.tx, item_id=first[0].id, posted=Posted(1, 2), now=100.0)
    assert box.take(100.0) == [("result", 0)]
    outbox.mark_failed(box.tx, item_id=first[1].id, error="x", now=100.0, give_up=True)
    assert box.take(100.0) == [("decided", 0)]


async def test_posts_are_found_again(db: Database, made: Any) -> None:
    assert await outbox.posts_of(db, 1, PostKind.VOTE_CARD, made.panel_id) == [Posted(31, 1000)]
    assert await outbox.posts_of(db, 1, PostKind.REVIEW_THREAD, made.review_id) == []
    assert await outbox.pending_count(db) == 1
