"""What the doctor says of engines that run in a server."""

from collections.abc import Iterator

import pytest
from a1111_server import A1111Server
from comfy_server import ComfyServer, running

from bot.doctor import Health, Line, _server
from bot.settings import Settings
from pipeline.generation.generators.registry import load_generator


def lines(**settings) -> dict[str, Line]:
    made = Settings(_env_file=None, **settings)  # pyright: ignore
    return {
        line.name: line for line in _server(load_generator(made.generator, made.engine_options()))
    }


@pytest.fixture
def comfy() -> Iterator[tuple[ComfyServer, str]]:
    server = ComfyServer()
    with running(server.app()) as url:
        yield server, url


def test_engines_without_a_server_have_no_line():
    assert lines(generator="draft") == {}


def test_comfyui_that_has_everything(comfy):
    found = lines(generator="comfyui", comfyui_url=comfy[1])
    assert [line.health for line in found.values()] == [Health.GOOD]
    assert found["comfyui server"].found == "ComfyUI 0.3.60 on cuda:0 Test"


def test_comfyui_without_ip_adapters_serves_some_panels(comfy):
    server, url = comfy
    del server.nodes["IPAdapterAdvanced"]
    found = lines(generator="comfyui", comfyui_url=url)
    assert found["comfyui server"].health is Health.GOOD
    assert found["comfyui models"].health is Health.WARNING
    assert "ComfyUI_IPAdapter_plus" in found["comfyui models"].mend


def test_comfyui_without_the_checkpoint_serves_none(comfy):
    found = lines(generator="comfyui", comfyui_url=comfy[1], comfyui_checkpoint="gone.safetensors")
    (line,) = found.values()
    assert line.health is Health.BAD
    assert "“gone.safetensors” in models/checkpoints" in line.mend


@pytest.mark.parametrize("engine", ["comfyui", "a1111"])
def test_a_server_that_is_down_is_named_with_its_address(engine):
    (line,) = lines(generator=engine, **{f"{engine}_url": "http://127.0.0.1:9"}).values()
    assert line.health is Health.BAD
    assert "http://127.0.0.1:9" in line.mend


def test_another_machine_is_said(comfy):
    url = "http://comfy.invalid:8188"
    found = lines(generator="comfyui", comfyui_url=url, comfyui_allow_remote=True)
    assert found["comfyui address"].health is Health.WARNING
    assert "comfy.invalid" in found["comfyui address"].found
    assert found["comfyui server"].health is Health.BAD


def test_a1111():
    server = A1111Server()
    with running(server.app()) as url:
        found = lines(generator="a1111", a1111_url=url)
        assert [line.health for line in found.values()] == [Health.GOOD]
        server.manners.controlnet = False
        found = lines(generator="a1111", a1111_url=url)
        assert "sd-webui-controlnet" in found["a1111 models"].mend
