"""``onmodel bench taste``: what is learned from simulated votes, and what that is good for.

The communities are simulated (:mod:`bot.bench.communities` states the assumptions), so that what
they really like is known. Intervals are over communities: 95 %, by bootstrap. Pictures on which
anything is measured were never voted on.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import NormalDist
from typing import Literal

import numpy as np

from bot.bench.communities import PLOTS, SLOTS, Community, Picture, slate_of, with_brigade
from bot.bench.figures import Figure, publish
from pipeline.domain.taste import Floats, Slate, Taste, Trait, Traits
from pipeline.taste.learning import Model, expected_shares, fit_model, learn, slot_shares
from pipeline.taste.ranking import LEAST_SHOWN, chances, is_clear
from pipeline.taste.space import features

_PANELS, _CARDS = 120, 100
_ACCEPTED = (0.3, 0.5)
"""Shares of all pictures that would be good enough for a community."""
_PLANTED = np.array([0.6, 0.0, 0.0, -0.3])
_MOST_ROUNDS = 50
_NEIGHBOURS = 15
_RANDOM = "a guess"

Card = list[Picture]


def bench_taste(communities: int = 12, json_file: Path | None = None) -> int:
    """Measure, print, and write the figures; returns 0."""
    seeds = range(communities)
    figures = [
        *_curve(seeds),
        *_foretold(seeds),
        *_spared(seeds),
        *_brigades(seeds),
        *_places(seeds),
    ]
    publish(figures, json_file)
    return 0


def _learned(seed: int, panels: int = _PANELS) -> tuple[Community, list[Slate], Taste]:
    people = Community(np.random.default_rng(seed))
    slates, _ = people.votes(panels)
    taste = learn(slates)
    assert taste is not None, "more votes than it takes"
    return people, slates, taste


def _curve(seeds: Sequence[int]) -> list[Figure]:
    """How often the picture that is liked best is ranked first, by the number of closed votes."""
    figures = []
    for panels in (15, 30, 60, 120, 240):
        right, sure, ready = [], [], []
        for seed in seeds:
            people, _, taste = _learned(seed, panels)
            cards = [people.card() for _ in range(_CARDS)]
            found = [chances(taste, _traits(card)) for card in cards]
            hits = [f.argmax() == _best(card) for f, card in zip(found, cards, strict=True)]
            right.append(np.mean(hits))
            sure.append(np.mean([f.max() for f in found]))
            ready.append(float(taste.ready))
        name = f"taste.best_first.panels_{panels}"
        figures.append(_figure(name, right, "share", "higher", None, f"{_RANDOM}: 0.25"))
        figures.append(_figure(f"{name}.said", sure, "share", "higher", None,
                               f"what was right: {np.mean(right):.3f}"))  # fmt: skip
        figures.append(_figure(f"{name}.in_use", ready, "share", "higher"))
    return figures


def _foretold(seeds: Sequence[int]) -> list[Figure]:
    """New votes: log-loss and winners, against a guess, today's order and a mean score."""
    losses: dict[str, list[float]] = {"ours": [], "random": [], "oracle": []}
    right: dict[str, list[float]] = {"ours": [], "likeness": [], "mean_score": [], "oracle": []}
    strengths: dict[str, list[float]] = {"ours": [], "choix": []}
    for seed in seeds:
        people = Community(np.random.default_rng(seed))
        slates, truth = people.votes(_PANELS)
        model, rng = fit_model(slates), np.random.default_rng(9)
        mean_score = _mean_score(slates)
        loss: dict[str, list[float]] = {name: [] for name in losses}
        hit: dict[str, list[float]] = {name: [] for name in right}
        for card in [people.card() for _ in range(_CARDS)]:
            ballots = people.ballots(card, people.turn_out() or [0])
            known = np.array([p.features @ people.weights for p in card])
            share = {
                "ours": expected_shares(model, slate_of(0, card, []), rng),
                "random": np.full(len(card), 1 / len(card)),
                "oracle": np.exp(known) / np.exp(known).sum(),
            }
            for name, expected in share.items():
                loss[name] += [-float(np.log(expected[b.choice])) for b in ballots]
            cast = np.bincount([b.choice for b in ballots], minlength=len(card))
            orders = {
                "ours": share["ours"],
                "oracle": known,
                "likeness": np.array([p.traits.named[Trait.LIKENESS] for p in card]),
                "mean_score": np.array([mean_score(p) for p in card]),
            }
            for name, order in orders.items():
                hit[name].append(float(cast[int(order.argmax())] == cast.max()))
        for name in losses:
            losses[name].append(float(np.mean(loss[name])))
        for name in right:
            right[name].append(float(np.mean(hit[name])))
        for name, value in _strengths(model, slates, truth).items():
            strengths[name].append(value)
    guess, known = np.mean(losses["random"]), np.mean(losses["oracle"])
    peers = {
        "likeness": "the order of the check's likeness",
        "mean_score": f"the mean score of the {_NEIGHBOURS} most similar pictures",
    }
    return [
        _figure("taste.log_loss", losses["ours"], "nats", "lower", None,
                f"{_RANDOM}: {guess:.3f}; whoever knows all features: {known:.3f}"),
        *(
            _figure(f"taste.winner.over_{name}",
                    list(np.array(right["ours"]) - np.array(right[name])), "share", "higher", 0.0,
                    f"{peers[name]}: {np.mean(right[name]):.3f}")
            for name in peers
        ),
        _figure("taste.winner", right["ours"], "share", "higher", None,
                f"whoever knows all features: {np.mean(right['oracle']):.3f}"),
        _figure("taste.strength.correlation", strengths["ours"], "r", "higher", None,
                f"choix.opt_top1, which sees no features: {np.mean(strengths['choix']):.3f}"),
    ]  # fmt: skip


