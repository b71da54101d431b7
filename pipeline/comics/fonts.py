"""The lettering font: four styles, their metrics, and what they cannot write."""

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.comics.sfnt import FontMetrics, read_metrics
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import BalloonKind

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_FOLDER = Path(__file__).with_name("fonts")


class FontStyle(StrEnum):
    """The styles that are bundled."""

    REGULAR = "Regular"
    ITALIC = "Italic"
    BOLD = "Bold"
    BOLD_ITALIC = "BoldItalic"


# Thoughts and captions lean, as is the custom: they are not heard by anyone on the page.
STYLE_OF_KIND = {
    BalloonKind.SPEECH: FontStyle.REGULAR,
    BalloonKind.THOUGHT: FontStyle.ITALIC,
    BalloonKind.SHOUT: FontStyle.BOLD,
    BalloonKind.CAPTION: FontStyle.ITALIC,
}


def font_path(style: FontStyle = FontStyle.REGULAR) -> Path:
    """The bundled TrueType file of a style."""
    return _FOLDER / f"ShantellSans-{FontStyle(style)}.ttf"


@cache
def metrics(style: FontStyle) -> FontMetrics:
    """Advances and kerning of a style; read once."""
    return read_metrics(font_path(style))


@cache
def raster_font(style: FontStyle, size: int) -> "FreeTypeFont":
    """The font for drawing at ``size`` pixels per em; single glyphs only, see ``sfnt``."""
    from PIL import ImageFont

    return ImageFont.truetype(font_path(style), size, layout_engine=ImageFont.Layout.BASIC)


def missing_glyphs(text: str) -> tuple[str, ...]:
    """The characters of ``text`` that some style cannot write, each once, in order."""
    known = set.intersection(*(set(metrics(style).advances) for style in FontStyle))
    return tuple(dict.fromkeys(c for c in text if c not in known))


def check_glyphs(text: str) -> None:
    """Refuse a text that would show an empty box.

    Raises:
        InvalidInput: a character has no glyph; the message names it.
    """
    missing = missing_glyphs(text)
    if missing:
        named = ", ".join(f"“{c}” (U+{ord(c):04X})" for c in missing[:5])
        raise InvalidInput(
            f"The lettering font has no character {named}. "
            "Leave it out or write it in letters, then try again."
        )
