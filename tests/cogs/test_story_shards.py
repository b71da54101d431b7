"""Servers are shared out over gateway connections, and notice nothing of it."""

import discord
import pytest
from studio import Studio, answer, picture


@pytest.mark.studio(shards=3)
async def test_servers_of_different_shards_work_side_by_side(studio: Studio):
    elsewhere = studio.env.create_guild("Far Away", shard_id=(studio.guild.id >> 22) % 3 ^ 1)
    assert (elsewhere.id >> 22) % 3 != (studio.guild.id >> 22) % 3
    assert studio.bot.shard_count == 3
    hall = elsewhere.create_text_channel("hall")
    chiefs = elsewhere.create_role("Chiefs", permissions=discord.Permissions(manage_guild=True))
    chief = elsewhere.add_member(studio.env.create_user("chief"), roles=[chiefs])
    await chief.slash(hall, "series create", name="Far Side")
    await chief.slash(hall, "character register", name="Ruy", image=("r.png", picture("olive")))
    await studio.register()
    assert "Ruy" in answer(await chief.slash(hall, "character list"))
    here = answer(await studio.ann.slash(studio.channel, "character list"))
    assert "Akira" in here
    assert "Ruy" not in here
