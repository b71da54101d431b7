"""``lite0``: EfficientNet-Lite0's features, from an ONNX file of the host's."""

import numpy as np
from numpy.typing import NDArray

from pipeline.fingerprints.encoders.files import weights_file
from pipeline.fingerprints.encoders.onnx_lens import Batch, OnnxLens

_SIDE, _VERSION = 224, 1
_WHAT = (
    "EfficientNet-Lite0 as ONNX without its last layer (13.5 MB; input 1×3×224×224, output "
    "1×1280). Google's network is under the Apache licence 2.0"
)


class Lite0Lens(OnnxLens):
    """General features of photographs, 1280 numbers; on tight crops they know drawn people too.

    Source: scaling (x − 127) / 128 as in Google's EfficientNet-Lite.
    """

    def __init__(self, path: str) -> None:
        """Load the network.

        Raises:
            EncoderUnavailable: the file is missing or is another network.
        """
        super().__init__("lite0", weights_file("lite0", path, _WHAT), side=_SIDE, version=_VERSION)

    def scaled(self, pixels: NDArray[np.uint8]) -> Batch:
        """From -1 to 1."""
        return (pixels.astype(np.float32) - 127.0) / 128.0
