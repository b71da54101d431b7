"""Stories of trouble: slow engines, restarts, late answers, two servers, errors."""

import logging

import discord
import pytest
from discord_contract import violations
from studio import Studio, answer, labels_of, picture, text_of

from pipeline.domain.errors import GeneratorUnavailable
from pipeline.domain.review import PostKind
from storage import outbox

ACK_SECONDS = 3


async def test_everything_is_acknowledged_in_time_while_a_long_generation_runs(studio: Studio):
    await studio.register()
    card = await studio.posted()
    studio.executor.gate.clear()
    await studio.request(prompt="Slow.")
    await studio.until(lambda: studio.executor.runs == 2)
    for _ in range(6):  # a minute
        await studio.env.advance_time(10)
        assert (await studio.bob.click(card, label="Vote A")).acknowledged
        assert (await studio.bob.slash(studio.channel, "queue show")).acknowledged
        assert (await studio.request(studio.bob, prompt="Me too.")).acknowledged
    assert studio.executor.runs == 2, "the first is still being drawn"
    acks = studio.log.acks()
    assert all(r.token_born is not None and r.at - r.token_born < ACK_SECONDS for r in acks)
    studio.executor.gate.set()
    await studio.quiet()
    assert len(studio.public()) == 8


async def test_the_acknowledgement_goes_out_before_the_service_begins(studio: Studio, monkeypatch):
    await studio.register()
    real, acks_before = type(studio.app.panels).request, []

    async def noting(self, *args, **options):
        acks_before.append(len(studio.log.acks()))
        return await real(self, *args, **options)

    monkeypatch.setattr(type(studio.app.panels), "request", noting)
    before = len(studio.log.acks())
    await studio.request()
    assert acks_before == [before + 1]
    await studio.quiet()


async def test_a_job_longer_than_the_token_lives_still_delivers(studio: Studio):
    await studio.register()
    studio.executor.gate.clear()
    await studio.request(prompt="Very slow.")
    await studio.until(lambda: studio.executor.runs == 1)
    studio.bot.board._look.change_interval(
        seconds=30
    )  # 480 looks would show nothing more than 32 do
    await studio.env.advance_time(16 * 60)
    studio.executor.gate.set()
    await studio.quiet()
    await studio.env.advance_time(10)
    assert "Very slow." in text_of(studio.card())
    (sent,) = studio.log.of("POST", r"/channels/\d+/messages")
    assert sent.token_born is None, "a message of its own, not an answer"


async def test_after_a_restart_old_buttons_work_and_the_job_resumes(studio: Studio):
    await studio.register()
    card = await studio.posted()
    thread, evidence = await studio.flagged()
    studio.executor.gate.clear()
    await studio.request(prompt="Interrupted.")
    await studio.until(lambda: studio.executor.runs == 3)
    syncs = len(studio.log.of("PUT", r"/applications/\d+/commands"))

    await studio.restart()

    assert len(studio.log.of("PUT", r"/applications/\d+/commands")) == syncs == 1
    voted = await studio.bob.click(card, label="Vote A")
    assert "is A" in answer(voted)
    approved = await studio.mod.click(evidence, label="Approve")
    assert "approved" in answer(approved)
    recipe = await studio.bob.click(card, label="Recipe")
    assert "Recipe of panel 1" in answer(recipe)
    await studio.quiet()
    assert "Approved" in text_of(thread.last_message)
    assert any("Interrupted." in text_of(m) for m in studio.public())
    finished = await studio.ann.click(card, label="Finish vote")
    assert "A wins" in answer(finished)
    await studio.quiet()


async def test_what_was_owed_at_the_restart_is_posted_after_it(studio: Studio, monkeypatch):
    await studio.register()
    held = []

    async def never(self, item):
        held.append(item)
        raise ConnectionError("Discord is away")

    with monkeypatch.context() as patch:
        patch.setattr(type(studio.bot.poster), "post", never)
        await studio.request()
        await studio.until(lambda: bool(held))
        await studio.restart()
    await studio.quiet()
    assert len(studio.public()) == 1


async def test_two_servers_never_see_each_other(studio: Studio):
    await studio.register()
    card = await studio.posted()
    here = (studio.guild, studio.channel)
    other = studio.env.create_guild("Rivals")
    room = other.create_text_channel("room")
    owner = other.owner
    eve = other.add_member(studio.env.create_user("eve"))
    boss = other.add_member(owner) if owner.id not in other.member_ids() else None
    assert boss is None or boss.id == owner.id
    from simcord import MemberActor

    chief = MemberActor(studio.env, other, owner)
    await chief.slash(room, "series create", name="Night Shift")
    assert "No characters yet" in answer(await eve.slash(room, "character list"))
    for command, options in (
        ("panel status", {"panel": 1}),
        ("panel recipe", {"panel": 1}),
        ("panel cancel", {"panel": 1}),
        ("panel request", {"characters": "Akira", "prompt": "x"}),
        ("character sheet", {"character": "ch_akira"}),
    ):
        refused = await eve.slash(room, command, **options)
        assert "⚠️" in answer(refused), command
    made = await eve.slash(
        room, "character register", name="Akira", image=("a.png", picture("darkred"))
    )
    assert "is in the cast" in answer(made)
    assert (studio.guild, studio.channel) == here
    assert labels_of(card)[0] == "Vote A"


