"""Stories of a server's first minutes, and of what comes loose later."""

from typing import Any

import discord
import pytest
import simcord
from studio import Studio, answer, enabled, labels_of, raw, text_of, walk

pytestmark = pytest.mark.studio(series=False)


def menus(message: Any) -> dict[str, list[str]]:
    """The menus of a card by their custom id, with what is chosen in each."""
    return {
        c["custom_id"]: [str(d["id"]) for d in c.get("default_values") or ()]
        for c in walk(raw(message))
        if c["type"] in (6, 8)
    }


async def test_a_new_server_is_set_up_by_thumb(studio: Studio):
    shown = await studio.boss.slash(studio.channel, "setup")
    assert shown.ephemeral
    card = shown.response
    assert "No comic yet" in text_of(card)
    assert enabled(card) == ["Start a comic", "Check again"]

    form = await studio.boss.click(card, label="Start a comic")
    await studio.boss.submit_modal(
        form, {"name": "Night Shift", "style": "ink", "reading": ["rtl"], "colour": ["grayscale"]}
    )
    series = await studio.app.series.active(studio.guild.id)
    assert (series.name, series.reading_direction) == ("Night Shift", "rtl")
    assert series.color_mode == "grayscale"

    card = (await studio.boss.slash(studio.channel, "setup")).response
    said = text_of(card)
    assert "Night Shift" in said
    assert said.count("⬜") == 4, said
    await studio.restart()  # what follows is pressed on a card of the process before
    await studio.boss.select(card, [studio.mods], custom_id="om:setup:role")
    await studio.boss.select(card, [studio.channel], custom_id="om:setup:panels")
    await studio.boss.select(card, [studio.reviews], custom_id="om:setup:reviews")
    series = await studio.app.series.active(studio.guild.id)
    assert series.moderator_role_id == studio.mods.id
    assert (series.panel_channel_id, series.review_channel_id) == (
        studio.channel.id, studio.reviews.id,
    )  # fmt: skip

    await studio.boss.click(card, label="Add a sample character")
    card = (await studio.boss.slash(studio.channel, "setup")).response
    assert "Onmodel is ready" in text_of(card)
    assert "⬜" not in text_of(card)
    assert "/panel request characters:Mira" in text_of(card)
    assert enabled(card) == ["Check again"]
    assert menus(card) == {
        "om:setup:role": [str(studio.mods.id)],
        "om:setup:panels": [str(studio.channel.id)],
        "om:setup:reviews": [str(studio.reviews.id)],
    }
    await studio.request(characters="Mira", prompt="She waves.")
    await studio.quiet()
    assert "She waves." in text_of(studio.card())


async def test_channels_are_made_once_and_reviews_are_hidden(studio: Studio):
    server = studio.env.create_guild("Fresh")
    lobby = server.create_text_channel("lobby")
    rights = discord.Permissions(manage_guild=True)
    chief = server.add_member(
        studio.env.create_user("chief"), roles=[server.create_role("Chiefs", permissions=rights)]
    )
    await chief.slash(lobby, "series create", name="Far Side")
    card = (await chief.slash(lobby, "setup")).response
    other = (await chief.slash(lobby, "setup")).response
    assert "Make the channels" in enabled(card)
    await chief.click(card, label="Make the channels")
    seen = studio.bot.get_guild(server.id)
    series = await studio.app.series.active(server.id)
    panels = seen.get_channel(series.panel_channel_id)
    reviews = seen.get_channel(series.review_channel_id)
    assert (panels.name, reviews.name) == ("panels", "reviews")
    assert panels.permissions_for(seen.default_role).view_channel
    assert not reviews.permissions_for(seen.default_role).view_channel
    assert reviews.permissions_for(seen.me).create_private_threads
    count = len(seen.text_channels)
    await chief.click(other, label="Make the channels")  # a card that does not know it yet
    assert len(seen.text_channels) == count


async def test_what_has_come_loose_is_named(studio: Studio):
    await studio.start_series()
    quiet = studio.guild.create_text_channel(
        "quiet",
        overwrites={studio.guild.default_role: discord.PermissionOverwrite(attach_files=False)},
    )
    await studio.boss.slash(studio.channel, "series settings", panel_channel=quiet)
    await studio.register()
    studio.env.backend.delete_role(studio.guild.id, studio.mods.id)
    studio.env.backend.delete_channel(studio.reviews.id)
    await studio.env.settle()
    await studio.quiet()
    said = text_of((await studio.boss.slash(studio.channel, "setup")).response)
    assert "There I still need: Attach Files" in said
    assert "No role for moderators" in said, "the caretaker took it out of the settings and said so"
    assert "No channel for reviews" in said
    told = "\n".join(text_of(m) for m in studio.public(quiet))
    assert "The role of the moderators was deleted" in told
    assert "The channel for reviews was deleted" in told
    assert "Setting up Onmodel" in said


async def test_who_may_not_manage_the_server_may_not_press_either(studio: Studio):
    with pytest.raises(simcord.SetupError, match="not visible"):
        await studio.ann.slash(studio.channel, "setup")
    await studio.start_series()
    studio.guild.set_command_permissions(await setup_command(studio), {studio.ann: True})
    refused = await studio.ann.slash(studio.channel, "setup")
    assert "set up Onmodel" in answer(refused)
    assert labels_of(refused.response) == []


async def setup_command(studio: Studio) -> discord.app_commands.AppCommand:
    return next(c for c in await studio.bot.tree.fetch_commands() if c.name == "setup")
