"""How a mixed look falls into two: a proposal from stored fingerprints that a person decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import MissingReference
from pipeline.domain.fingerprint import CropClass, Fingerprint
from pipeline.fingerprints.composite import fused_similarity, segments_of

LEAST = 2
"""References that each side of a proposal has at least."""
_ROUNDS = 30
_BY_CROP = {CropClass.FIGURE: 0.5, CropClass.HALF: 0.3, CropClass.HEAD: 0.2}
"""Outfits differ below the neck: the whole figure weighs most where two pictures show it."""

Distances = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SplitProposal:
    """Two groups of references, the larger first.

    ``silhouette`` is the mean silhouette in [-1, 1]: near 0 the two are one group, from about
    0.25 they are worth a look. ``unplaced`` have no fingerprint and stay where they are.
    """

    stay: tuple[int, ...]
    go: tuple[int, ...]
    silhouette: float
    unplaced: tuple[int, ...] = ()


def propose_split(
    fingerprints: Mapping[int, Sequence[Fingerprint]], references: Sequence[int]
) -> SplitProposal:
    """Find the two groups into which references fall best.

    Two-medoids on fused distances (1 - similarity), started from every pair of references, the
    partition with the best mean silhouette wins; small sets make that exact.

    Args:
        fingerprints: of the look's references, by reference id.
        references: their ids, in order.

    Raises:
        MissingReference: fewer than four references have comparable fingerprints.

    Source: Kaufman and Rousseeuw, partitioning around medoids; Rousseeuw 1987, silhouettes.
    """
    ids = [i for i in references if fingerprints.get(i)]
    far = _distances([fingerprints[i] for i in ids])
    known = [k for k in range(len(ids)) if np.isfinite(far[k]).sum() > len(ids) / 2]
    if len(known) < 2 * LEAST:
        raise MissingReference(
            "A split needs at least four pictures whose figure could be found. Name the "
            "references to move instead."
        )
    far = far[np.ix_(known, known)]
    far = np.where(np.isfinite(far), far, np.nanmean(np.where(np.isfinite(far), far, np.nan)))
    sides, score = _best_partition(far)
    groups = [tuple(ids[known[k]] for k in np.flatnonzero(sides == s)) for s in (0, 1)]
    groups.sort(key=lambda g: (-len(g), g))
    placed = {i for group in groups for i in group}
    unplaced = tuple(i for i in references if i not in placed)
    return SplitProposal(groups[0], groups[1], score, unplaced)


def silhouette(far: Distances, sides: NDArray[np.intp]) -> float:
    """The mean silhouette of a partition into two; 0 where a side is empty."""
    masks = [sides == s for s in (0, 1)]
    if not all(mask.any() for mask in masks):
        return 0.0
    scores = np.zeros(len(sides))
    for k, side in enumerate(sides):
        own = masks[side].copy()
        own[k] = False
        if not own.any():
            continue  # alone in its group: by convention 0
        within, between = far[k, own].mean(), far[k, masks[1 - side]].mean()
        scores[k] = (between - within) / max(within, between, 1e-12)
    return float(scores.mean())


def _best_partition(far: Distances) -> tuple[NDArray[np.intp], float]:
    best, best_score = np.zeros(len(far), np.intp), -2.0
    seen: set[bytes] = set()
    for a in range(len(far)):
        for b in range(a):
            sides = _settle(far, (a, b))
            if sides.tobytes() in seen:
                continue
            seen.add(sides.tobytes())
            if min(np.bincount(sides, minlength=2)) < LEAST:
                continue
            score = silhouette(far, sides)
            if score > best_score + 1e-12:
                best, best_score = sides, score
    return best, best_score


def _settle(far: Distances, medoids: tuple[int, int]) -> NDArray[np.intp]:
    """Assign to the nearer medoid and choose new ones until nothing changes."""
    for _ in range(_ROUNDS):
        sides = (far[:, medoids[1]] < far[:, medoids[0]]).astype(np.intp)
        members = [np.flatnonzero(sides == s) for s in (0, 1)]
        if not all(map(len, members)):
            break
        new = tuple(int(m[np.argmin(far[np.ix_(m, m)].sum(axis=1))]) for m in members)
        if new == medoids:
            break
        medoids = (new[0], new[1])
    sides = _evened(far, (far[:, medoids[1]] < far[:, medoids[0]]).astype(np.intp))
    return sides if sides[0] == 0 else 1 - sides


def _evened(far: Distances, sides: NDArray[np.intp]) -> NDArray[np.intp]:
    """Move each to the group that is nearer on average: one pose in common says little."""
    for _ in range(_ROUNDS):
        masks = [sides == s for s in (0, 1)]
        if min(map(np.count_nonzero, masks)) < LEAST:
            return sides
        # The distance to oneself is 0 and does not count.
        means = [far[:, m].sum(axis=1) / np.maximum(1, m.sum() - m) for m in masks]
        moved = (means[1] < means[0]).astype(np.intp)
        if np.array_equal(moved, sides):
            break
        sides = moved
    return sides


def _distances(everyone: Sequence[Sequence[Fingerprint]]) -> Distances:
    """Fused distances of all pairs; infinite where two have no crop in common."""
    parts = [
        {crop: segments_of(prints, crop, ColorMode.COLOR) for crop in CropClass}
        for prints in everyone
    ]
    far = np.full((len(parts), len(parts)), np.inf)
    for a, own in enumerate(parts):
        far[a, a] = 0.0
        for b in range(a):
            total = weight = 0.0
            for crop, share in _BY_CROP.items():
                fused = fused_similarity(own[crop], parts[b][crop])
                if fused is not None:
                    total += share * (1.0 - fused.similarity)
                    weight += share
            if weight:
                far[a, b] = far[b, a] = total / weight
    return far
