"""Which references a panel should be drawn from, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.errors import MissingReference
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.fingerprints.composite import fused_similarity, segments_of

_SHOT_FIT: dict[ShotType, dict[ShotType, float]] = {
    ShotType.HEADSHOT: {ShotType.HEADSHOT: 1.0, ShotType.HALF: 0.7, ShotType.FULL: 0.4},
    ShotType.HALF: {ShotType.HALF: 1.0, ShotType.FULL: 0.7, ShotType.HEADSHOT: 0.3},
    ShotType.FULL: {ShotType.FULL: 1.0, ShotType.DYNAMIC: 0.8, ShotType.HALF: 0.2},
    ShotType.DYNAMIC: {ShotType.DYNAMIC: 1.0, ShotType.FULL: 0.8, ShotType.HALF: 0.2},
}
"""Wanted shot → a reference's shot → fit, 0 to 1. Much can be cut down, nothing can be added."""
_SHOT_WEIGHT, _EXPRESSION_WEIGHT, _ANGLE_WEIGHT = 1.0, 0.6, 0.4
_REPEAT_COST = 0.5
_MANY_ALIKE = 0.7
"""Cosine from which two references count as partly the same picture."""
_FAMILIES = (
    {"happy", "smile", "grin", "laugh", "joy", "cheer", "cheerful", "delight", "excited"},
    {"sad", "cry", "tear", "weep", "sorrow", "gloomy", "upset"},
    {"angry", "anger", "rage", "mad", "furious", "shout", "yell", "fury"},
    {"afraid", "fear", "scare", "scared", "terror", "panic", "worry", "anxious"},
    {"surprise", "surprised", "shock", "gasp", "amazed", "startle"},
    {"calm", "neutral", "normal", "relaxed", "serene"},
    {"side", "profile", "left", "right"},
    {"back", "behind", "rear", "away"},
    {"front", "facing", "frontal"},
)
"""Words that ask for the same look."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """A reference, its score (larger is better, about 0 to 3) and a sentence that says why."""

    reference: ReferenceInput
    score: float
    why: str


def rank_references(
    cast: CastInput, *, shot_type: ShotType, words: str = "", k: int = 8
) -> list[Ranked]:
    """The references of an appearance in the order in which a generator should use them.

    Canon comes before derived, whatever else fits. Then count: the shot type, expression and
    angle when the prompt's words ask for them, and that a reference shows something which those
    before it do not.

    Args:
        cast: the character in its appearance.
        shot_type: how the panel is framed.
        words: the panel's prompt, any text.
        k: at most so many, ≥ 1.

    Raises:
        MissingReference: there is no reference at all.
    """
    if not cast.references:
        raise MissingReference(
            f"{cast.name} ({cast.label}) has no reference picture. Add at least one first."
        )
    asked = _tokens(words)
    ranked: list[Ranked] = []
    for canon in (True, False):
        pool = [_score(r, shot_type, asked) for r in cast.references if r.canon is canon]
        while pool and len(ranked) < k:
            best = max(pool, key=lambda item: (_fresh_score(item, ranked), -_order(item)))
            pool.remove(best)
            ranked.append(best)
    return ranked


def _score(reference: ReferenceInput, shot_type: ShotType, asked: Sequence[str]) -> Ranked:
    fit = _SHOT_FIT[shot_type].get(reference.shot_type, 0.0)
    reasons = ["canon" if reference.canon else "an accepted panel, not canon"]
    if reference.shot_type is shot_type:
        reasons.append(f"the same shot ({shot_type})")
    else:
        reasons.append(f"shot “{reference.shot_type}” for a {shot_type} panel")
    score = _SHOT_WEIGHT * fit
    for words, weight in (
        (reference.expression, _EXPRESSION_WEIGHT),
        (reference.angle, _ANGLE_WEIGHT),
    ):
        if words and _is_asked_for(words, asked):
            score += weight
            reasons.append(f"“{words}” is asked for")
    text = ", ".join(reasons)
    return Ranked(reference, score, f"{text[0].upper()}{text[1:]}.")


def _fresh_score(item: Ranked, before: Sequence[Ranked]) -> float:
    """The score, less what is seen already."""
    likeness = max((_likeness(item.reference, b.reference) for b in before), default=0.0)
    return item.score - _REPEAT_COST * likeness


def _likeness(a: ReferenceInput, b: ReferenceInput) -> float:
    """How much two references show the same, 0 to 1: by their vectors, else by their labels."""
    for crop in (CropClass.FIGURE, CropClass.HALF, CropClass.HEAD):
        fused = fused_similarity(
            segments_of(a.fingerprints, crop, ColorMode.COLOR),
            segments_of(b.fingerprints, crop, ColorMode.COLOR),
        )
        if fused is not None:
            return max(0.0, fused.similarity - _MANY_ALIKE) / (1 - _MANY_ALIKE)
    same = (a.shot_type, a.angle, a.expression) == (b.shot_type, b.angle, b.expression)
    return 1.0 if same else 0.0


def _order(item: Ranked) -> int:
    return item.reference.reference_id


def _is_asked_for(label: str, asked: Sequence[str]) -> bool:
    return any(_akin(word, other) for word in _tokens(label) for other in asked)


def _akin(a: str, b: str) -> bool:
    """Whether two words ask for the same: one stem, or one family."""
    if _same_stem(a, b):
        return True
    return any(
        any(_same_stem(a, word) for word in family) and any(_same_stem(b, word) for word in family)
        for family in _FAMILIES
    )


def _same_stem(a: str, b: str) -> bool:
    """Happy and happily, smile and smiling; not side and sidewalk."""
    shorter, longer = sorted((a, b), key=len)
    if shorter == longer:
        return True
    common = 0
    while common < len(shorter) and shorter[common] == longer[common]:
        common += 1
    return common >= max(3, len(shorter) - 1) and len(longer) - len(shorter) <= 3


def _tokens(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())
