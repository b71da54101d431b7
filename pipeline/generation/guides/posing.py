"""Puts a pose into a panel: at the size that the shot asks for, in the character's own place."""

from dataclasses import replace

from pipeline.domain.character import ShotType
from pipeline.domain.geometry import Box
from pipeline.domain.pose import KEYPOINTS, Keypoint, Pose
from pipeline.generation.guides.skeleton import SEEN

_HEADROOM = 0.06
"""Air over the head, as a share of the region's height."""
_CROWN = 0.9
"""From the nose up to the crown, as a share of the way from the nose down to the shoulders."""
_FOOT = 0.05
"""From the ankles down to the soles, as a share of the way from crown to ankles."""
_LAST = {ShotType.HEADSHOT: "shoulder", ShotType.HALF: "hip"}
"""The joints that the lower edge cuts through; whole figures stand in the picture."""


def pose_in(pose: Pose, region: Box, shot: ShotType, height: float = 1.0) -> Pose | None:
    """Move and scale a pose so that it stands in a region as the shot frames it.

    Args:
        pose: in the pixels of some other picture.
        region: where the character may be, in pixels of the panel.
        shot: a whole figure fits into the region with all its limbs; of a half figure or a head
            the lower edge cuts the rest off.
        height: of a whole figure relative to the tallest of the panel, above 0 to 1.

    Returns:
        The pose in pixels of the panel; None where its nose and shoulders are not seen, since then
        nothing tells how large it is.
    """
    top, bottom = _extent(pose, _LAST.get(shot))
    if bottom - top < 1e-6:
        return None
    room = region.height * (1 - _HEADROOM)
    whole = shot not in _LAST
    scale = room * (height if whole else 1.0) / (bottom - top)
    seen = [p for p in pose.keypoints if p[2] >= SEEN]
    left, right = min(p[0] for p in seen), max(p[0] for p in seen)
    if whole and right - left > 0:
        scale = min(scale, region.width / (right - left))
    middle = (left + right) / 2 if whole else _middle(pose, "shoulder")[0]
    center = (region.x0 + region.x1) / 2

    def placed(point: Keypoint) -> Keypoint:
        x, y, confidence = point
        return (
            center + (x - middle) * scale,
            region.y1 - (bottom - y) * scale,
            confidence,
        )

    return replace(
        pose,
        keypoints=tuple(map(placed, pose.keypoints)),
        beyond=tuple(map(placed, pose.beyond)),
    )


def _extent(pose: Pose, last: str | None) -> tuple[float, float]:
    """From the crown down to what the lower edge cuts or the soles; (0, 0) where unknown."""
    nose = pose.keypoints[KEYPOINTS.index("nose")]
    shoulders = _middle(pose, "shoulder")
    if nose[2] < SEEN or shoulders[2] < SEEN:
        return 0.0, 0.0
    top = nose[1] - _CROWN * abs(shoulders[1] - nose[1])
    top = min([top, *(p[1] for p in pose.keypoints if p[2] >= SEEN)]) if last is None else top
    lowest = max(p[1] for p in pose.keypoints if p[2] >= SEEN)
    if last is None:
        return top, lowest + _FOOT * (lowest - top)
    cut = _middle(pose, last)
    if cut[2] < SEEN:
        return top, lowest
    return top, cut[1] + (_CROWN * abs(shoulders[1] - nose[1]) if last == "shoulder" else 0.0)


def _middle(pose: Pose, name: str) -> Keypoint:
    """Between the left and the right joint; the confidence is the lower one's."""
    left, right = (pose.keypoints[KEYPOINTS.index(f"{side}_{name}")] for side in ("left", "right"))
    return (left[0] + right[0]) / 2, (left[1] + right[1]) / 2, min(left[2], right[2])
