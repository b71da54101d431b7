"""Stories of what is done with a panel that was seen: remix, vary, use it, cancel one that waits."""

from pathlib import Path

import discord
import pytest
from discord_contract import walk
from studio import Studio, answer, enabled, labels_of, picture, raw, text_of

from cogs.ui import ids
from cogs.ui.card import Card, button
from pipeline.domain.panel import PlanPart
from storage import panels
from storage.attempts import candidates_of, get_candidate

CAST = Path(__file__).parents[2] / "examples" / "cast"


async def brief_of(studio: Studio, number: int):
    return (await panels.get_panel(studio.app.db, studio.guild.id, number)).brief


async def test_a_remix_changes_the_words_and_keeps_the_recipe(studio: Studio):
    await studio.register()
    card = await studio.posted(prompt="They run home.")
    shown = await studio.bob.click(card, label="Remix")
    assert shown.modal is not None
    (field,) = [c["component"] for c in shown.modal["components"]]
    assert field["value"] == "They run home."
    taken = await studio.bob.submit_modal(shown, {"prompt": "They run to the sea."})
    assert "number 2" in answer(taken)
    assert taken.ephemeral
    await studio.quiet()
    assert "They run to the sea." in text_of(studio.card())
    before, after = await brief_of(studio, 1), await brief_of(studio, 2)
    assert after.seed == before.seed
    assert after.revision is not None
    assert after.revision.changed == (PlanPart.PROMPT,)
    unsaid = await studio.bob.click(studio.card(), label="Remix")
    refused = await studio.bob.submit_modal(unsaid, {"prompt": "  "})
    assert "Say what happens" in answer(refused)
    assert len(studio.public()) == 2


async def test_a_window_that_was_open_over_a_restart_is_still_taken(studio: Studio):
    await studio.register()
    card = await studio.posted()
    shown = await studio.bob.click(card, label="Remix")
    await studio.restart()
    taken = await studio.bob.submit_modal(shown, {"prompt": "Later."})
    assert "number 2" in answer(taken)
    await studio.quiet()
    assert "Later." in text_of(studio.card())


async def test_one_of_several_is_picked_and_varied_also_after_a_restart(studio: Studio):
    await studio.register()
    card = await studio.posted(alternates=3)
    asked = await studio.bob.click(card, label="Vary this")
    assert labels_of(asked.response) == ["Vary A", "Vary B", "Vary C"]
    assert asked.ephemeral
    await studio.restart()
    taken = await studio.bob.click(asked.response, label="Vary B")
    assert "number 2" in answer(taken)
    await studio.quiet()
    varied = await brief_of(studio, 2)
    drawn = await candidates_of(studio.app.db, studio.guild.id, 1)
    chosen = next(c.id for c in drawn if c.label == "B")
    place = sorted(c.id for c in drawn).index(chosen)
    assert varied.revision is not None
    assert (varied.revision.candidate_id, varied.revision.place) == (chosen, place)
    assert labels_of(studio.card())[:3] == ["Vote A", "Vote B", "Vote C"]


async def test_the_only_picture_is_varied_at_once_and_a_variation_no_further(studio: Studio):
    await studio.register()
    card = await studio.posted(alternates=1)
    taken = await studio.bob.click(card, label="Vary this")
    assert "number 2" in answer(taken)
    again = await studio.bob.click(card, label="Vary this")
    assert "asked for already" in answer(again), "two quick clicks are one wish"
    await studio.quiet()


async def test_a_persons_own_drawing_is_not_drawn_again(studio: Studio):
    await studio.register()
    await studio.bob.slash(
        studio.channel, "panel submit", image=("mine.png", picture("darkred")), characters="Akira"
    )
    await studio.quiet()
    await studio.mod.click(studio.reviews.threads[0].last_message, label="Approve")
    await studio.quiet()
    assert enabled(studio.card()) == ["Recipe", "Use on page…"]


async def test_an_accepted_panel_moves_to_a_page_by_window_or_command(studio: Studio):
    await studio.register()
    card = await studio.posted(alternates=1, page=2)
    shown = await studio.ann.click(card, label="Use on page…")
    assert [c["component"]["value"] for c in shown.modal["components"]] == ["2"]
    moved = await studio.ann.submit_modal(shown, {"page": "7"})
    assert "Panel 1 is on page 7" in answer(moved)
    await studio.quiet()
    assert "page 7" in text_of(studio.card())
    assert len(studio.public()) == 1, "its card was edited"
    card = studio.card()
    composed = await studio.ann.slash(studio.channel, "page compose", page=7)
    assert "panels 1" in text_of(studio.card()), answer(composed)
    refused = await studio.bob.slash(studio.channel, "panel use", panel=1, page=3)
    assert "moderator" in answer(refused)
    for wrong in ("two", "0", "²"):
        shown = await studio.ann.click(card, label="Use on page…")
        told = await studio.ann.submit_modal(shown, {"page": wrong})
        assert "page" in answer(told).lower()
    assert (await brief_of(studio, 1)).page == 7
    await studio.mod.slash(studio.channel, "panel use", panel=1, page=3)
    assert (await brief_of(studio, 1)).page == 3


