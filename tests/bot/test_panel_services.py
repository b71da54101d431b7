import asyncio
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from steps import register, settled, working

from bot.app import open_app
from bot.services.actor import Actor
from bot.services.panels import PanelRequest
from bot.settings import Settings
from pipeline.domain.errors import (
    InvalidInput,
    LimitReached,
    MissingReference,
    NotAllowed,
    NotFound,
    OnModelError,
    WrongState,
)
from pipeline.domain.job import JobStatus
from pipeline.domain.panel import BalloonKind, PanelStatus
from pipeline.domain.review import PostKind, ReviewStatus
from storage import attempts, cast, drift, jobs, outbox, panels, votes
from storage.errors import LeaseLost

ASK = PanelRequest("Mira", "interior. Mira smiles.", page=1, dialogue="Mira: Hello!")


@pytest.fixture(scope="module")
def registered(tmp_path_factory, material):
    """A data folder in which Mira is registered already; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("registered")

    async def fill():
        async with open_app(Settings(data_dir=folder, _env_file=None)) as app:
            manager = Actor(10, 1, is_moderator=True, can_manage=True)
            await app.series.create(manager, name="Full to the Brim")
            await app.series.update(manager, audit_percent=0)  # its draw is secret
            await register(app, manager, material.characters[0], references=14)

    asyncio.run(fill())
    return folder


@pytest.fixture
async def studio(registered, tmp_path):
    shutil.copytree(registered, tmp_path / "data")
    async with open_app(Settings(data_dir=tmp_path / "data", _env_file=None)) as app:
        yield app


async def _ask(app, actor, request=ASK, key="k1"):
    return await app.panels.request(actor, request, channel_id=77, dedupe_key=key)


async def _posts(app, kind):
    rows = await app.db.fetch_all("SELECT * FROM outbox WHERE kind = ?", (kind.value,))
    return [row["subject_id"] for row in rows]


async def test_a_request_is_a_receipt_with_a_place(studio, member):
    first = await _ask(studio, member)
    second = await _ask(studio, Actor(10, 3), key="k2")
    assert first.panel.status is PanelStatus.QUEUED
    assert first.place is not None
    assert second.place is not None
    assert (first.place.position, second.place.position) == (1, 2)
    line = first.panel.brief.dialogue[0]
    assert (line.speaker, line.text, line.kind) == ("ch_mira", "Hello!", BalloonKind.SPEECH)
    assert [e.panel.id for e in (await studio.queue.look(member)).entries] == [
        first.panel.id,
        second.panel.id,
    ]


async def test_the_same_interaction_twice_is_one_panel(studio, member):
    await _ask(studio, member)
    with pytest.raises(OnModelError):
        await _ask(studio, member)
    assert len(await panels.list_panels(studio.db, 10)) == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"characters": "Nobody"}, NotFound),
        ({"characters": ""}, InvalidInput),
        ({"characters": "Mira,Mira"}, InvalidInput),
        ({"characters": "Mira,a,b,c,d"}, InvalidInput),
        ({"appearance": "mira_winter"}, NotFound),
        ({"prompt": "  "}, InvalidInput),
        ({"prompt": "x" * 1001}, InvalidInput),
        ({"page": 0}, InvalidInput),
        ({"alternates": 5}, InvalidInput),
        ({"dialogue": "Oskar: Me too!"}, InvalidInput),
        ({"sketch": b"not a picture"}, InvalidInput),
    ],
)
async def test_a_bad_request_writes_nothing(studio, member, change, error):
    with pytest.raises(error):
        await _ask(studio, member, replace(ASK, **change))
    assert await panels.list_panels(studio.db, 10) == []
    assert await jobs.queue_places(studio.db, 10) == []


async def test_preflight_names_a_missing_reference(studio, manager, material):
    look = (await cast.list_appearances(studio.db, 10))[0]
    character = await cast.find_character(studio.db, 10, "Mira")
    await studio.db.write(
        lambda tx: cast.create_appearance(
            tx,
            guild_id=10,
            character_row=character.id,
            appearance_id="mira_winter",
            label="Winter",
            components={},
            palette=(),
            notes="",
            now=datetime.now(UTC),
        )
    )
    with pytest.raises(MissingReference, match="mira_winter"):
        await _ask(studio, manager, replace(ASK, appearance="mira_winter"))
    assert look.appearance_id == "mira_everyday"


async def test_the_quota_counts_a_day(studio, manager, member):
    await studio.series.update(manager, quota=2)
    await _ask(studio, member, key="a")
    await _ask(studio, member, key="b")
    with pytest.raises(LimitReached, match="2"):
        await _ask(studio, member, key="c")
    await _ask(studio, manager, key="d")  # everybody has a quota of their own


async def test_a_panel_is_drawn_checked_voted_on_and_closed(studio, manager, member):
    asked = await _ask(studio, member, replace(ASK, alternates=2))
    async with working(studio):
        panel = await settled(studio, 10, asked.panel.id)
    assert panel.status is PanelStatus.VOTING
    assert await _posts(studio, PostKind.VOTE_CARD) == [panel.id]
    view = await studio.panels.view(member, panel.id)
    assert [c.label for c in view.candidates] == ["A", "B"]
    assert view.job is not None
    assert view.job.status is JobStatus.DONE
    a, b = view.candidates
    picture = await studio.panels.picture(10, a.sha256)
    assert picture.startswith(b"\x89PNG")
    samples = await drift.samples(studio.db, 10, "ch_mira")
    assert len(samples) == 2

    with pytest.raises(WrongState, match="voted"):
        await studio.votes.close(member, panel.id)
    for voter in (5, 6, 7):
        await studio.votes.vote(Actor(10, voter), panel.id, a.id)
    for voter in (5, 6):
        tally = (await studio.votes.vote(Actor(10, voter), panel.id, b.id)).tally
    assert tally.counts == {a.id: 1, b.id: 2}
    with pytest.raises(NotAllowed):
        await studio.votes.close(Actor(10, 5), panel.id)
    closed = await studio.votes.close(member, panel.id)
    assert closed.status is PanelStatus.ACCEPTED
    assert closed.chosen_candidate == b.id
    with pytest.raises(WrongState):
        await studio.votes.vote(Actor(10, 8), panel.id, a.id)
    assert await _posts(studio, PostKind.PANEL_RESULT) == [panel.id]

    recipe = await studio.panels.recipe(member, panel.id)
    plan = await attempts.plan_of(studio.db, 10, b.id)
    assert plan is not None
    assert plan.recipe_hash in recipe

    page = await studio.pages.compose(member, 1)
    assert page.panels == (panel.id,)
    assert page.png.startswith(b"\x89PNG")
    for name, magic in (("png", b"\x89PNG"), ("cbz", b"PK"), ("pdf", b"%PDF")):
        assert (await studio.pages.export(member, name, page=1)).data.startswith(magic)


async def test_a_single_alternate_is_accepted_at_once(studio, member):
    asked = await _ask(studio, member, replace(ASK, alternates=1))
    async with working(studio):
        panel = await settled(studio, 10, asked.panel.id)
    assert panel.status is PanelStatus.ACCEPTED
    assert panel.chosen_candidate is not None


async def test_a_vote_closes_by_itself_when_its_time_is_over(studio, member):
    asked = await _ask(studio, member, replace(ASK, alternates=2))
    async with working(studio):
        panel = await settled(studio, 10, asked.panel.id)
    past = datetime.now(UTC) - timedelta(minutes=1)
    await studio.db.write(
        lambda tx: tx.execute(
            "UPDATE panel SET voting_closes_at = ? WHERE id = ?", (past.isoformat(), panel.id)
        )
    )
    assert [p.id for p in await studio.votes.close_due()] == [panel.id]
    closed = await panels.get_panel(studio.db, 10, panel.id)
    # nobody voted: the one that the check liked best wins
    assert closed.chosen_candidate == (await votes.tally(studio.db, 10, panel.id)).leader
    assert await studio.votes.close_due() == []


async def _flagged(studio, member, material):
    """Somebody else's picture under Mira's name."""
    drawing = material.characters[1].appearances[0].held_out[0].data
    asked = await studio.panels.submit(
        member, drawing, characters="Mira", page=1, channel_id=77, dedupe_key="s1"
    )
    async with working(studio):
        panel = await settled(studio, 10, asked.panel.id)
    assert panel.status is PanelStatus.REVIEW
    return panel


async def test_an_off_model_drawing_goes_to_the_moderators_once(studio, manager, member, material):
    panel = await _flagged(studio, member, material)
    (review,) = await studio.reviews.open(manager)
    assert review.panel_id == panel.id
    assert await _posts(studio, PostKind.REVIEW_THREAD) == [review.id]
    assert review.evidence_sha256 is not None
    assert (await studio.panels.picture(10, review.evidence_sha256)).startswith(b"\x89PNG")
    with pytest.raises(NotAllowed):
        await studio.reviews.open(member)
    with pytest.raises(NotAllowed):
        await studio.reviews.approve(member, review.id)
    with pytest.raises(InvalidInput):
        await studio.reviews.label(manager, review.id, "boring")
    labelled = await studio.reviews.label(manager, review.id, "hair_shape")
    assert labelled.labels == ("hair_shape",)
    with pytest.raises(WrongState, match="person drew"):
        await studio.reviews.retry(manager, review.id)
    decided = await studio.reviews.reject(manager, review.id, "not her")
    assert (decided.status, decided.decided_by) == (ReviewStatus.REJECTED, manager.member_id)
    assert (await panels.get_panel(studio.db, 10, panel.id)).status is PanelStatus.REJECTED
    with pytest.raises(WrongState):
        await studio.reviews.approve(manager, review.id)


async def test_two_moderators_at_once_decide_once(studio, manager, member, material):
    panel = await _flagged(studio, member, material)
    (review,) = await studio.reviews.open(manager)
    results = await asyncio.gather(
        studio.reviews.approve(manager, review.id),
        studio.reviews.reject(Actor(10, 9, is_moderator=True), review.id),
        return_exceptions=True,
    )
    assert sum(isinstance(r, WrongState) for r in results) == 1
    assert len(await _posts(studio, PostKind.REVIEW_DECIDED)) == 1
    status = (await panels.get_panel(studio.db, 10, panel.id)).status
    assert status in (PanelStatus.ACCEPTED, PanelStatus.REJECTED)


async def test_an_approved_drawing_is_accepted(studio, manager, member, material):
    panel = await _flagged(studio, member, material)
    (review,) = await studio.reviews.open(manager)
    await studio.reviews.approve(manager, review.id)
    accepted = await panels.get_panel(studio.db, 10, panel.id)
    assert accepted.status is PanelStatus.ACCEPTED
    assert accepted.chosen_candidate == review.candidate_id
    assert (await studio.pages.compose(member, 1)).panels == (panel.id,)


async def test_a_waiting_panel_is_cancelled_at_once(studio, manager, member):
    asked = await _ask(studio, member)
    with pytest.raises(NotAllowed):
        await studio.panels.cancel(Actor(10, 99), asked.panel.id)
    cancelled = await studio.panels.cancel(member, asked.panel.id)
    assert cancelled.status is PanelStatus.CANCELLED
    with pytest.raises(WrongState):
        await studio.panels.cancel(member, asked.panel.id)


async def test_reroll_is_a_new_panel_with_another_seed(studio, member):
    asked = await _ask(studio, member)
    again = await studio.redraws.reroll(member, asked.panel.id, dedupe_key="other")
    assert again.panel.id != asked.panel.id
    assert again.panel.brief.seed != asked.panel.brief.seed
    assert replace(again.panel.brief, seed=0) == replace(asked.panel.brief, seed=0)


async def test_a_late_result_of_a_lost_lease_writes_nothing(studio, member):
    asked = await _ask(studio, member)

    def claim(tx, now):
        return jobs.claim(tx, owner="one", lease_seconds=5, now=now)

    now = datetime.now(UTC).timestamp()
    late = await studio.db.write(lambda tx: claim(tx, now))
    await studio.db.write(lambda tx: jobs.requeue_expired(tx, now=now + 60, max_crashes=3))
    fresh = await studio.db.write(lambda tx: claim(tx, now + 61))
    assert fresh.fence > late.fence
    with pytest.raises(LeaseLost):
        await studio.runs.fail(late, OnModelError("too late"))
    panel = await panels.get_panel(studio.db, 10, asked.panel.id)
    assert panel.status is not PanelStatus.FAILED
    assert await outbox.pending_count(studio.db) == 0


async def test_a_character_deleted_meanwhile_fails_the_panel_in_words(studio, manager, member):
    asked = await _ask(studio, member)
    await studio.cast.delete(manager, "Mira")
    async with working(studio):
        panel = await settled(studio, 10, asked.panel.id)
    assert panel.status is PanelStatus.FAILED
    assert panel.failure
    assert await _posts(studio, PostKind.PANEL_FAILED) == [panel.id]
