"""Thresholds from an appearance's own references, until there are verdicts to learn from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass, EncoderKey, Fingerprint
from pipeline.domain.quality import Threshold, ThresholdKey
from pipeline.fingerprints.cluster import Cluster, Member
from pipeline.fingerprints.composite import encoder_set, segments_of
from pipeline.fingerprints.scales import Place
from pipeline.quality.priors import LEAST_REFERENCES, prior_for

MIN_REFERENCES = 4
RISKS: Mapping[CropClass, float] = {
    CropClass.HEAD: 0.03,
    CropClass.HALF: 0.01,
    CropClass.FIGURE: 0.01,
}
"""The share of on-model pictures that each class may call off-model.

The head carries identity and gets most of the risk; the upper half only objects when the outfit
is clearly another one. Together the two that decide stay at 4 % by design (Bonferroni).
"""
_PRIOR_WORTH = 4
PRIOR_SPREADS: Mapping[frozenset[str], Mapping[CropClass, float]] = {
    frozenset({"house", "palette"}): {
        CropClass.HEAD: 0.098,
        CropClass.HALF: 0.062,
        CropClass.FIGURE: 0.048,
    },
    frozenset({"palette", "structure"}): {
        CropClass.HEAD: 0.115,
        CropClass.HALF: 0.088,
        CropClass.FIGURE: 0.063,
    },
}
"""What a typical appearance's spread is before its references are seen, by encoder set; each is
worth four references. Source: ``onmodel bench scales``, the median standard deviation of the
leave-one-out chord distances of one person's heads (60 validation identities, 12 sources) and one
look's upper halves (10 looks) in colour, and of whole figures on the training identities (14
looks); grey differs by less than a hundredth. Another set of encoders gets no prior."""


def thresholds_from_references(
    appearance_id: str,
    fingerprints: Mapping[int, Sequence[Fingerprint]],
    encoders_text: str,
) -> tuple[Threshold, ...]:
    """The least similarity that a picture of this appearance is expected to have.

    Each reference is compared with the cluster of the others (leave-one-out). Of the chord
    distances √(2 − 2·similarity), which spread more evenly than cosines, a one-sided prediction
    bound for one more picture is taken: mean + t · s · √(1 + 1/n). It widens by itself when
    references are few. The variance s² is pooled with a prior spread worth four references, so
    that four near-copies do not make a limit that nothing else passes.

    Args:
        appearance_id: whose thresholds they are.
        fingerprints: of its canon references, by reference id. Derived ones do not belong here.
        encoders_text: the encoder set, as :func:`pipeline.fingerprints.composite.encoder_set`
            writes it. In each crop class those count that can describe it; references without a
            vector of each of these are left out.

    Returns:
        One threshold for each crop class and colour mode with at least MIN_REFERENCES
        references; with two or three a stated number, where there is one for exactly this encoder
        (:mod:`pipeline.quality.priors`). Where there is none, nothing can be judged.

    Source: prediction interval of one further observation (Hahn and Meeker, *Statistical
    Intervals*); pooled variance as in an inverse-chi-squared prior. Nominal rates are those of
    RISKS; measured on held-out art of training identities 5–7 % of heads fall below.
    """
    encoders = [EncoderKey.parse(text) for text in encoders_text.split(",") if text]
    found = (
        _threshold(ThresholdKey(appearance_id, encoders_text, crop, mode), fingerprints, encoders)
        for crop in CropClass
        for mode in ColorMode
    )
    return tuple(threshold for threshold in found if threshold is not None)


def _threshold(
    key: ThresholdKey,
    fingerprints: Mapping[int, Sequence[Fingerprint]],
    encoders: Sequence[EncoderKey],
) -> Threshold | None:
    members = [
        Member(reference_id, True, segments_of(prints, key.crop, key.color_mode))
        for reference_id, prints in fingerprints.items()
    ]
    usable = [e for e in encoders if any(e in m.segments for m in members)]
    whole = [m for m in members if usable and all(e in m.segments for e in usable)]
    key = replace(key, encoders=encoder_set(usable))
    if len(whole) < MIN_REFERENCES:
        stated = prior_for(usable, key.crop)
        if stated is None or len(whole) < LEAST_REFERENCES:
            return None
        return Threshold(key, stated.value, f"{stated.name} ({stated.source})", len(whole))
    risk = RISKS[key.crop]
    prior = PRIOR_SPREADS.get(frozenset(e.name for e in usable), {}).get(key.crop)
    cluster = Cluster(whole, usable, Place(key.crop, key.color_mode))
    value = lower_bound(cluster.leave_one_out(), risk, prior)
    source = f"leave-one-out of {len(whole)} references, {risk:.0%} prediction bound"
    return Threshold(key, value, source, len(whole))


def lower_bound(
    similarities: NDArray[np.float64], risk: float, prior_spread: float | None
) -> float:
    """The similarity that one further picture falls below with probability ``risk``.

    Args:
        similarities: leave-one-out similarities, shape (n,), n ≥ 2.
        risk: between 0 and 0.5.
        prior_spread: a typical standard deviation of chord distances, or None to trust the
            sample alone.

    Returns:
        A similarity in [-1, 1].
    """
    count = len(similarities)
    distances = np.sqrt(np.maximum(0.0, 2.0 - 2.0 * similarities))
    freedom = count - 1
    squares = freedom * float(distances.var(ddof=1))
    if prior_spread is not None:
        squares += _PRIOR_WORTH * prior_spread**2
        freedom += _PRIOR_WORTH
    spread = math.sqrt(squares / freedom * (1 + 1 / count))
    limit = float(distances.mean()) + student_quantile(1 - risk, freedom) * spread
    return max(-1.0, 1.0 - min(limit, 2.0) ** 2 / 2)


def student_quantile(probability: float, freedom: int) -> float:
    """The quantile of Student's t, for at least three degrees of freedom within one percent.

    Source: Abramowitz and Stegun 26.7.5, the expansion around the normal quantile.
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))
