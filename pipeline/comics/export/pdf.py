"""A PDF: one picture per page, with the dialogue as an invisible text layer to search and copy."""

from collections.abc import Iterable, Iterator
from functools import partial
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING, BinaryIO

from pipeline.comics.export.budget import Budget
from pipeline.comics.export.layers import book_title
from pipeline.comics.export.pictures import JPEG_STEPS, encoded
from pipeline.comics.fonts import STYLE_OF_KIND, Face, FontStyle, face_for, own_faces
from pipeline.comics.typesetting import set_lines
from pipeline.domain.character import ReadingDirection
from pipeline.domain.geometry import Size
from pipeline.domain.page import Balloon, BookInfo, BookPage, LetteredPage

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

_DPI = 150
# No side of a page may be longer. Source: ISO 32000-1, annex C.
_LONGEST = 14_400
_INVISIBLE = 3
# Fonts that PDF readers have for a language. Source: Adobe's CJK font packs.
_READERS_OWN = {
    "ja": "HeiseiKakuGo-W5",
    "zh": "STSong-Light",
    "ko": "HYGothic-Medium",
}


def write_pdf(pages: Iterable[BookPage], info: BookInfo, out: BinaryIO, budget: Budget) -> None:
    """The PDF: pages at 150 dots per inch, a bookmark for each, title and authors set."""
    canvas = new_canvas(info, out)
    for page in pages:
        # The library writes pictures as text, five characters for four bytes.
        _, jpeg = budget.best(JPEG_STEPS, partial(encoded, page), 0.8 * budget.share)
        _draw(canvas, page, jpeg)
        budget.spend(round(1.25 * len(jpeg)))
        budget.turn()
    canvas.save()


def new_canvas(info: BookInfo, out: BinaryIO) -> "Canvas":
    """An empty PDF that says what book it is."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(out, invariant=1, pageCompression=1, lang=info.language)
    canvas.setTitle(book_title(info))
    canvas.setAuthor(", ".join(dict.fromkeys((*info.writers, *info.artists, *info.letterers))))
    canvas.setSubject(info.summary)
    canvas.setKeywords(", ".join(info.characters))
    canvas.setCreator("Onmodel")
    if info.reading_direction is ReadingDirection.RTL:
        canvas.setViewerPreference("Direction", "R2L")
    return canvas


def points_per_pixel(size: Size) -> float:
    """Points for one pixel: 150 to the inch, fewer where a strip would be too long for a PDF."""
    return min(72 / _DPI, _LONGEST / max(size))


def _draw(canvas: "Canvas", page: BookPage, jpeg: bytes) -> None:
    from reportlab.lib.utils import ImageReader

    size, scale = page.page.size, points_per_pixel(page.page.size)
    canvas.setPageSize((size.width * scale, size.height * scale))
    picture = ImageReader(BytesIO(jpeg))
    canvas.drawImage(picture, 0, 0, size.width * scale, size.height * scale)
    lay_words(canvas, page.page, scale)
    add_bookmark(canvas, page.page.number)
    canvas.showPage()


def add_bookmark(canvas: "Canvas", number: int) -> None:
    """Let the outline lead to the page that is being drawn."""
    name = f"page-{number}"
    canvas.bookmarkPage(name)
    canvas.addOutlineEntry(f"Page {number}", name)


def lay_words(canvas: "Canvas", page: LetteredPage, scale: float) -> None:
    """The dialogue of a page as invisible text; ``scale`` is points for one pixel."""
    for frame in page.frames:
        for balloon in page.balloons_of(frame.panel_id):
            _write(canvas, balloon, page.size.height, scale)


def write_line(canvas: "Canvas", words: str, at: tuple[float, float], size: float) -> None:
    """One visible line of plain words; places and sizes are points."""
    text = canvas.beginText(*at)
    for font, part in _fonts(words, FontStyle.REGULAR, ""):
        text.setFont(font, size)
        text.textOut(part)
    canvas.drawText(text)


def _write(canvas: "Canvas", balloon: Balloon, height: int, scale: float) -> None:
    """Lay the lines of a balloon under the picture's own, where a selection will find them."""
    text = canvas.beginText()
    text.setTextRenderMode(_INVISIBLE)
    for line in set_lines(balloon):
        text.setTextOrigin(line.origin.x * scale, (height - line.origin.y) * scale)
        for font, words in _fonts(line.text, STYLE_OF_KIND[balloon.kind], balloon.language):
            text.setFont(font, balloon.font_size * scale)
            text.textOut(words)
    canvas.drawText(text)


def _fonts(words: str, style: FontStyle, language: str) -> Iterator[tuple[str, str]]:
    """Stretches of a line, each with the PDF font that can carry it."""

    def font_of(char: str) -> str:
        face = None if char == " " else face_for(char, style, language)
        return _registered(face or own_faces(style)[0], language)

    for font, chars in groupby(words, key=font_of):
        yield font, "".join(chars)


def _registered(face: Face, language: str) -> str:
    """The name under which the PDF library knows a face; registered on first use.

    It embeds TrueType outlines only; for others it names one of the fonts that every reader
    brings along for the language, which is enough to search and to copy.
    """
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    name = f"{face.path.stem}-{face.index}"
    readers = _READERS_OWN.get(language.partition("-")[0], _READERS_OWN["ja"])
    known = pdfmetrics.getRegisteredFontNames()
    if name in known:
        return name
    try:
        pdfmetrics.registerFont(TTFont(name, str(face.path), subfontIndex=face.index))
    except TTFError:  # PostScript outlines
        if readers not in known:
            pdfmetrics.registerFont(UnicodeCIDFont(readers))
        return readers
    return name
