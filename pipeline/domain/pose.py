"""A pose as data: seventeen keypoints, or 133 with feet, face and hands, whoever found them."""

from dataclasses import dataclass

KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""Their order, as in COCO. Left and right are the figure's own."""
FEET, FACE, LEFT_HAND, RIGHT_HAND = slice(0, 6), slice(6, 74), slice(74, 95), slice(95, 116)
"""Where the parts lie among the 116 keypoints beyond the body, as in COCO-WholeBody: three points
of each foot (big toe, small toe, heel; left first), 68 of the face, 21 of each hand."""
BEYOND_BODY = RIGHT_HAND.stop

Keypoint = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the joints of a figure are: ``(x, y, confidence)`` for each of KEYPOINTS.

    Coordinates are pixels (any origin and scale will do for comparing); confidence is 0 for a
    joint that is not seen, up to 1. ``beyond`` holds feet, face and hands, or nothing.
    """

    keypoints: tuple[Keypoint, ...]
    beyond: tuple[Keypoint, ...] = ()

    def __post_init__(self) -> None:
        """Check the count and the confidences."""
        if len(self.keypoints) != len(KEYPOINTS):
            raise ValueError(f"a pose has {len(KEYPOINTS)} keypoints, got {len(self.keypoints)}")
        if len(self.beyond) not in (0, BEYOND_BODY):
            raise ValueError(
                f"beyond the body there are {BEYOND_BODY} keypoints or none, got {len(self.beyond)}"
            )
        if any(len(p) != 3 or not 0 <= p[2] <= 1 for p in (*self.keypoints, *self.beyond)):
            raise ValueError("a keypoint is x, y and a confidence from 0 to 1")
