"""Stories of people and their data: a copy of it, being forgotten, saying yes and no."""

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta

import discord
import pytest
from discord_contract import walk
from studio import Studio, answer, labels_of, picture, raw, text_of

from bot.services.actor import Actor
from cogs.ui import ids
from cogs.ui.card import Card, button
from storage import privacy
from storage.doomed import doomed_files


def button_id(message, word: str) -> str:
    buttons = (c for c in walk(raw(message)) if c["type"] == 2)
    return next(b["custom_id"] for b in buttons if b["label"].startswith(word))


async def press(who, message, word: str):
    return await who.click(message, custom_id=button_id(message, word))


def unzipped(attachment_data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(attachment_data)) as found:
        return {name: found.read(name) for name in found.namelist()}


def actor(studio: Studio, who) -> Actor:
    return Actor(studio.guild.id, who.id)


async def traces(studio: Studio, who) -> list[str]:
    return await privacy.traces_of_member(studio.app.db, studio.guild.id, who.id)


async def elsewhere(studio: Studio, *people):
    """A second server with the same people and a comic of its own."""
    guild = studio.env.create_guild("Elsewhere")
    channel = guild.create_text_channel("panels")
    role = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    found = [guild.add_member(p.user, roles=[role]) for p in people]
    await found[0].slash(channel, "series create", name="Day Shift")
    return guild, channel, found


# --- a copy -----------------------------------------------------------------------------------


async def test_a_person_gets_all_that_names_them_in_private(studio: Studio):
    await studio.register()
    card = await studio.posted(prompt="My secret plan.")
    await press(studio.ann, card, "Vote A")
    await studio.request(studio.bob, prompt="Nobody else's words.")
    await studio.quiet()
    told = await studio.ann.slash(studio.channel, "privacy export")
    assert told.response.ephemeral
    assert "Your data" in answer(told)
    (attached,) = told.response.attachments
    assert attached.filename == "my-data.zip"
    export = await studio.app.privacy.export(actor(studio, studio.ann), 10 * 2**20)
    files = unzipped(export.parts[0][1])
    rows = json.loads(files["data.json"])["rows"]
    assert {"character", "reference", "panel", "vote", "job", "series"} - set(rows) == {"series"}
    assert "My secret plan." in files["data.json"].decode()
    assert "Nobody else" not in files["data.json"].decode()
    assert any(name.startswith("references/akira") for name in files)
    assert sum(name.startswith("panels/") for name in files) == 2
    assert "/privacy delete" in files["README.txt"].decode()


async def test_an_export_is_split_to_fit_and_says_what_found_no_room(studio: Studio):
    await studio.register()
    await studio.posted()
    whole = await studio.app.privacy.export(actor(studio, studio.ann), 10 * 2**20)
    pictures = [len(d) for n, d in unzipped(whole.parts[0][1]).items() if n.endswith(".png")]
    limit = 16 * 1024 + 4096 + max(pictures)
    split = await studio.app.privacy.export(actor(studio, studio.ann), limit)
    assert all(len(data) <= limit for _, data in split.parts)
    names = [n for _, data in split.parts for n in unzipped(data) if n.endswith(".png")]
    assert len(names) == len(set(names)) == len(pictures) - split.left_out
    if split.left_out:
        assert str(split.left_out) in unzipped(split.parts[0][1])["README.txt"].decode()


# --- to be forgotten --------------------------------------------------------------------------


