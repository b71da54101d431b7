"""The print edition: boxes, bleed, outlines and words, read by pypdf and rendered by poppler."""

import shutil
import subprocess
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from pipeline.comics.export.book import export_book
from pipeline.comics.export.budget import TooLarge
from pipeline.comics.formats import FORMATS, spec_of
from pipeline.comics.page import compose_page, render_page
from pipeline.comics.printing import bleed_of, draw_sheet
from pipeline.comics.rendering import draw_panels, foot_of
from pipeline.domain.character import ColorMode, ReadingDirection
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import BookInfo, BookPage, PageSpec, PanelArt
from pipeline.domain.panel import BalloonKind, DialogueLine, PlacedFigure

MM = 72 / 25.4
COMIC = FORMATS["us-comic"]
LINES = (
    (DialogueLine("Nine o’clock. The door is still open.", None, BalloonKind.CAPTION),),
    (DialogueLine("We should *not* be here.", "ch_ava"), DialogueLine("Hush!", "ch_ben")),
    (DialogueLine("RUN!", "ch_ava", BalloonKind.SHOUT),),
)


def picture(seed: int) -> bytes:
    """Stripes that tell every column from its neighbours, so that shifts would be seen."""
    x, y = np.meshgrid(np.arange(600), np.arange(400))
    red = 128 + 90 * np.sin(x / 23 + seed)
    green = 128 + 90 * np.cos(y / 17)
    pixels = np.dstack([red, green, np.full_like(red, 160)]).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def arts() -> list[PanelArt]:
    figures = tuple(
        PlacedFigure(f"ch_{name}", Box(x, 190, x + 100, 400), Box(x + 10, 190, x + 80, 270))
        for name, x in (("ava", 150), ("ben", 360))
    )
    return [
        PanelArt(i, picture(i), Size(600, 400), figures, lines) for i, lines in enumerate(LINES, 1)
    ]


def spec(color_mode: ColorMode = ColorMode.COLOR) -> PageSpec:
    return spec_of(COMIC, ReadingDirection.LTR, color_mode, title="The Rain Door")


@pytest.fixture(scope="module")
def bled_page() -> tuple[BookPage, BookPage]:
    """The page as on the screen, and its print sheet; the first tier bleeds."""
    page = compose_page(arts(), spec(), layout="1.2!=1/1=1,1")
    screen = BookPage(page, render_page(page, arts()))
    fine, png = draw_sheet(page, arts(), bleed_of(COMIC))
    return screen, BookPage(fine, png, bleed=bleed_of(COMIC))


@pytest.fixture(scope="module")
def printed(bled_page) -> bytes:
    return export_book("print", [bled_page[1]], BookInfo("The Rain Door", number=1))


def test_the_boxes_say_where_the_sheet_is_cut(printed):
    (page,) = PdfReader(BytesIO(printed)).pages
    trim, bleed, media = page.trimbox, page.bleedbox, page.mediabox
    assert float(trim.width) == pytest.approx(COMIC.width * MM, abs=0.3)
    assert float(trim.height) == pytest.approx(COMIC.height * MM, abs=0.3)
    for near, far in ((trim, bleed), (bleed, media)):
        assert float(near.left) > float(far.left)
        assert float(near.top) < float(far.top)
    for side in ("left", "bottom"):
        gap = float(getattr(trim, side)) - float(getattr(bleed, side))
        assert gap == pytest.approx(COMIC.bleed * MM, abs=0.2)
    assert float(media.right) - float(bleed.right) >= 5 * MM


def test_words_can_be_found_and_the_art_has_three_hundred_dots_an_inch(printed, bled_page):
    (page,) = PdfReader(BytesIO(printed)).pages
    words = " ".join(page.extract_text().split())
    for said in ("Nine o’clock. The door is still open.", "not be here.", "Hush!", "RUN!"):
        assert said in words
    (image,) = page.images
    assert image.image is not None
    inches = float(page.bleedbox.width) / 72
    assert image.image.width / inches == pytest.approx(300, abs=0.5)
    # No ink of words in the picture: they are outlines, filled without even one glyph of a font.
    content = page.get_contents().get_data()
    assert content.count(b" c\n") + content.count(b" c ") > 500


def test_inside_of_the_trim_nothing_moves(bled_page):
    screen, sheet = bled_page
    by_id = {art.panel_id: art for art in arts()}
    plain = np.asarray(draw_panels(sheet.page, by_id), float)
    b = sheet.bleed
    with Image.open(BytesIO(sheet.png)) as image:
        inner = np.asarray(image, float)[b:-b, b:-b]
    frame = sheet.page.frames[0].box
    inside = Box(frame.x0 + 9, frame.y0 + 9, frame.x1 - 9, frame.y1 - 9)
    for box in (inside, sheet.page.frames[2].box):
        part = (slice(box.y0, box.y1), slice(box.x0, box.x1))
        assert np.abs(plain[part] - inner[part]).max() <= 2
    assert sheet.page.size == (2 * screen.page.size.width, 2 * screen.page.size.height)


