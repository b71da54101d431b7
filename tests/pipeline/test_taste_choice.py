"""The choice model against choix, against what it has to recover, and against bad input."""

import choix
import numpy as np
import pytest

from pipeline.taste.choice import SLOTS, Choices, Priors, fit, shares


def one_hot(cards: int, items: int, rng: np.random.Generator) -> tuple[Choices, list]:
    """Cards with items that come back, each with a feature of its own, and choix's form of it."""
    true = rng.normal(size=items)
    inputs, counts = np.zeros((cards, SLOTS, items)), np.zeros((cards, SLOTS))
    data = []
    for card in range(cards):
        shown = rng.choice(items, SLOTS, replace=False)
        inputs[card, range(SLOTS), shown] = 1
        for _ in range(3):
            first = int((true[shown] + rng.gumbel(size=SLOTS)).argmax())
            counts[card, first] += 1
            data.append((int(shown[first]), [int(s) for k, s in enumerate(shown) if k != first]))
    return Choices(inputs, np.ones((cards, SLOTS)), counts), data


def test_without_places_and_parts_of_their_own_it_is_choix() -> None:
    choices, data = one_hot(150, 10, np.random.default_rng(1))
    # one card in all four rotations: what a place adds cancels out
    turned = Choices(
        np.concatenate([np.roll(choices.features, k, axis=1) for k in range(SLOTS)]),
        np.ones((150 * SLOTS, SLOTS)),
        np.concatenate([np.roll(choices.counts, k, axis=1) for k in range(SLOTS)]) / SLOTS,
    )
    ours = fit(turned, Priors(named=2.0, seen=2.0, own=1e-3, names=10)).weights
    theirs = choix.opt_top1(10, data, alpha=1 / (2 * 2.0**2))  # it leaves the half out
    assert np.abs(ours - ours.mean() - (theirs - theirs.mean())).max() < 1e-3


def test_the_posterior_does_not_fall_with_the_priors_it_was_drawn_from() -> None:
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(200, SLOTS, 3))
    own = 0.7 * rng.normal(size=(200, SLOTS))
    likings = inputs @ np.array([0.8, -0.4, 0.0]) + own
    counts = np.zeros((200, SLOTS))
    for _ in range(6):
        chosen = (likings + rng.gumbel(size=likings.shape)).argmax(axis=1)
        counts[np.arange(200), chosen] += 1
    choices = Choices(inputs, np.ones((200, SLOTS)), counts)
    evidence = {o: fit(choices, Priors(0.7, 0.7, o, 3)).evidence for o in (0.1, 0.7, 3.0)}
    assert max(evidence, key=lambda o: evidence[o]) == 0.7
    found = fit(choices, Priors(0.7, 0.7, 0.7, 3))
    spread = np.sqrt(np.diag(found.covariance))[:3]
    assert (np.abs(found.weights - [0.8, -0.4, 0.0]) < 3 * spread).all()


def test_places_that_are_not_filled_get_nothing() -> None:
    shown = np.array([[1.0, 1.0, 0.0, 0.0]])
    found = fit(
        Choices(np.zeros((1, SLOTS, 1)), shown, np.array([[3.0, 1.0, 0.0, 0.0]])),
        Priors(1.0, 1.0, 1.0, 1),
    )
    assert found.slots[2] == found.slots[3] == 0
    assert shares(found.slots, shown[0])[2:].sum() == 0


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="P, 4"):
        fit(Choices(np.zeros((0, SLOTS, 1)), np.ones((0, 4)), np.ones((0, 4))), Priors(1, 1, 1, 1))
