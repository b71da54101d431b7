"""Limits with a guarantee, learned from what moderators called good. Pure arithmetic.

The score of a figure is that of its weakest look (:mod:`pipeline.quality.looks`): its similarity
minus half of the limit that the references gave it, and minus what looks of its kind score higher
or lower than heads. So head and upper half together are *one* score: both are looked at, and still
no risk has to be shared between them. References need no
correction either, because the best of several references and the centroid are inside the
similarity, in the pictures that were judged before as in the next one. A fixed function of the
picture may be as many looks as it likes; what has to be equal is the function.

Why a part of the references' limit is subtracted: it makes scores of different characters
comparable, and keeps them so when references are added. Why not all of it: from a few references
that limit is uncertain itself.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from pipeline.domain.calibration import (
    Calibration,
    Level,
    Promise,
    ScoredVerdict,
    ScoreKey,
    ScorePlace,
)
from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass, EncoderKey
from pipeline.domain.quality import Threshold

LIMIT_SHARE = 0.5
"""How much of the references' limit is subtracted. Source: of 0 to 1 in steps of a tenth, 0.4 to
0.6 miss least at 10, 5 and 3 % false flags on 210 training identities of the bench with five
references each (misses at 5 %: 0.046 with 0.5, 0.057 with 1, 0.088 with 0)."""
CONFIDENCE = 0.95
ALPHAS = (0.10, 0.05, 0.02)
"""The shares of good panels that a series may allow to be flagged."""


SHIPPED_SCORES: Mapping[frozenset[str], Mapping[ColorMode, Mapping[CropClass, float]]] = {
    frozenset({"house", "palette"}): {
        ColorMode.COLOR: {CropClass.HEAD: 0.452, CropClass.HALF: 0.308},
        ColorMode.GRAYSCALE: {CropClass.HEAD: 0.477, CropClass.HALF: 0.311},
    },
}
"""The scores under which a look is flagged before there are verdicts, by encoder set, before what
heads and upper halves differ by is taken off. Source: own pictures of 210 training identities of
the bench with five references that are under it, and others' that are not. In colour 10.0 and 2.0 %
(with the references' limit alone 11.4 and 4.1 %; of lookalikes, at the same two shares of own
pictures, 37 and 36 %), in grey 5.6 and 7.1 % (5.9 and 11.9 %). On 62 validation identities 10.4 and
4.4 % (10.7 and 4.8 %), in grey 5.0 and 5.9 % (4.5 and 9.4 %). Other sets of encoders keep the
references' limit."""


def score_of(similarity: float, threshold: Threshold) -> float:
    """The score of a look, from its similarity and the limit that its references gave it."""
    return similarity - _base(threshold)


def limit_for(learned: Calibration | None, threshold: Threshold) -> float:
    """The least similarity of a look.

    From what verdicts taught; before that from what other characters showed; where that is not
    known either, it is the limit that its references gave it.
    """
    if learned is not None:
        return learned.limit + _base(threshold)
    shipped = _shipped(threshold)
    if threshold.key.crop not in shipped:
        return threshold.value
    return shipped[CropClass.HEAD] + _base(threshold)


def _base(threshold: Threshold) -> float:
    """What is taken off a similarity to make a score of it."""
    shipped, crop = _shipped(threshold), threshold.key.crop
    apart = shipped[crop] - shipped[CropClass.HEAD] if crop in shipped else 0.0
    return LIMIT_SHARE * threshold.value + apart


def _shipped(threshold: Threshold) -> Mapping[CropClass, float]:
    key = threshold.key
    names = (EncoderKey.parse(text).name for text in key.encoders.split(",") if text)
    return SHIPPED_SCORES.get(frozenset(names), {}).get(key.color_mode, {})


def verdicts_needed(alpha: float, confidence: float = CONFIDENCE) -> int:
    """How many good verdicts of equal weight the promise takes: 29, 59, 149 for 10, 5, 2 %.

    Source: the smallest n with (1 - alpha)^n at most 1 - confidence (Wilks 1941, one-sided
    tolerance bound by the first order statistic).
    """
    return math.ceil(math.log(1 - confidence) / math.log(1 - alpha))


