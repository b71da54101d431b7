"""Stories of the queue: who waits for what, pauses that lose nothing, moves, cancels, fairness."""

import discord
from studio import Studio, answer, picture

from bot.services.actor import Actor
from storage import steering


async def busy(studio: Studio) -> None:
    """One panel runs and does not end."""
    await studio.register()
    studio.executor.gate.clear()
    await studio.request(prompt="It runs.")
    await studio.until(lambda: studio.executor.runs == 1)


async def shown(studio: Studio, who=None) -> str:
    return answer(await (who or studio.bob).slash(studio.channel, "queue show"))


async def test_places_owners_and_the_fair_share_are_shown(studio: Studio):
    await busy(studio)
    for number in range(3):
        await studio.request(prompt=f"Ann's {number}.")
    await studio.request(studio.bob, prompt="Bob's.")
    seen = await shown(studio, studio.ann)
    lines = [line for line in seen.splitlines() if "panel" in line and "Akira" in line]
    assert [line.partition(" · ")[0] for line in lines] == [
        "🖌️ panel 1", "**1.** panel 5", "**2.** panel 2", "**3.** panel 3", "**4.** panel 4",
    ]  # fmt: skip
    assert f"<@{studio.bob.id}>" in lines[1]
    assert "3 of your panels wait so that others get their turn" in seen
    assert "too few panels were measured" in seen
    assert "get their turn" not in await shown(studio, studio.bob)
    studio.executor.gate.set()
    await studio.quiet()


async def test_a_pause_outlives_a_restart_and_loses_nothing(studio: Studio):
    await busy(studio)
    await studio.request(prompt="It waits.")
    refused = await studio.ann.slash(studio.channel, "queue pause")
    assert "Only moderators" in answer(refused)
    paused = await studio.mod.slash(studio.channel, "queue pause", reason="New model sheets.")
    assert "1 panel is held and nothing is lost" in answer(paused)
    again = await studio.mod.slash(studio.channel, "queue pause")
    assert "pauses already" in answer(again)
    await studio.request(studio.bob, prompt="Asked for meanwhile.")
    await studio.restart()  # what ran is put back, and is held as well
    studio.bot.wake()
    seen = await shown(studio)
    assert "Moderators let this queue pause. What waits is kept. New model sheets." in seen
    assert seen.count("held") == 3
    assert studio.executor.runs == 0
    resumed = await studio.mod.slash(studio.channel, "queue resume")
    assert "3 panels wait for their turns" in answer(resumed)
    await studio.quiet()
    assert len(studio.public()) == 3
    assert "does not pause" in answer(await studio.mod.slash(studio.channel, "queue resume"))
    actions = [e.action for e in await studio.app.privacy.log(_mod(studio))][:2]
    assert actions == ["queue.resumed", "queue.paused"]


async def test_a_pause_does_not_hold_up_another_server(studio: Studio):
    await studio.register()
    elsewhere = studio.env.create_guild("Other Club")
    channel = elsewhere.create_text_channel("panels")
    chief = elsewhere.add_member(
        studio.env.create_user("chief"),
        roles=[elsewhere.create_role("M", permissions=discord.Permissions(manage_guild=True))],
    )
    await chief.slash(channel, "series create", name="Day Shift")
    await chief.slash(
        channel, "character register", name="Akira", image=("a.png", picture("darkgreen"))
    )
    await studio.mod.slash(studio.channel, "queue pause")
    for number in range(3):
        await studio.request(prompt=f"Held {number}.")
    other = await chief.slash(channel, "queue show")
    assert "empty" in answer(other)
    assert "pause" not in answer(other), "it is no business of theirs"
    assert studio.executor.runs == 0
    await chief.slash(channel, "panel request", characters="Akira", prompt="On.", alternates=1)
    await studio.until(lambda: len(studio.public(channel)) == 1)
    assert studio.public() == []
    await studio.mod.slash(studio.channel, "queue resume")
    await studio.quiet()
    assert len(studio.public()) == 3


