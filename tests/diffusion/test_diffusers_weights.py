"""Which weights are here, what is missing, and how a host learns of it; mostly without torch."""

import json
import shutil
from pathlib import Path

import pytest
from tiny_diffusion import TinyModels

from bot.doctor import Health, diagnose
from bot.settings import load_settings
from pipeline.domain.conditioning import Adapter, ControlKind
from pipeline.domain.errors import GenerationFailed, GeneratorUnavailable, SettingsError
from pipeline.generation.diffusion.families import FAMILIES, SDXL, Task, family_of
from pipeline.generation.diffusion.installed import digest, find_installed
from pipeline.generation.diffusion.options import DiffusersOptions
from pipeline.generation.generators import registry
from pipeline.generation.generators.diffusers import DiffusersGenerator


@pytest.fixture
def copied(tiny_sd: TinyModels, tmp_path: Path) -> Path:
    """A model folder that a test may damage; the weights are links."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_sd.model, folder, copy_function=lambda a, b: Path(b).symlink_to(a))
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(GeneratorUnavailable) as caught:
        find_installed(DiffusersOptions(model=str(folder)))
    assert str(folder) not in str(caught.value), "no path is shown to people"
    return str(caught.value)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_table_names_classes_that_diffusers_has(family):
    pytest.importorskip("torch")
    from pipeline.torch_mends import mend_torchvision

    mend_torchvision()
    import diffusers

    assert {task for task, _ in family.pipelines} == set(Task)
    for name in (*family.pipelines.values(), family.control_class):
        assert hasattr(diffusers, name), name
    assert family_of(family.pipelines[Task.TEXT, False]) is family


def test_everything_that_is_here_is_found_and_named_by_content(tiny_sd, tiny_sdxl):
    sd = find_installed(DiffusersOptions.of(tiny_sd.options()))
    assert set(sd.adapters) == {Adapter.IP_WHOLE, Adapter.IP_FACE}
    assert set(sd.controls) == set(ControlKind)
    assert (sd.native_side, sd.side_multiple, sd.channels) == (64, 16, 4)
    files = {file.role: file for file in sd.files()}
    assert {"unet", "vae", "text_encoder", "ip_whole", "ip_face", "control_edges"} <= set(files)
    assert files["unet"].sha256 == digest(next((tiny_sd.model / "unet").glob("*.safetensors")))
    assert find_installed(DiffusersOptions(model=str(tiny_sdxl.model))).family is SDXL
    nine = find_installed(DiffusersOptions(model=str(tiny_sd.inpaint)))
    assert nine.inpaints_natively


def test_adapters_of_another_family_are_not_taken_for_ours(tiny_sd, tiny_sdxl):
    options = DiffusersOptions(model=str(tiny_sd.model), adapters=str(tiny_sdxl.adapters))
    assert find_installed(options).adapters == {}


@pytest.mark.parametrize("name", ["nobody/has-this", "/not/there"])
def test_a_model_that_is_not_here_names_the_command(name):
    with pytest.raises(GeneratorUnavailable, match="hf download"):
        find_installed(DiffusersOptions(model=name))


def test_without_any_setting_the_person_is_told_what_to_set():
    with pytest.raises(GeneratorUnavailable, match="ONMODEL_DIFFUSERS_MODEL"):
        DiffusersGenerator()


def test_a_component_that_is_missing_or_pickled_is_named(copied):
    weights = next((copied / "vae").glob("*.safetensors"))
    weights.unlink()
    assert "vae/*.safetensors is not there" in refused(copied)
    (copied / "vae" / "diffusion_pytorch_model.bin").write_bytes(b"pickled")
    assert "can run code" in refused(copied)


def test_folders_of_another_kind_are_refused(copied):
    index = copied / "model_index.json"
    data = json.loads(index.read_text())
    index.unlink()
    assert "layout of diffusers" in refused(copied)
    index.write_text(json.dumps({**data, "_class_name": "KandinskyPipeline"}))
    assert "sd15, sdxl, flux" in refused(copied)
    index.write_text("{")
    assert "cannot be read" in refused(copied)
    index.write_text(" " * (2 << 20))
    assert "cannot be read" in refused(copied)


def test_damaged_weights_are_found_when_they_are_loaded(copied):
    weights = next((copied / "vae").glob("*.safetensors"))
    weights.unlink()
    weights.write_bytes(b"\x10" + b"\0" * 40)
    engine = DiffusersGenerator({"model": str(copied), "device": "cpu"})
    with pytest.raises(GenerationFailed, match="damaged"):
        engine._engine.base  # noqa: B018 - the first look loads


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "tpu"}, "ONMODEL_DIFFUSERS_DEVICE"),
        ({"dtype": "int8"}, "ONMODEL_DIFFUSERS_DTYPE"),
        ({"sampler": "magic"}, "ONMODEL_DIFFUSERS_SAMPLER"),
        ({"colour": "red"}, "ONMODEL_DIFFUSERS_COLOUR"),
    ],
)
def test_settings_that_cannot_be_are_named(tiny_sd, options, words):
    with pytest.raises(SettingsError, match=words):
        DiffusersGenerator(tiny_sd.options(**options))._engine.base  # noqa: B018


def test_settings_reach_the_engine_and_its_plans(tiny_sd, monkeypatch):
    monkeypatch.setenv("ONMODEL_GENERATOR", "diffusers")
    for name, value in tiny_sd.options(steps=4, sampler="lcm", guidance=1.0).items():
        monkeypatch.setenv(f"ONMODEL_DIFFUSERS_{name.upper()}", str(value))
    settings = load_settings(None)
    engine = registry.load_generator(settings.generator, settings.engine_options())
    sampling = engine.capabilities.sampling
    assert (sampling.sampler, sampling.steps, sampling.guidance) == ("lcm", 4, 1.0)


def test_doctor_lists_what_is_usable_and_how_to_get_the_rest(tiny_sd, monkeypatch, tmp_path):
    monkeypatch.setenv("ONMODEL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ONMODEL_GENERATOR", "diffusers")
    monkeypatch.setenv("ONMODEL_DIFFUSERS_MODEL", str(tiny_sd.model))
    lines = {line.name: line for line in diagnose(None).lines}
    assert lines["model"].health is Health.GOOD
    assert "hf download h94/IP-Adapter" in lines["ip_face"].mend
    assert "ONMODEL_DIFFUSERS_CONTROLS" in lines["guide pose"].mend
    monkeypatch.setenv("ONMODEL_DIFFUSERS_ADAPTERS", str(tiny_sd.adapters))
    lines = {line.name: line for line in diagnose(None).lines}
    assert lines["ip_face"].health is Health.GOOD


class Silent:
    """An engine of somebody else that does not say what it can do."""

    name, version = "silent", "1"


def test_an_engine_that_does_not_say_what_it_can_do_is_refused_in_words(monkeypatch):
    monkeypatch.setitem(registry._BUILT_IN, "silent", f"{__name__}:Silent")
    monkeypatch.setattr(registry, "import_module", lambda _name: type("m", (), {"Silent": Silent}))
    with pytest.raises(GeneratorUnavailable, match="does not say what it can do"):
        registry.load_generator("silent")
