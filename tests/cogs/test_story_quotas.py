"""Stories of what members may use, when to come back, and what a channel draws with."""

import asyncio
from datetime import UTC, datetime, timedelta

import discord
import pytest
from studio import Studio, answer, text_of

from bot.services.actor import Actor
from bot.services.panels import PanelRequest
from pipeline.domain.errors import LimitReached
from storage import panels


async def quota(studio: Studio, **options):
    return await studio.boss.slash(studio.channel, "series quota", **options)


async def spend(studio: Studio, panel: int, seconds: float, ago: timedelta = timedelta()) -> None:
    """Let a panel have taken so many seconds, so long ago."""
    done = (datetime.now(UTC) - ago).isoformat()
    await studio.app.db.write(
        lambda tx: tx.execute(
            "UPDATE job SET seconds = ?, finished_at = ? WHERE panel_id = ?", (seconds, done, panel)
        )
    )


async def test_seconds_of_the_day_run_out_and_the_receipt_says_so(studio: Studio):
    shown = await quota(studio, gpu_seconds=600)
    assert "600 s of drawing in 24 hours" in answer(shown)
    await studio.register()
    asked = await studio.request(alternates=1)
    assert "of your 600 s of drawing in 24 hours are used or waiting" in answer(asked)
    await studio.quiet()
    await spend(studio, 1, 12.4)
    await studio.env.advance_time(4)
    assert "This panel took 12.4 s of your 600 s in 24 hours." in answer(asked)
    await spend(studio, 1, 600.0, timedelta(hours=23))
    refused = await studio.request(prompt="Once more.")
    told = answer(refused)
    assert "took 600 of your 600 seconds" in told
    assert "You can come back <t:" in told
    back = int(told.partition("<t:")[2].partition(":")[0])
    assert 0 < back - datetime.now(UTC).timestamp() < 3700, "in an hour"
    for label in ("Reroll", "Vary this"):
        assert "of your 600 seconds" in answer(await studio.ann.click(studio.card(), label=label))
    assert "number 2" in answer(await studio.request(studio.bob)), "others have their own"
    await spend(studio, 1, 600.0, timedelta(hours=25))
    assert "number 3" in answer(await studio.request())
    shown = await studio.ann.slash(studio.channel, "panel allowance")
    assert "of your 600 s" in answer(shown)
    await quota(studio, gpu_seconds=0)
    assert "there is no limit" in answer(await studio.ann.slash(studio.channel, "panel allowance"))


async def test_a_role_gives_more_and_of_two_the_larger_counts(studio: Studio):
    artists, guests = (studio.guild.create_role(name) for name in ("Artists", "Guests"))
    cleo = studio.guild.add_member(studio.env.create_user("cleo"), roles=[artists, guests])
    await quota(studio, gpu_seconds=60)
    await quota(studio, role=guests, gpu_seconds=10)
    shown = await quota(studio, role=artists, gpu_seconds=900)
    assert f"<@&{artists.id}>: 900 s" in answer(shown)
    assert "of your 900 s" in answer(await cleo.slash(studio.channel, "panel allowance"))
    assert "of your 60 s" in answer(await studio.ann.slash(studio.channel, "panel allowance"))
    gone = await quota(studio, role=artists, gpu_seconds=0)
    assert str(artists.id) not in answer(gone)
    assert "of your 10 s" in answer(await cleo.slash(studio.channel, "panel allowance"))
    assert "gpu_seconds" in answer(await quota(studio, role=artists))


async def test_a_cooldown_says_when_to_come_back(studio: Studio):
    assert "45 seconds between" in answer(await quota(studio, cooldown=45))
    await studio.register()
    await studio.request()
    refused = await studio.request(prompt="At once.")
    assert "Between two requests of yours lie 45 seconds here. You can come back <t:" in answer(
        refused
    )
    assert "number 2" in answer(await studio.request(studio.bob))
    await studio.restart()
    again = await studio.request(prompt="At once, after a restart.")
    assert "lie 45 seconds" in answer(again)
    await quota(studio, cooldown=0)
    assert "number 3" in answer(await studio.request())


async def test_panels_of_the_day_run_out(studio: Studio):
    await quota(studio, panels=1)
    await studio.register()
    await studio.request()
    refused = answer(await studio.request(prompt="Two."))
    assert "1 are allowed" in refused
    assert "You can come back <t:" in refused


@pytest.mark.parametrize("limits", [{"panels": 3}, {"gpu_seconds": 25}])
async def test_requests_at_the_same_moment_never_share_the_rest(studio: Studio, limits):
    """What waits counts with what panels usually take: 10 s before any was drawn."""
    await quota(studio, **limits)
    await studio.register()
    studio.executor.gate.clear()
    ann = Actor(studio.guild.id, studio.ann.id)

    async def ask(number: int) -> bool:
        try:
            await studio.app.panels.request(
                ann,
                PanelRequest("Akira", f"Number {number}."),
                channel_id=studio.channel.id,
                dedupe_key=f"rush:{number}",
            )
        except LimitReached:
            return False
        return True

    taken = await asyncio.gather(*map(ask, range(12)))
    assert sum(taken) == 3
    studio.executor.gate.set()
    await studio.quiet()


async def test_another_server_has_quotas_of_its_own(studio: Studio):
    await quota(studio, gpu_seconds=1, panels=1)
    other = studio.env.create_guild("Another Club")
    room = other.create_text_channel("room")
    role = other.create_role("all", permissions=discord.Permissions(manage_guild=True))
    chief = other.add_member(studio.boss.user, roles=[role])
    await chief.slash(room, "series create", name="Elsewhere")
    assert "there is no limit" in answer(await chief.slash(room, "panel allowance"))


async def test_a_channel_decides_engine_style_shape_and_number(studio: Studio):
    shown = await studio.boss.slash(
        studio.channel, "series channel", style="loose ink", size="portrait", alternates=1
    )
    assert f"<#{studio.channel.id}>: 768 × 1024 · 1 alternate · “loose ink”" in answer(shown)
    wrong = await studio.boss.slash(studio.channel, "series channel", generator="crayon")
    assert "draws with: draft" in answer(wrong)
    await studio.register()
    await studio.ann.slash(studio.channel, "panel request", characters="Akira", prompt="Here.")
    await studio.quiet()
    brief = (await panels.get_panel(studio.app.db, studio.guild.id, 1)).brief
    assert (brief.size, brief.style, brief.alternates) == ((768, 1024), "loose ink", 1)
    assert "accepted" in text_of(studio.card())
    elsewhere = studio.guild.create_text_channel("elsewhere")
    await studio.ann.slash(elsewhere, "panel request", characters="Akira", prompt="There.")
    await studio.quiet()
    brief = (await panels.get_panel(studio.app.db, studio.guild.id, 2)).brief
    assert (brief.size, brief.style, brief.alternates) == ((1024, 768), "", 2)
    await studio.request(alternates=3)
    assert (await panels.get_panel(studio.app.db, studio.guild.id, 3)).brief.alternates == 3
    cleared = await studio.boss.slash(studio.channel, "series channel", clear=True)
    assert "what the comic says" in answer(cleared)
    await studio.quiet()