def test_art_that_bleeds_fills_the_bleed_and_nothing_else_does(bled_page):
    _, sheet = bled_page
    b, (width, height) = sheet.bleed, sheet.page.size
    with Image.open(BytesIO(sheet.png)) as image:
        pixels = np.asarray(image)
    assert pixels.shape[:2] == (height + 2 * b, width + 2 * b)
    bleeding, low = sheet.page.frames[0].box, sheet.page.frames[2].box
    assert (bleeding.x0, bleeding.y0, bleeding.x1) == (0, 0, width)
    edges = pixels[: b + bleeding.y1 - 20, :b], pixels[: b + bleeding.y1 - 20, -b:]
    for edge in (*edges, pixels[:b]):
        assert (edge < 250).any(axis=2).all()  # no white, and no line that would be cut through
        assert edge.min() > 30
    assert (pixels[b + low.y0 :, :b] == 255).all()
    assert (pixels[-b:] == 255).all()


def test_words_stay_in_the_safe_area(bled_page):
    _, sheet = bled_page
    safe = COMIC.pixels(COMIC.safe, 300) - 4
    for balloon in sheet.page.balloons:
        assert balloon.text.x0 >= safe
        assert balloon.text.y0 >= safe
        assert balloon.text.x1 <= sheet.page.size.width - safe


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="needs poppler-utils")
def test_a_renderer_shows_the_page_as_it_was_composed(printed, bled_page, tmp_path):
    screen, sheet = bled_page
    (tmp_path / "sheet.pdf").write_bytes(printed)
    command = ["pdftoppm", "-r", "150", "-png", "sheet.pdf", "seen"]
    subprocess.run(command, cwd=tmp_path, check=True)
    with Image.open(next(tmp_path.glob("seen*.png"))) as image:
        seen = image.convert("RGB")
    (page,) = PdfReader(BytesIO(printed)).pages
    left = round(float(page.trimbox.left) / 72 * 150)
    top = round((float(page.mediabox.top) - float(page.trimbox.top)) / 72 * 150)
    width, height = screen.page.size
    trimmed = np.asarray(seen.crop((left, top, left + width, top + height)).convert("L"), float)
    with Image.open(BytesIO(screen.png)) as image:
        composed = np.asarray(image.convert("L"), float)
    assert np.abs(trimmed - composed)[8:-8, 8:-8].mean() < 3
    # The crop marks: black in line with the trim, white between them and the bleed.
    corner = np.asarray(seen.convert("L"))
    mark = corner[: top - round(sheet.bleed / 2) - 4, left - 2 : left + 3]
    assert mark.min() < 120


def test_grey_books_have_grey_art_and_strips_are_not_printed():
    page = compose_page(arts(), spec(ColorMode.GRAYSCALE))
    fine, png = draw_sheet(page, arts(), bleed_of(COMIC))
    book = export_book("print", [BookPage(fine, png, bleed=bleed_of(COMIC))], BookInfo("Grey"))
    (sheet,) = PdfReader(BytesIO(book)).pages
    assert [image.image.mode for image in sheet.images if image.image] == ["L"]
    assert b" rg" not in sheet.get_contents().get_data()
    strip = compose_page(arts(), PageSpec(reading_direction=ReadingDirection.WEBTOON))
    with pytest.raises(InvalidInput, match="not printed"):
        draw_sheet(strip, arts(), 10)


def test_a_page_for_the_screen_is_refused_and_the_resolution_never_gives_way(bled_page):
    screen, sheet = bled_page
    with pytest.raises(InvalidInput, match="screen"):
        export_book("print", [screen], BookInfo("Test"))
    free = export_book("print", [sheet], BookInfo("Test"))
    tight = export_book("print", [sheet], BookInfo("Test"), limit_bytes=int(len(free) * 0.8))
    (page,) = PdfReader(BytesIO(tight)).pages
    assert page.images[0].image is not None
    assert page.images[0].image.width == sheet.page.size.width + 2 * sheet.bleed
    with pytest.raises(TooLarge):
        export_book("print", [sheet], BookInfo("Test"), limit_bytes=len(free) // 20)


@pytest.mark.parametrize(("layout", "numbered"), [("1=1/1=1,1", True), ("1=1,1/1!=1", False)])
def test_a_page_whose_lowest_art_bleeds_has_no_number_in_it(layout, numbered):
    page = compose_page(arts(), spec(), layout=layout, number=7)
    foot = foot_of(page)
    assert (foot is not None) == numbered
    assert foot is None or foot.box.y1 <= page.size.height
