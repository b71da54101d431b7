"""Stories of things that people delete by hand: each is posted again, or people are told."""

from contextlib import contextmanager

import discord
import pytest
from discord_contract import walk
from simcord.backend.models.channel import Overwrite
from studio import Studio, answer, raw, text_of

from storage import cast, outbox

MINUTE = 60


def button_id(message, word: str) -> str:
    buttons = (c for c in walk(raw(message)) if c["type"] == 2)
    return next(b["custom_id"] for b in buttons if b["label"].startswith(word))


async def press(who, message, word: str):
    return await who.click(message, custom_id=button_id(message, word))


async def look(studio: Studio) -> None:
    """Let the caretaker make its round, and what it finds be posted."""
    await studio.env.advance_time(MINUTE + 5)
    await studio.quiet()


def delete(studio: Studio, message) -> None:
    studio.env.backend.delete_message(message.channel.id, message.id)


def delete_channel(studio: Studio, channel) -> None:
    """Delete a channel and, as Discord does and the emulator does not, the threads in it."""
    backend, threads = studio.env.backend, [thread.id for thread in channel.threads]
    backend.delete_channel(channel.id)
    with unheard(studio):
        for thread in threads:
            backend.delete_channel(thread)


@contextmanager
def unheard(studio: Studio):
    """What happens now reaches nobody's gateway."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studio.env.backend, "emit", lambda *_: None)
        yield


async def statuses(studio: Studio) -> list[tuple[str, str]]:
    rows = await studio.app.db.fetch_all("SELECT kind, status FROM outbox ORDER BY id")
    return [(row["kind"], row["status"]) for row in rows]


async def test_a_deleted_vote_card_is_posted_again_and_its_buttons_count(studio: Studio):
    await studio.register()
    card = await studio.posted()
    await studio.bob.click(card, label="Vote A")
    delete(studio, card)
    await studio.restart()
    await look(studio)
    fresh = studio.card()
    assert fresh.id != card.id
    assert "vote for one" in text_of(fresh)
    assert "1 vote so far" in text_of(fresh), "the votes are kept"
    await studio.bob.click(fresh, label="Vote B")
    finished = await studio.ann.click(fresh, label="Finish vote")
    assert "B wins" in answer(finished)
    await studio.quiet()


async def test_a_card_that_is_deleted_again_and_again_is_left_alone(studio: Studio):
    await studio.register()
    await studio.posted()
    for _ in range(outbox.MOST_AGAIN + 2):
        if studio.public():
            delete(studio, studio.card())
        await look(studio)
    assert studio.public() == []
    assert len(await statuses(studio)) == 1 + outbox.MOST_AGAIN
    assert "open for votes" in answer(
        await studio.ann.slash(studio.channel, "panel status", panel=1)
    )


async def test_a_deleted_evidence_thread_opens_again(studio: Studio):
    await studio.register()
    thread, _ = await studio.flagged()
    studio.env.backend.delete_channel(thread.id)
    await studio.env.settle()
    await studio.quiet()
    (fresh,) = studio.reviews.threads
    assert fresh.id != thread.id
    await press(studio.mod, fresh.last_message, "Approve")
    await studio.quiet()
    assert "accepted" in text_of(studio.card())
    assert studio.env.backend.channels[fresh.id].thread_metadata.archived


async def test_a_deleted_evidence_card_comes_back_in_its_thread(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged()
    delete(studio, card)
    await look(studio)
    assert len(studio.reviews.threads) == 1
    fresh = thread.last_message
    assert fresh.id != card.id
    await press(studio.mod, fresh, "Reject")
    await studio.quiet()
    assert "Rejected" in text_of(thread.last_message)


async def test_reviews_move_when_their_channel_is_deleted_and_people_are_told(studio: Studio):
    await studio.register()
    await studio.flagged()
    spare = studio.guild.create_text_channel("spare")
    await studio.boss.slash(studio.channel, "series settings", panel_channel=spare)
    delete_channel(studio, studio.reviews)
    await studio.env.settle()
    await studio.quiet()
    (moved,) = studio.channel.threads
    assert moved.name.startswith("review 1")
    assert "The channel for reviews was deleted" in text_of(studio.card(spare))
    series = await cast.active_series(studio.app.db, studio.guild.id)
    assert series.review_channel_id is None
    log = answer(await studio.mod.slash(studio.channel, "review log"))
    assert "it was deleted" in log
    await press(studio.mod, moved.last_message, "Approve")
    await studio.quiet()


@pytest.mark.studio(errors_expected=True)  # at last no place is left
async def test_votes_move_when_the_channel_of_panels_is_deleted(studio: Studio):
    await studio.register()
    spare = studio.guild.create_text_channel("spare")
    await studio.boss.slash(studio.reviews, "series settings", panel_channel=spare)
    await studio.posted()
    delete_channel(studio, studio.channel)  # where it was asked for
    await studio.env.settle()
    await studio.quiet()
    assert "vote for one" in text_of(studio.card(spare))
    delete_channel(studio, spare)
    await studio.env.settle()
    await studio.until(lambda: any("channel for panels" in text_of(m) for m in notes(studio)))
    series = await cast.active_series(studio.app.db, studio.guild.id)
    assert series.panel_channel_id is None


def notes(studio: Studio):
    return studio.public(studio.reviews)


@pytest.mark.studio(errors_expected=True)
async def test_without_any_place_it_waits_and_comes_when_there_is_one(studio: Studio):
    await studio.register()
    await studio.posted()
    delete_channel(studio, studio.channel)
    await studio.env.settle()
    await studio.quiet()
    assert ("vote_card", "dead") in await statuses(studio)
    assert "could not be posted" in text_of(studio.card(studio.reviews))
    listed = await studio.mod.slash(studio.reviews, "review list")
    assert "no other is set" in answer(listed)
    spare = studio.guild.create_text_channel("spare")
    await studio.boss.slash(studio.reviews, "series settings", panel_channel=spare)
    await studio.quiet()
    assert "vote for one" in text_of(studio.card(spare))
    assert "no other is set" not in answer(await studio.mod.slash(studio.reviews, "review list"))


async def test_what_was_deleted_while_the_bot_was_away_is_noticed_at_the_next_start(
    studio: Studio,
):
    await studio.register()
    card = await studio.posted()
    await studio.flagged()
    with unheard(studio):
        delete_channel(studio, studio.reviews)
        studio.env.backend.delete_role(studio.guild.id, studio.mods.id)
        delete(studio, card)
    await studio.restart()
    await look(studio)
    (moved,) = studio.channel.threads
    assert moved.name.startswith("review 1")
    said = "\n".join(text_of(m) for m in studio.public())
    assert "The channel for reviews was deleted" in said
    assert "The role of the moderators was deleted" in said
    assert "vote for one" in said


async def test_without_their_role_managers_decide_and_are_told(studio: Studio):
    await studio.register()
    _, card = await studio.flagged()
    studio.env.backend.delete_role(studio.guild.id, studio.mods.id)
    await studio.env.settle()
    await studio.quiet()
    assert "role of the moderators was deleted" in text_of(studio.card(studio.reviews))
    assert "Only moderators" in answer(await press(studio.ann, card, "Approve"))
    series = await cast.active_series(studio.app.db, studio.guild.id)
    assert series.moderator_role_id is None
    listed = await studio.boss.slash(studio.channel, "review list")
    assert "1 waiting" in answer(listed)


@pytest.mark.studio(errors_expected=True)
async def test_rights_that_were_taken_away_and_given_back(studio: Studio):
    """Nothing is tried for ever meanwhile, and nothing is lost."""
    await studio.register()
    deny(studio, discord.Permissions(send_messages=True).value)
    await studio.request()
    await studio.until(lambda: stopped(studio))
    tries = len(studio.log.of("POST", rf"/channels/{studio.channel.id}/messages"))
    for _ in range(5):
        await look(studio)
    again = len(studio.log.of("POST", rf"/channels/{studio.channel.id}/messages"))
    assert again == tries <= 2, "it is not tried for ever"
    assert "could not be posted" in text_of(studio.card(studio.reviews))
    setup = await studio.boss.slash(studio.reviews, "setup")
    assert "is gone or closed to me" in answer(setup)
    await studio.quiet()
    deny(studio, 0)
    await studio.env.settle()
    await studio.quiet()
    assert "vote for one" in text_of(studio.card())


async def stopped(studio: Studio) -> bool:
    return ("vote_card", "dead") in await statuses(studio)


def deny(studio: Studio, rights: int) -> None:
    """Take rights away from the bot in the channel of panels."""
    backend = studio.env.backend
    backend.set_overwrite(
        studio.channel.id, Overwrite(studio.guild.me.id, type=1, allow=0, deny=rights)
    )


async def test_another_server_is_not_touched(studio: Studio):
    await studio.register()
    card = await studio.posted()
    other = studio.env.create_guild("Rivals")
    room = other.create_text_channel("room")
    studio.env.backend.delete_channel(room.id)
    await studio.env.settle()
    await look(studio)
    assert studio.card().id == card.id
    assert len(await statuses(studio)) == 1


async def test_rules_for_a_role_or_channel_that_was_deleted_fall_back(studio: Studio):
    fans = studio.guild.create_role("Fans")
    room = studio.guild.create_text_channel("sketches")
    await studio.boss.slash(studio.channel, "series voting", role=fans)
    await studio.boss.slash(studio.channel, "series quota", role=fans, gpu_seconds=60)
    await studio.boss.slash(room, "series channel", style="pencil")
    await studio.register()
    card = await studio.posted()
    assert "people with the role" in answer(await studio.bob.click(card, label="Vote A"))
    studio.env.backend.delete_role(studio.guild.id, fans.id)
    await studio.env.settle()
    await studio.quiet()
    told = [text_of(m) for m in (*studio.public(), *studio.public(studio.reviews))]
    assert any("Everybody votes now" in words for words in told)
    assert "is A" in answer(await studio.bob.click(card, label="Vote A"))
    quotas = await studio.boss.slash(studio.channel, "series quota")
    assert str(fans.id) not in answer(quotas)
    studio.env.backend.delete_channel(room.id)
    await studio.env.settle()
    shown = await studio.boss.slash(studio.channel, "series channel")
    assert "what the comic says" in answer(shown)
