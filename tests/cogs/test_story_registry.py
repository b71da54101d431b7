"""Stories of the registry desk: coverage, edits, looks that merge and split, packages."""

import io
import re

import pytest
from PIL import Image, ImageDraw
from studio import Studio, answer, picture

from cogs.appearances import read_numbers
from pipeline.domain.errors import InvalidInput


def drawn(colour: str, mark: int) -> bytes:
    """A standing figure in one outfit; ``mark`` moves its arms."""
    image = Image.new("RGBA", (160, 320))
    draw = ImageDraw.Draw(image)
    draw.ellipse((50, 10, 110, 80), fill="peachpuff", outline="black", width=2)
    draw.pieslice((48, 6, 112, 70), 180, 360, fill="saddlebrown")
    draw.rectangle((45, 84, 115, 210), fill=colour, outline="black", width=2)
    draw.rectangle((10 + 4 * mark, 90 + 12 * mark, 46, 106 + 12 * mark), fill=colour)
    draw.rectangle((114, 90 + 10 * mark, 150 - 6 * mark, 106 + 10 * mark), fill=colour)
    draw.rectangle((55, 210, 75, 312), fill="navy")
    draw.rectangle((85, 210, 105, 312 - 8 * mark), fill="navy")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


async def wardrobe(studio: Studio):
    """Akira in a red coat and in a green one, four pictures each."""
    for name, colour in (("red coat", "crimson"), ("green coat", "seagreen")):
        first, *more = (drawn(colour, n) for n in range(4))
        images = {f"image{n}": (f"{n}.png", data) for n, data in enumerate(more, start=2)}
        command, given = "character register", {"name": "Akira"}
        if name == "green coat":
            command, given = "character add-reference", {"character": "ch_akira"}
        said = await studio.ann.slash(
            studio.channel, command, image=("1.png", first), appearance=name, shot_type="full",
            **given, **images,
        )  # fmt: skip
        assert "4 pictures added" in answer(said), answer(said)


async def test_coverage_shows_what_is_missing(studio: Studio):
    await wardrobe(studio)
    shown = await studio.bob.slash(studio.channel, "character coverage", character="Akira")
    words = answer(shown)
    assert "% ready" in words
    assert "head from the side" in words
    assert "guessed" in words
    sheet, heat = shown.response.attachments
    assert (sheet.filename, heat.filename) == ("coverage.png", "coverage-heat.png")
    assert heat.description.startswith("Heat map of 8 references of Akira")
    lost = await studio.bob.slash(studio.channel, "character coverage", character="Akria")
    assert "Akira" in answer(lost)


async def test_editing_says_what_is_known_and_refuses_what_is_no_word(studio: Studio):
    await wardrobe(studio)
    edited = await studio.ann.slash(
        studio.channel, "character edit", character="ch_akira", appearance="akira_green_coat",
        components="hair_color=navy, accessory=ribbon_red, prop=katana_v2", valid="2-4", version=2,
        colorway="night", notes="Scar on the brow.", height=1.05, credits="Ann", license="CC BY 4.0",
        kind="character",
    )  # fmt: skip
    words = answer(edited)
    for piece in ("navy", "#22305f", "katana", "version 2", "chapter 2", "night", "Scar", "CC BY"):
        assert piece in words, piece
    assert "not confirmed" in words
    taken = await studio.mod.slash(
        studio.channel, "character edit", character="ch_akira", suggestions="accept",
        appearance="akira_green_coat",
    )  # fmt: skip
    assert "not confirmed" not in answer(taken)
    assert "navy" in answer(taken), "a suggestion never replaces what a person said"
    for bad, why in (
        ({"components": "hair_color=navvy"}, "Did you mean navy"),
        ({"components": "nothing"}, "slot=value"),
        ({"valid": "4-2"}, "ends before it begins"),
        ({"reference": 999, "angle": "side"}, "no reference 999"),
        ({"angle": "side"}, "Say which picture"),
        ({"appearance": "akira_nothing"}, "akira_red_coat"),
    ):
        refused = await studio.ann.slash(
            studio.channel, "character edit", character="ch_akira", **bad
        )
        assert re.sub(r"\\", "", why) in answer(refused).replace("\\", ""), bad
    stranger = await studio.bob.slash(
        studio.channel, "character edit", character="ch_akira", notes="mine"
    )
    assert "Only its owner or a moderator" in answer(stranger)


