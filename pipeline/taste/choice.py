"""A choice model: which of the pictures on a card is chosen, from features, place and the picture.

The liking of a picture is a linear function of its features, plus what the picture has of its own,
plus what its place on the card adds; a vote chooses each picture with the share that the softmax
of the likings gives it. That is the Plackett–Luce model for first choices with a ridge on its
items, fitted by Newton's method to the maximum of the posterior (Laplace's approximation).

Source:
    R. D. Luce, "Individual Choice Behavior", 1959; D. McFadden, "Conditional logit analysis of
    qualitative choice behavior", 1974; the approximation after D. MacKay, "The evidence framework
    applied to classification networks", 1992. ``tests/pipeline/test_taste_choice.py`` holds it
    against ``choix.opt_top1`` (L. Maystre), which has neither features, places nor weights.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.domain.taste import Floats

SLOTS = 4
_SLOT_SPREAD = 1.0
"""Prior standard deviation of what a place adds, in log-odds; a place may well count double."""
_STEPS, _HALVINGS, _CLOSE = 40, 12, 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Counted votes on P cards of up to four pictures.

    ``features`` (P, 4, d), ``shown`` (P, 4) says which places were filled, ``counts`` (P, 4) are
    the votes, which may be parts of one.
    """

    features: Floats
    shown: Floats
    counts: Floats


@dataclass(frozen=True, slots=True)
class Priors:
    """Prior standard deviations, in log-odds.

    ``named`` is that of the weights of the first ``names`` features, ``seen`` that of the others;
    ``own`` that of what a picture has beyond its features.
    """

    named: float
    seen: float
    own: float
    names: int


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The most probable model: ``weights`` (d,), ``slots`` (4,), ``own`` (P, 4).

    ``covariance`` is that of weights and slots together, (d + 4, d + 4); ``evidence`` the log
    probability of the votes under the priors, up to a constant.
    """

    weights: Floats
    slots: Floats
    own: Floats
    covariance: Floats
    evidence: float


def fit(choices: Choices, priors: Priors) -> Fitted:
    """The most probable weights, place effects and picture effects.

    Raises:
        ValueError: no card, or shapes that do not belong together.
    """
    cards, places, size = choices.features.shape
    if not cards or places != SLOTS or choices.counts.shape != (cards, SLOTS):
        raise ValueError("choices need features (P, 4, d) and counts (P, 4)")
    inputs = np.concatenate(
        [choices.features, np.broadcast_to(np.eye(SLOTS), (cards, SLOTS, SLOTS))], axis=2
    )
    inputs = inputs * choices.shown[..., None]
    spreads = np.concatenate(
        [
            np.full(priors.names, priors.named),
            np.full(size - priors.names, priors.seen),
            np.full(SLOTS, _SLOT_SPREAD),
        ]
    )
    problem = _Problem(inputs, choices.shown, choices.counts, spreads**-2.0, priors.own**-2.0)
    common, own = problem.solve()
    schur, inner = problem.curvature(common, own)
    evidence = (
        problem.objective(common, own)
        - 0.5 * np.linalg.slogdet(schur)[1]
        - 0.5 * np.linalg.slogdet(inner)[1].sum()
        + 0.5 * np.log(problem.precision).sum()
        + 0.5 * own.size * np.log(problem.own_precision)
    )
    covariance = np.linalg.inv(schur).astype(np.float64)
    return Fitted(common[:size], common[size:], own, covariance, float(evidence))


def shares(likings: Floats, shown: Floats) -> Floats:
    """The softmax of likings (…, 4) over the places that are filled."""
    shifted = np.where(shown > 0, likings, -np.inf)
    shifted = shifted - shifted.max(axis=-1, keepdims=True)
    parts = np.exp(shifted)
    return parts / parts.sum(axis=-1, keepdims=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """The posterior and its derivatives; picture effects are eliminated card by card."""

    inputs: Floats
    shown: Floats
    counts: Floats
    precision: Floats
    own_precision: float

    def objective(self, common: Floats, own: Floats) -> float:
        share = shares(self.inputs @ common + own, self.shown)
        likelihood = (self.counts * np.log(np.maximum(share, 1e-300))).sum()
        prior = (self.precision * common**2).sum() + self.own_precision * (own**2).sum()
        return float(likelihood - 0.5 * prior)

    def curvature(self, common: Floats, own: Floats) -> tuple[Floats, Floats]:
        """The negative Hessian: of what is common, after elimination, and of each card's own."""
        among, inner = self._blocks(common, own)
        less = among - among @ np.linalg.solve(inner, among)
        schur = np.einsum("pka,pkl,plb->ab", self.inputs, less, self.inputs)
        return schur + np.diag(self.precision), inner

    def solve(self) -> tuple[Floats, Floats]:
        common, own = np.zeros(self.inputs.shape[2]), np.zeros(self.counts.shape)
        best = self.objective(common, own)
        for _ in range(_STEPS):
            to_common, to_own = self._step(common, own)
            for halving in range(_HALVINGS):
                part = 0.5**halving
                value = self.objective(common + part * to_common, own + part * to_own)
                if value >= best:
                    break
            else:
                return common, own
            common, own = common + part * to_common, own + part * to_own
            if value - best < _CLOSE * (1 + abs(best)):
                return common, own
            best = value
        return common, own

    def _blocks(self, common: Floats, own: Floats) -> tuple[Floats, Floats]:
        share = shares(self.inputs @ common + own, self.shown)
        total = self.counts.sum(axis=1)[:, None, None]
        spread = share[:, :, None] * (np.eye(SLOTS) - share[:, None, :])
        among = total * spread
        return among, among + self.own_precision * np.eye(SLOTS)

    def _step(self, common: Floats, own: Floats) -> tuple[Floats, Floats]:
        share = shares(self.inputs @ common + own, self.shown)
        pull = self.counts - self.counts.sum(axis=1, keepdims=True) * share
        among, inner = self._blocks(common, own)
        own_pull = pull - self.own_precision * own
        solved = np.linalg.solve(inner, np.concatenate([among, own_pull[..., None]], axis=2))
        to_among, to_pull = solved[..., :SLOTS], solved[..., SLOTS]
        schur = np.einsum("pka,pkl,plb->ab", self.inputs, among - among @ to_among, self.inputs)
        schur += np.diag(self.precision)
        pulled = np.einsum("pka,pk->a", self.inputs, pull) - self.precision * common
        pulled -= np.einsum("pka,pkl,pl->a", self.inputs, among, to_pull)
        to_common = np.linalg.solve(schur, pulled)
        moved = np.einsum("pkl,pla,a->pk", to_among, self.inputs, to_common)
        return to_common, to_pull - moved
