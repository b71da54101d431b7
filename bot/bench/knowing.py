"""Does the check know when it does not know? Spoiled pictures, clean ones, risk and coverage."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.bench.art import CLEAN, Examined
from bot.bench.figures import Figure
from bot.bench.shares import wilson
from bot.bench.spoiled import KINDS
from pipeline.domain.quality import Verdict

_COVERED = 0.9
_SINGLE = "how far the similarity is from one limit for all"
_INTERVAL = "the same over half the interval"

Floats = NDArray[np.float64]


def measure_knowing(examined: Sequence[Examined]) -> list[Figure]:
    """Abstention by kind, and what confidence is worth for choosing whom to judge."""
    figures = [_abstention("spoiled", [x for x in examined if x.kind != CLEAN], 0.95, "higher")]
    figures += [
        _abstention(f"spoiled.{kind}", [x for x in examined if x.kind == kind], 0.95, "higher")
        for kind in KINDS
    ]
    own = [x for x in examined if x.own and x.kind == CLEAN]
    figures.append(_abstention("clean", own, 0.05, "lower"))
    others = [x for x in examined if not x.own]
    figures.append(_abstention("others", others, None, "lower"))
    return figures + _risk(own, others)


def _abstention(name: str, some: Sequence[Examined], target: float | None, better: str) -> Figure:
    hits = sum(x.check.verdict is Verdict.CANNOT_JUDGE for x in some)
    direction = "higher" if better == "higher" else "lower"
    return Figure(
        f"quality.abstain.{name}",
        hits / len(some),
        "share",
        direction,
        target,
        None,
        len(some),
        wilson(hits, len(some)),
    )


def _risk(own: Sequence[Examined], others: Sequence[Examined]) -> list[Figure]:
    """Errors where the check is forced to say yes or no, in the order of its confidence.

    That is the distance from the look's limit. In units of the interval it errs more on validation
    identities, less on training ones; both are shown.

    As many of the others as of the own are taken, so that neither kind of error drowns the other.
    """
    rng = np.random.default_rng(3)
    chosen = [others[k] for k in rng.permutation(len(others))[: len(own)]]
    known = [x for x in [*own, *chosen] if x.check.score is not None and x.check.interval]
    margin = np.array([_margin(x) for x in known])
    wrong = (margin >= 0) != np.array([x.own for x in known])
    reach = np.array([_reach(x) for x in known])
    similarity = np.array([x.check.similarity or 0.0 for x in known])
    limit = _best_limit(similarity, np.array([x.own for x in known]))
    ours = _curve(wrong, np.abs(margin))
    measured = _curve(wrong, np.abs(margin) / reach)
    single = _curve((similarity >= limit) != np.array([x.own for x in known]),
                    np.abs(similarity - limit))  # fmt: skip
    at = int(_COVERED * len(known)) - 1
    return [
        Figure(
            "quality.risk.aurc", float(ours.mean()), "share", "lower", float(single.mean()),
            f"{_SINGLE}: {single.mean():.4f}; {_INTERVAL}: {measured.mean():.4f}", len(known),
        ),
        Figure(
            "quality.risk.error_at_90", float(ours[at]), "share", "lower", 0.7 * float(single[at]),
            f"{_SINGLE}: {single[at]:.4f}; {_INTERVAL}: {measured[at]:.4f}", len(known),
        ),
        *(
            Figure(f"quality.risk.at_{share:.2f}", float(ours[int(share * len(known)) - 1]),
                   "share", "lower", None, None, len(known))
            for share in (0.5, 0.7, 0.8, 0.95, 1.0)
        ),
    ]  # fmt: skip


def _margin(one: Examined) -> float:
    similarity, threshold = one.check.similarity, one.check.threshold
    return 0.0 if similarity is None or threshold is None else similarity - threshold


def _reach(one: Examined) -> float:
    if one.check.interval is None:
        return 1.0
    return max(1e-4, (one.check.interval[1] - one.check.interval[0]) / 2)


def _curve(wrong: NDArray[np.bool_], confidence: Floats) -> Floats:
    """The share of errors among the k most confident, for every k."""
    order = np.argsort(-confidence, kind="stable")
    return np.cumsum(wrong[order]) / np.arange(1, len(wrong) + 1)


def _best_limit(similarity: Floats, own: NDArray[np.bool_]) -> float:
    """The one limit that errs least on these very pictures."""
    candidates = np.unique(similarity)
    errors = [((similarity >= limit) != own).sum() for limit in candidates]
    return float(candidates[int(np.argmin(errors))])
