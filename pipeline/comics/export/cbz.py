"""A CBZ: page pictures in a zip, described by ComicInfo.xml.

Source: The Anansi Project, ComicInfo schema v2.0 (a sequence: the order of elements matters).
"""

import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from xml.etree import ElementTree

from pipeline.domain.character import ColorMode, ReadingDirection
from pipeline.domain.page import BookInfo, BookPage

# The earliest time that a zip can hold: equal books get equal bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def export_cbz(pages: Sequence[BookPage], info: BookInfo) -> bytes:
    """The zip: ``ComicInfo.xml`` first, then ``page-001.png`` and so on, PNGs not re-compressed."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        _add(archive, "ComicInfo.xml", comic_info(pages, info), zipfile.ZIP_DEFLATED)
        digits = max(3, len(str(len(pages))))
        for number, page in enumerate(pages, start=1):
            _add(archive, f"page-{number:0{digits}}.png", page.png, zipfile.ZIP_STORED)
    return out.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes, compression: int) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = compression
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # the same on every machine
    archive.writestr(entry, data)


def comic_info(pages: Sequence[BookPage], info: BookInfo) -> bytes:
    """ComicInfo.xml for a book, in the schema's order, empty elements left out."""
    root = ElementTree.Element("ComicInfo")
    for name, value in _elements(pages, info):
        if value:
            ElementTree.SubElement(root, name).text = _printable(value)
    listing = ElementTree.Element("Pages")
    for number, page in enumerate(pages):
        ElementTree.SubElement(listing, "Page", _page(number, page))
    root.append(listing)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _elements(pages: Sequence[BookPage], info: BookInfo) -> Iterator[tuple[str, str]]:
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


def _page(number: int, page: BookPage) -> dict[str, str]:
    return {
        "Image": str(number),
        "Type": "Story",
        "ImageSize": str(len(page.png)),
        "Bookmark": f"Page {page.page.number}",
        "ImageWidth": str(page.page.size.width),
        "ImageHeight": str(page.page.size.height),
    }


def _printable(text: str) -> str:
    """Text without the control characters that XML cannot hold."""
    return "".join(c for c in text if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff"))
