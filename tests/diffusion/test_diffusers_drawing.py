"""From a folder of weights to pictures: seeds, sizes, prompts, progress and cancel."""

from dataclasses import replace

import numpy as np
import pytest
from drawing import PLAN, SIZE, draw, drawn, pixels
from tiny_diffusion import TinyModels

from pipeline.domain.character import ColorMode
from pipeline.domain.conditioning import PartKind, PromptPart, Sampling, Variation
from pipeline.domain.errors import Cancelled, GenerationFailed
from pipeline.domain.geometry import Size
from pipeline.generation.diffusion.samplers import SAMPLERS
from pipeline.generation.generators.diffusers import DiffusersGenerator

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)


@pytest.fixture(scope="module")
def sd(tiny_sd: TinyModels) -> DiffusersGenerator:
    return DiffusersGenerator(tiny_sd.options())


@pytest.fixture(scope="module")
def sdxl(tiny_sdxl: TinyModels) -> DiffusersGenerator:
    return DiffusersGenerator(tiny_sdxl.options())


@pytest.fixture(scope="module")
def flux(tiny_flux: TinyModels) -> DiffusersGenerator:
    return DiffusersGenerator(tiny_flux.options(adapters="", controls=""))


@pytest.fixture(params=["sd", "sdxl", "flux"])
def engine(request: pytest.FixtureRequest) -> DiffusersGenerator:
    return request.getfixturevalue(request.param)


def test_the_same_plan_gives_the_same_bytes_and_another_seed_another_picture(engine):
    plan = replace(PLAN, size=Size(80, 60), bucket=Size(80, 64))
    first, again = draw(engine, plan)[0], draw(engine, plan)[0]
    assert first.image == again.image
    assert first.size == (80, 60)
    assert pixels(first).shape == (60, 80, 3)
    assert draw(engine, replace(plan, seed=8))[0].image != first.image


def test_an_alternate_alone_equals_the_one_among_others(engine):
    three = draw(engine, replace(PLAN, alternates=3))
    alone = draw(engine, replace(PLAN, seed=PLAN.seed + 2))
    assert alone[0].image == three[2].image
    assert len({c.image for c in three}) == 3


def test_gray_series_get_gray_pictures(sd):
    gray = drawn(sd, color_mode=ColorMode.GRAYSCALE)
    assert np.ptp(gray, axis=2).max() == 0


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_every_sampler_of_the_table_draws_and_repeats(sd, sampler):
    sampling = Sampling(sampler, 3, 5.0)
    assert np.array_equal(drawn(sd, sampling=sampling), drawn(sd, sampling=sampling))


def test_an_unknown_sampler_names_the_known_ones(sd):
    with pytest.raises(GenerationFailed, match="dpmpp_2m_karras"):
        drawn(sd, sampling=Sampling("magic", 2, 5.0))


@pytest.mark.parametrize(
    "changes",
    [{"size": Size(9000, 64)}, {"alternates": 99}, {"sampling": Sampling("euler", 5000, 5.0)}],
)
def test_what_would_never_end_is_refused(sd, changes):
    with pytest.raises(GenerationFailed, match="within"):
        draw(sd, replace(PLAN, **changes))


def test_plain_words_are_read_as_the_bare_pipeline_reads_them(engine):
    import torch
    from diffusers import DiffusionPipeline

    prompt = "a lamp, x"
    ours = drawn(engine, prompt=prompt, negative="red")
    bare = DiffusionPipeline.from_pretrained(
        engine._engine.base.installed.model, local_files_only=True, use_safetensors=True
    )
    bare.set_progress_bar_config(disable=True)
    if engine.capabilities.prompt_weights:  # Flux keeps its own sampler and has no negatives
        import diffusers

        bare.scheduler = diffusers.EulerDiscreteScheduler.from_config(bare.scheduler.config)
        more = {"negative_prompt": "red"}
    else:
        more = {}
    image = bare(
        prompt=prompt, width=64, height=64, num_inference_steps=2, guidance_scale=5.0,
        generator=torch.Generator("cpu").manual_seed(PLAN.seed), **more,
    ).images[0]  # fmt: skip
    assert np.array_equal(ours, np.asarray(image, np.int16))


def _part(text: str, weight: float = 1.0) -> PromptPart:
    return PromptPart(text, "", PartKind.REQUEST, weight=weight)


