"""Stories of content safety: words that a server does not want, and pictures that need a look."""

import discord
import pytest
from discord_contract import walk
from studio import Studio, answer, picture, raw, text_of

from bot.services.actor import Actor
from pipeline.domain.errors import BlockedWord, NotAllowed, NotFound


async def ban(studio: Studio, words: str):
    return await studio.mod.slash(studio.channel, "safety words add", words=words)


async def test_a_word_is_refused_wherever_people_write(studio: Studio):
    await studio.register()
    await studio.posted()
    assert "2 words are on the list" in answer(await ban(studio, "badword, rude*"))
    channel, ann = studio.channel, studio.ann
    attempts = [
        await studio.request(prompt="They say b.4.d.w.o.r.d loudly."),
        await studio.request(dialogue="Akira: You BADWORD!"),
        await ann.slash(channel, "panel reroll", panel=1, prompt="A rudely drawn one."),
        await studio.register(name="Badw\u200bord"),
        await studio.register(name="Bo", notes="He is a bádword."),
        await ann.slash(channel, "character edit", character="ch_akira", notes="so rude"),
        await ann.slash(
            channel, "character edit", character="ch_akira", components="outfit=badword"
        ),
        await ann.slash(channel, "appearance add", character="ch_akira", name="rude suit"),
    ]
    for attempt in attempts:
        assert "is on the list of words" in answer(attempt)
    fine = await studio.request(prompt="A good word and a crude drawing.")
    assert "number 2" in answer(fine)
    await studio.quiet()
    removed = await studio.mod.slash(channel, "safety words remove", word="BadWord")
    assert "off the list" in answer(removed)
    assert "number 3" in answer(await studio.request(prompt="badword"))
    await studio.quiet()


async def test_a_script_names_the_line_of_a_word(studio: Studio):
    await studio.register()
    await ban(studio, "badword")
    script = b"Title: Night\n\nPAGE 1\n\nPANEL 1\nThey run.\n\nAKIRA: You b4dword!\n"
    shown = await studio.ann.slash(studio.channel, "script import", file=("s.txt", script))
    assert "**Line 8**" in answer(shown)
    assert "is on the list of words" in answer(shown)
    assert "Make panels" not in str([c for c in (shown.response, *shown.followups) if c])


async def test_the_list_is_for_moderators_of_its_own_server(studio: Studio):
    await studio.register()
    await ban(studio, "badword")
    for command, options in (
        ("safety words add", {"words": "x y"}),
        ("safety words remove", {"word": "badword"}),
        ("safety words list", {}),
    ):
        refused = await studio.ann.slash(studio.channel, command, **options)
        assert "Only moderators" in answer(refused)
    assert "too short" in answer(await ban(studio, "a"))
    await studio.restart()
    listed = await studio.mod.slash(studio.channel, "safety words list")
    assert "||badword||" in answer(listed)
    log = answer(await studio.mod.slash(studio.channel, "review log"))
    assert "1 added" in log
    other = studio.env.create_guild("Rivals")
    room = other.create_text_channel("room")
    from simcord import MemberActor

    chief = MemberActor(studio.env, other, other.owner)
    await chief.slash(room, "series create", name="Other")
    assert "is empty" in answer(await chief.slash(room, "safety words list"))


async def test_lettering_refuses_a_word(studio: Studio):
    await studio.register()
    await studio.request(alternates=1, page=1, dialogue="Akira: Hello.")
    await studio.quiet()
    await studio.ann.slash(studio.channel, "page compose", page=1)
    await ban(studio, "badword")
    said = await studio.ann.slash(
        studio.channel, "page letter", page=1, panel=1, line=1, text="badword"
    )
    assert "is on the list of words" in answer(said)


async def test_a_package_brings_no_word_in(studio: Studio):
    await studio.register(notes="a badword")
    me = Actor(studio.guild.id, studio.ann.id)
    _, data = await studio.app.packages.export(me, "ch_akira")
    await ban(studio, "badword")
    with pytest.raises(BlockedWord, match="badword"):
        await studio.app.packages.load(me, data, "Twin")


# --- pictures -------------------------------------------------------------------------------------


@pytest.fixture
def wary(monkeypatch):
    """A classifier that dislikes crimson pictures, in place of the network."""
    from pipeline.safety.raters import DrawingRater

    def rate(self, image) -> float:
        red, green, blue = image.resize((1, 1)).getpixel((0, 0))
        return 0.97 if red > green + 25 and red > blue + 25 else 0.02

    monkeypatch.setattr(DrawingRater, "rate", rate)


async def test_a_panel_that_may_not_be_for_everyone_is_seen_by_moderators_first(studio: Studio):
    await studio.register()
    thread, card = await studio.flagged(prompt="unsafe", alternates=1)
    assert studio.public() == []
    assert "perhaps not for everyone" in text_of(card)
    assert "93%" in text_of(card)
    assert card.attachments[0].filename == "SPOILER_review-1-evidence.png"
    assert all(item["spoiler"] for item in gallery(card))
    await studio.mod.click(card, label="Approve")
    await studio.quiet()
    shown = studio.card()
    assert "accepted" in text_of(shown)
    assert [a.filename.startswith("SPOILER_") for a in shown.attachments] == [True]
    assert all(item["spoiler"] for item in gallery(shown))
    assert thread.last_message.attachments[0].filename.startswith("SPOILER_"), "also when edited"
    row = await studio.app.db.fetch_one("SELECT count(*) AS n FROM verdict_label")
    assert row["n"] == 0, "it was not about the model sheet, so the check learns nothing from it"


@pytest.fixture
def restricted(monkeypatch) -> set[int]:
    """The channels that are age-restricted: the emulator does not know that flag of channels."""
    channels: set[int] = set()
    monkeypatch.setattr(discord.TextChannel, "is_nsfw", lambda self: self.id in channels)
    return channels