async def test_moderators_move_and_cancel_any_and_it_is_written_down(studio: Studio):
    await busy(studio)
    await studio.request(prompt="Second.")
    await studio.request(studio.bob, prompt="Third.")
    offered = await studio.ann.autocomplete(studio.channel, "queue cancel", "panel", "")
    assert [c["value"] for c in offered] == [1, 2]
    offered = await studio.mod.autocomplete(studio.channel, "queue move", "panel", "sec")
    assert [c["value"] for c in offered] == [2]
    refused = await studio.ann.slash(studio.channel, "queue move", panel=2)
    assert "Only moderators" in answer(refused)
    moved = await studio.mod.slash(studio.channel, "queue move", panel=2)
    assert "It stands at place 1" in answer(moved)
    assert "**1.** ⏫ panel 2" in await shown(studio)
    back = await studio.mod.slash(studio.channel, "queue move", panel=2, where="turn")
    assert "It stands at place 2" in answer(back)
    refused = await studio.ann.slash(studio.channel, "queue cancel", panel=3)
    assert "moderator" in answer(refused)
    stopped = await studio.mod.slash(studio.channel, "queue cancel", panel=3)
    assert "Panel 3 is cancelled" in answer(stopped)
    mine = await studio.ann.slash(studio.channel, "queue cancel", panel=2)
    assert "Panel 2 is cancelled" in answer(mine)
    running = await studio.ann.slash(studio.channel, "queue cancel", panel=1)
    assert "will stop" in answer(running)
    await studio.quiet()
    gone = await studio.mod.slash(studio.channel, "queue move", panel=2)
    assert "does not wait" in answer(gone)
    assert "There is no panel 99" in answer(
        await studio.mod.slash(studio.channel, "queue move", panel=99)
    )
    log = [(e.action, e.subject) for e in await studio.app.privacy.log(_mod(studio))][:3]
    assert log == [
        ("panel.cancelled", "panel 3"), ("queue.moved", "panel 2"), ("queue.moved", "panel 2"),
    ]  # fmt: skip


async def test_times_have_an_interval_once_it_is_known_how_far_they_were_off(studio: Studio):
    await busy(studio)

    def history(tx) -> None:
        for n in range(20):
            asked, seconds = 1_700_000_000 + 1000 * n, 600 + 30 * n
            tx.execute(
                "INSERT INTO job (guild_id, member_id, kind, panel_id, dedupe_key, status, "
                "seconds, engine, work, expected_seconds, created_at, finished_at) VALUES "
                "(?, 1, 'generate', 1, ?, 'done', ?, 'draft', 1.0, 900, "
                "strftime('%Y-%m-%dT%H:%M:%f+00:00', ?, 'unixepoch'), "
                "strftime('%Y-%m-%dT%H:%M:%f+00:00', ?, 'unixepoch'))",
                (studio.guild.id, f"h{n}", seconds / 2, asked, asked + seconds),
            )

    await studio.app.db.write(history)
    asked = await studio.request(prompt="When?")
    assert " to " in answer(asked)
    assert "minutes" in answer(asked)
    seen = await shown(studio)
    assert "Four of five panels are done within the time that is said here" in seen
    studio.executor.gate.set()
    await studio.quiet()


async def test_the_host_lets_nothing_begin_and_says_so(studio: Studio):
    await studio.register()
    await studio.app.db.write(lambda tx: steering.pause_host(tx, "The card is being changed."))
    await studio.request()
    await studio.restart()
    studio.bot.wake()
    assert "lets nothing begin at the moment. The card is being changed." in await shown(studio)
    assert studio.executor.runs == 0
    await studio.app.db.write(steering.resume_host)
    studio.bot.wake()
    await studio.quiet()
    assert len(studio.public()) == 1


def _mod(studio: Studio) -> Actor:
    return Actor(studio.guild.id, studio.mod.id, is_moderator=True)
