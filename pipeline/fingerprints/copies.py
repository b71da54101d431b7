"""Tells a copy from another expression or another colour of the same drawing.

64-bit hashes find candidates quickly, but hardly see a mouth and do not see colour at all.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

_SIDE, _BLUR = 128, 1.3
_GROUND = (255, 255, 255)
_WORST_SHARE = 0.0005
_COPY_LEVELS = 25.0
"""Grey levels (of 255) that the worst 0.05 % of a copy's pixels may be off on average.

Measured at 128 px after a small blur on drawn figures that the hashes took for copies: copies saved
as JPEG at quality 40 stay under 23, halved ones under 8, ones with margins of 2 % cut off under 10;
another expression of the same bust is off by at least 97, a recoloured outfit by at least 97. Of
figures 256 pixels high, whose whole face has 15, one pair of two expressions in seven is under 25.
"""
_STEPS, _STILL = 12, 0.02
_RIM = 4.0
"""Pixels along a cropped copy's border that are not compared: the blur mixed them with what is no
longer there."""
_MOST_SHIFT, _MOST_STRETCH = 0.08, 0.08
"""A cropped copy is moved and stretched by a few percent; more is another picture."""

Pixels = NDArray[np.float32]
Fit = NDArray[np.float64]


def same_picture(a: Image.Image, b: Image.Image) -> bool:
    """Whether two pictures whose hashes are near each other really show the same drawing.

    A copy whose margins were cut off by a few percent counts as the same: the one picture is laid
    over the other before they are compared, moved and stretched as a whole. Nothing is bent, so
    another mouth stays another mouth.
    """
    one, other = _small(a, b), _small(b, a)
    if _worst_levels(one, other) <= _COPY_LEVELS:
        return True
    laid = _laid_over(one, other)
    return laid is not None and _worst_levels(one, laid) <= _COPY_LEVELS


def _worst_levels(one: Pixels, other: Pixels) -> float:
    """Mean difference of the worst pixels; what lies outside of either (NaN) does not count."""
    off = np.abs(one - other).mean(axis=2).ravel()
    off = off[~np.isnan(off)]
    count = max(1, round(off.size * _WORST_SHARE))
    return float(np.partition(off, -count)[-count:].mean())


def _laid_over(fixed: Pixels, moving: Pixels) -> Pixels | None:
    """``moving`` resampled so that it fits ``fixed``, NaN where it has no pixels.

    The two stretches and two shifts are found by Gauss-Newton on grey levels (Lucas and Kanade,
    1981), on a coarse picture first. None where that asks for more than a crop would.
    """
    fit: Fit = np.array([1.0, 0.0, 1.0, 0.0])  # x' = fit[0]·x + fit[1], y' = fit[2]·y + fit[3]
    for reduce in (4, 2, 1):
        fit = _refined(_reduced(fixed, reduce), _reduced(moving, reduce), fit)
        if np.abs(fit[[0, 2]] - 1).max() > _MOST_STRETCH or np.abs(_shift(fit)) > _MOST_SHIFT:
            return None
    return _resampled(moving, fit, _RIM)


def _shift(fit: Fit) -> float:
    return float(np.abs(fit[[1, 3]]).max())


def _refined(fixed: Pixels, moving: Pixels, fit: Fit) -> Fit:
    """Improve a fit; coordinates run from -1 to 1 on both axes."""
    grey = moving.mean(axis=2, keepdims=True)
    target = fixed.mean(axis=2)
    place = _places(len(target))
    x, y = np.meshgrid(place, place)
    slope_y, slope_x = np.gradient(grey[..., 0], place, place)
    slopes = np.stack([slope_x, slope_y], axis=2).astype(np.float32)
    for _ in range(_STEPS):
        moved = _resampled(np.concatenate([grey, slopes], axis=2), fit)
        rest = target - moved[..., 0]
        seen = ~np.isnan(rest)
        right, down = moved[..., 1][seen], moved[..., 2][seen]
        jacobian = np.stack([right * x[seen], right, down * y[seen], down], axis=1)
        normal = jacobian.T @ jacobian
        normal[np.diag_indices(4)] += 1e-3 * np.trace(normal) / 4 + 1e-9
        step = np.linalg.solve(normal, jacobian.T @ rest[seen])
        fit = fit + step
        if np.abs(step).max() * len(target) / 2 < _STILL:
            break
        if np.abs(fit - (1, 0, 1, 0)).max() > 2 * _MOST_SHIFT:
            break
    return fit


def _resampled(image: Pixels, fit: Fit, rim: float = -0.5) -> Pixels:
    """Bilinear samples at the fitted places, channels last, NaN outside and in the rim."""
    side = len(image)
    place = _places(side)
    columns = ((fit[0] * place + fit[1]) + 1) * side / 2 - 0.5
    rows = ((fit[2] * place + fit[3]) + 1) * side / 2 - 0.5
    return _along(_along(image, rows, 0, rim), columns, 1, rim)


def _along(image: Pixels, at: NDArray[np.float64], axis: int, rim: float) -> Pixels:
    """Linear interpolation along one axis."""
    last = image.shape[axis] - 1
    low = np.clip(np.floor(at).astype(int), 0, last - 1)
    share = (at - low).astype(np.float32)
    share[(at < rim) | (at > last - rim)] = np.nan
    share = np.clip(share, 0, 1).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    mixed = np.take(image, low, axis) * (1 - share) + np.take(image, low + 1, axis) * share
    return mixed.astype(np.float32, copy=False)


def _places(side: int) -> NDArray[np.float64]:
    return (np.arange(side) + 0.5) * 2 / side - 1


def _reduced(image: Pixels, factor: int) -> Pixels:
    side = len(image) // factor
    cells = image.reshape(side, factor, side, factor, -1)
    return cells.mean(axis=(1, 3)).astype(np.float32)


def _small(image: Image.Image, beside: Image.Image) -> Pixels:
    """The picture at the side of comparison, first reduced to what the other one can show."""
    if image.mode == "RGBA":
        ground = Image.new("RGB", image.size, _GROUND)
        ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
        image = ground
    image = image.convert("RGB")
    size = (min(image.width, beside.width), min(image.height, beside.height))
    if size != image.size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    small = image.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    return np.asarray(small.filter(ImageFilter.GaussianBlur(_BLUR)), np.float32)
