"""Books, opened by readers that are not ours: zipfile, ElementTree, Pillow, pypdf."""

import zipfile
from dataclasses import replace
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from pypdf import PdfReader

from pipeline.comics.export.book import export_book
from pipeline.comics.page import compose_page, render_page
from pipeline.domain.character import ColorMode, ReadingDirection
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import BookFormat, BookInfo, BookPage, PageSpec, PanelArt
from pipeline.domain.panel import BalloonKind, DialogueLine, PlacedFigure

# The schema's sequence, v2.0: an element may be absent, never out of order.
SCHEMA = """
    Title Series Number Count Volume AlternateSeries AlternateNumber AlternateCount Summary Notes
    Year Month Day Writer Penciller Inker Colorist Letterer CoverArtist Editor Publisher Imprint
    Genre Web PageCount LanguageISO Format BlackAndWhite Manga Characters Teams Locations
    ScanInformation StoryArc SeriesGroup AgeRating Pages CommunityRating MainCharacterOrTeam Review
""".split()  # noqa: SIM905 - a list of forty quoted words is worse to read
LINES = (
    DialogueLine("Meanwhile, in Łódź…", None, BalloonKind.CAPTION),
    DialogueLine("We should not be here after dark & you know it.", "ch_ava"),
    DialogueLine("RUN!", "ch_ava", BalloonKind.SHOUT),
)
INFO = BookInfo(
    series="The Rain <Door>",
    title="Nine o’clock",
    number=2,
    reading_direction=ReadingDirection.RTL,
    language="en",
    summary="A door & a key.\x00",
    writers=("Ana", "Bo"),
    artists=("Cy",),
    letterers=("Onmodel",),
    characters=("Ava", "Dee"),
)


@pytest.fixture(scope="module")
def pages() -> list[BookPage]:
    out = BytesIO()
    Image.new("RGB", (400, 300), (120, 160, 200)).save(out, "PNG")
    figure = PlacedFigure("ch_ava", Box(150, 120, 250, 300), Box(160, 120, 240, 210))
    spec = PageSpec(size=Size(620, 877), margin=31, gutter=9, title=INFO.series)
    found = []
    for number in (1, 2):
        arts = [
            PanelArt(10 * number + i, out.getvalue(), Size(400, 300), (figure,), LINES if i else ())
            for i in range(2)
        ]
        page = compose_page(arts, spec, number=number)
        found.append(BookPage(page, render_page(page, arts)))
    return found


