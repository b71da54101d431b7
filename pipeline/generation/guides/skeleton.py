"""Skeletons as pose ControlNets know them: OpenPose's eighteen joints, and DWPose's 133.

Source: colours, order and widths of OpenPose's drawing (Z. Cao et al., "OpenPose", 2019), which the
training pictures of pose ControlNets share; hands and face as DWPose draws them.
"""

import colorsys
from collections.abc import Iterator, Sequence
from math import atan2, cos, hypot, pi, sin

from PIL import Image, ImageDraw

from pipeline.domain.geometry import Size
from pipeline.domain.pose import FACE, KEYPOINTS, LEFT_HAND, RIGHT_HAND, Keypoint, Pose

SEEN = 0.3
"""Confidence from which a joint is drawn. Source: the usual limit of pose estimators."""
_STICK, _JOINT, _FINGER, _FACE_DOT = 4.0, 4.0, 2.0, 3.0
"""Half widths and radii in pixels on a picture whose shorter side has 512, as in training."""
_TRAINED_SIDE = 512
_DIM = 0.6
"""Limbs are drawn at this share of their colour, joints in the full one."""
_ORDER = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
    "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip
_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
_COLORS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
_FINGERS = tuple(
    (0 if joint == 0 else 4 * finger + joint, 4 * finger + joint + 1)
    for finger in range(5)
    for joint in range(4)
)
_HAND_JOINT = (0, 0, 255)

Joints = Sequence[Keypoint | None]


def draw_skeletons(poses: Sequence[Pose], size: Size) -> Image.Image:
    """Draw poses on black, as a pose ControlNet expects them.

    Args:
        poses: in pixels of the picture; joints below a confidence of 0.3 are left out. Feet are
            not drawn: the usual ControlNets never saw any.
        size: of the picture.

    Returns:
        A picture of mode RGB.
    """
    image = Image.new("RGB", size, "black")
    draw, scale = ImageDraw.Draw(image), max(0.5, min(size) / _TRAINED_SIDE)
    bodies = [_joints(pose) for pose in poses]
    for joints in bodies:
        _draw_limbs(draw, joints, scale)
    for joints in bodies:
        for joint, color in zip(joints, _COLORS, strict=True):
            _dot(draw, joint, _JOINT * scale, color)
    for pose in poses:
        if pose.beyond:
            _draw_hand(draw, _seen(pose.beyond[LEFT_HAND]), scale)
            _draw_hand(draw, _seen(pose.beyond[RIGHT_HAND]), scale)
            for point in _seen(pose.beyond[FACE]):
                _dot(draw, point, _FACE_DOT * scale, (255, 255, 255))
    return image


def _joints(pose: Pose) -> Joints:
    """OpenPose's eighteen: COCO's seventeen in another order, and a neck between the shoulders."""
    named = dict(zip(KEYPOINTS, _seen(pose.keypoints), strict=True))
    left, right = named["left_shoulder"], named["right_shoulder"]
    neck = None
    if left and right:
        neck = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2, min(left[2], right[2]))
    return [neck if name == "neck" else named[name] for name in _ORDER]


def _seen(points: Sequence[Keypoint]) -> Joints:
    return [point if point[2] >= SEEN else None for point in points]


def _draw_limbs(draw: ImageDraw.ImageDraw, joints: Joints, scale: float) -> None:
    for (a, b), color in zip(_LIMBS, _COLORS, strict=False):  # the last colour is a joint's only
        start, end = joints[a], joints[b]
        if start and end:
            dim = tuple(int(value * _DIM) for value in color)
            draw.polygon(list(_ellipse(start, end, _STICK * scale)), fill=dim)


def _ellipse(start: Keypoint, end: Keypoint, half: float) -> Iterator[tuple[float, float]]:
    """The outline of an ellipse from joint to joint."""
    along = hypot(end[0] - start[0], end[1] - start[1]) / 2
    turn = atan2(end[1] - start[1], end[0] - start[0])
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    for step in range(72):
        u, v = along * cos(step * pi / 36), half * sin(step * pi / 36)
        yield (
            middle[0] + u * cos(turn) - v * sin(turn),
            middle[1] + u * sin(turn) + v * cos(turn),
        )


def _draw_hand(draw: ImageDraw.ImageDraw, points: Joints, scale: float) -> None:
    for number, (a, b) in enumerate(_FINGERS):
        start, end = points[a], points[b]
        if start and end:
            hue = colorsys.hsv_to_rgb(number / len(_FINGERS), 1, 1)
            color = tuple(int(255 * value) for value in hue)
            width = max(1, round(_FINGER * scale))
            draw.line((*start[:2], *end[:2]), fill=color, width=width)
    for point in points:
        _dot(draw, point, _JOINT * scale, _HAND_JOINT)


def _dot(
    draw: ImageDraw.ImageDraw, point: Keypoint | None, radius: float, color: tuple[int, ...]
) -> None:
    if point:
        x, y = point[:2]
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
