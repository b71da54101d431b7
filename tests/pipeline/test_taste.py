"""What is learned from simulated communities whose likings are known."""

from dataclasses import replace

import numpy as np

from bot.bench.communities import (
    Community,
    against_the_series,
    with_brigade,
)
from pipeline.domain.taste import Ballot, Slate, Taste, Trait
from pipeline.taste.learning import fit_model, learn, slot_shares
from pipeline.taste.ranking import chances, is_clear, next_wins
from pipeline.taste.space import features
from pipeline.taste.voters import voters_of, weights_of


def community(seed: int = 1, **options) -> Community:
    return Community(np.random.default_rng(seed), **options)


def learned(seed: int = 1, panels: int = 60) -> tuple[Community, Taste]:
    people = community(seed)
    taste = learn(people.votes(panels)[0])
    assert taste is not None
    return people, taste


def test_too_few_votes_teach_nothing() -> None:
    slates, _ = community().votes(14)
    assert learn(slates) is None
    assert learn([replace(slate, ballots=slate.ballots[:1]) for slate in slates]) is None
    assert learn([]) is None


def test_it_foretells_what_a_community_likes_better_than_chance() -> None:
    people, taste = learned()
    assert taste.ready
    assert taste.held_out.log_loss < taste.held_out.random_log_loss
    cards = [people.card() for _ in range(80)]
    right = [
        chances(taste, [p.traits for p in card]).argmax() == np.argmax([p.liking for p in card])
        for card in cards
    ]
    assert np.mean(right) > 0.5  # 0.25 by chance, 0.69 by whoever knows all features


def test_votes_at_random_leave_it_not_ready() -> None:
    people = community()
    ready = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        slates = [
            Slate(
                s.panel_id, s.alternates, tuple(Ballot(n, int(rng.integers(4))) for n in range(8))
            )
            for s in people.votes(30)[0]
        ]
        taste = learn(slates)
        assert taste is not None
        ready.append(taste.ready)
    assert sum(ready) <= 1


def test_the_trait_that_decides_is_named_with_its_sign() -> None:
    people = community()
    people.weights[:] = 0
    people.weights[list(Trait).index(Trait.WARMTH)] = -1.5
    taste = learn(people.votes(60)[0])
    assert taste is not None
    first = taste.lessons[0]
    assert first.trait is Trait.WARMTH
    assert first.low < first.weight < first.high < 0


def test_the_place_on_the_card_is_told_from_the_pictures() -> None:
    people = community(slots=np.array([0.6, 0.0, 0.0, -0.3]))
    planted = np.exp(people.slots) / np.exp(people.slots).sum()
    found = slot_shares(fit_model(people.votes(250)[0]).fitted)
    assert np.abs([s.share for s in found] - planted).max() < 0.05
    assert found[0].low > 0.25 > found[3].high


def test_a_crowd_that_moves_as_one_counts_as_few_and_hardly_moves_the_order() -> None:
    people = community(3)
    slates, truth = people.votes(100)
    brigaded = with_brigade(people, slates, truth, against_the_series)
    weights = weights_of(voters_of(brigaded))
    assert weights[: people.voters].mean() > 0.8
    assert weights[people.voters :].sum() < 2.5  # ten people
    alone, together = fit_model(slates), fit_model(brigaded)
    moved = []
    for _ in range(60):
        card = [p.traits for p in people.card()]
        first, then = (features(m.space, card) @ m.fitted.weights for m in (alone, together))
        moved += [(first[i] > first[j]) != (then[i] > then[j]) for i in range(4) for j in range(i)]
    assert np.mean(moved) < 0.05


def test_whoever_clicks_at_random_counts_less_than_who_means_it() -> None:
    people = community(2, turnout=0.5)
    rng = np.random.default_rng(0)
    slates = [
        Slate(
            s.panel_id,
            s.alternates,
            tuple(b if b.voter else replace(b, choice=int(rng.integers(4))) for b in s.ballots),
        )
        for s in people.votes(80)[0]
    ]
    weights = weights_of(voters_of(slates))
    assert weights[0] < np.quantile(weights[1:], 0.1)


def test_the_next_picture_has_less_of_a_chance_against_a_good_one() -> None:
    people, taste = learned(panels=100)
    cards = sorted((people.card(2) for _ in range(60)), key=lambda c: max(p.liking for p in c))
    bad, good = ([p.traits for p in card] for card in (cards[0], cards[-1]))
    assert next_wins(taste, good) < next_wins(taste, bad)
    assert is_clear(taste, good)
    assert not is_clear(taste, good[:1]), "people always have a choice of two"
    assert abs(chances(taste, good).sum() - 1) < 1e-9


def test_vectors_of_another_encoder_are_not_compared() -> None:
    people, taste = learned()
    card = [p.traits for p in people.card()]
    strange = [replace(t, source="another", vector=np.ones(3, np.float32)) for t in card]
    assert chances(taste, strange).shape == (4,)
    slates, _ = people.votes(30)
    mixed = [replace(s, alternates=(replace(s.alternates[0], source="x"), *s.alternates[1:]))
             for s in slates[:10]]  # fmt: skip
    found = learn([*mixed, *slates[10:]])
    assert found is not None
    assert found.panels == 20