def test_a_cbz_holds_the_pages_and_a_description(pages: list[BookPage]):
    with zipfile.ZipFile(BytesIO(export_book("cbz", pages, INFO))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names == ["page-001.png", "page-002.png", "ComicInfo.xml"]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        for name, page in zip(names[:2], pages, strict=True):
            assert archive.read(name) == page.png
            with Image.open(BytesIO(archive.read(name))) as image:
                assert (image.format, image.mode, image.size) == ("PNG", "RGB", (620, 877))
        root = ElementTree.fromstring(archive.read("ComicInfo.xml"))
    assert root.tag == "ComicInfo"
    order = [SCHEMA.index(child.tag) for child in root]
    assert order == sorted(set(order))
    assert {child.tag: child.text for child in root if child.tag != "Pages"} == {
        "Title": "Nine o’clock",
        "Series": "The Rain <Door>",
        "Number": "2",
        "Summary": "A door & a key.",
        "Writer": "Ana, Bo",
        "Penciller": "Cy",
        "Letterer": "Onmodel",
        "PageCount": "2",
        "LanguageISO": "en",
        "BlackAndWhite": "No",
        "Manga": "YesAndRightToLeft",
        "Characters": "Ava, Dee",
    }
    listed = root.findall("Pages/Page")
    assert [p.get("Image") for p in listed] == ["0", "1"]
    assert [p.get("ImageSize") for p in listed] == [str(len(p.png)) for p in pages]
    assert {(p.get("ImageWidth"), p.get("ImageHeight")) for p in listed} == {("620", "877")}


@pytest.mark.parametrize(
    ("direction", "manga", "form"),
    [(ReadingDirection.LTR, "No", None), (ReadingDirection.WEBTOON, "No", "Webtoon")],
)
def test_only_right_to_left_books_are_manga(
    pages: list[BookPage], direction: ReadingDirection, manga: str, form: str | None
):
    info = replace(INFO, reading_direction=direction, color_mode=ColorMode.GRAYSCALE)
    with zipfile.ZipFile(BytesIO(export_book("cbz", pages, info))) as archive:
        root = ElementTree.fromstring(archive.read("ComicInfo.xml"))
    assert root.findtext("Manga") == manga
    assert root.findtext("Format") == form
    assert root.findtext("BlackAndWhite") == "Yes"


@pytest.fixture(scope="module")
def comic_info() -> Any:
    """The schema of the Anansi Project (v2.1 draft), as another program brings it along."""
    xmlschema = pytest.importorskip("xmlschema")
    found = find_spec("comicbox")
    if found is None or not found.submodule_search_locations:
        pytest.skip("comicbox is not installed; it brings the schema along")
    folder = Path(found.submodule_search_locations[0])
    return xmlschema.XMLSchema(folder / "schemas" / "ComicInfo-v2.1-Draft.xsd")


@pytest.mark.parametrize("direction", list(ReadingDirection))
@pytest.mark.parametrize("color", list(ColorMode))
@pytest.mark.parametrize("info", [INFO, BookInfo("No more than a title")])
def test_the_description_obeys_the_schema_of_others(
    pages: list[BookPage], comic_info, direction, color, info
):
    told = replace(info, reading_direction=direction, color_mode=color)
    with zipfile.ZipFile(BytesIO(export_book("cbz", pages, told))) as archive:
        written = archive.read("ComicInfo.xml")
    assert list(comic_info.iter_errors(BytesIO(written))) == []
    for word, other in ((b"<Manga>", b"<Manga>Perhaps"), (b'Image="0"', b'Image="first"')):
        assert list(comic_info.iter_errors(BytesIO(written.replace(word, other)))), "it can fail"


def test_a_pdf_has_real_pages_words_and_bookmarks(pages: list[BookPage]):
    reader = PdfReader(BytesIO(export_book(BookFormat.PDF, pages, INFO)))
    assert len(reader.pages) == 2
    assert reader.metadata is not None
    assert reader.metadata.title == "The Rain <Door> 2: Nine o’clock"
    assert reader.metadata.author == "Ana, Bo, Cy, Onmodel"
    for number, page in enumerate(reader.pages, start=1):
        width, height = page.mediabox.width, page.mediabox.height
        assert (float(width), float(height)) == pytest.approx((620 * 0.48, 877 * 0.48), abs=0.01)
        words = " ".join(page.extract_text().split())
        said = [line.text for line in LINES]
        assert all(text in words for text in said), words
        assert [words.index(text) for text in said] == sorted(words.index(text) for text in said)
        (image,) = page.images
        assert image.image is not None
        assert image.image.size == (620, 877)
        assert b"3 Tr" in page.get_contents().get_data()
        assert reader.outline[number - 1]["/Title"] == f"Page {number}"
    assert reader.trailer["/Root"]["/ViewerPreferences"]["/Direction"] == "/R2L"
    assert reader.trailer["/Root"]["/Lang"] == "en"


@pytest.mark.parametrize("form", ["cbz", "pdf", "epub", "web"])
def test_equal_books_are_equal_bytes(pages: list[BookPage], form: str):
    assert export_book(form, pages, INFO) == export_book(form, pages, INFO)


def test_a_png_is_one_page(pages: list[BookPage]):
    assert export_book("png", pages[:1], INFO) == pages[0].png
    with pytest.raises(InvalidInput, match="choose cbz or pdf"):
        export_book("png", pages, INFO)


def test_an_unknown_format_or_an_empty_book_is_refused(pages: list[BookPage]):
    with pytest.raises(InvalidInput, match="png, cbz, pdf, epub, webtoon, web"):
        export_book("docx", pages, INFO)
    with pytest.raises(InvalidInput, match="compose one first"):
        export_book("cbz", [], INFO)


def test_a_very_long_strip_still_fits_a_pdf(pages: list[BookPage]):
    out = BytesIO()
    Image.new("RGB", (100, 40_000), "white").save(out, "PNG")
    long = BookPage(replace(pages[0].page, size=Size(100, 40_000)), out.getvalue())
    reader = PdfReader(BytesIO(export_book("pdf", [long], INFO)))
    assert float(reader.pages[0].mediabox.height) == pytest.approx(14_400)
