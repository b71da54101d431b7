"""Stories of taste: it learns from votes, says so, breaks ties among on-model pictures, forgets."""

from datetime import timedelta

import discord
import pytest
from studio import Studio, answer, text_of
from vote_history import FIRST_VOTER, NOW, vote_history

from bot.services.actor import Actor
from pipeline.domain.errors import NotAllowed
from pipeline.domain.voting import TasteUse
from storage import privacy


async def with_history(studio: Studio) -> None:
    await studio.app.db.write(lambda tx: vote_history(tx, studio.guild.id))


async def times_up(studio: Studio, panel: int) -> None:
    past = (NOW - timedelta(minutes=1)).isoformat()
    await studio.app.db.write(
        lambda tx: tx.execute("UPDATE panel SET voting_closes_at = ? WHERE id = ?", (past, panel))
    )
    await studio.app.votes.close_due()
    studio.bot.wake()
    await studio.quiet()


async def warmest(studio: Studio, panel: int) -> str:
    row = await studio.app.db.fetch_one(
        "SELECT label FROM candidate WHERE panel_id = ? ORDER BY id DESC LIMIT 1", (panel,)
    )
    assert row is not None
    return row["label"]


async def test_what_a_series_likes_is_shown_to_all_and_decides_where_people_do_not(studio: Studio):
    await studio.register()
    nothing = await studio.boss.slash(studio.channel, "series taste")
    assert "0 votes on 0 closed panels" in text_of(studio.card())
    assert "Here it is" in answer(nothing)
    await with_history(studio)
    await studio.boss.slash(studio.channel, "series taste")
    shown = text_of(studio.card())
    assert "People here rather choose** warmer colours (×" in shown
    assert "240 votes of 6 people on 40 panels" in shown
    assert "No place on a card gets more votes than another" in shown

    card = await studio.posted(alternates=3)
    assert "expected" not in text_of(card), "whoever votes is told nothing"
    await studio.restart()
    await times_up(studio, 41)
    over = text_of(studio.card())
    label = await warmest(studio, 41)
    assert f"The taste of this series had expected {label} and was" in over
    chosen = next(line for line in over.splitlines() if "chosen" in line)
    assert chosen.startswith(f"**{label}**")


async def test_people_have_the_last_word_and_only_ties_are_broken(studio: Studio):
    await studio.register()
    await with_history(studio)
    card = await studio.posted(alternates=2)
    label = await warmest(studio, 41)
    other = "B" if label == "A" else "A"
    await studio.bob.click(card, label=f"Vote {other}")
    finished = await studio.ann.click(studio.card(), label="Finish vote")
    assert f"{other} wins" in answer(finished)
    await studio.quiet()
    assert f"had expected {label}" in text_of(studio.card())


async def test_it_is_switched_by_managers_and_off_it_does_nothing(studio: Studio):
    await studio.register()
    await with_history(studio)
    with pytest.raises(NotAllowed, match="Manage Server"):
        await studio.app.taste.switch(Actor(studio.guild.id, studio.ann.id), TasteUse.SPARE)
    spare = await studio.boss.slash(studio.channel, "series taste", switch="spare")
    assert "fewer alternates are drawn once the winner is clear, but always two" in answer(spare)
    comic = await studio.app.series.active(studio.guild.id)
    assert comic.taste is TasteUse.SPARE
    runs = [await studio.app.taste.for_run(comic, panel) for panel in range(1, 101)]
    assert 80 < sum(taste is not None for taste in runs) < 100, "some are always drawn in full"
    off = await studio.boss.slash(studio.channel, "series taste", switch="off")
    assert "switched off" in answer(off)
    await studio.posted(alternates=2)
    await times_up(studio, 41)
    assert "expected" not in text_of(studio.card())
    boss = Actor(studio.guild.id, studio.boss.id, can_manage=True)
    log = [(e.action, e.detail) for e in await studio.app.privacy.log(boss)]
    assert [d for action, d in log if action == "series.taste"] == ["off", "spare"]


async def test_two_servers_learn_apart_and_forgotten_people_are_forgotten(studio: Studio):
    await studio.register()
    await with_history(studio)
    elsewhere = studio.env.create_guild("Other Club")
    channel = elsewhere.create_text_channel("panels")
    chief = elsewhere.add_member(
        studio.env.create_user("chief"),
        roles=[elsewhere.create_role("M", permissions=discord.Permissions(manage_guild=True))],
    )
    await chief.slash(channel, "series create", name="Day Shift")
    await chief.slash(channel, "series taste")
    assert "0 votes on 0 closed panels" in text_of(studio.card(channel))
    before = await studio.app.taste.of_series(studio.guild.id, 1)
    assert before is not None
    await studio.app.db.write(
        lambda tx: privacy.forget_member(
            tx, guild_id=studio.guild.id, member_id=FIRST_VOTER + 1, references=False, now=NOW
        )
    )
    after = await studio.app.taste.of_series(studio.guild.id, 1)
    assert after is not None
    assert (before.ballots, before.voters) == (240, 6)
    assert (after.ballots, after.voters) == (200, 5)