async def test_deletion_is_foretold_confirmed_and_proven(studio: Studio):
    await studio.register()
    card = await studio.posted()
    await press(studio.ann, card, "Vote A")
    await press(studio.ann, card, "Finish")
    await studio.quiet()
    await studio.posted(prompt="off-model once more", alternates=1)
    thread = studio.reviews.threads[-1]
    asked = await studio.ann.slash(studio.channel, "privacy delete")
    words = text_of(asked.response)
    for piece in (
        "1 panel",
        "1 vote",
        "1 character",
        "Accepted panels stay",
        "cannot be undone",
    ):
        assert piece in words, (piece, words)
    assert labels_of(asked.response) == ["Delete", "Everything: also 1 reference"]
    assert await traces(studio, studio.ann) != []
    await studio.restart()
    await press(studio.ann, asked.response, "Delete")
    shown = text_of(asked.response)
    assert "found your id nowhere" in shown
    assert await traces(studio, studio.ann) == []
    assert await doomed_files(studio.app.db) == []
    assert [m for m in thread.history() if m.components] == [], "the evidence card is gone"
    status = await studio.bob.slash(studio.channel, "panel status", panel=1)
    assert "accepted" in answer(status)
    gone = await studio.bob.slash(studio.channel, "panel status", panel=2)
    assert "no panel 2" in answer(gone)
    # The character is the moderators' now; a stranger still may not touch it.
    refused = await studio.bob.slash(studio.channel, "character delete", character="Akira")
    assert "Only its owner or a moderator" in answer(refused)
    mended = await studio.mod.slash(
        studio.channel, "character edit", character="Akira", notes="ours now"
    )
    assert "up to date" in answer(mended)
    log = await studio.mod.slash(studio.channel, "review log")
    assert "member.erased" in answer(log)
    assert "somebody who left" in answer(log)


async def test_nobody_else_can_press_it_and_an_empty_house_says_so(studio: Studio):
    await studio.register()
    asked = await studio.ann.slash(studio.channel, "privacy delete")
    # The card is shown to nobody else; a button that got out is refused all the same.
    channel = studio.bot.get_channel(studio.channel.id)
    assert isinstance(channel, discord.TextChannel)
    stray = ids.forget(studio.ann.id, references=True)
    assert re.fullmatch(ids.FORGET, stray)
    await channel.send(view=Card().row(button("Delete", stray)).view())
    refused = await press(studio.bob, studio.card(), "Delete")
    assert "Only the person who asked" in answer(refused)
    assert labels_of(asked.response)
    assert await traces(studio, studio.ann) != []
    nothing = await studio.bob.slash(studio.channel, "privacy delete")
    assert "nothing to delete" in answer(nothing)
    assert labels_of(nothing.response) == []


async def test_what_is_being_drawn_ends_and_is_posted_to_nobody(studio: Studio):
    await studio.register()
    studio.executor.gate.clear()
    await studio.request()
    await studio.request(prompt="And one that waits.")
    await studio.until(lambda: studio.executor.runs == 1)
    before = len(studio.public())
    proof = await studio.app.privacy.forget(actor(studio, studio.ann), references=True)
    assert proof.forgotten.stopped == 2
    assert proof.traces == ()
    studio.executor.gate.set()
    await studio.quiet()
    assert len(studio.public()) == before
    assert await studio.app.blobs.names(studio.guild.id) == []
    assert (await studio.app.db.fetch_all("SELECT * FROM panel")) == []
    # The share is right: the next request is drawn.
    await studio.register(studio.bob, name="Beni")
    await studio.request(studio.bob, characters="Beni")
    await studio.quiet()
    assert "Vote A" in labels_of(studio.card())


async def test_the_other_server_keeps_what_it_knows(studio: Studio):
    await studio.register()
    guild, channel, (ann,) = await elsewhere(studio, studio.ann)
    await ann.slash(channel, "character register", name="Beni", image=("b.png", picture("crimson")))
    there = await privacy.rows_of_member(studio.app.db, guild.id, ann.id)
    assert there["character"][0]["name"] == "Beni"
    await studio.app.privacy.forget(actor(studio, studio.ann))
    assert await privacy.rows_of_member(studio.app.db, guild.id, ann.id) == there
    assert await traces(studio, studio.ann) == []


async def test_a_stranger_cannot_read_the_log(studio: Studio):
    refused = await studio.bob.slash(studio.channel, "review log")
    assert "Only moderators" in answer(refused)
    shown = await studio.boss.slash(studio.channel, "review log")
    assert "series.settings" in answer(shown)


# --- consent ----------------------------------------------------------------------------------


async def asked_for_bob(studio: Studio):
    await studio.register()
    said = await studio.ann.slash(
        studio.channel, "privacy consent", character="Akira", person=studio.bob, days=30
    )
    assert "Here it is" in answer(said)
    return studio.card()


