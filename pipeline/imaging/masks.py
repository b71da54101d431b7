"""Where the figure is: from the alpha channel, from a flat ground, or from a box."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.geometry import Box
from pipeline.imaging.colour import to_lab

Mask = NDArray[np.uint8]
Flags = NDArray[np.bool_]

_SOLID_ALPHA = 128
_WORK_SIDE = 768
_SAME_COLOUR = 9.0
"""CIE76 distance under which two pixels count as one flat ground; JPEG noise stays below it."""
_STRAY = 0.002
"""Rows and columns with less of the longest one than this are dust, not figure."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A figure in a picture: its box and a mask of the picture's shape (h, w), 0 or 255."""

    box: Box
    mask: Mask

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
    mask = _alpha_mask(image)
    if mask is None:
        mask = _flat_ground_mask(image.convert("RGB"))
    if mask is None:
        return None if box is None else _boxed(area, image.size)
    kept = np.zeros_like(mask)
    window = (slice(area.y0, area.y1), slice(area.x0, area.x1))
    kept[window] = mask[window]
    tight = tight_box(kept)
    return None if tight is None else Figure(tight, kept)


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


def _flat_ground_mask(image: Image.Image) -> Mask | None:
    """What a fill from the top and the sides does not reach; None if the border is not flat.

    The fill does not start from the bottom: a bust that is cut off there would be drained of
    its shirt through the open lower edge.
    """
    width, height = image.size
    scale = min(1.0, _WORK_SIDE / max(width, height))
    small = image.resize((max(1, round(width * scale)), max(1, round(height * scale))))
    lab = to_lab(np.asarray(small))
    border = np.concatenate([lab[0], lab[:, 0], lab[:, -1]])
    flat = np.linalg.norm(lab - np.median(border, axis=0), axis=2) < _SAME_COLOUR
    if not _is_ground(flat):
        return None
    figure = ~flood_from_border(flat)
    if not 0.003 < float(figure.mean()) < 0.97 or _spills_over(figure) or _is_frame(figure):
        return None
    full = Image.fromarray(np.where(figure, 255, 0).astype(np.uint8))
    resized = np.asarray(full.resize((width, height), Image.Resampling.BILINEAR))
    return np.where(resized >= _SOLID_ALPHA, 255, 0).astype(np.uint8)


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
    filled = np.zeros_like(passable)
    filled[0], filled[:, 0], filled[:, -1] = passable[0], passable[:, 0], passable[:, -1]
    count = -1
    while count != (count := int(filled.sum())):
        filled = _fill_runs(passable, filled)
        filled = _fill_runs(passable.T, filled.T).T
    return filled


def _fill_runs(passable: Flags, seeds: Flags) -> Flags:
    """Fill each run of passable cells within a row that holds a seed."""
    width = passable.shape[1]
    flat = np.ascontiguousarray(passable).ravel()
    starts = np.empty(flat.shape, bool)
    starts[0] = True
    starts[1:] = flat[1:] != flat[:-1]
    starts[::width] = True
    runs = np.cumsum(starts) - 1
    touched = np.zeros(int(runs[-1]) + 1, bool)
    touched[runs[np.ascontiguousarray(seeds).ravel()]] = True
    return (touched[runs] & flat).reshape(passable.shape)
