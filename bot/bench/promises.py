"""Does the promise hold? Learned limits on simulated and on drawn identities, and the audit's work.

Peers in the same run: one limit for everybody (the best one there is, chosen on the very pictures
that it is measured on, which favours it), and a gate that learns without a blind audit.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bot.bench.art import CLEAN, Examined
from bot.bench.figures import Figure
from bot.bench.gate import false_flags, run_gate, stream, verdict
from pipeline.quality.conformal import ALPHAS, flag_limit, verdicts_needed

_CHARACTERS, _PANELS = 400, 400
_ROUNDS = 20
_SLACK = 0.02
"""What is allowed over alpha. Source: the target of this bench."""
_FIXED = "one limit for all, the best at as many false flags"
_BLIND = "the same gate without audit"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Subject:
    """Someone's good and bad scores."""

    good: Floats
    bad: Floats


def measure_promises(examined: Sequence[Examined] | None) -> list[Figure]:
    """Figures of the learned limits; those on art only where ``examined`` is given."""
    rng = np.random.default_rng(11)
    figures: list[Figure] = []
    for alpha in ALPHAS:
        figures += _simulated(alpha, rng)
        if examined is not None:
            figures += _drawn(alpha, examined, rng)
    return [*figures, *_audit(rng)]


# --- simulated identities -------------------------------------------------------------------------


def _simulated(alpha: float, rng: np.random.Generator) -> list[Figure]:
    """Everybody learns from as many own verdicts as the promise takes."""
    flags, misses, everyone = [], [], []
    for _ in range(_CHARACTERS):
        subject, level, spread = _character(rng)
        known = rng.choice(subject.good, verdicts_needed(alpha), replace=False)
        limit = flag_limit([verdict(score) for score in known], alpha)
        assert limit is not None, "as many verdicts as it takes"
        flags.append(NormalDist(level, spread).cdf(limit))
        misses.append(float((subject.bad >= limit).mean()))
        everyone.append(subject)
    return _figures(f"simulated.alpha_{alpha:.2f}", alpha, flags, misses, everyone)


def _character(rng: np.random.Generator) -> tuple[_Subject, float, float]:
    """Raw similarities of a character with its own level and spread of good panels."""
    level, spread = rng.normal(0.75, 0.08), rng.uniform(0.02, 0.06)
    good = rng.normal(level, spread, _PANELS)
    bad = rng.normal(level - rng.uniform(0.06, 0.25), rng.uniform(1.0, 1.5) * spread, _PANELS)
    return _Subject(good, bad), level, spread


# --- drawn identities -----------------------------------------------------------------------------


def _drawn(alpha: float, examined: Sequence[Examined], rng: np.random.Generator) -> list[Figure]:
    """Each source is a server: it learns from verdicts on the whole cast, and judges the rest."""
    servers = _servers(examined)
    flags: dict[str, list[float]] = defaultdict(list)
    misses: dict[str, list[float]] = defaultdict(list)
    needed = verdicts_needed(alpha)
    for cast in servers.values():
        pool = [(name, score) for name, one in cast.items() for score in one.good]
        if len(pool) < needed + len(cast):
            continue
        for _ in range(_ROUNDS):
            order = rng.permutation(len(pool))
            known = [pool[k][1] for k in order[:needed]]
            limit = flag_limit([verdict(score) for score in known], alpha)
            assert limit is not None, "as many verdicts as it takes"
            for k in order[needed:]:
                flags[pool[k][0]].append(float(pool[k][1] < limit))
            for name, one in cast.items():
                if len(one.bad):
                    misses[name].append(float((one.bad >= limit).mean()))
    names = sorted(set(flags) & set(misses))
    everyone = [one for cast in servers.values() for name, one in cast.items() if name in names]
    return _figures(
        f"art.alpha_{alpha:.2f}",
        alpha,
        [float(np.mean(flags[name])) for name in names],
        [float(np.mean(misses[name])) for name in names],
        everyone,
    )