async def test_a_picture_is_described_and_then_confirmed(studio: Studio):
    await wardrobe(studio)
    before = answer(await studio.bob.slash(studio.channel, "character coverage", character="Akira"))
    said = await studio.ann.slash(
        studio.channel, "character edit", character="ch_akira", reference=1, angle="side",
        shot_type="headshot", expression="happy",
    )  # fmt: skip
    assert "up to date" in answer(said)
    after = answer(await studio.bob.slash(studio.channel, "character coverage", character="Akira"))
    assert "of 8 references was guessed" in before
    assert "of 7 references was guessed" in after


async def test_looks_are_merged_split_and_taken_back(studio: Studio):
    await wardrobe(studio)
    options = {
        "character": "ch_akira", "source": "akira_green_coat", "target": "akira_red_coat",
    }  # fmt: skip
    preview = await studio.ann.slash(studio.channel, "appearance merge", **options)
    assert "4 references would move" in answer(preview)
    assert "Nothing is changed yet" in answer(preview)
    assert preview.response.attachments[0].filename == "merge-preview.png"
    for who in (studio.bob,):
        refused = await who.slash(studio.channel, "appearance merge", confirm=True, **options)
        assert "Only its owner or a moderator" in answer(refused)
    merged = await studio.mod.slash(studio.channel, "appearance merge", confirm=True, **options)
    assert "4 references moved" in answer(merged)
    offered = await studio.ann.slash(
        studio.channel, "appearance split", character="ch_akira", appearance="akira_red_coat",
        name="spring",
    )  # fmt: skip
    assert "4 references would move" in answer(offered)
    assert "silhouette" in answer(offered)
    done = await studio.ann.slash(
        studio.channel, "appearance split", character="ch_akira", appearance="akira_red_coat",
        name="spring", references="5, #6", confirm=True,
    )  # fmt: skip
    assert "2 references moved" in answer(done)
    told = await studio.bob.slash(studio.channel, "appearance history", character="ch_akira")
    assert "merged akira" in answer(told).replace("\\", "")
    assert "split akira" in answer(told).replace("\\", "")
    stranger = await studio.bob.slash(
        studio.channel, "appearance history", character="ch_akira", undo=True
    )
    assert "Only its owner or a moderator" in answer(stranger)
    for _ in range(2):
        back = await studio.ann.slash(
            studio.channel, "appearance history", character="ch_akira", undo=True
        )
        assert "Taken back" in answer(back)
    empty = await studio.ann.slash(
        studio.channel, "appearance history", character="ch_akira", undo=True
    )
    assert "Nothing was changed" in answer(empty)
    listed = answer(await studio.bob.slash(studio.channel, "character list")).replace("\\", "")
    assert "akira_green_coat" in listed
    assert "akira_spring" not in listed


async def test_what_cannot_be_merged_or_split_says_why(studio: Studio):
    await wardrobe(studio)
    for command, options, why in (
        ("merge", {"source": "akira_red_coat", "target": "akira_red_coat"}, "itself"),
        ("merge", {"source": "akira_blue", "target": "akira_red_coat"}, "akira_green_coat"),
        ("split", {"appearance": "akira_red_coat", "name": "x", "references": "99"}, "#99"),
        ("split", {"appearance": "akira_red_coat", "name": "x", "references": "a"}, "numbers"),
        (
            "split",
            {"appearance": "akira_red_coat", "name": "green coat", "references": "1", "confirm": True},
            "already",
        ),
    ):  # fmt: skip
        said = await studio.ann.slash(
            studio.channel, f"appearance {command}", character="ch_akira", **options
        )
        assert why in answer(said).replace("\\", ""), (command, options)


