"""One request, planned for each engine by the real planner, and drawn by it in its server."""

import hashlib
import io
from collections.abc import Iterator
from types import MappingProxyType

import pytest
from a1111_server import A1111Server
from comfy_server import ComfyServer, running
from engine_plans import SIZE, png
from PIL import Image

from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.inputs import CastInput, PanelInputs, ReferenceInput
from pipeline.domain.panel import CastRole, PanelBrief
from pipeline.generation.generators.a1111 import A1111Generator
from pipeline.generation.generators.base import Generator
from pipeline.generation.generators.comfyui import ComfyUiGenerator
from pipeline.generation.guides.panel_guides import with_guides
from pipeline.generation.plan import plan_for
from pipeline.generation.remote.address import is_loopback
from pipeline.generation.remote.holds import holds_of

SKETCH = png("black", SIZE)
SKETCHED = hashlib.sha256(SKETCH).hexdigest()


def somebody(who: str, colour: str) -> CastInput:
    references = tuple(
        ReferenceInput(
            n,
            hashlib.sha256(data).hexdigest(),
            data,
            ReferenceKind.POSE,
            shot,
            "front",
            "",
            True,
            (),
        )
        for n, (shot, data) in enumerate(
            [(ShotType.FULL, png(colour)), (ShotType.HEADSHOT, png(colour, (100, 100)))], 1
        )
    )
    components = MappingProxyType({"hair_color": colour})
    return CastInput(
        f"ch_{who}", f"{who}_s1", who.title(), "usual", 1.0, components, (), references
    )


@pytest.fixture
def inputs() -> PanelInputs:
    cast = (somebody("akira", "navy"), somebody("mira", "olive"))
    roles = tuple(CastRole(m.character_id, m.appearance_id) for m in cast)
    brief = PanelBrief(
        "Akira greets Mira.", roles, ShotType.HALF, 2, ColorMode.COLOR,
        sketch_sha256=SKETCHED, seed=7, size=SIZE,
    )  # fmt: skip
    return PanelInputs(1, brief, cast, pictures={SKETCHED: SKETCH})


@pytest.fixture(params=["comfyui", "a1111"])
def engine(request) -> Iterator[Generator]:
    server = ComfyServer() if request.param == "comfyui" else A1111Server()
    make = ComfyUiGenerator if request.param == "comfyui" else A1111Generator
    with running(server.app()) as url:
        engine = make({"url": url})
        yield engine
        engine.close()


def test_the_same_request_goes_through_either_engine(engine, inputs):
    guided = with_guides(inputs, engine.capabilities)
    plan = plan_for(guided, engine, strength=0)
    assert plan.generator == engine.name
    assert plan.controls
    assert f"{engine.name}: no reference attention" in plan.notes
    assert all(member.references for member in plan.cast)
    pictures = {r.sha256: r.image for m in inputs.cast for r in m.references} | guided.pictures
    drawn = engine.generate(
        plan, pictures, progress=lambda _f, _n, _p=None: None, cancelled=lambda: False
    )
    assert [Image.open(io.BytesIO(c.image)).size for c in drawn] == [SIZE, SIZE]
    again = engine.generate(
        plan, pictures, progress=lambda _f, _n, _p=None: None, cancelled=lambda: False
    )
    assert [c.image for c in again] == [c.image for c in drawn]


def test_references_share_the_hold_of_the_strongest(engine, inputs):
    plan = plan_for(with_guides(inputs, engine.capabilities), engine, strength=0)
    for member in plan.cast:
        holds = list(holds_of(member.references, engine.capabilities.adapters, 3))
        for adapter in engine.capabilities.adapters:
            weights = [hold.weight for hold in holds if hold.adapter is adapter]
            strongest = [
                a.scale for hold in holds if hold.adapter is adapter
                for a in hold.use.adapters if a.adapter is adapter
            ]  # fmt: skip
            assert sum(weights) == pytest.approx(max(strongest, default=0), abs=1e-3)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True), ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("a.localhost", True),
        ("10.0.0.1", False), ("example.org", False), ("localhost.example.org", False), ("0.0.0.0", False),
    ],
)  # fmt: skip
def test_what_counts_as_this_machine(host, loopback):
    assert is_loopback(host) is loopback
