"""Stories with an engine in a server: the worker process talks to it over HTTP and WebSocket."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from a1111_server import A1111Server
from comfy_server import ComfyServer, running
from studio import Studio, answer, labels_of, text_of

CAST = Path(__file__).parents[2] / "examples" / "cast"


@pytest.fixture
def comfy() -> Iterator[tuple[ComfyServer, str]]:
    server = ComfyServer()
    server.manners.paste_reference = True
    with running(server.app()) as url:
        yield server, url


@pytest.fixture
def on_comfy(comfy, monkeypatch) -> ComfyServer:
    """Before the studio opens: its settings come from the environment, as a host sets them."""
    monkeypatch.setenv("ONMODEL_GENERATOR", "comfyui")
    monkeypatch.setenv("ONMODEL_COMFYUI_URL", comfy[1])
    return comfy[0]


@pytest.fixture
def on_a1111(monkeypatch) -> Iterator[A1111Server]:
    server = A1111Server()
    server.manners.paste_reference = True
    with running(server.app()) as url:
        monkeypatch.setenv("ONMODEL_GENERATOR", "a1111")
        monkeypatch.setenv("ONMODEL_A1111_URL", url)
        yield server


@pytest.fixture
def nobody_there(monkeypatch) -> None:
    monkeypatch.setenv("ONMODEL_GENERATOR", "comfyui")
    monkeypatch.setenv("ONMODEL_COMFYUI_URL", "http://127.0.0.1:9")


async def enrol(studio: Studio) -> None:
    folder = next(p for p in sorted((CAST / "mira").iterdir()) if p.is_dir())
    art = [(p.name, p.read_bytes()) for p in sorted(folder.glob("*.webp"))][:5]
    images = {"image" if n == 0 else f"image{n + 1}": picture for n, picture in enumerate(art)}
    made = await studio.ann.slash(studio.channel, "character register", name="Mira", **images)
    assert "is in the cast" in answer(made)


@pytest.mark.slow
@pytest.mark.studio(real_worker=True)
async def test_a_panel_from_comfyui_and_one_that_is_cancelled(on_comfy, studio: Studio):
    await enrol(studio)
    await studio.request(characters="Mira", prompt="Mira waits.", alternates=2)
    await studio.quiet()
    card = studio.card()
    assert labels_of(card)[:2] == ["Vote A", "Vote B"]
    assert "comfyui: no reference attention" in text_of(card)
    recipe = await studio.ann.click(card, label="Recipe")
    assert "comfyui 1-" in answer(recipe)
    assert len(on_comfy.graphs) == 2
    assert on_comfy.jobs == []

    on_comfy.manners.never_finish = True
    await studio.request(characters="Mira", prompt="Mira runs.")
    await studio.until(lambda: on_comfy.running is not None)
    cancelled = await studio.ann.slash(studio.channel, "panel cancel", panel=2)
    assert "⚠️" not in answer(cancelled)
    await studio.quiet()
    await studio.until(lambda: on_comfy.jobs == [])
    assert len(on_comfy.graphs) == 3
    assert studio.card() == card, "nothing was posted for it"


@pytest.mark.slow
@pytest.mark.studio(real_worker=True)
async def test_a_panel_from_a1111(on_a1111, studio: Studio):
    await enrol(studio)
    await studio.request(characters="Mira", prompt="Mira waits.", alternates=2)
    await studio.quiet()
    card = studio.card()
    assert labels_of(card)[:2] == ["Vote A", "Vote B"]
    assert "a1111: no reference attention" in text_of(card)
    assert len(on_a1111.bodies) == 1
    assert on_a1111.jobs == []


@pytest.mark.slow
@pytest.mark.studio(real_worker=True)
async def test_when_comfyui_is_down_the_person_is_told(nobody_there, studio: Studio):
    await enrol(studio)
    await studio.request(characters="Mira", prompt="Mira waits.")
    await studio.quiet()
    words = text_of(studio.card())
    assert "ComfyUI does not answer. Ask whoever runs the bot to start it" in words
    assert "127.0.0.1" not in words
