"""Stories of pages: composed on a sheet, changed by hand, kept that way."""

import io

from PIL import Image
from studio import Studio, answer, text_of


async def accepted(studio: Studio, count: int) -> None:
    await studio.register()
    for number in range(count):
        await studio.request(prompt=f"Scene {number}.", alternates=1, page=1)
    await studio.quiet()


async def test_a_page_is_changed_by_hand_and_stays_changed(studio: Studio):
    await accepted(studio, 3)
    refused = await studio.ann.slash(studio.channel, "page edit", page=1, change="larger", panel=1)
    assert "not composed yet" in answer(refused)

    await studio.ann.slash(studio.channel, "page compose", page=1, layout="three-tiers")
    await studio.ann.slash(studio.channel, "page edit", page=1, change="larger", panel=2)
    assert "Layout 1=1/1.3=1/1=1 · panels 1, 2, 3" in text_of(studio.card())
    await studio.ann.slash(studio.channel, "page edit", page=1, change="merge", panel=3)
    assert "Layout 1=1/1.3=1,1 · panels 1, 2, 3" in text_of(studio.card())
    swap = {"page": 1, "change": "swap", "panel": 1, "with": 3}
    await studio.ann.slash(studio.channel, "page edit", **swap)
    assert "Layout 1=1/1.3=1,1 · panels 3, 2, 1" in text_of(studio.card())

    await studio.restart()
    await studio.ann.slash(studio.channel, "page edit", page=1, change="split", panel=3)
    assert "Layout 1=1/1.3=1/1.3=1 · panels 3, 2, 1" in text_of(studio.card())

    told = await studio.ann.slash(studio.channel, "page edit", page=1, change="merge", panel=1)
    assert "first tier" in answer(told)
    told = await studio.ann.slash(studio.channel, "page edit", page=1, change="swap", panel=1)
    assert "Say which panel" in answer(told)
    told = await studio.ann.slash(studio.channel, "page edit", page=1, change="split", panel=9)
    assert "has 3 panels" in answer(told)


async def test_a_comic_is_composed_for_its_sheet(studio: Studio):
    await accepted(studio, 2)
    await studio.boss.slash(studio.channel, "series settings", page_size="us-comic")
    await studio.ann.slash(studio.channel, "page compose", page=1)
    (attachment,) = studio.card().attachments
    assert Image.open(io.BytesIO(await attachment.read())).size == (994, 1538)


async def test_a_layout_by_weight_and_one_of_ones_own(studio: Studio):
    await accepted(studio, 3)
    await studio.ann.slash(studio.channel, "page compose", page=1, layout="dynamic")
    assert "=" in text_of(studio.card())
    await studio.ann.slash(studio.channel, "page compose", page=1, layout="2!=1/1=1,1")
    assert "Layout 2!=1/1=1,1" in text_of(studio.card())
    told = await studio.ann.slash(studio.channel, "page compose", page=1, layout="1=1")
    assert "holds 1 panels and the page has 3" in answer(told)
