"""Where the figure is: from the alpha channel, from a flat ground, or from a box."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from pipeline.domain.geometry import Box
from pipeline.imaging.colour import to_lab

Mask = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Labels = NDArray[np.int64]

_SOLID_ALPHA = 128
_WORK_SIDE = 768
_SAME_COLOUR = 9.0
"""CIE76 distance under which two pixels count as one flat ground; JPEG noise stays below it."""
_GAP = 0.008
"""Gaps in an outline up to this share of the longer side do not let the fill in."""
_MANY_ISLANDS, _ISLAND_SIDE, _DUST = 5, 256, 0.001
"""More pieces than these, on a picture of this side and larger than this share, are a leak."""
_STRAY = 0.002
"""Rows and columns with less of the longest one than this are dust, not figure."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A figure in a picture: its box and a mask of the picture's shape (h, w), 0 or 255.

    ``ground`` is the sRGB colour that it stood on, where a flat ground told it; the figure's
    edge pixels are then still blended with that colour.
    """

    box: Box
    mask: Mask
    ground: tuple[int, int, int] | None = None

    @property
    def inside(self) -> Mask:
        """The mask within the box, shape (box.height, box.width)."""
        return self.mask[self.box.y0 : self.box.y1, self.box.x0 : self.box.x1]


class _Ground(NamedTuple):
    """How flat a border is: shares of its pixels with the ground's colour, each 0–1."""

    top: float
    sides: float
    all: float


def find_figure(image: Image.Image, box: Box | None = None) -> Figure | None:
    """Find the one figure of a picture.

    First the alpha channel is asked, then a flat ground around the figure; failing both, ``box``
    is taken as it is. With ``box``, only what lies inside it belongs to the figure.

    Returns:
        The figure with a box drawn tight, or None where nothing tells it from its ground.
    """
    frame = Box(0, 0, *image.size)
    area = frame if box is None else frame.intersection(box)
    if area.area == 0:
        return None
    mask, ground = _alpha_mask(image), None
    if mask is None:
        mask, ground = _flat_ground_mask(image.convert("RGB"))
    if mask is None:
        return None if box is None else _boxed(area, image.size)
    kept = np.zeros_like(mask)
    window = (slice(area.y0, area.y1), slice(area.x0, area.x1))
    kept[window] = mask[window]
    tight = tight_box(kept)
    return None if tight is None else Figure(tight, kept, ground)


def tight_box(mask: Mask) -> Box | None:
    """The box around a mask of shape (h, w), specks of dust left out; None for an empty one."""
    solid = mask >= _SOLID_ALPHA
    rows, columns = solid.sum(axis=1), solid.sum(axis=0)
    if not rows.any():
        return None
    ys = np.flatnonzero(rows > max(0, int(_STRAY * rows.max())))
    xs = np.flatnonzero(columns > max(0, int(_STRAY * columns.max())))
    return Box(int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1)


def _boxed(area: Box, size: tuple[int, int]) -> Figure:
    mask = np.zeros((size[1], size[0]), np.uint8)
    mask[area.y0 : area.y1, area.x0 : area.x1] = 255
    return Figure(area, mask)


def _alpha_mask(image: Image.Image) -> Mask | None:
    """Solid pixels of the alpha channel, None where there is no telling channel."""
    if image.mode != "RGBA":
        return None
    alpha = np.asarray(image.getchannel("A"))
    mask = np.where(alpha >= _SOLID_ALPHA, 255, 0).astype(np.uint8)
    return None if mask.all() else mask


def _flat_ground_mask(image: Image.Image) -> tuple[Mask | None, tuple[int, int, int] | None]:
    """What a fill from the top and the sides does not reach, and the colour of the ground.

    The fill does not start from the bottom: a bust that is cut off there would be drained of
    its shirt through the open lower edge. (None, None) if the border is not flat, or if the
    fill ran into the figure.
    """
    width, height = image.size
    scale = min(1.0, _WORK_SIDE / max(width, height))
    small = image.resize((max(1, round(width * scale)), max(1, round(height * scale))))
    pixels = np.asarray(small)
    lab = to_lab(pixels)
    middle = np.median(np.concatenate([lab[0], lab[:, 0], lab[:, -1]]), axis=0)
    flat = np.linalg.norm(lab - middle, axis=2) < _SAME_COLOUR
    if not _is_ground(flat):
        return None, None
    figure = ~_flood_past_gaps(flat)
    if not _is_figure(figure):
        return None, None
    colour = np.median(pixels[~figure], axis=0).round().astype(int)
    full = Image.fromarray(np.where(figure, 255, 0).astype(np.uint8))
    resized = np.asarray(full.resize((width, height), Image.Resampling.BILINEAR))
    mask = np.where(resized >= _SOLID_ALPHA, 255, 0).astype(np.uint8)
    return mask, (int(colour[0]), int(colour[1]), int(colour[2]))


