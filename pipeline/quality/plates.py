"""Plates: figures laid onto one canvas by their heads, and laid over each other."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from pipeline.domain.geometry import Box
from pipeline.imaging.colour import to_lab
from pipeline.imaging.heads import find_head
from pipeline.imaging.masks import Figure

Floats = NDArray[np.float32]

RADIUS = 32
"""Pixels of a head's radius on a plate."""
WIDTH, HEIGHT = 8 * RADIUS, 10 * RADIUS
CENTER = (WIDTH / 2, 3.0 * RADIUS)
"""Where the head's middle lies: three radii of hair above it, seven of body below."""
MIDDLE = np.array([55.0, 0.0, 0.0], np.float32)
"""The Lab colour that counts as nothing: transparent pixels are it."""
SOLID_WEIGHT = 40.0
"""What the step from ground to figure is worth, as a colour distance (CIE76)."""

_ROUGH, _FINE = 8, 4
"""How much plates are reduced for the search and for its refinement."""
_SIZES = tuple(1.09**k for k in range(-4, 5))
_REACH = 1.6
"""How far, in head radii, heads may be found apart; hair moves the disc that fits into a head."""
_CAP = 60
"""Differences (of 255) count up to this: what is missing should not pull the rest out of place."""
_LEAN = 0.09
"""The turn, in radians, that is tried beside none before the refinement."""
_STEPS = (1.0, 0.5, 0.25)
_UNIT = (0.1, 0.1, 0.04, 0.03, 0.05)
"""First steps of the refinement: shifts in radii, log size, log aspect, turn in radians."""


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """A figure on the canvas (RGBA), and where the canvas lies in its picture.

    A point (x, y) of the plate is ``origin + (x, y) * scale`` in the picture.
    """

    image: Image.Image
    origin: tuple[float, float]
    scale: float

    def level(self, factor: int) -> Image.Image:
        """The canvas in smaller, colours weighted by their solidity (mode RGBa)."""
        small = self.image.convert("RGBa")
        return small if factor == 1 else small.reduce(factor)


@dataclass(frozen=True, slots=True)
class Fit:
    """How one plate has to be moved to lie over another.

    Shifts are in head radii, ``size`` and ``aspect`` are logarithms, ``turn`` is in radians.
    ``error`` is what remains between the two: 0 for the same drawing, about 1 for two others.
    """

    mirrored: bool = False
    dx: float = 0.0
    dy: float = 0.0
    size: float = 0.0
    aspect: float = 0.0
    turn: float = 0.0
    error: float = 0.0

    def coefficients(self, factor: int = 1) -> tuple[float, ...]:
        """The affine map from the other plate's pixels back to this plate's, as Pillow takes it."""
        across, down = math.exp(self.size + self.aspect), math.exp(self.size - self.aspect)
        sign = -1.0 if self.mirrored else 1.0
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        a, b = sign * cos / across, sign * sin / across
        d, e = -sin / down, cos / down
        cx, cy = CENTER[0] / factor, CENTER[1] / factor
        unit = RADIUS / factor
        x, y = cx + self.dx * unit, cy + self.dy * unit
        return a, b, cx - a * x - b * y, d, e, cy - d * x - e * y


def plate_of(image: Image.Image, figure: Figure) -> Plate:
    """Lay a figure onto the canvas.

    Args:
        image: RGB or RGBA, of the size of the figure's mask.
        figure: what lies outside its mask is left out.
    """
    head = find_head(figure)
    scale = head.radius / RADIUS
    origin = head.x - CENTER[0] * scale, head.y - CENTER[1] * scale
    box = Box(
        math.floor(origin[0]),
        math.floor(origin[1]),
        math.ceil(origin[0] + WIDTH * scale),
        math.ceil(origin[1] + HEIGHT * scale),
    ).intersection(figure.box)
    part = image.crop(box).convert("RGBA")
    mask = Image.fromarray(figure.mask).crop(box)
    if image.mode != "RGBA" or part.getchannel("A").getextrema()[0] == 255:
        part.putalpha(mask)
    canvas = Image.new("RGBA", (WIDTH, HEIGHT))
    small = part.convert("RGBa").resize(
        (max(1, round(part.width / scale)), max(1, round(part.height / scale))),
        Image.Resampling.BOX if scale > 1.5 else Image.Resampling.BILINEAR,
    )
    at = round((box.x0 - origin[0]) / scale), round((box.y0 - origin[1]) / scale)
    canvas.paste(small.convert("RGBA"), at)
    return Plate(canvas, origin, scale)


