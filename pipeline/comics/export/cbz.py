"""A CBZ: page pictures in a zip, described by ComicInfo.xml.

Source: The Anansi Project, ComicInfo schema v2.0 (a sequence: the order of elements matters).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO
from xml.etree import ElementTree

from pipeline.comics.export.archive import digits, new_archive, printable
from pipeline.comics.export.budget import Budget
from pipeline.comics.export.pictures import PNG_STEPS, encoded
from pipeline.domain.character import ColorMode, ReadingDirection
from pipeline.domain.page import BookInfo, BookPage, LetteredPage


@dataclass(frozen=True, slots=True)
class _Written:
    """A page that is in the zip, without its picture; ``scale`` shrank it, ``size`` is bytes."""

    page: LetteredPage
    size: int
    scale: float


def write_cbz(pages: Iterable[BookPage], info: BookInfo, out: BinaryIO, budget: Budget) -> None:
    """The zip: ``page-001.png`` and so on, then ``ComicInfo.xml``.

    The PNGs are those that were rendered; under a byte limit they become JPEGs as needed.
    """
    written: list[_Written] = []
    places = digits(budget.pages)
    with new_archive(out) as archive:
        for number, page in enumerate(pages, start=1):
            step, data = budget.best(PNG_STEPS, partial(encoded, page))
            name = f"page-{number:0{places}}.{step.ending}"
            budget.spend(archive.add(name, data, compress=False))
            budget.turn()
            written.append(_Written(page.page, len(data), step.scale))
        archive.add("ComicInfo.xml", _comic_info(written, info))


def _comic_info(pages: Sequence[_Written], info: BookInfo) -> bytes:
    """ComicInfo.xml for a book, in the schema's order, empty elements left out."""
    root = ElementTree.Element("ComicInfo")
    for name, value in _elements(pages, info):
        if value:
            ElementTree.SubElement(root, name).text = printable(value)
    listing = ElementTree.Element("Pages")
    for number, page in enumerate(pages):
        ElementTree.SubElement(listing, "Page", _page(number, page))
    root.append(listing)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _elements(pages: Sequence[_Written], info: BookInfo) -> Iterator[tuple[str, str]]:
    rtl = info.reading_direction is ReadingDirection.RTL
    yield "Title", info.title
    yield "Series", info.series
    yield "Number", "" if info.number is None else str(info.number)
    yield "Summary", info.summary
    yield "Notes", info.notes
    yield "Writer", ", ".join(info.writers)
    yield "Penciller", ", ".join(info.artists)
    yield "Letterer", ", ".join(info.letterers)
    yield "PageCount", str(len(pages))
    yield "LanguageISO", info.language
    yield "Format", "Webtoon" if info.reading_direction is ReadingDirection.WEBTOON else ""
    yield "BlackAndWhite", "Yes" if info.color_mode is ColorMode.GRAYSCALE else "No"
    yield "Manga", "YesAndRightToLeft" if rtl else "No"
    yield "Characters", ", ".join(info.characters)


def _page(number: int, page: _Written) -> dict[str, str]:
    return {
        "Image": str(number),
        "Type": "Story",
        "ImageSize": str(page.size),
        "Bookmark": f"Page {page.page.number}",
        "ImageWidth": str(round(page.page.size.width * page.scale)),
        "ImageHeight": str(round(page.page.size.height * page.scale)),
    }
