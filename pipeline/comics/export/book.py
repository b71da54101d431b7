"""The door to the exports: one function for every format."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import BytesIO
from itertools import chain
from typing import BinaryIO

from pipeline.comics.export.budget import Budget
from pipeline.comics.export.cbz import write_cbz
from pipeline.comics.export.epub import write_epub
from pipeline.comics.export.pdf import write_pdf
from pipeline.comics.export.png import write_png
from pipeline.comics.export.press import write_print
from pipeline.comics.export.taken_apart import write_layers
from pipeline.comics.export.web import write_web
from pipeline.comics.export.webtoon import strip_spec, write_webtoon
from pipeline.comics.layered.openraster import write_openraster
from pipeline.comics.layered.photoshop import write_photoshop
from pipeline.domain.errors import InvalidInput
from pipeline.domain.page import BookFormat, BookInfo, BookPage, PageSpec

_Write = Callable[[Iterable[BookPage], BookInfo, BinaryIO, Budget], None]
_WRITERS: dict[BookFormat, _Write] = {
    BookFormat.PNG: write_png,
    BookFormat.CBZ: write_cbz,
    BookFormat.PDF: write_pdf,
    BookFormat.EPUB: write_epub,
    BookFormat.WEBTOON: write_webtoon,
    BookFormat.WEB: write_web,
    BookFormat.PRINT: write_print,
    BookFormat.ORA: partial(write_layers, write_openraster),
    BookFormat.PSD: partial(write_layers, write_photoshop),
}
SINGLE = frozenset({BookFormat.PNG, BookFormat.ORA, BookFormat.PSD})
"""Formats that hold one page."""
_ENDINGS = {
    BookFormat.PRINT: "-print.pdf",
    BookFormat.WEBTOON: "-webtoon.zip",
    BookFormat.WEB: "-web.zip",
}


def export_formats() -> tuple[str, ...]:
    """The names of the formats."""
    return tuple(book_format.value for book_format in _WRITERS)


def file_ending(book_format: BookFormat | str) -> str:
    """What the name of a book's file ends with: ``.cbz``, ``-web.zip``."""
    known = BookFormat(book_format)
    return _ENDINGS.get(known, f".{known.value}")


def spec_for(book_format: BookFormat | str, spec: PageSpec) -> PageSpec:
    """How pages must be composed for a format: webtoons are strips, whatever the book is."""
    return strip_spec(spec) if BookFormat(book_format) is BookFormat.WEBTOON else spec


def export_book(
    book_format: BookFormat | str,
    pages: Iterable[BookPage],
    info: BookInfo,
    *,
    total: int | None = None,
    limit_bytes: int | None = None,
) -> bytes:
    """Bind pages into one file; equal input gives equal bytes.

    Pages are taken one at a time and not kept: an iterator may draw each as it is asked for.

    Args:
        book_format: one of :func:`export_formats`; ``png``, ``ora`` and ``psd`` take a single page.
        pages: the pages in reading order, composed after :func:`spec_for`, each with its PNG;
            for ``print`` drawn by :func:`pipeline.comics.printing.draw_sheet`.
        info: what the book says about itself.
        total: how many pages come; counted (which reads them all first) where it is not given.
        limit_bytes: the file may not be larger; pictures then lose quality as far as needed.

    Raises:
        InvalidInput: the format is unknown, there is no page, or too many for the format.
        TooLarge: the book does not fit into ``limit_bytes``.
    """
    try:
        known = BookFormat(book_format)
    except ValueError as error:
        names = ", ".join(BookFormat)
        raise InvalidInput(f"There is no export “{book_format}”; choose from: {names}.") from error
    if total is None:
        pages = list(pages)
        total = len(pages)
    out = BytesIO()
    budget = Budget(known, limit_bytes, total)
    _WRITERS[known](_some(pages), info, out, budget)
    budget.check(out.tell())
    return out.getvalue()


def _some(pages: Iterable[BookPage]) -> Iterator[BookPage]:
    """The same pages, of which there is at least one."""
    coming = iter(pages)
    first = next(coming, None)
    if first is None:
        raise InvalidInput("There is no page to export yet; compose one first.")
    return chain([first], coming)
