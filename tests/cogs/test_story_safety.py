"""Stories of content safety: words that a server does not want, and pictures that need a look."""

import pytest
from studio import Studio, answer

from bot.services.actor import Actor
from pipeline.domain.errors import BlockedWord


async def ban(studio: Studio, words: str):
    return await studio.mod.slash(studio.channel, "safety words add", words=words)


async def test_a_word_is_refused_wherever_people_write(studio: Studio):
    await studio.register()
    await studio.posted()
    assert "2 words are on the list" in answer(await ban(studio, "badword, rude*"))
    channel, ann = studio.channel, studio.ann
    attempts = [
        await studio.request(prompt="They say b.4.d.w.o.r.d loudly."),
        await studio.request(dialogue="Akira: You BADWORD!"),
        await ann.slash(channel, "panel reroll", panel=1, prompt="A rudely drawn one."),
        await studio.register(name="Badw\u200bord"),
        await studio.register(name="Bo", notes="He is a bádword."),
        await ann.slash(channel, "character edit", character="ch_akira", notes="so rude"),
        await ann.slash(
            channel, "character edit", character="ch_akira", components="outfit=badword"
        ),
        await ann.slash(channel, "appearance add", character="ch_akira", name="rude suit"),
    ]
    for attempt in attempts:
        assert "is on the list of words" in answer(attempt)
    fine = await studio.request(prompt="A good word and a crude drawing.")
    assert "number 2" in answer(fine)
    await studio.quiet()
    removed = await studio.mod.slash(channel, "safety words remove", word="BadWord")
    assert "off the list" in answer(removed)
    assert "number 3" in answer(await studio.request(prompt="badword"))
    await studio.quiet()


async def test_a_script_names_the_line_of_a_word(studio: Studio):
    await studio.register()
    await ban(studio, "badword")
    script = b"Title: Night\n\nPAGE 1\n\nPANEL 1\nThey run.\n\nAKIRA: You b4dword!\n"
    shown = await studio.ann.slash(studio.channel, "script import", file=("s.txt", script))
    assert "**Line 8**" in answer(shown)
    assert "is on the list of words" in answer(shown)
    assert "Make panels" not in str([c for c in (shown.response, *shown.followups) if c])


async def test_the_list_is_for_moderators_of_its_own_server(studio: Studio):
    await studio.register()
    await ban(studio, "badword")
    for command, options in (
        ("safety words add", {"words": "x y"}),
        ("safety words remove", {"word": "badword"}),
        ("safety words list", {}),
    ):
        refused = await studio.ann.slash(studio.channel, command, **options)
        assert "Only moderators" in answer(refused)
    assert "too short" in answer(await ban(studio, "a"))
    await studio.restart()
    listed = await studio.mod.slash(studio.channel, "safety words list")
    assert "||badword||" in answer(listed)
    log = answer(await studio.mod.slash(studio.channel, "review log"))
    assert "1 added" in log
    other = studio.env.create_guild("Rivals")
    room = other.create_text_channel("room")
    from simcord import MemberActor

    chief = MemberActor(studio.env, other, other.owner)
    await chief.slash(room, "series create", name="Other")
    assert "is empty" in answer(await chief.slash(room, "safety words list"))


async def test_lettering_refuses_a_word(studio: Studio):
    await studio.register()
    await studio.request(alternates=1, page=1, dialogue="Akira: Hello.")
    await studio.quiet()
    await studio.ann.slash(studio.channel, "page compose", page=1)
    await ban(studio, "badword")
    said = await studio.ann.slash(
        studio.channel, "page letter", page=1, panel=1, line=1, text="badword"
    )
    assert "is on the list of words" in answer(said)


async def test_a_package_brings_no_word_in(studio: Studio):
    await studio.register(notes="a badword")
    me = Actor(studio.guild.id, studio.ann.id)
    _, data = await studio.app.packages.export(me, "ch_akira")
    await ban(studio, "badword")
    with pytest.raises(BlockedWord, match="badword"):
        await studio.app.packages.load(me, data, "Twin")
