"""Repairs: what lies outside the mask stays, bit by bit; the whole picture can be drawn again."""

import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from drawing import PLAN, SIZE, draw, drawn, named, pixels
from PIL import Image
from tiny_diffusion import TinyModels

from pipeline.domain.character import ColorMode
from pipeline.domain.conditioning import ControlKind, ControlUse, InpaintUse
from pipeline.domain.errors import GenerationFailed, MissingReference
from pipeline.domain.geometry import Box, Size
from pipeline.generation.generators.diffusers import DiffusersGenerator
from pipeline.generation.steps import region_mask

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

PANEL = Size(80, 60)
HOLE = Box(20, 10, 60, 50)


def noise(size: Size = PANEL) -> tuple[str, bytes]:
    values = np.random.default_rng(3).integers(0, 256, (size.height, size.width, 3), np.uint8)
    return named(Image.fromarray(values))


def mask(box: Box, size: Size = PANEL) -> tuple[str, bytes]:
    with Image.open(io.BytesIO(region_mask(size, box))) as image:
        return named(image)


BASE, MASK = noise(), mask(HOLE)
WHOLE = mask(Box(-9, -9, 999, 999))
PICTURES = dict([BASE, MASK, WHOLE])
REPAIR = replace(
    PLAN, size=PANEL, bucket=Size(80, 64), inpaint=InpaintUse(BASE[0], MASK[0], 0.6, "")
)


@pytest.fixture(params=["sd", "nine", "sdxl", "flux"], scope="module")
def engine(request: pytest.FixtureRequest) -> DiffusersGenerator:
    """Four and nine channels, and every family."""
    kind = {"sd": "tiny_sd", "nine": "tiny_sd", "sdxl": "tiny_sdxl", "flux": "tiny_flux"}
    models: TinyModels = request.getfixturevalue(kind[request.param])
    folder = models.inpaint if request.param == "nine" else models.model
    more = {"adapters": "", "controls": ""} if request.param == "flux" else {}
    return DiffusersGenerator(models.options(model=str(folder), **more))


def outside() -> np.ndarray:
    with Image.open(io.BytesIO(MASK[1])) as image:
        return np.asarray(image) == 0


def opened(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.int16)


def test_pixels_outside_the_mask_are_the_base_s_own_and_inside_they_are_not(engine):
    repaired = pixels(draw(engine, REPAIR, PICTURES)[0])
    base, out = opened(BASE[1]), outside()
    assert out.any()
    assert not out.all()
    assert np.array_equal(repaired[out], base[out])
    assert (repaired[~out] != base[~out]).any(axis=-1).mean() > 0.5
    assert np.array_equal(repaired, pixels(draw(engine, REPAIR, PICTURES)[0]))


def test_a_gray_repair_leaves_the_outside_alone_too(engine):
    gray = replace(REPAIR, color_mode=ColorMode.GRAYSCALE)
    repaired = pixels(draw(engine, gray, PICTURES)[0])
    assert np.array_equal(repaired[outside()], opened(BASE[1])[outside()])


def test_how_far_it_may_change_matters_and_nothing_changes_at_0(engine):
    def at(denoise: float) -> np.ndarray:
        use = InpaintUse(BASE[0], MASK[0], denoise, "")
        return pixels(draw(engine, replace(REPAIR, inpaint=use), PICTURES)[0])

    assert np.array_equal(at(0.0), opened(BASE[1]))
    assert not np.array_equal(at(0.5), at(1.0))


def test_a_white_mask_draws_on_top_of_the_whole_picture(engine):
    use = InpaintUse(BASE[0], WHOLE[0], 0.6, "")
    again = pixels(draw(engine, replace(REPAIR, inpaint=use), PICTURES)[0])
    assert (again != opened(BASE[1])).any(axis=-1).mean() > 0.5


def test_alternates_of_a_repair_differ_and_each_can_be_drawn_alone(engine):
    three = draw(engine, replace(REPAIR, alternates=2), PICTURES)
    assert three[0].image != three[1].image
    alone = draw(engine, replace(REPAIR, seed=REPAIR.seed + 1), PICTURES)
    assert alone[0].image == three[1].image


def test_progress_of_a_repair_ends_at_one(engine):
    told: list[float] = []
    plan = replace(REPAIR, sampling=replace(PLAN.sampling, steps=5))
    engine.generate(
        plan, PICTURES, progress=lambda share, *_: told.append(share), cancelled=lambda: False
    )
    steps = [b - a for a, b in pairwise(told) if b > a]
    assert told[-2:] == [1.0, 1.0]
    assert len({round(step, 6) for step in steps}) == 1


def test_from_nothing_a_model_that_only_inpaints_draws_too(engine):
    if not engine._engine.base.installed.inpaints_natively:
        pytest.skip("for models of nine channels")
    assert drawn(engine).shape == (*reversed(SIZE), 3)


def test_a_guide_holds_in_a_repair_too(engine):
    if not engine.capabilities.controls:
        pytest.skip("there is no ControlNet for this one")
    if engine._engine.base.installed.inpaints_natively:
        pytest.skip("the usual ControlNets are made for four channels")
    guided = replace(REPAIR, controls=(ControlUse(ControlKind.EDGES, BASE[0], 0.9, ""),))
    found = draw(engine, guided, PICTURES)[0].image
    assert found != draw(engine, REPAIR, PICTURES)[0].image


def test_a_base_of_another_size_or_none_is_refused_in_words(engine):
    other = noise(Size(40, 40))
    use = InpaintUse(other[0], MASK[0], 0.6, "")
    with pytest.raises(GenerationFailed, match="size"):
        draw(engine, replace(REPAIR, inpaint=use), {**PICTURES, **dict([other])})
    with pytest.raises(MissingReference):
        draw(engine, REPAIR, {})
