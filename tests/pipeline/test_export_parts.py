"""Books that are divided because one file would be too coarse."""

import zipfile
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image
from pypdf import PdfReader

from pipeline.comics.export.book import export_book
from pipeline.comics.export.budget import TooLarge
from pipeline.comics.export.parts import export_parts, part_name, part_of
from pipeline.comics.export.pictures import JPEG_STEPS, encoded
from pipeline.domain.page import BookFormat


def parted(comic, form, limit):
    return export_parts(
        form, iter(comic.pages), comic.info, total=len(comic.pages), limit_bytes=limit
    )


def tight(comic, form):
    """A limit that holds the book only if its pictures get softer than people should get."""
    pictures = sum(len(encoded(page, JPEG_STEPS[2])) for page in comic.pages)
    return round(0.8 * pictures * (1.25 if form == "pdf" else 1.0)) + 40_000


@pytest.mark.parametrize("form", ["cbz", "pdf", "epub", "webtoon"])
def test_a_book_that_would_be_coarse_comes_in_parts(make_comic, form):
    comic = make_comic(book_format=BookFormat(form), pages=6)
    limit = tight(comic, form)
    assert len(parted(comic, form, 10 * limit)) == 1
    made = parted(comic, form, limit)
    assert 2 <= len(made) <= 4
    assert all(len(data) <= limit for data in made)
    assert made == parted(comic, form, limit)
    if form == "pdf":
        seen = [len(PdfReader(BytesIO(data)).pages) for data in made]
        assert sum(seen) == 6
        titles = [PdfReader(BytesIO(data)).metadata.title for data in made]
        assert titles[0].endswith(f"part 1 of {len(made)}")
        return
    for data in made:
        with zipfile.ZipFile(BytesIO(data)) as book:
            assert book.testzip() is None
            for name in book.namelist():
                if name.endswith((".jpg", ".png")):
                    with Image.open(BytesIO(book.read(name))) as image:
                        # Never smaller than it was drawn: that is what parts are for.
                        assert image.width in (comic.pages[0].page.size.width, 800)


def test_pages_keep_their_order_and_numbers_over_the_parts(make_comic):
    comic = make_comic(pages=6)
    made = parted(comic, "cbz", tight(comic, "cbz"))
    listed = []
    for number, data in enumerate(made, start=1):
        with zipfile.ZipFile(BytesIO(data)) as book:
            info = book.read("ComicInfo.xml").decode()
        assert f"part {number} of {len(made)}" in info
        listed += [int(part.split('"')[0]) for part in info.split('Bookmark="Page ')[1:]]
    assert listed == [1, 2, 3, 4, 5, 6]


def test_what_is_whole_stays_as_it_was_and_names_say_the_part(make_comic):
    comic = make_comic(pages=2)
    free = export_book("cbz", comic.pages, comic.info)
    assert parted(comic, "cbz", None) == [free]
    assert parted(comic, "cbz", 10 * len(free) + 10**6) == [free]
    assert part_name("rain-webtoon.zip", 2, 3) == "rain-webtoon-part-2-of-3.zip"
    assert part_name("rain.cbz", 1, 1) == "rain.cbz"
    info = replace(comic.info, identifier="urn:uuid:1")
    assert part_of(info, 1, 2).identifier != part_of(info, 2, 2).identifier


def test_what_fits_in_no_number_of_parts_is_told(make_comic):
    comic = make_comic(pages=2)
    with pytest.raises(TooLarge, match="fewer pages"):
        parted(comic, "cbz", 3_000)
    long = replace(comic, pages=[comic.pages[0]] * 30)
    with pytest.raises(TooLarge, match="20 are the most"):
        parted(long, "pdf", 40_000)
