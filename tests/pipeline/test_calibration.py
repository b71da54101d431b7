"""Limits learned from an appearance's own references."""

import numpy as np
import pytest

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, Fingerprint
from pipeline.fingerprints.composite import encoder_set
from pipeline.quality.calibration import (
    MIN_REFERENCES,
    RISKS,
    lower_bound,
    student_quantile,
    thresholds_from_references,
)

KEYS = (EncoderKey("palette", "aaa", 1), EncoderKey("structure", "bbb", 1))
DIMENSIONS = 24


def prints(
    rng: np.random.Generator,
    spread: float,
    crops: tuple[CropClass, ...] = (CropClass.HEAD,),
    keys: tuple[EncoderKey, ...] = KEYS,
) -> tuple[Fingerprint, ...]:
    """Vectors scattered around one direction."""
    made = []
    for key in keys:
        for crop in crops:
            vector = np.eye(DIMENSIONS)[0] + spread * rng.normal(0, 1, DIMENSIONS)
            vector = (vector / np.linalg.norm(vector)).astype(np.float32)
            made.append(Fingerprint(crop, ColorMode.COLOR, Embedding(vector, key)))
    return tuple(made)


def references(count: int, spread: float, seed: int = 0) -> dict[int, tuple[Fingerprint, ...]]:
    rng = np.random.default_rng(seed)
    return {i: prints(rng, spread) for i in range(count)}


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    [(0.97, 3, 2.951), (0.97, 7, 2.241), (0.97, 30, 1.955), (0.99, 3, 4.541), (0.99, 7, 2.998)],
)
def test_student_quantiles(probability: float, freedom: int, expected: float) -> None:
    assert student_quantile(probability, freedom) == pytest.approx(expected, rel=0.01)


def test_too_few_references_give_no_limit() -> None:
    text = encoder_set(KEYS)
    assert thresholds_from_references("a", references(MIN_REFERENCES - 1, 0.1), text) == ()
    found = thresholds_from_references("a", references(MIN_REFERENCES, 0.1), text)
    assert [(t.key.crop, t.key.color_mode) for t in found] == [(CropClass.HEAD, ColorMode.COLOR)]
    assert found[0].references == MIN_REFERENCES
    assert found[0].key.appearance_id == "a"
    assert found[0].key.encoders == text
    assert f"{MIN_REFERENCES} references" in found[0].source


def test_each_class_is_counted_on_its_own() -> None:
    rng = np.random.default_rng(0)
    known = {i: prints(rng, 0.1, (CropClass.HEAD, CropClass.HALF)) for i in range(3)}
    known |= {10 + i: prints(rng, 0.1) for i in range(3)}
    found = thresholds_from_references("a", known, encoder_set(KEYS))
    assert {t.key.crop: t.references for t in found} == {CropClass.HEAD: 6}


def test_references_without_every_encoder_do_not_count() -> None:
    rng = np.random.default_rng(0)
    known = references(3, 0.1) | {10 + i: prints(rng, 0.1, keys=KEYS[:1]) for i in range(5)}
    assert thresholds_from_references("a", known, encoder_set(KEYS)) == ()
    alone = thresholds_from_references("a", known, encoder_set(KEYS[:1]))
    assert [t.references for t in alone] == [8]
    assert thresholds_from_references("a", known, "") == ()


def test_varied_references_allow_more() -> None:
    text = encoder_set(KEYS)
    values = [
        thresholds_from_references("a", references(10, spread), text)[0].value
        for spread in (0.02, 0.1, 0.3)
    ]
    assert values == sorted(values, reverse=True)


def test_near_copies_do_not_make_a_limit_that_nothing_passes() -> None:
    value = thresholds_from_references("a", references(4, 1e-4), encoder_set(KEYS))[0].value
    assert value < 0.99


def test_the_bound_is_lower_for_less_risk_and_for_fewer_references() -> None:
    sample = np.array([0.80, 0.84, 0.88, 0.92] * 3)
    for prior in (None, 0.075):
        assert lower_bound(sample, 0.01, prior) < lower_bound(sample, 0.05, prior)
        assert lower_bound(sample[:4], 0.03, prior) < lower_bound(sample, 0.03, prior)
    assert lower_bound(np.array([0.99, -0.99, 0.5, 0.0]), 0.01, None) == -1.0


@pytest.mark.parametrize("count", [6, 12, 30])
def test_a_further_picture_falls_below_about_as_often_as_the_risk_says(count: int) -> None:
    rng = np.random.default_rng(7)
    risk, trials, below = 0.05, 3000, 0
    for _ in range(trials):
        distances = rng.normal(0.5, 0.075, count + 1)
        similarities = 1 - distances**2 / 2
        below += similarities[-1] < lower_bound(similarities[:-1], risk, None)
    assert below / trials == pytest.approx(risk, abs=0.015)


def test_the_deciding_looks_share_one_small_risk() -> None:
    assert RISKS[CropClass.HEAD] + RISKS[CropClass.HALF] <= 0.05
    assert set(RISKS) == set(CropClass)
