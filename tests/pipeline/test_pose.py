"""Distances of poses: blind to place and size, sensitive to limbs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.pose import KEYPOINTS, Pose
from pipeline.retrieval.pose import mirrored, oks, procrustes

STANDING = {
    "nose": (50, 10), "left_eye": (53, 8), "right_eye": (47, 8), "left_ear": (57, 10),
    "right_ear": (43, 10), "left_shoulder": (65, 30), "right_shoulder": (35, 30),
    "left_elbow": (70, 50), "right_elbow": (30, 50), "left_wrist": (72, 70),
    "right_wrist": (28, 70), "left_hip": (58, 75), "right_hip": (42, 75), "left_knee": (58, 105),
    "right_knee": (42, 105), "left_ankle": (58, 135), "right_ankle": (42, 135),
}  # fmt: skip
WAVING = STANDING | {"left_elbow": (85, 20), "left_wrist": (90, 0)}
SITTING = STANDING | {
    "left_knee": (85, 80), "right_knee": (70, 80), "left_ankle": (85, 110), "right_ankle": (70, 110),
}  # fmt: skip


def pose(points, seen=1.0, hidden=()) -> Pose:
    return Pose(tuple((*map(float, points[n]), 0.0 if n in hidden else seen) for n in KEYPOINTS))


def moved(one: Pose, scale: float, right: float, down: float) -> Pose:
    return Pose(tuple((scale * x + right, scale * y + down, c) for x, y, c in one.keypoints))


numbers = st.floats(-500, 500, allow_nan=False)


@given(st.floats(0.05, 20), numbers, numbers)
def test_place_and_size_do_not_matter(scale: float, right: float, down: float) -> None:
    one = pose(WAVING)
    other = moved(one, scale, right, down)
    assert procrustes(one, other) == pytest.approx(0, abs=1e-4)
    assert oks(one, other) == pytest.approx(1, abs=1e-4)


@given(st.lists(st.tuples(numbers, numbers), min_size=17, max_size=17))
def test_values_stay_in_range_and_procrustes_is_symmetric(
    points: list[tuple[float, float]],
) -> None:
    one = pose(STANDING)
    other = Pose(tuple((x, y, 1.0) for x, y in points))
    apart, back, alike = procrustes(one, other), procrustes(other, one), oks(one, other)
    if apart is None:
        assert alike is None
        return
    assert 0 <= apart <= 1
    assert apart == pytest.approx(back, abs=1e-6)
    assert alike is not None
    assert 0 <= alike <= 1


def test_a_moved_arm_is_nearer_than_moved_legs_and_both_measures_agree() -> None:
    standing, waving, sitting = pose(STANDING), pose(WAVING), pose(SITTING)
    arm, legs = procrustes(standing, waving), procrustes(standing, sitting)
    assert arm is not None
    assert legs is not None
    assert 0.05 < arm < 0.4
    assert legs > 0.15
    likeness = oks(standing, waving)
    assert likeness is not None
    assert 0.3 < likeness < 0.95


def test_the_other_side_counts_as_the_same_only_when_asked() -> None:
    waving = pose(WAVING)
    other_arm = mirrored(waving)
    assert procrustes(waving, other_arm) == pytest.approx(0, abs=1e-6)
    apart = procrustes(waving, other_arm, mirror=False)
    assert apart is not None
    assert apart > 0.05
    assert mirrored(mirrored(waving)) == waving


def test_turning_the_figure_is_another_pose() -> None:
    one = pose(STANDING)
    lying = Pose(tuple((-y, x, c) for x, y, c in one.keypoints))
    apart = procrustes(one, lying)
    assert apart is not None
    assert apart > 0.8


def test_hidden_joints_do_not_count_and_too_few_say_nothing() -> None:
    one = pose(STANDING)
    legs = {n for n in KEYPOINTS if "knee" in n or "ankle" in n}
    assert procrustes(one, pose(SITTING, hidden=legs)) == pytest.approx(0, abs=1e-6)
    few = pose(STANDING, hidden=set(KEYPOINTS[4:]))
    assert procrustes(one, few) is None
    assert oks(one, few) is None
    spot = Pose(((3.0, 3.0, 1.0),) * 17)
    assert procrustes(one, spot) is None


@pytest.mark.parametrize("points", [((0.0, 0.0, 1.0),) * 16, ((0.0, 0.0, 1.5),) * 17])
def test_what_is_no_pose_is_refused(points) -> None:
    with pytest.raises(ValueError, match=r"keypoint"):
        Pose(points)


def test_oks_by_hand() -> None:
    """One joint off by its own spread of one sigma, the rest exact up to the common fit."""
    one = pose(STANDING)
    xs, ys = (np.array([p[i] for p in one.keypoints]) for i in (0, 1))
    area = 0.53 * float(np.ptp(xs) * np.ptp(ys))
    off = math.sqrt(area) * 2 * 0.089
    points = {**STANDING, "right_ankle": (42, 135 + off)}
    value = oks(one, pose(points), mirror=False)
    assert value is not None
    exact = (16 + math.exp(-0.5)) / 17
    assert value == pytest.approx(exact, abs=0.05)
