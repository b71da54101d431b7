"""Which references a panel should be drawn from, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.domain.character import ColorMode, Reference, ShotType
from pipeline.domain.errors import MissingReference
from pipeline.domain.fingerprint import CropClass, Fingerprint
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.fingerprints.composite import fused_similarity, segments_of
from pipeline.fingerprints.scales import Place
from pipeline.retrieval.pose import procrustes
from pipeline.retrieval.words import asks_for, shared_words, tokens

_SHOT_FIT: dict[ShotType, dict[ShotType, float]] = {
    ShotType.HEADSHOT: {ShotType.HEADSHOT: 1.0, ShotType.HALF: 0.7, ShotType.FULL: 0.4},
    ShotType.HALF: {ShotType.HALF: 1.0, ShotType.FULL: 0.7, ShotType.HEADSHOT: 0.3},
    ShotType.FULL: {ShotType.FULL: 1.0, ShotType.DYNAMIC: 0.8, ShotType.HALF: 0.2},
    ShotType.DYNAMIC: {ShotType.DYNAMIC: 1.0, ShotType.FULL: 0.8, ShotType.HALF: 0.2},
}
"""Wanted shot → a reference's shot → fit, 0 to 1. Much can be cut down, nothing can be added."""
_SHOT_WEIGHT, _EXPRESSION_WEIGHT, _ANGLE_WEIGHT, _SCENE_WEIGHT = 1.0, 0.6, 0.4, 0.3
_LOOK_WEIGHT, _POSE_WEIGHT, _RECENT_WEIGHT = 0.8, 0.8, 0.1
_SAME_POSE = 0.25
"""Procrustes distance up to which a reason calls two poses alike."""
_REPEAT_COST = 0.5
_MANY_ALIKE = 0.7
"""Cosine from which two references count as partly the same picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """A reference, its score (larger is better, about 0 to 4) and a sentence that says why."""

    reference: ReferenceInput
    score: float
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    """What is asked for, in a form that can be compared with each reference."""

    shot_type: ShotType
    words: Sequence[str]
    looks: dict[int, float]
    shown: str
    poses: dict[int, float]
    newest: int | None


def rank_references(
    cast: CastInput, *, shot_type: ShotType, words: str = "", k: int = 8
) -> list[Ranked]:
    """The references of an appearance in the order in which a generator should use them.

    Canon comes before derived, whatever else fits. Then count: the shot type; expression, angle
    and scene (the notes) when the prompt's words ask for them; how near a reference is to what
    was sketched or shown (``cast.seen``) and to the wanted pose (``cast.pose``); among accepted
    panels, that one is the newest; and that a reference shows something which those before it do
    not.

    Args:
        cast: the character in its appearance.
        shot_type: how the panel is framed.
        words: the panel's prompt, any text.
        k: at most so many, ≥ 1. Source AF17 asks for 5 to 10.

    Raises:
        MissingReference: there is no reference at all.
    """
    if not cast.references:
        raise MissingReference(
            f"{cast.name} ({cast.label}) has no reference picture. Add at least one first."
        )
    wish = _wish(cast, shot_type, words)
    ranked: list[Ranked] = []
    for canon in (True, False):
        pool = [_score(r, wish) for r in cast.references if r.canon is canon]
        while pool and len(ranked) < k:
            best = max(pool, key=lambda item: (_fresh_score(item, ranked), -_order(item)))
            pool.remove(best)
            ranked.append(best)
    return ranked


def next_best(references: Sequence[Reference], shot_type: ShotType) -> Reference:
    """The reference that stands in best where none has the planned shot: canon first, then fit.

    Raises:
        ValueError: there is no reference.
    """
    fit = _SHOT_FIT[shot_type]
    return max(references, key=lambda r: (r.canon, fit.get(r.shot_type, 0.0), -r.id))


def likeness_to(seen: Sequence[Fingerprint], reference: ReferenceInput) -> float | None:
    """How near a reference is to what a picture shows, -1 to 1, in grey: a sketch has no colours.

    The best of the crop classes that both show; None where they share none.
    """
    found = []
    for crop in CropClass:
        place = Place(crop, ColorMode.GRAYSCALE)
        fused = fused_similarity(
            segments_of(seen, *place), segments_of(reference.fingerprints, *place), place
        )
        if fused is not None:
            found.append(fused.similarity)
    return max(found, default=None)


def _wish(cast: CastInput, shot_type: ShotType, words: str) -> _Wish:
    looks: dict[int, float] = {}
    poses: dict[int, float] = {}
    for reference in cast.references:
        look = likeness_to(cast.seen, reference) if cast.seen else None
        if look is not None:
            looks[reference.reference_id] = look
        if cast.pose is not None and reference.pose is not None:
            apart = procrustes(cast.pose, reference.pose)
            if apart is not None:
                poses[reference.reference_id] = apart
    derived = [r.reference_id for r in cast.references if not r.canon]
    shown = _shown(cast)
    return _Wish(shot_type, tokens(words), looks, shown, poses, max(derived, default=None))


def _shown(cast: CastInput) -> str:
    """What the looks are compared with, in words."""
    chosen = next((r.reference_id for r in cast.references if r.fingerprints is cast.seen), None)
    return "sketch" if chosen is None else f"reference {chosen}"


def _score(reference: ReferenceInput, wish: _Wish) -> Ranked:
    """All parts of the score, each with its reason."""
    reasons = ["canon" if reference.canon else "an accepted panel, not canon"]
    scored = Ranked(reference, 0.0, "")
    for part in (_by_shot, _by_words, _by_look, _by_pose):
        points, because = part(reference, wish)
        scored = replace(scored, score=scored.score + points)
        reasons += because
    if reference.reference_id == wish.newest:
        scored = replace(scored, score=scored.score + _RECENT_WEIGHT)
        reasons.append("the newest accepted panel")
    text = ", ".join(reasons)
    return replace(scored, why=f"{text[0].upper()}{text[1:]}.")


def _by_shot(reference: ReferenceInput, wish: _Wish) -> tuple[float, list[str]]:
    points = _SHOT_WEIGHT * _SHOT_FIT[wish.shot_type].get(reference.shot_type, 0.0)
    if reference.shot_type is wish.shot_type:
        return points, [f"the same shot ({wish.shot_type})"]
    return points, [f"shot “{reference.shot_type}” for a {wish.shot_type} panel"]


def _by_words(reference: ReferenceInput, wish: _Wish) -> tuple[float, list[str]]:
    points, reasons = 0.0, []
    for label, weight in (
        (reference.expression, _EXPRESSION_WEIGHT),
        (reference.angle, _ANGLE_WEIGHT),
    ):
        if label and asks_for(label, wish.words):
            points += weight
            reasons.append(f"“{label}” is asked for")
    scene = shared_words(reference.notes, wish.words)
    if scene:
        points += _SCENE_WEIGHT
        reasons.append(f"its notes speak of “{scene[0]}”")
    return points, reasons


def _by_look(reference: ReferenceInput, wish: _Wish) -> tuple[float, list[str]]:
    """Relative to the others: cosines of a sketch to drawings lie close together."""
    look = wish.looks.get(reference.reference_id)
    if look is None:
        return 0.0, []
    low, high = min(wish.looks.values()), max(wish.looks.values())
    points = _LOOK_WEIGHT * (look - low) / max(high - low, 1e-6)
    best = look == high
    if not best:
        return points, [f"{wish.shown} {look:.2f}"]
    article = "the " if wish.shown == "sketch" else ""
    return points, [f"nearest to {article}{wish.shown} ({look:.2f})"]


def _by_pose(reference: ReferenceInput, wish: _Wish) -> tuple[float, list[str]]:
    apart = wish.poses.get(reference.reference_id)
    if apart is None:
        return 0.0, []
    alike = "the same pose" if apart <= _SAME_POSE else "another pose"
    return _POSE_WEIGHT * (1 - apart), [f"{alike} ({apart:.2f} apart)"]


def _fresh_score(item: Ranked, before: Sequence[Ranked]) -> float:
    """The score, less what is seen already."""
    likeness = max((_likeness(item.reference, b.reference) for b in before), default=0.0)
    return item.score - _REPEAT_COST * likeness


def _likeness(a: ReferenceInput, b: ReferenceInput) -> float:
    """How much two references show the same, 0 to 1: by their vectors, else by their labels."""
    for crop in (CropClass.FIGURE, CropClass.HALF, CropClass.HEAD):
        place = Place(crop, ColorMode.COLOR)
        fused = fused_similarity(
            segments_of(a.fingerprints, *place), segments_of(b.fingerprints, *place), place
        )
        if fused is not None:
            return max(0.0, fused.similarity - _MANY_ALIKE) / (1 - _MANY_ALIKE)
    same = (a.shot_type, a.angle, a.expression) == (b.shot_type, b.angle, b.expression)
    return 1.0 if same else 0.0


def _order(item: Ranked) -> int:
    return item.reference.reference_id