async def test_a_button_carried_to_another_server_finds_nothing(studio: Studio):
    """A custom id holds no server; the service filters by the one where it was clicked."""
    await studio.register()
    await studio.posted()
    other = studio.env.create_guild("Rivals")
    room = other.create_text_channel("room")
    eve = other.add_member(studio.env.create_user("eve"))
    from cogs.ui import ids
    from cogs.ui.card import Card, button

    candidate = (await studio.app.db.fetch_one("SELECT id FROM candidate ORDER BY id LIMIT 1"))[
        "id"
    ]
    forged = Card().row(
        button("Vote A", ids.vote(1, candidate)), button("Recipe", ids.panel("recipe", 1, 0))
    )
    channel = studio.bot.get_channel(room.id)
    await channel.send(view=forged.view())
    for label in ("Vote A", "Recipe"):
        refused = await eve.click(room.last_message, label=label)
        assert "⚠️" in answer(refused)
    row = await studio.app.db.fetch_one("SELECT count(*) AS n FROM vote")
    assert row["n"] == 0


async def test_nothing_that_people_type_can_ping_or_format(studio: Studio):
    await studio.register(name="@everyone **X**")
    prompt = "@everyone <@&1> [click](https://evil.example)"
    card = await studio.posted(characters="@everyone **X**", prompt=prompt)
    assert "[click](" not in text_of(card)
    assert not card.mention_everyone


async def test_a_refusal_carries_a_reference_that_the_log_has(
    studio: Studio, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, logger="cogs.ui.errors"):
        refused = await studio.ann.slash(studio.channel, "panel status", panel=77)
    (record,) = [r for r in caplog.records if "refused" in r.getMessage()]
    assert f"`{record.getMessage().split()[1]}`" in answer(refused)
    assert "/panel status" in record.getMessage()


@pytest.mark.studio(errors_expected=True)
async def test_an_unexpected_error_is_an_apology_with_a_reference_that_the_log_has(
    studio: Studio, monkeypatch
):
    async def broken(self, actor):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("bot.services.cast.CastService.entries", broken)
    said = await studio.bob.slash(studio.channel, "character list")
    assert "Sorry" in answer(said)
    assert "secret detail" not in answer(said)
    (record,) = [r for r in studio.errors if r.name == "cogs.ui.errors"]
    reference = record.getMessage().split()[1]
    assert reference in answer(said)


@pytest.mark.studio(errors_expected=True)
async def test_an_unexpected_error_behind_a_button_is_told_too(studio: Studio, monkeypatch):
    await studio.register()
    card = await studio.posted()

    async def broken(self, actor, panel_id, candidate_id):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("bot.services.votes.VoteService.vote", broken)
    said = await studio.bob.click(card, label="Vote A")
    assert "Sorry" in answer(said)
    assert said.followups[0].ephemeral


async def test_a_late_acknowledgement_raises_nothing_and_does_nothing(studio: Studio):
    """Discord has forgotten the interaction (10062): nobody can be told, nothing may be done."""
    await studio.register()
    studio.env.inject_error(
        "POST", "/interactions/*/callback", status=404, code=10062, message="Unknown interaction"
    )
    late = await studio.request()
    assert not late.acknowledged
    await studio.quiet()
    assert studio.public() == []
    assert studio.env.errors == []


async def test_a_vote_counts_even_if_the_card_cannot_be_refreshed(studio: Studio):
    await studio.register()
    card = await studio.posted()
    studio.env.inject_error("PATCH", "/webhooks/*/messages/@original", status=500)
    voted = await studio.bob.click(card, label="Vote A")
    assert "is A" in answer(voted)


async def test_discord_fails_for_a_while_and_the_post_is_made_once(studio: Studio):
    await studio.register()
    studio.env.inject_error("POST", "/channels/*/messages", status=500, times=2)
    await studio.request()
    await studio.quiet()
    assert len(studio.public()) == 1
    posts = await outbox.posts_of(studio.app.db, studio.guild.id, PostKind.VOTE_CARD, 1)
    assert len(posts) == 1


async def test_a_vote_closes_by_itself_when_its_time_is_over(studio: Studio):
    await studio.register()
    card = await studio.posted()
    await studio.bob.click(card, label="Vote B")
    await studio.app.db.write(
        lambda tx: tx.execute("UPDATE panel SET voting_closes_at = '2001-01-01T00:00:00+00:00'")
    )
    await studio.until(lambda: "accepted" in text_of(studio.card()))


async def test_the_judge_sees_what_the_bot_really_sends(studio: Studio):
    """A violation planted into the real traffic is found; without it the traffic is clean."""
    await studio.register()
    await studio.posted()
    assert violations(studio.log.requests) == []
    clean = len(studio.log.requests)
    channel = studio.bot.get_channel(studio.channel.id)
    await channel.send("Hello @everyone", allowed_mentions=discord.AllowedMentions.all())
    await channel.create_thread(name="x" * 101)
    found = "\n".join(violations(studio.log.requests))
    assert "pinged" in found
    assert "100 characters" in found
    del studio.log.requests[clean:]


@pytest.mark.studio(errors_expected=True)
async def test_an_engine_that_cannot_be_loaded_is_told_and_what_waits_is_kept(studio: Studio):
    await studio.register()
    works, missing = studio.executor.start, "The weights of “sdxl” are missing. Fetch them first."

    async def fails() -> None:
        raise GeneratorUnavailable(missing)

    studio.executor.start = fails
    await studio.request(prompt="Patient.")
    await studio.until(lambda: studio.bot.trouble() == missing)
    shown = await studio.bob.slash(studio.channel, "queue show")
    assert "Panels wait: The weights of “sdxl” are missing." in answer(shown)
    studio.executor.start = works
    await studio.quiet()
    assert studio.bot.trouble() is None
    assert "Patient." in text_of(studio.card())
