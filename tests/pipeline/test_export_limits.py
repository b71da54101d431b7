"""Books that must stay under a number of bytes, and long books in little memory."""

import gc
import json
import tracemalloc
import weakref
import zipfile
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from pipeline.comics.export.book import export_book, export_formats, file_ending
from pipeline.comics.export.budget import Budget, TooLarge
from pipeline.domain.errors import LimitReached
from pipeline.domain.geometry import Size
from pipeline.domain.page import BookFormat, BookPage

# Print sheets and layers have steps of their own: see test_print.py and test_layered.py.
BOUND = [name for name in export_formats() if name not in ("png", "print", "ora", "psd")]


def size_of(comic, name, **options):
    return len(export_book(name, comic.pages, comic.info, **options))


@pytest.mark.parametrize("name", BOUND)
def test_quality_gives_way_until_the_book_fits(make_comic, name):
    comic = make_comic(book_format=BookFormat(name), pages=2)
    free = size_of(comic, name)
    tight = max(40_000, int(free * 0.55))
    assert free > tight
    data = export_book(name, comic.pages, comic.info, limit_bytes=tight)
    assert len(data) <= tight
    assert data == export_book(name, comic.pages, comic.info, limit_bytes=tight)
    if name == "pdf":
        assert len(PdfReader(BytesIO(data)).pages) == 2
        return
    with zipfile.ZipFile(BytesIO(data)) as book:
        assert book.testzip() is None
        pictures = [n for n in book.namelist() if n.endswith((".png", ".jpg", ".webp"))]
        assert len(pictures) >= 2
        for picture in pictures:
            with Image.open(BytesIO(book.read(picture))) as image:
                image.load()


@pytest.mark.parametrize("name", BOUND)
def test_a_generous_limit_changes_nothing(make_comic, name):
    comic = make_comic(book_format=BookFormat(name), pages=2)
    free = export_book(name, comic.pages, comic.info)
    assert export_book(name, comic.pages, comic.info, limit_bytes=10 * len(free) + 10**6) == free


@pytest.mark.parametrize("name", BOUND)
def test_what_cannot_fit_says_what_to_do(make_comic, name):
    comic = make_comic(book_format=BookFormat(name), pages=2)
    with pytest.raises(TooLarge, match=f"as {name}.*fewer pages.*another format") as caught:
        export_book(name, comic.pages, comic.info, limit_bytes=4_000)
    assert isinstance(caught.value, LimitReached)
    named = str(caught.value).rpartition("format: ")[2].rstrip(".").split(", ")
    assert named
    assert name not in named


def test_a_smaller_picture_is_told_to_readers(make_comic):
    comic = make_comic(pages=2)
    with zipfile.ZipFile(
        BytesIO(export_book("cbz", comic.pages, comic.info, limit_bytes=45_000))
    ) as book:
        xml = book.read("ComicInfo.xml").decode()
        for name in book.namelist()[:-1]:
            with Image.open(BytesIO(book.read(name))) as image:
                assert f'ImageWidth="{image.width}" ImageHeight="{image.height}"' in xml
            assert f'ImageSize="{len(book.read(name))}"' in xml


def test_simple_pages_leave_their_bytes_to_later_ones():
    budget = Budget(BookFormat.CBZ, 1_000_000, 4)
    first = budget.share
    budget.spend(1_000)
    budget.turn()
    assert budget.share > first


def test_every_format_has_its_ending():
    endings = {name: file_ending(name) for name in export_formats()}
    assert endings["epub"] == ".epub"
    assert endings["web"].endswith(".zip")
    assert len(set(endings.values())) == len(endings)


@dataclass
class Flow:
    """Gives pages out one at a time and counts how many are alive."""

    page: BookPage
    count: int
    alive: int = 0
    most: int = 0

    def __iter__(self):
        noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
        for number in range(1, self.count + 1):
            out = BytesIO()
            Image.fromarray(noise).resize(self.page.page.size).save(out, "PNG", compress_level=1)
            page = _Watched(replace(self.page.page, number=number), out.getvalue())
            self.alive += 1
            weakref.finalize(page, self._gone)
            self.most = max(self.most, self.alive)
            yield page
            del page

    def _gone(self):
        self.alive -= 1


class _Watched(BookPage):
    """A page that can be referred to weakly (slots have no room for it)."""


@pytest.mark.parametrize("name", BOUND)
def test_two_hundred_pages_are_bound_a_few_at_a_time(make_comic, name):
    comic = make_comic(book_format=BookFormat(name), pages=1)
    small = replace(comic.pages[0].page, size=Size(160, 224), frames=(), balloons=())
    flow = Flow(replace(comic.pages[0], page=small), 200)
    gc.collect()
    tracemalloc.start()
    try:
        data = export_book(name, flow, comic.info, total=200)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert flow.most <= 4
    # The book itself, its copy in the writer, and a fixed rest: not 200 pages beside it.
    assert peak < 3 * len(data) + 18_000_000
    if name == "web":
        with zipfile.ZipFile(BytesIO(data)) as book:
            assert book.read("index.html").count(b"<article") == 200
    if name == "webtoon":
        with zipfile.ZipFile(BytesIO(data)) as book:
            assert json.loads(book.read("index.json"))["height"] == 200 * 224
