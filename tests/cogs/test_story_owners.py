"""Stories of whose a character is: co-owners, a new owner, who may ask for it and who may edit."""

import discord
from studio import Studio, answer, picture, text_of

EDITS = (
    ("character add-reference", {"image": ("x.png", picture(mark=9))}),
    ("character edit", {"notes": "mine"}),
    ("appearance add", {"name": "winter coat"}),
    ("character export", {}),
)


async def tell(studio: Studio, who, command: str, **options):
    said = await who.slash(studio.channel, f"character {command}", character="ch_akira", **options)
    return answer(said).replace("\\", "")


async def test_a_co_owner_edits_and_exports_but_does_not_give_away(studio: Studio):
    await studio.register()
    for command, options in EDITS:
        said = await studio.bob.slash(studio.channel, command, character="ch_akira", **options)
        assert "Only its owner or a moderator" in answer(said), command
        assert f"<@{studio.ann.id}>" in answer(said), "it says whom to ask"
    assert "Only its owner or a moderator" in await tell(
        studio, studio.bob, "owners", add=studio.bob
    )
    shared = await tell(studio, studio.ann, "owners", add=studio.bob)
    assert f"Co-owners: <@{studio.bob.id}>" in shared
    assert "owns Akira already" in await tell(studio, studio.ann, "owners", add=studio.bob)
    await studio.restart()
    for command, options in EDITS:
        said = await studio.bob.slash(studio.channel, command, character="ch_akira", **options)
        assert "Only its owner" not in answer(said), command
    for command, options in (
        ("delete", {}),
        ("transfer", {"member": studio.bob}),
        ("access", {"request": "nobody"}),
        ("owners", {"add": studio.mod}),
    ):
        assert "Only its owner or a moderator" in await tell(studio, studio.bob, command, **options)
    left = await tell(studio, studio.bob, "owners", remove=studio.bob)
    assert "Co-owners: none" in left
    assert "is no co-owner" in await tell(studio, studio.ann, "owners", remove=studio.bob)


async def test_a_character_is_given_away(studio: Studio):
    await studio.register()
    assert "owns Akira already" in await tell(studio, studio.ann, "transfer", member=studio.ann)
    await tell(studio, studio.ann, "transfer", member=studio.bob)
    (shown,) = studio.public()
    assert "has a new owner" in text_of(shown)
    assert f"Owner: <@{studio.bob.id}>" in text_of(shown)
    assert f"Co-owners: <@{studio.ann.id}>" in text_of(shown)
    assert "Only its owner" in await tell(studio, studio.ann, "transfer", member=studio.ann)
    back = await tell(studio, studio.mod, "transfer", member=studio.ann)
    assert "Here it is" in back
    events = await studio.app.privacy.log(await boss(studio))
    assert [e.action for e in events[:2]] == ["character.transferred"] * 2


async def boss(studio: Studio):
    from bot.services.actor import Actor

    return Actor(studio.guild.id, studio.boss.id, can_manage=True)


async def test_who_may_ask_for_panels(studio: Studio):
    artists = studio.guild.create_role("Artists")
    eve = studio.guild.add_member(studio.env.create_user("eve"), roles=[artists])
    await studio.register()
    posted = await studio.posted()
    await tell(studio, studio.ann, "access", request="owners")
    refused = answer(await studio.request(studio.bob))
    assert "Panels of Akira are for its owners" in refused
    assert f"<@{studio.ann.id}>" in refused
    submitted = await studio.bob.slash(
        studio.channel, "panel submit", image=("m.png", picture()), characters="Akira"
    )
    assert "are for its owners" in answer(submitted)
    rerolled = await studio.bob.click(posted, label="Reroll")
    assert "are for its owners" in answer(rerolled)
    assert "is number" in answer(await studio.request(studio.ann))
    assert "Name the role" in await tell(studio, studio.ann, "access", request="role")
    assert "Say what the role is for" in await tell(studio, studio.ann, "access", role=artists)
    opened = await tell(studio, studio.ann, "access", request="role", role=artists)
    assert f"members with <@&{artists.id}>" in opened
    assert f"<@&{artists.id}>" in answer(await studio.request(studio.bob))
    assert "is number" in answer(await studio.request(eve))
    await tell(studio, studio.ann, "access", request="nobody")
    assert "is at rest" in answer(await studio.request(studio.ann))
    await tell(studio, studio.ann, "access", request="everyone", edit="role", role=artists)
    assert "is number" in answer(await studio.request(studio.bob))
    changed = await tell(studio, eve, "edit", notes="By an artist.")
    assert "up to date" in changed
    await studio.quiet()


async def test_training_is_the_owners_word(studio: Studio):
    from bot.services.consent import may_train

    await studio.register()
    db, guild = studio.app.db, studio.guild.id
    assert await may_train(db, guild, ["ch_akira"]) == {"ch_akira"}
    assert "learn it: **no**" in await tell(studio, studio.ann, "access", train="nobody")
    assert await may_train(db, guild, ["ch_akira"]) == set()


async def test_another_servers_character_is_nobodys_here(studio: Studio):
    await studio.register()
    other = studio.env.create_guild("Other Club")
    there = other.create_text_channel("panels")
    managers = other.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    chief = other.add_member(studio.env.create_user("chief"), roles=[managers])
    await chief.slash(there, "series create", name="Day Shift")
    for command, options in (
        ("owners", {}),
        ("owners", {"add": chief}),
        ("transfer", {"member": chief}),
        ("access", {"request": "nobody"}),
    ):
        said = await chief.slash(there, f"character {command}", character="ch_akira", **options)
        assert "no character ch_akira here" in answer(said).replace("\\", ""), command
    assert f"Owner: <@{studio.ann.id}>" in await tell(studio, studio.bob, "owners")
