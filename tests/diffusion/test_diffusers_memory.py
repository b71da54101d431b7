"""How a job fits into memory: computed before it starts, tried once more when that was wrong."""

import pytest
from drawing import PLAN, draw, drawn
from hypothesis import given
from hypothesis import strategies as st
from tiny_diffusion import TinyModels

from pipeline.domain.errors import GenerationFailed
from pipeline.domain.geometry import Size
from pipeline.generation.diffusion.memory import (
    Load,
    MemoryPlan,
    Offload,
    decoding_bytes,
    denoising_bytes,
    peak_of,
    plan_memory,
    smaller,
)
from pipeline.generation.generators.diffusers import DiffusersGenerator

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

GIB = 1 << 30
SDXL = Load(
    family="sdxl",
    size=Size(1024, 1024),
    alternates=4,
    weights={
        "unet": 5_134_927_328,
        "text_encoder": 246_144_000,
        "text_encoder_2": 1_389_319_680,
        "vae": 167_307_728,
    },
    decoder_bytes=4,
)


def test_with_much_memory_everything_stays_and_all_are_drawn_at_once():
    plan = plan_memory(SDXL, 80 * GIB)
    assert (plan.at_once, plan.offload, plan.sliced, plan.tiled) == (4, Offload.NONE, False, False)


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (12, MemoryPlan(4, sliced=True)),  # four decoded together would take 12 GiB alone
        (10, MemoryPlan(4, sliced=True, tiled=True)),
        (7, MemoryPlan(4, Offload.COMPONENTS, sliced=True)),
        (5.7, MemoryPlan(1, Offload.COMPONENTS, sliced=True)),
        (3, MemoryPlan(1, Offload.COMPONENTS, sliced=True, tiled=True)),  # not enough: tries
    ],
)
def test_sdxl_in_half_precision_on_usual_cards(free, expected):
    plan = plan_memory(SDXL, round(free * GIB))
    assert (plan.at_once, plan.offload, plan.sliced, plan.tiled) == (
        expected.at_once, expected.offload, expected.sliced, expected.tiled,
    )  # fmt: skip


def test_without_another_memory_nothing_is_put_away():
    assert plan_memory(SDXL, GIB, can_offload=False).offload is Offload.NONE
    assert plan_memory(SDXL, None).needed == peak_of(MemoryPlan(4), SDXL)


sizes = st.builds(
    Size, st.integers(8, 256).map(lambda n: 8 * n), st.integers(8, 256).map(lambda n: 8 * n)
)


@given(
    st.sampled_from(["sd15", "sdxl", "flux"]), sizes, st.integers(1, 16), st.integers(0, 64 * GIB),
    st.booleans(), st.integers(0, 4 * GIB),
)  # fmt: skip
def test_a_plan_fits_or_is_the_most_frugal_one(family, size, alternates, free, can_offload, beside):
    load = Load(family, size, alternates, {"unet": 2 * GIB, "vae": GIB // 8}, beside=beside)
    plan = plan_memory(load, free, can_offload=can_offload)
    assert 1 <= plan.at_once <= alternates
    assert plan.needed == peak_of(plan, load)
    assert plan.needed >= denoising_bytes(load)
    last = smaller(plan, load, can_offload=can_offload)
    if plan.needed > free:
        assert last is None, "nothing more frugal is left"
    if last is not None:
        assert last.at_once == 1
        assert last.needed <= plan.needed
        assert smaller(last, load, can_offload=can_offload) is None, "one more try only"


def test_what_is_counted_grows_with_what_is_asked_for():
    assert denoising_bytes(SDXL) == 2 * 128 * 128 * 10_200
    assert decoding_bytes(SDXL) == 1024 * 1024 * 1_540 * 2
    assert decoding_bytes(SDXL, tiled=True) == decoding_bytes(SDXL) // 4


@pytest.fixture(scope="module")
def engine(tiny_sd: TinyModels) -> DiffusersGenerator:
    return DiffusersGenerator(tiny_sd.options())


class Shortage:
    """Memory that runs out in the denoiser a number of times."""

    def __init__(self, engine: DiffusersGenerator, times: int) -> None:
        self._unet = engine._engine.base.denoiser
        self.left, self.calls = times, 0

    def __enter__(self) -> "Shortage":
        self._hook = self._unet.register_forward_pre_hook(self._run_out)
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()

    def _run_out(self, *_: object) -> None:
        import torch

        self.calls += 1
        if self.left:
            self.left -= 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def test_memory_that_ran_out_once_is_met_by_one_more_frugal_try(engine):
    expected = drawn(engine)
    with Shortage(engine, 1) as shortage:
        found = drawn(engine)
    assert shortage.calls == 1 + PLAN.sampling.steps
    assert found.shape == expected.shape
    assert (drawn(engine) == expected).all(), "afterwards everything is as before"


def test_memory_that_stays_short_ends_with_how_much_is_needed(engine):
    with Shortage(engine, 99) as shortage, pytest.raises(GenerationFailed, match=r"\d GiB"):
        draw(engine, PLAN)
    assert shortage.calls == 2


def test_other_errors_of_the_model_are_not_taken_for_a_shortage(engine):
    def broken(*_: object) -> None:
        raise RuntimeError("shapes do not fit")

    hook = engine._engine.base.denoiser.register_forward_pre_hook(broken)
    try:
        with pytest.raises(RuntimeError, match="shapes"):
            draw(engine, PLAN)
    finally:
        hook.remove()


def test_a_limit_of_the_host_counts(tiny_sd: TinyModels):
    from pipeline.generation.diffusion.placing import free_bytes

    engine = DiffusersGenerator(tiny_sd.options(memory_mib=300))
    assert free_bytes(engine._engine.base, 300) == 300 << 20
    assert free_bytes(engine._engine.base, None) > 300 << 20
