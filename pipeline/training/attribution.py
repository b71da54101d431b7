"""Learning to say what drifted: pictures with exact truth, boosted trees, one file of arrays."""
# pyright: reportMissingImports=false

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Box
from pipeline.imaging.masks import find_figure
from pipeline.quality.attributes import Attribute
from pipeline.quality.attribution import onto_template
from pipeline.quality.differences import differences
from pipeline.quality.forest import Forest
from pipeline.quality.plates import Plate, plate_of
from pipeline.quality.template import Template, template_of
from pipeline.training.drifted import STYLES, Case, Drawing, Drifter

Array = NDArray[np.float32]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How the model is trained. The same plan gives the same model.

    Attributes:
        cases: characters of each style.
        bags: models whose spread is the uncertainty; each leaves a share of the characters out.
        trees: of each class and bag.
        leaves: of each tree, at most.
        rate: how far each tree goes.
    """

    seed: str = "train"
    cases: int = 30
    bags: int = 3
    trees: int = 100
    leaves: int = 10
    rate: float = 0.12
    styles: tuple[str, ...] = STYLES


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Features by name, what truly drifted, and whose picture it is (style and number)."""

    features: list[dict[str, float]]
    drifted: list[frozenset[Attribute]]
    who: list[tuple[str, int]]

    def matrix(self, names: Sequence[str]) -> Array:
        """Shape (rows, names); NaN where a row has no such feature."""
        return np.array([[r.get(n, np.nan) for n in names] for r in self.features], np.float32)

    @property
    def names(self) -> list[str]:
        """Every feature that some row has."""
        return sorted({name for row in self.features for name in row})


def rows_of(styles: Sequence[str], cases: int, seed: str, tell: Tell) -> Rows:
    """Draw characters and measure their pictures.

    Args:
        styles: of :data:`pipeline.training.drifted.STYLES` or ``UNSEEN``.
        cases: characters of each style.
        seed: another one gives other characters.
        tell: takes lines about the progress.

    Raises:
        SettingsError: DiceBear is not installed.
    """
    rows = Rows([], [], [])
    for style in styles:
        drifter = Drifter(style)
        for number in range(cases):
            _measure(drifter.case(Random(f"{style}/{seed}/{number}")), number, rows)
        tell(f"{style}: {len(rows.features)} pictures")
    return rows


def _measure(case: Case, number: int, rows: Rows) -> None:
    known = [(d, p) for d in case.references if (p := _plate(d)) is not None]
    if len(known) < 3:
        return
    (first, anchor), *others = known
    template = template_of(anchor, [plate for _, plate in others])
    marks = _marks(first, anchor, template)
    for query in case.queries:
        plate = _plate(query)
        if plate is not None:
            rows.features.append(differences(plate, template, marks).features)
            rows.drifted.append(query.drifted)
            rows.who.append((case.style, number))


def _plate(drawing: Drawing) -> Plate | None:
    figure = find_figure(drawing.image)
    return None if figure is None else plate_of(drawing.image, figure)


def _marks(drawing: Drawing, plate: Plate, template: Template) -> tuple[Box, ...]:
    if drawing.mark is None:
        return ()
    return (onto_template(drawing.mark, plate, template.fits[0]),)


def fit(rows: Rows, plan: Plan, tell: Tell) -> Forest:
    """Grow the trees: every attribute against the rest, several bags of characters.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    names = rows.names
    values = rows.matrix(names)
    people = sorted(set(rows.who))
    place = np.array([people.index(who) for who in rows.who])
    grown: list[_Grown] = []
    base = np.zeros((plan.bags, len(Attribute)), np.float32)
    for bag in range(plan.bags):
        keep = np.random.default_rng(bag).random(len(people)) < (0.85 if plan.bags > 1 else 1.0)
        inside = keep[place]
        for k, attribute in enumerate(Attribute):
            truth = np.array([attribute in drifted for drifted in rows.drifted])
            model = HistGradientBoostingClassifier(
                max_iter=plan.trees,
                learning_rate=plan.rate,
                max_leaf_nodes=plan.leaves,
                min_samples_leaf=12,
                l2_regularization=2.0,
                max_features=0.3,
                early_stopping=False,  # pyright: ignore[reportArgumentType] - the stub knows 'auto' only
                random_state=1000 * bag + k,
            ).fit(values[inside], truth[inside])
            base[bag, k] = float(np.ravel(model._baseline_prediction)[0])
            grown += [_Grown(trees[0].nodes, bag, k) for trees in model._predictors]
        tell(f"bag {bag + 1} of {plan.bags}")
    return _packed(tuple(names), grown, base)


@dataclass(frozen=True, slots=True, eq=False)
class _Grown:
    """One tree as scikit-learn keeps it, and whose it is."""

    nodes: NDArray[np.void]
    bag: int
    kind: int


def _packed(names: tuple[str, ...], grown: Sequence[_Grown], base: Array) -> Forest:
    most = max(len(tree.nodes) for tree in grown)
    shape = (len(grown), most)
    feature = np.full(shape, -1, np.int16)
    limit, value = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    left, right = np.zeros(shape, np.int16), np.zeros(shape, np.int16)
    missing = np.zeros(shape, np.bool_)
    for row, tree in enumerate(grown):
        nodes, n = tree.nodes, len(tree.nodes)
        inner = nodes["is_leaf"] == 0
        feature[row, :n] = np.where(inner, nodes["feature_idx"], -1)
        limit[row, :n] = np.where(inner, nodes["num_threshold"], 0)
        left[row, :n], right[row, :n] = nodes["left"], nodes["right"]
        missing[row, :n] = nodes["missing_go_to_left"].astype(bool)
        value[row, :n] = np.where(inner, 0, nodes["value"])
    owner = np.array([(tree.bag, tree.kind) for tree in grown], np.int16)
    classes = tuple(str(attribute) for attribute in Attribute)
    return Forest(names, classes, feature, limit, left, right, missing, value, owner, base)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a model card needs to know."""

    pictures: int
    features: int
    trees: int
    size: int
    sha256: str
    seconds: float


def train_to_file(out: Path, plan: Plan, tell: Tell) -> Trained:
    """Draw, measure, train, write; returns what a model card needs.

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
        SettingsError: DiceBear is not installed.
    """
    started = time.monotonic()
    rows = rows_of(plan.styles, plan.cases, plan.seed, tell)
    forest = fit(rows, plan, tell)
    forest.save(out)
    data = out.read_bytes()
    return Trained(
        len(rows.features),
        len(forest.names),
        len(forest.feature),
        len(data),
        hashlib.sha256(data).hexdigest(),
        time.monotonic() - started,
    )
