"""``house``: our own network, trained to tell drawn characters apart. Runs in onnxruntime."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import Embedding, EncoderKey, FloatVector
from pipeline.fingerprints.encoders.base import pixels_of, unit
from pipeline.fingerprints.encoders.files import EncoderUnavailable, file_hash, weights_file
from pipeline.imaging.crops import CROPS_VERSION, FigureCrop
from pipeline.imaging.network import start_network

MODEL = "house.onnx"
_SIDE, _DIMENSIONS = 160, 256
_VERSION = 1
_WHAT = "a file that `onmodel train identity` wrote"


class HouseEncoder:
    """Vectors of a network trained on openly licensed art (docs/models/house-encoder.md).

    The crop is shown as it is cut: the figure on neutral ground, or with its ground where no mask
    is known. The network sees it beside its mirror image and the two vectors are averaged, so
    that a mirrored figure gives the same vector. Crops are run one by one on one core: then a
    vector does not depend on what else was asked for. Safe to call from several threads; all
    encoders of a process with the same file share one network.
    """

    def __init__(self, path: str = "") -> None:
        """Load a network.

        Args:
            path: weights of one's own training (``house@FILE``), "" for those that come along.

        Raises:
            OSError: the file of the shipped weights is missing.
            EncoderUnavailable: the named file is missing, or is no such network.
        """
        file = weights_file("house", path, _WHAT) if path else _shipped()
        self._session, self._key = _network(file)

    @property
    def key(self) -> EncoderKey:
        """Hash of the model's file; the version counts the crops' and the preprocessing's."""
        return self._key

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return _DIMENSIONS

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        """Encode crops; see :class:`pipeline.fingerprints.encoders.base.Encoder`."""
        return [Embedding(self._vector(crop, color_mode), self._key) for crop in crops]

    def _vector(self, crop: FigureCrop, color_mode: ColorMode) -> FloatVector:
        pixels = pixels_of(crop, _SIDE, color_mode)
        pair = np.stack([pixels, pixels[:, ::-1]]).transpose(0, 3, 1, 2)
        found = self._session.run(None, {"pixels": np.ascontiguousarray(pair, np.float32)})
        return unit(np.asarray(found[0]).sum(axis=0))


def _shipped() -> Path:
    return Path(str(files("pipeline.fingerprints.encoders") / MODEL))


@lru_cache(maxsize=2)
def _network(file: Path) -> tuple[Any, EncoderKey]:
    """The loaded network and its key."""
    try:
        session = start_network(file)
        shape = session.get_outputs()[0].shape
    except Exception as error:
        raise EncoderUnavailable(f"{file} is no network. It has to be {_WHAT}.") from error
    if shape[-1] != _DIMENSIONS:
        raise EncoderUnavailable(f"{file} is another network. It has to be {_WHAT}.")
    return session, EncoderKey("house", file_hash(file), 10 * CROPS_VERSION + _VERSION)
