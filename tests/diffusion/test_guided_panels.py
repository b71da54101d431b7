"""From a brief with a sketch or a chosen pose to a picture: the made guides reach the ControlNets."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from drawing import draw, figure, pixels
from PIL import Image, ImageDraw
from tiny_diffusion import TinyModels

from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.conditioning import ConditioningPlan, ControlKind, Sampling
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import CastInput, PanelInputs, ReferenceInput
from pipeline.domain.panel import CastRole, PanelBrief, PlanPart, Revision
from pipeline.domain.pose import Pose
from pipeline.generation.generators.diffusers import DiffusersGenerator
from pipeline.generation.ladder import first_rung
from pipeline.imaging.decode import to_png

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
SIZE = Size(64, 64)
BODY = (
    (50, 10), (53, 8), (47, 8), (57, 10), (43, 10), (65, 30), (35, 30), (70, 50), (30, 50),
    (72, 70), (28, 70), (58, 75), (42, 75), (58, 105), (42, 105), (58, 135), (42, 135),
)  # fmt: skip
STANDING = Pose(tuple((float(x), float(y), 1.0) for x, y in BODY))


@pytest.fixture(scope="module")
def engine(tiny_sd: TinyModels) -> DiffusersGenerator:
    return DiffusersGenerator(tiny_sd.options())


def panel(**brief) -> PanelInputs:
    looks = [figure("darkred"), figure("navy", (40, 64))]
    references = tuple(
        ReferenceInput(
            n, sha, png, ReferenceKind.POSE, ShotType.FULL, "", "", True, (),
            pose=STANDING if n else None,
        )
        for n, (sha, png) in enumerate(looks)
    )  # fmt: skip
    cast = (CastInput("ch_a", "a_x", "Ada", "x", 1.0, {"top": "red coat"}, (), references),)
    asked = PanelBrief(
        "she waits", (CastRole("ch_a", "a_x"),), ShotType.FULL, size=SIZE, seed=3, **brief
    )
    return PanelInputs(1, asked, cast)


def sketched() -> PanelInputs:
    image = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(image).ellipse((10, 10, 50, 56), outline="black", width=3)
    png = to_png(image)
    sha = hashlib.sha256(png).hexdigest()
    return replace(panel(sketch_sha256=sha), pictures={sha: png})


def shown(
    engine: DiffusersGenerator, inputs: PanelInputs, plan: ConditioningPlan, made
) -> np.ndarray:
    references = {r.sha256: r.image for m in inputs.cast for r in m.references}
    short = replace(plan, sampling=Sampling("euler", 2, 5.0))
    return pixels(draw(engine, short, {**references, **inputs.pictures, **made})[0])


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [(sketched(), ControlKind.EDGES), (panel(lead=(1,)), ControlKind.POSE)],
    ids=["sketch", "pose"],
)
def test_a_guide_is_made_named_and_drawn_by(engine, inputs, kind):
    rung = first_rung(inputs, engine)
    (control,) = rung.plan.controls
    assert control.kind is kind
    assert set(rung.pictures) == {control.sha256}
    guided = shown(engine, inputs, rung.plan, rung.pictures)
    free = shown(engine, inputs, replace(rung.plan, controls=()), {})
    assert (guided != free).any()
    again = ConditioningPlan.from_json(rung.plan.to_json())
    assert (shown(engine, inputs, again, rung.pictures) == guided).all()


def test_a_reroll_of_a_guided_recipe_differs_by_its_hold_alone(engine):
    inputs = sketched()
    first = first_rung(inputs, engine)
    brief = replace(inputs.brief, hold=0.2, revision=Revision(1, 0, (PlanPart.HOLD,)))
    kept = {**inputs.pictures, **first.pictures}
    again = first_rung(replace(inputs, brief=brief, pictures=kept, base=first.plan), engine)
    assert again.plan.controls == first.plan.controls
    assert again.plan.cast[0].references[0].scale == pytest.approx(0.2)
    pictures = [shown(engine, inputs, rung.plan, kept) for rung in (first, again)]
    assert (pictures[0] != pictures[1]).any()
    same = replace(again.plan, cast=first.plan.cast)
    assert (shown(engine, inputs, same, kept) == pictures[0]).all()