def colours(image: Image.Image) -> Floats:
    """Lab colours around the middle and solidity of an RGBA picture, shape (h, w, 4)."""
    pixels = np.asarray(image.convert("RGBA"))
    alpha = pixels[..., 3:].astype(np.float32) / 255
    lab = to_lab(np.ascontiguousarray(pixels[..., :3]))
    out = np.concatenate([(lab - MIDDLE) * alpha, SOLID_WEIGHT * alpha], axis=2)
    return out.astype(np.float32, copy=False)


def moved(plate: Plate, fit: Fit, factor: int = 1) -> Image.Image:
    """The plate as it lies over the other one (mode RGBa), reduced by ``factor``."""
    return _warped(plate.level(factor), fit, factor)


def lay_over(plate: Plate, other: Plate) -> Fit:
    """Find how a plate has to be moved so that it lies over another one as well as it can."""
    fixed = _spectrum(other.level(_ROUGH))
    loose = plate.level(_ROUGH)
    tries = [Fit(mirrored=m, size=math.log(s)) for m in (False, True) for s in _SIZES]
    start = min((_rough(loose, fixed, fit) for fit in tries), key=lambda fit: fit.error)
    turned = (replace(start, turn=turn) for turn in (-_LEAN, _LEAN))
    tilted = (_rough(loose, fixed, fit) for fit in turned)
    start = min((start, *tilted), key=lambda fit: fit.error)
    return _refined(plate.level(_FINE), other.level(_FINE), start)


def _warped(small: Image.Image, fit: Fit, factor: int) -> Image.Image:
    return small.transform(
        small.size, Image.Transform.AFFINE, fit.coefficients(factor), Image.Resampling.BILINEAR
    )


def _spectrum(image: Image.Image) -> tuple[NDArray[np.complex128], float]:
    """Fourier transform of a picture's channels, padded to twice its size, and its energy."""
    values = np.asarray(image, np.float32).transpose(2, 0, 1)
    shape = (2 * values.shape[1], 2 * values.shape[2])
    return np.fft.rfft2(values, shape), float(np.square(values).sum())


def _rough(small: Image.Image, fixed: tuple[NDArray[np.complex128], float], fit: Fit) -> Fit:
    """The best shift for one size, by correlation. Source: SSD through the Fourier transform."""
    loose, energy = _spectrum(_warped(small, fit, _ROUGH))
    match = np.fft.irfft2((fixed[0] * np.conj(loose)).sum(axis=0))
    reach = round(_REACH * RADIUS / _ROUGH)
    near = np.roll(match, (reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    y, x = np.unravel_index(int(near.argmax()), near.shape)
    energy += fixed[1]
    left = (energy - 2 * float(near[y, x])) / max(energy, 1.0)
    unit = _ROUGH / RADIUS
    return replace(fit, dx=(int(x) - reach) * unit, dy=(int(y) - reach) * unit, error=left)


def _refined(small: Image.Image, fixed: Image.Image, start: Fit) -> Fit:
    """Walk downhill in shift, size, aspect and turn, with steps that get smaller."""
    area = int((np.asarray(fixed)[..., 3] > 64).sum())
    best = (start.dx, start.dy, start.size, start.aspect, start.turn)
    least = _left(small, fixed, start, area)
    for step in _STEPS:
        before = math.inf
        while least < before:
            before = least
            for k in range(len(best)):
                for sign in (1, -1):
                    tried = list(best)
                    tried[k] += sign * step * _UNIT[k]
                    error = _left(small, fixed, Fit(start.mirrored, *tried), area)
                    if error < least:
                        best, least = tuple(tried), error
    return Fit(start.mirrored, *best, error=least)


def _left(small: Image.Image, fixed: Image.Image, fit: Fit, area: int) -> float:
    """How much of the fixed figure's area differs, robustly: 0 nothing, 1 all of it."""
    gap = np.asarray(ImageChops.difference(_warped(small, fit, _FINE), fixed))
    most = np.maximum(np.maximum(gap[..., 0], gap[..., 1]), np.maximum(gap[..., 2], gap[..., 3]))
    return int(np.minimum(most, _CAP).sum(dtype=np.int64)) / (_CAP * max(1, area))
