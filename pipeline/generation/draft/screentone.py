"""Black, white and tone: grey becomes dots of one ink, as in printed manga."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Levels = NDArray[np.float32]

_SOFTNESS = 1.6
"""Width of a dot's soft edge, in levels per pixel of its slope: keeps the dots antialiased."""
_LINE_CONTRAST, _LINE_GAIN = 0.035, 9.0
_WHITE, _BLACK = 0.93, 0.2


@lru_cache(maxsize=4)
def _screen(height: int, width: int, pitch: float) -> Levels:
    """Thresholds of a 45° dot screen, shape (h, w), spread evenly over 0 to 1.

    Source: the classic amplitude-modulated screen, a sum of two cosines, made uniform by rank.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = np.float32(np.pi * np.sqrt(2) / pitch)
    spot = 0.5 + 0.25 * (np.cos((x + y) * turn) + np.cos((x - y) * turn))
    # The distribution of the spot function is known from a fine sample of one cell.
    grid = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    sample = np.sort((0.5 + 0.25 * (np.cos(grid[:, None]) + np.cos(grid[None, :]))).ravel())
    rank = np.linspace(0, 1, sample.size)
    return np.interp(spot, sample, rank).astype(np.float32)


def screentone(picture: Image.Image, *, pitch: float, ink: float) -> Image.Image:
    """Print a picture in dots of one ink.

    Args:
        picture: any mode; only its lightness counts.
        pitch: distance of two dots along their row, in pixels (5 to 12 reads as tone).
        ink: darkness of the ink, 0 to 1; below 1 the tone stays behind the figures.

    Returns:
        Mode L. Drawn lines stay lines, near-white becomes paper.
    """
    gray = picture.convert("L")
    light = np.asarray(gray, dtype=np.float32) / 255
    around = np.asarray(gray.filter(ImageFilter.BoxBlur(pitch * 0.6)), dtype=np.float32) / 255
    threshold = _screen(gray.height, gray.width, pitch)
    # Stretch towards paper: light tones want few dots.
    tone = np.clip((light - _BLACK) / (_WHITE - _BLACK), 0, 1) ** 0.62
    dots = np.clip(0.5 + (tone - threshold) * pitch / _SOFTNESS, 0, 1)
    dots = np.where(tone >= 1.0, 1.0, dots)
    line = np.clip((around - light - _LINE_CONTRAST) * _LINE_GAIN, 0, 1)
    printed = 1 - (1 - dots * (1 - line)) * ink
    return Image.fromarray(np.rint(printed * 255).astype(np.uint8))
