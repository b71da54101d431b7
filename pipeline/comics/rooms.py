"""The room that a picture leaves for balloons: heads and hands, and where bodies are."""

from collections.abc import Sequence
from io import BytesIO
from math import ceil

import numpy as np
from numpy.typing import NDArray

from pipeline.comics.framing import head_of
from pipeline.comics.siting import Room
from pipeline.domain.character import ReadingDirection
from pipeline.domain.geometry import Box
from pipeline.domain.page import PageSpec, PanelArt, PanelFrame
from pipeline.domain.panel import PlacedFigure

_CELL = 8
# How much of its box a figure fills where its outline is unknown.
_BOX_SHARE = 0.6


def heads_by_speaker(figures: Sequence[PlacedFigure]) -> dict[str, Box]:
    """The head of each character; the largest where one is drawn twice."""
    found: dict[str, Box] = {}
    for figure in figures:
        head = head_of(figure)
        if figure.character_id not in found or head.area > found[figure.character_id].area:
            found[figure.character_id] = head
    return found


def room_of(
    art: PanelArt,
    frame: PanelFrame,
    spec: PageSpec,
    size: int,
    *,
    hands: bool,
    taken: Sequence[Box] = (),
) -> Room:
    """What a frame offers to balloons; ``hands`` says whether hands are kept free.

    ``size`` is the page's size of speech, which the distance from the border follows; ``taken``
    are panels that are set into this one.
    """
    inset = max(round(0.36 * size), 5)
    box = frame.box
    safe = Box(box.x0 + inset, box.y0 + inset, box.x1 - inset, box.y1 - inset)
    if spec.reading_direction is not ReadingDirection.WEBTOON:  # a strip is never cut to a sheet
        near = spec.safe
        safe = safe.intersection(Box(near, near, spec.size.width - near, spec.size.height - near))
    heads = (frame.to_page(head_of(f)).intersection(box) for f in art.figures)
    held = (frame.to_page(hand).intersection(box) for f in art.figures for hand in f.hands)
    return Room(
        frame=box,
        safe=safe,
        heads=(*(h for h in heads if h.area), *taken),
        hands=tuple(h for h in held if h.area and hands),
        bodies=_bodies(art, frame, safe),
        cell=_CELL,
        rtl=spec.reading_direction is ReadingDirection.RTL,
    )


def _bodies(art: PanelArt, frame: PanelFrame, safe: Box) -> NDArray[np.float64]:
    """The summed-area table over cells of the safe area: what share of each is figure."""
    rows, columns = ceil(safe.height / _CELL), ceil(safe.width / _CELL)
    filled = np.zeros((rows, columns))
    for figure in art.figures:
        filled = np.maximum(filled, _cover(figure, frame, safe, (rows, columns)))
    table = np.zeros((rows + 1, columns + 1))
    table[1:, 1:] = filled.cumsum(0).cumsum(1)
    return table


def _cover(
    figure: PlacedFigure, frame: PanelFrame, safe: Box, shape: tuple[int, int]
) -> NDArray[np.float64]:
    rows, columns = shape
    box = frame.to_page(figure.box).intersection(frame.art).shifted(-safe.x0, -safe.y0)
    found = np.zeros(shape)
    if figure.mask is None:
        top, left = max(0, box.y0 // _CELL), max(0, box.x0 // _CELL)
        right, bottom = max(0, ceil(box.x1 / _CELL)), max(0, ceil(box.y1 / _CELL))
        found[top:bottom, left:right] = _BOX_SHARE
        return found
    from PIL import Image

    with Image.open(BytesIO(figure.mask)) as mask:
        part = mask.convert("L").crop(frame.crop).resize((frame.art.width, frame.art.height))
    sheet = Image.new("L", (columns * _CELL, rows * _CELL))
    sheet.paste(part, (frame.art.x0 - safe.x0, frame.art.y0 - safe.y0))
    cells = np.asarray(sheet, float).reshape(rows, _CELL, columns, _CELL)
    return cells.mean((1, 3)) / 255.0