async def test_a_new_look_begins_like_another(studio: Studio):
    await wardrobe(studio)
    made = await studio.ann.slash(
        studio.channel, "appearance add", character="ch_akira", name="storm coat",
        like="akira_red_coat", components="outerwear=oilskin", valid="5-",
    )  # fmt: skip
    words = answer(made).replace("\\", "")
    assert "akira_storm_coat" in words
    assert "version 2" in words
    assert "oilskin" in words
    assert "from chapter 5 to the end" in words
    again = await studio.ann.slash(
        studio.channel, "appearance add", character="ch_akira", name="storm coat"
    )
    assert "already" in answer(again)
    refused = await studio.bob.slash(
        studio.channel, "appearance add", character="ch_akira", name="mine"
    )
    assert "Only its owner or a moderator" in answer(refused)


async def test_marks_are_named_and_forgotten(studio: Studio):
    await studio.register()
    made = await studio.ann.slash(
        studio.channel, "appearance mark", character="ch_akira", name="scar", reference=1,
        region="30%,5%,70%,30%", side="left",
    )  # fmt: skip
    assert "scar is kept" in answer(made)
    sheet = await studio.bob.slash(studio.channel, "character sheet", character="Akira", paper="A3")
    assert sheet.ephemeral
    (shown,) = studio.public()
    assert shown.attachments[0].filename == "model-sheet.pdf"
    for options, why in (
        ({"reference": 1}, "Say where"),
        ({"reference": 1, "region": "1,2"}, "no box"),
        ({"reference": 7, "region": "30%,5%,70%,30%"}, "no reference 7"),
        ({"reference": 1, "region": "30%,5%,70%,30%"}, "already"),
    ):
        refused = await studio.ann.slash(
            studio.channel, "appearance mark", character="ch_akira", name="scar", **options
        )
        assert why in answer(refused), options
    gone = await studio.ann.slash(
        studio.channel, "appearance mark", character="ch_akira", name="Scar"
    )
    assert "forgotten" in answer(gone)
    missing = await studio.ann.slash(
        studio.channel, "appearance mark", character="ch_akira", name="scar"
    )
    assert "no mark" in answer(missing)


async def test_a_character_travels(studio: Studio):
    await studio.register()
    refused = await studio.bob.slash(studio.channel, "character export", character="Akira")
    assert "Only its owner or a moderator" in answer(refused)
    out = await studio.ann.slash(studio.channel, "character export", character="Akira")
    (file,) = out.response.attachments
    assert file.filename == "ch_akira.onmodel"
    assert out.ephemeral
    _, data = await studio.app.packages.export(await owner(studio), "Akira")
    taken = await studio.bob.slash(
        studio.channel, "character import", file=("akira.onmodel", data), name="Akiko"
    )
    assert "Akiko is in the cast" in answer(taken)
    assert "akiko" in answer(await studio.bob.slash(studio.channel, "character list"))
    again = await studio.bob.slash(studio.channel, "character import", file=("a.onmodel", data))
    assert "got a number" in answer(again)


async def owner(studio: Studio):
    from bot.services.actor import Actor

    return Actor(studio.guild.id, studio.ann.id)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("cast.zip", b"PK", "no character package"),
        ("cast.onmodel", b"hello", "no Onmodel character package"),
        ("cast.onmodel", picture(), "no Onmodel character package"),
    ],
)
async def test_what_is_no_package_is_refused(studio: Studio, name, data, why):
    said = await studio.ann.slash(studio.channel, "character import", file=(name, data))
    assert why in answer(said)
    assert "No characters yet" in answer(await studio.bob.slash(studio.channel, "character list"))


def test_numbers_as_people_type_them():
    assert read_numbers("12, #15 18") == [12, 15, 18]
    assert read_numbers(" ") == []
    for text in ("a", "1,b", "-3", "#"):
        with pytest.raises(InvalidInput):
            read_numbers(text)
