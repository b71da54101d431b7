"""``structure``: how the lines of a figure run, blind to colour. Plain numpy, no weights."""

from collections.abc import Sequence

import numpy as np

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import Embedding, EncoderKey, FloatVector
from pipeline.fingerprints.encoders.base import FloatArray, constants_key, pixels_of, unit
from pipeline.imaging.crops import FigureCrop

_CELL, _GRID, _DIRECTIONS = 8, 8, 6
_SIDE = _CELL * _GRID
_FLOOR = 1e-3
_VERSION = 1


class StructureEncoder:
    """Histograms of gradient directions on a grid, each cell measured against its neighbours.

    The gradients are of grey levels, so both colour modes give the same vector; a mirrored
    figure gives the same vector too.

    Source: histograms of oriented gradients (Dalal and Triggs, 2005), with unsigned directions;
    grid and directions were compared on 2,694 head crops of 15 drawing styles.
    """

    @property
    def key(self) -> EncoderKey:
        """Hash of the constants in place of weights."""
        return constants_key("structure", _VERSION, _CELL, _GRID, _DIRECTIONS, _FLOOR)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return _GRID * (_GRID // 2) * _DIRECTIONS

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        """Encode crops; see :class:`pipeline.fingerprints.encoders.base.Encoder`."""
        del color_mode  # gradients are taken from greys in both modes
        return [Embedding(_vector(crop), self.key) for crop in crops]


def _vector(crop: FigureCrop) -> FloatVector:
    grey = pixels_of(crop, _SIDE, ColorMode.GRAYSCALE)[..., 0].astype(np.float32)
    cells = _folded(_relative(_direction_cells(grey)))
    return unit(cells[:, : _GRID // 2].ravel().astype(np.float32))


def _direction_cells(grey: FloatArray) -> FloatArray:
    """Gradient strength by cell and direction, shape (grid, grid, directions)."""
    down, right = np.gradient(grey)
    strength = np.hypot(right, down)
    turn = np.mod(np.arctan2(down, right), np.pi) / np.pi * _DIRECTIONS
    lower = np.floor(turn).astype(np.int64)
    upper_share = turn - lower
    votes = np.zeros((_SIDE, _SIDE, _DIRECTIONS), np.float32)
    y, x = np.mgrid[:_SIDE, :_SIDE]
    votes[y, x, lower % _DIRECTIONS] += strength * (1 - upper_share)
    votes[y, x, (lower + 1) % _DIRECTIONS] += strength * upper_share
    return votes.reshape(_GRID, _CELL, _GRID, _CELL, _DIRECTIONS).sum(axis=(1, 3))


def _relative(cells: FloatArray) -> FloatArray:
    """Divide each cell by the energy of its 3×3 neighbourhood: faint lines count like bold."""
    energy = (cells**2).sum(axis=2)
    padded = np.pad(energy, 1, mode="edge")
    around = np.zeros_like(energy)
    for dy in range(3):
        for dx in range(3):
            around += padded[dy : dy + _GRID, dx : dx + _GRID]
    scale = np.sqrt(around + _FLOOR * energy.mean() + 1e-6)
    return (cells / scale[..., None]).astype(np.float32)


def _folded(cells: FloatArray) -> FloatArray:
    """Average with the mirror image; mirroring turns direction d into −d."""
    mirrored = cells[:, ::-1, (-np.arange(_DIRECTIONS)) % _DIRECTIONS]
    return (cells + mirrored) / 2