async def test_an_accepted_panel_is_enlarged_and_takes_its_place_on_the_page(studio: Studio):
    await studio.register()
    card = await studio.posted(page=1)
    assert "Upscale" not in labels_of(card), "it is not accepted yet"
    await studio.ann.click(card, label="Vote B")
    await studio.ann.click(card, label="Finish vote")
    await studio.quiet()
    card = studio.card()
    assert "Upscale" in labels_of(card)
    refused = await studio.bob.click(card, label="Upscale")
    assert "moderator" in answer(refused)
    taken = await studio.ann.click(card, label="Upscale")
    assert "number 2" in answer(taken)
    await studio.quiet()
    large = studio.card()
    assert "accepted" in text_of(large)
    assert "In place of panel 1" in text_of(large)
    small, big = [await _chosen(studio, number) for number in (1, 2)]
    assert (big.width, big.height) == (2 * small.width, 2 * small.height) == (320, 240)
    assert big.report.verdict is small.report.verdict
    recipe = await studio.bob.click(large, label="Recipe")
    assert "Enlarged: 2 times a side by waifu2x" in answer(recipe)
    assert (await brief_of(studio, 2)).replaces == 1
    found = await studio.bob.slash(studio.channel, "panel gallery")
    assert [a.filename for a in found.response.attachments] == ["gallery-2.webp"]
    composed = await studio.ann.slash(studio.channel, "page compose", page=1)
    assert "panels 2" in text_of(studio.card()), answer(composed)


async def _chosen(studio: Studio, number: int):
    panel = await panels.get_panel(studio.app.db, studio.guild.id, number)
    assert panel.chosen_candidate is not None
    return await get_candidate(studio.app.db, studio.guild.id, panel.chosen_candidate)


async def test_a_panel_of_an_open_vote_is_not_used_yet(studio: Studio):
    await studio.register()
    card = await studio.posted()
    assert "Use on page…" not in labels_of(card)
    refused = await studio.ann.slash(studio.channel, "panel use", panel=1, page=3)
    assert "voting already" in answer(refused)


async def test_the_receipt_has_a_button_that_cancels_also_after_a_restart(studio: Studio):
    await studio.register()
    studio.executor.gate.clear()
    await studio.request()
    await studio.until(lambda: studio.executor.runs == 1)
    waiting = await studio.request(prompt="Another.")
    assert labels_of(waiting.response) == ["Cancel"]
    await studio.restart()
    studio.executor.gate.clear()
    stopped = await studio.ann.click(waiting.response, label="Cancel")
    assert "Panel 2 is cancelled" in answer(stopped)
    studio.executor.gate.set()
    await studio.quiet()
    assert len(studio.public()) == 1


async def test_a_receipt_says_at_the_end_what_a_panel_took(studio: Studio):
    await studio.register()
    asked = await studio.request(alternates=1)
    await studio.quiet()
    await studio.env.advance_time(4)
    assert "This panel took 0.1 s of drawing." in answer(asked)
    assert labels_of(asked.response) == []


async def test_no_button_reaches_into_another_server(studio: Studio):
    """Ids that got out are pressed elsewhere: the server comes from the click, not from the id."""
    await studio.register()
    card = await studio.posted()
    carried = [c for c in walk(raw(card)) if c["type"] == 2]
    (chosen, *_) = await candidates_of(studio.app.db, studio.guild.id, 1)
    strays = [c["custom_id"] for c in carried] + [ids.pick(1, chosen.id), ids.gallery(1, 0)]
    strays += [ids.panel(verb, 1, 0) for verb in ("upscale", "use", "cancel")]
    await studio.bob.slash(studio.channel, "panel gallery", words="nothing like this")
    other = studio.env.create_guild("Another Club")
    room = other.create_text_channel("room")
    eve = other.add_member(studio.env.create_user("eve"))
    channel = studio.bot.get_channel(room.id)
    assert isinstance(channel, discord.TextChannel)
    for stray in strays:
        await channel.send(view=Card().row(button("Press", stray)).view())
        told = await eve.click(room.history()[-1], label="Press")
        assert told.modal is None, stray
        assert any(w in answer(told) for w in ("There is no", "no longer kept")), stray
    assert len(await panels.list_panels(studio.app.db, studio.guild.id)) == 1
    assert "0 votes so far" in text_of(studio.card())


@pytest.mark.slow
@pytest.mark.studio(real_worker=True)
async def test_with_real_art_a_variation_is_no_copy(studio: Studio):
    """The draft and the check in a worker process."""
    mira = sorted((CAST / "mira" / "everyday").glob("*.webp"))
    pictures = [(p.name, p.read_bytes()) for p in mira]
    named = {"image" if n == 0 else f"image{n + 1}": p for n, p in enumerate(pictures[8:13])}
    await studio.ann.slash(studio.channel, "character register", name="Mira", **named)
    more = {"image" if n == 0 else f"image{n + 1}": p for n, p in enumerate(pictures[:5])}
    await studio.ann.slash(studio.channel, "character add-reference", character="Mira", **more)
    await studio.request(
        characters="Mira", prompt="Mira waves at the harbour.", alternates=1, page=1
    )
    await studio.quiet()
    card = studio.card()
    assert "accepted" in text_of(card), text_of(card)
    await studio.ann.click(card, label="Vary this")
    await studio.quiet()
    varied = studio.card()
    assert "Panel 2: vote for one" in text_of(varied), text_of(varied)
    assert "looks like panel 1" not in text_of(varied)
    assert len(varied.attachments) >= 2
    assert len({a.size for a in varied.attachments}) == len(varied.attachments)
