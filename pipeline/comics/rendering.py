"""Drawing a lettered page with Pillow: art, borders, balloons, words, page number."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from pipeline.comics.fonts import FontStyle
from pipeline.comics.formats import PNG_LEVEL
from pipeline.comics.inking import INK, PAPER, draw_balloons
from pipeline.comics.typesetting import line_ink
from pipeline.domain.character import ColorMode
from pipeline.domain.geometry import Box
from pipeline.domain.page import LetteredPage, PanelArt, PanelFrame


def draw_page(page: LetteredPage, arts: Mapping[int, PanelArt]) -> bytes:
    """Draw the page as an RGB PNG; ``arts`` by panel id, complete."""
    sheet = draw_panels(page, arts)
    for frame in page.frames:
        draw_balloons(sheet, page.balloons_of(frame.panel_id), page)
    draw_foot(sheet, page)
    if page.color_mode is ColorMode.GRAYSCALE:
        sheet = sheet.convert("L").convert("RGB")
    out = BytesIO()
    sheet.save(out, "PNG", compress_level=PNG_LEVEL)
    return out.getvalue()


def draw_panels(page: LetteredPage, arts: Mapping[int, PanelArt]) -> Image.Image:
    """The page with its art and frames, RGB, without a word on it."""
    sheet = Image.new("RGB", page.size, PAPER)
    border = border_of(page)
    for frame in page.frames:
        sheet.paste(frame_picture(frame, arts[frame.panel_id]), (frame.box.x0, frame.box.y0))
        draw_border(sheet, frame.box, border)
    return sheet


def border_of(page: LetteredPage) -> int:
    """The width of the frames' lines in pixels; half of it lies outside of the frame."""
    return max(2, round(page.size.width * 0.0032))


def art_on_paper(art: PanelArt) -> Image.Image:
    """A panel's art, RGB, white where it is transparent."""
    with Image.open(BytesIO(art.image)) as image:
        picture = image.convert("RGBA")
    ground = Image.new("RGBA", picture.size, PAPER)
    ground.alpha_composite(picture)
    return ground.convert("RGB")


def frame_picture(frame: PanelFrame, art: PanelArt) -> Image.Image:
    """What a frame shows: RGB, of the frame's size."""
    part = art_on_paper(art).resize(
        (frame.art.width, frame.art.height), Image.Resampling.LANCZOS, box=frame.crop
    )
    return part if frame.art == frame.box else _set_back(part, frame)


def _set_back(part: Image.Image, frame: PanelFrame) -> Image.Image:
    """A picture smaller than its frame, its edges drawn out softly to fill the rest."""
    box, art = frame.box, frame.art
    sides = (
        (art.y0 - box.y0, box.y1 - art.y1),
        (art.x0 - box.x0, box.x1 - art.x1),
        (0, 0),
    )
    wide = Image.fromarray(np.pad(np.asarray(part), sides, mode="edge"))
    small = wide.resize((max(1, box.width // 8), max(1, box.height // 8)), Image.Resampling.BOX)
    soft = small.filter(ImageFilter.GaussianBlur(max(2, min(small.size) / 12)))
    soft = soft.resize(wide.size, Image.Resampling.BICUBIC)
    soft.paste(part, (art.x0 - box.x0, art.y0 - box.y0), _feather(frame))
    return soft


def _feather(frame: PanelFrame) -> Image.Image:
    """A mask that lets the free edges of a set-back picture fade out."""
    box, art = frame.box, frame.art
    reach = max(1, min(art.width, art.height) // 12)
    across = np.minimum(
        _ramp(art.width, reach, art.x0 > box.x0), _ramp(art.width, reach, art.x1 < box.x1)[::-1]
    )
    down = np.minimum(
        _ramp(art.height, reach, art.y0 > box.y0), _ramp(art.height, reach, art.y1 < box.y1)[::-1]
    )
    return Image.fromarray((np.minimum.outer(down, across) * 255).astype(np.uint8))


def _ramp(length: int, reach: int, fades: bool) -> NDArray[np.float64]:
    """Opacity along one side: 0 to 1 over ``reach`` pixels where the edge ``fades``, else 1."""
    if not fades:
        return np.ones(length)
    t = np.clip(np.arange(length) / reach, 0, 1)
    return t * t * (3 - 2 * t)


def draw_border(sheet: Image.Image, box: Box, width: int) -> None:
    """Line a frame, half inside and half outside."""
    ImageDraw.Draw(sheet).rectangle(
        (box.x0 - width // 2, box.y0 - width // 2, box.x1 + width // 2, box.y1 + width // 2),
        outline=INK,
        width=width,
    )


@dataclass(frozen=True, slots=True)
class Foot:
    """The line at the foot: set at ``size`` pixels per em in the middle of ``box``."""

    words: str
    size: int
    box: Box


FOOT_COLOUR = (96, 92, 98)


def foot_of(page: LetteredPage) -> Foot | None:
    """The page number with the running title before it.

    None where neither is wanted, and where art goes down to the edge: it would stand in the bleed.
    """
    words = " · ".join(
        part for part in (page.title, str(page.number) if page.show_number else "") if part
    )
    if not words:
        return None
    size = max(9, round(page.size.width * 0.0145))
    bottom = max((frame.box.y1 for frame in page.frames), default=page.size.height - 2 * size)
    free = page.size.height - bottom - 2 * size
    if free < 0:
        return None
    top = bottom + free // 2
    return Foot(words, size, Box(0, top, page.size.width, top + 2 * size))


def draw_foot(sheet: Image.Image, page: LetteredPage) -> None:
    """Draw the line at the foot onto an RGB or RGBA ``sheet``."""
    foot = foot_of(page)
    if foot is None:
        return
    ink = Image.fromarray(line_ink(foot.words, FontStyle.REGULAR, foot.size, foot.box.height))
    sheet.paste(FOOT_COLOUR, ((page.size.width - ink.width) // 2, foot.box.y0), ink)
