"""IP-Adapters: scales, regions, several references, and nothing left behind."""

from dataclasses import replace

import numpy as np
import pytest
from drawing import PLAN, SIZE, drawn, figure
from tiny_diffusion import TinyModels

from pipeline.domain.conditioning import (
    Adapter,
    AdapterScale,
    CastConditioning,
    ReferenceUse,
)
from pipeline.domain.errors import MissingReference
from pipeline.domain.geometry import Box
from pipeline.generation.diffusion.cache import WeightCache
from pipeline.generation.generators.diffusers import DiffusersGenerator

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

RED, BLUE = figure("darkred"), figure("navy")
PICTURES = dict([RED, BLUE])
LEFT = Box(0, 0, SIZE.width // 2, SIZE.height)
RIGHT = Box(SIZE.width // 2, 0, *SIZE)


@pytest.fixture(params=["tiny_sd", "tiny_sdxl"], scope="module")
def engine(request: pytest.FixtureRequest) -> DiffusersGenerator:
    models: TinyModels = request.getfixturevalue(request.param)
    return DiffusersGenerator(models.options())


def member(
    name: str,
    *looks: tuple[tuple[str, bytes], float, float],
    region: Box | None = None,
) -> CastConditioning:
    """A character whose references hold with ``(picture, whole, face)``."""
    uses = tuple(
        ReferenceUse(
            sha256=picture[0],
            reference_id=n,
            scale=max(whole, face),
            why="",
            adapters=(AdapterScale(Adapter.IP_WHOLE, whole), AdapterScale(Adapter.IP_FACE, face)),
        )
        for n, (picture, whole, face) in enumerate(looks)
    )
    return CastConditioning(f"ch_{name}", f"{name}_v1", name, uses, region=region)


def with_cast(engine, *cast: CastConditioning):
    return drawn(engine, PICTURES, cast=cast)


def test_scale_0_is_the_base_and_more_is_not(engine):
    base = drawn(engine)
    assert np.array_equal(base, with_cast(engine, member("mira", (RED, 0.0, 0.0))))
    held = with_cast(engine, member("mira", (RED, 0.6, 0.6)))
    assert not np.array_equal(base, held)
    assert np.array_equal(base, drawn(engine)), "nothing of it is left"


def test_adapters_act_separately(engine):
    whole = with_cast(engine, member("mira", (RED, 0.6, 0.0)))
    face = with_cast(engine, member("mira", (RED, 0.0, 0.6)))
    both = with_cast(engine, member("mira", (RED, 0.6, 0.6)))
    assert len({picture.tobytes() for picture in (whole, face, both)}) == 3
    harder = with_cast(engine, member("mira", (RED, 0.6, 0.9)))
    assert not np.array_equal(both, harder)


def test_an_adapter_with_scale_0_beside_another_changes_nothing(engine):
    """It is on the denoiser for another reference, and still does not act for this one."""
    alone = with_cast(engine, member("mira", (RED, 0.6, 0.0)))
    beside = with_cast(engine, member("mira", (RED, 0.6, 0.0), (BLUE, 0.0, 0.0)))
    assert np.array_equal(alone, beside)


def test_the_reference_matters_and_so_does_a_second_one(engine):
    red = with_cast(engine, member("mira", (RED, 0.6, 0.0)))
    blue = with_cast(engine, member("mira", (BLUE, 0.6, 0.0)))
    both = with_cast(engine, member("mira", (RED, 0.6, 0.0), (BLUE, 0.5, 0.0)))
    assert len({picture.tobytes() for picture in (red, blue, both)}) == 3


def test_the_same_reference_twice_pulls_no_harder(engine):
    once = with_cast(engine, member("mira", (RED, 0.6, 0.0)))
    twice = with_cast(engine, member("mira", (RED, 0.6, 0.0), (RED, 0.6, 0.0)))
    assert np.abs(once - twice).max() <= 2  # two halves instead of one whole: float rounding


def test_a_region_confines_what_its_reference_does(engine):
    """In the denoiser itself: where the region ends, the cross-attention is the base's."""
    import torch

    seen: dict[str, list[torch.Tensor]] = {"base": [], "left": []}
    unet = engine._engine.base.denoiser
    layer = next(m for n, m in unet.named_modules() if n.endswith("attn2"))
    for name, cast in (
        ("base", ()),
        ("left", (member("mira", (RED, 1.0, 1.0), region=LEFT),)),
    ):
        hook = layer.register_forward_hook(
            lambda _module, _inputs, out, kept=seen[name]: kept.append(out.clone())
        )
        try:
            drawn(engine, PICTURES, cast=cast)
        finally:
            hook.remove()
    base, left = seen["base"][0], seen["left"][0]  # the first step's first layer: equal inputs
    cells = int(base.shape[1] ** 0.5)
    changed = (base != left).any(dim=-1)[-1].reshape(cells, cells)
    assert changed[:, : cells // 2].all()
    assert not changed[:, cells // 2 :].any()


def test_who_is_left_and_who_is_right_matters(engine):
    one = with_cast(
        engine,
        member("mira", (RED, 0.8, 0.0), region=LEFT),
        member("oskar", (BLUE, 0.8, 0.0), region=RIGHT),
    )
    other = with_cast(
        engine,
        member("mira", (RED, 0.8, 0.0), region=RIGHT),
        member("oskar", (BLUE, 0.8, 0.0), region=LEFT),
    )
    assert not np.array_equal(one, other)


def test_jobs_do_not_leak_into_each_other_in_any_order(engine):
    first, second = member("mira", (RED, 0.7, 0.2)), member("oskar", (BLUE, 0.1, 0.9))
    a, b = with_cast(engine, first), with_cast(engine, second)
    assert np.array_equal(b, with_cast(engine, second))
    assert np.array_equal(a, with_cast(engine, first))


def test_a_reference_that_was_not_given_is_named_in_words(engine):
    with pytest.raises(MissingReference, match="Register"):
        drawn(engine, {}, cast=(member("mira", (RED, 0.5, 0.5)),))
    assert engine._engine.base.denoiser.encoder_hid_proj is None


def test_without_guidance_references_hold_too(engine):
    plain = replace(PLAN.sampling, guidance=1.0)
    base = drawn(engine, sampling=plain)
    held = drawn(engine, PICTURES, sampling=plain, cast=(member("mira", (RED, 0.8, 0.8)),))
    assert not np.array_equal(base, held)


def test_the_cache_drops_what_was_not_used_for_longest():
    import torch

    def tensor() -> torch.Tensor:
        return torch.zeros(25)

    cache, loaded = WeightCache(200), []
    for key in ("a", "b", "a", "c", "a", "b"):
        cache.get(key, lambda key=key: loaded.append(key) or {"nested": tensor()})
    assert loaded == ["a", "b", "c", "b"]
    assert cache.used == 200
    cache.get("large", lambda: torch.zeros(1000))
    assert "large" not in cache
    assert "b" in cache
