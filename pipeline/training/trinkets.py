"""Hairpins and marks that are drawn onto figures, so that they can be lost or change sides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

Circle = tuple[float, float, float]
"""A head: middle and radius in pixels."""


@dataclass(frozen=True, slots=True)
class Trinket:
    """Something small that is drawn onto a figure: where (in head radii), what, which colour."""

    kind: str
    x: float
    y: float
    size: float
    color: str
    shown: bool = True


def draw_trinket(image: Image.Image, what: Trinket, head: Circle) -> None:
    """Paint a trinket where the figure is solid, four times finer than the picture."""
    x, y, r = head
    size = what.size * r
    fine = 4
    side = max(2, round(2.4 * size * fine))
    tile = Image.new("RGBA", (side, side))
    _SHAPES[what.kind](ImageDraw.Draw(tile), side, what.color)
    shrunk = max(1, side // fine)
    small = tile.resize((shrunk, shrunk), Image.Resampling.BOX)
    at = round(x + what.x * r - small.width / 2), round(y + what.y * r - small.height / 2)
    layer = Image.new("RGBA", image.size)
    layer.paste(small, at)
    if what.kind in ("scar", "cross", "tattoo", "plaster"):  # marks lie on the skin
        layer.putalpha(_both(layer, image))
    image.alpha_composite(layer)


def _both(layer: Image.Image, image: Image.Image) -> Image.Image:
    both = np.minimum(np.asarray(layer.getchannel("A")), np.asarray(image.getchannel("A")))
    return Image.fromarray(both)


def _bow(draw: ImageDraw.ImageDraw, s: int, color: str) -> None:
    ink = "#1f2430"
    draw.polygon(
        [(0.05 * s, 0.2 * s), (0.5 * s, 0.5 * s), (0.05 * s, 0.8 * s)], color, ink, s // 24
    )
    draw.polygon(
        [(0.95 * s, 0.2 * s), (0.5 * s, 0.5 * s), (0.95 * s, 0.8 * s)], color, ink, s // 24
    )
    draw.ellipse((0.4 * s, 0.38 * s, 0.6 * s, 0.62 * s), color, ink, s // 24)


def _flower(draw: ImageDraw.ImageDraw, s: int, color: str) -> None:
    for dx, dy in ((0.5, 0.24), (0.75, 0.45), (0.65, 0.74), (0.35, 0.74), (0.25, 0.45)):
        box = ((dx - 0.19) * s, (dy - 0.19) * s, (dx + 0.19) * s, (dy + 0.19) * s)
        draw.ellipse(box, color, "#1f2430", s // 30)
    draw.ellipse((0.38 * s, 0.38 * s, 0.62 * s, 0.62 * s), "#f2c230")


def _star(draw: ImageDraw.ImageDraw, s: int, color: str) -> None:
    points = []
    for k in range(10):
        reach = (0.48 if k % 2 == 0 else 0.2) * s
        angle = np.pi * (k / 5 - 0.5)
        points.append((s / 2 + reach * np.cos(angle), s / 2 + reach * np.sin(angle)))
    draw.polygon(points, color, "#1f2430", s // 24)


def _clip(draw: ImageDraw.ImageDraw, s: int, color: str) -> None:
    draw.line((0.15 * s, 0.25 * s, 0.85 * s, 0.6 * s), color, s // 7)
    draw.line((0.15 * s, 0.5 * s, 0.85 * s, 0.85 * s), color, s // 7)


def _scar(draw: ImageDraw.ImageDraw, s: int, color: str) -> None:
    draw.line((0.3 * s, 0.05 * s, 0.65 * s, 0.95 * s), color, s // 9)
    for k in (0.3, 0.5, 0.7):
        draw.line((0.25 * s, (k + 0.06) * s, 0.75 * s, (k - 0.06) * s), color, s // 14)


def _cross(draw: ImageDraw.ImageDraw, s: int, color: str) -> None:
    draw.line((0.15 * s, 0.15 * s, 0.85 * s, 0.85 * s), color, s // 8)
    draw.line((0.85 * s, 0.15 * s, 0.15 * s, 0.85 * s), color, s // 8)


def _tattoo(draw: ImageDraw.ImageDraw, s: int, color: str) -> None:
    draw.polygon([(0.5 * s, 0.08 * s), (0.88 * s, 0.8 * s), (0.12 * s, 0.8 * s)], color)


def _plaster(draw: ImageDraw.ImageDraw, s: int, color: str) -> None:
    draw.rounded_rectangle(
        (0.08 * s, 0.34 * s, 0.92 * s, 0.66 * s), s // 8, "#e8c9a0", color, s // 20
    )


_SHAPES: Mapping[str, Callable[[ImageDraw.ImageDraw, int, str], None]] = {
    "bow": _bow, "flower": _flower, "star": _star, "clip": _clip,
    "scar": _scar, "cross": _cross, "tattoo": _tattoo, "plaster": _plaster,
}  # fmt: skip
