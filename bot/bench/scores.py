"""Verification and identification figures, with intervals over identities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

METRICS = ("auc", "eer", "tar01", "top1")
_BINS = 1000
_FALSE_ACCEPTS = 0.01

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Similarities of pictures, what they are compared for, and whose they are.

    Attributes:
        similarity: (n, n); rows are known pictures, columns are asked about.
        owners: the index of each picture's identity, (n,).
        genuine: pairs of one identity that count, (n, n).
        impostor: pairs of two identities that count, (n, n).
        references: which rows are references, (n,).
        asked: which columns are asked for, (n,).
        candidates: which rows may answer a column, (n, n).
    """

    similarity: Floats
    owners: NDArray[np.intp]
    genuine: Flags
    impostor: Flags
    references: Flags
    asked: Flags
    candidates: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """A metric's value, its value in each resample of identities, and how many it rests on.

    A resample that drew too few identities to compare is nan.
    """

    value: float
    resampled: Floats
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        known = self.resampled[~np.isnan(self.resampled)]
        if not len(known):
            return self.value, self.value
        low, high = np.percentile(known, (2.5, 97.5))
        return float(low), float(high)


def draws(identities: int, resamples: int, seed: int) -> Floats:
    """How often each identity is drawn, (1 + resamples, identities); the first row is all ones."""
    rng = np.random.default_rng(seed)
    chance = np.full(identities, 1 / identities)
    drawn = rng.multinomial(identities, chance, size=resamples).astype(np.float64)
    return np.concatenate([np.ones((1, identities)), drawn])


def score_all(pairs: Pairs, drawn: Floats) -> dict[str, Score]:
    """Every metric of METRICS that has pairs to rest on.

    ``auc`` is the area under the curve, ``eer`` the rate at which false accepts equal false
    rejects, ``tar01`` the share of genuine pairs accepted at 1 % false accepts, ``top1`` the
    share of pictures whose nearest reference is of their own identity.
    """
    found: dict[str, Score] = {}
    if pairs.genuine.any() and pairs.impostor.any():
        curves = _curves(pairs, drawn)
        count = int(pairs.genuine.sum())
        for name, values in zip(METRICS, (_area(*curves), *_rates(*curves)), strict=False):
            found[name] = Score(float(values[0]), values[1:], count)
    hits = _identified(pairs)
    if len(hits):
        owners = pairs.owners[pairs.asked]
        weights = drawn[:, owners]
        with np.errstate(invalid="ignore"):
            values = weights @ hits / weights.sum(axis=1)
        found["top1"] = Score(float(values[0]), values[1:], len(hits))
    return found


def mean_score(scores: list[Score]) -> Score:
    """The mean over sources, every source counting the same."""
    resampled = np.stack([one.resampled for one in scores])
    known = ~np.isnan(resampled)
    total, count = np.where(known, resampled, 0.0).sum(axis=0), known.sum(axis=0)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    value = float(np.mean([one.value for one in scores]))
    return Score(value, mean, sum(one.n for one in scores))


def gain(one: Score, other: Score) -> Score:
    """By how much one is above the other, in the same resamples."""
    return Score(one.value - other.value, one.resampled - other.resampled, one.n)


def _curves(pairs: Pairs, drawn: Floats) -> tuple[Floats, Floats]:
    """Genuine and impostor mass by rising similarity, each (resamples, bins), summing to 1."""
    counted = pairs.genuine | pairs.impostor
    edges = np.quantile(pairs.similarity[counted], np.linspace(0, 1, _BINS + 1)[1:-1])
    bins = np.searchsorted(edges, pairs.similarity, side="right")
    identities = drawn.shape[1]
    rows, columns = (np.broadcast_to(a, bins.shape) for a in
                     (pairs.owners[:, None], pairs.owners[None, :]))  # fmt: skip
    own = np.zeros((identities, _BINS))
    np.add.at(own, (rows[pairs.genuine], bins[pairs.genuine]), 1.0)
    other = np.zeros((identities, identities, _BINS))
    mask = pairs.impostor
    np.add.at(other, (rows[mask], columns[mask], bins[mask]), 1.0)
    genuine = drawn @ own
    half = (drawn @ other.reshape(identities, -1)).reshape(len(drawn), identities, _BINS)
    impostor = np.einsum("rb,rbk->rk", drawn, half)
    return _shares(genuine), _shares(impostor)


def _shares(mass: Floats) -> Floats:
    total = mass.sum(axis=1, keepdims=True)
    return np.divide(mass, total, out=np.full_like(mass, np.nan), where=total > 0)


def _area(genuine: Floats, impostor: Floats) -> Floats:
    below = np.cumsum(impostor, axis=1) - impostor / 2
    return (genuine * below).sum(axis=1)


def _rates(genuine: Floats, impostor: Floats) -> tuple[Floats, Floats]:
    """Equal error rate and true accepts at the allowed false accepts."""
    rejected = np.cumsum(genuine, axis=1) - genuine
    accepted = 1 - (np.cumsum(impostor, axis=1) - impostor)
    at = np.abs(rejected - accepted).argmin(axis=1)
    row = np.arange(len(at))
    equal = (rejected[row, at] + accepted[row, at]) / 2
    allowed = accepted <= _FALSE_ACCEPTS
    true = np.where(allowed, 1 - rejected, 0.0).max(axis=1)
    unknown = np.isnan(genuine[:, 0]) | np.isnan(impostor[:, 0])
    return np.where(unknown, np.nan, equal), np.where(unknown, np.nan, true)


def _identified(pairs: Pairs) -> Floats:
    """For each picture asked about, 1 if its nearest reference is its own, else 0."""
    allowed = pairs.references[:, None] & pairs.candidates
    masked = np.where(allowed, pairs.similarity, -np.inf)[:, pairs.asked]
    if masked.size == 0:
        return np.zeros(0)
    nearest = masked.argmax(axis=0)
    return (pairs.owners[nearest] == pairs.owners[pairs.asked]).astype(np.float64)
