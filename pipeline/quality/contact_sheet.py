"""Groups of references side by side with their numbers: what a merge or a split would do."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from pipeline.imaging.decode import to_png
from pipeline.imaging.typeset import INK, PAPER, QUIET, RULE, TextStyle, shortened, write
from pipeline.quality.tiles import paste_inside, write_centered

_MARGIN, _CELL, _GAP, _PER_ROW = 30, 150, 10, 8
_WIDTH = 2 * _MARGIN + _PER_ROW * (_CELL + _GAP)
_HEADING = TextStyle(30, bold=True)
_NUMBER = TextStyle(21, color=QUIET)

Group = tuple[str, Sequence[tuple[int, bytes]]]
"""A heading, and reference ids with their canonical PNGs."""


def contact_sheet(groups: Sequence[Group]) -> bytes:
    """Draw groups of references below each other, each picture with its ``#id``.

    Raises:
        InvalidPicture: a reference's bytes are damaged.
    """
    rows = [max(1, -(-len(pictures) // _PER_ROW)) for _, pictures in groups]
    height = _MARGIN + sum(58 + n * (_CELL + 40) + 12 for n in rows)
    image = Image.new("RGB", (_WIDTH, height), PAPER)
    draw = ImageDraw.Draw(image)
    y = _MARGIN
    for (heading, pictures), count in zip(groups, rows, strict=True):
        write(draw, (_MARGIN, y), shortened(heading, _HEADING, _WIDTH - 2 * _MARGIN), _HEADING)
        draw.line((_MARGIN, y + 44, _WIDTH - _MARGIN, y + 44), fill=INK, width=3)
        for k, (reference_id, png) in enumerate(pictures):
            x = _MARGIN + k % _PER_ROW * (_CELL + _GAP)
            top = y + 58 + k // _PER_ROW * (_CELL + 40)
            draw.rounded_rectangle((x, top, x + _CELL, top + _CELL), 10, outline=RULE, width=2)
            paste_inside(image, png, (x + 8, top + 8, x + _CELL - 8, top + _CELL - 4))
            write_centered(draw, x + _CELL / 2, top + _CELL + 4, f"#{reference_id}", _NUMBER, _CELL)
        y += 58 + count * (_CELL + 40) + 12
    return to_png(image)
