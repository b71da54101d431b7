"""One figure against one appearance: which crops can be compared, and what they say together."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.calibration import Calibration, ScoreKey
from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass, Fingerprint
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput
from pipeline.domain.quality import CharacterCheck, Threshold, ThresholdKey, Verdict
from pipeline.fingerprints.cluster import Cluster, Match, Member
from pipeline.fingerprints.composite import Segments, encoder_set, segments_of
from pipeline.fingerprints.scales import Place
from pipeline.quality.calibration import MIN_REFERENCES
from pipeline.quality.certainty import Certainty, certainty_of
from pipeline.quality.conformal import limit_for, score_of
from pipeline.quality.priors import LEAST_REFERENCES, prior_for

_SEEN_AS = {
    CropClass.HEAD: "head",
    CropClass.HALF: "upper half",
    CropClass.FIGURE: "whole figure",
}


_CONFLICT = 2.0
"""From here on, in spreads of a look's own references, encoders are said to disagree."""


@dataclass(frozen=True, slots=True)
class Look:
    """One crop class compared: what was measured and the limit that its references gave it."""

    crop: CropClass
    match: Match
    threshold: Threshold
    certainty: Certainty

    @property
    def score(self) -> float:
        """What makes looks and characters comparable."""
        return score_of(self.match.similarity, self.threshold)


def check_figure(
    member: CastInput,
    fingerprints: Sequence[Fingerprint],
    color_mode: ColorMode,
    box: Box,
) -> CharacterCheck:
    """Judge one figure by the crops that it shows.

    The head and the upper half decide, and **the weaker of the two** counts: taking the better one
    would let everyone pass who wears the right clothes. So that two looks do not flag twice as
    much, the limits that references give share one risk (see
    :data:`pipeline.quality.calibration.RISKS`), and what is learned, before shipping or from
    verdicts, is learned from the score of the weaker one (see :mod:`pipeline.quality.conformal`).
    The whole figure depends on the pose and decides only where neither of the others has a limit.
    """
    looks = {
        crop: look
        for crop in CropClass
        if (look := _look(member, crop, color_mode, fingerprints)) is not None
    }
    deciding = [looks[c] for c in (CropClass.HEAD, CropClass.HALF) if c in looks]
    deciding = deciding or list(looks.values())
    if not deciding:
        return cannot_judge(member, _why_no_limit(member, color_mode), box)
    basis = _basis(deciding, color_mode)
    learned = next((c for c in member.calibrations if c.key == basis), None)
    shown = min(deciding, key=lambda look: look.score)
    similarity, limit = shown.match.similarity, limit_for(learned, shown.threshold)
    verdict = Verdict.OFF_MODEL if similarity < limit else Verdict.ON_MODEL
    reason = _sentence(shown, deciding, learned)
    if abs(similarity - limit) < shown.certainty.spread:
        verdict, reason = Verdict.CANNOT_JUDGE, f"{_too_close(shown)} {reason}"
    return CharacterCheck(
        character_id=member.character_id,
        appearance_id=member.appearance_id,
        verdict=verdict,
        reason=reason,
        similarity=similarity,
        threshold=limit,
        crop=shown.crop,
        box=box,
        nearest_reference=shown.match.nearest_reference,
        segments=shown.match.segments,
        score=shown.score,
        basis=basis,
        promise=None if learned is None else learned.promise,
        interval=shown.certainty.interval(similarity),
    )


def cannot_judge(member: CastInput, reason: str, box: Box | None = None) -> CharacterCheck:
    """A check that says why nothing can be said; it is never a pass."""
    return CharacterCheck(
        character_id=member.character_id,
        appearance_id=member.appearance_id,
        verdict=Verdict.CANNOT_JUDGE,
        reason=reason,
        box=box,
    )


def _look(
    member: CastInput,
    crop: CropClass,
    color_mode: ColorMode,
    fingerprints: Sequence[Fingerprint],
) -> Look | None:
    """Compare one class, with the encoders that picture and enough canon references share."""
    picture = segments_of(fingerprints, crop, color_mode)
    members = _members(member, crop, color_mode)
    least = MIN_REFERENCES if prior_for(picture, crop) is None else LEAST_REFERENCES
    shared = [
        key for key in picture if sum(m.canon and key in m.segments for m in members) >= least
    ]
    key = ThresholdKey(member.appearance_id, encoder_set(shared), crop, color_mode)
    threshold = next((t for t in member.thresholds if t.key == key), None)
    if threshold is None or not _enough(members, shared, least):
        return None
    cluster = Cluster(members, shared, Place(crop, color_mode))
    match = cluster.match(picture)
    if match is None:
        return None
    return Look(crop, match, threshold, certainty_of(cluster, picture))


def _basis(deciding: Sequence[Look], color_mode: ColorMode) -> ScoreKey:
    """With which scores the least margin of these looks can be compared."""
    encoders = {text for look in deciding for text in look.threshold.key.encoders.split(",")}
    return ScoreKey(",".join(sorted(encoders)), tuple(look.crop for look in deciding), color_mode)


def _members(member: CastInput, crop: CropClass, color_mode: ColorMode) -> list[Member]:
    return [
        Member(r.reference_id, r.canon, segments_of(r.fingerprints, crop, color_mode))
        for r in member.references
    ]


def _enough(members: Sequence[Member], keys: Sequence[object], least: int) -> bool:
    def whole(segments: Segments) -> bool:
        return all(key in segments for key in keys)

    return sum(m.canon and whole(m.segments) for m in members) >= least


def _why_no_limit(member: CastInput, color_mode: ColorMode) -> str:
    usable = sum(m.canon and bool(m.segments) for m in _members(member, CropClass.HEAD, color_mode))
    if usable < MIN_REFERENCES:
        return (
            f"{member.name} ({member.label}) has {usable} of the {MIN_REFERENCES} references "
            "with a clear head that are needed before a picture can be judged. Please add more."
        )
    return (
        f"No limit has been learned yet for {member.name} ({member.label}) with the encoders in "
        "use. Add a reference, or have the references indexed again."
    )


def _too_close(shown: Look) -> str:
    """Why a similarity does not settle it."""
    if shown.certainty.conflict > _CONFLICT:
        return "The encoders disagree and it is too near to the limit. Let a person decide."
    return (
        "Other references might have said otherwise: it is too near to the limit. Let a person "
        "decide, or add references."
    )


def _sentence(shown: Look, deciding: Sequence[Look], learned: Calibration | None) -> str:
    similarity, limit = shown.match.similarity, limit_for(learned, shown.threshold)
    what = _SEEN_AS[shown.crop]
    references = shown.threshold.references
    source = f"from {references} references"
    if learned is not None:
        source = f"from {references} references and {learned.promise.verdicts} verdicts"
    if similarity < limit:
        text = (
            f"Similarity {similarity:.2f} of the {what} is under this appearance's limit "
            f"{limit:.2f} ({source})."
        )
        fitting = [_SEEN_AS[look.crop] for look in deciding if _fits(look, learned)]
        return f"{text} The {fitting[0]} fits." if fitting else text
    *others, last = [_SEEN_AS[look.crop] for look in deciding]
    if others:
        return (
            f"The {' and '.join(others)} and {last} fit: similarity {similarity:.2f} of the {what} "
            f"reaches this appearance's limit {limit:.2f} ({source})."
        )
    return (
        f"The {last} fits: similarity {similarity:.2f} of the {what} reaches this appearance's "
        f"limit {limit:.2f} ({source})."
    )


def _fits(look: Look, learned: Calibration | None) -> bool:
    return look.match.similarity >= limit_for(learned, look.threshold)