def _flood_past_gaps(flat: Flags) -> Flags:
    """The ground, filled from the border without squeezing through gaps in an outline.

    Outlines are thickened for the fill; what they hid of the ground is then taken back.
    """
    reach = max(1, round(_GAP * max(flat.shape) / 2))
    blocked = _grown(~flat, reach)
    blocked[0], blocked[:, 0], blocked[:, -1] = ~flat[0], ~flat[:, 0], ~flat[:, -1]
    return _grown(flood_from_border(~blocked), reach + 1) & flat


def _grown(flags: Flags, reach: int) -> Flags:
    image = Image.fromarray(np.where(flags, 255, 0).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.MaxFilter(2 * reach + 1))) > 127


def _is_figure(figure: Flags) -> bool:
    """Whether what the fill left looks like one drawn figure."""
    if not 0.003 < float(figure.mean()) < 0.97 or _spills_over(figure) or _is_frame(figure):
        return False
    return _islands(figure) <= _MANY_ISLANDS


def _islands(figure: Flags) -> int:
    """How many pieces there are, dust aside.

    A face that the fill ran into leaves eyes, nose and mouth as pieces of their own.
    """
    shrink = min(1.0, _ISLAND_SIDE / max(figure.shape))
    size = (max(1, round(figure.shape[1] * shrink)), max(1, round(figure.shape[0] * shrink)))
    small = Image.fromarray(np.where(figure, 255, 0).astype(np.uint8))
    solid = np.asarray(small.resize(size, Image.Resampling.BOX)) > 127
    labels = np.arange(solid.size).reshape(solid.shape)
    before = None
    while before is None or (labels != before).any():
        before = labels
        labels = _least_in_runs(solid, labels)
        labels = _least_in_runs(solid.T, labels.T).T
    areas = np.unique(labels[solid], return_counts=True)[1]
    return int((areas >= max(2, _DUST * solid.sum())).sum())


def _is_ground(flat: Flags) -> bool:
    half = max(1, flat.shape[0] // 2)
    sides = np.concatenate([flat[:half, 0], flat[:half, -1]])
    ring = np.concatenate([flat[0], flat[-1], flat[:, 0], flat[:, -1]])
    ground = _Ground(float(flat[0].mean()), float(sides.mean()), float(ring.mean()))
    return ground.top >= 0.9 and ground.sides >= 0.9 and ground.all >= 0.55


def _spills_over(figure: Flags) -> bool:
    """Whether it leaves through both sides over a good part: then it is ground, not a figure."""
    return min(float(figure[:, 0].mean()), float(figure[:, -1].mean())) > 0.2


def _is_frame(figure: Flags) -> bool:
    """Whether it fills a rectangle: then the flat ground is a margin around a whole picture."""
    rows, columns = np.flatnonzero(figure.any(axis=1)), np.flatnonzero(figure.any(axis=0))
    around = figure[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return float(around.mean()) > 0.97


def flood_from_border(passable: Flags) -> Flags:
    """The passable cells (h, w) joined to the top or the sides, 4-connected.

    Runs of passable cells are filled whole, along rows and along columns in turn, until nothing
    changes: a few vectorised sweeps instead of a queue of pixels.
    """
    seeds = np.zeros_like(passable)
    seeds[0], seeds[:, 0], seeds[:, -1] = passable[0], passable[:, 0], passable[:, -1]
    return _filled_from(seeds, passable)


def _filled_from(filled: Flags, passable: Flags) -> Flags:
    count = -1
    while count != (count := int(filled.sum())):
        filled = _fill_runs(passable, filled)
        filled = _fill_runs(passable.T, filled.T).T
    return filled


def _fill_runs(passable: Flags, seeds: Flags) -> Flags:
    """Fill each run of passable cells within a row that holds a seed."""
    runs = _runs(passable)
    touched = np.zeros(int(runs[-1]) + 1, bool)
    touched[runs[np.ascontiguousarray(seeds).ravel()]] = True
    return touched[runs].reshape(passable.shape) & passable


def _least_in_runs(solid: Flags, labels: Labels) -> Labels:
    """Give each solid cell the least label of its run within the row."""
    runs = _runs(solid)
    least = np.full(int(runs[-1]) + 1, solid.size)
    np.minimum.at(least, runs, np.ascontiguousarray(labels).ravel())
    return np.where(solid, least[runs].reshape(solid.shape), labels)


def _runs(flags: Flags) -> Labels:
    """The number of each cell's run of equal flags within its row, flattened."""
    flat = np.ascontiguousarray(flags).ravel()
    starts = np.empty(flat.shape, bool)
    starts[0] = True
    starts[1:] = flat[1:] != flat[:-1]
    starts[:: flags.shape[1]] = True
    return np.cumsum(starts) - 1
