"""Requests that contradict a model sheet, rerolls that change one part, labels that teach."""

from dataclasses import replace

import pytest
from steps import register, settled, working

from bot.app import open_app
from bot.demo.material import load_material
from bot.services.actor import Actor
from bot.services.panels import PanelRequest
from bot.services.rerolls import PanelChange
from bot.settings import Settings
from pipeline.domain.character import ShotType
from pipeline.domain.conditioning import ConditioningPlan, Step
from pipeline.domain.errors import InvalidInput, PromptConflict
from pipeline.domain.inputs import LadderPolicy
from pipeline.domain.job import JobStatus
from pipeline.generation.generators.draft import DraftGenerator
from pipeline.generation.plan import plan_for
from storage import attempts, jobs, lessons, panels

ASK = PanelRequest("Mira", "interior. Mira smiles.", alternates=1, seed=7)
ANN = Actor(10, 2)
MODERATOR = Actor(10, 1, is_moderator=True, can_manage=True)


@pytest.fixture
async def app(tmp_path, material):
    async with open_app(Settings(data_dir=tmp_path, _env_file=None)) as opened:
        await opened.series.create(MODERATOR, name="Full to the Brim")
        await opened.series.update(MODERATOR, audit_percent=0)  # its draw is secret
        for character in material.characters[:2]:
            await register(opened, MODERATOR, character, references=6)
        yield opened


async def ask(app, request=ASK, key="k"):
    return await app.panels.request(ANN, request, channel_id=7, dedupe_key=key)


async def test_a_contradiction_is_refused_before_anything_is_queued_and_says_what_to_change(app):
    with pytest.raises(PromptConflict, match=r"black hair.*Take it out"):
        await ask(app, replace(ASK, prompt="Blonde Mira waves."))
    assert await panels.list_panels(app.db, 10) == []
    assert await jobs.queued_or_running(app.db, 10, ANN.member_id) == 0


async def test_what_is_doubtful_comes_back_as_a_warning(app):
    taken = await ask(app, replace(ASK, prompt="Mira meets Oskar."))
    assert any("Oskar is registered but not in this panel" in w for w in taken.warnings)


async def test_freedom_of_style_is_part_of_the_brief_and_has_its_limits(app):
    taken = await ask(app, replace(ASK, style_freedom=0.4))
    assert taken.panel.brief.style_freedom == 0.4
    with pytest.raises(InvalidInput, match="percent"):
        await ask(app, replace(ASK, style_freedom=1.5), "k2")


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        (PanelChange(prompt="Mira winks."), "prompt", "Mira winks."),
        (PanelChange(seed=99), "seed", 99),
        (PanelChange(shot_type=ShotType.FULL), "shot_type", ShotType.FULL),
        (PanelChange(alternates=3), "alternates", 3),
        (PanelChange(hold=0.4), "hold", 0.4),
        (PanelChange(style_freedom=0.5), "style_freedom", 0.5),
    ],
)
async def test_a_reroll_changes_the_one_part_that_is_named(app, change, field, value):
    first = (await ask(app)).panel.brief
    again = (await app.redraws.reroll(ANN, 1, dedupe_key="r", change=change)).panel.brief
    assert getattr(again, field) == value
    assert replace(again, **{field: getattr(first, field)}) == first


async def test_a_reroll_of_a_drawn_panel_changes_its_recipe_and_not_a_fresh_one(app):
    taken = await ask(app)
    inputs = await inputs_of(app, taken.panel.id)
    stronger = plan_for(replace(inputs, start_strength=2), DraftGenerator(), strength=2)
    async with working(app):
        await settled(app, 10, taken.panel.id)
    # as if the accepted picture had been the third try of a climb
    await app.db.write(
        lambda tx: tx.execute("UPDATE attempt SET plan = ?", (stronger.to_json(),)).rowcount
    )
    again = await app.redraws.reroll(ANN, 1, dedupe_key="r", change=PanelChange(hold=0.3))
    assert again.panel.brief.revision is not None
    async with working(app):
        await settled(app, 10, again.panel.id)
    recipe = await app.panels.recipe(ANN, again.panel.id)
    plan = ConditioningPlan.from_json(recipe.rpartition("\n")[2])
    assert (plan.seed, plan.strength) == (stronger.seed, stronger.strength)
    first, now = stronger.cast[0].references, plan.cast[0].references
    assert [u.sha256 for u in now] == [u.sha256 for u in first]
    assert now[0].scale == pytest.approx(0.3)
    assert "Start: the same recipe, but for: hold" in recipe


async def test_the_host_says_how_far_a_panel_is_retried(tmp_path):
    settings = Settings(data_dir=tmp_path, panel_attempts=2, panel_seconds=30, _env_file=None)
    async with open_app(settings) as opened:
        await opened.series.create(MODERATOR, name="Full to the Brim")
        await opened.series.update(MODERATOR, audit_percent=0)  # its draw is secret
        mira = load_material().characters[0]
        await register(opened, MODERATOR, mira, references=2)
        taken = await ask(opened)
        policy = (await inputs_of(opened, taken.panel.id)).policy
    assert policy == LadderPolicy(max_attempts=2, max_seconds=30)


