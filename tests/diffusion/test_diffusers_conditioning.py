"""ControlNets, LoRAs and learned words, alone and together, and a model that is as before."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawing import PLAN, SIZE, drawn, figure, named
from PIL import Image, ImageDraw
from tiny_diffusion import TinyModels, write_inversion, write_lora

from pipeline.domain.conditioning import (
    Adapter,
    AdapterScale,
    CastConditioning,
    ControlKind,
    ControlUse,
    ModuleKind,
    ModuleUse,
    PartKind,
    PromptPart,
    ReferenceUse,
)
from pipeline.domain.errors import Cancelled, GenerationFailed
from pipeline.domain.geometry import Box
from pipeline.generation.generators.diffusers import DiffusersGenerator
from pipeline.generation.modules import ModuleShelf

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)

GUILD = 7
RED = figure("darkred")


def lines(*points: int) -> tuple[str, bytes]:
    image = Image.new("RGB", SIZE)
    ImageDraw.Draw(image).line(points, fill="white", width=3)
    return named(image)


CROSS, BAR = lines(0, 0, 63, 63), lines(0, 32, 63, 32)
PICTURES = dict([RED, CROSS, BAR])


def control(
    kind: ControlKind = ControlKind.EDGES, guide: tuple[str, bytes] = CROSS, scale: float = 0.8,
    start: float = 0.0, end: float = 1.0, who: str | None = None,
) -> ControlUse:  # fmt: skip
    return ControlUse(kind, guide[0], scale, "", start, end, who)


@pytest.fixture(params=["tiny_sd", "tiny_sdxl"], scope="module")
def models(request: pytest.FixtureRequest) -> TinyModels:
    found: TinyModels = request.getfixturevalue(request.param)
    folder = found.modules / str(GUILD)
    family = "sdxl" if request.param.endswith("xl") else "sd"
    write_lora(folder / "mira_coat.safetensors", found.model)
    write_lora(folder / "oskar_suit.safetensors", found.model, seed=8)
    write_inversion(folder / "mira_coat.<mira>.safetensors", family=family)
    return found


@pytest.fixture(scope="module")
def engine(models: TinyModels) -> DiffusersGenerator:
    return DiffusersGenerator(models.options())


@pytest.fixture(scope="module")
def shelf(models: TinyModels) -> ModuleShelf:
    return ModuleShelf(models.modules)


@pytest.fixture(scope="module")
def base(engine: DiffusersGenerator):
    return drawn(engine)


def guided(engine, *uses: ControlUse, **more):
    return drawn(engine, PICTURES, controls=uses, **more)


@pytest.mark.parametrize("kind", list(ControlKind))
def test_a_guide_of_each_kind_acts_and_scale_0_does_not(engine, base, kind):
    assert np.array_equal(base, guided(engine, control(kind, scale=0.0)))
    assert not np.array_equal(base, guided(engine, control(kind)))
    assert np.array_equal(base, drawn(engine))


def test_what_the_guide_shows_and_how_hard_it_holds_matter(engine):
    found = [
        guided(engine, control()),
        guided(engine, control(guide=BAR)),
        guided(engine, control(scale=0.3)),
        guided(engine, control(), control(ControlKind.POSE, BAR, 0.5)),
    ]
    assert len({picture.tobytes() for picture in found}) == len(found)


def test_a_guide_holds_for_its_share_of_the_steps_only(engine, base):
    four = replace(PLAN.sampling, steps=4)
    plain = drawn(engine, sampling=four)
    first_half = guided(engine, control(end=0.5), sampling=four)
    second_half = guided(engine, control(start=0.5), sampling=four)
    whole = guided(engine, control(), sampling=four)
    assert len({p.tobytes() for p in (plain, first_half, second_half, whole)}) == 4
    assert np.array_equal(base, guided(engine, control(start=0.9, end=0.9)))


def test_a_character_s_guide_says_nothing_outside_its_region(engine):
    left = CastConditioning("ch_mira", "v1", "Mira", (), region=Box(0, 0, 32, 64))
    confined = guided(engine, control(guide=BAR, who="ch_mira"), cast=(left,))
    half = lines(0, 32, 31, 32)
    pictures = dict([half])
    assert np.array_equal(
        confined, drawn(engine, pictures, cast=(left,), controls=(control(guide=half),))
    )


def test_a_guide_without_its_net_names_the_command(models):
    bare = DiffusersGenerator(models.options(controls=""))
    assert bare.capabilities.controls is False
    with pytest.raises(GenerationFailed, match="hf download"):
        guided(bare, control())


def lora(shelf: ModuleShelf, look: str = "mira_coat", scale: float = 0.8) -> ModuleUse:
    (use, *_) = shelf.of(GUILD, look)
    return replace(use, scale=scale)


def test_the_shelf_knows_kinds_words_and_servers(shelf, models, tmp_path):
    plain, word = shelf.of(GUILD, "mira_coat")
    assert (plain.kind, plain.trigger) == (ModuleKind.LORA, "")
    assert (word.kind, word.trigger) == (ModuleKind.TEXTUAL_INVERSION, "<mira>")
    assert shelf.of(GUILD + 1, "mira_coat") == ()
    assert shelf.of(GUILD, "nobody") == ()
    assert shelf.find(plain.sha256) == models.modules / str(GUILD) / "mira_coat.safetensors"
    assert ModuleShelf(None).of(GUILD, "mira_coat") == ()
    folder = tmp_path / str(GUILD)
    folder.mkdir()
    for name, data in {
        "mira_coat.ckpt": b"pickled",
        "mira_coat.safetensors": b"no header",
        "mira_coat.x.safetensors": (1 << 62).to_bytes(8, "little") + b"{}",
    }.items():
        (folder / name).write_bytes(data)
    assert ModuleShelf(tmp_path).of(GUILD, "mira_coat") == ()


def test_a_lora_acts_by_its_scale_and_is_gone_afterwards(engine, base, shelf):
    on = drawn(engine, modules=(lora(shelf),))
    harder = drawn(engine, modules=(lora(shelf, scale=1.5),))
    none = drawn(engine, modules=(lora(shelf, scale=0.0),))
    both = drawn(engine, modules=(lora(shelf), lora(shelf, "oskar_suit")))
    assert len({p.tobytes() for p in (base, on, harder, both)}) == 4
    assert np.array_equal(base, none)
    assert np.array_equal(base, drawn(engine))


def test_a_learned_word_is_read_where_it_stands_and_is_gone_afterwards(engine, shelf):
    """The plan's prompt gets the word if it lacks it; without the module it is plain letters."""
    word = shelf.of(GUILD, "mira_coat")[1]
    prompt = "<mira> waves"
    letters = drawn(engine, prompt=prompt)
    learned = drawn(engine, prompt=prompt, modules=(word,))
    assert not np.array_equal(letters, learned)
    assert np.array_equal(learned, drawn(engine, prompt=prompt, modules=(word,)))
    assert np.array_equal(letters, drawn(engine, prompt=prompt))
    added = drawn(engine, prompt="a lamp", modules=(word,))
    in_parts = tuple(PromptPart(w, "", PartKind.REQUEST) for w in ("a lamp", "<mira>"))
    assert np.array_equal(added, drawn(engine, prompt_parts=in_parts, modules=(word,)))


