"""The ladder over every kind of engine: stronger at each rung, up to a stop, and never stiffer."""

import io
import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.conditioning import (
    Adapter,
    ConditioningPlan,
    ModuleKind,
    ModuleUse,
    Step,
)
from pipeline.domain.evidence import StepCount
from pipeline.domain.fingerprint import CropClass, PictureHashes
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import CastInput, LadderPolicy, PanelInputs, ReferenceInput
from pipeline.domain.panel import Candidate, CastRole, PanelBrief, PlacedFigure
from pipeline.domain.quality import (
    Attempt,
    CandidateReport,
    CharacterCheck,
    Flag,
    JudgedCandidate,
    Verdict,
)
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.evidence import ENOUGH, Beta, order_steps, posterior
from pipeline.generation.generators.draft import DraftGenerator
from pipeline.generation.ladder import SEED_ONLY, Spent, next_rung
from pipeline.generation.plan import plan_for
from pipeline.generation.steps import HEAVIEST_NEGATIVE, LEAST_SCALE, region_mask, weights_of
from pipeline.quality.stiffness import STIFF

SIZE = Size(64, 48)
LOOKS = (
    {"hair_color": "navy", "hair_style": "long curls", "top": "red jumper"},
    {"hair_color": "blonde", "hair_style": "short", "top": "white shirt"},
)
FREE = Spent(0, 0.0)


class Engine:
    name = "engine"
    version = "1"

    def __init__(self, **able):
        self.capabilities = Capabilities(**{"references": 4, **able})

    def generate(self, plan, pictures, *, progress, cancelled):
        raise NotImplementedError


FULL = {
    "adapters": frozenset(Adapter), "controls": True, "regions": True, "inpaint": True, "lora": True,
    "textual_inversion": True, "negative": True,
}  # fmt: skip


def member(number=0, references=3, lora=False) -> CastInput:
    who = "ab"[number]
    return CastInput(
        f"ch_{who}", f"{who}_x", who.upper(), "x", 1.0, LOOKS[number], (),
        tuple(
            ReferenceInput(
                10 * number + i, f"{10 * number + i:064x}", b"", ReferenceKind.POSE, ShotType.HALF,
                "", "", True, (),
            )
            for i in range(1, references + 1)
        ),
        modules=(ModuleUse(ModuleKind.LORA, f"{who}_x", "aa", 0.8, "trained"),) if lora else (),
    )  # fmt: skip


def inputs_for(*cast: CastInput, **more) -> PanelInputs:
    roles = tuple(CastRole(m.character_id, m.appearance_id) for m in cast)
    brief = PanelBrief("they wait", roles, ShotType.HALF, 1, size=SIZE)
    policy = more.pop("policy", LadderPolicy(max_attempts=50))
    return PanelInputs(1, brief, cast, policy=policy, **more)


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", SIZE, "white").save(stream, "PNG")
    return stream.getvalue()


def attempt(plan, *, margin=-0.1, who=("ch_a",), copy=None, everyone=("ch_a",), number=1):
    checks = tuple(
        CharacterCheck(
            c, f"{c[-1]}_x", Verdict.OFF_MODEL if c in who else Verdict.ON_MODEL, "r",
            0.5 + margin, 0.5, CropClass.HEAD, Box(4, 4, 30, 40),
        )
        for c in everyone
    )  # fmt: skip
    verdict = Verdict.OFF_MODEL if who else Verdict.ON_MODEL
    figures = tuple(PlacedFigure(c, Box(4, 4, 30, 40), Box(8, 4, 20, 16)) for c in everyone)
    judged = JudgedCandidate(
        Candidate(png(), SIZE, figures), PictureHashes("t", 1, 2, 3),
        CandidateReport(verdict, checks, (Flag.OFF_MODEL,) if who else (), margin=margin),
    )  # fmt: skip
    return Attempt(number, plan, (judged,), 1.0, copy_score=copy)


def climb(engine, inputs, rungs=30, **shape):
    """Plans of a climb in which nothing is ever good enough."""
    attempts = [attempt(plan_for(inputs, engine, strength=0), **shape)]
    while len(attempts) < rungs:
        rung = next_rung(attempts, inputs, engine, missing=1, spent=FREE)
        if rung is None:
            break
        attempts.append(attempt(rung.plan, number=len(attempts) + 1, **shape))
    return [a.plan for a in attempts]


def force(plan: ConditioningPlan) -> tuple[float, ...]:
    """What a plan holds with: identity, words, modules, references."""
    return (
        sum(m.references[0].scale for m in plan.cast if m.references),
        sum(weights_of(plan).values()),
        len(plan.modules),
        sum(len(m.references) for m in plan.cast),
    )


