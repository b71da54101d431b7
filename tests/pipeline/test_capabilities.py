from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import (
    Adapter,
    AdapterScale,
    CastConditioning,
    ConditioningPlan,
    ControlKind,
    ControlUse,
    InpaintUse,
    ModelFile,
    ModuleKind,
    ModuleUse,
    PartKind,
    PromptPart,
    ReferenceUse,
)
from pipeline.domain.geometry import Box, Size
from pipeline.generation.capabilities import (
    Capabilities,
    adapter_scales,
    bucket_for,
    fit_to,
)
from pipeline.generation.generators.draft import DraftGenerator

OPPOSITE = PromptPart("green eyes", "its eyes are amber", PartKind.OPPOSITE, "ch_a")
EVERYTHING = ConditioningPlan(
    "engine", "1", "a prompt", "green eyes",
    (CastConditioning(
        "ch_a", "a_x", "A",
        tuple(
            ReferenceUse(f"{i:x}", i, 0.6, "canon", adapters=tuple(
                AdapterScale(adapter, 0.5) for adapter in Adapter
            ))
            for i in range(1, 5)
        ),
        region=Box(0, 0, 9, 9), negative=(OPPOSITE,),
    ),),
    ShotType.HALF, ColorMode.COLOR, Size(1024, 768), 7, 1,
    negative_parts=(OPPOSITE,),
    controls=(ControlUse(ControlKind.EDGES, "aa", 0.7, "the sketch"),),
    modules=(
        ModuleUse(ModuleKind.LORA, "a_x", "bb", 0.8, "trained"),
        ModuleUse(ModuleKind.TEXTUAL_INVERSION, "a_x", "cc", 1.0, "trained", "<a>"),
    ),
    inpaint=InpaintUse("dd", "ee", 0.6, "the hair drifted", "ch_a"),
)  # fmt: skip
ABLE = Capabilities(
    references=10, adapters=frozenset(Adapter), controls=True, regions=True, inpaint=True,
    lora=True, textual_inversion=True, negative=True,
)  # fmt: skip
SWITCHES = {
    "controls": "guide pictures (edges)",
    "regions": "regions for the characters",
    "inpaint": "local repair",
    "lora": "LoRA",
    "textual_inversion": "textual inversion",
    "negative": "negative prompt",
}


def test_an_engine_that_can_do_everything_gets_everything():
    assert fit_to(EVERYTHING, ABLE) == EVERYTHING


@pytest.mark.parametrize("switch", SWITCHES)
def test_what_an_engine_cannot_do_is_left_out_and_said(switch):
    fitted = fit_to(EVERYTHING, replace(ABLE, **{switch: False}))
    assert f"engine: no {SWITCHES[switch]}" in fitted.notes
    assert fitted != replace(EVERYTHING, notes=fitted.notes)


@given(st.fixed_dictionaries({name: st.booleans() for name in SWITCHES}), st.integers(0, 5))
def test_nothing_is_dropped_in_silence(switches, references):
    engine = replace(ABLE, references=references, **switches)
    fitted = fit_to(EVERYTHING, engine)
    kept = {
        "controls": bool(fitted.controls),
        "regions": all(m.region for m in fitted.cast),
        "inpaint": fitted.inpaint is not None,
        "lora": ModuleKind.LORA in {m.kind for m in fitted.modules},
        "textual_inversion": ModuleKind.TEXTUAL_INVERSION in {m.kind for m in fitted.modules},
        "negative": bool(fitted.negative_parts and fitted.negative),
    }
    assert kept == switches
    said = {name for name, words in SWITCHES.items() if f"engine: no {words}" in fitted.notes}
    assert said == {name for name, able in switches.items() if not able}
    assert len(fitted.cast[0].references) == min(4, references)
    assert ("engine: no reference pictures" in fitted.notes) is (references == 0)
    assert any("more than" in note for note in fitted.notes) is (0 < references < 4)
    assert fit_to(fitted, engine) == replace(fitted, notes=())


def test_an_adapter_that_an_engine_lacks_gets_no_scale():
    engine = replace(ABLE, adapters=frozenset({Adapter.IP_FACE}))
    uses = fit_to(EVERYTHING, engine).cast[0].references
    assert {a.adapter for use in uses for a in use.adapters} == {Adapter.IP_FACE}
    assert not engine.several_adapters
    assert not engine.reference_attention


@given(st.floats(0, 1), st.floats(0, 1))
def test_freedom_of_style_leaves_the_face_alone(scale, freedom):
    held = {a.adapter: a.scale for a in adapter_scales(scale, ABLE, freedom)}
    assert held[Adapter.IP_FACE] == round(scale, 4)
    assert held[Adapter.IP_WHOLE] == held[Adapter.REFERENCE_ATTENTION] <= held[Adapter.IP_FACE]
    assert 0.5 * scale - 1e-4 <= held[Adapter.IP_WHOLE]


@given(st.integers(256, 2048), st.integers(256, 2048), st.sampled_from([8, 64]))
def test_a_bucket_has_about_the_native_area_and_the_panels_proportions(width, height, multiple):
    engine = replace(ABLE, native_pixels=1024 * 1024, side_multiple=multiple)
    bucket = bucket_for(Size(width, height), engine)
    assert bucket.width % multiple == bucket.height % multiple == 0
    assert abs(bucket.width * bucket.height / engine.native_pixels - 1) < 0.25
    assert abs((bucket.width / bucket.height) / (width / height) - 1) < 0.25


def test_the_draft_engine_tells_the_truth_about_itself():
    fitted = fit_to(EVERYTHING, DraftGenerator.capabilities)
    assert fitted.negative == ""
    assert len(fitted.notes) == 7
    assert fitted.cast[0].references
    assert fitted.bucket is None


def test_the_files_of_an_engine_become_part_of_the_recipe():
    engine = replace(ABLE, models=(ModelFile("unet", "tiny", "ab" * 32),))
    assert fit_to(EVERYTHING, engine).models == engine.models
