"""A reroll changes the named part of a recipe and nothing else, whatever the ladder had done."""

from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.conditioning import Adapter, ConditioningPlan, ControlKind
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import CastInput, PanelInputs, ReferenceInput
from pipeline.domain.panel import CastRole, PanelBrief, PlanPart, Revision
from pipeline.domain.pose import Pose
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.ladder import first_rung
from pipeline.generation.plan import plan_for
from pipeline.generation.steps import weights_of

SIZE = Size(160, 120)
STANDING = tuple((50.0 + 10 * (i % 2), 8.0 * i, 1.0) for i in range(17))


class Engine:
    name, version = "engine", "2"
    capabilities = Capabilities(
        references=3, adapters=frozenset(Adapter), controls=True, regions=True, inpaint=True,
        negative=True, native_pixels=512 * 512, variations=2,
    )  # fmt: skip

    def generate(self, plan, pictures, *, progress, cancelled):
        raise NotImplementedError


def member(who: str, references: int = 4) -> CastInput:
    look = {"hair_color": "navy", "hair_style": "long curls", "top": "red jumper"}
    offset = ord(who) * 10
    return CastInput(
        f"ch_{who}", f"{who}_x", who.upper(), "x", 1.0, look, (),
        tuple(
            ReferenceInput(
                offset + i, f"{offset + i:064x}", b"", ReferenceKind.POSE, ShotType.HALF, "", "",
                True, (), pose=Pose(STANDING),
            )
            for i in range(references)
        ),
    )  # fmt: skip


CAST = (member("a"), member("b"))
BRIEF = PanelBrief(
    "A and B wait", tuple(CastRole(m.character_id, m.appearance_id) for m in CAST), ShotType.HALF,
    seed=11, size=SIZE,
)  # fmt: skip
NEW = {
    PlanPart.PROMPT: {"prompt": "A and B dance"},
    PlanPart.SEED: {"seed": 77},
    PlanPart.SHOT_TYPE: {"shot_type": ShotType.FULL},
    PlanPart.ALTERNATES: {"alternates": 3},
    PlanPart.REFERENCES: {"lead": (CAST[0].references[3].reference_id,)},
    PlanPart.HOLD: {"hold": 0.35},
    PlanPart.STYLE_FREEDOM: {"style_freedom": 0.8},
    PlanPart.VARIATION: {},
}
assert set(NEW) == set(PlanPart) - {PlanPart.ENLARGEMENT}, "that one is no drawing"
FIELDS = {
    PlanPart.PROMPT: {"prompt", "prompt_parts"},
    PlanPart.SEED: {"seed"},
    PlanPart.SHOT_TYPE: {"shot_type", "prompt", "prompt_parts", "cast"},
    PlanPart.ALTERNATES: {"alternates"},
    PlanPart.REFERENCES: {"cast", "controls"},
    PlanPart.HOLD: {"cast"},
    PlanPart.STYLE_FREEDOM: {"style_freedom", "cast"},
    PlanPart.VARIATION: {"variations"},
}


def climbed(strength: int = 2) -> ConditioningPlan:
    """A recipe that is not what a first try would be."""
    hinted = PanelInputs(1, BRIEF, CAST, hints=("hair_color",))
    return plan_for(hinted, Engine(), strength=strength)


def reroll(base: ConditioningPlan, *parts: PlanPart, **more) -> ConditioningPlan:
    changes = {key: value for part in parts for key, value in NEW[part].items()}
    brief = replace(BRIEF, **changes, revision=Revision(5, 0, parts))
    inputs = PanelInputs(2, brief, more.pop("cast", CAST), base=base, **more)
    return first_rung(inputs, more.pop("engine", Engine())).plan


@pytest.mark.parametrize("part", sorted(NEW))
def test_only_the_named_part_differs(part):
    base = climbed()
    plan = reroll(base, part)
    before, after = asdict(base), asdict(plan)
    differing = {name for name in before if before[name] != after[name]} - {"steps", "notes"}
    assert differing == FIELDS[part]
    assert plan.strength == base.strength
    assert part.value.replace("_", " ") in plan.steps[0].why
    assert ConditioningPlan.from_json(plan.to_json()) == plan


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(sorted(NEW)), min_size=1), st.integers(0, 3))
def test_several_parts_change_their_own_fields_only(parts, strength):
    base = climbed(strength)
    plan = reroll(base, *sorted(parts))
    before, after = asdict(base), asdict(plan)
    differing = {name for name in before if before[name] != after[name]} - {"steps", "notes"}
    allowed = set().union(*(FIELDS[part] for part in parts))
    assert differing <= allowed
    assert weights_of(plan) == weights_of(base)


def test_a_hold_scales_every_reference_and_adapter():
    base, plan = climbed(), reroll(climbed(), PlanPart.HOLD)
    for old, new in zip(base.cast, plan.cast, strict=True):
        assert [u.sha256 for u in new.references] == [u.sha256 for u in old.references]
        assert new.references[0].scale == pytest.approx(0.35)
        falls = [[u.scale / m.references[0].scale for u in m.references] for m in (old, new)]
        assert falls[1] == pytest.approx(falls[0], abs=1e-3)
        assert all(a.scale == use.scale for use in new.references for a in use.adapters)


def test_a_chosen_reference_comes_first_holds_as_before_and_lends_its_pose():
    base, plan = climbed(), reroll(climbed(), PlanPart.REFERENCES)
    chosen = CAST[0].references[3]
    assert plan.cast[0].references[0].reference_id == chosen.reference_id
    assert "chosen by hand" in plan.cast[0].references[0].why
    assert plan.cast[0].references[0].scale == base.cast[0].references[0].scale
    assert [c.kind for c in plan.controls] == [ControlKind.POSE]
    others = [u.reference_id for u in plan.cast[1].references]
    first = plan_for(PanelInputs(1, BRIEF, CAST), Engine(), strength=0)
    assert others == [u.reference_id for u in first.cast[1].references]


def test_what_cannot_be_repeated_is_planned_anew_and_says_why():
    base = climbed()
    gone = (member("a", references=1), CAST[1])
    assert "a reference of it is gone" in reroll(base, PlanPart.SEED, cast=gone).steps[-1].why
    elsewhere = replace(base, generator="another")
    assert "another drew it" in reroll(elsewhere, PlanPart.SEED).steps[-1].why
    guided = reroll(base, PlanPart.REFERENCES)
    lost = reroll(guided, PlanPart.SEED)
    assert "a guide picture of it is gone" in lost.steps[-1].why
    assert lost.seed == 77
    kept = dict.fromkeys(guided.pictures, b"png")
    again = reroll(guided, PlanPart.SEED, pictures=kept)
    assert again.controls == guided.controls
    assert again.seed == 77
