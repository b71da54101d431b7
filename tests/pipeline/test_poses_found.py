"""Poses in drawings: found where there is a body, refused where there is none."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.errors import SettingsError
from pipeline.domain.inputs import CastInput, PanelInputs, ReferenceInput
from pipeline.domain.panel import CastRole, PanelBrief
from pipeline.domain.pose import Pose
from pipeline.fingerprints.registry import load_encoders
from pipeline.imaging import poses
from pipeline.imaging.decode import to_png
from pipeline.imaging.masks import find_figure
from pipeline.imaging.poses import LEAST_SEEN, SEEN, find_pose
from pipeline.retrieval.pose import procrustes
from pipeline.retrieval.rank import rank_references
from pipeline.retrieval.sketch import with_sketch

CAST = Path(__file__).parents[2] / "examples" / "cast"
NOSE, SHOULDERS, HIPS, ANKLES = slice(0, 1), slice(5, 7), slice(11, 13), slice(15, 17)


def drawing(name: str) -> Image.Image:
    with Image.open(CAST / f"{name}.webp") as image:
        return image.convert("RGBA")


def pose_of(image: Image.Image) -> Pose | None:
    figure = find_figure(image)
    assert figure is not None
    return find_pose(image, figure)


def found(image: Image.Image) -> Pose:
    pose = pose_of(image)
    assert pose is not None
    return pose


@pytest.mark.parametrize(
    "name",
    ["oskar/everyday/02-full-neutral", "basil/everyday/01-full-neutral",
     "odette/sunday/01-full-neutral"],
)  # fmt: skip
def test_a_standing_figure_has_its_joints_in_order_and_on_it(name: str) -> None:
    image = drawing(name)
    figure = find_figure(image)
    assert figure is not None
    points = np.array(found(image).keypoints)
    heights = [points[part, 1].mean() for part in (NOSE, SHOULDERS, HIPS, ANKLES)]
    assert heights == sorted(heights)
    sure = points[points[:, 2] >= SEEN]
    assert len(sure) >= LEAST_SEEN
    on_it = [figure.mask[round(y), round(x)] > 0 for x, y, _ in sure]
    assert np.mean(on_it) >= 0.9


def test_a_pose_is_in_the_pictures_own_pixels_whatever_their_number() -> None:
    image = drawing("oskar/everyday/02-full-neutral")
    moved = Image.new("RGBA", (image.width + 300, image.height + 200))
    moved.paste(image, (250, 150))
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    here, there, half = (np.array(found(i).keypoints)[:, :2] for i in (image, moved, small))
    near = 0.02 * image.height
    assert np.abs(there - here - (250, 150)).max() < 1.5
    assert np.median(np.linalg.norm(2 * half - here, axis=1)) < near


def test_the_mirrored_drawing_has_the_mirrored_pose() -> None:
    image = drawing("basil/everyday/09-dynamic-neutral")
    pose, turned = found(image), found(ImageOps.mirror(image))
    assert procrustes(pose, turned, mirror=True) == pytest.approx(0, abs=0.15)


@pytest.mark.parametrize(
    "name", ["mira/everyday/14-headshot-smile", "mugsworth/everyday/01-full-neutral"]
)
def test_a_head_or_a_walking_cup_has_no_pose(name: str) -> None:
    assert pose_of(drawing(name)) is None


def test_what_the_mask_leaves_out_is_not_looked_at() -> None:
    image = drawing("oskar/everyday/02-full-neutral")
    figure = find_figure(image)
    assert figure is not None
    alone = find_pose(image, figure)
    scene = Image.effect_noise(image.size, 90).convert("RGBA")
    scene.paste(image, (0, 0), Image.fromarray(figure.mask))
    beside = find_pose(scene, figure)
    assert alone is not None
    assert beside is not None
    assert procrustes(alone, beside) == pytest.approx(0, abs=0.05)


def test_a_damaged_file_is_told_from_a_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = drawing("oskar/everyday/02-full-neutral")
    monkeypatch.setattr(poses, "MODEL", tmp_path / "poses.onnx")
    poses._network.cache_clear()  # loaded once for all
    with pytest.raises(SettingsError, match="missing"):
        pose_of(image)
    (tmp_path / "poses.onnx").write_bytes(b"not a network")
    with pytest.raises(SettingsError, match="damaged"):
        pose_of(image)
    monkeypatch.undo()
    assert pose_of(image) is not None


def test_a_sketch_of_a_figure_brings_the_reference_in_its_pose_to_the_front() -> None:
    names = [
        "oskar/everyday/02-full-neutral",
        "oskar/everyday/05-full-confused",
        "oskar/everyday/09-dynamic-laughing",
    ]
    posed = [found(drawing(name)) for name in names]
    references = tuple(
        ReferenceInput(
            n, f"{n}", b"", ReferenceKind.POSE, ShotType.FULL, "front", "", True, (), pose=pose
        )
        for n, pose in enumerate(posed)
    )
    # Somebody else in the wanted pose: the drawing itself would be found by its looks as well.
    wanted = drawing(names[1])
    sketch = Image.new("RGB", wanted.size, "white")
    sketch.paste(wanted.convert("L").convert("RGB"), (0, 0), wanted.getchannel("A"))
    brief = PanelBrief("He waits.", (CastRole("ch_o", "o"),), ShotType.FULL, sketch_sha256="s")
    member = CastInput("ch_o", "o", "Oskar", "usual", 1.0, {}, (), references)
    asked = with_sketch(
        PanelInputs(1, brief, (member,), pictures={"s": to_png(sketch)}), load_encoders()
    ).cast[0]
    assert asked.pose is not None
    first, *_ = rank_references(asked, shot_type=ShotType.FULL)
    assert first.reference.reference_id == 1
    assert "the same pose" in first.why
    known = with_sketch(
        PanelInputs(1, brief, (asked,), pictures={"s": to_png(drawing(names[2]))}),
        load_encoders(),
    ).cast[0]
    assert known.pose == asked.pose, "a pose that somebody chose stays"
