"""What a taste says about pictures that nobody has voted on yet.

Everything here is about pictures that the check has passed. A taste never sees another, and what
it says changes no verdict.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.domain.taste import Floats, Taste, Traits
from pipeline.taste.space import features

CLEAR = 1.1
"""The winner is clear unless the next picture has a better chance than this times an ordinary one.

An ordinary next picture beats n equals with the chance 1 / (n + 1). Source: ``onmodel bench
taste``: where about three tenths of the alternates are saved until a panel is accepted.
"""
LEAST_SHOWN = 2
"""So many alternates are drawn whatever a taste says: people vote, it does not."""
_DRAWS = 2000


def chances(taste: Taste, alternates: Sequence[Traits]) -> Floats:
    """The chance of each alternate to be liked best, (n,); they sum to 1."""
    likings = _likings(taste, alternates)
    return np.bincount(likings.argmax(axis=1), minlength=len(alternates)) / len(likings)


def next_wins(taste: Taste, alternates: Sequence[Traits]) -> float:
    """The chance that a picture that is not drawn yet will be liked better than all of these.

    It is expected to be like others of this panel: their mean is drawn towards the series' own as
    far as few pictures say little.
    """
    point = features(taste.space, alternates) @ taste.weights
    alike = taste.between / max(taste.between + taste.within / len(point), 1e-9)
    rng = np.random.default_rng(5)
    spread = np.sqrt(taste.within * (1 + alike / len(point)) + taste.own**2)
    fresh = alike * point.mean() + spread * rng.normal(size=_DRAWS)
    return float((fresh > _likings(taste, alternates).max(axis=1)).mean())


def is_clear(taste: Taste, alternates: Sequence[Traits]) -> bool:
    """Whether drawing another alternate has become a waste."""
    ordinary = 1 / (len(alternates) + 1)
    return len(alternates) >= LEAST_SHOWN and next_wins(taste, alternates) < CLEAR * ordinary


def _likings(taste: Taste, alternates: Sequence[Traits]) -> Floats:
    """Draws of how much each picture is liked, (draws, n)."""
    rng = np.random.default_rng(4)
    rows = features(taste.space, alternates)
    root = np.linalg.cholesky(taste.covariance)
    weights = taste.weights + rng.normal(size=(_DRAWS, len(taste.weights))) @ root.T
    return weights @ rows.T + taste.own * rng.normal(size=(_DRAWS, len(rows)))