def _servers(examined: Sequence[Examined]) -> dict[str, dict[str, _Subject]]:
    """Scores by source and identity; only those that show the same parts are comparable."""
    scores: dict[tuple[str, str], tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for one in examined:
        if one.kind == CLEAN and one.check.score is not None:
            scores[one.source, one.identity][not one.own].append(one.check.score)
    servers: dict[str, dict[str, _Subject]] = defaultdict(dict)
    for (source, identity), (good, bad) in scores.items():
        servers[source][identity] = _Subject(np.array(good), np.array(bad))
    return servers


def _figures(
    name: str,
    alpha: float,
    flags: Sequence[float],
    misses: Sequence[float],
    everyone: Sequence[_Subject],
) -> list[Figure]:
    if not flags:
        return []
    flagged, missed = float(np.mean(flags)), float(np.mean(misses))
    fixed = _fixed_misses(everyone, flagged)
    figures = [
        Figure(
            f"quality.false_flag.{name}",
            flagged,
            "share",
            "lower",
            alpha + _SLACK,
            None,
            len(flags),
            _interval(flags),
        ),
        Figure(
            f"quality.miss.{name}",
            missed,
            "share",
            "lower",
            fixed,
            f"{_FIXED}: {fixed:.3f}",
            len(misses),
            _interval(misses),
        ),
    ]
    if name.startswith("simulated"):
        over = float(np.mean(np.asarray(flags) > alpha))
        figures.append(
            Figure(f"quality.promise_broken.{name}", over, "share", "lower", 0.05, None, len(flags))
        )
    return figures


def _fixed_misses(everyone: Sequence[_Subject], flagged: float) -> float:
    """Misses of one limit for all that flags the same share, averaged over identities."""
    weights = np.concatenate([np.full(len(s.good), 1 / len(s.good)) for s in everyone])
    good = np.concatenate([s.good for s in everyone])
    order = np.argsort(good)
    share = np.cumsum(weights[order]) / weights.sum()
    limit = good[order][min(int(np.searchsorted(share, flagged)), len(good) - 1)]
    return float(np.mean([(s.bad >= limit).mean() for s in everyone if len(s.bad)]))


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """A 95 % bootstrap interval over identities."""
    rng = np.random.default_rng(5)
    array = np.asarray(values)
    means = array[rng.integers(0, len(array), (500, len(array)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


# --- the audit ------------------------------------------------------------------------------------


def _audit(rng: np.random.Generator) -> list[Figure]:
    """False flags of the last third of a stream, and what is caught, with the audit and without."""
    alpha, panels, last, streams = 0.10, 1500, 500, 40
    flags: dict[float, list[float]] = {0.0: [], 0.10: []}
    caught: dict[float, list[float]] = {0.0: [], 0.10: []}
    for _ in range(streams):
        shown = stream(panels, rng)
        for audit, found in flags.items():
            limits = run_gate(shown, alpha, audit, rng)
            found.append(false_flags(shown, limits, last))
            bad = ~shown.good[-last:]
            caught[audit].append(float((shown.scores[-last:] < limits[-last:])[bad].mean()))
    on, off = float(np.mean(flags[0.10])), float(np.mean(flags[0.0]))
    seen, unseen = float(np.mean(caught[0.10])), float(np.mean(caught[0.0]))
    return [
        Figure(
            "quality.audit.false_flag.on",
            on,
            "share",
            "lower",
            alpha + _SLACK,
            f"{_BLIND}: {off:.4f}",
            streams,
            _interval(flags[0.10]),
        ),
        Figure(
            "quality.audit.false_flag.off", off, "share", "higher", None, None, streams,
            _interval(flags[0.0]),
        ),
        Figure(
            "quality.audit.caught.on",
            seen,
            "share",
            "higher",
            unseen,
            f"{_BLIND}: {unseen:.3f}",
            streams,
            _interval(caught[0.10]),
        ),
    ]  # fmt: skip
