"""Segments are scaled as a set, absent ones are masked out, and keys never mix."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import EncoderMismatch
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey
from pipeline.fingerprints import scales
from pipeline.fingerprints.cluster import Cluster, Member
from pipeline.fingerprints.composite import fingerprint_crops, fused_similarity, segments_of
from pipeline.fingerprints.registry import load_encoders
from pipeline.fingerprints.scales import Place, scales_of
from pipeline.imaging.crops import CROP_SIDE, FigureCrop
from pipeline.quality.calibration import thresholds_from_references

PALETTE, STRUCTURE = EncoderKey("palette", "aa", 1), EncoderKey("structure", "bb", 1)
OTHER = EncoderKey("elsewhere", "cc", 1)
HEAD = Place(CropClass.HEAD, ColorMode.COLOR)


def vector(angle: float, key: EncoderKey) -> Embedding:
    return Embedding(np.array([np.cos(angle), np.sin(angle)], np.float32), key)


def crop(seed: int = 0) -> FigureCrop:
    pixels = np.random.default_rng(seed).integers(0, 255, (CROP_SIDE, CROP_SIDE, 3), np.uint8)
    return FigureCrop(Image.fromarray(pixels), np.full((CROP_SIDE, CROP_SIDE), 255, np.uint8))


@pytest.mark.parametrize("keys", [[PALETTE], [PALETTE, STRUCTURE], [STRUCTURE, OTHER, PALETTE]])
def test_shares_are_positive_and_sum_to_one(keys: list[EncoderKey]) -> None:
    shares = scales_of(keys, HEAD)
    assert set(shares) == set(keys)
    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares.values()) > 0


def test_nothing_has_no_scale() -> None:
    with pytest.raises(ValueError, match="segment"):
        scales_of([])


def test_a_scale_belongs_to_the_set_and_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = {HEAD: {"palette": 1.0, "elsewhere": 3.0}, None: {"palette": 1.0, "elsewhere": 1.0}}
    monkeypatch.setitem(scales.SCALES, frozenset({"palette", "elsewhere"}), learned)  # type: ignore[arg-type]
    assert scales_of([PALETTE, OTHER], HEAD)[OTHER] == 0.75
    assert scales_of([PALETTE, OTHER])[OTHER] == 0.5
    a = {PALETTE: vector(0, PALETTE), OTHER: vector(0, OTHER)}
    b = {PALETTE: vector(np.pi / 2, PALETTE), OTHER: vector(0, OTHER)}
    fused = fused_similarity(a, b, HEAD)
    assert fused is not None
    assert fused.similarity == pytest.approx(0.75)
    match = Cluster([Member(1, True, a)], [PALETTE, OTHER], HEAD).match(b)
    assert match is not None
    assert match.similarity == pytest.approx(0.75)


def test_what_one_side_lacks_is_masked_out_not_counted_as_unlike() -> None:
    a = {PALETTE: vector(0, PALETTE), OTHER: vector(0, OTHER)}
    b = {PALETTE: vector(0, PALETTE)}
    fused = fused_similarity(a, b)
    assert fused is not None
    assert fused.similarity == pytest.approx(1)
    assert set(fused.segments) == {"palette"}


@pytest.mark.parametrize(
    "other", [EncoderKey("palette", "aa", 2), EncoderKey("palette", "zz", 1), STRUCTURE]
)
def test_two_encoders_weights_or_versions_are_never_compared(other: EncoderKey) -> None:
    with pytest.raises(EncoderMismatch):
        vector(0, PALETTE).similarity(vector(0, other))
    assert fused_similarity({PALETTE: vector(0, PALETTE)}, {other: vector(0, other)}) is None


class FaceOnly:
    """The palette, but only of heads."""

    classes = (CropClass.HEAD,)

    def __init__(self) -> None:
        self._palette = load_encoders(["palette"])[0]
        self.dimensions = self._palette.dimensions
        self.key = EncoderKey("face", "dd", 1)

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        return [Embedding(e.vector, self.key) for e in self._palette.encode(crops, color_mode)]


def test_a_face_encoder_is_absent_elsewhere_and_limits_are_learned_without_it() -> None:
    encoders = [FaceOnly(), *load_encoders(["structure"])]
    prints = {
        number: fingerprint_crops({c: crop(number) for c in CropClass}, encoders)
        for number in range(1, 6)
    }
    by_class = {c: segments_of(prints[1], c, ColorMode.COLOR) for c in CropClass}
    assert {c: len(found) for c, found in by_class.items()} == {
        CropClass.HEAD: 2, CropClass.HALF: 1, CropClass.FIGURE: 1,
    }  # fmt: skip
    limits = thresholds_from_references("a", prints, ",".join(str(e.key) for e in encoders))
    named = {(t.key.crop, t.key.color_mode): t.key.encoders for t in limits}
    assert "face:dd:1" in named[HEAD]
    assert "face" not in named[CropClass.HALF, ColorMode.COLOR]
    assert len(named) == 6