def gallery(message):
    return [item for part in walk(raw(message)) if part["type"] == 12 for item in part["items"]]


async def test_age_restricted_channels_only_where_the_server_says_so(studio: Studio, restricted):
    await studio.register()
    adults = studio.guild.create_text_channel("adults")
    restricted.add(adults.id)
    ask = {"characters": "Akira", "prompt": "unsafe", "alternates": 1}
    await studio.ann.slash(adults, "panel request", **ask)
    await studio.quiet()
    assert len(studio.reviews.threads) == 1, "nobody has said so yet"
    refused = await studio.mod.slash(studio.channel, "safety settings", restricted_channels="allow")
    assert "Manage Server" in answer(refused)
    changed = await studio.boss.slash(
        studio.channel, "safety settings", restricted_channels="allow", flag_from=60
    )
    assert "Flagged from 60 %" in answer(changed)
    await studio.ann.slash(adults, "panel request", **ask)
    await studio.quiet()
    assert len(studio.reviews.threads) == 1
    shown = studio.card(adults)
    assert shown.attachments[0].filename.startswith("SPOILER_")
    await studio.ann.slash(studio.channel, "panel request", **ask)
    await studio.quiet()
    assert len(studio.reviews.threads) == 2, "elsewhere a moderator still looks first"
    log = answer(await studio.mod.slash(studio.channel, "review log"))
    assert "age-restricted channels: allow" in log


@pytest.mark.studio(errors_expected=True)
async def test_it_is_never_posted_where_the_restriction_was_taken_away(studio: Studio, restricted):
    await studio.register()
    adults = studio.guild.create_text_channel("adults")
    restricted.add(adults.id)
    await studio.boss.slash(studio.channel, "safety settings", restricted_channels="allow")
    await studio.boss.slash(studio.channel, "series settings", panel_channel=studio.channel)
    studio.executor.gate.clear()
    await studio.ann.slash(
        adults, "panel request", characters="Akira", prompt="unsafe", alternates=1
    )
    await studio.until(lambda: studio.executor.runs == 1)
    restricted.clear()
    studio.executor.gate.set()
    await studio.quiet()
    assert [m for m in (*studio.public(adults), *studio.public()) if m.attachments] == []


async def test_a_reference_waits_for_a_moderator_and_can_be_sent_again(studio: Studio, wary):
    refused = await studio.register(colour="crimson")
    assert "a moderator looks at it first" in answer(refused)
    await studio.quiet()
    assert "No characters yet" in answer(await studio.ann.slash(studio.channel, "character list"))
    (thread,) = studio.reviews.threads
    card = thread.last_message
    assert card.attachments[0].filename == "SPOILER_picture-1.png"
    members = set(studio.env.backend.channels[thread.id].thread_members)
    assert studio.mod.id in members
    assert studio.ann.id not in members
    again = await studio.register(colour="crimson")
    assert "a moderator looks at it first" in answer(again)
    await studio.quiet()
    assert len(studio.reviews.threads) == 1, "it is asked once"
    await studio.restart()
    assert "is allowed" in answer(await studio.mod.click(card, label="Allow"))
    await studio.quiet()
    card = thread.last_message
    assert "Allowed" in text_of(card)
    assert not card.attachments
    assert studio.env.backend.channels[thread.id].thread_metadata.archived
    assert "is in the cast" in answer(await studio.register(colour="crimson"))
    log = answer(await studio.mod.slash(studio.channel, "review log"))
    assert "picture.allowed" in log or "picture 1" in log


async def test_a_refused_picture_stays_out_and_its_file_is_gone(studio: Studio, wary):
    await studio.register()
    sketched = await studio.request(sketch=("s.png", picture("crimson")))
    assert "a moderator looks at it first" in answer(sketched)
    await studio.quiet()
    held = await studio.app.safety.held(studio.guild.id, 1)
    card = studio.reviews.threads[0].last_message
    ann = Actor(studio.guild.id, studio.ann.id)
    with pytest.raises(NotAllowed):
        await studio.app.safety.decide(ann, 1, allow=True)
    await studio.mod.click(card, label="Refuse")
    await studio.quiet()
    await studio.app.sweeper.sweep()
    assert held.sha256 not in await studio.app.blobs.names(studio.guild.id)
    again = await studio.request(sketch=("s.png", picture("crimson")))
    assert "have refused this picture" in answer(again)
    by_mod = await studio.request(studio.mod, sketch=("s.png", picture("crimson")))
    assert "number 1" in answer(by_mod), "moderators are those who would be asked"
    await studio.quiet()


async def test_a_waiting_picture_survives_a_deleted_thread_and_goes_with_its_owner(
    studio: Studio, wary
):
    await studio.register(colour="crimson")
    await studio.quiet()
    (thread,) = studio.reviews.threads
    studio.env.backend.delete_channel(thread.id)
    await studio.env.settle()
    await studio.quiet()
    (fresh,) = studio.reviews.threads
    assert fresh.id != thread.id
    assert fresh.last_message.attachments
    held = await studio.app.safety.held(studio.guild.id, 1)
    await studio.app.privacy.forget(Actor(studio.guild.id, studio.ann.id))
    with pytest.raises(NotFound):
        await studio.app.safety.held(studio.guild.id, 1)
    assert held.sha256 not in await studio.app.blobs.names(studio.guild.id)


async def test_what_waits_here_is_nothing_there(studio: Studio, wary):
    await studio.register(colour="crimson")
    await studio.quiet()
    other = Actor(studio.guild.id + 1, studio.mod.id, is_moderator=True)
    with pytest.raises(NotFound):
        await studio.app.safety.decide(other, 1, allow=True)
