from dataclasses import replace

import pytest

from pipeline.domain.conditioning import Step, StepTaken
from pipeline.domain.evidence import DriftCount, StepCount
from storage import attempts, lessons


@pytest.fixture
async def made(db, build):
    return await db.write(lambda tx: build.everything(tx, 1))


async def _add(db, build, made, gain, *steps, number=2):
    one = build.attempt((0.1,), number)
    attempt = replace(one, plan=replace(one.plan, steps=steps), gain=gain)
    job = await db.fetch_one("SELECT id, panel_id FROM job WHERE guild_id = 1 LIMIT 1", ())
    await db.write(
        lambda tx: attempts.add_attempt(
            tx, guild_id=1, panel_id=job["panel_id"], job_id=job["id"], attempt=attempt,
            image_shas=[build.sha(900)], now=build.now,
        )
    )  # fmt: skip


async def test_steps_are_counted_with_what_they_gained(db, build, made):
    before = {(c.mode, c.step): c for c in await lessons.step_counts(db, 1)}
    swap = StepTaken(Step.SWAP_REFERENCE, "", "outfit")
    await _add(db, build, made, 0.25, swap, number=2)
    await _add(db, build, made, -0.5, swap, number=3)
    after = {(c.mode, c.step): c for c in await lessons.step_counts(db, 1)}
    assert ("outfit", Step.SWAP_REFERENCE) not in before
    expected = StepCount("outfit", Step.SWAP_REFERENCE, "draft", 2, 1, -0.25)
    assert after["outfit", Step.SWAP_REFERENCE] == expected
    assert {k: v for k, v in after.items() if k in before} == before


async def test_an_attempt_without_a_measured_gain_teaches_no_step(db, build, made):
    before = await lessons.step_counts(db, 1)
    await _add(db, build, made, None, StepTaken(Step.CHANGE_SEED, ""))
    assert await lessons.step_counts(db, 1) == before


async def test_words_count_as_shown_and_as_helpful_only_when_they_gained(db, build, made):
    start = (await lessons.drift_counts(db, 1))["hair_color"]
    raised = StepTaken(Step.RAISE_NEGATIVE, "", "hair_color")
    await _add(db, build, made, 0.2, raised, number=2)
    await _add(db, build, made, -0.2, raised, number=3)
    await _add(db, build, made, 0.2, StepTaken(Step.CHANGE_SEED, ""), number=4)
    now = (await lessons.drift_counts(db, 1))["hair_color"]
    assert (now.shown - start.shown, now.helped - start.helped) == (3, 1)


async def test_labels_are_counted(db, build, made):
    for _ in range(2):
        await db.write(lambda tx: lessons.count_label(tx, guild_id=1, mode="age"))
    assert (await lessons.drift_counts(db, 1))["age"] == DriftCount("age", 0, 0, 2)


async def test_an_attempt_that_goes_takes_its_steps_with_it(db, build, made):
    assert await lessons.step_counts(db, 1)
    await db.write(lambda tx: tx.execute("DELETE FROM attempt WHERE guild_id = 1"))
    assert await lessons.step_counts(db, 1) == ()
