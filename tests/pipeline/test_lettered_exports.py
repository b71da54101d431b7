"""Exports of pages in other scripts: words that can be found, read aloud and laid over."""

import io

import pytest
from PIL import Image
from pypdf import PdfReader

from pipeline.comics.export.book import export_book
from pipeline.comics.export.layers import live_panels
from pipeline.comics.fonts import missing_glyphs
from pipeline.comics.page import compose_page, render_page
from pipeline.domain.character import ReadingDirection
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import BookInfo, BookPage, PageSpec, PanelArt
from pipeline.domain.panel import BalloonKind, DialogueLine, PlacedFigure

CJK = pytest.mark.skipif(bool(missing_glyphs("あ我한")), reason="no CJK font is installed")


def book_page(*lines: DialogueLine, **spec: object) -> BookPage:
    """One page with one wide panel and two people in it."""
    size = Size(640, 480)
    out = io.BytesIO()
    Image.new("RGB", size, "lightsteelblue").save(out, "PNG")
    figures = tuple(
        PlacedFigure(f"ch_{name}", Box(x, 240, x + 120, 480), Box(x + 20, 240, x + 100, 330))
        for name, x in (("ava", 90), ("ben", 430))
    )
    art = PanelArt(1, out.getvalue(), size, figures, lines)
    page = compose_page([art], PageSpec(size=Size(620, 877), margin=30, **spec))  # pyright: ignore
    return BookPage(page, render_page(page, [art]))


def text_of_pdf(page: BookPage) -> str:
    data = export_book("pdf", [page], BookInfo("Test"), total=1)
    (sheet,) = PdfReader(io.BytesIO(data)).pages
    return sheet.extract_text()


def test_greek_cyrillic_and_emphasis_are_found_in_a_pdf():
    page = book_page(
        DialogueLine("Η *πόρτα* άνοιξε.", "ch_ava"), DialogueLine("Кто там?", "ch_ben")
    )
    words = " ".join(text_of_pdf(page).split())
    assert "πόρτα" in words
    assert "Кто там?" in words
    assert "*" not in words


@CJK
def test_japanese_and_korean_are_found_in_a_pdf():
    assert "図書館" in text_of_pdf(book_page(DialogueLine("図書館だ。", "ch_ava"), language="ja"))
    assert "도서관" in text_of_pdf(book_page(DialogueLine("도서관이다.", "ch_ava"), language="ko"))


@CJK
def test_columns_are_laid_over_as_columns_from_the_right():
    page = book_page(
        DialogueLine("看板には九時って書いてあったのに。", "ch_ava"),
        reading_direction=ReadingDirection.RTL,
        language="ja",
    )
    (balloon,) = live_panels(page, BookInfo("Test"))[0].balloons
    assert page.page.balloons[0].vertical
    assert len(balloon.lines) > 1
    assert all(line.height > line.width for line in balloon.lines)
    lefts = [line.left for line in balloon.lines]
    assert lefts == sorted(lefts, reverse=True)
    assert all("vertical-rl" in line.style for line in balloon.lines)
    assert "書いてあったのに" in balloon.spoken


def test_arabic_is_laid_over_leftwards_and_spoken_whole():
    page = book_page(DialogueLine("هل من أحد هنا؟", "ch_ava"), language="ar")
    (balloon,) = live_panels(page, BookInfo("Test"))[0].balloons
    assert {line.style for line in balloon.lines} == {"direction:rtl"}
    assert "هل من أحد هنا؟" in balloon.spoken


def test_a_divided_word_is_spoken_whole_and_two_speakers_are_both_named():
    page = book_page(
        DialogueLine("Now!", "ch_ava", BalloonKind.DOUBLE_TAIL, "ch_ben"),
        DialogueLine("Verantwortungsbewusstsein!", "ch_ben"),
        language="de",
    )
    first, second = live_panels(page, BookInfo("Test", names={"ch_ava": "Ava"}))[0].balloons
    assert first.spoken == "Ava and Ben say: “Now!”"
    assert "Verantwortungsbewusstsein!" in second.spoken
    assert len(page.page.balloons[0].tails) == 2


@pytest.mark.parametrize("kind", BalloonKind)
def test_every_kind_leaves_ink_and_a_page_draws_the_same_twice(kind: BalloonKind):
    who = "ch_ava" if kind.has_tail else None
    also = "ch_ben" if kind is BalloonKind.DOUBLE_TAIL else None
    line = DialogueLine("Boom", who, kind, also)
    page, again, empty = book_page(line), book_page(line), book_page()
    assert page.png == again.png
    (balloon,) = page.page.balloons
    with Image.open(io.BytesIO(page.png)) as drawn, Image.open(io.BytesIO(empty.png)) as bare:
        box = balloon.box
        inside, before = drawn.crop(box).convert("L"), bare.crop(box).convert("L")
    darkest, _ = inside.getextrema()
    assert darkest < 60 < before.getextrema()[0]
