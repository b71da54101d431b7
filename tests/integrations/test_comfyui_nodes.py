"""The node pack, loaded as ComfyUI loads one, on real tensors and a registry of the demo's cast."""

import asyncio
import importlib.util
import io
import json
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bot.app import open_app
from bot.demo.material import load_material
from bot.services.actor import Actor
from bot.services.cast import NewCharacter
from bot.settings import Settings
from pipeline.domain.character import ShotType

PACK = Path(__file__).resolve().parents[2] / "integrations" / "comfyui"
GUILD = 4242


@pytest.fixture(scope="module")
def pack():
    """As ``nodes.load_custom_node`` of ComfyUI does it: from a path, under the path's name."""
    name = str(PACK)
    spec = importlib.util.spec_from_file_location(name, PACK / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield module
    for known in [known for known in sys.modules if known.startswith(name)]:
        del sys.modules[known]


@pytest.fixture(scope="module")
def material():
    return load_material()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, material) -> Path:
    folder = tmp_path_factory.mktemp("studio")

    async def fill() -> None:
        manager = Actor(GUILD, 1, is_moderator=True, can_manage=True)
        async with open_app(Settings(data_dir=folder, _env_file=None)) as app:
            await app.series.create(manager, name="Nodes")
            for character in material.characters[:1]:
                look = character.appearances[0]
                new = NewCharacter(
                    name=character.name, character_id=character.character_id,
                    appearance=look.appearance_id, label=look.label, components=look.components,
                )  # fmt: skip
                await app.cast.register(manager, new, some_of(look.references))

    asyncio.run(fill())
    return folder


@pytest.fixture
def registry(folder, monkeypatch, tmp_path) -> Path:
    monkeypatch.chdir(tmp_path)  # no .env of somebody's
    monkeypatch.setenv("ONMODEL_DATA_DIR", str(folder))
    monkeypatch.setenv("ONMODEL_GUILD_ID", str(GUILD))
    return folder


def some_of(references):
    """A few of every shot, so that the fixture is quick."""
    heads = [r for r in references if r.shot_type is ShotType.HEADSHOT][:2]
    return (*[r for r in references if r not in heads][:5], *heads)


