"""How near two poses are, whatever the size and the place of the figures."""

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.pose import KEYPOINTS, Pose

_SEEN = 0.3
_LEAST_SHARED = 5
"""Fewer joints than this can be laid over each other too easily."""
_SIGMAS = np.array(
    [.026, .025, .025, .035, .035, .079, .079, .072, .072, .062, .062, .107, .107, .087, .087,
     .089, .089]
)  # fmt: skip
"""How far people are apart who mark the same joint, by the square root of the figure's area.

Source: keypoint evaluation of COCO (Ronchi and Perona, 2017).
"""
_FILLED = 0.53
"""The share of its box that a standing figure fills."""
_MIRRORED = [
    KEYPOINTS.index(name.replace("left_", "?").replace("right_", "left_").replace("?", "right_"))
    for name in KEYPOINTS
]

Points = NDArray[np.float64]


def procrustes(a: Pose, b: Pose, *, mirror: bool = True) -> float | None:
    """The distance of two poses after moving and scaling one onto the other, 0 (same) to 1.

    Figures are not turned: lying is another pose than standing. Only joints that both show
    count.

    Args:
        a: one pose.
        b: the other.
        mirror: whether the same pose to the other side counts as the same.

    Returns:
        None where fewer than five joints are shared.

    Source: full Procrustes distance √(1 − ρ²) of centred shapes of unit size (Dryden and Mardia,
    *Statistical Shape Analysis*), without the rotation.
    """
    distances = [_shape_distance(a, other) for other in _sides(b, mirror)]
    known = [d for d in distances if d is not None]
    return min(known) if known else None


def oks(a: Pose, b: Pose, *, mirror: bool = True) -> float | None:
    """Object keypoint similarity of two poses after moving and scaling, 0 to 1 (same).

    Returns:
        None where fewer than five joints are shared.

    Source: COCO's measure, exp(−d² / 2s²κ²) averaged over the shared joints with κ = 2σ; the area
    s² is a share of the box around ``a``.
    """
    likenesses = [_keypoint_likeness(a, other) for other in _sides(b, mirror)]
    known = [value for value in likenesses if value is not None]
    return max(known) if known else None


def mirrored(pose: Pose) -> Pose:
    """The same pose to the other side: x turned, left and right exchanged."""
    points = [(-x, y, seen) for x, y, seen in pose.keypoints]
    return Pose(tuple(points[i] for i in _MIRRORED))


def _sides(pose: Pose, mirror: bool) -> list[Pose]:
    return [pose, mirrored(pose)] if mirror else [pose]


def _shape_distance(a: Pose, b: Pose) -> float | None:
    shared = _shared(a, b)
    if shared is None:
        return None
    one, other = (_unit(points) for points in shared[:2])
    if one is None or other is None:
        return None
    likeness = max(0.0, min(1.0, float((one * other).sum())))
    return float(np.sqrt(1 - likeness**2))


def _keypoint_likeness(a: Pose, b: Pose) -> float | None:
    shared = _shared(a, b)
    if shared is None:
        return None
    one, other, sigmas = shared
    shape, moving = _unit(one), _unit(other)
    if shape is None or moving is None:
        return None
    centred = one - one.mean(axis=0)
    scale = float(np.linalg.norm(centred)) * max(0.0, float((shape * moving).sum()))
    squares = ((centred - scale * moving) ** 2).sum(axis=1)
    width, height = np.ptp(one, axis=0)
    area = _FILLED * max(width * height, 1e-9)
    return float(np.exp(-squares / (2 * area * (2 * sigmas) ** 2)).mean())


def _shared(a: Pose, b: Pose) -> tuple[Points, Points, Points] | None:
    one, other = np.array(a.keypoints), np.array(b.keypoints)
    both = (one[:, 2] >= _SEEN) & (other[:, 2] >= _SEEN)
    if both.sum() < _LEAST_SHARED:
        return None
    return one[both, :2], other[both, :2], _SIGMAS[both]


def _unit(points: Points) -> Points | None:
    """Centred, of unit size; None where all joints lie on one spot."""
    centred = points - points.mean(axis=0)
    size = float(np.linalg.norm(centred))
    return centred / size if size > 1e-9 else None
