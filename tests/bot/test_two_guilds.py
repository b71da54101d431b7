"""Two guilds with the same names: no service returns the other's rows."""

import pytest
from steps import register, settled, working

from bot.services.actor import Actor
from bot.services.panels import PanelRequest
from pipeline.domain.errors import NotFound, OnModelError, WrongState

ONE = Actor(21, 1, is_moderator=True, can_manage=True)
TWO = Actor(22, 1, is_moderator=True, can_manage=True)


@pytest.fixture
async def twins(app, material):
    """The same series and cast in both guilds; each has one flagged drawing and one panel."""
    ids = {}
    for actor in (ONE, TWO):
        await app.series.create(actor, name="Twins")
        await app.series.update(actor, audit_percent=0)  # its draw is secret
        await register(app, actor, material.characters[0], references=10)
        ask = PanelRequest("Mira", f"plain. For guild {actor.guild_id}.", alternates=2, page=1)
        key = str(actor.guild_id)
        panel = await app.panels.request(actor, ask, channel_id=1, dedupe_key=key)
        other = material.characters[1].appearances[0].held_out[0].data
        drawing = await app.panels.submit(
            actor, other, characters="Mira", channel_id=1, dedupe_key=f"s{key}"
        )
        ids[actor] = (panel.panel.id, drawing.panel.id)
    async with working(app):
        for actor, pair in ids.items():
            for panel_id in pair:
                await settled(app, actor.guild_id, panel_id)
    return app, ids


async def test_lists_hold_one_guild_only(twins):
    app, ids = twins
    for actor in (ONE, TWO):
        assert (await app.series.active(actor.guild_id)).guild_id == actor.guild_id
        entries = await app.cast.entries(actor)
        assert [e.character.guild_id for e in entries] == [actor.guild_id]
        assert {a.guild_id for e in entries for a in e.appearances} == {actor.guild_id}
        suggested = await app.suggestions.characters(actor.guild_id, "")
        assert {c.guild_id for c in suggested} == {actor.guild_id}
        looks = await app.suggestions.looks(actor.guild_id, "")
        assert {a.guild_id for a in looks} == {actor.guild_id}
        assert {r.guild_id for r in await app.reviews.open(actor)} == {actor.guild_id}
        assert (await app.queue.look(actor)).entries == ()
        view = await app.panels.view(actor, ids[actor][0])
        assert {c.guild_id for c in view.candidates} == {actor.guild_id}


async def test_ids_of_the_other_guild_lead_nowhere(twins):
    app, ids = twins
    panel_id, flagged_id = ids[TWO]
    view = await app.panels.view(TWO, panel_id)
    candidate = view.candidates[0]
    (review,) = await app.reviews.open(TWO)
    evidence = review.evidence_sha256
    assert evidence is not None
    refused = [
        app.panels.view(ONE, panel_id),
        app.panels.cancel(ONE, panel_id),
        app.redraws.reroll(ONE, panel_id, dedupe_key="x"),
        app.panels.recipe(ONE, panel_id),
        app.panels.picture(ONE.guild_id, candidate.sha256),
        app.panels.picture(ONE.guild_id, evidence),
        app.votes.vote(ONE, panel_id, candidate.id),
        app.votes.close(ONE, panel_id),
        app.reviews.get(ONE.guild_id, review.id),
        app.reviews.approve(ONE, review.id),
        app.reviews.reject(ONE, review.id),
        app.reviews.retry(ONE, review.id),
        app.reviews.label(ONE, review.id, "skin"),
        app.reviews.thread_opened(ONE.guild_id, review.id, 5),
    ]
    for attempt in refused:
        with pytest.raises(NotFound):
            await attempt
    assert (await app.reviews.get(TWO.guild_id, review.id)) == review
    assert (await app.panels.view(TWO, panel_id)).tally == view.tally
    assert flagged_id == review.panel_id


async def test_pages_and_deletions_stay_at_home(twins):
    app, ids = twins
    await app.votes.vote(
        TWO, ids[TWO][0], (await app.panels.view(TWO, ids[TWO][0])).candidates[0].id
    )
    await app.votes.close(TWO, ids[TWO][0])
    page = await app.pages.compose(TWO, 1)
    assert page.panels == (ids[TWO][0],)
    for attempt in (app.pages.compose(ONE, 1), app.pages.export(ONE, "cbz")):
        with pytest.raises(WrongState):
            await attempt
    await app.cast.delete(ONE, "Mira")
    assert len(await app.cast.entries(TWO)) == 1
    assert ((await app.sheets.draw(TWO, "Mira")).png).startswith(b"\x89PNG")
    with pytest.raises(OnModelError):
        await app.sheets.draw(ONE, "Mira")