@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_words_of_the_second_chunk_and_their_weights_count(request, name):
    engine = request.getfixturevalue(name)
    long = tuple(_part(f"word{n}") for n in range(14))  # every letter is a token here
    assert sum(len(p.text) + 1 for p in long) > 75
    plain = drawn(engine, prompt_parts=long)
    assert not np.array_equal(plain, drawn(engine, prompt_parts=(*long[:-1], _part("other"))))
    heavy = drawn(engine, prompt_parts=(*long[:-1], _part(long[-1].text, 1.6)))
    assert not np.array_equal(plain, heavy)
    weight_of_one = drawn(engine, prompt_parts=(*long[:-1], _part(long[-1].text, 1.0)))
    assert np.array_equal(plain, weight_of_one)


def test_what_goes_beyond_the_last_chunk_is_left_out(sd):
    many = tuple(_part("abcdefghi") for _ in range(30))
    assert np.array_equal(
        drawn(sd, prompt_parts=many), drawn(sd, prompt_parts=(*many, _part("more")))
    )


def test_negatives_and_their_weights_count(sd):
    plain = drawn(sd, negative_parts=(_part("red hair"),))
    assert not np.array_equal(plain, drawn(sd, negative_parts=(_part("hat"),)))
    assert not np.array_equal(plain, drawn(sd, negative_parts=(_part("red hair", 1.6),)))


def test_progress_goes_up_step_by_step_to_the_end(sd):
    told: list[tuple[float, str]] = []
    sd.generate(
        replace(PLAN, alternates=2),
        {},
        progress=lambda share, note, *_: told.append((share, note)),
        cancelled=lambda: False,
    )
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [s for s, note in told if note == "Drawing"] == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("asked", range(6))
def test_a_cancel_stops_within_one_step_and_leaves_nothing_behind(sd, asked):
    """``asked`` is after how many looks the work is no longer wanted."""
    before = drawn(sd)
    steps: list[float] = []
    looks = iter(range(1000))
    at: list[int] = []

    def cancelled() -> bool:
        gone = next(looks) >= asked
        if gone:
            at.append(len(steps))
        return gone

    with pytest.raises(Cancelled):
        sd.generate(
            replace(PLAN, sampling=Sampling("euler", 8, 5.0)),
            {},
            progress=lambda share, note, *_: steps.append(share) if note == "Drawing" else None,
            cancelled=cancelled,
        )
    assert at == [len(steps)], "no step was begun after the first look that said no"
    assert np.array_equal(before, drawn(sd))


def test_the_working_size_keeps_the_proportions_and_the_native_area(sd):
    from pipeline.generation.diffusion.engine import working_size

    wide = replace(PLAN, size=Size(1600, 900), bucket=None)
    assert working_size(wide, sd._engine.base.installed) == Size(80, 48)
    assert drawn(sd, size=Size(200, 150), bucket=None).shape == (150, 200, 3)
    assert SIZE.width * SIZE.height == sd.capabilities.native_pixels


def _apart(one, other) -> float:
    return float(np.abs(one - other).mean())


def test_a_variation_moves_away_from_its_picture_with_its_strength(engine):
    """No strength leaves every bit; more leads further away, all of it to the other seed's."""
    sampling = Sampling("ddim", 3, 5.0) if engine.capabilities.prompt_weights else PLAN.sampling
    base = drawn(engine, sampling=sampling)
    other = drawn(engine, sampling=sampling, seed=99)

    def varied(*strengths):
        steps = tuple(Variation(99, strength) for strength in strengths)
        return drawn(engine, sampling=sampling, variations=steps)

    assert np.array_equal(varied(0.0), base)
    assert np.array_equal(varied(1.0), other)
    near, far = varied(0.2), varied(0.6)
    assert 0 < _apart(near, base) < _apart(far, base)
    assert _apart(near, base) < _apart(near, other)
    assert not np.array_equal(varied(0.2, 0.2), near), "a variation can be varied"


def test_alternates_of_a_variation_differ_and_each_can_be_drawn_alone(engine):
    plan = replace(PLAN, variations=(Variation(4, 0.3),), alternates=3)
    three = draw(engine, plan)
    assert len({c.image for c in three}) == 3
    alone = draw(engine, replace(plan.first_is(2), alternates=1))
    assert alone[0].image == three[2].image
