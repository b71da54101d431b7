"""Makes drawn pictures twice as large: edges stay edges, where a filter would blur them.

waifu2x reads the picture in tiles; nothing is drawn anew. See docs/models/enlarging.md for what
that is worth beside a filter.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.errors import Cancelled, SettingsError
from pipeline.imaging.network import start_network

MODEL = Path(__file__).with_name("enlarge.onnx")
MODEL_SHA256 = "c97c88e2d416755aadbffc164e776fa52cf181a0821b02d618e875f57dc05b87"
NETWORK = "waifu2x upconv_7"
FACTOR = 2
LARGEST_SIDE = 2048
"""Pixels of the longer side up to which a picture is enlarged: four times as many come out."""
_TILE = 192
"""Pixels of a side that are worked on at once: some 40 MB of the network's memory."""
_BORDER = 7
"""Pixels around a tile that the network needs to see and does not give back. Source: its layers,
six convolutions of 3 × 3 and a deconvolution that is cut by three."""


def can_enlarge() -> bool:
    """Whether the network is here."""
    return MODEL.is_file()


def enlarged(
    image: Image.Image,
    progress: Callable[[float], None] = lambda _share: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Image.Image:
    """An RGB picture with FACTOR times as many pixels a side.

    Args:
        image: RGB, each side from 1 to LARGEST_SIDE pixels.
        progress: told the share done, 0 to 1, tile by tile.
        cancelled: asked between tiles.

    Raises:
        ValueError: the picture is too large.
        Cancelled: ``cancelled()`` became true.
        SettingsError: the network's file is missing or damaged.
    """
    if max(image.size) > LARGEST_SIDE:
        raise ValueError(f"pictures up to {LARGEST_SIDE} pixels a side are enlarged")
    pixels = np.asarray(image.convert("RGB"), np.float32) / 255
    height, width = pixels.shape[:2]
    border = ((_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0))
    around = np.pad(pixels, border, "edge").astype(np.float32, copy=False)
    out = np.empty((height * FACTOR, width * FACTOR, 3), np.uint8)
    places = list(product(range(0, height, _TILE), range(0, width, _TILE)))
    for done, (top, left) in enumerate(places):
        if cancelled():
            raise Cancelled("The panel was cancelled while it was being enlarged.")
        tile = around[top : top + _TILE + 2 * _BORDER, left : left + _TILE + 2 * _BORDER]
        made = _run(tile)
        y, x = top * FACTOR, left * FACTOR
        out[y : y + made.shape[0], x : x + made.shape[1]] = made
        progress((done + 1) / len(places))
    return Image.fromarray(out)


def _run(tile: NDArray[np.float32]) -> NDArray[np.uint8]:
    """From (h + 2b, w + 2b, 3) in 0 to 1 to (2h, 2w, 3) in 0 to 255."""
    said = _network().run(None, {"input": tile.transpose(2, 0, 1)[None]})[0][0]
    return (said.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)


@lru_cache(maxsize=1)
def _network() -> Any:
    try:
        data = MODEL.read_bytes()
    except OSError as error:
        raise SettingsError(
            "The file of the enlarging network is missing. Install the program again."
        ) from error
    if hashlib.sha256(data).hexdigest() != MODEL_SHA256:
        raise SettingsError(
            "The file of the enlarging network is damaged. Install the program again."
        )
    return start_network(data)
