"""A request that contradicts a model sheet, and a reroll that changes one part, on Discord."""

import json

from studio import Studio, answer, text_of

from pipeline.domain.panel import PlanPart
from storage.panels import get_panel


async def test_a_contradiction_is_answered_with_what_to_change_and_nothing_is_queued(
    studio: Studio,
):
    await studio.register()
    await studio.ann.slash(
        studio.channel, "character edit", character="Akira", components="hair_color=navy"
    )
    refused = await studio.ann.slash(
        studio.channel, "panel request", characters="Akira", prompt="Blonde Akira runs."
    )
    assert "navy hair" in answer(refused)
    assert "Take it out" in answer(refused)
    await studio.quiet()
    assert studio.public() == []
    taken = await studio.ann.slash(
        studio.channel, "panel request", characters="Akira", prompt="Akira, not blonde, runs."
    )
    assert "number 1" in answer(taken)
    await studio.quiet()


async def test_a_reroll_changes_the_words_and_keeps_the_seed(studio: Studio):
    await studio.register()
    await studio.posted(prompt="At the harbour.")
    rerolled = await studio.bob.slash(
        studio.channel, "panel reroll", panel=1, prompt="At the station.", alternates=1
    )
    assert "number 2" in answer(rerolled)
    await studio.quiet()
    assert "At the station." in text_of(studio.card())
    first, second = [await _plan(studio, number) for number in (1, 2)]
    assert first["seed"] == second["seed"]
    assert second["alternates"] == 1


async def test_a_reroll_can_hold_references_differently_and_knows_whose_they_are(studio: Studio):
    await studio.register()
    await studio.posted(prompt="At the harbour.")
    taken = await studio.bob.slash(studio.channel, "panel reroll", panel=1, hold=35)
    assert "number 2" in answer(taken)
    brief = (await get_panel(studio.bot.app.db, studio.guild.id, 2)).brief
    assert brief.hold == 0.35
    assert brief.revision is not None
    assert brief.revision.changed == (PlanPart.HOLD,)
    refused = await studio.bob.slash(studio.channel, "panel reroll", panel=1, reference=4711)
    assert "does not belong to" in answer(refused)
    await studio.quiet()


async def _plan(studio: Studio, number: int) -> dict:
    """The plan that a recipe carries as a file."""
    shown = await studio.bob.slash(studio.channel, "panel recipe", panel=number)
    assert shown.response is not None
    (attachment,) = shown.response.attachments
    return json.loads(await attachment.read())
