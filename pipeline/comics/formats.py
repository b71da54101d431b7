"""Page sizes that comics are printed in: trim, bleed and safe area in millimetres.

Page coordinates are those of the trimmed page. What bleeds touches its edge; the print edition
draws such art on, into the bleed, and marks where the sheet is cut.
"""

from dataclasses import dataclass

from pipeline.domain.character import ColorMode, ReadingDirection, Series
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Size
from pipeline.domain.page import PageSpec

MM_PER_INCH = 25.4
PNG_LEVEL = 4
"""Zlib's effort for pages. Level 6 is 3 % smaller on flat art and no smaller on grainy art, and
takes one and a half to three times as long (pages of the demo and of ``onmodel bench pages``)."""
SCREEN_DPI = 150
"""Dots per inch of composed pages: an A4 page of 1240 × 1754 pixels."""


@dataclass(frozen=True, slots=True)
class PageFormat:
    """A sheet. Lengths are millimetres; ``safe`` is what may be lost when the sheet is cut."""

    name: str
    label: str
    width: float
    height: float
    bleed: float = 3.0
    safe: float = 6.0
    margin: float = 10.5
    gutter: float = 3.0

    def pixels(self, length: float, dpi: int = SCREEN_DPI) -> int:
        """A length of this sheet in pixels."""
        return round(length * dpi / MM_PER_INCH)

    def size(self, dpi: int = SCREEN_DPI) -> Size:
        """The trimmed page in pixels."""
        return Size(self.pixels(self.width, dpi), self.pixels(self.height, dpi))


FORMATS = {
    one.name: one
    for one in (
        PageFormat("a4", "A4, 210 × 297 mm", 210, 297),
        # 6.625 × 10.25 inches, bleed of an eighth of an inch
        PageFormat("us-comic", "US comic, 168 × 260 mm", 168.275, 260.35, 3.175, 6.35, 9.5),
        PageFormat("b5-manga", "B5 manga, 182 × 257 mm", 182, 257, 3, 7, 11, 2.6),
        PageFormat("square", "Square, 210 × 210 mm", 210, 210),
    )
}
"""By name. Webtoon strips have no sheet: they are 800 pixels wide when they are exported."""


def format_named(name: str) -> PageFormat:
    """A page size by its name.

    Raises:
        InvalidInput: there is none; the message lists them.
    """
    try:
        return FORMATS[name]
    except KeyError as error:
        raise InvalidInput(
            f"There is no page size “{name}”; choose from: {', '.join(FORMATS)}."
        ) from error


def spec_of_series(series: Series, language: str = "") -> PageSpec:
    """What the pages of a comic are like, by its settings."""
    return spec_of(
        format_named(series.page_format),
        series.reading_direction,
        series.color_mode,
        title=series.name,
        language=language,
    )


def spec_of(
    page_format: PageFormat,
    direction: ReadingDirection,
    color_mode: ColorMode,
    *,
    title: str = "",
    language: str = "",
) -> PageSpec:
    """What pages of this size are like, in pixels for the screen."""
    return PageSpec(
        size=page_format.size(),
        margin=page_format.pixels(page_format.margin),
        gutter=page_format.pixels(page_format.gutter),
        safe=page_format.pixels(page_format.safe),
        reading_direction=direction,
        color_mode=color_mode,
        title=title,
        language=language,
    )
