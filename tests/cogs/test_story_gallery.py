"""Stories of finding old panels again: by whom they show, by words, by page and day, by a picture."""

import io
from datetime import UTC, datetime, timedelta

import discord
from PIL import Image
from studio import Studio, answer, labels_of, picture, raw, text_of


def numbers(message) -> list[int]:
    """The panels on a page, in order."""
    names = [a.filename.removeprefix("SPOILER_") for a in message.attachments]
    return [int(name.removeprefix("gallery-").partition(".")[0]) for name in names]


async def gallery(studio: Studio, who=None, **options):
    return await (who or studio.bob).slash(studio.channel, "panel gallery", **options)


async def drawn(studio: Studio, *prompts: str, **options) -> None:
    for prompt in prompts:
        await studio.request(prompt=prompt, alternates=1, **options)
        await studio.quiet()


async def test_old_work_is_found_by_cast_words_page_and_day(studio: Studio):
    await studio.register()
    await studio.register(name="Bo", colour="darkgreen")
    await drawn(studio, "Akira waits at the HARBOUR.", page=2)
    await drawn(studio, "Bo sleeps.", characters="Bo", dialogue="Bo: Five more minutes.")
    await drawn(studio, "Both at the harbour.", characters="Akira, Bo", page=3)
    shown = await gallery(studio)
    assert shown.ephemeral
    assert numbers(shown.response) == [3, 2, 1]
    assert "3 panels" in answer(shown)
    assert "Panel 3: Akira, Bo" in str(raw(shown.response))
    assert f"discord.com/channels/{studio.guild.id}/{studio.channel.id}/" in answer(shown)
    for options, found in (
        ({"character": "Bo"}, [3, 2]),
        ({"words": "harbour"}, [3, 1]),
        ({"words": "minutes five"}, [2]),
        ({"page": 2}, [1]),
        ({"member": studio.ann}, [3, 2, 1]),
        ({"character": "Akira", "words": "both"}, [3]),
        ({"since": f"{datetime.now(UTC):%Y-%m-%d}"}, [3, 2, 1]),
    ):
        assert numbers((await gallery(studio, **options)).response) == found, options
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    for options, words in (
        ({"since": tomorrow}, "No accepted panel fits"),
        ({"words": "volcano"}, "No accepted panel fits"),
        ({"character": "Nobody"}, "Nobody"),
        ({"since": "yesterday!"}, "like 2026-11-29"),
        ({"since": tomorrow, "until": "2020-01-01"}, "Swap them"),
        ({"image": ("x.png", b"no picture")}, "picture"),
    ):
        assert words in answer(await gallery(studio, **options)), options


async def test_a_copy_of_a_picture_finds_its_panel_first(studio: Studio):
    await studio.register()
    await drawn(studio, "One.", "Two.", "Three.")
    png = await studio.app.panels.picture(studio.guild.id, await _sha(studio, 2))
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    image = image.crop((4, 3, image.width - 5, image.height - 2)).resize((200, 150))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=60)
    shown = await gallery(studio, image=("photo.jpg", out.getvalue()))
    assert numbers(shown.response)[0] == 2
    assert "the most alike first" in answer(shown)
    assert "a copy, or nearly (0.9" in answer(shown)
    kept = await studio.app.db.fetch_all("SELECT * FROM panel_print")
    assert len(kept) == 3, "nothing is kept of what was uploaded"
    asked = await gallery(studio, image=("a.png", picture("navy")), words="three")
    assert numbers(asked.response) == [3]


async def test_the_pages_of_a_search_are_leafed_through_also_after_a_restart(studio: Studio):
    await studio.register()
    await drawn(studio, *(f"Number {n}." for n in range(1, 7)))
    shown = await gallery(studio)
    assert numbers(shown.response) == [6, 5, 4, 3]
    assert labels_of(shown.response) == ["Back", "More"]
    await studio.restart()
    await studio.bob.click(shown.response, label="More")
    assert numbers(shown.response) == [2, 1]
    assert "Page 2 of 2" in text_of(shown.response)
    await drawn(studio, "Number 7.")
    await studio.bob.click(shown.response, label="Back")
    assert numbers(shown.response) == [6, 5, 4, 3], "a search stays what it was"


