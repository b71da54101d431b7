import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import (
    AdapterScale,
    CastConditioning,
    ConditioningPlan,
    ControlUse,
    Enlargement,
    InpaintUse,
    Intervention,
    ModelFile,
    ModuleUse,
    PromptPart,
    ReferenceUse,
    Sampling,
    StepTaken,
    Variation,
)
from pipeline.domain.geometry import Box, Size

# Every field of every part is drawn from its annotation, so that a field which is added later is
# driven without anybody thinking of it.
_text = st.text(max_size=30)
_share = st.floats(0, 1)
st.register_type_strategy(Size, st.builds(Size, st.integers(1, 4096), st.integers(1, 4096)))
st.register_type_strategy(Box, st.builds(Box, *[st.integers(0, 4096)] * 4))
_PLAIN = {
    str: _text,
    int: st.integers(0, 2**63),
    float: _share,
    str | None: st.none() | _text,
}


def built(kind):
    hints = {f.name: f.type for f in fields(kind)}
    known = {name: _PLAIN[hint] for name, hint in hints.items() if hint in _PLAIN}
    return st.builds(kind, **known, **{name: ... for name in hints if name not in known})


def several(kind):
    return st.lists(built(kind), max_size=2).map(tuple)


def some(kind):
    return st.none() | built(kind)


uses = st.builds(
    ReferenceUse, sha256=_text, reference_id=st.integers(1, 2**40), scale=_share, why=_text,
    role=..., adapters=several(AdapterScale),
)  # fmt: skip
members = st.builds(
    CastConditioning,
    character_id=_text, appearance_id=_text, identity=_text,
    references=st.lists(uses, max_size=3).map(tuple),
    height_ratio=st.floats(0.1, 3), region=..., negative=several(PromptPart),
)  # fmt: skip
PLAN_FIELDS = {
    "generator": _text, "generator_version": _text, "prompt": _text, "negative": _text,
    "cast": st.lists(members, max_size=3).map(tuple),
    "shot_type": ..., "color_mode": ..., "size": ...,
    "seed": st.integers(0, 2**63), "alternates": st.integers(1, 4), "strength": st.integers(0, 9),
    "balloon_lines": st.integers(0, 8),
    "prompt_parts": several(PromptPart), "negative_parts": several(PromptPart),
    "controls": several(ControlUse), "modules": several(ModuleUse), "inpaint": some(InpaintUse),
    "sampling": built(Sampling), "bucket": ..., "models": several(ModelFile), "style_freedom": _share,
    "steps": several(StepTaken), "interventions": several(Intervention), "notes": st.lists(_text, max_size=2).map(tuple),
    "variations": several(Variation), "enlarge": some(Enlargement),
}  # fmt: skip
plans = st.builds(ConditioningPlan, **PLAN_FIELDS)

# As the first version of the program stored it.
VERSION_1 = {
    "generator": "draft", "generator_version": "1", "prompt": "p", "negative": "",
    "cast": [{
        "character_id": "ch_a", "appearance_id": "a_x", "identity": "A", "height_ratio": 1.1,
        "references": [{"sha256": "00", "reference_id": 4, "scale": 0.6, "why": "Canon."}],
    }],
    "shot_type": "half", "color_mode": "grayscale", "size": [64, 48],
    "seed": 5, "alternates": 2, "strength": 1, "balloon_lines": 3,
}  # fmt: skip


def test_the_strategy_drives_every_field():
    assert {f.name for f in fields(ConditioningPlan)} == set(PLAN_FIELDS)


def _example() -> ConditioningPlan:
    return ConditioningPlan.from_json(json.dumps(VERSION_1))


@given(plans)
def test_the_round_trip_is_exact(plan):
    again = ConditioningPlan.from_json(plan.to_json())
    assert again == plan
    assert again.recipe_hash == plan.recipe_hash


@given(plans, st.data())
def test_a_missing_field_is_a_value_error(plan, data):
    plain = json.loads(plan.to_json())
    del plain[data.draw(st.sampled_from(sorted(plain.keys() - {"version"})))]
    with pytest.raises(ValueError, match="not a conditioning plan"):
        ConditioningPlan.from_json(json.dumps(plain))


@given(plans)
def test_an_unknown_field_is_a_value_error(plan):
    data = json.loads(plan.to_json()) | {"surprise": 1}
    with pytest.raises(ValueError, match="not a conditioning plan"):
        ConditioningPlan.from_json(json.dumps(data))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", "7"), ("seed", True), ("prompt", 3), ("cast", {}), ("size", [1]),
        ("sampling", None), ("shot_type", "wide"), ("notes", [1]), ("version", 99),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_kind_is_a_value_error(field, value):
    data = json.loads(_example().to_json()) | {field: value}
    with pytest.raises(ValueError, match="not a conditioning plan"):
        ConditioningPlan.from_json(json.dumps(data))


def test_a_plan_of_the_first_version_still_loads():
    plan = _example()
    assert (plan.size, plan.shot_type, plan.color_mode) == (
        Size(64, 48), ShotType.HALF, ColorMode.GRAYSCALE,
    )  # fmt: skip
    assert plan.cast[0].references[0] == ReferenceUse("00", 4, 0.6, "Canon.")
    assert (plan.seed, plan.strength, plan.balloon_lines) == (5, 1, 3)
    assert ConditioningPlan.from_json(plan.to_json()) == plan


def test_a_plan_of_the_second_version_was_drawn_without_interventions():
    data = {**json.loads(_example().to_json()), "version": 2}
    del data["interventions"], data["variations"], data["enlarge"]
    assert ConditioningPlan.from_json(json.dumps(data)) == _example()


def test_the_plan_of_a_later_alternate_takes_its_interventions_along():
    made = (Intervention(0, 3), Intervention(1, 2, 1.25), Intervention(2, 4))
    plan = replace(_example(), alternates=3, interventions=made)
    assert plan.drawn == (1,)
    second = plan.first_is(1)
    assert second.seed == plan.seed + 1
    assert second.interventions == (Intervention(0, 2, 1.25), Intervention(1, 4))


def test_a_plan_of_the_third_version_varies_and_enlarges_nothing():
    data = {**json.loads(_example().to_json()), "version": 3}
    del data["variations"], data["enlarge"]
    assert ConditioningPlan.from_json(json.dumps(data)) == _example()


def test_of_a_variation_the_other_noise_is_counted_up():
    plan = replace(_example(), variations=(Variation(1, 0.2), Variation(5, 0.3))).first_is(4)
    assert (plan.seed, tuple(v.seed for v in plan.variations)) == (5, (1, 9))


@pytest.mark.parametrize("field", ["seed", "cast", "size"])
def test_a_damaged_plan_of_the_first_version_is_a_value_error(field):
    data = {key: value for key, value in VERSION_1.items() if key != field}
    with pytest.raises(ValueError, match="not a conditioning plan"):
        ConditioningPlan.from_json(json.dumps(data))
