"""Which guide pictures a panel gets, made before its first plan so that the plan can name them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from PIL import Image

from pipeline.domain.character import ShotType
from pipeline.domain.conditioning import ControlKind, ControlUse
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput, PanelInputs
from pipeline.domain.pose import Pose
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.guides.depth import layered_depth
from pipeline.generation.guides.edges import line_guide
from pipeline.generation.guides.posing import pose_in
from pipeline.generation.guides.skeleton import draw_skeletons
from pipeline.generation.plan import SKETCH_SCALE
from pipeline.generation.staging import staged_regions
from pipeline.imaging.decode import load_canonical, to_png

POSE_SCALE = 0.8
STAGING_SCALE, STAGING_END = 0.35, 0.4
"""Where people stand is settled early: staging holds lightly, and in the first steps only."""
_FULL_HEIGHT = 0.86
"""Share of the picture's height that the tallest figure of a staging takes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Guide:
    image: Image.Image
    use: ControlUse


def with_guides(inputs: PanelInputs, engine: Capabilities) -> PanelInputs:
    """The same inputs with the guide pictures that the engine can use.

    A sketch gives lines, and then nothing else, since it is the layout. Without one, a pose that
    somebody chose for a character gives a skeleton; several characters on an engine that knows no
    regions get a staging, if it reads depth.

    Args:
        inputs: what the panel needs; the sketch is among its pictures.
        engine: what the engine can do. Nothing is made for one that takes no guide pictures: its
            plan then says what it leaves out.

    Returns:
        Inputs whose ``guides`` name finished PNGs in ``pictures``: of the panel's size, and ready
        for a ControlNet without any preparation by the engine.

    Raises:
        InvalidPicture: the kept sketch is damaged.
    """
    if not engine.controls or inputs.guides:
        return inputs
    uses, pictures = [], dict(inputs.pictures)
    for guide in _wanted(inputs, engine):
        png = to_png(guide.image)
        sha256 = hashlib.sha256(png).hexdigest()
        pictures[sha256] = png
        uses.append(replace(guide.use, sha256=sha256))
    return replace(inputs, guides=tuple(uses), pictures=pictures)


def with_chosen_pose(inputs: PanelInputs) -> PanelInputs:
    """The same inputs, where a reference that somebody chose also gives its known pose."""
    lead = inputs.brief.lead

    def posed(member: CastInput) -> CastInput:
        found = {r.reference_id: r.pose for r in member.references}
        poses = [found[id_] for id_ in lead if found.get(id_) is not None]
        return replace(member, pose=poses[0]) if poses and member.pose is None else member

    return replace(inputs, cast=tuple(map(posed, inputs.cast))) if lead else inputs


def _wanted(inputs: PanelInputs, engine: Capabilities) -> Iterator[_Guide]:
    brief = inputs.brief
    sketch = inputs.pictures.get(brief.sketch_sha256 or "")
    if sketch is not None:
        if ControlKind.EDGES in engine.control_kinds:
            lines = line_guide(load_canonical(sketch), brief.size).convert("RGB")
            use = ControlUse(ControlKind.EDGES, "", SKETCH_SCALE, "the lines of the sketch")
            yield _Guide(lines, use)
        return
    poses = _posed(inputs) if ControlKind.POSE in engine.control_kinds else {}
    if poses:
        why = f"the pose that was chosen for {', '.join(poses)}"
        skeletons = draw_skeletons(list(poses.values()), brief.size)
        yield _Guide(skeletons, ControlUse(ControlKind.POSE, "", POSE_SCALE, why))
    elif len(inputs.cast) > 1 and not engine.regions and ControlKind.DEPTH in engine.control_kinds:
        yield _Guide(_staging(inputs), _STAGING)


_STAGING = ControlUse(
    ControlKind.DEPTH, "", STAGING_SCALE, "who stands where, as plain bodies", end=STAGING_END
)


def _posed(inputs: PanelInputs) -> dict[str, Pose]:
    """The chosen poses by character's name, in their places in the panel."""
    tallest = max(m.height_ratio for m in inputs.cast)
    placed = {
        member.name: pose_in(
            member.pose, region, inputs.brief.shot_type, member.height_ratio / tallest
        )
        for member, region in _places(inputs)
        if member.pose is not None
    }
    return {name: pose for name, pose in placed.items() if pose is not None}


def _staging(inputs: PanelInputs) -> Image.Image:
    """Everyone on one floor, as tall as they are, cut by the lower edge as the shot asks for."""
    size, tallest = inputs.brief.size, max(m.height_ratio for m in inputs.cast)
    shown = _SHOWN.get(inputs.brief.shot_type, 1.0)
    boxes = []
    for member, region in _places(inputs):
        height = size.height * _FULL_HEIGHT * (member.height_ratio / tallest) / shown
        feet = size.height * (1 - _FULL_HEIGHT) / 2 + size.height * _FULL_HEIGHT / shown
        middle, half = (region.x0 + region.x1) / 2, min(region.width, 0.5 * height) / 2
        edges = (middle - half, feet - height, middle + half, feet)
        boxes.append(Box(*(round(value) for value in edges)))
    return layered_depth(boxes, size).convert("RGB")


_SHOWN = {ShotType.HEADSHOT: 0.22, ShotType.HALF: 0.5}
"""How much of a standing figure a shot shows, from the crown down."""


def _places(inputs: PanelInputs) -> list[tuple[CastInput, Box]]:
    size = inputs.brief.size
    regions = staged_regions(inputs.cast, inputs.brief)
    return [
        (member, region or Box(0, 0, *size))
        for member, region in zip(inputs.cast, regions, strict=True)
    ]
