"""Stories of lettering: a page is looked at, its words, kinds and places are changed, translated."""

import io

import pytest
from PIL import Image
from studio import Studio, answer, text_of


@pytest.fixture
async def page(studio: Studio) -> Studio:
    """A studio with one accepted panel that is lettered on page 1."""
    await studio.register()
    await studio.posted(alternates=1, page=1, dialogue="Akira: Hello there. | Caption: Later.")
    await studio.ann.slash(studio.channel, "page compose", page=1)
    return studio


def shown(studio: Studio) -> str:
    return text_of(studio.channel.last_message)


async def drawn(studio: Studio) -> bytes:
    """The pixels of the page that was shown last."""
    png = await studio.channel.last_message.attachments[0].read()
    with Image.open(io.BytesIO(png)) as image:
        return image.tobytes()


async def letter(studio: Studio, who=None, **options):
    return await (who or studio.ann).slash(studio.channel, "page letter", page=1, **options)


async def test_the_lettering_is_listed_and_edited(page: Studio):
    await letter(page)
    assert "1. `ch_akira` Hello there." in shown(page)
    assert "2. `(caption)` Later." in shown(page)
    before = await drawn(page)

    await letter(page, line=1, text="Who goes *there*?", kind="shout")
    assert "`ch_akira (shout)` Who goes *there*?" in shown(page)
    assert await drawn(page) != before

    await letter(page, line=3, text="Akira (whisper): Psst.")
    assert "3. `ch_akira (whisper)` Psst." in shown(page)
    await letter(page, line=2, text="-")
    assert "Later." not in shown(page)


async def test_a_balloon_moves_to_another_corner_and_a_step_on(page: Studio):
    await letter(page)
    first = await drawn(page)
    await letter(page, line=2, place="bottom-right")
    corner = await drawn(page)
    assert corner != first
    await letter(page, line=2, nudge="up")
    assert await drawn(page) != corner
    await letter(page, line=2, place="auto")
    assert await drawn(page) == first


async def test_a_translation_is_its_own_layer(page: Studio):
    await letter(page, language="el", text="Γειά σου. | Αργότερα.")
    assert "· el" in shown(page)
    assert "Γειά σου." in shown(page)
    await letter(page)
    assert "Hello there." in shown(page), "the first language stays"
    await letter(page, language="el")
    assert "Αργότερα." in shown(page)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"line": 9, "text": "x"}, "2 lines"),
        ({"text": "One. | Two. | Three."}, "2 lines and this has 3"),
        ({"line": 1, "text": "ᚠ"}, "install the font"),
        ({"line": 2, "kind": "speech"}, "Nobody says this"),
        ({"line": 1, "kind": "double-tail"}, "Name & Name"),
        ({"panel": 4, "line": 1, "text": "x"}, "1 to 1"),
        ({"line": 1, "text": "x", "language": "klingonish"}, "no language"),
    ],
)
async def test_what_cannot_be_lettered_is_told_in_private(page: Studio, options, words):
    before = len(page.public())
    refused = await letter(page, **options)
    assert words in answer(refused)
    assert len(page.public()) == before


async def test_only_the_requester_and_moderators_letter_a_panel(page: Studio):
    refused = await letter(page, page.bob, line=1, text="Mine!")
    assert "owner" in answer(refused)
    await letter(page, page.mod, line=1, text="Hi there.")
    assert "Hi there." in shown(page)