def tensor(*pictures: bytes, side: int = 512) -> torch.Tensor:
    squares = []
    for data in pictures:
        image = Image.open(io.BytesIO(data)).convert("RGBA")
        image.thumbnail((side, side))
        full = Image.new("RGBA", (side, side), "white")
        full.alpha_composite(image, ((side - image.width) // 2, (side - image.height) // 2))
        squares.append(np.asarray(full.convert("RGB"), np.float32) / 255)
    return torch.from_numpy(np.stack(squares))


def changes(folder: Path) -> list[tuple]:
    """Everything that a reader must leave as it is."""
    files = sorted(
        p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal"))
    )
    with sqlite3.connect(folder / "onmodel.db") as db:
        version = db.execute("PRAGMA data_version").fetchone()
    db.close()
    return [(p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in files] + [version]


def test_what_comfyui_asks_a_pack_for(pack):
    assert set(pack.NODE_CLASS_MAPPINGS) == {"OnmodelRetrieve", "OnmodelQAGate"}
    assert pack.NODE_DISPLAY_NAME_MAPPINGS["OnmodelRetrieve"] == "Onmodel Retrieve"
    assert pack.NODE_DISPLAY_NAME_MAPPINGS["OnmodelQAGate"] == "Onmodel QA Gate"
    for node in pack.NODE_CLASS_MAPPINGS.values():
        inputs = node.INPUT_TYPES()
        assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES)
        assert callable(getattr(node(), node.FUNCTION))
        for spec in {**inputs["required"], **inputs.get("optional", {})}.values():
            assert isinstance(spec[0], str | list)


async def test_retrieve_while_a_loop_runs(pack, registry, material):
    """ComfyUI executes nodes inside a running event loop."""
    assert asyncio.get_running_loop().is_running()
    before = changes(registry)
    node = pack.NODE_CLASS_MAPPINGS["OnmodelRetrieve"]()
    mira = material.characters[0]
    images, figures, identity, why = node.retrieve(mira.name, "full", 3, 256, prompt="She waves.")
    assert images.shape == (3, 256, 256, 3)
    assert figures.shape == (3, 256, 256)
    assert images.dtype == figures.dtype == torch.float32
    assert 0 <= float(images.min()) <= float(images.max()) <= 1
    assert float(figures.max()) == 1
    assert torch.allclose(images[figures == 0], torch.ones(3)), "white where nobody is"
    assert identity.startswith(f"{mira.name} (")
    assert len(why.splitlines()) == 3
    assert changes(registry) == before


async def test_retrieve_prefers_the_shot(pack, registry, material):
    node = pack.NODE_CLASS_MAPPINGS["OnmodelRetrieve"]()
    heads, *_ = node.retrieve(material.characters[0].character_id, "headshot", 1, 128)
    whole, *_ = node.retrieve(material.characters[0].character_id, "full", 1, 128)
    assert not torch.equal(heads, whole)


async def test_retrieve_runs_again_only_when_the_registry_changed(pack, registry, material):
    node = pack.NODE_CLASS_MAPPINGS["OnmodelRetrieve"]
    asked = {"character": material.characters[0].name, "shot_type": "half", "count": 3, "side": 64}
    first = node.IS_CHANGED(**asked)
    assert first
    assert node.IS_CHANGED(**asked) == first


async def test_the_gate_sorts_a_batch(pack, registry, material):
    mira = material.characters[0]
    own = [upload.data for upload in mira.appearances[0].held_out[:2]]
    other = material.characters[1].appearances[0].references[0].data
    nothing = torch.full((1, 512, 512, 3), 0.5)
    batch = torch.cat([tensor(*own, other), nothing])
    node = pack.NODE_CLASS_MAPPINGS["OnmodelQAGate"]()
    accepted, rejected, unsure, scores = node.judge(batch, mira.name)
    told = json.loads(scores)
    assert [one["verdict"] for one in told] == [
        "on_model", "on_model", "off_model", "cannot_judge",
    ], scores  # fmt: skip
    assert torch.equal(accepted, batch[:2])
    assert torch.equal(rejected, batch[2:3])
    assert torch.equal(unsure, batch[3:])
    assert told[0]["similarity"] >= told[0]["limit"]
    assert told[2]["similarity"] < told[2]["limit"]
    assert told[3]["reason"]


async def test_an_empty_branch_is_closed(pack, registry, material, monkeypatch):
    mira = material.characters[0]
    batch = tensor(mira.appearances[0].held_out[0].data)
    node = pack.NODE_CLASS_MAPPINGS["OnmodelQAGate"]()
    assert node.judge(batch, mira.name)[1].shape == (0, 512, 512, 3)

    class Graph:
        class ExecutionBlocker:
            def __init__(self, message):
                self.message = message

    monkeypatch.setitem(sys.modules, "comfy_execution", Graph)
    monkeypatch.setitem(sys.modules, "comfy_execution.graph", Graph)
    assert node.judge(batch, mira.name)[1].message is None


async def test_troubles_are_told_in_words(pack, registry, monkeypatch, tmp_path):
    node = pack.NODE_CLASS_MAPPINGS["OnmodelRetrieve"]()
    with pytest.raises(RuntimeError, match="no character Nobody"):
        node.retrieve("Nobody", "half", 1, 64)
    with pytest.raises(RuntimeError, match="number of a Discord server"):
        node.retrieve("Mira", "half", 1, 64, guild="my server")
    with pytest.raises(RuntimeError, match="series"):
        node.retrieve("Mira", "half", 1, 64, guild="7")
    monkeypatch.setenv("ONMODEL_DATA_DIR", str(tmp_path))
    with pytest.raises(RuntimeError, match="Set ONMODEL_DATA_DIR"):
        node.retrieve("Mira", "half", 1, 64)
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"


async def test_tensors_that_are_no_pictures(pack, registry):
    node = pack.NODE_CLASS_MAPPINGS["OnmodelQAGate"]()
    with pytest.raises(ValueError, match="images must be"):
        node.judge(torch.zeros(3, 64, 64), "Mira")


async def test_a_registry_of_another_version_is_refused(pack, folder, monkeypatch, tmp_path):
    source, copy = sqlite3.connect(folder / "onmodel.db"), sqlite3.connect(tmp_path / "onmodel.db")
    source.backup(copy)
    source.close()
    copy.execute(
        "DELETE FROM schema_migration WHERE version = (SELECT max(version) FROM schema_migration)"
    )
    copy.commit()
    copy.close()
    monkeypatch.setenv("ONMODEL_DATA_DIR", str(tmp_path))
    node = pack.NODE_CLASS_MAPPINGS["OnmodelRetrieve"]()
    with pytest.raises(RuntimeError, match="Use the same version of Onmodel"):
        node.retrieve("Mira", "half", 1, 64)
