"""Stories of writers: a script is looked through, drafted, made into panels, had back."""

import io

import pytest
from PIL import Image
from studio import Studio, answer, enabled, text_of

from bot.demo.material import load_material
from pipeline.script.reading import read_script

SCRIPT = """\
Title: Rain

PAGE 1

INT. STUDIO - NIGHT

PANEL 1 (half, large)
Cast: Mira, Oskar
Mira points at the window. Oskar shrugs.
MIRA: It is still raining.
OSKAR (thought): It always is.

PANEL 2 (half)
Cast: Oskar
Oskar drinks his coffee.
CAPTION: Later.
MIRA (off): Well?
"""


async def enrol(studio: Studio) -> None:
    for character in load_material().characters[:2]:
        art = [u for u in character.appearances[0].references if "half" in u.filename]
        images = {
            "image" if n == 0 else f"image{n + 1}": (u.filename, u.data)
            for n, u in enumerate(art[:3])
        }
        await studio.ann.slash(
            studio.channel, "character register", name=character.name, shot_type="half", **images
        )


async def hand_in(studio: Studio, text: str, who=None):
    return await (who or studio.ann).slash(
        studio.channel, "script import", file=("rain.txt", text.encode())
    )


async def test_a_script_becomes_a_storyboard_and_panels(studio: Studio):
    await enrol(studio)
    await hand_in(studio, SCRIPT)
    card = studio.card()
    assert "Rain" in text_of(card)
    assert "1 page, 2 panels, 9 words" in text_of(card)
    assert enabled(card) == ["Storyboard", "Make panels"]

    await studio.bob.click(card, label="Storyboard")
    board = studio.card()
    assert "Storyboard, page 1" in text_of(board)
    (attachment,) = board.attachments
    page = await attachment.read()
    assert Image.open(io.BytesIO(page)).size == (1240, 1754)

    await studio.restart()  # the button outlives the process
    made = await studio.ann.click(card, label="Make panels")
    assert "2 panels asked for" in answer(made)
    await studio.quiet()
    first, second = [await studio.app.panels.view(studio_actor(studio), n) for n in (1, 2)]
    brief = first.panel.brief
    assert brief.prompt == "INT. STUDIO - NIGHT. Mira points at the window. Oskar shrugs."
    assert brief.page == 1
    assert [line.text for line in brief.dialogue] == ["It is still raining.", "It always is."]
    assert brief.sketch_sha256 is not None
    assert brief.staging is not None
    assert [who for who, _ in brief.staging.figures] == ["ch_mira", "ch_oskar"]
    assert len(brief.staging.clear) == 2
    # the scene goes on; the voice from outside has no speaker in the panel
    assert second.panel.brief.prompt.startswith("INT. STUDIO - NIGHT. Oskar")
    assert [line.speaker for line in second.panel.brief.dialogue] == [None, None]

    again = await studio.bob.click(card, label="Make panels")
    assert "0 panels asked for" in answer(again)
    assert "2 panels of this script were asked for before" in answer(again)


def studio_actor(studio: Studio):
    from bot.services.actor import Actor

    return Actor(studio.guild.id, studio.ann.id)


async def test_problems_are_shown_by_line_and_nothing_is_made(studio: Studio):
    await enrol(studio)
    wrong = SCRIPT.replace("Cast: Oskar", "Cast: Oskra").replace("MIRA (off)", "MIRA")
    told = await hand_in(studio, wrong)
    assert told.ephemeral
    words = answer(told)
    assert "Line 14" in words
    assert "Did you mean Oskar?" in words
    assert "Line 17" in words
    assert enabled(told.response) == []

    told = await hand_in(studio, SCRIPT.replace("(thought)", "(sings)"))
    assert "cannot be read yet" in answer(told)
    assert "Line 11" in answer(told)
    told = await hand_in(studio, " ")
    assert "empty" in answer(told)
    told = await studio.ann.slash(
        studio.channel, "script import", file=("a.txt", b"\xff\xfe\x00bad")
    )
    assert "UTF-8" in answer(told)


async def typed(studio: Studio, text: str):
    opened = await studio.ann.slash(studio.channel, "script import")
    (field,) = [c["component"]["custom_id"] for c in opened.modal["components"]]
    return await studio.ann.submit_modal(opened, {field: text})


async def test_a_short_script_is_typed_into_a_window(studio: Studio):
    await enrol(studio)
    await typed(studio, SCRIPT)
    card = studio.card()
    assert "1 page, 2 panels, 9 words" in text_of(card)
    assert enabled(card) == ["Storyboard", "Make panels"]
    wrong = await typed(studio, "PAGE 1\nnothing that is a panel")
    assert "cannot be read yet" in answer(wrong)
    assert "Line 2" in answer(wrong)
    assert studio.card().id == card.id, "nothing is shown to everybody, nothing is kept"


async def test_a_quota_stops_and_the_button_goes_on_later(studio: Studio):
    await enrol(studio)
    await studio.boss.slash(studio.channel, "series settings", quota=1)
    await hand_in(studio, SCRIPT)
    card = studio.card()
    made = await studio.ann.click(card, label="Make panels")
    assert "1 panel asked for" in answer(made)
    assert "Press the button again later" in answer(made)
    await studio.quiet()
    await studio.boss.slash(studio.channel, "series settings", quota=9)
    made = await studio.ann.click(card, label="Make panels")
    assert "1 panel asked for" in answer(made)
    assert "1 panel of this script was asked for before" in answer(made)
    await studio.quiet()


@pytest.mark.parametrize("form", ["plain", "yaml", "json"])
async def test_a_script_is_had_back_whole(studio: Studio, form: str):
    await enrol(studio)
    await hand_in(studio, SCRIPT)
    await studio.bob.slash(studio.channel, "script export", script=1, form=form)
    (attachment,) = studio.card().attachments
    text = (await attachment.read()).decode()
    assert read_script(text).script == read_script(SCRIPT).script


async def test_another_server_finds_nothing(studio: Studio):
    await enrol(studio)
    await hand_in(studio, SCRIPT)
    card = studio.card()
    other = studio.env.create_guild("Other")
    channel = other.create_text_channel("panels")
    eve = other.add_member(studio.env.create_user("eve"))
    told = await eve.slash(channel, "script export", script=1, form="plain")
    assert "not here" in answer(told)
    assert card is not None
