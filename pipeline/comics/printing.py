"""Sheets for print: the page twice as fine, its art drawn on beyond the trim, without words.

The words and balloons are left to the printed file, which holds them as outlines.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from pipeline.comics.enlarging import enlarged
from pipeline.comics.formats import SCREEN_DPI, PageFormat
from pipeline.comics.inking import PAPER
from pipeline.comics.rendering import art_on_paper, border_of, draw_border, frame_picture
from pipeline.domain.character import ColorMode, ReadingDirection
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import LetteredPage, PanelArt, PanelFrame
from pipeline.imaging.decode import to_png

PRINT_DPI = 300
# A page may be so much finer than it was composed, a whole number: lines stay where they were.
_FINER = PRINT_DPI // SCREEN_DPI

_Sides = tuple[int, int, int, int]


def bleed_of(page_format: PageFormat) -> int:
    """How many pixels of a print sheet lie beyond each edge of the page."""
    return page_format.pixels(page_format.bleed, PRINT_DPI)


def draw_sheet(
    page: LetteredPage, arts: Sequence[PanelArt], bleed: int
) -> tuple[LetteredPage, bytes]:
    """The page at 300 dots per inch, and its art with ``bleed`` pixels around as a PNG (RGB).

    Art that touches the edge of the page goes on into the bleed: with what the picture has beyond
    its crop, else with its edge drawn out. Inside of the trim nothing moves.

    Raises:
        InvalidInput: the page is a strip, which has no sheet.
    """
    if page.reading_direction is ReadingDirection.WEBTOON:
        raise InvalidInput("A webtoon strip is not printed; choose webtoon, cbz or pdf.")
    fine = enlarged(page, _FINER)
    by_id = {art.panel_id: art for art in arts}
    sheet = _draw(fine, by_id, bleed)
    if page.color_mode is ColorMode.GRAYSCALE:
        sheet = sheet.convert("L").convert("RGB")
    return fine, to_png(sheet)


def _draw(page: LetteredPage, arts: Mapping[int, PanelArt], bleed: int) -> Image.Image:
    width, height = page.size
    sheet = Image.new("RGB", (width + 2 * bleed, height + 2 * bleed), PAPER)
    border = border_of(page)
    for frame in page.frames:
        sides = _sides(frame.box, page.size, bleed)
        left, top, right, bottom = sides
        at = (frame.box.x0 - left + bleed, frame.box.y0 - top + bleed)
        sheet.paste(_bled(frame, arts[frame.panel_id], sides), at)
        # The line of a side that bleeds would be cut through; it is drawn off the sheet.
        x0, y0, x1, y1 = (v + bleed for v in frame.box)
        off = 2 * border
        line = Box(
            x0 - (left + off if left else 0),
            y0 - (top + off if top else 0),
            x1 + (right + off if right else 0),
            y1 + (bottom + off if bottom else 0),
        )
        draw_border(sheet, line, border)
    return sheet


def _sides(box: Box, size: Size, bleed: int) -> _Sides:
    """How far a frame goes on to the left, the top, the right and the bottom."""
    return (
        bleed if box.x0 <= 0 else 0,
        bleed if box.y0 <= 0 else 0,
        bleed if box.x1 >= size.width else 0,
        bleed if box.y1 >= size.height else 0,
    )


def _bled(frame: PanelFrame, art: PanelArt, sides: _Sides) -> Image.Image:
    """What a frame shows with ``sides`` pixels more around it."""
    if not any(sides):
        return frame_picture(frame, art)
    if frame.art != frame.box:  # the picture stands on a ground of its own, which goes on
        return _drawn_out(frame_picture(frame, art), sides)
    scale, crop = frame.scale, frame.crop
    there = (crop.x0, crop.y0, art.size.width - crop.x1, art.size.height - crop.y1)
    more = tuple(min(side, int(free * scale)) for side, free in zip(sides, there, strict=True))
    left, top, right, bottom = more
    across, down = crop.width / frame.box.width, crop.height / frame.box.height
    window = (
        crop.x0 - left * across,
        crop.y0 - top * down,
        crop.x1 + right * across,
        crop.y1 + bottom * down,
    )
    size = (frame.box.width + left + right, frame.box.height + top + bottom)
    part = art_on_paper(art).resize(size, Image.Resampling.LANCZOS, box=_within(window, art.size))
    rest = [side - has for side, has in zip(sides, more, strict=True)]
    return _drawn_out(part, (rest[0], rest[1], rest[2], rest[3]))


def _within(
    window: tuple[float, float, float, float], size: Size
) -> tuple[float, float, float, float]:
    """A window without the rounding errors that would leave the picture."""
    x0, y0, x1, y1 = window
    return max(0.0, x0), max(0.0, y0), min(float(size.width), x1), min(float(size.height), y1)


def _drawn_out(part: Image.Image, sides: _Sides) -> Image.Image:
    left, top, right, bottom = sides
    grown = np.pad(np.asarray(part), ((top, bottom), (left, right), (0, 0)), mode="edge")
    return Image.fromarray(grown)