async def test_who_is_erased_is_found_no_more_and_what_is_taken_down_is_not_shown(studio: Studio):
    await studio.register()
    await drawn(studio, "Mine.", "Yours.")
    await studio.request(studio.bob, prompt="Bob's.", alternates=1)
    await studio.quiet()
    by_bob = await gallery(studio, who=studio.mod, member=studio.bob)
    assert numbers(by_bob.response) == [3]
    own = await gallery(studio, who=studio.bob)
    asked = await studio.bob.slash(studio.channel, "privacy delete")
    await studio.bob.click(asked.response, label="Delete")
    again = await gallery(studio, who=studio.mod, member=studio.bob)
    assert "No accepted panel fits" in answer(again)
    rows = await studio.app.db.fetch_all("SELECT member_id FROM panel_search")
    assert {row["member_id"] for row in rows} == {studio.mod.id}
    assert own.response is not None
    shown = await gallery(studio, who=studio.mod)
    assert numbers(shown.response) == [3, 2, 1], "accepted panels stay, without a name"
    await studio.app.db.write(
        lambda tx: tx.execute("UPDATE panel SET status = 'rejected' WHERE id = 2")
    )
    assert numbers((await gallery(studio, who=studio.mod)).response) == [3, 1]


async def test_another_server_finds_nothing_of_this_one(studio: Studio):
    await studio.register()
    await drawn(studio, "Ours.")
    shown = await gallery(studio)
    assert numbers(shown.response) == [1]
    other = studio.env.create_guild("Another Club")
    room = other.create_text_channel("room")
    eve = other.add_member(studio.env.create_user("eve"))
    for options in ({}, {"image": ("a.png", picture("navy"))}, {"member": eve}):
        told = await eve.slash(room, "panel gallery", **options)
        assert "No accepted panel fits" in answer(told)


async def _sha(studio: Studio, panel: int) -> str:
    row = await studio.app.db.fetch_one(
        "SELECT c.sha256 FROM panel AS p JOIN candidate AS c ON c.id = p.chosen_candidate "
        "WHERE p.id = ?",
        (panel,),
    )
    return row["sha256"]


async def test_what_is_not_for_everyone_is_shown_where_it_may_be(studio: Studio, monkeypatch):
    """In age-restricted channels, and anywhere once a moderator has approved it; as a spoiler."""
    adults = studio.guild.create_text_channel("adults")
    monkeypatch.setattr(discord.TextChannel, "is_nsfw", lambda self: self.id == adults.id)
    await studio.boss.slash(studio.channel, "safety settings", restricted_channels="allow")
    await studio.register()
    await drawn(studio, "Harmless.")
    ask = {"characters": "Akira", "prompt": "unsafe", "alternates": 1}
    await studio.ann.slash(adults, "panel request", **ask)
    await studio.quiet()
    assert numbers((await gallery(studio)).response) == [1]
    found = await studio.bob.slash(adults, "panel gallery")
    assert numbers(found.response) == [2, 1]
    assert found.response.attachments[0].filename.startswith("SPOILER_")
    await studio.request(prompt="unsafe", alternates=1)
    await studio.quiet()
    assert numbers((await gallery(studio)).response) == [1], "a moderator has not seen it yet"
    await studio.mod.click(studio.reviews.threads[-1].last_message, label="Approve")
    await studio.quiet()
    shown = await gallery(studio)
    assert numbers(shown.response) == [3, 1]
    taken = await studio.ann.click(studio.card(), label="Upscale")
    assert "number 4" in answer(taken)
    await studio.quiet()
    large = studio.card()
    assert "Panel 4" in text_of(large), "what was approved stays approved when it is larger"
    assert large.attachments[0].filename.startswith("SPOILER_")
    assert numbers((await gallery(studio)).response) == [4, 1]
