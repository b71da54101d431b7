"""Drawing a lettered page with Pillow: art, borders, balloons, words, page number.

Balloons are drawn three times as large and scaled down, which makes the ink smooth. Each chain of
joined balloons is inked as one shape: everything in black with a stroke, then everything in white.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from pipeline.comics.balloons import Polygon, body, tail_parts
from pipeline.comics.fonts import STYLE_OF_KIND, FontStyle, metrics, raster_font
from pipeline.comics.textfit import CAP
from pipeline.domain.character import ColorMode
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, LetteredPage, PanelArt, PanelFrame
from pipeline.domain.panel import BalloonKind

_SCALE = 3
_INK = (22, 20, 24)
_PAPER = (255, 255, 255)
# Captions stand on warm paper, as printed narration boxes do.
_CAPTION_PAPER = (255, 247, 219)


def draw_page(page: LetteredPage, arts: Mapping[int, PanelArt]) -> bytes:
    """Draw the page as an RGB PNG; ``arts`` by panel id, complete."""
    sheet = Image.new("RGB", page.size, _PAPER)
    border = max(2, round(page.size.width * 0.0032))
    for frame in page.frames:
        _draw_art(sheet, frame, arts[frame.panel_id])
        _draw_border(sheet, frame.box, border)
    for frame in page.frames:
        for chain in _chains(page.balloons_of(frame.panel_id)):
            _draw_balloons(sheet, chain, _ink_width(page))
    _draw_foot(sheet, page)
    if page.color_mode is ColorMode.GRAYSCALE:
        sheet = sheet.convert("L").convert("RGB")
    out = BytesIO()
    sheet.save(out, "PNG", compress_level=6)
    return out.getvalue()


def _ink_width(page: LetteredPage) -> float:
    """The balloons' line, lighter than the frames' so that frames lead."""
    return max(1.2, page.size.width * 0.0021)


def _draw_art(sheet: Image.Image, frame: PanelFrame, art: PanelArt) -> None:
    with Image.open(BytesIO(art.image)) as image:
        picture = image.convert("RGBA")
    ground = Image.new("RGBA", picture.size, _PAPER)
    ground.alpha_composite(picture)
    part = ground.convert("RGB").resize(
        (frame.art.width, frame.art.height), Image.Resampling.LANCZOS, box=frame.crop
    )
    if frame.art != frame.box:
        part = _set_back(part, frame)
    sheet.paste(part, (frame.box.x0, frame.box.y0))


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


def _draw_border(sheet: Image.Image, box: Box, width: int) -> None:
    ImageDraw.Draw(sheet).rectangle(
        (box.x0 - width // 2, box.y0 - width // 2, box.x1 + width // 2, box.y1 + width // 2),
        outline=_INK,
        width=width,
    )


def _chains(balloons: Sequence[Balloon]) -> list[list[Balloon]]:
    """Balloons that hang on each other belong together."""
    found: list[list[Balloon]] = []
    for balloon in balloons:
        joins = balloon.tail.joins if balloon.tail else None
        if joins is not None and found and found[-1][-1].order == joins:
            found[-1].append(balloon)
        else:
            found.append([balloon])
    return found


def _draw_balloons(sheet: Image.Image, chain: Sequence[Balloon], ink: float) -> None:
    shapes = [part for b in chain for part in (*body(b), *tail_parts(b))]
    tile = _bounds(shapes, ink).intersection(Box(0, 0, *sheet.size))
    size = (tile.width * _SCALE, tile.height * _SCALE)
    outer, inner = Image.new("L", size), Image.new("L", size)
    _fill(ImageDraw.Draw(outer), shapes, tile, ink * _weight(chain))
    _fill(ImageDraw.Draw(inner), shapes, tile, 0)
    small = (tile.width, tile.height)
    paper = _CAPTION_PAPER if chain[0].kind is BalloonKind.CAPTION else _PAPER
    for colour, mask in ((_INK, outer), (paper, inner)):
        sheet.paste(colour, tile[:2], mask.resize(small, Image.Resampling.BOX))
    words = Image.new("L", size)
    for balloon in chain:
        _write(ImageDraw.Draw(words), balloon, tile)
    sheet.paste(_INK, tile[:2], words.resize(small, Image.Resampling.BOX))


def _weight(chain: Sequence[Balloon]) -> float:
    return 1.35 if chain[0].kind is BalloonKind.SHOUT else 1.0


def _bounds(shapes: Sequence[Polygon], ink: float) -> Box:
    xs = [p.x for shape in shapes for p in shape]
    ys = [p.y for shape in shapes for p in shape]
    edge = round(2 * ink) + 2
    return Box(int(min(xs)) - edge, int(min(ys)) - edge, int(max(xs)) + edge, int(max(ys)) + edge)


def _fill(draw: ImageDraw.ImageDraw, shapes: Sequence[Polygon], tile: Box, ink: float) -> None:
    for shape in shapes:
        points = [((p.x - tile.x0) * _SCALE, (p.y - tile.y0) * _SCALE) for p in shape]
        draw.polygon(points, fill=255)
        if ink:
            width = round(2 * ink * _SCALE)
            draw.line([*points, *points[:2]], fill=255, width=width, joint="curve")


def _write(draw: ImageDraw.ImageDraw, balloon: Balloon, tile: Box) -> None:
    """Set the lines of a balloon glyph by glyph, at the places that the metrics give."""
    style = STYLE_OF_KIND[balloon.kind]
    font, measure = raster_font(style, balloon.font_size * _SCALE), metrics(style)
    middle = (balloon.text.x0 + balloon.text.x1) / 2
    for i, line in enumerate(balloon.lines):
        left = middle - measure.width(line, balloon.font_size) / 2
        if balloon.kind is BalloonKind.CAPTION:
            left = balloon.text.x0
        base = balloon.text.y0 + CAP * balloon.font_size + i * balloon.line_height
        for char, x in zip(line, measure.positions(line, balloon.font_size), strict=True):
            at = (round((left + x - tile.x0) * _SCALE), round((base - tile.y0) * _SCALE))
            draw.text(at, char, fill=255, font=font, anchor="ls")


def _draw_foot(sheet: Image.Image, page: LetteredPage) -> None:
    """The page number in the middle of the foot, the running title before it."""
    words = " · ".join(
        part for part in (page.title, str(page.number) if page.show_number else "") if part
    )
    if not words:
        return
    size = max(9, round(page.size.width * 0.0145))
    font = raster_font(FontStyle.REGULAR, size * _SCALE)
    width = round(metrics(FontStyle.REGULAR).width(words, size))
    tile = Image.new("L", ((width + 8) * _SCALE, 2 * size * _SCALE))
    draw = ImageDraw.Draw(tile)
    for char, x in zip(words, metrics(FontStyle.REGULAR).positions(words, size), strict=True):
        draw.text((round((4 + x) * _SCALE), round(1.4 * size * _SCALE)), char, 255, font, "ls")
    bottom = max((frame.box.y1 for frame in page.frames), default=page.size.height - 2 * size)
    room = page.size.height - bottom
    at = ((page.size.width - width) // 2 - 4, bottom + max(0, (room - 2 * size) // 2))
    mask = tile.resize((width + 8, 2 * size), Image.Resampling.BOX)
    sheet.paste((96, 92, 98), at, mask)
