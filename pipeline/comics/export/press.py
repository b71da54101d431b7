"""A PDF for the printer: trim, bleed and crop marks, art at 300 dots per inch, words as outlines.

The dialogue is there a second time as invisible text, to search and to copy, as in the plain PDF.
"""

from collections.abc import Iterable
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from pipeline.comics.export.budget import Budget
from pipeline.comics.export.layers import book_title
from pipeline.comics.export.pdf import add_bookmark, lay_words, new_canvas, write_line
from pipeline.comics.export.pictures import Step, encoded
from pipeline.comics.export.vectors import draw_lettering
from pipeline.comics.formats import MM_PER_INCH
from pipeline.comics.printing import PRINT_DPI
from pipeline.domain.errors import InvalidInput
from pipeline.domain.page import BookInfo, BookPage

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

# Paper does not forgive what a screen does: the resolution stays, the quality ends early.
_STEPS = tuple(Step("JPEG", quality) for quality in (95, 90, 84, 76))
_POINT = 72 / PRINT_DPI
_MM = 72 / MM_PER_INCH
# Crop marks stand this far from the bleed and are this long; a quarter of a point is a hairline.
_MARK_GAP, _MARK_LENGTH, _MARK_WIDTH = 0.5 * _MM, 5 * _MM, 0.25
_SLUG = 6.5 * _MM
_NOTE_SIZE = 6.0


def write_print(pages: Iterable[BookPage], info: BookInfo, out: BinaryIO, budget: Budget) -> None:
    """The PDF: each page with its TrimBox, BleedBox and MediaBox, and marks where it is cut.

    Raises:
        InvalidInput: a page was drawn for the screen.
    """
    canvas = new_canvas(info, out)
    for page in pages:
        if not page.bleed:
            raise InvalidInput("That page was drawn for the screen; draw its print sheet first.")
        _, jpeg = budget.best(_STEPS, partial(encoded, page), 0.8 * budget.share)
        _draw(canvas, page, info, jpeg)
        budget.spend(round(1.25 * len(jpeg)))
        budget.turn()
    canvas.save()


def _draw(canvas: "Canvas", page: BookPage, info: BookInfo, jpeg: bytes) -> None:
    from reportlab.lib.utils import ImageReader

    bleed = page.bleed * _POINT
    width, height = (side * _POINT for side in page.page.size)
    edge = _SLUG + bleed
    canvas.setPageSize((width + 2 * edge, height + 2 * edge))
    canvas.setTrimBox((edge, edge, edge + width, edge + height))
    canvas.setBleedBox((_SLUG, _SLUG, edge + width + bleed, edge + height + bleed))
    sheet = (width + 2 * bleed, height + 2 * bleed)
    canvas.drawImage(ImageReader(BytesIO(jpeg)), _SLUG, _SLUG, *sheet)
    canvas.saveState()
    canvas.transform(_POINT, 0, 0, -_POINT, edge, edge + height)
    draw_lettering(canvas, page.page)
    canvas.restoreState()
    _mark(canvas, edge, width, height, bleed)
    _note(canvas, page, info, edge)
    canvas.saveState()
    canvas.translate(edge, edge)
    lay_words(canvas, page.page, _POINT)
    canvas.restoreState()
    add_bookmark(canvas, page.page.number)
    canvas.showPage()


def _mark(canvas: "Canvas", edge: float, width: float, height: float, bleed: float) -> None:
    """Two lines at each corner, outside of the bleed, in line with the trim."""
    near = bleed + _MARK_GAP
    far = near + _MARK_LENGTH
    canvas.setStrokeColorCMYK(1, 1, 1, 1)  # on every plate
    canvas.setLineWidth(_MARK_WIDTH)
    for x, out in ((edge, -1), (edge + width, 1)):
        for y, up in ((edge, -1), (edge + height, 1)):
            canvas.line(x + out * near, y, x + out * far, y)
            canvas.line(x, y + up * near, x, y + up * far)


def _note(canvas: "Canvas", page: BookPage, info: BookInfo, edge: float) -> None:
    """What the sheet is, in the strip that is cut off."""
    width, height = (side / PRINT_DPI * MM_PER_INCH for side in page.page.size)
    bleed = page.bleed / PRINT_DPI * MM_PER_INCH
    trim = f"trim {width:.1f} × {height:.1f} mm, bleed {bleed:.1f} mm"
    canvas.setFillGray(0.25)
    words = f"{book_title(info)} · page {page.page.number} · {trim}"
    write_line(canvas, words, (edge + 8 * _MM, _SLUG - _NOTE_SIZE - 4), _NOTE_SIZE)
