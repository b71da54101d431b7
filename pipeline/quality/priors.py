"""Numbers that the source documents state, each with its name and the encoder that it is about.

They contradict one another because each belongs to its own encoder, crop and art. So a number is
used only for the encoder that it was stated for, only while a look has too few references for a
limit of its own, and never for a set of several encoders, whose similarities are other numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.domain.fingerprint import CropClass, EncoderKey

LEAST_REFERENCES = 2
"""With one reference nothing tells how sure a similarity is."""


@dataclass(frozen=True, slots=True)
class NamedPrior:
    """A stated number. ``encoder`` is None where the source does not say which one it means.

    ``value`` is a cosine similarity, or a Hamming distance of 64-bit hashes where ``bits`` is set.
    """

    name: str
    value: float
    source: str
    encoder: str | None
    crop: CropClass | None = None
    bits: bool = False


_FINGERPRINTING = "asset fingerprinting: keep characters on-model"
_JUYING = "Juying: character consistency"
NAMED: tuple[NamedPrior, ...] = (
    NamedPrior("clip face", 0.38, f"{_FINGERPRINTING}, quick start", "openclip", CropClass.HEAD),
    NamedPrior(
        "clip full body", 0.34, f"{_FINGERPRINTING}, quick start", "openclip", CropClass.FIGURE
    ),
    NamedPrior("clip likely same, from", 0.32, f"{_FINGERPRINTING}, thresholds", "openclip"),
    NamedPrior("clip strong match, up to", 0.45, f"{_FINGERPRINTING}, thresholds", "openclip"),
    NamedPrior("regenerate below", 0.85, f"{_JUYING}, verification", None),
    NamedPrior("phash near duplicate", 10, f"{_FINGERPRINTING}, hashes", "phash", bits=True),
    NamedPrior("phash similar", 20, f"{_FINGERPRINTING}, hashes", "phash", bits=True),
)
"""The last three are kept for the record. 0.85 names no encoder, so there is none that it could be
used for; what counts as a copy was measured (:mod:`pipeline.fingerprints.copies`)."""


def prior_for(encoders: Iterable[EncoderKey], crop: CropClass) -> NamedPrior | None:
    """The number that was stated for exactly this encoder and crop, if there is one."""
    names = {key.name for key in encoders}
    if len(names) != 1:
        return None
    (name,) = names
    return next((p for p in NAMED if p.encoder == name and p.crop is crop and not p.bits), None)
