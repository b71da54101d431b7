"""Guide pictures: thin lines, skeletons in the field's colours, staging; and how plans name them."""

import hashlib
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.conditioning import ConditioningPlan, ControlKind
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import CastInput, PanelInputs, ReferenceInput
from pipeline.domain.panel import CastRole, PanelBrief
from pipeline.domain.pose import KEYPOINTS, Pose
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.guides.depth import layered_depth
from pipeline.generation.guides.edges import line_guide
from pipeline.generation.guides.panel_guides import with_guides
from pipeline.generation.guides.posing import pose_in
from pipeline.generation.guides.skeleton import draw_skeletons
from pipeline.generation.ladder import first_rung
from pipeline.imaging.decode import to_png
from pipeline.imaging.pieces import pieces_of, sizes_of

SIZE = Size(320, 240)
STANDING = {
    "nose": (50, 10), "left_eye": (53, 8), "right_eye": (47, 8), "left_ear": (57, 10),
    "right_ear": (43, 10), "left_shoulder": (65, 30), "right_shoulder": (35, 30),
    "left_elbow": (70, 50), "right_elbow": (30, 50), "left_wrist": (72, 70),
    "right_wrist": (28, 70), "left_hip": (58, 75), "right_hip": (42, 75), "left_knee": (58, 105),
    "right_knee": (42, 105), "left_ankle": (58, 135), "right_ankle": (42, 135),
}  # fmt: skip


def pose(hidden=(), beyond=()) -> Pose:
    points = ((*STANDING[n], 0.0 if n in hidden else 1.0) for n in KEYPOINTS)
    return Pose(tuple(points), tuple(beyond))


def sketch(noise: float = 0.0) -> Image.Image:
    """A circle and a ground line in pencil, and a door in solid black."""
    image = Image.new("L", (640, 480), 236)
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 80, 260, 240), outline=70, width=6)
    draw.line((20, 400, 620, 410), fill=110, width=4)
    draw.rectangle((420, 180, 540, 380), fill=20)
    grain = np.random.default_rng(3).normal(0, noise, (480, 640))
    pixels = (np.asarray(image) + grain).clip(0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 25), st.integers(1, 25), st.floats(0, 1))
def test_pieces_are_what_a_walk_over_neighbours_finds(seed, height, width, share):
    flags = np.random.default_rng(seed).random((height, width)) < share
    labels = pieces_of(flags)
    assert ((labels > 0) == flags).all()
    left, walked = set(zip(*np.nonzero(flags), strict=True)), 0
    while left:
        walked += 1
        piece, open_ = set(), [left.pop()]
        while open_:
            y, x = open_.pop()
            piece.add((y, x))
            around = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= around
            open_ += around
        numbers = {int(labels[cell]) for cell in piece}
        assert len(numbers) == 1
        assert sizes_of(labels)[numbers.pop()] == len(piece)
    assert labels.max(initial=0) == walked


@pytest.mark.parametrize("noise", [0.0, 5.0])
def test_strokes_become_one_thin_line_and_areas_their_border(noise):
    lines = np.asarray(line_guide(sketch(noise), SIZE))
    assert set(np.unique(lines)) == {0, 255}
    on = lines > 0
    # thin: no 2 × 2 block is filled, up to a crossing here and there
    solid = on[1:, 1:] & on[:-1, 1:] & on[1:, :-1] & on[:-1, :-1]
    assert solid.sum() <= 0.03 * on.sum()
    # a stroke gives its middle, not its two sides: one crossing on the way into the circle
    middle = on[80, 40:90]
    assert middle.sum() in (1, 2)
    assert abs(int(np.flatnonzero(middle)[0]) + 40 - 51) <= 2
    # a black area gives its border and nothing inside
    assert not on[100:180, 216:264].any()
    assert on[130, 206:216].any()
    assert on[130, 264:275].any()
    # paper stays empty
    assert not on[5:30].any()


def test_the_guide_keeps_proportions_and_takes_transparency_for_paper():
    clear = Image.new("RGBA", (100, 400), (0, 0, 0, 0))
    ImageDraw.Draw(clear).ellipse((20, 20, 80, 80), outline=(0, 0, 0, 255), width=4)
    on = np.asarray(line_guide(clear, SIZE)) > 0
    ys, xs = np.nonzero(on)
    assert on.any()
    assert xs.min() >= 130  # 60 of 320 columns are the sketch, in the middle
    assert xs.max() < 190
    assert abs(np.ptp(xs) - np.ptp(ys)) <= 2  # the circle is round
    assert not np.asarray(line_guide(Image.new("RGB", (64, 64), "white"), SIZE)).any()


def test_skeletons_have_the_colours_and_the_order_that_pose_models_know():
    placed = pose_in(pose(), Box(0, 0, *SIZE), ShotType.FULL)
    assert placed is not None
    image = draw_skeletons([placed], SIZE)
    known = dict(zip(KEYPOINTS, placed.keypoints, strict=True))
    colors = {
        "nose": (255, 0, 0), "right_shoulder": (255, 170, 0), "right_wrist": (170, 255, 0),
        "left_elbow": (0, 255, 0), "right_knee": (0, 255, 255), "left_ankle": (85, 0, 255),
        "left_ear": (255, 0, 85),
    }  # fmt: skip
    for name, color in colors.items():
        x, y = known[name][:2]
        assert image.getpixel((round(x), round(y))) == color, name
    neck = [
        (a + b) / 2 for a, b in zip(known["left_shoulder"], known["right_shoulder"], strict=True)
    ]
    assert image.getpixel((round(neck[0]), round(neck[1]))) == (255, 85, 0)
    # a limb is dimmer than its joints: half-way down the right upper arm
    a, b = known["right_shoulder"], known["right_elbow"]
    assert image.getpixel((round((a[0] + b[0]) / 2), round((a[1] + b[1]) / 2))) == (153, 102, 0)


