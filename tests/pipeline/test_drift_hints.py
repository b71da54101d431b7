"""What drifted becomes a mode, a negative piece and a region; labels correct the check."""

from dataclasses import replace

import pytest

from pipeline.domain.character import ColorMode
from pipeline.domain.evidence import AttributeCount
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput
from pipeline.domain.quality import CharacterCheck, Drift, Verdict
from pipeline.prompting.drift import catalogue
from pipeline.quality.agreement import krippendorff_alpha
from pipeline.quality.attributes import MODES, Attribute
from pipeline.quality.hints import likeliest_drift, mode_hint
from pipeline.quality.labels import coverage_of, proposed_modes

MEMBER = CastInput(
    "ch_mira", "mira_s1", "Mira", "Season 1", 1.0,
    {"hair_color": "navy", "hair_style": "long, straight", "top": "red jumper"}, (), (),
)  # fmt: skip
CHECK = CharacterCheck(
    "ch_mira", "mira_s1", Verdict.OFF_MODEL, "off", 0.6, 0.8, CropClass.HEAD, Box(0, 0, 90, 90)
)


def drifted(*pairs: tuple[str, float]) -> CharacterCheck:
    return replace(CHECK, drift=tuple(Drift(a, c, c, c, Box(1, 2, 9, 9)) for a, c in pairs))


def test_every_attribute_is_a_mode_of_the_catalogue() -> None:
    assert set(MODES) == set(Attribute)
    for modes in MODES.values():
        assert set(modes) <= set(catalogue().modes)
    owned = [mode for modes in MODES.values() for mode in modes]
    assert len(owned) == len(set(owned)), "a label belongs to one attribute"


def test_the_surest_attribute_names_the_mode() -> None:
    check = drifted(("outfit_color", 0.9), ("hair_color", 0.7))
    assert mode_hint(check, MEMBER, ColorMode.COLOR) == "outfit_color"


def test_an_unsure_attribution_names_nothing() -> None:
    assert likeliest_drift(drifted(("outfit_color", 0.3))) is None
    assert mode_hint(drifted(("outfit_color", 0.3)), MEMBER, ColorMode.COLOR) == ""


def test_labels_of_people_correct_the_attribution() -> None:
    check = drifted(("outfit_color", 0.8), ("hair_color", 0.75))
    wrong = {"outfit_color": AttributeCount("outfit_color", named=20, right=2)}
    best = likeliest_drift(check, wrong)
    assert best is not None
    assert best.attribute == "hair_color"
    assert mode_hint(check, MEMBER, ColorMode.COLOR, wrong) == "hair_color"


def test_a_mode_that_the_look_can_have_goes_first() -> None:
    hint = mode_hint(drifted(("facial_hair", 0.9)), MEMBER, ColorMode.COLOR)
    bearded = replace(MEMBER, components={"facial_hair": "full beard"})
    assert hint in MODES[Attribute.FACIAL_HAIR]
    assert mode_hint(drifted(("facial_hair", 0.9)), bearded, ColorMode.COLOR) == "facial_hair_lost"


def test_coverage_counts_drift_only_and_free_texts_as_unexplained() -> None:
    none = coverage_of({"nothing": 4, "copy": 2})
    assert none.share is None
    assert "No drift" in none.words
    found = coverage_of({"hair_color": 8, "nothing": 5, "odd": 1}, ["tail lost"])
    assert (found.labelled, found.explained) == (10, 8)
    assert "80%" in found.words
    assert "goal" in found.words


def test_free_texts_that_say_the_same_become_a_proposed_mode() -> None:
    texts = ["tail is missing", "the tail lost its stripes", "Tail missing!", "antenna bent"]
    texts += ["tail changed", "halo is gone"]
    (mode,) = proposed_modes(texts)
    assert mode.words[0] == "tail"
    assert len(mode.texts) == 3 or len(mode.texts) == 4
    assert proposed_modes(["one", "two", "three"]) == []


def test_alpha_is_that_of_krippendorff() -> None:
    # Worked example: ten units of two observers, a and b (Krippendorff 2011, nominal, binary).
    first, second = "0100000000", "1110010010"
    units = list(zip(first, second, strict=True))
    assert krippendorff_alpha(units) == pytest.approx(0.095, abs=5e-4)
    assert krippendorff_alpha([("a", "a"), ("b", "b")]) == 1
    assert krippendorff_alpha([("a",), ()]) is None
    assert krippendorff_alpha([("a", "a"), ("a", "a")]) is None