engines = st.fixed_dictionaries(
    {
        "references": st.integers(1, 6),
        "adapters": st.sampled_from([frozenset(), frozenset({Adapter.IP_FACE}), frozenset(Adapter)]),
        "regions": st.booleans(), "inpaint": st.booleans(), "lora": st.booleans(),
        "negative": st.booleans(), "pastes_references": st.booleans(),
    }
).map(lambda able: Engine(**able))  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    engines,
    st.integers(1, 2),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from(["", "hair_color", "face_shape"]),
)
def test_every_rung_is_stronger_and_there_is_an_upper_stop(engine, people, references, lora, hint):
    cast = tuple(member(n, references, lora) for n in range(people))
    inputs = inputs_for(*cast, hints=(hint,) if hint else ())
    everyone = tuple(m.character_id for m in cast)
    plans = climb(engine, inputs, everyone=everyone)
    assert len(plans) < 30
    for before, after in itertools.pairwise(plans):
        assert after.strength == before.strength + 1
        assert after.seed != before.seed
        assert after.recipe_hash != before.recipe_hash
        assert all(b <= a for b, a in zip(force(before), force(after), strict=True)) or (
            Step.RAISE_NEGATIVE
            in {s.step for s in after.steps}  # heavier words may push out others
        )
        assert after.steps
        assert all(s.why for s in after.steps)
    seed_only = [p for p in plans if {s.step for s in p.steps} == {Step.CHANGE_SEED}]
    assert len(seed_only) == SEED_ONLY
    assert plans[-1] in seed_only
    assert max(use.scale for p in plans for m in p.cast for use in m.references) <= 1.0
    assert all(w <= HEAVIEST_NEGATIVE for p in plans for w in weights_of(p).values())


@settings(max_examples=40, deadline=None)
@given(engines, st.booleans())
def test_a_plan_holds_nothing_that_the_engine_cannot_do(engine, lora):
    can = engine.capabilities
    for plan in climb(engine, inputs_for(member(0, 5, lora), member(1), hints=("hair_color",))):
        assert can.negative or not (plan.negative or plan.negative_parts)
        assert can.regions or not any(m.region or m.negative for m in plan.cast)
        assert can.lora or not plan.modules
        assert can.inpaint or plan.inpaint is None
        assert all(len(m.references) <= can.references for m in plan.cast)
        held = {a.adapter for m in plan.cast for use in m.references for a in use.adapters}
        assert held <= can.adapters
        assert ConditioningPlan.from_json(plan.to_json()) == plan


@given(st.integers(1, 6), st.floats(0, 100), st.floats(0, 100))
def test_the_budget_is_never_exceeded(attempts, seconds, longest):
    engine, inputs = Engine(), inputs_for(member())
    inputs = replace(inputs, policy=LadderPolicy(max_attempts=4, max_seconds=60))
    done = [attempt(plan_for(inputs, engine, strength=0))]
    rung = next_rung(done, inputs, engine, missing=1, spent=Spent(attempts, seconds, longest))
    assert (rung is not None) == (attempts < 4 and seconds + longest < 60)


def test_figures_that_repeat_their_reference_are_held_less_until_they_do_not():
    engine, inputs = Engine(**FULL), inputs_for(member())
    first = plan_for(inputs, engine, strength=2)
    rung = next_rung([attempt(first, copy=STIFF)], inputs, engine, missing=1, spent=FREE)
    assert Step.LOWER_IDENTITY in {s.step for s in rung.plan.steps}
    assert rung.plan.cast[0].references[0].scale < first.cast[0].references[0].scale
    assert rung.plan.strength == first.strength + 1
    free = next_rung([attempt(first, copy=STIFF - 0.1)], inputs, engine, missing=1, spent=FREE)
    assert Step.RAISE_IDENTITY in {s.step for s in free.plan.steps}
    scales = [p.cast[0].references[0].scale for p in climb(engine, inputs, copy=1.0)]
    assert min(scales) >= LEAST_SCALE


def test_an_engine_that_pastes_by_design_is_not_turned_down():
    engine, inputs = Engine(pastes_references=True), inputs_for(member())
    first = plan_for(inputs, engine, strength=0)
    rung = next_rung([attempt(first, copy=1.0)], inputs, engine, missing=1, spent=FREE)
    assert Step.RAISE_IDENTITY in {s.step for s in rung.plan.steps}


def test_the_words_against_the_drift_weigh_more_each_time():
    engine = Engine(**FULL)
    plans = climb(engine, inputs_for(member(), hints=("hair_color",)))
    weights = [weights_of(p).get("hair_color", 1.0) for p in plans]
    assert weights == sorted(weights)
    assert weights[1] == 1.3
    heavy = [p for p in plans[1].negative_parts if p.weight > 1]
    assert {p.mode for p in heavy} == {"hair_color"}


def test_a_trained_module_is_taken_and_stays():
    plans = climb(Engine(**FULL), inputs_for(member(lora=True)))
    taken = [bool(p.modules) for p in plans]
    assert taken == sorted(taken)
    assert taken[-1]


