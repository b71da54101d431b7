"""Reads a box that a person typed: where in a picture a figure is."""

import re

from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size

_EXAMPLE = (
    "Give left, top, right and bottom with commas between them, in pixels like 120,40,560,700 or "
    "in percent like 10%,5%,60%,95%."
)
_PART = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s*(%?)")
_LEAST_SIDE = 8


def read_box(text: str, size: Size) -> Box:
    """The box that ``text`` names in a picture of ``size``, cut at the picture's edges.

    Args:
        text: left, top, right, bottom; all in pixels or all in percent of the picture's sides.
        size: of the picture, in pixels.

    Raises:
        InvalidInput: it is not four numbers, mixes units, or encloses next to nothing.
    """
    parts = [_PART.fullmatch(part.strip()) for part in text.split(",")]
    if len(parts) != 4 or None in parts:
        raise InvalidInput(f"“{text[:60]}” is no box. {_EXAMPLE}")
    numbers = [float(part[1]) for part in parts if part]
    units = {part[2] for part in parts if part}
    if len(units) > 1:
        raise InvalidInput(f"A box is given in pixels or in percent, not in both. {_EXAMPLE}")
    if units == {"%"}:
        numbers = [n * size[k % 2] / 100 for k, n in enumerate(numbers)]
    box = Box(*(round(n) for n in numbers)).intersection(Box(0, 0, *size))
    if box.width < _LEAST_SIDE or box.height < _LEAST_SIDE:
        raise InvalidInput(
            f"The box encloses nothing of this picture, which is {size.width} pixels wide and "
            f"{size.height} high. {_EXAMPLE}"
        )
    return box
