"""Layers out and back: written for painting programs, read here by readers that are not ours."""

import io
import struct
import zipfile
import zlib
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageDraw
from psd_tools import PSDImage
from psd_tools.constants import Tag

from pipeline.comics.enlarging import enlarged
from pipeline.comics.export.book import export_book
from pipeline.comics.layered.comparing import changes_in, cut_panels, new_art, origin_of
from pipeline.comics.layered.drawing import layered_page, stamp_of
from pipeline.comics.layered.returned import open_returned
from pipeline.comics.page import compose_page, render_page
from pipeline.domain.errors import InvalidInput, InvalidPicture
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import BookInfo, BookPage, PageSpec, PanelArt
from pipeline.domain.panel import BalloonKind, DialogueLine, PlacedFigure

INFO = BookInfo("The Rain Door", names={"ch_ava": "Ava", "ch_ben": "Ben"})
LINES = (
    (DialogueLine("Who is *there*?", "ch_ava"), DialogueLine("Nobody.", "ch_ben")),
    (DialogueLine("CRASH", None, BalloonKind.SFX), DialogueLine("Hush!", "ch_ava")),
    (DialogueLine("Later…", None, BalloonKind.CAPTION),),
)


def picture(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(90, 220, (30, 40, 3)).astype(np.uint8)
    image = Image.fromarray(noise).resize((400, 300), Image.Resampling.BICUBIC)
    for x in (90, 260):
        ImageDraw.Draw(image).ellipse((x, 120, x + 60, 190), fill=(236, 196, 160), outline="black")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def book() -> BookPage:
    figures = (
        PlacedFigure("ch_ava", Box(70, 120, 170, 300), Box(90, 120, 150, 190)),
        PlacedFigure("ch_ben", Box(240, 120, 340, 300), Box(260, 120, 320, 190)),
    )
    arts = tuple(
        PanelArt(10 + i, picture(i), Size(400, 300), figures, lines)
        for i, lines in enumerate(LINES)
    )
    spec = PageSpec(size=Size(620, 877), margin=30, title="The Rain Door")
    page = compose_page(arts, spec, layout="1=1/1=1,1", number=4)
    return BookPage(page, render_page(page, arts), arts=arts)


def drawing(book, factor=2):
    return layered_page(book.page, book.arts, INFO.names, factor=factor, masks=False)


@pytest.fixture(scope="module")
def ora(book) -> bytes:
    return export_book("ora", [book], INFO)


@pytest.fixture(scope="module")
def psd(book) -> bytes:
    return export_book("psd", [book], INFO)


def rewritten(ora: bytes, change) -> bytes:
    """The zip as another program saves it: ``change(stack, files)`` may do anything to it."""
    with zipfile.ZipFile(io.BytesIO(ora)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    stack = ElementTree.fromstring(files["stack.xml"])
    change(stack, files)
    files["stack.xml"] = ElementTree.tostring(stack)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def layer_named(stack, name):
    return next(e for e in stack.iter() if e.get("name", "").startswith(name))


def painted(stack, files, name, colour="red"):
    """A stroke across a layer."""
    entry = layer_named(stack, name)
    image = Image.open(io.BytesIO(files[entry.get("src")])).convert("RGBA")
    ImageDraw.Draw(image).rectangle((20, 20, 90, 60), fill=colour)
    out = io.BytesIO()
    image.save(out, "PNG")
    files[entry.get("src")] = out.getvalue()


# --- out ------------------------------------------------------------------------------------------


def test_openraster_follows_its_specification(ora, book):
    with zipfile.ZipFile(io.BytesIO(ora)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"image/openraster"
        image = ElementTree.fromstring(archive.read("stack.xml"))
        assert (image.get("w"), image.get("h")) == ("1240", "1754")
        for layer in image.iter("layer"):
            with Image.open(io.BytesIO(archive.read(layer.get("src")))) as part:
                assert part.format == "PNG"
                assert int(layer.get("x")) + part.width <= 1240
        with Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png"))) as small:
            assert max(small.size) == 256
        with Image.open(io.BytesIO(archive.read("mergedimage.png"))) as merged:
            seen = np.asarray(merged, float)
    fine = render_page(enlarged(book.page, 2), book.arts)
    with Image.open(io.BytesIO(fine)) as page:
        gap = np.abs(seen - np.asarray(page, float)).max(axis=2)
    assert gap.mean() < 0.1
    assert (gap > 24).mean() < 1e-4


def test_a_psd_has_groups_layers_and_the_words_in_their_names(psd):
    found: Any = PSDImage.open(io.BytesIO(psd))
    assert found.size == (1240, 1754)
    (root,) = found
    assert root.name.startswith("page 4 · ")
    names = [layer.name for layer in root]
    assert names == ["paper", "panel 10", "panel 11", "panel 12", "frames", "foot", "lettering"]
    everything = [layer.name for layer in root.descendants()]
    assert "words 10.0: Who is there?" in everything
    assert "words 11.0: CRASH" in everything
    masks = next(layer for layer in root.descendants() if layer.name == "characters 10")
    assert not masks.visible
    assert [person.name for person in masks] == ["Ava", "Ben"]
    assert [layer.name for layer in next(iter(masks))] == ["figure mask", "head"]
    # Pillow knows PSD by itself, and takes the flat picture.
    with Image.open(io.BytesIO(psd)) as flat:
        assert flat.format == "PSD"
        assert flat.size == (1240, 1754)


def test_equal_pages_give_equal_layers_and_tight_limits_coarser_ones(book, ora):
    assert export_book("ora", [book], INFO) == ora
    small = export_book("ora", [book], INFO, limit_bytes=len(ora) - 60_000)
    with zipfile.ZipFile(io.BytesIO(small)) as archive:
        assert ElementTree.fromstring(archive.read("stack.xml")).get("w") == "620"
    with pytest.raises(InvalidInput, match="page by page"):
        export_book("psd", [book, book], INFO)


# --- back -----------------------------------------------------------------------------------------


def test_words_of_one_style_are_live_text_in_a_psd(book, psd):
    document: Any = PSDImage.open(io.BytesIO(psd))
    layers = {layer.name: layer for layer in document.descendants() if not layer.is_group()}
    live = {name: layer for name, layer in layers.items() if layer.kind == "type"}
    assert {name: layer.text for name, layer in live.items()} == {
        "words 10.1: Nobody.": "Nobody.",
        "words 11.1: Hush!": "Hush!",
        "words 12.0: Later…": "Later…",
    }, "emphasis and sounds stay pictures"
    balloon = next(b for b in book.page.balloons if b.words == "Nobody.")
    found = live["words 10.1: Nobody."]
    style = found.engine_dict["StyleRun"]["RunArray"][0]["StyleSheet"]["StyleSheetData"]
    factor = document.width / book.page.size.width
    assert style["FontSize"] == pytest.approx(factor * balloon.font_size, abs=1)
    assert found.resource_dict["FontSet"][0]["Name"].value == "ShantellSansLettering-Regular"
    assert found.engine_dict["Editor"]["Text"].value == "Nobody.\r"
    shape = found.engine_dict["Rendered"]["Shapes"]["Children"][0]["Cookie"]["Photoshop"]
    corner = factor * balloon.text.x0, factor * balloon.text.y0
    assert found.transform[4:] == pytest.approx(corner, abs=factor * balloon.font_size)
    assert shape["BoxBounds"][2] >= factor * balloon.text.width
    plain = next(one for one in layers_of(drawing(book).root) if one.name == found.name)
    assert np.array_equal(np.asarray(found.topil()), np.asarray(plain.picture)), "it looks alike"


def layers_of(folder):
    for part in folder.layers:
        yield from layers_of(part) if hasattr(part, "layers") else [part]


def test_names_of_layers_are_written_in_unicode_for_every_program():
    art = PanelArt(1, picture(1), Size(400, 300), (), (DialogueLine("Café, (là) \\ vu!"),))
    page = compose_page([art], PageSpec(size=Size(620, 877), margin=30))
    data = export_book("psd", [BookPage(page, render_page(page, [art]), arts=(art,))], INFO)
    document: Any = PSDImage.open(io.BytesIO(data))
    for layer in document.descendants():
        assert layer._record.tagged_blocks.get_data(Tag.UNICODE_LAYER_NAME) == layer.name
    (words,) = (layer for layer in document.descendants() if layer.kind == "type")
    assert words.text == "Café, (là) \\ vu!"


@pytest.mark.parametrize("form", ["ora", "psd"])
def test_what_comes_back_untouched_is_untouched(request, book, form):
    returned = open_returned(request.getfixturevalue(form))
    origin = origin_of(returned)
    assert (origin.number, origin.language) == (4, "")
    assert origin.stamp == stamp_of(book.page, book.arts)
    changes = changes_in(returned, drawing(book))
    assert (changes.art, changes.words, changes.notes) == ({}, {}, [])
    assert changes.untouched >= 12


def test_a_painted_panel_is_the_only_one_that_changed(book, ora):
    returned = open_returned(rewritten(ora, lambda stack, files: painted(stack, files, "art 10")))
    changes = changes_in(returned, drawing(book))
    assert list(changes.art) == [10]
    frame = book.page.frames[0]
    assert changes.art[10].size == (2 * frame.box.width, 2 * frame.box.height)
    with Image.open(io.BytesIO(new_art(book.arts[0], frame, changes.art[10]))) as made:
        grown = made.width / 400
        window = frame.crop.scaled(grown)
        x, y = (
            window.x0 + 50 * window.width / changes.art[10].width,
            window.y0 + 40 * window.height / changes.art[10].height,
        )
        assert made.getpixel((round(x), round(y))) == (255, 0, 0)
        # Beyond the crop the picture is as it was.
        was = Image.open(io.BytesIO(book.arts[0].image)).resize(made.size, Image.Resampling.LANCZOS)
        rest = np.abs(np.asarray(made, float) - np.asarray(was, float))
        rest[window.y0 : window.y1, window.x0 : window.x1] = 0
        assert rest.max() == 0


def test_new_layers_in_a_panel_belong_to_its_art_and_masks_do_not(book, psd):
    document: Any = PSDImage.open(io.BytesIO(psd))
    panel = next(layer for layer in document.descendants() if layer.name == "panel 12")
    stroke = Image.new("RGBA", (60, 40), (0, 0, 255, 255))
    art = panel[0]
    panel.create_pixel_layer(stroke, name="my ink", top=art.top + 10, left=art.left + 10)
    masks = next(layer for layer in document.descendants() if layer.name == "characters 11")
    masks.visible = True
    out = io.BytesIO()
    document.save(out)
    changes = changes_in(open_returned(out.getvalue()), drawing(book))
    assert list(changes.art) == [12]
    assert changes.art[12].getpixel((30, 30)) == (0, 0, 255)


def test_words_are_taken_from_names_and_paint_on_words_is_told(book, ora):
    def change(stack, files):
        layer_named(stack, "words 10.1").set("name", "words 10.1: Somebody, perhaps.")
        painted(stack, files, "words 11.1")
        painted(stack, files, "frames")
        lettering = layer_named(stack, "lettering 12")
        lettering.remove(layer_named(stack, "words 12.0"))

    changes = changes_in(open_returned(rewritten(ora, change)), drawing(book))
    assert changes.words == {(10, 1): "Somebody, perhaps."}
    assert changes.art == {}
    told = " ".join(changes.notes)
    assert "words 11.1: Hush!” were painted" in told
    assert "words 12.0: Later…” is gone" in told
    assert "“frames” was changed" in told


def test_hidden_art_faded_layers_and_other_blends(book, ora):
    def change(stack, files):
        layer_named(stack, "art 10").set("opacity", "0.5")
        layer_named(stack, "art 11").set("visibility", "hidden")
        layer_named(stack, "art 12").set("composite-op", "svg:multiply")

    changes = changes_in(open_returned(rewritten(ora, change)), drawing(book))
    assert list(changes.art) == [10]
    told = " ".join(changes.notes)
    assert "Panel 11 has no layer left" in told
    assert "“multiply”" in told


def test_an_artists_own_page_is_cut_by_the_frames(book):
    own = Image.new("RGB", (1240, 1754), "white")
    frame = book.page.frames[2].box
    ImageDraw.Draw(own).rectangle((2 * frame.x0, 2 * frame.y0, 2 * frame.x1, 2 * frame.y1), "green")
    cuts = list(cut_panels(own, book.page.size, book.page.frames))
    assert [cut.size for cut in cuts] == [
        (2 * f.box.width, 2 * f.box.height) for f in book.page.frames
    ]
    assert cuts[2].getcolors() == [(cuts[2].width * cuts[2].height, (0, 128, 0))]
    with pytest.raises(InvalidInput, match="shape"):
        list(cut_panels(own.resize((900, 900)), book.page.size, book.page.frames))


# --- what is refused ------------------------------------------------------------------------------


def test_another_canvas_or_a_lost_folder_is_told(book, ora):
    def smaller(stack, files):
        stack.set("w", "600")

    with pytest.raises(InvalidInput, match="keep the size"):
        changes_in(open_returned(rewritten(ora, smaller)), drawing(book))

    def renamed(stack, files):
        layer_named(stack, "page 4").set("name", "my page")

    with pytest.raises(InvalidInput, match="no folder named"):
        origin_of(open_returned(rewritten(ora, renamed)))


def bomb_layer(side: int) -> bytes:
    """A tiny PNG that claims to be huge."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_bombs_and_other_files_are_refused(ora, psd):
    def huge(stack, files):
        files[layer_named(stack, "art 10").get("src")] = bomb_layer(60_000)

    with pytest.raises(InvalidPicture, match=r"megapixels|damaged"):
        open_returned(rewritten(ora, huge))

    def unpacks(stack, files):
        files["data/zeros.bin"] = bytes(300 * 1024 * 1024)

    with pytest.raises(InvalidPicture, match="far too much"):
        open_returned(rewritten(ora, unpacks))
    with pytest.raises(InvalidPicture, match="no OpenRaster"):
        open_returned(rewritten(ora, lambda stack, files: files.update(mimetype=b"image/x")))
    with pytest.raises(InvalidPicture, match="neither"):
        open_returned(b"GIF89a")
    with pytest.raises(InvalidPicture, match="damaged"):
        open_returned(ora[:4000])
    with pytest.raises(InvalidPicture, match="damaged"):
        open_returned(psd[:4000])
    header = bytearray(psd)
    header[14:22] = struct.pack(">II", 30_000, 30_000)
    with pytest.raises(InvalidPicture, match="megapixels"):
        open_returned(bytes(header))


def test_too_many_layers_and_entities_are_refused(ora):
    def crowded(stack, files):
        panel = layer_named(stack, "panel 10")
        art = layer_named(stack, "head")
        panel.extend(ElementTree.Element("layer", art.attrib) for _ in range(700))

    with pytest.raises(InvalidPicture, match="600 layers"):
        open_returned(rewritten(ora, crowded))
    with zipfile.ZipFile(io.BytesIO(ora)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["stack.xml"] = b'<!DOCTYPE x [<!ENTITY a "b">]>' + files["stack.xml"].split(b"?>", 1)[1]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    with pytest.raises(InvalidPicture, match="entities"):
        open_returned(out.getvalue())


def test_another_state_of_the_page_has_another_stamp(book):
    other = (replace(book.arts[0], image=picture(9)), *book.arts[1:])
    assert stamp_of(book.page, other) != stamp_of(book.page, book.arts)
