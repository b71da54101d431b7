"""Stories of registering in a window, and of colours that a person confirms."""

import pytest
from discord_contract import walk
from studio import Studio, answer, labels_of, picture, raw
from test_story_registry import drawn


def pictures(count: int) -> list[tuple[str, bytes]]:
    colours = ("crimson", "seagreen", "royalblue")
    return [(f"{n}.png", picture(colours[n % 3], mark=n + 1)) for n in range(count)]


async def form(studio: Studio, who=None, name: str = "Akira", **options):
    return await (who or studio.ann).slash(
        studio.channel, "character register-form", name=name, **options
    )


def values(shown, **given):
    """What a person fills in, by the label of each field."""
    fields = {
        c["label"]: c["component"]["custom_id"]
        for c in shown.modal["components"]
        if "component" in c
    }
    return {fields[label.replace("_", " ")]: value for label, value in given.items()}


async def test_ten_pictures_are_registered_in_a_window(studio: Studio):
    shown = await form(studio, appearance="school uniform")
    assert shown.modal is not None
    sent = values(
        shown,
        Pictures_of_the_character_alone=pictures(10),
        How_much_of_the_figure=["full"],
        Hair_colour=["brown"],
        What_an_artist_must_know="Scar on the brow.",
    )
    made = await studio.ann.submit_modal(shown, sent)
    words = answer(made).replace("\\", "")
    assert "Akira is in the cast" in words
    assert "10 pictures added" in words
    assert "akira_school_uniform" in words
    entry = await studio.app.registry.entry(await me(studio), "Akira")
    (look,) = entry.looks
    assert look.components["hair_color"] == "brown"
    assert "hair_color" not in look.suggested, "what a person said is not asked again"
    assert {r.shot_type for r in entry.references[look.appearance_id]} == {"full"}
    assert entry.character.notes == "Scar on the brow."


async def test_a_window_does_not_open_in_vain_and_refuses_what_is_no_picture(studio: Studio):
    await studio.register()
    taken = await form(studio, name="akira")
    assert taken.modal is None
    assert "registered already" in answer(taken)
    shown = await form(studio, name="Beni")
    good, bad = ("a.png", picture()), ("b.png", b"hello")
    sent = values(shown, Pictures_of_the_character_alone=[good, bad])
    refused = await studio.ann.submit_modal(shown, sent)
    assert "Picture 2" in answer(refused), "it says which one"
    assert "Beni" not in answer(await studio.bob.slash(studio.channel, "character list"))


async def me(studio: Studio, who=None):
    from bot.services.actor import Actor

    return Actor(studio.guild.id, (who or studio.ann).id)


async def suggested(studio: Studio):
    made = await studio.ann.slash(
        studio.channel, "character register", name="Akira", image=("1.png", drawn("crimson", 0)),
        image2=("2.png", drawn("crimson", 2)), shot_type="full",
    )  # fmt: skip
    assert "The pictures suggest" in answer(made)
    return made.response


async def look(studio: Studio):
    return (await studio.app.registry.entry(await me(studio), "Akira")).looks[0]


async def test_some_colours_are_confirmed_after_a_restart(studio: Studio):
    card = await suggested(studio)
    found = dict((await look(studio)).suggested)
    assert len(found) >= 2
    right = sorted(found)[:1]
    await studio.restart()
    (menu,) = [c for c in walk(raw(card)) if c["type"] == 3]
    assert {option["value"] for option in menu["options"]} == set(found)
    await studio.ann.select(card, right, custom_id=menu["custom_id"])
    now = await look(studio)
    assert now.components == {right[0]: found[right[0]]}
    assert now.suggested == {}


@pytest.mark.parametrize("label", ["All are right", "None of them"])
async def test_all_or_none(studio: Studio, label):
    card = await suggested(studio)
    found = dict((await look(studio)).suggested)
    done = await studio.ann.click(card, label=label)
    assert "up to date" in answer(done)
    now = await look(studio)
    assert now.components == (found if label == "All are right" else {})
    assert now.suggested == {}


async def test_a_stranger_confirms_nothing_and_the_second_is_told(studio: Studio):
    from pipeline.domain.errors import NotAllowed, NotFound, WrongState

    await suggested(studio)
    row = (await look(studio)).id
    service = studio.app.registry
    with pytest.raises(NotAllowed):
        await service.settle_suggestions(await me(studio, studio.bob), row, None)
    await service.settle_suggestions(await me(studio), row, None)
    with pytest.raises(WrongState):
        await service.settle_suggestions(await me(studio), row, None)
    with pytest.raises(NotFound):
        await service.settle_suggestions(await me(studio), row + 99, None)


async def test_more_pictures_through_the_button_after_a_restart(studio: Studio):
    made = await studio.register()
    assert "Add pictures" in labels_of(made.response)
    await studio.restart()
    shown = await studio.ann.click(made.response, label="Add pictures")
    sent = values(
        shown,
        Pictures_of_the_character_alone=pictures(2),
        Seen_from=["back"],
        Expression="calm",
    )
    added = await studio.ann.submit_modal(shown, sent)
    assert "2 pictures added" in answer(added)
    entry = await studio.app.registry.entry(await me(studio), "Akira")
    fresh = next(iter(entry.references.values()))[1:]
    assert [(r.angle, r.expression) for r in fresh] == [("back", "calm")] * 2


async def test_a_window_that_outlived_its_bot_says_so(studio: Studio):
    shown = await form(studio)
    sent = values(shown, Pictures_of_the_character_alone=pictures(1))
    await studio.restart()
    told = await studio.ann.submit_modal(shown, sent)
    assert "started anew while this window was open" in answer(told)
    assert "No characters yet" in answer(await studio.bob.slash(studio.channel, "character list"))
