"""A depth guide from a layout: a floor that recedes to the horizon, and figures standing on it.

It is staging, not a measured depth: what a storyboard says about who stands where and who is
nearer. Figures are plain bodies (a head on shoulders and legs), one even depth each.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.domain.geometry import Box, Size

_FAR, _NEAR = 0.12, 0.95
"""Brightness of the wall behind everything and of the floor at the lower edge, 0 to 1. Near is
bright, as in the depth maps (MiDaS) that depth ControlNets were trained on."""
_HEAD = 0.15
"""Height of a head as a share of a standing figure's, six to seven heads in all."""


def layered_depth(figures: Sequence[Box], size: Size, horizon: float = 0.45) -> Image.Image:
    """Draw who stands where, near ones over far ones.

    Args:
        figures: the boxes of whole figures in pixels; what reaches over the lower edge is nearer
            than the picture's foreground.
        size: of the picture.
        horizon: how far down the floor begins, 0 (top) to 1 (bottom).

    Returns:
        A picture of mode L: 255 nearest, 0 farthest.
    """
    image = Image.fromarray((255 * _floor(size, horizon)).round().astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for box in sorted(figures, key=lambda one: one.y1):
        _body(draw, box, round(255 * _depth_at(box.y1 / size.height, horizon)))
    return image


def _floor(size: Size, horizon: float) -> NDArray[np.float64]:
    """The ground plane's nearness for each pixel, and an even wall over it."""
    rows = (np.arange(size.height) + 0.5) / size.height
    return np.repeat([[_depth_at(float(row), horizon)] for row in rows], size.width, axis=1)


def _depth_at(row: float, horizon: float) -> float:
    """Nearness on a plane is proportional to how far below the horizon a point is seen."""
    share = (row - horizon) / max(1e-6, 1 - horizon)
    return min(1.0, _FAR + (_NEAR - _FAR) * max(0.0, share))


def _body(draw: ImageDraw.ImageDraw, box: Box, tone: int) -> None:
    head = max(2.0, _HEAD * box.height)
    middle, wide = (box.x0 + box.x1) / 2, min(box.width / 2, 0.9 * head)
    shoulders, hips = box.y0 + 1.15 * head, box.y0 + 0.52 * box.height
    draw.ellipse((middle - 0.4 * head, box.y0, middle + 0.4 * head, box.y0 + head), fill=tone)
    draw.rectangle(
        (middle - 0.15 * head, box.y0 + 0.9 * head, middle + 0.15 * head, shoulders), tone
    )
    draw.rounded_rectangle(
        (middle - wide, shoulders, middle + wide, hips + 0.2 * head), head / 2, tone
    )
    for side in (-1, 1):
        foot = middle + side * 0.5 * wide
        draw.rounded_rectangle(
            (foot - 0.42 * wide, hips, foot + 0.42 * wide, box.y1 - 1), head / 4, tone
        )
