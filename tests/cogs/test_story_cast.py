"""Stories of the registry and of the people who manage the server."""

import discord
import pytest
from studio import Studio, answer, picture, text_of


@pytest.mark.studio(series=False)
async def test_a_series_comes_first_and_its_settings_are_shown(studio: Studio):
    lonely = await studio.register()
    assert "/series create" in answer(lonely)
    made = await studio.boss.slash(
        studio.channel, "series create", name="Night Shift", reading_direction="rtl",
        color_mode="grayscale", style="loose ink",
    )  # fmt: skip
    assert made.ephemeral
    assert "Night Shift" in answer(made)
    assert "right to left" in answer(made)
    assert "black and white" in answer(made)
    changed = await studio.boss.slash(
        studio.channel, "series settings", alternates=3, quota=5, moderator_role=studio.mods,
        panel_channel=studio.channel, review_channel=studio.reviews,
    )  # fmt: skip
    words = answer(changed)
    assert f"<@&{studio.mods.id}>" in words
    assert f"<#{studio.reviews.id}>" in words
    assert "Alternates: 3" in words
    again = await studio.boss.slash(studio.channel, "series create", name="night shift")
    assert "already" in answer(again).lower()


async def test_settings_warn_about_permissions_that_are_missing(studio: Studio):
    closed = studio.guild.create_text_channel(
        "closed",
        overwrites={
            studio.guild.default_role: discord.PermissionOverwrite(create_private_threads=False),
            studio.bot.user: discord.PermissionOverwrite(create_private_threads=False),
        },
    )
    said = await studio.boss.slash(studio.channel, "series settings", review_channel=closed)
    assert "Create Private Threads" in answer(said)


async def test_a_member_whom_discord_lets_in_is_still_refused_by_the_code(studio: Studio):
    (series,) = [c for c in await studio.bot.tree.fetch_commands() if c.name == "series"]
    studio.guild.set_command_permissions(series, {studio.bob: True})
    for command, options in (
        ("series create", {"name": "Mine"}),
        ("series settings", {"quota": 999}),
    ):
        refused = await studio.bob.slash(studio.channel, command, **options)
        assert "Manage Server" in answer(refused)
    assert (await studio.app.series.active(studio.guild.id)).quota == 20


async def test_registering_listing_and_the_sheet(studio: Studio):
    made = await studio.ann.slash(
        studio.channel, "character register", name="Akira", image=("a.png", picture(mark=1)),
        image2=("b.png", picture(mark=2)), appearance="school uniform", shot_type="half",
        notes="Scar on the left cheek.",
    )  # fmt: skip
    assert "Akira is in the cast" in answer(made)
    assert "school" in answer(made)
    listed = await studio.bob.slash(studio.channel, "character list")
    assert "ch\\_akira" in answer(listed) or "ch_akira" in answer(listed)
    assert f"<@{studio.ann.id}>" in answer(listed)
    sheet = await studio.bob.slash(studio.channel, "character sheet", character="Akira")
    (shown,) = studio.public()
    assert shown.attachments[0].filename == "model-sheet.png"
    assert "Model sheet" in text_of(shown)
    assert sheet.ephemeral


async def test_the_same_picture_twice_is_recognised(studio: Studio):
    await studio.register()
    again = await studio.ann.slash(
        studio.channel, "character add-reference", character="ch_akira",
        image=("same.png", picture("navy")), image2=("new.png", picture("navy", mark=7)),
    )  # fmt: skip
    assert "already registered" in answer(again)


async def test_the_name_of_a_character_is_free_once(studio: Studio):
    await studio.register()
    again = await studio.register(studio.bob, colour="darkgreen")
    assert "already" in answer(again).lower()


async def test_only_the_owner_and_moderators_change_a_character(studio: Studio):
    await studio.register()
    for command, options in (
        ("character add-reference", {"image": ("x.png", picture(mark=9))}),
        ("character delete", {}),
    ):
        refused = await studio.bob.slash(studio.channel, command, character="ch_akira", **options)
        assert "Only its owner or a moderator" in answer(refused)
    gone = await studio.mod.slash(studio.channel, "character delete", character="ch_akira")
    assert "has left the cast" in answer(gone)
    assert "No characters yet" in answer(await studio.bob.slash(studio.channel, "character list"))


async def test_a_character_that_does_not_exist(studio: Studio):
    await studio.register()
    for command, options in (
        ("character sheet", {}),
        ("character delete", {}),
        ("character add-reference", {"image": ("x.png", picture())}),
    ):
        refused = await studio.ann.slash(studio.channel, command, character="Akria", **options)
        assert "Akira" in answer(refused), "the nearest name is offered"
    assert studio.public() == []


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n broken", b"GIF89a"])
async def test_what_is_not_a_picture_registers_nothing(studio: Studio, data):
    refused = await studio.ann.slash(
        studio.channel, "character register", name="Akira", image=("a.png", data)
    )
    assert "picture" in answer(refused).lower()
    assert "No characters yet" in answer(await studio.bob.slash(studio.channel, "character list"))


async def test_a_used_up_quota_is_told(studio: Studio):
    await studio.register()
    await studio.boss.slash(studio.channel, "series settings", quota=1)
    await studio.request()
    refused = await studio.request()
    assert "24 hours" in answer(refused)
    await studio.quiet()
    assert len(studio.public()) == 1