async def test_a_likeness_is_drawn_only_while_its_person_agrees(studio: Studio):
    card = await asked_for_bob(studio)
    assert labels_of(card) == ["Agree", "Refuse"]
    refused = await studio.request()
    assert "has not agreed" in answer(refused)
    assert "/privacy consent" in answer(refused)
    stranger = await press(studio.ann, card, "Agree")
    assert "Only the person whose likeness" in answer(stranger)
    await studio.restart()
    said = await press(studio.bob, card, "Agree")
    assert "Written down" in answer(said)
    assert labels_of(studio.card()) == ["Withdraw"]
    await studio.request()
    await studio.quiet()
    assert "Vote A" in labels_of(studio.card())


async def test_a_withdrawn_consent_takes_everything_along(studio: Studio):
    card = await asked_for_bob(studio)
    await press(studio.bob, card, "Agree")
    vote = await studio.posted()
    await press(studio.ann, vote, "Vote A")
    await press(studio.ann, vote, "Finish")
    await studio.quiet()
    studio.executor.gate.clear()
    await studio.request(prompt="One more.")
    await studio.until(lambda: studio.executor.runs == 2)
    mine = await studio.bob.slash(studio.channel, "privacy consent")
    assert labels_of(mine.response) == ["Withdraw 1"]
    said = await press(studio.bob, mine.response, "Withdraw")
    assert "computed from them: 1" in answer(said)
    assert "Jobs stopped: 1" in answer(said)
    assert "whether they may stay: 1" in answer(said)
    studio.executor.gate.set()
    await studio.quiet()
    thread = studio.reviews.threads[-1]
    assert "consent" in text_of(thread.last_message)
    assert "Approve" in " ".join(labels_of(thread.last_message))
    for sql in ("SELECT * FROM reference", "SELECT * FROM fingerprint"):
        assert await studio.app.db.fetch_all(sql) == []
    again = await studio.request()
    assert "has not agreed" in answer(again)
    more = await studio.ann.slash(
        studio.channel, "character add-reference", character="Akira",
        image=("x.png", picture("crimson")),
    )  # fmt: skip
    assert "has not agreed" in answer(more)
    await press(studio.mod, thread.last_message, "Approve")
    await studio.quiet()
    status = await studio.ann.slash(studio.channel, "panel status", panel=1)
    assert "accepted" in answer(status)
    log = answer(await studio.mod.slash(studio.channel, "review log"))
    for piece in ("consent.asked", "consent.given", "consent.revoked", "review.approved"):
        assert piece in log


async def test_asking_has_rules(studio: Studio):
    await studio.register()
    for options, why in (
        ({"character": "Akira"}, "Say both"),
        ({"character": "Akira", "person": studio.ann}, "two persons"),
        ({"character": "Nobody", "person": studio.bob}, "no character"),
    ):
        refused = await studio.ann.slash(studio.channel, "privacy consent", **options)
        assert why.lower() in answer(refused).lower(), answer(refused)
    stranger = await studio.bob.slash(
        studio.channel, "privacy consent", character="Akira", person=studio.ann
    )
    assert "Only its owner or a moderator" in answer(stranger)
    empty = await studio.bob.slash(studio.channel, "privacy consent")
    assert "No consents" in answer(empty)


async def test_a_consent_of_another_server_is_not_there(studio: Studio):
    card = await asked_for_bob(studio)
    _, channel, (bob,) = await elsewhere(studio, studio.bob)
    listed = await bob.slash(channel, "privacy consent")
    assert "No consents" in answer(listed)
    with pytest.raises(Exception, match="no consent 1"):
        await studio.app.consent.answer(Actor(channel.guild.id, bob.id), 1, agrees=True)
    assert labels_of(card) == ["Agree", "Refuse"]


# --- the bot leaves ---------------------------------------------------------------------------


async def test_the_bot_leaves_and_thirty_days_later_nothing_is_left(studio: Studio):
    await studio.register()
    server = studio.bot.get_guild(studio.guild.id)
    assert server is not None
    await server.leave()
    await studio.env.settle()
    await studio.restart()
    (row,) = await studio.app.db.fetch_all("SELECT left_at FROM guild")
    assert row["left_at"] is not None
    later = datetime.now(UTC) + timedelta(days=31)
    assert await studio.app.guilds.erase_due(later) == 1
    assert await studio.app.db.fetch_all("SELECT * FROM guild") == []
    assert await studio.app.blobs.names(studio.guild.id) == []
