"""``openclip``: any model of the open_clip package, with weights from a file of the host's."""

import hashlib
from collections.abc import Sequence
from importlib import import_module
from pickle import UnpicklingError
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import Embedding, EncoderKey, FloatVector
from pipeline.fingerprints.encoders.base import unit
from pipeline.fingerprints.encoders.files import EncoderUnavailable, file_hash, weights_file
from pipeline.imaging.crops import CROPS_VERSION, FigureCrop
from pipeline.torch_mends import mend_torchvision

RANDOM = "random"
_VERSION, _SEED = 1, 0
_INSTALL = "The encoder “openclip” needs packages: pip install 'onmodel[gpu]'."
_WHAT = (
    "MODEL:WEIGHTS, a name that open_clip knows and a file of weights on this machine, "
    "for instance ViT-B-32:/models/vit_b_32.safetensors"
)


class OpenClipLens:
    """A general image encoder, 512 to 1024 numbers. Nothing is downloaded.

    The argument is ``MODEL:WEIGHTS``. The weights ``random`` give an untrained network, which
    is good for tests only. The crop is shown beside its mirror image; preprocessing is what
    open_clip keeps with the model.
    """

    def __init__(self, argument: str) -> None:
        """Load the network.

        Raises:
            EncoderUnavailable: open_clip is not installed, or model or weights are not known.
        """
        model, _, weights = argument.partition(":")
        path = "" if weights == RANDOM else str(weights_file("openclip", weights, _WHAT))
        try:
            mend_torchvision()
            self._torch: Any = import_module("torch")
            open_clip: Any = import_module("open_clip")
        except (ImportError, RuntimeError) as error:
            raise EncoderUnavailable(_INSTALL) from error
        self._torch.manual_seed(_SEED)
        try:
            self._model, _, self._prepare = open_clip.create_model_and_transforms(
                model, pretrained=path or None
            )
        except (RuntimeError, ValueError, KeyError, EOFError, UnpicklingError) as error:
            raise EncoderUnavailable(
                f"open_clip cannot make “{model}” with these weights ({type(error).__name__}). "
                f"Write openclip@ and {_WHAT}."
            ) from error
        self._model.eval()
        digest = file_hash(weights_file("openclip", path, _WHAT)) if path else RANDOM
        name = hashlib.sha256(model.encode()).hexdigest()[:6]
        self._key = EncoderKey("openclip", f"{digest}-{name}", 10 * CROPS_VERSION + _VERSION)
        blank = Image.new("RGB", (8, 8))
        self._dimensions = len(self._features(blank))

    @property
    def key(self) -> EncoderKey:
        """Hashes of the weights' file and of the model's name."""
        return self._key

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        """Encode crops; see :class:`pipeline.fingerprints.encoders.base.Encoder`."""
        return [Embedding(self._vector(crop, color_mode), self._key) for crop in crops]

    def _vector(self, crop: FigureCrop, color_mode: ColorMode) -> FloatVector:
        image = crop.image
        if color_mode is ColorMode.GRAYSCALE:
            image = image.convert("L").convert("RGB")
        return unit(self._features(image) + self._features(ImageOps.mirror(image)))

    def _features(self, image: Image.Image) -> FloatVector:
        with self._torch.inference_mode():
            batch = self._prepare(image).unsqueeze(0)
            return np.asarray(self._model.encode_image(batch)[0].float().numpy(), np.float32)
