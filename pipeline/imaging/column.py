"""A tall picture that is filled from top to bottom: cards and sheets are made of it."""

from dataclasses import dataclass

from PIL import Image, ImageDraw

from pipeline.imaging.typeset import (
    PAPER,
    RULE,
    TextStyle,
    width_of,
    wrapped,
    write,
    write_lines,
)

_SPARE = 700
"""Pixels by which it grows beyond what is needed, so that it does not grow at every line."""


@dataclass(slots=True)
class Column:
    """A surface with margins that grows while it is filled, and is cut at the end.

    ``y`` is where the next thing goes.
    """

    image: Image.Image
    margin: int
    y: float = 0

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        """A pen for the surface as it is now."""
        return ImageDraw.Draw(self.image)

    @property
    def width(self) -> int:
        """Pixels across, margins and all."""
        return self.image.width

    @property
    def inner(self) -> int:
        """Pixels between the margins."""
        return self.image.width - 2 * self.margin

    def need(self, height: float) -> None:
        """Make sure that ``height`` more pixels are there, and a margin's worth below them."""
        missing = round(self.y + height + 2 * self.margin) - self.image.height
        if missing > 0:
            taller = Image.new("RGB", (self.width, self.image.height + missing + _SPARE), PAPER)
            taller.paste(self.image)
            self.image = taller

    def text(self, text: str, style: TextStyle, most: int = 8) -> None:
        """Write a paragraph of at most ``most`` lines."""
        lines = wrapped(text, style, self.inner, most)
        self.need(len(lines) * style.leading)
        self.y = write_lines(self.draw, (self.margin, self.y), lines, style)

    def heading(self, text: str, style: TextStyle) -> None:
        """Write a heading with a rule after it."""
        self.need(2 * style.leading)
        write(self.draw, (self.margin, self.y), text, style)
        start = self.margin + width_of(text, style) + 20
        middle = self.y + 0.7 * style.size
        self.draw.line((start, middle, self.width - self.margin, middle), fill=RULE, width=3)
        self.y += round(1.82 * style.size)

    def rule(self) -> None:
        """Draw a line across."""
        self.need(20)
        self.draw.line((self.margin, self.y, self.width - self.margin, self.y), fill=RULE, width=3)
        self.y += 18

    def finished(self) -> Image.Image:
        """The surface, cut a margin below its end."""
        return self.image.crop((0, 0, self.width, round(self.y + self.margin)))


def blank_column(width: int, margin: int) -> Column:
    """An empty surface."""
    return Column(Image.new("RGB", (width, 2 * _SPARE), PAPER), margin)
