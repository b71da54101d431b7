"""Small pictures in cells: what coverage and previews are made of."""

from functools import lru_cache

from PIL import Image, ImageDraw

from pipeline.imaging.cutout import cut_out
from pipeline.imaging.decode import load_canonical, to_png
from pipeline.imaging.typeset import Rgb, TextStyle, fitted, shortened, width_of, write

_THUMB = 220


@lru_cache(maxsize=256)
def thumbnail(png: bytes) -> Image.Image:
    """The figure of a canonical picture (RGBA), at most 220 pixels a side.

    Raises:
        InvalidPicture: the bytes are damaged.
    """
    picture = load_canonical(png)
    if max(picture.size) > 2 * _THUMB:
        picture.thumbnail((2 * _THUMB, 2 * _THUMB))
        picture = cut_out(to_png(picture)).image
    else:
        picture = cut_out(png).image
    return fitted(picture, _THUMB, _THUMB)


def paste_inside(surface: Image.Image, png: bytes, box: tuple[int, int, int, int]) -> None:
    """Lay the figure of a picture into a box, standing on its lower edge."""
    width, height = box[2] - box[0], box[3] - box[1]
    small = fitted(thumbnail(png), width, height)
    left = box[0] + (width - small.width) // 2
    surface.paste(small.convert("RGB"), (left, box[3] - small.height), small.getchannel("A"))


def write_centered(
    draw: ImageDraw.ImageDraw, x: float, y: float, text: str, style: TextStyle, room: int
) -> None:
    """Write a line around ``x``, cut to ``room`` pixels."""
    line = shortened(text, style, room)
    write(draw, (x - width_of(line, style) / 2, y), line, style)


def dashed_box(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], color: Rgb, width: int = 3
) -> None:
    """An outline of dashes: something that is not there yet."""
    x0, y0, x1, y1 = box
    for x in range(x0, x1, 16):
        for y in (y0, y1):
            draw.line((x, y, min(x + 8, x1), y), fill=color, width=width)
    for y in range(y0, y1, 16):
        for x in (x0, x1):
            draw.line((x, y, x, min(y + 8, y1)), fill=color, width=width)
