"""Stories of a message's menu: its pictures become references, or are checked."""

from discord_contract import walk
from studio import Studio, answer, labels_of, picture, raw, text_of
from test_story_registry import wardrobe

ADD, CHECK = "Add as reference", "Check this picture"


async def posted(studio: Studio, *files, who=None):
    return await (who or studio.bob).send(studio.channel, "look", attachments=list(files))


async def menu(studio: Studio, name: str, message, who=None):
    shown = await (who or studio.ann).context_menu(studio.channel, name, message)
    assert shown.ephemeral
    return shown


def menus(message) -> dict[str, dict]:
    """The menus of the card by their step."""
    found = [c for c in walk(raw(message)) if c["type"] == 3]
    return {c["custom_id"].split(":")[3]: c for c in found}


async def choose(studio: Studio, message, step: str, values, who=None):
    custom_id = menus(message)[step]["custom_id"]
    return await (who or studio.ann).select(message, values, custom_id=custom_id)


async def count(studio: Studio, name: str = "Akira") -> int:
    from bot.services.actor import Actor

    entry = await studio.app.registry.entry(Actor(studio.guild.id, studio.ann.id), name)
    return sum(len(r) for r in entry.references.values())


async def test_some_pictures_of_a_message_become_references_after_a_restart(studio: Studio):
    await studio.register()
    await studio.register(studio.bob, "Beni", "gold")
    message = await posted(
        studio, ("a.png", picture(mark=3)), ("notes.txt", b"hi"), ("b.png", picture(mark=5)),
        ("c.png", picture(mark=8)),
    )  # fmt: skip
    card = (await menu(studio, ADD, message)).response
    assert "Whose pictures are these?" in text_of(card)
    assert f"Posted by <@{studio.bob.id}>" in text_of(card)
    assert [a.filename for a in card.attachments] == [f"picture-{n}.png" for n in (1, 2, 3)]
    offered = menus(card)["whose"]["options"]
    assert [o["label"] for o in offered] == ["Akira"], "only whom Ann may edit"
    await studio.restart()
    fewer = await choose(studio, card, "which", ["0", "2"])
    await studio.restart()
    done = await choose(studio, fewer.response, "whose", [offered[0]["value"]])
    assert "2 pictures added" in answer(done)
    assert await count(studio) == 3


async def test_the_look_is_asked_where_there_are_several(studio: Studio):
    await wardrobe(studio)
    message = await posted(studio, ("a.png", picture(mark=3)), who=studio.ann)
    card = (await menu(studio, ADD, message)).response
    assert "Posted by" not in text_of(card)
    assert set(menus(card)) == {"whose"}, "one picture needs no choice"
    asked = await choose(studio, card, "whose", [menus(card)["whose"]["options"][0]["value"]])
    assert "In which look is Akira?" in text_of(asked.response)
    await studio.restart()
    green = menus(asked.response)["look"]["options"][1]
    assert green["label"] == "green coat"
    done = await choose(studio, asked.response, "look", [green["value"]])
    assert "akira_green_coat" in answer(done).replace("\\", "")
    assert await count(studio) == 9


async def test_anyone_checks_one_picture_of_a_message(studio: Studio):
    await studio.register()
    message = await posted(studio, ("a.png", picture(mark=3)), ("b.png", picture("gold")))
    card = (await menu(studio, CHECK, message, studio.bob)).response
    assert menus(card)["which"].get("max_values", 1) == 1
    whose = menus(card)["whose"]["options"][0]["value"]
    second = await choose(studio, card, "which", ["1"], studio.bob)
    done = await choose(studio, second.response, "whose", [whose], studio.bob)
    assert "Akira" in answer(done)
    assert [a.filename for a in done.response.attachments] == ["check-evidence.png"]
    assert await count(studio) == 1, "nothing is kept"


async def test_what_cannot_be_done_is_said(studio: Studio):
    bare = await studio.bob.send(studio.channel, "no picture here")
    message = await posted(studio, ("a.png", picture()))
    assert "carries no picture" in answer(await menu(studio, CHECK, bare))
    assert "Nobody is registered" in answer(await menu(studio, CHECK, message))
    await studio.register()
    refused = answer(await menu(studio, ADD, message, studio.bob))
    assert "no character whom you may add pictures to" in refused
    broken = await posted(studio, ("a.png", b"hello"))
    card = (await menu(studio, ADD, broken)).response
    whose = menus(card)["whose"]["options"][0]["value"]
    assert "not a picture" in answer(await choose(studio, card, "whose", [whose]))
    assert await count(studio) == 1


async def test_rights_that_end_meanwhile_are_asked_again(studio: Studio):
    await studio.register()
    await studio.ann.slash(studio.channel, "character owners", character="ch_akira", add=studio.bob)
    message = await posted(studio, ("a.png", picture(mark=4)))
    card = (await menu(studio, ADD, message, studio.bob)).response
    whose = menus(card)["whose"]["options"][0]["value"]
    await studio.ann.slash(
        studio.channel, "character owners", character="ch_akira", remove=studio.bob
    )
    refused = await choose(studio, card, "whose", [whose], studio.bob)
    assert "Only its owner or a moderator" in answer(refused)
    await studio.ann.slash(studio.channel, "character delete", character="ch_akira")
    assert "left the cast" in answer(await choose(studio, card, "whose", [whose], studio.bob))


async def test_a_large_cast_has_pages(studio: Studio):
    from bot.services.actor import Actor
    from bot.services.cast import NewCharacter, Upload

    ann = Actor(studio.guild.id, studio.ann.id)
    for n in range(27):
        new = NewCharacter(f"Extra {n:02d}")
        await studio.app.cast.register(ann, new, [Upload("a.png", picture("teal", mark=n))])
    message = await posted(studio, ("a.png", picture("gold", mark=3)))
    card = (await menu(studio, ADD, message)).response
    assert len(menus(card)["whose"]["options"]) == 25
    assert labels_of(card) == ["Back", "More"]
    await studio.restart()
    on = await studio.ann.click(card, label="More")
    last = menus(on.response)["whose"]["options"]
    assert [o["label"] for o in last] == ["Extra 25", "Extra 26"]
    done = await choose(studio, on.response, "whose", [last[1]["value"]])
    assert "Extra 26 has new pictures" in answer(done)
