"""A first guess at what drifted: the segment of the check that fell furthest below its usual."""

from collections.abc import Mapping

from pipeline.domain.character import ColorMode
from pipeline.domain.evidence import AttributeCount
from pipeline.domain.fingerprint import CropClass, EncoderKey
from pipeline.domain.inputs import CastInput
from pipeline.domain.quality import CandidateReport, CharacterCheck, Drift, Verdict
from pipeline.fingerprints.composite import segments_of
from pipeline.prompting.drift import catalogue
from pipeline.quality.attributes import MODES, Attribute


def worst_check(report: CandidateReport) -> CharacterCheck | None:
    """The check that failed by most; None if nothing failed."""
    failed = [check for check in report.checks if check.verdict is Verdict.OFF_MODEL]
    return min(failed, key=_margin, default=None)


_LEAST_TRUSTED = 0.4
"""Confidence times trust from which the attribution decides.

A named prior: below it the segments' older rule knows as much.
"""


def likeliest_drift(
    check: CharacterCheck, counts: Mapping[str, AttributeCount] | None = None
) -> Drift | None:
    """The attribute that most likely drifted, as far as people's labels have borne it out.

    Args:
        check: a check with what the attribution said.
        counts: how often it was right in this guild, by attribute.
    """

    def worth(drift: Drift) -> float:
        known = (counts or {}).get(drift.attribute) or AttributeCount(drift.attribute, 0, 0)
        return drift.confidence * known.trust

    best = max(check.drift, key=worth, default=None)
    return None if best is None or worth(best) < _LEAST_TRUSTED else best


def mode_hint(
    check: CharacterCheck,
    member: CastInput,
    color_mode: ColorMode,
    counts: Mapping[str, AttributeCount] | None = None,
) -> str:
    """The drift mode that best fits what the check saw; empty where nothing points to one.

    Where the attribution is sure enough, the plainest mode of its attribute that can happen to
    this look is taken. Else the segment that is furthest below what the appearance's own
    references reach among themselves says by which means the drift is seen, the crop says where;
    of the modes of the catalogue that can happen to this look and are seen so, the one of the
    highest priority is taken.
    """
    drift = likeliest_drift(check, counts)
    if drift is not None:
        known = catalogue().modes
        named = [known[m] for m in MODES[Attribute(drift.attribute)]]
        able = [mode for mode in named if mode.applies(member, color_mode)]
        return (able or named)[0].id
    segment = _weakest(check, member, color_mode)
    if segment is None or check.crop is None:
        return ""
    fitting = [
        mode
        for mode in catalogue().modes.values()
        if segment in mode.segments
        and check.crop in mode.crops
        and mode.applies(member, color_mode)
        and (mode.slots or mode.menu)
    ]
    return max(fitting, key=lambda mode: mode.priority).id if fitting else ""


def _weakest(check: CharacterCheck, member: CastInput, color_mode: ColorMode) -> str | None:
    if check.crop is None or not check.segments:
        return None
    usual = usual_segments(member, check.crop, color_mode)
    known = [name for name in check.segments if name in usual]
    return min(known, key=lambda name: check.segments[name] - usual[name], default=None)


def usual_segments(member: CastInput, crop: CropClass, color_mode: ColorMode) -> dict[str, float]:
    """What each canon reference reaches with the nearest other one, on average, by encoder."""
    sets = [segments_of(r.fingerprints, crop, color_mode) for r in member.references if r.canon]
    keys: set[EncoderKey] = set().union(*sets)
    out: dict[str, float] = {}
    for key in keys:
        vectors = [one[key] for one in sets if key in one]
        if len(vectors) < 2:
            continue
        nearest = [
            max(v.similarity(w) for j, w in enumerate(vectors) if j != i)
            for i, v in enumerate(vectors)
        ]
        out[key.name] = sum(nearest) / len(nearest)
    return out


def _margin(check: CharacterCheck) -> float:
    if check.similarity is None or check.threshold is None:
        return 0.0
    return check.similarity - check.threshold
