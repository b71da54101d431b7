"""``dlib``: dlib's face descriptor, for casts that are photographs or close to them."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, FloatVector
from pipeline.fingerprints.encoders.base import pixels_of, unit
from pipeline.fingerprints.encoders.files import EncoderUnavailable, file_hash, weights_file
from pipeline.imaging.crops import CROPS_VERSION, FigureCrop

_SIDE, _DIMENSIONS, _VERSION = 150, 128, 1
_WHAT = "dlib_face_recognition_resnet_model_v1.dat (CC0), which face-recognition-models brings"


class DlibLens:
    """Faces as 128 numbers. Only heads: the other crops have no segment of it.

    Source: dlib's ``face_recognition_model_v1`` on chips of 150 pixels.
    """

    classes = (CropClass.HEAD,)

    def __init__(self, path: str) -> None:
        """Load the network.

        Raises:
            EncoderUnavailable: dlib is not installed, or the file is missing or another one.
        """
        try:
            dlib: Any = import_module("dlib")
        except ImportError as error:
            raise EncoderUnavailable(
                "The encoder “dlib” needs a package: pip install dlib-bin face-recognition-models."
            ) from error
        model = weights_file("dlib", path, _WHAT)
        try:
            self._network = dlib.face_recognition_model_v1(str(model))
        except RuntimeError as error:
            raise EncoderUnavailable(
                f"The file of the encoder “dlib” is not readable. It has to be {_WHAT}."
            ) from error
        self._key = EncoderKey("dlib", file_hash(model), 10 * CROPS_VERSION + _VERSION)

    @property
    def key(self) -> EncoderKey:
        """Hash of the model's file."""
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
        both = (pixels, np.ascontiguousarray(pixels[:, ::-1]))
        found = [np.asarray(self._network.compute_face_descriptor(one)) for one in both]
        return unit(found[0] + found[1])
