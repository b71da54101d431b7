import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import CastConditioning, ConditioningPlan, ReferenceUse
from pipeline.domain.geometry import Size

_words = st.text(max_size=30)
_scales = st.floats(0, 1)
_uses = st.builds(ReferenceUse, _words, st.integers(1, 2**40), _scales, _words)
_members = st.builds(
    CastConditioning,
    _words,
    _words,
    _words,
    st.lists(_uses, max_size=3).map(tuple),
    st.floats(0.1, 3),
)
plans = st.builds(
    ConditioningPlan,
    generator=_words,
    generator_version=_words,
    prompt=_words,
    negative=_words,
    cast=st.lists(_members, max_size=3).map(tuple),
    shot_type=st.sampled_from(ShotType),
    color_mode=st.sampled_from(ColorMode),
    size=st.builds(Size, st.integers(1, 4096), st.integers(1, 4096)),
    seed=st.integers(0, 2**63),
    alternates=st.integers(1, 4),
    strength=st.integers(0, 9),
    balloon_lines=st.integers(0, 8),
)


@given(plans)
def test_the_round_trip_is_exact(plan):
    again = ConditioningPlan.from_json(plan.to_json())
    assert again == plan
    assert again.recipe_hash == plan.recipe_hash


@given(plans, st.sampled_from(["seed", "cast", "size", "shot_type"]))
def test_a_missing_field_is_a_value_error(plan, field):
    data = json.loads(plan.to_json())
    del data[field]
    with pytest.raises(ValueError, match="not a conditioning plan"):
        ConditioningPlan.from_json(json.dumps(data))


@given(plans)
def test_an_unknown_field_is_a_value_error(plan):
    data = json.loads(plan.to_json()) | {"surprise": 1}
    with pytest.raises(ValueError, match="not a conditioning plan"):
        ConditioningPlan.from_json(json.dumps(data))