def test_what_is_not_seen_is_not_drawn_and_hands_and_face_are():
    full, armless = pose(), pose(hidden=("left_elbow", "left_wrist"))
    region = Box(0, 0, *SIZE)
    images = [draw_skeletons([pose_in(p, region, ShotType.FULL)], SIZE) for p in (full, armless)]
    drawn = [(np.asarray(image).sum(axis=2) > 0).sum() for image in images]
    assert drawn[1] < drawn[0]
    face = [(50 + i % 9, 8 + i // 9, 1.0) for i in range(68)]
    beyond = [(0.0, 0.0, 0.0)] * 6 + face + [(72, 72, 1.0)] * 21 + [(0.0, 0.0, 0.0)] * 21
    whole = np.asarray(draw_skeletons([pose_in(pose(beyond=beyond), region, ShotType.FULL)], SIZE))
    assert (whole == 255).all(axis=2).any()  # the face is white
    assert ((whole == (0, 0, 255)).all(axis=2)).sum() > 20  # the hand's joints are blue


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(ShotType)), st.floats(0.3, 1), st.integers(0, 200), st.integers(80, 120)
)
def test_a_pose_stays_in_its_place_at_the_size_of_the_shot(shot, height, x0, width):
    region = Box(x0, 0, x0 + width, SIZE.height)
    placed = pose_in(pose(), region, shot, height)
    assert placed is not None
    known = dict(zip(KEYPOINTS, placed.keypoints, strict=True))
    assert known["nose"][1] > 0
    if shot in (ShotType.FULL, ShotType.DYNAMIC):
        assert all(region.x0 - 1 <= x <= region.x1 + 1 for x, _, _ in placed.keypoints)
        assert max(y for _, y, _ in placed.keypoints) < SIZE.height
    else:
        below = "left_hip" if shot is ShotType.HALF else "left_elbow"
        assert known[below][1] >= SIZE.height - 1e-6
    assert pose_in(pose(hidden=("nose",)), region, shot) is None


def test_staging_is_nearer_below_and_near_people_cover_far_ones():
    far, near = Box(60, 60, 140, 160), Box(80, 40, 260, 300)
    depth = np.asarray(layered_depth([near, far], SIZE)).astype(int)
    assert depth[0, 0] < depth[200, 5] < depth[239, 5]
    assert depth[75, 100] < depth[60, 170]  # the far head, the near head
    both = np.asarray(layered_depth([far, near], SIZE)).astype(int)
    assert (both == depth).all()  # the order of the cast does not matter


# --- in a plan ----------------------------------------------------------------------------------


class Engine:
    name, version = "engine", "1"

    def __init__(self, **able):
        self.capabilities = Capabilities(**{"references": 2, "controls": True, **able})

    def generate(self, plan, pictures, *, progress, cancelled):
        raise NotImplementedError


def inputs(people=1, drawn=False, posed=False) -> PanelInputs:
    roles = tuple(CastRole(f"ch_{n}", f"{n}_x") for n in range(people))
    png = to_png(sketch().convert("RGB"))
    sha = hashlib.sha256(png).hexdigest()
    cast = tuple(
        CastInput(
            r.character_id, r.appearance_id, f"N{n}", "x", 1.0 - 0.2 * n, {}, (),
            (ReferenceInput(n, f"{n:064x}", b"", ReferenceKind.POSE, ShotType.FULL, "", "", True, ()),),
            pose=pose() if posed else None,
        )
        for n, r in enumerate(roles)
    )  # fmt: skip
    brief = PanelBrief("they wait", roles, ShotType.FULL, size=SIZE)
    if not drawn:
        return PanelInputs(1, brief, cast)
    return PanelInputs(1, replace(brief, sketch_sha256=sha), cast, pictures={sha: png})


@pytest.mark.parametrize(
    ("asked", "able", "kinds"),
    [
        (inputs(drawn=True), {}, [ControlKind.EDGES]),
        (inputs(drawn=True, posed=True), {}, [ControlKind.EDGES]),
        (inputs(posed=True), {}, [ControlKind.POSE]),
        (inputs(2, posed=True), {}, [ControlKind.POSE]),
        (inputs(2), {}, [ControlKind.DEPTH]),
        (inputs(2), {"regions": True}, []),
        (inputs(), {}, []),
        (inputs(2, posed=True), {"control_kinds": frozenset({ControlKind.EDGES})}, []),
    ],
)
def test_a_plan_names_finished_guides_by_their_content(asked, able, kinds):
    rung = first_rung(asked, Engine(**able))
    assert [c.kind for c in rung.plan.controls] == kinds
    for control in rung.plan.controls:
        png = rung.pictures[control.sha256]
        assert hashlib.sha256(png).hexdigest() == control.sha256
        with Image.open(io.BytesIO(png)) as image:
            assert (image.mode, image.size) == ("RGB", SIZE)
    assert ConditioningPlan.from_json(rung.plan.to_json()) == rung.plan
    again = first_rung(asked, Engine(**able))
    assert again.plan == rung.plan
    assert again.pictures == rung.pictures


def test_an_engine_without_guides_says_so_and_gets_none():
    plan = first_rung(inputs(drawn=True), Engine(controls=False)).plan
    assert plan.controls == ()
    assert "engine: no guide pictures (edges)" in plan.notes
    lacking = Engine(control_kinds=frozenset({ControlKind.POSE}))
    assert with_guides(inputs(drawn=True), lacking.capabilities).guides == ()
    rung = first_rung(inputs(drawn=True), lacking)
    assert rung.plan.controls == ()
    assert rung.pictures == {}
    assert "engine: no guide pictures (edges)" in rung.plan.notes
