"""Stories of quests: what is lacking is asked for, drawn, delivered, accepted and credited."""

from asyncio import gather
from datetime import UTC, datetime, timedelta

import discord
from discord_contract import walk
from studio import Studio, answer, enabled, picture, raw, text_of

from bot.services.actor import Actor
from pipeline.domain.quest import QuestStatus, View
from storage import quests as stored


async def lacking(studio: Studio) -> None:
    """Akira has no full figure from behind, and panels that want one fail."""
    await studio.register(shot_type="half")
    for n in range(4):
        await studio.request(prompt=f"Seen from behind, off-model {n}.", shot_type="full")
        await studio.request(prompt=f"They talk {n}.", shot_type="half")
    await studio.quiet()


async def board(studio: Studio, who=None, **options):
    return await (who or studio.ann).slash(studio.channel, "character quests", **options)


async def asked(studio: Studio) -> discord.Message:
    """A quest for that picture, posted by its owner; returns its card."""
    shown = await board(studio, character="Akira")
    (menu,) = [c for c in walk(raw(shown.response)) if c["type"] == 3]
    value = menu["options"][0]["value"]
    assert value == "full.back@akira_default"
    said = await studio.ann.select(shown.response, [value], custom_id=menu["custom_id"])
    assert "Quest 1 is posted: full figure, from behind" in answer(said)
    await studio.quiet()
    return studio.card()


async def deliver(studio: Studio, card, who=None, data: bytes | None = None):
    shown = await (who or studio.bob).click(card, label="Deliver")
    (field,) = [c["component"]["custom_id"] for c in shown.modal["components"]]
    data = picture("navy", (120, 200), 6) if data is None else data
    said = await (who or studio.bob).submit_modal(shown, {field: ("back.png", data)})
    await studio.quiet()
    return said


async def test_what_would_help_is_told_with_its_reasons(studio: Studio):
    await lacking(studio)
    words = text_of((await board(studio, character="Akira")).response).replace("\\", "")
    assert "`akira_default`: full figure, from behind · would save about 4 tries" in words
    assert "head, from the front · the model sheet lacks it; no panel wanted it yet" in words
    shown = await studio.bob.slash(studio.channel, "character coverage", character="Akira")
    heat = shown.response.attachments[1].description
    assert "Lacking most: full figure, from behind, wanted by 4 panels." in heat
    stranger = (await board(studio, studio.bob, character="Akira")).response
    assert [c for c in walk(raw(stranger)) if c["type"] == 3] == [], "only who may edit posts"
    assert "Nothing is asked for" in answer(await board(studio))
    assert "Akira" in answer(await board(studio, character="Akria"))


async def test_a_quest_from_wanted_to_credited(studio: Studio):
    await lacking(studio)
    card = await asked(studio)
    words = text_of(card).replace("\\", "")
    assert "Wanted: Akira" in words
    assert "It would save about 4 tries" in words
    assert "4 of 8 panels wanted it and found none: they failed 1.0 times each" in words
    listed = await board(studio, studio.bob)
    shown = await studio.bob.select(listed.response, ["1"], custom_id="om:quests")
    assert "Wanted: Akira" in text_of(shown.followups[-1])
    assert enabled(shown.followups[-1]) == ["I'll draw it", "Close"]
    again = await board(studio, character="Akira")
    assert "full.back" not in str(raw(again.response)), "what is asked for is no idea any more"

    await studio.restart()
    taken = await studio.bob.click(card, label="I'll draw it")
    assert "is yours" in answer(taken)
    await studio.quiet()
    card = studio.card()
    assert enabled(card) == ["Deliver", "Give it back", "Close"]
    late = await studio.mod.click(card, label="Deliver")
    (field,) = [c["component"]["custom_id"] for c in late.modal["components"]]
    refused = await studio.mod.submit_modal(late, {field: ("x.png", picture(mark=3))})
    assert f"<@{studio.bob.id}> draws this one" in answer(refused)
    assert "not a picture" in answer(await deliver(studio, card, data=b"hello"))
    assert "already registered" in answer(await deliver(studio, card, data=picture("navy")))

    await studio.restart()
    assert "is delivered" in answer(await deliver(studio, card))
    waiting = studio.card()
    assert waiting.id != card.id, "a picture that waits comes as a new message"
    assert [a.filename for a in waiting.attachments] == ["quest-1.png"]
    refused = await studio.bob.click(waiting, label="Accept")
    assert "Only its owner or a moderator" in answer(refused)

    shown = await studio.ann.click(waiting, label="Send back")
    (field,) = [c["component"]["custom_id"] for c in shown.modal["components"]]
    back = await studio.ann.submit_modal(shown, {field: "The bag is on the other side."})
    assert "goes back" in answer(back)
    await studio.quiet()
    card = studio.card()
    assert "Sent back: The bag is on the other side." in text_of(card)
    assert card.attachments == []

    await deliver(studio, card, data=picture("navy", (120, 200), 8))
    await studio.restart()
    done = await studio.ann.click(studio.card(), label="Accept")
    assert "Quest 1 is done" in answer(done)
    await studio.quiet()
    assert all(enabled(m) == [] for m in studio.public() if "Wanted" in text_of(m))
    assert f"Drawn by <@{studio.bob.id}>, and part of the model sheet now." in text_of(
        studio.card()
    )
    quest = await studio.app.quests.get(studio.guild.id, 1)
    entry = await studio.app.registry.entry(Actor(studio.guild.id, studio.ann.id), "Akira")
    made = entry.references["akira_default"][-1]
    assert (made.id, made.shot_type, made.angle, made.added_by, made.canon) == (
        quest.reference_id, "full", "back", studio.bob.id, True,
    )  # fmt: skip
    credited = answer(await board(studio, character="Akira"))
    assert f"<@{studio.bob.id}> (1)" in credited
    assert "full figure, from behind" not in credited


