"""What finding figures does to the check: the same figures cut out in four ways."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.bench.figures import Figure
from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.geometry import Box, Size
from pipeline.fingerprints.composite import (
    Segments,
    fingerprint_crops,
    fused_similarity,
    segments_of,
)
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.registry import load_encoders
from pipeline.imaging import masks
from pipeline.imaging.crops import crops_of, shot_of
from pipeline.imaging.detector import SURE, FigureDetector
from pipeline.training.panels import Panel, Sprite, stage
from pipeline.training.scenery import HELD_OUT_PLACES, scenery

WAYS = ("true_mask", "detector", "box", "whole")
_SIZE = Size(448, 336)
_REFERENCES = 2
_DECIDING = (CropClass.HEAD, CropClass.HALF)

Prints = Mapping[CropClass, Segments]


class _Pair(NamedTuple):
    """Similarities of one picture to everyone of its source, by way, and who it is."""

    scores: Mapping[str, NDArray[np.float64]]
    own: int


def check_figures(
    name: str,
    sprites: Sequence[Sprite],
    detector: FigureDetector,
    rng: np.random.Generator,
    *,
    most: int,
) -> list[Figure]:
    """AUC of same against other within a source, and top-1 of two references, for each way.

    Every picture stands alone in held-out scenery. Pictures in which nothing was found are
    counted apart (the check then says that it cannot judge) and left out of all four ways.
    """
    encoders = load_encoders()
    pairs: list[_Pair] = []
    asked = 0
    for people in _sources(sprites).values():
        cast = [[_cut_prints(s, encoders) for s in own[:_REFERENCES]] for own in people]
        queries = [(k, s) for k, own in enumerate(people) for s in own[_REFERENCES:]]
        share = max(4, most // len(_sources(sprites)))
        for pick in rng.permutation(len(queries))[:share]:
            own, sprite = queries[int(pick)]
            ground = scenery(rng, _SIZE, HELD_OUT_PLACES)
            panel = stage(rng, ground, [sprite])
            if not panel.figures:
                continue
            asked += 1
            ways = _ways(panel, detector)
            if ways is not None:
                pairs.append(_compared(panel, ways, cast, encoders, own))
    return _figures(name, pairs, asked)


def _sources(sprites: Sequence[Sprite]) -> dict[str, list[list[Sprite]]]:
    """Per source the pictures of everyone of whom there are enough."""
    people: dict[str, list[Sprite]] = defaultdict(list)
    for sprite in sprites:
        people[sprite.identity].append(sprite)
    sources: dict[str, list[list[Sprite]]] = defaultdict(list)
    for own in people.values():
        if len(own) > _REFERENCES:
            sources[own[0].source].append(own)
    return {source: found for source, found in sources.items() if len(found) > 1}


def _ways(panel: Panel, detector: FigureDetector) -> dict[str, masks.Figure] | None:
    image = Image.fromarray(panel.pixels)
    found = [one for one in detector.detect(image) if one.score >= SURE]
    if not found:
        return None
    truth = panel.figures[0]
    everything = np.full(truth.mask.shape, 255, np.uint8)
    boxed = np.zeros_like(everything)
    boxed[truth.box.y0 : truth.box.y1, truth.box.x0 : truth.box.x1] = 255
    return {
        "true_mask": masks.Figure(truth.box, np.where(truth.mask, 255, 0).astype(np.uint8)),
        "detector": masks.Figure(found[0].box, found[0].mask),
        "box": masks.Figure(truth.box, boxed),
        "whole": masks.Figure(Box(0, 0, *image.size), everything),
    }


def _compared(
    panel: Panel,
    ways: Mapping[str, masks.Figure],
    cast: Sequence[Sequence[Prints]],
    encoders: Sequence[Encoder],
    own: int,
) -> _Pair:
    image = Image.fromarray(panel.pixels)
    scores: dict[str, NDArray[np.float64]] = {}
    for way, figure in ways.items():
        seen = _prints(image, figure, encoders)
        scores[way] = np.array([_likeness(seen, references) for references in cast])
    return _Pair(scores, own)


def _cut_prints(sprite: Sprite, encoders: Sequence[Encoder]) -> Prints:
    mask = np.where(np.asarray(sprite.image.getchannel("A")) > 127, 255, 0).astype(np.uint8)
    box = Box(0, 0, *sprite.image.size)
    return _prints(sprite.image, masks.Figure(box, mask), encoders)


def _prints(image: Image.Image, figure: masks.Figure, encoders: Sequence[Encoder]) -> Prints:
    crops = crops_of(image, figure, shot_of(figure))
    prints = fingerprint_crops(crops, encoders, (ColorMode.COLOR,))
    return {crop: segments_of(prints, crop, ColorMode.COLOR) for crop in crops}


def _likeness(seen: Prints, references: Sequence[Prints]) -> float:
    """The mean over head and upper half, where both sides show them, of the nearest reference."""
    best: list[float] = []
    for crop in _DECIDING:
        likes = [
            fused.similarity
            for one in references
            if crop in seen and crop in one
            if (fused := fused_similarity(seen[crop], one[crop])) is not None
        ]
        if likes:
            best.append(max(likes))
    return float(np.mean(best)) if best else -1.0


def _figures(name: str, pairs: Sequence[_Pair], asked: int) -> list[Figure]:
    if not pairs:
        return []
    out = [
        Figure(f"figures.found.{name}", len(pairs) / asked, "share", "higher", n=asked)
    ]  # the rest cannot be judged
    for way in WAYS:
        same = np.array([pair.scores[way][pair.own] for pair in pairs])
        other = np.concatenate([np.delete(pair.scores[way], pair.own) for pair in pairs])
        hits = np.mean([int(np.argmax(pair.scores[way])) == pair.own for pair in pairs])
        n = len(pairs)
        auc = _auc(same, other)
        out.append(Figure(f"figures.auc.{way}.{name}", auc, "AUC", "higher", n=n))
        out.append(Figure(f"figures.top1.{way}.{name}", float(hits), "share", "higher", n=n))
    lost = [p.scores["true_mask"][p.own] - p.scores["detector"][p.own] for p in pairs]
    out += [
        Figure(
            f"figures.similarity_lost_p{share}.{name}",
            float(np.percentile(lost, share)), "cosine", "lower", n=len(lost),
        )
        for share in (50, 80)
    ]  # fmt: skip
    return out


def _auc(same: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The chance that a same pair is more alike than another one; ties count half."""
    order = np.sort(other)
    below = np.searchsorted(order, same, "left") + np.searchsorted(order, same, "right")
    return float(below.mean() / (2 * len(other)))
