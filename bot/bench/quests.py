"""``onmodel bench quests``: are pictures that quests ask for worth more than any pictures?

Each person begins with four references of one view. Panels ask for views as often as that person's
readers like (a Dirichlet draw); a perfect engine answers with the person's own drawings that nobody
registered, and a try fails where the check does not call it on-model. So what is measured is how
far coverage spares tries of the *check*; what a real engine draws worse without a reference comes
on top and is not in here. From these panels quests are estimated as in the studio. Then three
studios get the same panels to come: one as it was, one with ``K`` pictures that quests asked for,
one with ``K`` pictures at random.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.bench.figures import Figure, publish
from bot.bench.quest_art import Bench, Person, read_people
from pipeline.domain.quest import View
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.registry import load_encoders
from pipeline.retrieval.quests import PastPanel, savings, shows

K = 3
"""Pictures that each studio gets."""
_START = 4
_PAST, _FUTURE = 40, 120
_TRIES = 3
_SPREAD = 0.7  # of the Dirichlet draw: some views are asked for often, many hardly ever
_ROUNDS = 4
_RESAMPLES = 2000
_LESS = 0.4  # the goal: so much less than with random pictures


@dataclass(slots=True)
class Cast:
    """One person in one round: the check, what may become a reference, what panels ask for."""

    person: Person
    bench: Bench
    shelf: list[int]
    pool: dict[View, list[int]]
    wishes: list[View]
    weights: np.ndarray
    held: frozenset[int]

    def views(self, held: frozenset[int]) -> list[View]:
        """What references show."""
        return [self.person.drawings[n].view for n in held]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a person's panels to come, in the three studios; and of the first quest."""

    identity: str
    missed: tuple[int, int, int]
    failed: tuple[int, int, int]
    predicted: float
    saved: float


def bench_quests(
    data: Path, identities: int = 0, json_file: Path | None = None, encoders: str | None = None
) -> int:
    """Measure, print, write; returns 0.

    Args:
        data: a bench folder with its manifest.
        identities: of each source at most so many, 0 for all.
        json_file: where the figures go, or None.
        encoders: comma-separated names, None for the default ones.
    """
    loaded = load_encoders(encoders.split(",") if encoders else ("house", "palette"))
    outcomes = simulate(data, loaded, identities)
    publish(figures_of(outcomes), json_file)
    return 0


def simulate(data: Path, encoders: Sequence[Encoder], identities: int) -> list[Outcome]:
    """All rounds of all people, source by source: a source is a guild."""
    outcomes = []
    for source, people in read_people(data, encoders, identities).items():
        benches = [Bench(person, encoders) for person in people]
        for number in range(_ROUNDS):
            rng = np.random.default_rng([number, len(source)])
            casts = [c for p, b in zip(people, benches, strict=True) if (c := _cast(p, b, rng))]
            past = [one for cast in casts for one in _panels(cast, cast.held, _PAST, rng)]
            outcomes += [_outcome(cast, past, rng) for cast in casts]
    return outcomes


def figures_of(outcomes: Sequence[Outcome]) -> list[Figure]:
    """Misses and failed tries as ratios to random pictures, and how well savings were foretold."""
    missed, failed = (
        np.array([getattr(o, name) for o in outcomes], float) for name in ("missed", "failed")
    )
    groups = np.array([o.identity for o in outcomes])
    told = np.array([(o.predicted, o.saved) for o in outcomes])
    count, panels = len(outcomes), len(outcomes) * _FUTURE
    figures = [
        Figure(
            f"quests.{name}.less", _less(rows), "ratio", "higher", _LESS, f"{K} random pictures",
            panels, _interval(lambda chosen, r=rows: _less(r[chosen]), groups),
        )
        for name, rows in (("misses", missed), ("retries", failed))
    ]  # fmt: skip
    figures += [
        Figure(
            f"quests.{name}.per_panel.{studio}", float(rows[:, n].sum() / panels), "count", "lower",
            n=panels,
        )
        for name, rows in (("misses", missed), ("retries", failed))
        for n, studio in enumerate(("before", "quests", "random"))
    ]  # fmt: skip
    return [
        *figures,
        Figure(
            "quests.calibration.slope", _slope(told), "ratio", "higher", 0.8,
            "savings foretold (0.8 to 1.2)", count,
            _interval(lambda chosen: _slope(told[chosen]), groups),
        ),
        Figure(
            "quests.calibration.sum", float(told[:, 1].sum() / max(told[:, 0].sum(), 1e-9)),
            "ratio", "higher", n=count, peer="savings foretold",
        ),
    ]  # fmt: skip


