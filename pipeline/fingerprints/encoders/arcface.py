"""``arcface``: a face recognition network of an insightface pack. Off unless a host asks for it.

**Licence**: insightface's code is under the MIT licence; its model packs are for non-commercial
research only. No pack is shipped or downloaded here. It was trained on photographs of people, and
does not find drawn faces: a vote among others, never the gate.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.fingerprint import CropClass
from pipeline.fingerprints.encoders.files import weights_file
from pipeline.fingerprints.encoders.onnx_lens import Batch, OnnxLens

_SIDE, _VERSION = 112, 1
_WHAT = (
    "the recognition network of an insightface pack (w600k_r50.onnx of buffalo_l, say). The packs "
    "are for non-commercial use only; get one with `pip install insightface` and its own tools"
)


class ArcFaceLens(OnnxLens):
    """Faces of people as 512 numbers. Only heads: the other crops have no segment of it.

    The network is run directly; insightface itself is not imported. Its landmarks are not found on
    drawings, so the head crop takes the place of an aligned face.
    """

    classes = (CropClass.HEAD,)

    def __init__(self, path: str) -> None:
        """Load the network.

        Raises:
            EncoderUnavailable: the file is missing or is another network.
        """
        model = weights_file("arcface", path, _WHAT)
        super().__init__("arcface", model, side=_SIDE, version=_VERSION)

    def scaled(self, pixels: NDArray[np.uint8]) -> Batch:
        """From -1 to 1. Source: insightface's ArcFaceONNX."""
        return (pixels.astype(np.float32) - 127.5) / 127.5
