"""``onmodel bench figures``: are figures found in panels, and what does the check lose by it?

Panels are composed from cut-outs whose place is known exactly, in scenery that the detector was
not trained on, and drawn by the embedded engine, whose masks are the truth. Sources and people
in them are ones that training did not see.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from bot.bench.cutting import check_figures
from bot.bench.drafts import draft_panels
from bot.bench.figures import Figure, publish
from bot.bench.opaque import opaque_figures
from bot.bench.shares import wilson
from pipeline.domain.geometry import Box, Size
from pipeline.fingerprints.hashes import picture_hashes
from pipeline.imaging.detector import SURE, Detection, FigureDetector, shipped_detector
from pipeline.imaging.figure_maps import iou
from pipeline.imaging.masks import Flags
from pipeline.training.figures import LEFT_OUT_SOURCES, load_sprites
from pipeline.training.panels import Panel, Sprite, stage
from pipeline.training.scenery import HELD_OUT_PLACES, scenery

SIZES = (Size(448, 336), Size(336, 448), Size(480, 300))
NEW_STYLES = ("db_micah", "db_toon_head", "bigheads")
_EVERY = ("train", "val", "test", "test-newstyle")
_ENOUGH = 0.5
_PER_SOURCE = 60
_LEAST = 8


@dataclass(slots=True)
class Tally:
    """What was found in some panels, added up."""

    panels: int = 0
    figures: int = 0
    hits: int = 0
    spurious: int = 0
    box_iou: list[float] = field(default_factory=list)
    mask_iou: list[float] = field(default_factory=list)
    heads: int = 0
    head_hits: int = 0

    def add(self, panel: Panel, found: Sequence[Detection]) -> None:
        """Count one panel: each truth takes the detection that covers it best, once."""
        self.panels += 1
        self.figures += len(panel.figures)
        left = list(found)
        for truth in panel.figures:
            best = max(left, key=lambda one: iou(one.box, truth.box), default=None)
            overlap = 0.0 if best is None else iou(best.box, truth.box)
            self.box_iou.append(overlap)
            if truth.head is not None:
                self.heads += 1
            if best is None or overlap < _ENOUGH:
                continue
            left.remove(best)
            self.hits += 1
            self.mask_iou.append(mask_iou(best.mask > 0, truth.mask))
            self.head_hits += _head_hit(best.head, truth.head)
        self.spurious += len(left)


def mask_iou(a: Flags, b: Flags) -> float:
    """Intersection over union of two masks of one shape; 0 for two empty ones."""
    return float((a & b).sum()) / max(1, int((a | b).sum()))


def _head_hit(said: Box | None, truth: Box | None) -> bool:
    return said is not None and truth is not None and iou(said, truth) >= _ENOUGH


def bench_finding(
    data: Path, json_file: Path | None = None, *, panels: int = 150, seed: int = 11
) -> int:
    """Measure, print, write; returns 0.

    Args:
        data: drawings with a manifest, of which the splits kept from training are used.
        json_file: where the figures go.
        panels: composed panels for each group of sources.
        seed: of the panels.
    """
    detector = shipped_detector()
    rng = np.random.default_rng(seed)
    figures: list[Figure] = []
    for name, sprites in _groups(data, rng):
        tally = Tally()
        for panel in composed(rng, sprites, panels):
            tally.add(panel, _sure(detector, panel))
        figures += _report(name, tally)
        figures += check_figures(name, sprites, detector, rng, most=panels)
    tally = Tally()
    for panel in draft_panels(max(4, panels // 4), seed):
        tally.add(panel, _sure(detector, panel))
    figures += _report("draft", tally)
    figures += opaque_figures(panels // 10)
    figures += [_empty(detector, rng, panels), *_speed(detector, rng)]
    publish(figures, json_file)
    return 0


def composed(rng: np.random.Generator, sprites: Sequence[Sprite], count: int) -> Iterator[Panel]:
    """Panels with one to four figures in scenery that is kept for measuring."""
    for number in range(count):
        size = SIZES[number % len(SIZES)]
        cast = [
            sprites[int(rng.integers(len(sprites)))]
            for _ in range(int(rng.choice(4, p=(0.5, 0.25, 0.15, 0.1))) + 1)
        ]
        yield stage(rng, scenery(rng, size, HELD_OUT_PLACES), cast)


def _groups(data: Path, rng: np.random.Generator) -> Iterator[tuple[str, list[Sprite]]]:
    """New people of known sources; sources that training never saw, busts and whole figures.

    A group of which the folder holds next to nothing is left out.
    """
    unseen = load_sprites(data, _EVERY, 2 * _PER_SOURCE, rng, only=(*LEFT_OUT_SOURCES, *NEW_STYLES))
    known = (*LEFT_OUT_SOURCES, *NEW_STYLES)
    groups = {
        "new_people": load_sprites(data, ("test",), _PER_SOURCE, rng, without=known),
        "new_busts": [s for s in unseen if s.source in NEW_STYLES],
        "new_figures": [s for s in unseen if s.source not in NEW_STYLES],
    }
    yield from ((name, found) for name, found in groups.items() if len(found) >= _LEAST)


def _sure(detector: FigureDetector, panel: Panel) -> list[Detection]:
    return [one for one in detector.detect(Image.fromarray(panel.pixels)) if one.score >= SURE]


def _report(name: str, tally: Tally) -> list[Figure]:
    low, high = wilson(tally.hits, max(1, tally.figures))
    recall = tally.hits / max(1, tally.figures)
    spurious = tally.spurious / max(1, tally.panels)
    heads = tally.head_hits / max(1, tally.heads)
    box, mask = np.mean(tally.box_iou or [0.0]), np.mean(tally.mask_iou or [0.0])
    n = tally.figures
    return [
        Figure(f"figures.recall50.{name}", recall, "share", "higher", 0.8, None, n, (low, high)),
        Figure(f"figures.box_iou.{name}", float(box), "IoU", "higher", n=n),
        Figure(f"figures.mask_iou.{name}", float(mask), "IoU", "higher", n=tally.hits),
        Figure(f"figures.false_per_panel.{name}", spurious, "count", "lower", n=tally.panels),
        Figure(f"figures.head_recall50.{name}", heads, "share", "higher", n=tally.heads),
    ]


def _empty(detector: FigureDetector, rng: np.random.Generator, count: int) -> Figure:
    """Scenery without anybody: how often is somebody seen?"""
    wrong = 0
    for number in range(count):
        ground = scenery(rng, SIZES[number % len(SIZES)], HELD_OUT_PLACES)
        wrong += any(one.score >= SURE for one in detector.detect(ground))
    return Figure(
        "figures.empty_wrong", wrong / count, "share", "lower", 0.05, None, count,
        wilson(wrong, count),
    )  # fmt: skip


def _speed(detector: FigureDetector, rng: np.random.Generator) -> list[Figure]:
    """Time of a 1024 × 768 panel without and with two figures; a ratio to hashing the same."""
    empty = scenery(rng, Size(1024, 768), HELD_OUT_PLACES)
    pair = Image.fromarray(next(p for p in draft_panels(40, 5) if len(p.figures) == 2).pixels)
    pair = pair.resize(empty.size)
    bare, full, peer = [], [], []
    for _ in range(9):
        start = time.perf_counter()
        detector.detect(empty)
        after_bare = time.perf_counter()
        detector.detect(pair)
        after_full = time.perf_counter()
        picture_hashes(pair)
        bare.append(after_bare - start)
        full.append(after_full - after_bare)
        peer.append(time.perf_counter() - after_full)
    spent, hashing = float(np.median(full)), float(np.median(peer))
    return [
        Figure("figures.empty_ms", 1000 * float(np.median(bare)), "ms", "lower", 80.0, n=9),
        Figure("figures.two_figures_ms", 1000 * spent, "ms", "lower", None, n=9),
        Figure("figures.time_ratio", spent / hashing, "ratio", "lower", None, "hashing it", 9),
    ]
