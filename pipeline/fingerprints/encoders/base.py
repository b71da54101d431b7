"""What an encoder is: crops in, one unit vector a crop out, and a key that says what made it."""

import hashlib
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, FloatVector
from pipeline.imaging.crops import CROP_SIDE, CROPS_VERSION, GROUND, FigureCrop

FloatArray = NDArray[np.floating]


@runtime_checkable
class Encoder(Protocol):
    """Turns crops of figures into vectors; the same crop gives the same vector, always.

    An encoder is made without arguments. Heavy libraries are imported in its constructor.
    """

    @property
    def key(self) -> EncoderKey:
        """Name, hash of weights or constants, version of the preprocessing."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of every vector, in both colour modes."""
        ...

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        """One unit float32 vector of shape (dimensions,) for each crop, in order.

        In ``GRAYSCALE`` the crop's colours must not matter: a colour picture and its grey copy
        give the same vector. Vectors of two colour modes are not meant to be compared.
        """
        ...


def classes_of(encoder: Encoder) -> tuple[CropClass, ...]:
    """The crop classes that an encoder can describe: all, unless it says so in ``classes``."""
    return getattr(encoder, "classes", tuple(CropClass))


def constants_key(name: str, version: int, *constants: object) -> EncoderKey:
    """The key of an encoder without weights: its constants, and those of the crops, are hashed."""
    text = repr((constants, CROP_SIDE, GROUND, CROPS_VERSION))
    return EncoderKey(name, hashlib.sha256(text.encode()).hexdigest()[:12], version)


def unit(values: FloatArray) -> FloatVector:
    """Scale to norm 1, float32; a vector of zeros becomes the diagonal."""
    norm = float(np.linalg.norm(values))
    if norm < 1e-9:
        return np.full(values.shape, len(values) ** -0.5, np.float32)
    return (values / norm).astype(np.float32)


def pixels_of(crop: FigureCrop, side: int, color_mode: ColorMode) -> NDArray[np.uint8]:
    """The crop's pixels (side, side, 3), equal channels when ``color_mode`` is grey."""
    image = crop.image
    if color_mode is ColorMode.GRAYSCALE:
        image = image.convert("L").convert("RGB")
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def solid_of(crop: FigureCrop, side: int) -> NDArray[np.bool_]:
    """Where the figure is (side, side); everywhere, if the crop's mask is empty."""
    mask = Image.fromarray(crop.mask).resize((side, side), Image.Resampling.BOX)
    solid = np.asarray(mask) > 127
    return solid if solid.any() else np.ones_like(solid)
