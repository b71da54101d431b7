"""``onmodel bench poses``: on which drawings a pose is found, and what it is worth there.

Nobody marked the joints of these drawings, so three things are measured instead. How often a pose
is found. How many of those found are plausible: nine in ten of their sure joints lie on the figure,
and head, shoulders, hips and ankles, as far as they are seen, come in that order from above. And
whether the same named pose, drawn on another character, is nearer than another pose is.
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from bot.bench.figures import Figure, publish
from bot.bench.shares import wilson
from pipeline.domain.pose import Pose
from pipeline.imaging.masks import Figure as DrawnFigure
from pipeline.imaging.masks import find_figure
from pipeline.imaging.poses import SEEN, find_pose
from pipeline.retrieval.pose import procrustes
from pipeline.training.catalog import Drawing, open_drawing, read_catalog

_LEVELS = (slice(0, 5), slice(5, 7), slice(11, 13), slice(15, 17))
"""Head, shoulders, hips, ankles among the keypoints."""
_ON_FIGURE, _NEAR = 0.9, 0.03
"""Share of the sure joints that must lie on the figure, or this share of its size beside it."""
_ENOUGH_PAIRS = 20


@dataclass(frozen=True, slots=True)
class _Posed:
    """A drawing in which a figure was found, and its pose if there is one."""

    drawing: Drawing
    pose: Pose | None
    plausible: bool
    seconds: float


def bench_poses(data: Path, json_file: Path | None = None, each: int = 120, seed: int = 2) -> int:
    """Measure ``each`` drawings of every source, print, write; returns 0.

    Raises:
        InvalidInput: the folder holds no drawings.
    """
    publish(list(_figures(read_catalog(data), each, seed)), json_file)
    return 0


def _figures(drawings: Sequence[Drawing], each: int, seed: int) -> Iterator[Figure]:
    chance = np.random.default_rng(seed)
    seconds: list[float] = []
    for source in sorted({one.source for one in drawings}):
        own = [one for one in drawings if one.source == source]
        chosen = [own[i] for i in chance.permutation(len(own))[:each]]
        tried = [posed for one in chosen if (posed := _posed(one)) is not None]
        seconds += [one.seconds for one in tried]
        yield from _of_source(source, tried)
    if seconds:
        middle = float(np.median(seconds))
        yield Figure("poses.seconds", middle, "s", "lower", n=len(seconds))


def _of_source(source: str, tried: Sequence[_Posed]) -> Iterator[Figure]:
    found = [one for one in tried if one.pose is not None]
    if tried:
        yield _share(f"poses.found.{source}", len(found), len(tried))
    if found:
        good = sum(one.plausible for one in found)
        yield _share(f"poses.plausible.{source}", good, len(found))
    same, other = _distances(found)
    if min(len(same), len(other)) >= _ENOUGH_PAIRS:
        yield Figure(
            f"poses.same_pose_auc.{source}", _auc(same, other), "share", "higher", n=len(same)
        )


def _share(name: str, hits: int, total: int) -> Figure:
    return Figure(
        name, hits / total, "share", "higher", n=total, interval=wilson(hits, total)
    )  # fmt: skip


def _posed(drawing: Drawing) -> _Posed | None:
    image = open_drawing(drawing)
    figure = find_figure(image)
    if figure is None:
        return None
    began = time.perf_counter()
    pose = find_pose(image, figure)
    seconds = time.perf_counter() - began
    return _Posed(drawing, pose, pose is not None and _plausible(pose, figure), seconds)


def _plausible(pose: Pose, figure: DrawnFigure) -> bool:
    points = np.array(pose.keypoints)
    sure = points[:, 2] >= SEEN
    heights = [points[part][sure[part], 1].mean() for part in _LEVELS if sure[part].any()]
    upright = all(above < below for above, below in pairwise(heights))
    on_it = [_is_on(figure, x, y) for x, y, _ in points[sure]]
    return upright and sum(on_it) >= _ON_FIGURE * len(on_it)


def _is_on(figure: DrawnFigure, x: float, y: float) -> bool:
    """Whether a joint lies on the figure or just beside it."""
    near = max(1, round(_NEAR * max(figure.box.width, figure.box.height)))
    left, top = max(0, round(x) - near), max(0, round(y) - near)
    return bool(figure.mask[top : round(y) + near + 1, left : round(x) + near + 1].any())


def _distances(found: Sequence[_Posed]) -> tuple[list[float], list[float]]:
    """Distances between poses of different characters: of the same name, and of others."""
    same, other = [], []
    named = [one for one in found if one.drawing.pose]
    for place, one in enumerate(named):
        for before in named[:place]:
            if before.drawing.identity == one.drawing.identity:
                continue
            apart = _apart(before.pose, one.pose)
            if apart is not None:
                (same if before.drawing.pose == one.drawing.pose else other).append(apart)
    return same, other


def _apart(a: Pose | None, b: Pose | None) -> float | None:
    return None if a is None or b is None else procrustes(a, b)


def _auc(same: Sequence[float], other: Sequence[float]) -> float:
    """How often the same pose is nearer than another one; ties count half."""
    ordered = sorted(other)
    beaten = [len(ordered) - (bisect_left(ordered, d) + bisect_right(ordered, d)) / 2 for d in same]
    return float(np.mean(beaten)) / len(ordered)
