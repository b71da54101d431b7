"""Stated numbers: each has a source, and is used for nothing but what it was stated for."""

import numpy as np
import pytest

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, Fingerprint
from pipeline.quality.calibration import MIN_REFERENCES, thresholds_from_references
from pipeline.quality.priors import NAMED, prior_for

CLIP, PALETTE = EncoderKey("openclip", "a", 3), EncoderKey("palette", "b", 3)


def prints(key: EncoderKey, count: int) -> dict[int, tuple[Fingerprint, ...]]:
    rng = np.random.default_rng(1)
    found = {}
    for number in range(count):
        vector = np.eye(8)[0] + 0.2 * rng.normal(size=8)
        unit = (vector / np.linalg.norm(vector)).astype(np.float32)
        found[number] = (Fingerprint(CropClass.HEAD, ColorMode.COLOR, Embedding(unit, key)),)
    return found


def test_every_number_says_where_it_comes_from():
    assert {p.value for p in NAMED} == {0.32, 0.34, 0.38, 0.45, 0.85, 10, 20}
    assert all(p.source and p.name for p in NAMED)


@pytest.mark.parametrize("keys", [(PALETTE,), (CLIP, PALETTE), ()])
def test_a_number_is_not_used_for_another_encoder_or_for_a_set(keys):
    assert all(prior_for(keys, crop) is None for crop in CropClass)


def test_the_clip_numbers_are_for_heads_and_whole_figures():
    face, body = prior_for((CLIP,), CropClass.HEAD), prior_for((CLIP,), CropClass.FIGURE)
    assert face is not None
    assert body is not None
    assert (face.value, body.value) == (0.38, 0.34)
    assert prior_for((CLIP,), CropClass.HALF) is None


def test_a_stated_number_fills_in_until_there_are_references_enough():
    (limit,) = thresholds_from_references("a_1", prints(CLIP, 3), str(CLIP))
    assert limit.value == 0.38
    assert "quick start" in limit.source
    (learned,) = thresholds_from_references("a_1", prints(CLIP, MIN_REFERENCES), str(CLIP))
    assert "leave-one-out" in learned.source
    assert thresholds_from_references("a_1", prints(CLIP, 1), str(CLIP)) == ()
    assert thresholds_from_references("a_1", prints(PALETTE, 3), str(PALETTE)) == ()
