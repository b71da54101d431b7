"""``palette``: which colours a figure has, and where. Plain numpy, no weights."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import Embedding, EncoderKey, FloatVector
from pipeline.fingerprints.encoders.base import (
    FloatArray,
    constants_key,
    pixels_of,
    solid_of,
    unit,
)
from pipeline.imaging.colour import to_lab
from pipeline.imaging.crops import FigureCrop

_SIDE, _GRID = 48, 8
_TONES, _CHROMAS, _CHROMA_REACH = 6, 5, 70.0
_GREY_TONES = 12
_BANDS = (1, 3)
"""Histograms are taken over the whole crop and over three bands: hair, face, collar."""
_LAYOUT_SHARE = 0.2
_MIDDLE = np.array([55.0, 0.0, 0.0], np.float32)
_VERSION = 1

_HISTOGRAM = _TONES * _CHROMAS**2
_LAYOUT = _GRID * (_GRID // 2) * 3


class PaletteEncoder:
    """Soft L*a*b* histograms in bands (Hellinger) and a coarse colour layout, under the mask.

    A mirrored figure gives the same vector. In greyscale the histograms are of tones and the
    layout is of lightness; the vector keeps its length.

    Source: the share of the layout, the bins and the bands were compared on 2,694 head crops of
    15 drawing styles: mean area under the curve 0.97 for "same character" inside a style.
    """

    @property
    def key(self) -> EncoderKey:
        """Hash of the constants in place of weights."""
        return constants_key(
            "palette", _VERSION, _SIDE, _GRID, _TONES, _CHROMAS, _CHROMA_REACH, _GREY_TONES,
            _BANDS, _LAYOUT_SHARE, _MIDDLE.tolist(),
        )  # fmt: skip

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return sum(_BANDS) * _HISTOGRAM + _LAYOUT

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        """Encode crops; see :class:`pipeline.fingerprints.encoders.base.Encoder`."""
        return [Embedding(self._vector(crop, color_mode), self.key) for crop in crops]

    def _vector(self, crop: FigureCrop, color_mode: ColorMode) -> FloatVector:
        lab = to_lab(pixels_of(crop, _SIDE, color_mode))
        solid = solid_of(crop, _SIDE)
        grey = color_mode is ColorMode.GRAYSCALE
        histograms = unit(_banded_histograms(lab, solid, grey))
        layout = unit(_layout(lab, solid, grey))
        return unit(
            np.concatenate(
                [(1 - _LAYOUT_SHARE) ** 0.5 * histograms, _LAYOUT_SHARE**0.5 * layout]
            ).astype(np.float32)
        )


def _banded_histograms(lab: FloatArray, solid: NDArray[np.bool_], grey: bool) -> FloatArray:
    """Square roots of histograms, each band weighted by its share of the figure's pixels."""
    parts: list[FloatArray] = []
    for bands in _BANDS:
        for rows in np.array_split(np.arange(_SIDE), bands):
            pixels = lab[rows][solid[rows]]
            counts = np.zeros(_HISTOGRAM, np.float32)
            if len(pixels):
                filled = _tones(pixels, _GREY_TONES) if grey else _colours(pixels)
                counts[: len(filled)] = filled / solid.sum()
            parts.append(np.sqrt(counts / len(_BANDS)))
    return np.concatenate(parts).astype(np.float32)


def _tones(pixels: FloatArray, bins: int) -> FloatArray:
    return _soft_bins(pixels[:, 0], 0.0, 100.0, bins).sum(axis=0)


def _colours(pixels: FloatArray) -> FloatArray:
    """Joint soft histogram of L*, a*, b*; chroma is taken by its root, so pale tints differ."""
    chroma = np.sign(pixels[:, 1:]) * np.sqrt(np.abs(pixels[:, 1:]) / _CHROMA_REACH)
    tone = _soft_bins(pixels[:, 0], 0.0, 100.0, _TONES)
    green_red = _soft_bins(chroma[:, 0], -1.0, 1.0, _CHROMAS)
    blue_yellow = _soft_bins(chroma[:, 1], -1.0, 1.0, _CHROMAS)
    plane = (green_red[:, :, None] * blue_yellow[:, None, :]).reshape(len(pixels), -1)
    return (tone.T @ plane).ravel()


def _soft_bins(values: FloatArray, low: float, high: float, bins: int) -> FloatArray:
    """Each value's weight in each bin (n, bins): split linearly between the two next to it."""
    place = np.clip((values - low) / (high - low) * (bins - 1), 0, bins - 1)
    return np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(bins))).astype(np.float32)


def _layout(lab: FloatArray, solid: NDArray[np.bool_], grey: bool) -> FloatArray:
    """Mean colour of grid cells relative to a middle grey, mirror halves averaged."""
    centred = (lab - _MIDDLE) * solid[..., None]
    if grey:
        centred[..., 1:] = 0.0
    cell = _SIDE // _GRID
    cells = centred.reshape(_GRID, cell, _GRID, cell, 3).mean(axis=(1, 3))
    folded = (cells + cells[:, ::-1]) / 2
    return folded[:, : _GRID // 2].ravel().astype(np.float32)