def test_only_the_drifted_region_of_the_best_picture_is_drawn_again():
    engine, inputs = Engine(**FULL), inputs_for(member(), hints=("hair_color",))
    plans, done = [], [attempt(plan_for(inputs, engine, strength=0))]
    while rung := next_rung(done, inputs, engine, missing=1, spent=FREE):
        plans.append(rung)
        done.append(attempt(rung.plan))
    repairs = [r for r in plans if r.plan.inpaint is not None]
    assert repairs
    use = repairs[0].plan.inpaint
    assert repairs[0].pictures[use.base_sha256] == png()
    mask = Image.open(io.BytesIO(repairs[0].pictures[use.mask_sha256]))
    assert mask.size == SIZE
    assert mask.getpixel((12, 8)) == 255  # hair is repaired at the head
    assert mask.getpixel((12, 40)) == 0


def test_two_who_drifted_are_not_repaired_one_by_one():
    plans = climb(
        Engine(**FULL), inputs_for(member(), member(1)), who=("ch_a", "ch_b"),
        everyone=("ch_a", "ch_b"),
    )  # fmt: skip
    assert all(p.inpaint is None for p in plans)


def test_with_regions_only_the_one_who_drifted_is_held_harder():
    engine, inputs = Engine(**FULL), inputs_for(member(), member(1))
    first = plan_for(inputs, engine, strength=0)
    done = [attempt(first, who=("ch_b",), everyone=("ch_a", "ch_b"))]
    rung = next_rung(done, inputs, engine, missing=1, spent=FREE)
    assert rung.plan.cast[0].references[0].scale == first.cast[0].references[0].scale
    assert rung.plan.cast[1].references[0].scale > first.cast[1].references[0].scale
    assert {s.character_id for s in rung.plan.steps} == {"ch_b"}


@given(st.integers(0, 63), st.integers(0, 47), st.integers(0, 80), st.integers(0, 80))
def test_a_mask_covers_its_region_and_stays_inside_the_picture(x, y, w, h):
    region = Box(x, y, x + w, y + h)
    mask = Image.open(io.BytesIO(region_mask(SIZE, region)))
    assert mask.size == SIZE
    inside = region.intersection(Box(0, 0, *SIZE))
    if inside.area:
        assert mask.crop(inside).getextrema() == (255, 255)


def test_the_draft_engine_climbs_as_its_rung_says():
    engine, inputs = DraftGenerator(), inputs_for(member(), member(1))
    for rung, plan in enumerate(climb(engine, inputs, rungs=3)):
        again = plan_for(inputs, engine, strength=rung)
        assert replace(plan, steps=()) == replace(again, steps=())


# --- evidence --------------------------------------------------------------------------------

STEPS = (Step.RAISE_NEGATIVE, Step.SWAP_REFERENCE, Step.USE_MODULE)


def count(step, tried, helped, mode="hair_color", generator="engine"):
    return StepCount(mode, step, generator, tried, helped)


def test_without_evidence_the_given_order_holds():
    assert order_steps(STEPS, (), "hair_color", "engine") == list(STEPS)
    few = (count(Step.USE_MODULE, ENOUGH - 1, ENOUGH - 1),)
    assert order_steps(STEPS, few, "hair_color", "engine") == list(STEPS)


def test_with_evidence_what_pays_comes_first():
    counts = (count(Step.RAISE_NEGATIVE, 10, 1), count(Step.USE_MODULE, 10, 9))
    assert order_steps(STEPS, counts, "hair_color", "engine") == [
        Step.USE_MODULE, Step.SWAP_REFERENCE, Step.RAISE_NEGATIVE,
    ]  # fmt: skip


def test_evidence_belongs_to_its_mode_and_engine():
    counts = (count(Step.RAISE_NEGATIVE, 20, 0), count(Step.USE_MODULE, 20, 20))
    assert order_steps(STEPS, counts, "outfit", "engine") == list(STEPS)
    assert order_steps(STEPS, counts, "hair_color", "other") == list(STEPS)


_tries = st.integers(0, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(_tries, _tries)
def test_a_posterior_is_a_chance_that_follows_what_was_seen(exact, other):
    counts = (
        count(Step.USE_MODULE, *exact),
        count(Step.USE_MODULE, *other, mode="outfit"),
        count(Step.USE_MODULE, 50, 50, generator="other"),
    )
    seen = posterior(counts, Step.USE_MODULE, "hair_color", "engine")
    assert 0 < seen.mean < 1
    assert 0 < seen.variance <= Beta().variance
    tried, helped = exact
    assert seen.a - helped <= 5.0 + 1e-9  # the prior and other modes weigh four tries at most
    assert seen.b - (tried - helped) <= 5.0 + 1e-9
    more = (replace(counts[0], tried=tried + 1, helped=helped + 1), *counts[1:])
    assert posterior(more, Step.USE_MODULE, "hair_color", "engine").mean > seen.mean


@pytest.mark.parametrize("start", [0, 3])
def test_a_moderators_label_makes_its_words_heavier_from_the_start(start):
    engine = Engine(**FULL)
    plan = plan_for(inputs_for(member(), hints=("hair_color",)), engine, strength=start)
    assert weights_of(plan)["hair_color"] == pytest.approx(1 + 0.3 * start)
