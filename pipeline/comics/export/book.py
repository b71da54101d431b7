"""The door to the exports: one function for every format."""

from collections.abc import Callable, Sequence

from pipeline.comics.export.cbz import export_cbz
from pipeline.comics.export.pdf import export_pdf
from pipeline.comics.export.png import export_png
from pipeline.domain.errors import InvalidInput
from pipeline.domain.page import BookFormat, BookInfo, BookPage

_EXPORTS: dict[BookFormat, Callable[[Sequence[BookPage], BookInfo], bytes]] = {
    BookFormat.PNG: export_png,
    BookFormat.CBZ: export_cbz,
    BookFormat.PDF: export_pdf,
}


def export_formats() -> tuple[str, ...]:
    """The names of the formats; each is also the ending of its files."""
    return tuple(book_format.value for book_format in _EXPORTS)


def export_book(book_format: BookFormat | str, pages: Sequence[BookPage], info: BookInfo) -> bytes:
    """Bind pages into one file; equal input gives equal bytes.

    Args:
        book_format: ``png`` (a single page), ``cbz`` or ``pdf``.
        pages: the pages in reading order, each with its rendered PNG.
        info: what the book says about itself.

    Raises:
        InvalidInput: the format is unknown, there is no page, or too many for the format.
    """
    try:
        export = _EXPORTS[BookFormat(book_format)]
    except ValueError as error:
        names = ", ".join(BookFormat)
        raise InvalidInput(f"There is no export “{book_format}”; choose from: {names}.") from error
    if not pages:
        raise InvalidInput("There is no page to export yet; compose one first.")
    return export(pages, info)
