"""From closed votes to a taste, and an honest word on how well it foretells votes it never saw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.domain.taste import (
    Floats,
    HeldOut,
    Lesson,
    Slate,
    SlotShare,
    Space,
    Taste,
    Trait,
)
from pipeline.taste.choice import SLOTS, Choices, Fitted, Priors, fit, shares
from pipeline.taste.space import common_source, features, space_of
from pipeline.taste.voters import counts_of, voters_of, weights_of

LEAST_PANELS, LEAST_BALLOTS = 15, 40
"""Before so many votes nothing is guessed. Source: ``onmodel bench taste``, learning curve."""
_OWN, _NAMED, _SEEN = (0.2, 0.4, 0.7, 1.1), (0.1, 0.3, 0.7), (0.1, 0.4, 1.0)
_FOLDS, _DRAWS = 5, 64
_NINETY = 1.645
_DOUBTED = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A fitted choice model with its features, its priors, and how much each voter counts."""

    space: Space
    fitted: Fitted
    priors: Priors
    voter_weights: Floats


def learn(slates: Sequence[Slate]) -> Taste | None:
    """Learn what a series likes.

    Args:
        slates: closed votes in the order in which they were opened; those without ballots, with
            one alternate, or whose pictures another encoder has looked at teach nothing.

    Returns:
        The taste; None before there is enough to learn from. ``ready`` says whether it foretells
        held-out votes better than a guess does; nothing should be done with one that is not.
    """
    usable = usable_slates(slates)
    ballots = sum(len(slate.ballots) for slate in usable)
    if len(usable) < LEAST_PANELS or ballots < LEAST_BALLOTS:
        return None
    model = fit_model(usable)
    held_out = _held_out(usable, model.priors)
    size = len(model.fitted.weights)
    liking = [features(model.space, slate.alternates) @ model.fitted.weights for slate in usable]
    took_part = len({b.voter for slate in usable for b in slate.ballots})
    return Taste(
        space=model.space,
        weights=model.fitted.weights,
        covariance=model.fitted.covariance[:size, :size],
        own=model.priors.own,
        within=float(np.mean([one.var(ddof=1) for one in liking])),
        between=float(np.var([one.mean() for one in liking])),
        panels=len(usable),
        ballots=ballots,
        voters=took_part,
        doubted=int((model.voter_weights < _DOUBTED).sum()),
        slots=slot_shares(model.fitted),
        lessons=_lessons(model.fitted),
        held_out=held_out,
        ready=held_out.gain_low > 0,
    )


def usable_slates(slates: Sequence[Slate]) -> list[Slate]:
    """Those that something can be learned from."""
    source = common_source([slate for slate in slates if slate.ballots])
    return [
        slate
        for slate in slates
        if slate.ballots
        and 2 <= len(slate.alternates) <= SLOTS
        and all(one.source == source for one in slate.alternates)
    ]


def fit_model(
    slates: Sequence[Slate], priors: Priors | None = None, *, weigh_voters: bool = True
) -> Model:
    """Weigh the voters and fit; priors that are not given are the most probable of a grid."""
    space = space_of(slates)
    voters = voters_of(slates)
    weights = weights_of(voters) if weigh_voters else np.ones(len(voters.chosen))
    choices = _choices(space, slates, counts_of(voters, weights))
    if priors is None:
        priors = _most_probable(choices)
    return Model(space, fit(choices, priors), priors, weights)


def _most_probable(choices: Choices) -> Priors:
    """Priors of the largest evidence, found one after the other."""
    best = Priors(_NAMED[1], _SEEN[1], _OWN[1], len(Trait))
    for name, values in (("own", _OWN), ("named", _NAMED), ("seen", _SEEN)):
        tried = [replace(best, **{name: value}) for value in values]
        best = max(tried, key=lambda one: fit(choices, one).evidence)
    return best


def slot_shares(fitted: Fitted) -> tuple[SlotShare, ...]:
    """What each of four places gets among equal pictures.

    Source: the delta method on the softmax of the place effects.
    """
    share = shares(fitted.slots, np.ones(SLOTS))
    turn = np.diag(share) - np.outer(share, share)
    spread = np.sqrt(np.diag(turn @ fitted.covariance[-SLOTS:, -SLOTS:] @ turn))
    return tuple(
        SlotShare(float(s), float(max(0, s - _NINETY * d)), float(min(1, s + _NINETY * d)))
        for s, d in zip(share, spread, strict=True)
    )


def _choices(space: Space, slates: Sequence[Slate], counts: Floats) -> Choices:
    size = len(Trait) + space.axes.shape[1]
    inputs, shown = np.zeros((len(slates), SLOTS, size)), np.zeros((len(slates), SLOTS))
    for row, slate in enumerate(slates):
        inputs[row, : len(slate.alternates)] = features(space, slate.alternates)
        shown[row, : len(slate.alternates)] = 1
    return Choices(inputs, shown, counts)


def _lessons(fitted: Fitted) -> tuple[Lesson, ...]:
    spread = np.sqrt(np.diag(fitted.covariance))
    found = [
        Lesson(
            trait,
            float(fitted.weights[k]),
            float(fitted.weights[k] - _NINETY * spread[k]),
            float(fitted.weights[k] + _NINETY * spread[k]),
        )
        for k, trait in enumerate(Trait)
    ]
    return tuple(sorted(found, key=lambda one: -abs(one.weight)))


def _held_out(slates: Sequence[Slate], priors: Priors) -> HeldOut:
    """Cross-validation by panel: votes of a fold are foretold by what the other folds teach."""
    losses, gains, right, chance = [], [], 0, 0.0
    rng = np.random.default_rng(3)
    fold = rng.permutation(len(slates)) % _FOLDS
    for part in range(_FOLDS):
        train = [slate for slate, mine in zip(slates, fold, strict=True) if mine != part]
        model = fit_model(train, priors)
        for slate in (s for s, mine in zip(slates, fold, strict=True) if mine == part):
            share = expected_shares(model, slate, rng)
            cast = np.bincount([b.choice for b in slate.ballots], minlength=len(share))
            random = np.log(len(share))
            loss = -np.log(np.maximum(share, 1e-9))
            losses += [(float(loss[b.choice]), float(random)) for b in slate.ballots]
            gains.append(random - float((cast * loss).sum() / cast.sum()))
            winners = np.flatnonzero(cast == cast.max())
            right += int(share.argmax() in winners)
            chance += len(winners) / len(share)
    log_loss, random_log_loss = np.mean(losses, axis=0)
    low = np.mean(gains) - np.std(gains) / np.sqrt(len(gains))  # a panel's votes go together
    return HeldOut(
        len(slates), right, float(chance), float(log_loss), float(random_log_loss), float(low)
    )


def expected_shares(model: Model, slate: Slate, rng: np.random.Generator) -> Floats:
    """The share of votes that each alternate of a card may expect in its place, (k,)."""
    rows = features(model.space, slate.alternates)
    size = len(model.fitted.weights)
    both = np.hstack([rows, np.eye(SLOTS)[: len(rows)]])
    centre = np.concatenate([model.fitted.weights, model.fitted.slots])
    root = np.linalg.cholesky(model.fitted.covariance)
    drawn = centre + rng.normal(size=(_DRAWS, size + SLOTS)) @ root.T
    likings = drawn @ both.T + model.priors.own * rng.normal(size=(_DRAWS, len(rows)))
    return shares(likings, np.ones(len(rows))).mean(axis=0)