def flag_limit(
    verdicts: Sequence[ScoredVerdict], alpha: float, confidence: float = CONFIDENCE
) -> float | None:
    """The highest limit under which at most ``alpha`` of good pictures score, as far as is known.

    With equal weights this is the one-sided order statistic: the k-th lowest score, where a
    binomial of n draws at ``alpha`` stays under k with at most ``1 - confidence``. Verdicts of the
    blind audit stand for the accepted pictures that nobody looked at and weigh 1/probability; then
    shares are weighted and n is the effective sample size (sum of weights)² / sum of squares.

    Args:
        verdicts: of good pictures with one key.
        alpha: share of good pictures that may be flagged, between 0 and 1.
        confidence: how sure the promise is, between 0 and 1.

    Returns:
        A score; None where the verdicts are too few for the promise.

    Source: Korn and Graubard 1998, *Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data*; weights after Horvitz and Thompson 1952.
    """
    if not verdicts:
        return None
    weights: dict[float, float] = defaultdict(float)
    squares = 0.0
    for verdict in verdicts:
        weights[verdict.score] += 1 / verdict.probability
        squares += 1 / verdict.probability**2
    total = sum(weights.values())
    effective = total * total / squares
    limit, below = None, 0.0
    for score in sorted(weights):
        hits = effective * below / total
        if _at_most(hits, effective, alpha) > 1 - confidence + 1e-12:
            break
        limit, below = score, below + weights[score]
    return limit


def calibrations(
    verdicts: Iterable[ScoredVerdict],
    character_id: str,
    appearance_id: str,
    alpha: float,
    unseen: Collection[ScorePlace] = (),
) -> tuple[Calibration, ...]:
    """What the verdicts of a guild say about the limits of one appearance.

    For each key the narrowest level with enough verdicts is taken: this appearance, else all of
    the character's, else the guild's. Where none has enough, nothing is learned and the shipped
    limit stays. So does it where pictures passed unseen and no verdict comes from the blind audit:
    pictures that were all flagged say nothing about the share of the good ones that are.

    Args:
        verdicts: good verdicts of one guild.
        character_id: whose.
        appearance_id: in which look.
        alpha: the share that the series allows.
        unseen: where pictures passed that nobody was asked about.

    Returns:
        At most one for each key.
    """
    groups: dict[ScoreKey, list[ScoredVerdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[verdict.place.key].append(verdict)
    found = (
        _narrowest(group, ScorePlace(key, character_id, appearance_id), alpha, unseen)
        for key, group in groups.items()
    )
    return tuple(one for one in found if one is not None)


def _narrowest(
    group: Sequence[ScoredVerdict],
    place: ScorePlace,
    alpha: float,
    unseen: Collection[ScorePlace],
) -> Calibration | None:
    """What is learned at the narrowest level that has enough; ``group`` has the place's key."""
    for level in Level:
        mine = place.at(level)
        chosen = [v for v in group if v.place.at(level) == mine]
        blind = any(v.probability < 1 for v in chosen)
        if not blind and any(one.at(level) == mine for one in unseen):
            continue
        limit = flag_limit(chosen, alpha)
        if limit is not None:
            return Calibration(place.key, limit, Promise(alpha, CONFIDENCE, len(chosen), level))
    return None


def promise_words(promise: Promise, name: str = "") -> str:
    """The promise as a person reads it, like ``At most 10 % of good panels get flagged …``.

    Args:
        promise: what was learned.
        name: of the character, for the two narrow levels.
    """
    whose = {
        Level.APPEARANCE: f"on this look of {name}" if name else "on this look",
        Level.CHARACTER: f"on {name}" if name else "on this character",
        Level.GUILD: "on the whole cast of this server",
    }[promise.level]
    return (
        f"At most {100 * promise.alpha:.0f} % of good panels get flagged "
        f"({100 * promise.confidence:.0f} % sure), from {promise.verdicts} verdicts {whose}."
    )


def waiting_words(verdicts: int, alpha: float) -> str:
    """What is said while there is no promise yet."""
    return (
        f"No promise yet: {verdicts} of the {verdicts_needed(alpha)} verdicts on good panels that "
        f"“at most {100 * alpha:.0f} %” takes. Until then the "
        "limit comes from the model sheet, and from what drawn characters have in common."
    )


def _at_most(hits: float, draws: float, share: float) -> float:
    """P(binomial(draws, share) ≤ hits), continued to numbers between the whole ones."""
    if hits >= draws:
        return 1.0
    return incomplete_beta(draws - hits, hits + 1, 1 - share)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function for a, b > 0 and 0 ≤ x ≤ 1.

    Source: the continued fraction 8.17.22 of the NIST Digital Library of Mathematical Functions,
    evaluated after Lentz.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    tiny, most = 1e-300, 500
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, most):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d or tiny)
            c = 1 + term / c or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return value
