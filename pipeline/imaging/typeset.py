"""Text and simple signs on pictures: wrapped lines, chips, bars, swatches."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont

from pipeline.comics.fonts import FontStyle, lacking, raster_font

Rgb = tuple[int, int, int]

INK: Rgb = (34, 36, 44)
QUIET: Rgb = (104, 108, 120)
PAPER: Rgb = (252, 251, 247)
RULE: Rgb = (214, 212, 204)

LINE_HEIGHT = 1.3
"""Distance of two lines in ems."""


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How a text looks: pixels per em, weight and colour."""

    size: int
    bold: bool = False
    color: Rgb = INK

    @property
    def font(self) -> FreeTypeFont:
        """The bundled font in this size."""
        return raster_font(FontStyle.BOLD if self.bold else FontStyle.REGULAR, self.size)

    @property
    def leading(self) -> int:
        """Pixels from one line to the next."""
        return round(self.size * LINE_HEIGHT)


def writable(text: str) -> str:
    """The text in one line, with ``?`` for what the font cannot write."""
    line = " ".join(text.split())
    for glyph in lacking(line):
        line = line.replace(glyph, "?")
    return line


def width_of(text: str, style: TextStyle) -> int:
    """Width in pixels."""
    return round(style.font.getlength(text))


def shortened(text: str, style: TextStyle, width: int) -> str:
    """The text, cut with an ellipsis where it is wider than ``width`` pixels."""
    line = writable(text)
    if width_of(line, style) <= width:
        return line
    keep = bisect_right(range(len(line)), width, key=lambda n: width_of(line[:n] + "…", style))
    return line[: max(0, keep - 1)].rstrip() + "…"


def wrapped(text: str, style: TextStyle, width: int, most: int = 99) -> list[str]:
    """Break a text into at most ``most`` lines of ``width`` pixels; the rest is cut with …."""
    lines: list[str] = []
    rest = writable(text).split()
    while rest and len(lines) < most:
        taken = 1
        while taken < len(rest) and width_of(" ".join(rest[: taken + 1]), style) <= width:
            taken += 1
        last = len(lines) == most - 1
        words = rest if last else rest[:taken]
        lines.append(shortened(" ".join(words), style, width))
        rest = [] if last else rest[taken:]
    return lines


def write(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, style: TextStyle) -> None:
    """Write one line whose em box begins at ``at`` (left, top)."""
    draw.text(at, text, font=style.font, fill=style.color)


def write_lines(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], lines: Sequence[str], style: TextStyle
) -> float:
    """Write lines below each other; returns the y below the last."""
    x, y = at
    for line in lines:
        write(draw, (x, y), line, style)
        y += style.leading
    return y


def readable_on(color: Rgb) -> Rgb:
    """Ink or white, whichever stands out more on ``color``.

    Source: the relative luminance weights of ITU-R BT.709, split at the middle.
    """
    red, green, blue = color
    return INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 140 else (255, 255, 255)


def parse_color(text: str) -> Rgb | None:
    """Read ``#rrggbb``; None for anything else."""
    digits = text.removeprefix("#")
    if len(digits) != 6:
        return None
    try:
        value = int(digits, 16)
    except ValueError:
        return None
    return value >> 16, value >> 8 & 255, value & 255


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """The picture scaled to fit a box of ``width`` × ``height`` pixels, enlarged if smaller."""
    factor = min(width / image.width, height / image.height)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)
