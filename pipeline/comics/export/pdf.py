"""A PDF: one picture per page, with the dialogue as an invisible text layer to search and copy."""

from collections.abc import Iterable
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from pipeline.comics.export.budget import Budget
from pipeline.comics.export.layers import book_title
from pipeline.comics.export.pictures import JPEG_STEPS, encoded
from pipeline.comics.fonts import STYLE_OF_KIND, FontStyle, font_path, metrics
from pipeline.comics.textfit import CAP
from pipeline.domain.character import ReadingDirection
from pipeline.domain.geometry import Size
from pipeline.domain.page import Balloon, BookInfo, BookPage
from pipeline.domain.panel import BalloonKind

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

_DPI = 150
# No side of a page may be longer. Source: ISO 32000-1, annex C.
_LONGEST = 14_400
_INVISIBLE = 3


def write_pdf(pages: Iterable[BookPage], info: BookInfo, out: BinaryIO, budget: Budget) -> None:
    """The PDF: pages at 150 dots per inch, a bookmark for each, title and authors set."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(out, invariant=1, pageCompression=1, lang=info.language)
    canvas.setTitle(book_title(info))
    canvas.setAuthor(", ".join(dict.fromkeys((*info.writers, *info.artists, *info.letterers))))
    canvas.setSubject(info.summary)
    canvas.setKeywords(", ".join(info.characters))
    canvas.setCreator("Onmodel")
    if info.reading_direction is ReadingDirection.RTL:
        canvas.setViewerPreference("Direction", "R2L")
    for page in pages:
        # The library writes pictures as text, five characters for four bytes.
        _, jpeg = budget.best(JPEG_STEPS, partial(encoded, page), 0.8 * budget.share)
        _draw(canvas, page, jpeg)
        budget.spend(round(1.25 * len(jpeg)))
        budget.turn()
    canvas.save()


def points_per_pixel(size: Size) -> float:
    """Points for one pixel: 150 to the inch, fewer where a strip would be too long for a PDF."""
    return min(72 / _DPI, _LONGEST / max(size))


def _draw(canvas: "Canvas", page: BookPage, jpeg: bytes) -> None:
    from reportlab.lib.utils import ImageReader

    size, scale = page.page.size, points_per_pixel(page.page.size)
    canvas.setPageSize((size.width * scale, size.height * scale))
    picture = ImageReader(BytesIO(jpeg))
    canvas.drawImage(picture, 0, 0, size.width * scale, size.height * scale)
    for frame in page.page.frames:
        for balloon in page.page.balloons_of(frame.panel_id):
            _write(canvas, balloon, size.height, scale)
    name = f"page-{page.page.number}"
    canvas.bookmarkPage(name)
    canvas.addOutlineEntry(f"Page {page.page.number}", name)
    canvas.showPage()


def _write(canvas: "Canvas", balloon: Balloon, height: int, scale: float) -> None:
    """Lay the lines of a balloon under the picture's own, where a selection will find them."""
    style = STYLE_OF_KIND[balloon.kind]
    text = canvas.beginText()
    text.setTextRenderMode(_INVISIBLE)
    text.setFont(_registered(style), balloon.font_size * scale)
    middle = (balloon.text.x0 + balloon.text.x1) / 2
    for i, line in enumerate(balloon.lines):
        left = middle - metrics(style).width(line, balloon.font_size) / 2
        if balloon.kind is BalloonKind.CAPTION:
            left = balloon.text.x0
        base = balloon.text.y0 + CAP * balloon.font_size + i * balloon.line_height
        text.setTextOrigin(left * scale, (height - base) * scale)
        text.textOut(line)
    canvas.drawText(text)


def _registered(style: FontStyle) -> str:
    """The name under which the PDF library knows a style; registered on first use."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    name = f"Lettering-{style}"
    if name not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(name, str(font_path(style))))
    return name
