"""Batches of identities of one source: the style of drawing is no shortcut to who is drawn."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.errors import InvalidInput
from pipeline.domain.fingerprint import CropClass
from pipeline.training.augment import Recipe, Sitter, sitter, view
from pipeline.training.catalog import Drawing, open_drawing
from pipeline.training.dicebear import HELD_OUT, STYLES, Studio
from pipeline.training.grounds import busy_ground

IDENTITIES, VIEWS = 16, 64
"""How many identities and views a batch has; sources with fewer identities give more views each."""
_GROUNDS, _GROUND_SIDE = 160, 320
_DRAWN_SIDE, _DRAWN_VARIANTS = 224, 4
_CAST = 4
_SHARED_LICENCES = re.compile(r"CC0|CC BY(?!-)|MIT|Apache|zlib|BSD|public domain", re.IGNORECASE)
_CROPS = (CropClass.HEAD, CropClass.FIGURE, CropClass.HALF)
_CROP_SHARES = (0.6, 0.28, 0.12)

Model = Sequence[Sitter]
"""All drawings of one identity."""


class Source(Protocol):
    """Art of one style of drawing."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def models(self, rng: np.random.Generator, step: int) -> list[Model]:
        """Identities for one batch, look-alikes among them."""
        ...


@dataclass(slots=True)
class DrawnSource:
    """A source of a catalog, with all of its drawings in memory, by family and identity."""

    name: str
    families: Sequence[Sequence[Model]]

    def models(self, rng: np.random.Generator, step: int) -> list[Model]:
        """Whole families, in random order, until the batch is full."""
        del step  # the art is finite: all of it from the first step on
        chosen: list[Model] = []
        for index in rng.permutation(len(self.families)):
            chosen.extend(self.families[index])
            if len(chosen) >= IDENTITIES:
                break
        return chosen[:IDENTITIES]


@dataclass(slots=True)
class GeneratedSource:
    """A DiceBear style: casts of four drawn when they are first asked for.

    A cast is a character, a look-alike that differs in one attribute, another character in the
    same colours, and a look-alike of that one. More casts come in with every step.
    """

    style: str
    seed: int
    every: float
    """After so many steps one more cast may be chosen."""
    _drawn: dict[int, tuple[Model, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"dicebear {self.style}"

    def known(self, step: int) -> int:
        """How many casts there are to choose from."""
        return IDENTITIES // _CAST + int(step / self.every)

    def models(self, rng: np.random.Generator, step: int) -> list[Model]:
        """Four casts of those that are known by now."""
        indices = rng.choice(self.known(step), IDENTITIES // _CAST, replace=False)
        return [model for index in indices for model in self.cast(int(index))]

    @property
    def drawn(self) -> int:
        """How many casts have been drawn."""
        return len(self._drawn)

    def cast(self, index: int) -> tuple[Model, ...]:
        """One cast: the same for the same seed, drawn once."""
        if index not in self._drawn:
            self._drawn[index] = self._draw_cast(index)
        return self._drawn[index]

    def _draw_cast(self, index: int) -> tuple[Model, ...]:
        rng, studio = Random(f"{self.seed}/{self.style}/{index}"), Studio(self.style)
        one = studio.person(rng)
        other = studio.double(one, rng)
        people = (one, studio.lookalike(one, rng), other, studio.lookalike(other, rng))
        models = [
            [sitter(studio.draw(person, rng, _DRAWN_SIDE)) for _ in range(_DRAWN_VARIANTS)]
            for person in people
        ]
        return tuple([one for one in model if one is not None] for model in models)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Views (n, side, side, 3) uint8 and the index of each view's identity (n,)."""

    source: str
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]


class Sampler:
    """Makes the batch of any step from the seed alone, so that a resumed run goes on alike."""

    def __init__(self, sources: Sequence[Source], *, seed: int, generated_share: float) -> None:
        self._seed = seed
        generated = [isinstance(one, GeneratedSource) for one in sources]
        sizes = np.array([_weight(one) for one in sources])
        drawn = np.where(generated, 0.0, sizes)
        made = np.where(generated, sizes, 0.0)
        share = generated_share if any(generated) else 0.0
        share = share if drawn.sum() else 1.0
        weights = (1 - share) * drawn / max(drawn.sum(), 1e-9)
        weights += share * made / max(made.sum(), 1e-9)
        self._sources, self._weights = list(sources), weights / weights.sum()
        ground_rng = np.random.default_rng([seed, 77])
        self.grounds = [busy_ground(ground_rng, _GROUND_SIDE) for _ in range(_GROUNDS)]

    def batch(self, step: int, *, strength: float, side: int) -> Batch:
        """The batch of a step.

        Args:
            step: counted from 0.
            strength: of the augmentation, 0–1.
            side: pixels of a view.
        """
        rng = np.random.default_rng([self._seed, step])
        source = self._sources[int(rng.choice(len(self._sources), p=self._weights))]
        models = source.models(rng, step)
        crop = _CROPS[int(rng.choice(3, p=_CROP_SHARES))]
        grey = bool(rng.random() < 0.35)
        recipe = Recipe(crop, grey, strength, 0.45 * strength, side)
        pixels, labels = [], []
        orders = [rng.permutation(len(model)) for model in models]
        for place in range(VIEWS):
            turn, label = divmod(place, len(models))
            order = orders[label]
            one = models[label][int(order[turn % len(order)])]
            pixels.append(view(one, recipe, self.grounds, rng))
            labels.append(label)
        return Batch(source.name, np.stack(pixels), np.array(labels))


def _weight(source: Source) -> float:
    """Sources with more identities are visited more often, but not in proportion."""
    if isinstance(source, DrawnSource):
        return float(np.sqrt(sum(len(family) for family in source.families)))
    return 1.0


def drawn_sources(drawings: Sequence[Drawing]) -> list[DrawnSource]:
    """Read the drawings of a catalog; identities with fewer than two usable ones are left out.

    Raises:
        InvalidInput: a licence does not allow the use, or a file is no picture.
    """
    models: dict[str, dict[str, dict[str, list[Sitter]]]] = {}
    for drawing in drawings:
        _check_licence(drawing)
        one = sitter(open_drawing(drawing))
        if one is not None:
            families = models.setdefault(drawing.source, {})
            families.setdefault(drawing.family, {}).setdefault(drawing.identity, []).append(one)
    sources = []
    for name, families in models.items():
        kept = [[m for m in family.values() if len(m) > 1] for family in families.values()]
        kept = [family for family in kept if family]
        if sum(len(family) for family in kept) > 1:
            sources.append(DrawnSource(name, kept))
    return sources


def generated_sources(seed: int, share: float) -> list[GeneratedSource]:
    """One source for each style that is trained on; about one new cast for every visit."""
    styles = [style for style in STYLES if style not in HELD_OUT]
    every = max(1.0, len(styles) / max(share, 1e-3))
    return [GeneratedSource(style, seed, every) for style in styles]


def in_validation(drawing: Drawing) -> bool:
    """Whether a drawing chooses instead of training; without splits one family in eight does."""
    if drawing.split:
        return drawing.split == "val"
    return hashlib.sha256(drawing.family.encode()).digest()[0] % 8 == 0


def _check_licence(drawing: Drawing) -> None:
    if drawing.licence and not _SHARED_LICENCES.search(drawing.licence):
        raise InvalidInput(
            f"{drawing.source} is under “{drawing.licence}”, which does not allow a model that "
            "is shared. Take it out of the folder."
        )