async def test_a_reference_to_draw_from_first_has_to_be_of_the_look(app):
    taken = await ask(app)
    inputs = await inputs_of(app, taken.panel.id)
    last = inputs.cast[0].references[-1].reference_id
    again = await app.redraws.reroll(ANN, 1, dedupe_key="r", change=PanelChange(reference=last))
    assert again.panel.brief.lead == (last,)
    led = plan_for(await inputs_of(app, again.panel.id), DraftGenerator(), strength=0)
    assert led.cast[0].references[0].reference_id == last
    with pytest.raises(InvalidInput, match="does not belong to mira_everyday"):
        await app.redraws.reroll(ANN, 1, dedupe_key="r2", change=PanelChange(reference=9999))
    with pytest.raises(InvalidInput, match="does not belong"):
        await ask(app, replace(ASK, reference=9999), "k2")
    with pytest.raises(InvalidInput, match="hold"):
        await app.redraws.reroll(ANN, 1, dedupe_key="r3", change=PanelChange(hold=1.2))


async def inputs_of(app, panel_id):
    """What a worker would get for a panel that waits."""
    job = await jobs.job_of_panel(app.db, 10, panel_id)
    assert job is not None
    return await app.runs.inputs_for(job)


async def test_a_reroll_without_a_change_has_a_new_seed_and_a_bad_change_is_refused(app):
    first = (await ask(app)).panel.brief
    again = (await app.redraws.reroll(ANN, 1, dedupe_key="r")).panel.brief
    assert again.seed != first.seed
    assert replace(again, seed=first.seed) == first
    with pytest.raises(PromptConflict):
        await app.redraws.reroll(ANN, 1, dedupe_key="r2", change=PanelChange("Mira, bald."))
    with pytest.raises(InvalidInput, match="alternates"):
        await app.redraws.reroll(ANN, 1, dedupe_key="r3", change=PanelChange(alternates=9))


async def test_the_recipe_is_readable_whole_and_says_what_was_left_out(app):
    taken = await ask(app)
    async with working(app):
        await settled(app, 10, taken.panel.id)
    recipe = await app.panels.recipe(ANN, taken.panel.id)
    words, _, json_line = recipe.rpartition("\n")
    plan = ConditioningPlan.from_json(json_line)
    assert plan.seed == 7
    assert "References of mira_everyday" in words
    assert "held at 0.60" in words
    assert "Left out: draft: no negative prompt" in words
    view = await app.panels.view(ANN, taken.panel.id)
    assert view.notes == ("draft: no negative prompt",)


async def test_labels_of_moderators_are_counted_and_steer_the_next_try(app, material):
    drawing = material.characters[1].appearances[0].held_out[0].data
    asked = await app.panels.submit(ANN, drawing, characters="Mira", channel_id=7, dedupe_key="s")
    async with working(app):
        await settled(app, 10, asked.panel.id)
    (review,) = await app.reviews.open(MODERATOR)
    await app.reviews.label(MODERATOR, review.id, "hair_color")
    await app.reviews.label(MODERATOR, review.id, "hair_color")  # the same one counts once
    await app.reviews.label(MODERATOR, review.id, "nothing")
    counts = await lessons.drift_counts(app.db, 10)
    assert {mode: count.labelled for mode, count in counts.items()} == {
        "hair_color": 1, "nothing": 1,
    }  # fmt: skip
    job = await jobs.job_of_panel(app.db, 10, asked.panel.id)
    assert job is not None
    assert job.status is JobStatus.DONE
    inputs = await app.runs.inputs_for(await _queued_again(app, job, strength=1))
    assert inputs.hints == ("hair_color",)
    assert inputs.drift_counts == counts


async def _queued_again(app, job, *, strength):
    """The job as a moderator's retry would bring it back."""
    await app.db.write(
        lambda tx: tx.execute("UPDATE panel SET status = 'queued' WHERE id = ?", (job.panel_id,))
    )
    return replace(job, strength=strength)


async def test_steps_of_a_climb_are_remembered_with_their_gains(app, material):
    taken = await ask(app)
    async with working(app):
        panel = await settled(app, 10, taken.panel.id)
    (candidate, *_) = await attempts.candidates_of(app.db, 10, panel.id)
    plan = await attempts.plan_of(app.db, 10, candidate.id)
    assert plan is not None
    assert [s.step for s in plan.steps] == [Step.START]
    assert await lessons.step_counts(app.db, 10) == ()  # the first try is no step
    row = await app.db.fetch_one("SELECT copy_score FROM attempt WHERE panel_id = ?", (panel.id,))
    assert row["copy_score"] > 0.5  # the draft engine pastes, and says so


async def test_a_series_that_does_not_want_it_is_not_looked_at_while_it_is_drawn(app):
    taken = await ask(app)
    job = await jobs.job_of_panel(app.db, 10, taken.panel.id)
    assert (await app.runs.inputs_for(job)).sentinel == {}, "looked at; nothing is known yet"
    await app.series.update(MODERATOR, sentinel=False)
    assert (await app.runs.inputs_for(job)).sentinel is None
