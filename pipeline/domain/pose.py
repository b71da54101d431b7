"""A pose as data: seventeen keypoints, whoever found them."""

from dataclasses import dataclass

KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""Their order, as in COCO. Left and right are the figure's own."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the joints of a figure are: ``(x, y, confidence)`` for each of KEYPOINTS.

    Coordinates are pixels (any origin and scale will do for comparing); confidence is 0 for a
    joint that is not seen, up to 1.
    """

    keypoints: tuple[tuple[float, float, float], ...]

    def __post_init__(self) -> None:
        """Check the count and the confidences."""
        if len(self.keypoints) != len(KEYPOINTS):
            raise ValueError(f"a pose has {len(KEYPOINTS)} keypoints, got {len(self.keypoints)}")
        if any(len(point) != 3 or not 0 <= point[2] <= 1 for point in self.keypoints):
            raise ValueError("a keypoint is x, y and a confidence from 0 to 1")