def _strengths(
    model: Model, slates: Sequence[Slate], truth: Sequence[Sequence[Picture]]
) -> dict[str, float]:
    """How well the likings of pictures that were voted on are recovered, within their cards."""
    import choix

    data, row = [], 0
    for slate in slates:
        rows = list(range(row, row + len(slate.alternates)))
        row += len(rows)
        data += [(rows[b.choice], [r for r in rows if r != rows[b.choice]]) for b in slate.ballots]
    theirs = choix.opt_top1(row, data, alpha=1.0)
    ours = np.concatenate(
        [
            features(model.space, slate.alternates) @ model.fitted.weights
            + model.fitted.own[card, : len(slate.alternates)]
            for card, slate in enumerate(slates)
        ]
    )
    true = np.array([p.liking for card in truth for p in card])
    cards = np.repeat(np.arange(len(slates)), [len(s.alternates) for s in slates])

    def within(values: Floats) -> Floats:
        means = np.bincount(cards, values) / np.bincount(cards)
        return values - means[cards]

    return {
        name: float(np.corrcoef(within(found), within(true))[0, 1])
        for name, found in (("ours", ours), ("choix", theirs))
    }


def _mean_score(slates: Sequence[Slate]) -> Callable[[Picture], float]:
    """What a picture's nearest neighbours among those voted on got on average, over their share."""
    scores, places = [], []
    for slate in slates:
        if slate.ballots:
            cast = np.bincount([b.choice for b in slate.ballots], minlength=len(slate.alternates))
            scores += list(cast / cast.sum() - 1 / len(cast))
            places += [_place(one.named, one.vector) for one in slate.alternates]
    where, got = np.array(places), np.array(scores)

    def score(picture: Picture) -> float:
        away = ((where - _place(picture.traits.named, picture.traits.vector)) ** 2).sum(axis=1)
        return float(got[np.argsort(away)[:_NEIGHBOURS]].mean())

    return score


def _place(named: object, vector: Floats | np.ndarray) -> Floats:
    assert isinstance(named, dict)
    return np.concatenate([[named[trait] for trait in Trait], np.sqrt(8) * np.asarray(vector)])


# --- fewer alternates -----------------------------------------------------------------------------


def _spared(seeds: Sequence[int]) -> list[Figure]:
    """Alternates until a community accepts a panel, against four at a time, rerolled until then."""
    figures = []
    for accepted in _ACCEPTED:
        saved, cost, blind, blind_cost = [], [], [], []
        for seed in seeds:
            people, _, taste = _learned(seed)
            sd = float(np.sqrt((people.weights**2).sum() + people.own**2))
            bar = sd * NormalDist().inv_cdf(1 - accepted)
            whole = _until_accepted(people, bar, lambda _: False)
            ours = _until_accepted(people, bar, partial(_clear, taste))
            # as often as taste stops, but by the dice
            dice = _until_accepted(people, bar, partial(_dice, _stops(people, taste), people))
            saved.append(1 - ours[0] / whole[0])
            blind.append(1 - dice[0] / whole[0])
            cost.append((ours[1] - whole[1]) / sd)
            blind_cost.append((dice[1] - whole[1]) / sd)
        name = f"taste.alternates_saved.good_enough_{accepted:.2f}"
        peer = f"four at a time; stopping by the dice as often: {np.mean(blind):.3f}"
        figures.append(_figure(name, saved, "share", "higher", 0.3, peer))
        peer = f"four at a time; stopping by the dice: {np.mean(blind_cost):.3f}"
        figures.append(_figure(f"{name}.liking", cost, "sd", "higher", None, peer))
    return figures


