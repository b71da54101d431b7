"""EPUBs, judged by epubcheck and read back with zipfile and ElementTree."""

import json
import re
import shutil
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from PIL import Image

from pipeline.comics.export.book import export_book
from pipeline.domain.character import ReadingDirection
from pipeline.domain.geometry import Box
from pipeline.domain.page import BookFormat

OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
XHTML = "{http://www.w3.org/1999/xhtml}"
OPS = "{http://www.idpf.org/2007/ops}"
EPUBCHECK = Path("/usr/share/java/epubcheck.jar")
DIRECTIONS = list(ReadingDirection)


def opened(comic, **options):
    return zipfile.ZipFile(BytesIO(export_book("epub", comic.pages, comic.info, **options)))


@pytest.mark.skipif(
    shutil.which("java") is None or not EPUBCHECK.exists(),
    reason="epubcheck is not installed (Debian: apt install epubcheck)",
)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_epubcheck_finds_nothing(make_comic, tmp_path, direction):
    comic = make_comic(direction)
    book = tmp_path / "comic.epub"
    book.write_bytes(export_book(BookFormat.EPUB, comic.pages, comic.info))
    report = tmp_path / "report.json"
    command = ["java", "-jar", EPUBCHECK, book, "--json", report]
    result = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    found = json.loads(report.read_text())
    assert found["messages"] == [], result.stderr
    assert result.returncode == 0
    assert found["publication"]["renditionLayout"] == "pre-paginated"


def test_the_zip_begins_with_its_stored_media_type(make_comic):
    with opened(make_comic()) as book:
        first = book.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert book.read("mimetype") == b"application/epub+zip"
        assert first.header_offset == 0
        assert book.testzip() is None
        assert {entry.date_time for entry in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    ("direction", "progression", "first_side"),
    [
        (ReadingDirection.LTR, "ltr", "page-spread-right"),
        (ReadingDirection.RTL, "rtl", "page-spread-left"),
        (ReadingDirection.WEBTOON, "ltr", None),
    ],
)
def test_the_package_says_direction_people_and_accessibility(
    make_comic, direction, progression, first_side
):
    comic = make_comic(direction)
    with opened(comic) as book:
        package = ElementTree.fromstring(book.read("EPUB/package.opf"))
    spine = package.find(f"{OPF}spine")
    assert spine.get("page-progression-direction") == progression
    assert [item.get("idref") for item in spine] == ["page-001", "page-002"]
    assert spine[0].get("properties") == first_side
    assert package.findtext(f".//{DC}title") == "The Rain <Door> 2: Nine o’clock"
    assert package.findtext(f".//{DC}description") == "A door & a key."
    assert [e.text for e in package.iter(f"{DC}creator")] == ["Ana", "Bo", "Cy", "Onmodel"]
    metas = [(m.get("property"), m.text) for m in package.iter(f"{OPF}meta")]
    roles = [m for m in package.iter(f"{OPF}meta") if m.get("property") == "role"]
    assert [(m.get("refines"), m.text) for m in roles][:3] == [
        ("#person-1", "aut"),
        ("#person-1", "art"),
        ("#person-2", "aut"),
    ]
    assert ("rendition:layout", "pre-paginated") in metas
    assert ("schema:accessibilityFeature", "alternativeText") in metas
    assert ("schema:accessMode", "textual") in metas
    items = {i.get("id"): i for i in package.iter(f"{OPF}item")}
    assert items["regions"].get("properties") == "data-nav"
    (cover,) = [i for i in items.values() if i.get("properties") == "cover-image"]
    assert cover.get("href") == "pictures/page-001.jpg"


def overlap(a: Box, b: Box) -> float:
    shared = a.intersection(b).area
    return shared / (a.area + b.area - shared)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_guided_view_regions_are_the_layout(make_comic, direction):
    comic = make_comic(direction)
    with opened(comic) as book:
        document = ElementTree.fromstring(book.read("EPUB/regions.xhtml"))
        names = book.namelist()
    (nav,) = document.iter(f"{XHTML}nav")
    assert nav.get(f"{OPS}type") == "region-based"
    entries = nav.findall(f"{XHTML}ol/{XHTML}li")
    frames = [(place, f) for place, page in enumerate(comic.pages, 1) for f in page.page.frames]
    assert len(entries) == len(frames)
    for entry, (place, frame) in zip(entries, frames, strict=True):
        assert entry.get(f"{OPS}type") == "panel"
        target = urlsplit(entry.find(f"{XHTML}a").get("href"))
        assert target.path == f"pages/page-{place:03d}.xhtml"
        assert f"EPUB/{target.path}" in names
        assert overlap(region(target.fragment), frame.box) == 1.0
        balloons = comic.pages[place - 1].page.balloons_of(frame.panel_id)
        inner = [region(a.get("href")) for a in entry.findall(f"{XHTML}ol/{XHTML}li/{XHTML}a")]
        assert inner == [b.box for b in balloons]


def region(target: str) -> Box:
    x, y, width, height = map(int, re.search(r"xywh=([\d,]+)$", target)[1].split(","))
    return Box(x, y, x + width, y + height)


def test_pages_hold_live_words_in_order_and_describe_each_panel(make_comic):
    comic = make_comic()
    with opened(comic) as book:
        page = ElementTree.fromstring(book.read("EPUB/pages/page-001.xhtml"))
        with Image.open(BytesIO(book.read("EPUB/pictures/page-001.jpg"))) as picture:
            assert picture.size == comic.pages[0].page.size
    (viewport,) = [m for m in page.iter(f"{XHTML}meta") if m.get("name") == "viewport"]
    size = comic.pages[0].page.size
    assert viewport.get("content") == f"width={size.width}, height={size.height}"
    (image,) = page.iter(f"{XHTML}img")
    assert image.get("alt") == "Page 1, 4 panels"
    sections = list(page.iter(f"{XHTML}section"))
    scenes = [s.find(f"{XHTML}div").get("aria-label") for s in sections]
    assert scenes[0] == "Medium shot: A harbour at dawn."
    assert scenes[1] == "Medium shot of Ava: Ava listens at a door."
    said = [" ".join("".join(p.itertext()).split()) for p in page.iter(f"{XHTML}p")]
    assert said == [
        "Meanwhile, in Łódź…",
        "We should not be here & you know it.",
        "RUN!",
        "Why <now>?",
    ]


def test_words_lie_where_they_are_drawn(make_comic):
    comic = make_comic()
    with opened(comic) as book:
        page = ElementTree.fromstring(book.read("EPUB/pages/page-001.xhtml"))
    balloons = iter(
        b for f in comic.pages[0].page.frames for b in comic.pages[0].page.balloons_of(f.panel_id)
    )
    for section in page.iter(f"{XHTML}section"):
        panel = placed(section)
        for paragraph in section.iter(f"{XHTML}p"):
            balloon = next(balloons)
            box = placed(paragraph).shifted(panel.x0, panel.y0)
            assert box == balloon.box
            for span in paragraph:
                line = placed(span).shifted(box.x0, box.y0)
                assert line.intersection(balloon.box).area >= 0.98 * line.area


def placed(element) -> Box:
    css = dict(part.split(":") for part in element.get("style").split(";"))
    x, y, w, h = (int(css[k].removesuffix("px")) for k in ("left", "top", "width", "height"))
    return Box(x, y, x + w, y + h)
