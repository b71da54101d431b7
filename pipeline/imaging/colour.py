"""Colour: CIE L*a*b*, palettes, greys."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Lab = NDArray[np.float32]

_WHITE_D65 = np.array([0.95047, 1.0, 1.08883], np.float32)
_RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ],
    np.float32,
)
_PALETTE_PIXELS = 20_000
_MERGE = 12.0
"""CIE76 distance under which two palette entries look like one colour."""


def _linear_table() -> NDArray[np.float32]:
    """8-bit sRGB to linear light, 256 entries (Source: IEC 61966-2-1)."""
    value = np.arange(256) / 255.0
    low, high = value / 12.92, ((value + 0.055) / 1.055) ** 2.4
    return np.where(value <= 0.04045, low, high).astype(np.float32)


_LINEAR = _linear_table()


def to_lab(rgb: Pixels) -> Lab:
    """8-bit sRGB of shape (..., 3) to CIE L*a*b* (D65), float32 of the same shape.

    L* lies in [0, 100], a* and b* in about [-110, 110]. Source: CIE 15:2004, ITU-R BT.709.
    """
    xyz = _LINEAR[rgb] @ _RGB_TO_XYZ.T / _WHITE_D65
    delta = 6 / 29
    root = np.where(xyz > delta**3, np.cbrt(xyz), xyz / (3 * delta**2) + 4 / 29)
    lightness = 116 * root[..., 1] - 16
    green_red = 500 * (root[..., 0] - root[..., 1])
    blue_yellow = 200 * (root[..., 1] - root[..., 2])
    return np.stack([lightness, green_red, blue_yellow], axis=-1).astype(np.float32)


def grayscale(image: Image.Image) -> Image.Image:
    """The picture in greys (mode L, Rec. 601 luma); an alpha channel is dropped."""
    return image.convert("RGB").convert("L")


def palette(image: Image.Image, mask: Pixels | None = None, n: int = 6) -> list[str]:
    """The main colours under a mask.

    Args:
        image: any mode; alpha is ignored, the mask says what counts.
        mask: (h, w), above 127 where pixels count; None counts all.
        n: at most so many colours.

    Returns:
        ``#rrggbb`` texts, most used first; colours that look alike are merged.
    """
    pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    if mask is not None:
        pixels = pixels[mask.reshape(-1) > 127]
    if not len(pixels) or n < 1:
        return []
    pixels = pixels[:: max(1, len(pixels) // _PALETTE_PIXELS)]
    strip = Image.fromarray(pixels.reshape(1, -1, 3).copy())
    reduced = strip.quantize(colors=4 * n, method=Image.Quantize.MEDIANCUT)
    table = np.array(reduced.getpalette(), np.uint8).reshape(-1, 3)
    counts = np.bincount(np.asarray(reduced).ravel(), minlength=len(table))[: len(table)]
    return ["#" + bytes(table[i]).hex() for i in _distinct(table, counts)[:n]]


def _distinct(table: Pixels, counts: NDArray[np.int64]) -> list[int]:
    """Rows of the table, most used first, each counted with the lesser ones that look like it."""
    lab = to_lab(table)
    weight: dict[int, int] = {}
    for i in np.argsort(-counts, kind="stable"):
        if not counts[i]:
            continue
        near = [k for k in weight if float(np.linalg.norm(lab[k] - lab[i])) < _MERGE]
        home = near[0] if near else int(i)
        weight[home] = weight.get(home, 0) + int(counts[i])
    return sorted(weight, key=lambda k: -weight[k])