async def test_who_waits_too_long_gives_it_back_and_another_may_take_it(studio: Studio):
    await lacking(studio)
    card = await asked(studio)
    await studio.bob.click(card, label="I'll draw it")
    await studio.quiet()
    refused = await studio.mod.click(studio.card(), label="Give it back")
    assert f"is in the hands of <@{studio.bob.id}>" in answer(refused)
    past = datetime.now(UTC) - timedelta(days=1)
    await studio.app.db.write(
        lambda tx: tx.execute("UPDATE quest SET due_at = ?", (past.isoformat(),)).rowcount
    )
    assert await studio.app.quests.expire() == 1
    assert await studio.app.quests.expire() == 0
    studio.bot.wake()
    await studio.quiet()
    assert enabled(studio.card()) == ["I'll draw it", "Close"]
    await studio.mod.click(studio.card(), label="I'll draw it")
    await studio.quiet()
    given = await studio.mod.click(studio.card(), label="Give it back")
    assert "is open again" in answer(given)
    await studio.quiet()
    closed = await studio.bob.click(studio.card(), label="Close")
    assert "Only its owner or a moderator" in answer(closed)
    assert "is closed" in answer(await studio.ann.click(studio.card(), label="Close"))
    await studio.quiet()
    assert enabled(studio.card()) == []


async def test_two_artists_at_once_and_one_with_full_hands(studio: Studio):
    await lacking(studio)
    ann, bob, mod = (Actor(studio.guild.id, p.id) for p in (studio.ann, studio.bob, studio.mod))
    service = studio.app.quests
    views = [View.of(key) for key in ("full.back", "headshot.front", "full.side", "dynamic")]
    made = [await service.post(ann, "akira_default", view, studio.channel.id) for view in views]
    results = await gather(
        *(service.take(who, made[0].id) for who in (bob, mod)), return_exceptions=True
    )
    assert sum(isinstance(r, Exception) for r in results) == 1
    (winner,) = [r.artist_id for r in results if not isinstance(r, BaseException)]
    artist = bob if winner == bob.member_id else mod
    for quest in made[1:3]:
        await service.take(artist, quest.id)
    refused = (await gather(service.take(artist, made[3].id), return_exceptions=True))[0]
    assert "3 quests in hand" in str(refused)
    assert (await service.get(studio.guild.id, made[3].id)).status is QuestStatus.OPEN
    for view, words in ((views[0], "asked for already"), (View.of("half"), "shows that already")):
        again = (
            await gather(service.post(ann, "akira_default", view, None), return_exceptions=True)
        )[0]
        assert words in str(again)
    stranger = (
        await gather(
            service.post(bob, "akira_default", View.of("half.back"), None), return_exceptions=True
        )
    )[0]
    assert "Only its owner" in str(stranger)
    await studio.quiet()


async def test_another_server_sees_and_takes_nothing(studio: Studio):
    await lacking(studio)
    card = await asked(studio)
    other = studio.env.create_guild("Other Club")
    eve = Actor(other.id, other.add_member(studio.env.create_user("eve")).id, is_moderator=True)
    service = studio.app.quests
    for work in (service.take(eve, 1), service.accept(eve, 1), service.close(eve, 1)):
        refused = (await gather(work, return_exceptions=True))[0]
        assert "no such quest here" in str(refused)
    assert (await service.board(eve)).quests == ()
    assert await stored.panel_tries(studio.app.db, other.id, datetime(2000, 1, 1, tzinfo=UTC)) == []
    assert enabled(card) == ["I'll draw it", "Close"]


async def test_a_character_that_goes_takes_its_quests_along(studio: Studio):
    await lacking(studio)
    card = await asked(studio)
    await studio.bob.click(card, label="I'll draw it")
    await studio.quiet()
    await deliver(studio, studio.card())
    quest = await studio.app.quests.get(studio.guild.id, 1)
    await studio.ann.slash(studio.channel, "character delete", character="ch_akira")
    gone = await studio.ann.click(studio.card(), label="Accept")
    assert "no such quest here" in answer(gone)
    assert quest.delivery_sha256 not in await studio.app.blobs.names(studio.guild.id)


async def test_an_artist_who_is_forgotten_leaves_the_quest_open_and_no_name(studio: Studio):
    await lacking(studio)
    card = await asked(studio)
    await studio.bob.click(card, label="I'll draw it")
    await studio.quiet()
    await deliver(studio, studio.card())
    picture_of = (await studio.app.quests.get(studio.guild.id, 1)).delivery_sha256
    bob = Actor(studio.guild.id, studio.bob.id)
    assert (await studio.app.privacy.forget(bob, references=False)).traces == ()
    studio.bot.wake()
    await studio.quiet()
    cards = [m for m in studio.public() if "Wanted" in text_of(m)]
    assert len(cards) == 2
    assert all(enabled(m) == ["I'll draw it", "Close"] for m in cards)
    assert all(str(studio.bob.id) not in text_of(m) for m in cards)
    assert picture_of not in await studio.app.blobs.names(studio.guild.id)
