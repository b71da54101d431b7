"""Does the attribution name what drifted? Drawn characters with exact truth that it never saw."""

from collections.abc import Sequence

import numpy as np

from bot.bench.figures import Figure
from bot.bench.shares import wilson
from pipeline.quality.attributes import Attribute
from pipeline.quality.attribution import NAMED, shipped_forest
from pipeline.training.attribution import Rows, rows_of
from pipeline.training.drifted import STYLES, UNSEEN

_PEER = "the goal of idea 3; a plain baseline names 0.818 of 6 classes in one style"
_EYES = 0.80
_GOAL = 0.90


def attribution_figures(cases: int) -> list[Figure]:
    """Draw characters, let them drift, ask what it was.

    Args:
        cases: characters of each style; none of them was used in training.

    Raises:
        SettingsError: DiceBear is not installed.
    """
    figures: list[Figure] = []
    for name, styles in (("known_styles", STYLES), ("unseen_styles", UNSEEN)):
        rows = rows_of(styles, cases, f"exam/{name}", _quiet)
        figures += _figures(name, rows)
    return figures


def _quiet(_line: str) -> None:
    return None


def _figures(name: str, rows: Rows) -> list[Figure]:
    odds = _odds(rows)
    classes = [Attribute(word) for word in shipped_forest().classes]
    single = [i for i, drifted in enumerate(rows.drifted) if len(drifted) == 1]
    truth = np.array([classes.index(next(iter(rows.drifted[i]))) for i in single])
    guess = odds[single].argmax(axis=1)
    each = {a: _f1(truth == k, guess == k) for k, a in enumerate(classes) if (truth == k).any()}
    prefix = f"quality.attribution.{name}"
    macro = float(np.mean(list(each.values())))
    hits = int((truth == guess).sum())
    out = [
        Figure(f"{prefix}.macro_f1", macro, "share", "higher", _GOAL, _PEER, len(single)),
        Figure(f"{prefix}.right", hits / len(single), "share", "higher", None, _PEER, len(single),
               wilson(hits, len(single))),
        _double(prefix, rows, odds, classes),
        _clean(prefix, rows, odds),
    ]  # fmt: skip
    for attribute, value in each.items():
        goal = _EYES if attribute is Attribute.EYE_SHAPE else _GOAL
        count = int((truth == classes.index(attribute)).sum())
        out.append(Figure(f"{prefix}.f1.{attribute}", value, "share", "higher", goal, None, count))
    return out


def _odds(rows: Rows) -> np.ndarray:
    """Log-odds of every class, shape (rows, classes)."""
    forest = shipped_forest()
    values = rows.matrix(forest.names)
    return np.stack([forest.log_odds(row).mean(axis=0) for row in values])


def _f1(truth: np.ndarray, guess: np.ndarray) -> float:
    both = float((truth & guess).sum())
    return 2 * both / float(truth.sum() + guess.sum()) if both else 0.0


def _double(prefix: str, rows: Rows, odds: np.ndarray, classes: Sequence[Attribute]) -> Figure:
    """Of two attributes that drifted together, the share among the two surest."""
    pairs = [i for i, drifted in enumerate(rows.drifted) if len(drifted) == 2]
    hits = sum(classes[int(k)] in rows.drifted[i] for i in pairs for k in np.argsort(-odds[i])[:2])
    total = 2 * len(pairs)
    return Figure(f"{prefix}.double_top2", hits / total, "share", "higher", None, None, total,
                  wilson(hits, total))  # fmt: skip


def _clean(prefix: str, rows: Rows, odds: np.ndarray) -> Figure:
    """How often something is named in a picture in which nothing drifted."""
    clean = [i for i, drifted in enumerate(rows.drifted) if not drifted]
    limit = np.log(NAMED / (1 - NAMED))
    named = int((odds[clean].max(axis=1) > limit).sum())
    return Figure(f"{prefix}.named_without_drift", named / len(clean), "share", "lower", None, None,
                  len(clean), wilson(named, len(clean)))  # fmt: skip
