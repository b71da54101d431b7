"""What all encoders share that are one ONNX file of the host's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import Embedding, EncoderKey, FloatVector
from pipeline.fingerprints.encoders.base import pixels_of, unit
from pipeline.fingerprints.encoders.files import EncoderUnavailable, file_hash
from pipeline.imaging.crops import CROPS_VERSION, FigureCrop

Batch = NDArray[np.float32]


class OnnxLens:
    """Runs a network over a crop and its mirror image and averages the two vectors.

    One core, one crop at a time: then a vector does not depend on what else was asked for. Safe to
    call from several threads.
    """

    def __init__(self, name: str, model: Path, *, side: int, version: int) -> None:
        """Load a model.

        Args:
            name: of the encoder.
            model: takes float32 (n, 3, side, side) and gives (n, dimensions) first.
            side: of the input in pixels.
            version: of the preprocessing; that of the crops is counted in.

        Raises:
            EncoderUnavailable: the file is not such a network.
        """
        from onnxruntime import InferenceSession

        self._side = side
        self._key = EncoderKey(name, file_hash(model), 10 * CROPS_VERSION + version)
        try:
            self._session: Any = InferenceSession(
                str(model), _one_core(), providers=["CPUExecutionProvider"]
            )
            self._input: str = self._session.get_inputs()[0].name
            self._dimensions = len(self._run(np.zeros((1, 3, side, side), np.float32))[0])
        except Exception as error:
            raise EncoderUnavailable(
                f"The file of the encoder “{name}” is no network that takes pictures of {side} "
                f"pixels ({type(error).__name__}). Check which file was given."
            ) from error

    @property
    def key(self) -> EncoderKey:
        """Hash of the model's file."""
        return self._key

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        """Encode crops; see :class:`pipeline.fingerprints.encoders.base.Encoder`."""
        return [Embedding(self._vector(crop, color_mode), self._key) for crop in crops]

    def scaled(self, pixels: NDArray[np.uint8]) -> Batch:
        """The network's input from RGB levels (side, side, 3); a lens says how."""
        raise NotImplementedError

    def _vector(self, crop: FigureCrop, color_mode: ColorMode) -> FloatVector:
        pixels = self.scaled(pixels_of(crop, self._side, color_mode)).transpose(2, 0, 1)
        both = (pixels, pixels[:, :, ::-1])
        found = [self._run(np.ascontiguousarray(one[None]))[0] for one in both]
        return unit(found[0] + found[1])

    def _run(self, batch: Batch) -> NDArray[np.floating]:
        found = np.asarray(self._session.run(None, {self._input: batch})[0])
        return found.reshape(len(found), -1)


def _one_core() -> Any:
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()  # pyright: ignore[reportAttributeAccessIssue] - made by its C module
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options
