"""The sentinel beside the sampling: nothing, a stronger hold from a step on, or an early end.

The models are tiny and what they draw is noise: here the mechanism is shown, not its benefit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from drawing import PLAN, draw, figure, pixels
from PIL import Image
from tiny_diffusion import TinyModels

from pipeline.domain.conditioning import (
    Adapter,
    AdapterScale,
    CastConditioning,
    ConditioningPlan,
    Intervention,
    ReferenceUse,
    Sampling,
)
from pipeline.domain.panel import Candidate
from pipeline.domain.sentinel import Bounds, PastRun
from pipeline.generation.diffusion.guarding import _estimates
from pipeline.generation.diffusion.memory import Load, MemoryPlan, plan_memory
from pipeline.generation.diffusion.samplers import SAMPLERS, make_scheduler
from pipeline.generation.generators.diffusers import DiffusersGenerator
from pipeline.generation.watched import Guarded, SentinelPolicy, colours
from pipeline.quality.sentinel import LOOKS, learn_bounds

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

STEPS, FIRST, SECOND = 8, 2, 3
"""Of eight steps the looks are after the second, third and fourth."""
RED = figure("darkred")
PICTURES = dict([RED])
BOUNDS = Bounds(dict.fromkeys(LOOKS, 0.5))
POOR, FINE = 0.1, 0.9


@pytest.fixture(scope="module")
def engine(tiny_sd: TinyModels) -> DiffusersGenerator:
    return DiffusersGenerator(tiny_sd.options())


def plan_of(alternates: int = 1, hold: float = 0.6, sampler: str = "euler") -> ConditioningPlan:
    use = ReferenceUse(RED[0], 1, hold, "", adapters=(AdapterScale(Adapter.IP_WHOLE, hold),))
    cast = (CastConditioning("ch_mira", "mira_v1", "mira", (use,)),) if hold else ()
    return replace(PLAN, sampling=Sampling(sampler, STEPS, 5.0), cast=cast, alternates=alternates)


def scored(
    *scores: float, bounds: Bounds = BOUNDS, controls: frozenset[int] = frozenset()
) -> SentinelPolicy:
    """A policy whose previews are worth these scores, one after the other."""
    left = iter(scores)

    def seen(_preview: Image.Image) -> np.ndarray:
        score = next(left)
        return np.array([score, (1 - score**2) ** 0.5], np.float32)

    return SentinelPolicy(np.array([1.0, 0.0], np.float32), bounds, controls, seen)


def guarded(
    engine: DiffusersGenerator,
    plan: ConditioningPlan,
    policy: SentinelPolicy | None,
    shares: list[float] | None = None,
) -> Guarded:
    told = [] if shares is None else shares
    return engine.generate_guarded(
        plan,
        PICTURES,
        policy,
        progress=lambda share, *_more: told.append(share),
        cancelled=lambda: False,
    )


def repeated(engine: DiffusersGenerator, plan: ConditioningPlan, found: Guarded) -> list[Candidate]:
    """What the recipe alone gives, after its way through the database."""
    recipe = replace(plan, interventions=found.interventions(1.25))
    return draw(engine, ConditioningPlan.from_json(recipe.to_json()), PICTURES)


@dataclass
class Seen:
    """What the denoiser was given and said, and how hard references were held, by step."""

    given: list[np.ndarray] = field(default_factory=list)
    said: list[np.ndarray] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    decoded: int = 0


@contextmanager
def overheard(engine: DiffusersGenerator) -> Iterator[Seen]:
    unet, seen = engine._engine.base.denoiser, Seen()
    decoder = engine._engine.base.components["vae"].decoder

    def after(_module: object, inputs: tuple, out: tuple) -> None:
        held = (getattr(one, "scale", None) for one in unet.attn_processors.values())
        seen.scales.append(next((scale[0][0] for scale in held if isinstance(scale, list)), 0.0))
        seen.given.append(inputs[0].numpy().copy())
        seen.said.append(out[0].numpy().copy())

    def count(*_told: object) -> None:
        seen.decoded += 1

    hooks = [unet.register_forward_hook(after), decoder.register_forward_hook(count)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m_karras"])
@pytest.mark.parametrize("bounds", [BOUNDS, Bounds(why_off="no earlier pictures are known")])
def test_looks_that_decide_nothing_change_no_bit(engine, sampler, bounds):
    plan = plan_of(2, sampler=sampler)
    plain = draw(engine, plan, PICTURES)
    scores = [FINE] * 6 if bounds is BOUNDS else [POOR] * 6
    with overheard(engine) as seen:
        found = guarded(engine, plan, scored(*scores, bounds=bounds))
    assert [one.image for one in found.kept] == [one.image for one in plain]
    assert len(seen.given) == 2 * STEPS
    assert [sorted(receipt.scores) for receipt in found.receipts] == [sorted(LOOKS)] * 2
    assert found.interventions(1.25) == ()
    assert all(one.left_alone == (bounds is not BOUNDS) for one in found.receipts)


def test_without_a_sentinel_nothing_is_looked_at(engine):
    found = guarded(engine, plan_of(), None)
    assert found.candidates == tuple(draw(engine, plan_of(), PICTURES))
    assert found.receipts == ()


def test_a_poor_look_holds_harder_from_that_step_on_and_only_for_that_picture(engine):
    plan = plan_of(2)
    with overheard(engine) as before:
        plain = draw(engine, plan, PICTURES)
    with overheard(engine) as after:
        found = guarded(engine, plan, scored(POOR, FINE, FINE, FINE, FINE, FINE))
    assert before.scales == pytest.approx([0.6] * 2 * STEPS)
    assert after.scales == pytest.approx([0.6] * FIRST + [0.75] * (STEPS - FIRST) + [0.6] * STEPS)
    for step in range(FIRST):
        assert np.array_equal(before.said[step], after.said[step])
    assert np.array_equal(before.given[FIRST], after.given[FIRST]), "until then it is the same"
    assert not np.array_equal(before.said[FIRST], after.said[FIRST])
    assert not np.array_equal(pixels(found.kept[0]), pixels(plain[0]))
    assert found.kept[1].image == plain[1].image, "the next one is held as planned again"
    assert [one.anchored_at for one in found.receipts] == [0.25, None]
    assert found.interventions(1.25) == (Intervention(0, FIRST, 1.25),)
    assert draw(engine, plan, PICTURES) == plain, "and so is the next job"
    assert repeated(engine, plan, found) == found.kept
    second = replace(plan, interventions=found.interventions(1.25)).first_is(1)
    assert draw(engine, replace(second, alternates=1), PICTURES) == found.kept[1:]


def test_a_picture_that_stays_poor_ends_at_once_and_the_next_is_untouched(engine):
    plan = plan_of(2)
    plain, shares = draw(engine, plan, PICTURES), []
    with overheard(engine) as seen:
        found = guarded(engine, plan, scored(POOR, POOR, FINE, FINE, FINE), shares)
    assert len(seen.given) == SECOND + STEPS, "not one step more"
    assert seen.decoded == 1, "what is given up is not decoded"
    assert found.candidates == (None, plain[1])
    assert found.receipts[0].aborted_at == 0.35
    assert [one.saved_steps for one in found.receipts] == [STEPS - SECOND, 0]
    assert found.receipts[0].saved_seconds > 0
    assert found.interventions(1.25) == (Intervention(0, FIRST, 1.25), Intervention(0, SECOND))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert draw(engine, plan, PICTURES) == plain
    with overheard(engine) as seen:
        assert repeated(engine, plan, found) == found.kept
    assert len(seen.given) == STEPS, "what was given up is not even begun"


def test_a_picture_that_is_left_alone_is_finished_whatever_it_looks_like(engine):
    plan = plan_of(2)
    plain = draw(engine, plan, PICTURES)
    found = guarded(engine, plan, scored(*[POOR] * 5, controls=frozenset({0})))
    assert found.candidates == (plain[0], None)
    assert [one.left_alone for one in found.receipts] == [True, False]
    assert sorted(found.receipts[0].scores) == sorted(LOOKS)


@pytest.mark.parametrize("hold", [0.0, 1.0])
def test_what_cannot_be_held_harder_is_not_reported_as_if_it_were(engine, hold):
    found = guarded(engine, plan_of(hold=hold), scored(POOR, FINE, FINE))
    assert found.receipts[0].anchored_at is None
    assert found.interventions(1.25) == ()
    assert found.candidates == tuple(draw(engine, plan_of(hold=hold), PICTURES))


def test_all_may_be_given_up(engine):
    found = guarded(engine, plan_of(2), scored(*[POOR] * 4))
    assert found.candidates == (None, None)
    assert found.kept == []


def test_bounds_are_learned_from_what_observed_jobs_scored(engine):
    """The whole way: references as previews see them, observed jobs, bounds, a job that acts."""
    middle = engine.middle_of(PICTURES)
    observing = SentinelPolicy(middle, learn_bounds([]))
    assert not observing.decides
    seen = [
        one
        for seed in (100, 200)
        for one in guarded(engine, replace(plan_of(15), seed=seed), observing).receipts
    ]
    assert all(0 <= score <= 1 for one in seen for score in one.scores.values())
    # every third is said to be bad: with fewer than 80 % passing there is something to save
    past = [PastRun(one.scores, n % 3 != 0) for n, one in enumerate(seen)]
    policy = SentinelPolicy(middle, learn_bounds(past))
    assert policy.decides
    again = guarded(engine, replace(plan_of(15), seed=100), policy)
    for one, before in zip(again.receipts, seen, strict=False):
        assert one.scores[LOOKS[0]] == before.scores[LOOKS[0]], (
            "up to the first look it is the same"
        )
    lost = [n for n, one in enumerate(again.candidates) if one is None and n % 3 != 0]
    assert len(lost) <= 1, "5 % of the 20 that were good"


def test_a_policy_that_decides_is_drawn_one_at_a_time_even_where_a_batch_would_fit(
    engine, monkeypatch
):
    """As on a GPU, where the engine does not take alternates apart of its own accord."""
    own, at_once = engine._engine, []

    def planned(load: Load) -> MemoryPlan:
        plan = plan_memory(load, None, can_offload=False)
        at_once.append(plan.at_once)
        return plan

    monkeypatch.setattr(own, "memory_plan", planned)
    watching = scored(*[POOR] * 6, bounds=Bounds(why_off="too few"))
    assert len(guarded(engine, plan_of(2), watching).receipts) == 2, "each of a batch is scored"
    found = guarded(engine, plan_of(2), scored(POOR, POOR, FINE, FINE, FINE))
    assert at_once == [2, 1]
    assert [one is None for one in found.candidates] == [True, False]


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_the_finished_picture_is_estimated_whatever_the_sampler(tiny_sd, sampler):
    """A denoiser that knows the answer: the estimate is the answer from the first step on."""
    import json

    import torch

    config = json.loads((tiny_sd.model / "scheduler" / "scheduler_config.json").read_text())
    scheduler = make_scheduler(sampler, config)
    scheduler.set_timesteps(STEPS)
    chance = torch.Generator().manual_seed(3)
    answer = torch.randn((1, 4, 8, 8), generator=chance)
    latents = torch.randn((1, 4, 8, 8), generator=chance) * scheduler.init_noise_sigma
    more = {"generator": chance} if sampler in ("euler_a", "lcm") or "sde" in sampler else {}
    alphas = scheduler.alphas_cumprod
    with _estimates(scheduler) as estimate:
        for time in scheduler.timesteps[: STEPS // 2]:
            given = scheduler.scale_model_input(latents, time)
            at = float(time)
            alpha = float(np.interp(at, np.arange(len(alphas)), alphas.numpy()))
            noise = (given - alpha**0.5 * answer) / (1 - alpha) ** 0.5
            latents = scheduler.step(noise, time, latents, return_dict=False, **more)[0]
            assert (latents - answer).abs().mean() > 0.1, "the latents themselves are still noisy"
            assert (estimate(latents) - answer).abs().mean() < 0.1
    assert "step" not in vars(scheduler), "nothing is left behind"


def test_colours_are_a_unit_vector_that_tells_red_from_blue():
    red, dark, blue = (
        colours(Image.new("RGB", (8, 8), word)) for word in ("red", "darkred", "blue")
    )
    assert red @ red == pytest.approx(1)
    assert red @ blue == 0
    half = Image.new("RGB", (8, 8), "red")
    half.paste("blue", (0, 0, 8, 4))
    assert colours(half) @ blue == pytest.approx(0.5**0.5)
    assert np.linalg.norm(dark) == pytest.approx(1)
