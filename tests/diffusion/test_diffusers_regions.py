"""Several characters: each one's words and negatives are read in its own region only."""

import numpy as np
import pytest
from drawing import PLAN, SIZE, draw, drawn, figure
from tiny_diffusion import TinyModels

from pipeline.domain.conditioning import (
    Adapter,
    AdapterScale,
    CastConditioning,
    PartKind,
    PromptPart,
    ReferenceUse,
)
from pipeline.domain.geometry import Box
from pipeline.generation.diffusion.regional import words_by_region
from pipeline.generation.generators.diffusers import DiffusersGenerator

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

LEFT = Box(0, 0, SIZE.width // 2, SIZE.height)
RIGHT = Box(SIZE.width // 2, 0, *SIZE)
RED = figure("darkred")


def part(text: str, who: str | None = None) -> PromptPart:
    return PromptPart(text, "", PartKind.IDENTITY, who)


def pair(*negative: PromptPart, held: bool = False) -> tuple[CastConditioning, ...]:
    scales = tuple(AdapterScale(a, 0.5) for a in Adapter) if held else ()
    uses = (ReferenceUse(RED[0], 1, 0.5, "", adapters=scales),) if held else ()
    return (
        CastConditioning("ch_mira", "v1", "Mira", uses, region=LEFT, negative=negative),
        CastConditioning("ch_oskar", "v1", "Oskar", (), region=RIGHT),
    )


def parts(mira: str, oskar: str) -> tuple[PromptPart, ...]:
    return (part("two people"), part(mira, "ch_mira"), part(oskar, "ch_oskar"))


@pytest.fixture(params=["tiny_sd", "tiny_sdxl"], scope="module")
def engine(request: pytest.FixtureRequest) -> DiffusersGenerator:
    models: TinyModels = request.getfixturevalue(request.param)
    return DiffusersGenerator(models.options())


def first_attention(engine: DiffusersGenerator, **changes) -> np.ndarray:
    """What the first cross-attention of the first step says: ``(rows, side, side, width)``."""
    kept = []
    unet = engine._engine.base.denoiser
    layer = next(m for n, m in unet.named_modules() if n.endswith("attn2"))
    hook = layer.register_forward_hook(lambda _m, _i, out: kept.append(out.clone()))
    try:
        drawn(engine, dict([RED]), **changes)
    finally:
        hook.remove()
    found = kept[0].numpy()
    side = int(found.shape[1] ** 0.5)
    return found.reshape(found.shape[0], side, side, -1)


def halves(one: np.ndarray, other: np.ndarray) -> tuple[bool, bool]:
    """Whether left and right differ in any place."""
    changed = np.abs(one - other).max(axis=-1) > 1e-6
    middle = changed.shape[2] // 2
    return bool(changed[..., :middle].any()), bool(changed[..., middle:].any())


def test_a_character_s_words_act_in_its_region_only(engine):
    one = first_attention(engine, cast=pair(), prompt_parts=parts("navy hair", "red hair"))
    mira = first_attention(engine, cast=pair(), prompt_parts=parts("pink hair", "red hair"))
    oskar = first_attention(engine, cast=pair(), prompt_parts=parts("navy hair", "no hair"))
    # row 1 reads the prompt; SDXL also gets the whole prompt as one vector, which acts before it
    if "text_encoder_2" not in engine._engine.base.components:
        assert halves(one[1:], mira[1:]) == (True, False)
        assert halves(one[1:], oskar[1:]) == (False, True)
    assert halves(one[1:], mira[1:])[0]
    assert halves(one[1:], oskar[1:])[1]


def test_a_character_s_negative_acts_in_its_region_only(engine):
    words = parts("navy hair", "red hair")
    one = first_attention(engine, cast=pair(), prompt_parts=words)
    denied = first_attention(engine, cast=pair(part("hat", "ch_mira")), prompt_parts=words)
    assert halves(one[:1], denied[:1]) == (True, False)
    assert halves(one[1:], denied[1:]) == (False, False)


def test_words_without_an_owner_act_everywhere(engine):
    def shared(text: str) -> tuple[PromptPart, ...]:
        return (part(text), *parts("navy hair", "red hair")[1:])

    one = first_attention(engine, cast=pair(), prompt_parts=shared("two people"))
    other = first_attention(engine, cast=pair(), prompt_parts=shared("a crowd"))
    assert halves(one[1:], other[1:]) == (True, True)


def test_together_with_references_and_gone_afterwards(engine):
    base = drawn(engine)
    words = parts("navy hair", "red hair")
    plain = drawn(engine, dict([RED]), cast=pair(), prompt_parts=words)
    held = drawn(engine, dict([RED]), cast=pair(held=True), prompt_parts=words)
    assert not np.array_equal(plain, held)
    assert np.array_equal(
        held, drawn(engine, dict([RED]), cast=pair(held=True), prompt_parts=words)
    )
    assert np.array_equal(base, drawn(engine))


def test_an_alternate_alone_equals_the_one_among_others_with_everything(engine):
    from dataclasses import replace

    plan = replace(
        PLAN, alternates=2, cast=pair(held=True), prompt_parts=parts("navy hair", "red hair")
    )
    both = draw(engine, plan, dict([RED]))
    alone = draw(engine, replace(plan, alternates=1, seed=plan.seed + 1), dict([RED]))
    assert alone[0].image == both[1].image


def test_who_gets_words_of_their_own():
    words = words_by_region(parts("a", "b"), (part("bad"),), pair())
    assert [[p.text for p in w.wanted] for w in words] == [["two people"], ["a"], ["b"]]
    assert [p.text for p in words[0].unwanted] == ["bad"]
    alone = words_by_region(parts("a", "b"), (), pair()[:1])
    assert [len(w.wanted) for w in alone] == [3]