def _cast(person: Person, bench: Bench, rng: np.random.Generator) -> Cast | None:
    """Half of each view's drawings can become references, the other half is what is drawn."""
    shelf, pool = [], {}
    for view in sorted({d.view for d in person.drawings}, key=lambda v: v.key):
        own = [n for n, d in enumerate(person.drawings) if d.view == view]
        rng.shuffle(own)
        if len(own) >= 2:
            shelf += own[: len(own) // 2]
            pool[view] = own[len(own) // 2 :]
    first = Counter(person.drawings[n].view for n in shelf).most_common()
    ordered = [n for view, _ in first for n in shelf if person.drawings[n].view == view]
    if len(pool) < 2 or len(shelf) < _START + K:
        return None
    wishes = list(pool)
    weights = rng.dirichlet([_SPREAD] * len(wishes))
    return Cast(person, bench, shelf, pool, wishes, weights, frozenset(ordered[:_START]))


def _panels(
    cast: Cast, held: frozenset[int], count: int, rng: np.random.Generator
) -> list[PastPanel]:
    """Panels as the studio remembers them."""
    views = cast.views(held)
    panels = []
    for place in rng.choice(len(cast.wishes), count, p=cast.weights):
        wish = cast.wishes[place]
        failed = 0
        for drawing in rng.choice(cast.pool[wish], _TRIES):
            if cast.bench.passes(held, int(drawing)):
                break
            failed += 1
        shown = any(shows(view, wish) for view in views)
        panels.append(PastPanel(cast.person.identity, wish, failed, shown))
    return panels


def _outcome(cast: Cast, past: Sequence[PastPanel], rng: np.random.Generator) -> Outcome:
    asked, predicted = _asked_for(cast, past)
    left = [n for n in cast.shelf if n not in cast.held]
    any_three = frozenset(int(n) for n in rng.choice(left, K, replace=False))
    seed = int(rng.integers(2**32))

    def to_come(more: frozenset[int]) -> tuple[int, int]:
        panels = _panels(cast, cast.held | more, _FUTURE, np.random.default_rng(seed))
        return sum(not p.shown for p in panels), sum(p.failed for p in panels)

    studios = [to_come(more) for more in (frozenset[int](), frozenset(asked), any_three)]
    one = to_come(frozenset(asked[:1]))
    missed, failed = zip(*studios, strict=True)
    scale = _FUTURE / _PAST
    return Outcome(
        cast.person.identity, missed, failed, predicted * scale, float(failed[0] - one[1])
    )


def _asked_for(cast: Cast, past: Sequence[PastPanel]) -> tuple[list[int], float]:
    """The drawings that artists deliver for ``K`` quests, one after another; the first saving."""
    held, asked, first = cast.held, [], 0.0
    for number in range(K):
        left = [n for n in cast.shelf if n not in held]
        found = savings(past, cast.person.identity, cast.views(held))
        ranked = sorted(found, key=lambda view: -found[view].tries)
        fits = (n for view in ranked for n in left if shows(cast.person.drawings[n].view, view))
        chosen = next(fits, left[0])
        view = cast.person.drawings[chosen].view
        if number == 0:
            met = [found[v].tries for v in ranked if shows(view, v)]
            first = max(met, default=0.0)
        held |= {chosen}
        asked.append(chosen)
    return asked, first


def _less(rows: np.ndarray) -> float:
    """How much less there is with quests than with random pictures."""
    return float(1 - rows[:, 1].sum() / max(rows[:, 2].sum(), 1e-9))


def _slope(told: np.ndarray) -> float:
    """The slope of what was saved over what was foretold, by least squares with an intercept."""
    x, y = told[:, 0], told[:, 1]
    spread = float(((x - x.mean()) ** 2).sum())
    return float(((x - x.mean()) * (y - y.mean())).sum() / spread) if spread else 0.0


def _interval(statistic, groups: np.ndarray) -> tuple[float, float]:
    """95 % by resampling people, whose rounds belong together."""
    rng = np.random.default_rng(7)
    names = np.unique(groups)
    rows = {name: np.flatnonzero(groups == name) for name in names}
    values = [
        statistic(np.concatenate([rows[n] for n in rng.choice(names, len(names))]))
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