def test_a_module_of_another_family_or_a_lost_one_is_refused_in_words(
    engine, base, models, tmp_path, request
):
    other = request.getfixturevalue("tiny_sd" if "sdxl" in str(models.root) else "tiny_sdxl")
    folder = models.modules / "8"
    write_lora(folder / "mira_coat.safetensors", other.model)
    write_inversion(
        folder / "mira_coat.word.safetensors", family="sd" if "sdxl" in str(models.root) else "sdxl"
    )
    for use in ModuleShelf(models.modules).of(8, "mira_coat"):
        with pytest.raises(GenerationFailed, match="does not fit"):
            drawn(engine, modules=(use,))
        assert np.array_equal(base, drawn(engine))
    gone = ModuleUse(ModuleKind.LORA, "mira_coat", "0" * 64, 1.0, "")
    with pytest.raises(GenerationFailed, match="gone"):
        drawn(engine, modules=(gone,))
    for path in folder.iterdir():
        Path(path).unlink()


def everything(shelf: ModuleShelf) -> dict[str, object]:
    adapters = (AdapterScale(Adapter.IP_WHOLE, 0.6), AdapterScale(Adapter.IP_FACE, 0.4))
    use = ReferenceUse(RED[0], 1, 0.6, "", adapters=adapters)
    return {
        "cast": (CastConditioning("ch_mira", "mira_coat", "Mira", (use,)),),
        "controls": (control(), control(ControlKind.DEPTH, BAR)),
        "modules": shelf.of(GUILD, "mira_coat"),
    }


def test_after_a_job_with_everything_the_model_is_as_before(engine, base, shelf):
    weights = {
        name: {key: value.clone() for key, value in part.state_dict().items()}
        for name, part in engine._engine.base.components.items()
        if hasattr(part, "state_dict")
    }
    full = drawn(engine, PICTURES, **everything(shelf))
    assert not np.array_equal(base, full)
    assert np.array_equal(base, drawn(engine))
    for name, before in weights.items():
        after = engine._engine.base.components[name].state_dict()
        assert list(after) == list(before), name
        assert all(bool((after[key] == value).all()) for key, value in before.items()), name
    assert np.array_equal(full, drawn(engine, PICTURES, **everything(shelf)))


@pytest.mark.parametrize("step", [0, 1])
def test_a_cancel_in_the_middle_takes_everything_off(engine, base, shelf, step):
    done = []
    with pytest.raises(Cancelled):
        engine.generate(
            replace(PLAN, **everything(shelf)),
            PICTURES,
            progress=lambda _share, note, *_: done.append(note) if note == "Drawing" else None,
            cancelled=lambda: len(done) > step,
        )
    assert len(done) == step + 1
    assert np.array_equal(base, drawn(engine))
