"""Stories of moderators who work through the queue, look twice, and hear an appeal."""

import pytest
from discord_contract import walk
from studio import Studio, answer, raw, text_of

from bot.services.actor import Actor
from storage import reviews


def button_id(message, word: str) -> str:
    buttons = (c for c in walk(raw(message)) if c["type"] == 2)
    return next(b["custom_id"] for b in buttons if b["label"].startswith(word))


async def press(who, message, word: str):
    return await who.click(message, custom_id=button_id(message, word))


async def test_next_shows_one_review_after_another_until_the_queue_is_empty(studio: Studio):
    await studio.register()
    _, first = await studio.flagged()
    await studio.flagged()
    shown = (await press(studio.mod, first, "Next")).followups[0]
    assert shown.ephemeral
    assert "review 2" in text_of(shown)
    assert shown.attachments, "the evidence comes with it"
    await press(studio.mod, shown, "Reject")
    await studio.quiet()
    last = (await press(studio.mod, shown, "Next")).followups[0]
    assert "review 1" in text_of(last)
    await press(studio.mod, last, "Approve")
    await studio.quiet()
    empty = await studio.mod.slash(studio.channel, "review next")
    assert "queue is empty" in answer(empty)


async def test_a_taken_review_is_not_shown_to_another_moderator(studio: Studio):
    await studio.register()
    await studio.flagged()
    await studio.mod.slash(studio.channel, "review next")
    other = await studio.boss.slash(studio.channel, "review next")
    assert "queue is empty" in answer(other)


async def test_the_creator_appeals_once_and_another_moderator_decides(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged()
    await press(studio.mod, card, "Reject")
    await studio.quiet()
    card = thread.last_message
    refused = await press(studio.mod, card, "Appeal")
    assert "Only the person" in answer(refused)
    appealed = await press(studio.ann, card, "Appeal")
    assert "review 2" in answer(appealed)
    await studio.quiet()
    fresh = studio.reviews.threads[1].last_message
    refused = await press(studio.mod, fresh, "Approve")
    assert "another moderator" in answer(refused)
    boss = Actor(studio.guild.id, studio.boss.id, can_manage=True)
    await studio.app.reviews.approve(boss, 2)
    await studio.quiet()
    assert (await reviews.get_review(studio.app.db, studio.guild.id, 2)).appeal_of == 1
    status = await studio.ann.slash(studio.channel, "panel status", panel=1)
    assert "accepted" in answer(status)
    again = await press(studio.ann, card, "Appeal")
    assert "appealed already" in answer(again) or "Only a rejected" in answer(again)


async def test_a_second_opinion_is_counted_and_agreement_is_printed(studio: Studio):
    await studio.register()
    _, card = await studio.flagged()
    await press(studio.mod, card, "Reject")
    await studio.quiet()
    boss = Actor(studio.guild.id, studio.boss.id, can_manage=True)
    await studio.app.reviews.looks.opine(boss, 1, good=True)
    stats = await studio.mod.slash(studio.channel, "review stats")
    assert "1 were looked at twice, 1 of them are disputed" in answer(stats)
    assert "Half of the reviews of the last 30 days were decided within" in answer(stats)
    assert f"<@{studio.mod.id}>: 1 decision, in the middle after" in answer(stats)
    assert "No drift has been labelled" in answer(stats)


async def test_the_median_and_the_load_are_counted_by_moderator(studio: Studio):
    await studio.register()
    for _ in range(4):
        await studio.flagged()
    mod = Actor(studio.guild.id, studio.mod.id, is_moderator=True)
    boss = Actor(studio.guild.id, studio.boss.id, can_manage=True)
    for number, who in ((1, mod), (2, mod), (3, mod), (4, boss)):
        await studio.app.reviews.reject(who, number)
    waits = {1: "10 seconds", 2: "5 minutes", 3: "40 days", 4: "3 hours"}

    def age(tx) -> None:
        for number, wait in waits.items():
            tx.execute(
                "UPDATE review SET created_at = strftime('%Y-%m-%dT%H:%M:%f+00:00', decided_at, ?) "
                "WHERE id = ?",
                (f"-{wait}", number),
            )
        tx.execute(
            "UPDATE review SET decided_at = strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-31 days') "
            "WHERE id = 3"
        )

    await studio.app.db.write(age)
    found = await studio.app.reviews.looks.stats(mod)
    assert found.median_seconds == pytest.approx(300, abs=1)
    assert [(load.member_id, load.decided) for load in found.loads] == [
        (studio.mod.id, 2), (studio.boss.id, 1),
    ]  # fmt: skip
    shown = answer(await studio.mod.slash(studio.channel, "review stats"))
    assert "decided within 5 min." in shown
    assert f"<@{studio.boss.id}>: 1 decision, in the middle after 3 h" in shown


async def test_drift_that_no_line_names_is_told_in_own_words(studio: Studio):
    await studio.register()
    thread, _ = await studio.flagged()
    mod = Actor(studio.guild.id, studio.mod.id, is_moderator=True)
    review = await studio.app.reviews.describe(mod, 1, "the  tail is lost")
    assert review.labels == ("other: the tail is lost",)
    stats = await studio.app.reviews.looks.stats(mod)
    assert "0 of 1 labelled drifts" in stats.coverage
    assert thread is not None
