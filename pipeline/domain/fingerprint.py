"""Fingerprints: perceptual hashes for copies, embeddings for identity."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import EncoderMismatch

FloatVector = NDArray[np.float32]


class CropClass(StrEnum):
    """Which part of a figure a vector describes; vectors of two classes are never compared."""

    HEAD = "head"
    HALF = "half"
    FIGURE = "figure"


@dataclass(frozen=True, slots=True)
class EncoderKey:
    """What made a vector: name, hash of the weights and version of the preprocessing."""

    name: str
    weights_hash: str
    version: int

    def __str__(self) -> str:
        """``name:weights_hash:version``, the form that is stored."""
        return f"{self.name}:{self.weights_hash}:{self.version}"

    @classmethod
    def parse(cls, text: str) -> "EncoderKey":
        """Read the stored form back.

        Raises:
            ValueError: ``text`` is not ``name:weights_hash:version``.
        """
        name, weights_hash, version = text.rsplit(":", 2)
        return cls(name, weights_hash, int(version))


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A unit float32 vector of shape ``(d,)`` and the encoder that made it."""

    vector: FloatVector
    encoder: EncoderKey

    def __post_init__(self) -> None:
        """Check type, shape and norm."""
        if self.vector.dtype != np.float32 or self.vector.ndim != 1:
            raise TypeError(f"embedding must be float32 (d,), got {self.vector.dtype}")
        norm = float(np.linalg.norm(self.vector))
        if abs(norm - 1.0) > 1e-3:
            raise ValueError(f"embedding must have norm 1, got {norm:.4f}")

    def similarity(self, other: "Embedding") -> float:
        """Cosine in [-1, 1]; larger is closer.

        Raises:
            EncoderMismatch: the two come from different encoders.
        """
        if self.encoder != other.encoder or self.vector.shape != other.vector.shape:
            raise EncoderMismatch(
                f"Vectors of {self.encoder} and {other.encoder} cannot be compared; "
                "re-index the references with the encoder in use."
            )
        return float(np.clip(self.vector @ other.vector, -1.0, 1.0))


@dataclass(frozen=True, slots=True)
class PictureHashes:
    """64-bit perceptual hashes of a whole canonical picture.

    A value is None when the picture is too flat for the hash to mean anything. ``version`` names
    algorithm, library and preprocessing; hashes of two versions are never compared.
    """

    version: str
    phash: int | None
    dhash: int | None
    ahash: int | None

    def distance(self, other: "PictureHashes") -> int | None:
        """Hamming distance of the pHashes in bits (0–64), None where there is none.

        Raises:
            EncoderMismatch: the versions differ.
        """
        if self.version != other.version:
            raise EncoderMismatch("Hashes of two versions cannot be compared; re-index first.")
        if self.phash is None or other.phash is None:
            return None
        return (self.phash ^ other.phash).bit_count()


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """One embedding of one crop of one picture in one colour mode."""

    crop: CropClass
    color_mode: ColorMode
    embedding: Embedding
