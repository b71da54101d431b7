"""How well a network tells identities apart on art that it does not train on."""
# pyright: reportMissingImports=false

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.fingerprint import CropClass
from pipeline.training.augment import Recipe, view
from pipeline.training.network import IdentityNet
from pipeline.training.sampling import Model

CONDITIONS = ("color", "grey", "busy")
_PER_IDENTITY, _CHUNK = 6, 32

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """The views of one source: for each condition (n, side, side, 3), and whose they are (n,)."""

    source: str
    views: dict[str, NDArray[np.uint8]]
    labels: NDArray[np.int64]


def exam(
    source: str, models: Sequence[Model], grounds: Sequence[Image.Image], side: int
) -> Exam | None:
    """Make an exam of a source's heads; None with fewer than two identities."""
    if len(models) < 2:
        return None
    rng = np.random.default_rng(5)
    labels = [k for k, model in enumerate(models) for _ in model[:_PER_IDENTITY]]
    views = {
        name: np.stack([
            view(one, Recipe(CropClass.HEAD, name == "grey", 0.0, float(name == "busy"), side),
                 grounds, rng)
            for model in models for one in model[:_PER_IDENTITY]
        ])
        for name in CONDITIONS
    }  # fmt: skip
    return Exam(source, views, np.array(labels))


def examine(network: IdentityNet, exams: Sequence[Exam]) -> dict[str, float]:
    """Area under the curve and leave-one-out identification, each a mean over sources.

    Returns:
        ``auc.<condition>``, ``top1.<condition>`` and ``score``, the mean of them all, 0–1.
    """
    found: dict[str, list[float]] = {}
    for one in exams:
        for name, pixels in one.views.items():
            vectors = embed(network, pixels)
            found.setdefault(f"auc.{name}", []).append(area(vectors, one.labels))
            found.setdefault(f"top1.{name}", []).append(identified(vectors, one.labels))
    figures = {name: float(np.mean(values)) for name, values in found.items()}
    figures["score"] = float(np.mean(list(figures.values()))) if figures else 0.0
    return figures


def embed(network: IdentityNet, pixels: NDArray[np.uint8]) -> Vectors:
    """Unit vectors (n, d) of views (n, side, side, 3)."""
    parts = []
    with torch.no_grad():
        for start in range(0, len(pixels), _CHUNK):
            tensor = torch.from_numpy(pixels[start : start + _CHUNK]).permute(0, 3, 1, 2).float()
            parts.append(network(tensor).numpy())
    return np.concatenate(parts)


def area(vectors: Vectors, labels: NDArray[np.int64]) -> float:
    """The chance that a pair of one identity is more alike than a pair of two."""
    similarity = vectors @ vectors.T
    upper = np.triu_indices(len(labels), 1)
    values, same = similarity[upper], (labels[:, None] == labels[None, :])[upper]
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    genuine = int(same.sum())
    others = len(values) - genuine
    return float((ranks[same].sum() - genuine * (genuine + 1) / 2) / max(1, genuine * others))


def identified(vectors: Vectors, labels: NDArray[np.int64]) -> float:
    """The share of views whose nearest other view is of the same identity."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -2.0)
    return float((labels[similarity.argmax(axis=1)] == labels).mean())
