"""Reference attention on real UNets: nothing at strength 0, confined to regions, gone afterwards."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from drawing import drawn, figure
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.conditioning import (
    Adapter,
    AdapterScale,
    CastConditioning,
    PartKind,
    PromptPart,
    ReferenceUse,
    Sampling,
)
from pipeline.domain.geometry import Box

if TYPE_CHECKING:
    from tiny_diffusion import TinyModels

# diffusers hands torch's tensors to numpy in a way that numpy 2 tells it off for
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SIDE, STEPS = 64, 3
Draw = Callable[..., Any]


@pytest.fixture(scope="module", params=["tiny_sd", "tiny_sdxl"])
def pipe(request: pytest.FixtureRequest) -> Any:
    models: TinyModels = request.getfixturevalue(request.param)
    from diffusers import DiffusionPipeline

    loaded = DiffusionPipeline.from_pretrained(models.model, local_files_only=True)
    loaded.set_progress_bar_config(disable=True)
    return loaded


@pytest.fixture(scope="module")
def draw(pipe: Any) -> Draw:
    """Latents of a call, ``(4, 8, 8)``; with the predictions of each step if asked for."""
    import torch

    def run(guidance: float = 4.0, predictions: list[Any] | None = None, **more: Any) -> Any:
        def keep(_unet: Any, _args: Any, out: Any) -> None:
            if predictions is not None:
                predictions.append(out[0].clone())

        hook = pipe.unet.register_forward_hook(keep)
        try:
            return pipe(
                "ab", height=SIDE, width=SIDE, num_inference_steps=STEPS, guidance_scale=guidance,
                generator=torch.Generator().manual_seed(5), output_type="latent", **more,
            ).images[0]  # fmt: skip
        finally:
            hook.remove()

    return run


@pytest.fixture(scope="module")
def base(draw: Draw) -> Any:
    return draw()


def hold(
    pipe: Any,
    strength: float = 1.0,
    *,
    count: int = 1,
    region: Any = None,
    figure: Any = None,
    seed: int = 0,
):
    import torch

    from pipeline.generation.diffusion.reference_attention import ReferenceHold, latents_of

    pixels = np.random.default_rng(seed).uniform(-1, 1, (count, 3, SIDE, SIDE))
    latents = latents_of(pipe, torch.from_numpy(pixels))
    return ReferenceHold(latents, strength, region, figure)


def held(pipe: Any, *holds: Any, always: bool = True):
    from pipeline.generation.diffusion.reference_attention import (
        ALWAYS,
        Schedule,
        reference_attention,
    )

    schedule = ALWAYS if always else Schedule()
    return reference_attention(pipe, holds, seed=9, schedule=schedule)


def test_strength_0_is_the_base_and_more_is_not(pipe: Any, draw: Draw, base: Any) -> None:
    with held(pipe, hold(pipe, 0.0)):
        assert draw().equal(base)
    with held(pipe, hold(pipe, 0.5)):
        half = draw()
    with held(pipe, hold(pipe, 1.0)):
        full, again = draw(), draw()
    assert not half.equal(base)
    assert not full.equal(half)
    assert full.equal(again)
    assert (full - base).abs().mean() > (half - base).abs().mean()
    with held(pipe, hold(pipe, 1.0, seed=1)):
        assert not draw().equal(full)  # another reference


def test_it_is_taken_out_again_also_after_an_error(pipe: Any, draw: Draw, base: Any) -> None:
    before = dict(pipe.unet.attn_processors)

    def stop(*_: Any) -> Any:
        raise InterruptedError

    with pytest.raises(InterruptedError), held(pipe, hold(pipe)):
        draw(callback_on_step_end=stop)
    assert all(pipe.unet.attn_processors[name] is one for name, one in before.items())
    assert not pipe.unet._forward_pre_hooks
    assert draw().equal(base)


def test_only_the_half_that_follows_the_prompt_attends(pipe: Any, draw: Draw) -> None:
    plain: list[Any] = []
    changed: list[Any] = []
    draw(predictions=plain)
    with held(pipe, hold(pipe)):
        draw(predictions=changed)
    # the first step starts from the same latents
    assert changed[0][:1].equal(plain[0][:1])
    assert not changed[0][1:].equal(plain[0][1:])


def test_without_guidance_and_in_batches_every_picture_attends(pipe: Any, draw: Draw) -> None:
    import torch

    def both(**more: Any) -> Any:
        return pipe(
            "ab", height=SIDE, width=SIDE, num_inference_steps=STEPS, output_type="latent",
            generator=[torch.Generator().manual_seed(n) for n in (5, 6)],
            num_images_per_prompt=2, **more,
        ).images  # fmt: skip

    for guidance in (0.0, 4.0):
        plain = both(guidance_scale=guidance)
        with held(pipe, hold(pipe, count=2)):
            changed = both(guidance_scale=guidance)
        assert all(not a.equal(b) for a, b in zip(plain, changed, strict=True))
    # the first of the batch is the picture that is drawn alone
    with held(pipe, hold(pipe, count=2)):
        assert torch.allclose(changed[0], draw(), atol=1e-4)


def test_a_region_confines_what_attends(pipe: Any, draw: Draw) -> None:
    import torch

    left = torch.zeros(SIDE // 8, SIDE // 8)
    left[:, :4] = 1
    seen: list[Any] = []
    # the first layer that takes part: nothing before it differs
    layer = pipe.unet.mid_block.attentions[0].transformer_blocks[0].attn1
    results = []
    for holds in ((), (hold(pipe, region=left),)):
        seen.clear()
        with held(pipe, *holds):
            hook = layer.register_forward_hook(lambda _m, _a, out: seen.append(out.clone()))
            draw(guidance=0.0)
            hook.remove()
        results.append(seen[len(holds)])  # a pass of each reference, then the picture
    plain, changed = results
    side = int(plain.shape[1] ** 0.5)
    apart = (changed - plain).abs().amax(dim=2).reshape(side, side)
    assert (apart[:, side // 2 :] == 0).all()
    assert (apart[:, : side // 2] > 0).all()
    whole = torch.ones_like(left)
    with held(pipe, hold(pipe, region=whole)):
        everywhere = draw()
    with held(pipe, hold(pipe)):
        assert torch.allclose(everywhere, draw(), atol=1e-5)
    with held(pipe, hold(pipe, region=torch.zeros_like(left))):
        nowhere = draw()
    assert torch.allclose(nowhere, draw(), atol=1e-6)


def test_only_the_figure_of_a_reference_is_attended_to(pipe: Any, draw: Draw) -> None:
    import torch

    everything = torch.ones(1, SIDE // 8, SIDE // 8)
    half = everything.clone()
    half[:, :, :4] = 0
    with held(pipe, hold(pipe)):
        plain = draw()
    with held(pipe, hold(pipe, figure=everything)):
        assert draw().equal(plain)
    with held(pipe, hold(pipe, figure=half)):
        assert not draw().equal(plain)


def test_two_characters_hold_their_own_places(pipe: Any, draw: Draw, base: Any) -> None:
    import torch

    left = torch.zeros(SIDE // 8, SIDE // 8)
    left[:, :4] = 1
    a, b = hold(pipe, region=left), hold(pipe, region=1 - left, seed=1)
    with held(pipe, a, b):
        both = draw()
    with held(pipe, a):
        only = draw()
    change = [(x - base).abs().mean(dim=0) for x in (both, only)]
    assert not both.equal(only)
    assert change[1][:, :4].mean() > change[1][:, 4:].mean()
    assert change[0][:, 4:].mean() > change[1][:, 4:].mean()


def test_a_schedule_that_never_holds_is_the_base(pipe: Any, draw: Draw, base: Any) -> None:
    from pipeline.generation.diffusion.reference_attention import Schedule, reference_attention

    never = Schedule(start=1.1, fade=1.1, end=1.1)
    with reference_attention(pipe, (hold(pipe),), seed=9, schedule=never):
        assert draw().equal(base)
    with held(pipe, hold(pipe), always=False):
        assert not draw().equal(base)


def test_a_unet_that_fills_holes_gets_a_whole_reference(tiny_sd: "TinyModels") -> None:
    import torch
    from diffusers import StableDiffusionInpaintPipeline
    from PIL import Image

    pipe = StableDiffusionInpaintPipeline.from_pretrained(tiny_sd.inpaint, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)

    def draw() -> Any:
        return pipe(
            "ab", image=Image.new("RGB", (SIDE, SIDE), "red"), height=SIDE, width=SIDE,
            mask_image=Image.new("L", (SIDE, SIDE), 255), num_inference_steps=STEPS,
            generator=torch.Generator().manual_seed(5), output_type="latent",
        ).images[0]  # fmt: skip

    plain = draw()
    with held(pipe, hold(pipe)):
        assert not draw().equal(plain)
    assert draw().equal(plain)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_schedule_stays_between_0_and_1_and_falls(a: float, b: float, c: float, at: float):
    pytest.importorskip("torch")
    from pipeline.generation.diffusion.reference_attention import Schedule

    start, fade, end = sorted((a, b, c))
    schedule = Schedule(start, fade, end)
    value = schedule.at(at)
    assert 0 <= value <= 1
    assert value == 0 or start <= at <= end
    if fade <= at <= end:
        assert value <= schedule.at(fade)


# --- through the engine -------------------------------------------------------------------------


@pytest.mark.parametrize("models", ["tiny_sd", "tiny_sdxl"])
def test_a_plan_says_how_strongly_and_where(models: str, request: pytest.FixtureRequest) -> None:
    from pipeline.generation.generators.diffusers import DiffusersGenerator

    engine = DiffusersGenerator(request.getfixturevalue(models).options())
    assert engine.capabilities.reference_attention
    red, blue = figure("darkred"), figure("navy")
    pictures = dict([red, blue])

    def look(*members: tuple[tuple[str, bytes], float, Box | None]) -> Any:
        cast = tuple(
            CastConditioning(
                f"ch_{n}", f"{n}_x", "a girl",
                (
                    ReferenceUse(
                        picture[0], n, scale, "",
                        adapters=(AdapterScale(Adapter.REFERENCE_ATTENTION, scale),),
                    ),
                ),
                region=region,
            )
            for n, (picture, scale, region) in enumerate(members)
        )  # fmt: skip
        return drawn(engine, pictures, cast=cast, sampling=Sampling("euler", 4, 5.0))

    base = look()
    left, right = Box(0, 0, SIDE // 2, SIDE), Box(SIDE // 2, 0, SIDE, SIDE)
    assert (look((red, 0.0, None)) == base).all()
    whole = look((red, 0.8, None))
    assert (whole != base).any()
    assert (look((blue, 0.8, None)) != whole).any()
    both = look((red, 0.8, left), (blue, 0.8, right))
    assert (both != look((red, 0.8, right), (blue, 0.8, left))).any()
    one = np.abs(look((red, 0.8, left)) - base)
    assert one[:, : SIDE // 2].mean() > one[:, SIDE // 2 :].mean()
    assert (look() == base).all()


def test_a_reference_reads_its_own_characters_words_all_over(tiny_sd: "TinyModels") -> None:
    from pipeline.generation.generators.diffusers import DiffusersGenerator

    engine = DiffusersGenerator(tiny_sd.options())
    red = figure("darkred")
    layer = next(m for n, m in engine._engine.base.denoiser.named_modules() if n.endswith("attn2"))
    held_by = (AdapterScale(Adapter.REFERENCE_ATTENTION, 0.8),)
    use = ReferenceUse(red[0], 1, 0.8, "", adapters=held_by)
    left, right = Box(0, 0, SIDE // 2, SIDE), Box(SIDE // 2, 0, SIDE, SIDE)
    cast = (
        CastConditioning("ch_a", "a_x", "", (use,), region=left),
        CastConditioning("ch_b", "b_x", "", (), region=right),
    )

    def reference_pass(mine: str, other: str) -> Any:
        """What the first layer of words says while the reference is looked at: ``(places, width)``."""
        seen: list[Any] = []
        hook = layer.register_forward_hook(lambda _m, _a, out: seen.append(out.clone()))
        words = ((None, "a street"), ("ch_a", mine), ("ch_b", other))
        parts = tuple(PromptPart(text, "", PartKind.IDENTITY, who) for who, text in words)
        try:
            drawn(
                engine, dict([red]), cast=cast, prompt_parts=parts,
                sampling=Sampling("euler", 4, 5.0),
            )  # fmt: skip
        finally:
            hook.remove()
        return next(out for out in seen if out.shape[0] == 1)[0]

    plain = reference_pass("navy hair", "red hair")
    assert reference_pass("navy hair", "a green hat").equal(plain)
    changed = (reference_pass("a green hat", "red hair") - plain).abs().amax(dim=1)
    assert (changed > 0).all()