def _clear(taste: Taste, card: Card) -> bool:
    return is_clear(taste, _traits(card))


def _dice(chance: float, people: Community, _card: Card) -> bool:
    return bool(people.rng.random() < chance)


def _stops(people: Community, taste: Taste) -> float:
    """How often taste stops where it may."""
    asked = [people.card()[:size] for _ in range(60) for size in range(LEAST_SHOWN, SLOTS)]
    return float(np.mean([_clear(taste, card) for card in asked]))


def _until_accepted(
    people: Community, bar: float, enough: Callable[[Card], bool]
) -> tuple[float, float]:
    """Mean alternates until the winner of a vote is liked as much as ``bar``, and its liking."""
    rounds = [_rounds(people, bar, enough) for _ in range(_CARDS)]
    return float(np.mean([used for used, _ in rounds])), float(np.mean([won for _, won in rounds]))


def _rounds(people: Community, bar: float, enough: Callable[[Card], bool]) -> tuple[int, float]:
    """Cards for one panel until its winner is good enough: alternates, and how it is liked."""
    used, won = 0, -np.inf
    for _ in range(_MOST_ROUNDS):
        card = [people.picture(), people.picture()]
        while len(card) < SLOTS and not enough(card):
            card.append(people.picture())
        used += len(card)
        ballots = people.ballots(card, people.turn_out() or [0])
        cast = np.bincount([b.choice for b in ballots], minlength=len(card))
        won = card[int(cast.argmax())].liking
        if won >= bar:
            break
    return used, won


# --- brigades and places --------------------------------------------------------------------------


def _brigades(seeds: Sequence[int]) -> list[Figure]:
    """Pairs of new alternates whose order 20 % colluding voters turn round, against counting all.

    The honest votes are the same ones with and without the brigade.
    """
    figures = []
    for name, plot in PLOTS.items():
        for honest in (0.0, 0.5):
            ours, plain = [], []
            for seed in seeds:
                people = Community(np.random.default_rng(seed))
                slates, truth = people.votes(_PANELS)
                cards = [people.card() for _ in range(_CARDS)]
                brigaded = with_brigade(people, slates, truth, plot, honest=honest)
                for found, weigh in ((ours, True), (plain, False)):
                    before, after = (
                        _orders(fit_model(votes, weigh_voters=weigh), cards)
                        for votes in (slates, brigaded)
                    )
                    found.append(float((before != after).mean()))
            hidden = ".half_hidden" if honest else ""
            figures.append(_figure(f"taste.brigade.{name}{hidden}", ours, "share", "lower", 0.05,
                                   f"every vote counted alike: {np.mean(plain):.3f}"))  # fmt: skip
    return figures


def _orders(model: Model, cards: Sequence[Card]) -> np.ndarray:
    """Of every pair on every card, whether the first is liked better."""
    found = []
    for card in cards:
        liking = features(model.space, _traits(card)) @ model.fitted.weights
        found += [liking[i] > liking[j] for i in range(len(card)) for j in range(i)]
    return np.array(found)


def _places(seeds: Sequence[int]) -> list[Figure]:
    """The largest error of a place's share when the first place is planted to be chosen oftener."""
    planted = np.exp(_PLANTED) / np.exp(_PLANTED).sum()
    errors, covered, counted = [], [], []
    for seed in seeds:
        people = Community(np.random.default_rng(seed), slots=_PLANTED)
        slates, _ = people.votes(300)
        found = slot_shares(fit_model(slates).fitted)
        errors.append(float(np.abs([s.share for s in found] - planted).max()))
        covered += [float(s.low <= true <= s.high) for s, true in zip(found, planted, strict=True)]
        cast = np.bincount([b.choice for s in slates for b in s.ballots], minlength=SLOTS)
        counted.append(float(np.abs(cast / cast.sum() - planted).max()))
    return [
        _figure("taste.place.error", errors, "share", "lower", 0.05,
                f"counting votes by place: {np.mean(counted):.3f}"),
        _figure("taste.place.covered_90", covered, "share", "higher", 0.9),
    ]  # fmt: skip


# --- inside ---------------------------------------------------------------------------------------


def _traits(card: Sequence[Picture]) -> list[Traits]:
    return [picture.traits for picture in card]


def _best(card: Card) -> int:
    return int(np.argmax([picture.liking for picture in card]))


def _figure(
    name: str,
    values: Sequence[float],
    unit: str,
    better: Literal["higher", "lower"],
    target: float | None = None,
    peer: str | None = None,
) -> Figure:
    array = np.asarray(values, float)
    rng = np.random.default_rng(5)
    means = array[rng.integers(0, len(array), (1000, len(array)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Figure(name, float(array.mean()), unit, better, target, peer, len(array),
                  (float(low), float(high)))  # fmt: skip
