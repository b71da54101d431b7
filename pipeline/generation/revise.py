"""A reroll of a recipe: the plan of a drawn candidate, with nothing but the named parts changed."""

from collections.abc import Mapping
from dataclasses import replace

from pipeline.domain.conditioning import (
    CastConditioning,
    ConditioningPlan,
    ReferenceUse,
    Step,
    StepTaken,
    Variation,
)
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.panel import PlanPart
from pipeline.generation.capabilities import Capabilities, adapter_scales, fit_to
from pipeline.generation.generators.base import Generator
from pipeline.generation.plan import negatives_for
from pipeline.generation.steps import weights_of

NEAR = 0.25
"""How much other noise a near variation gets: composition and figures stay, details move."""
_WORDS = frozenset({PlanPart.PROMPT, PlanPart.SHOT_TYPE})
_PICTURES = frozenset({PlanPart.REFERENCES, PlanPart.SHOT_TYPE})


def revised(
    fresh: ConditioningPlan, base: ConditioningPlan, inputs: PanelInputs, generator: Generator
) -> ConditioningPlan:
    """Carry the changed parts of a fresh plan over into an older one.

    Args:
        fresh: the plan that the request as it is now would get.
        base: the recipe that is to be changed.
        inputs: what the panel needs; ``inputs.brief.revision`` names the parts.
        generator: the engine of the studio.

    Returns:
        The base with those parts of ``fresh``; ``fresh`` itself, with the reason in its steps,
        where the base cannot be repeated: another engine drew it, its cast differs, or a reference
        or guide picture of it is gone.
    """
    revision = inputs.brief.revision
    if revision is None:
        return fresh
    reason = _unrepeatable(fresh, base, inputs)
    if reason:
        why = f"the first recipe cannot be repeated: {reason}"
        return replace(fresh, steps=(*fresh.steps, StepTaken(Step.START, why)))
    changed, engine = frozenset(revision.changed), generator.capabilities
    names = ", ".join(part.value.replace("_", " ") for part in revision.changed)
    plan = replace(
        base,
        generator_version=generator.version,
        alternates=inputs.brief.alternates,
        steps=(StepTaken(Step.START, f"the same recipe, but for: {names}"),),
        # those of the other alternates were about pictures that nobody asked to be repeated
        interventions=tuple(one for one in base.interventions if one.alternate == 0),
        enlarge=None,
    )
    if PlanPart.VARIATION in changed:
        variation = Variation(inputs.brief.seed, NEAR)
        plan = replace(plan, variations=(*plan.variations, variation))
        plan = replace(plan, inpaint=None, interventions=())
    if PlanPart.SEED in changed:
        plan = replace(plan, seed=fresh.seed, variations=(), interventions=())
    if PlanPart.STYLE_FREEDOM in changed:
        plan = replace(plan, style_freedom=fresh.style_freedom)
    if changed & _WORDS:
        plan = _with_words(plan, fresh, inputs, engine)
    if PlanPart.SHOT_TYPE in changed:
        plan = replace(plan, shot_type=fresh.shot_type)
    if changed & _PICTURES:
        plan = replace(plan, controls=fresh.controls, inpaint=None)
    members = {member.character_id: member for member in fresh.cast}
    cast = tuple(
        _member(one, members[one.character_id], inputs, engine, changed) for one in plan.cast
    )
    fitted = fit_to(replace(plan, cast=cast), engine)
    return replace(fitted, notes=tuple(dict.fromkeys((*fitted.notes, *fresh.notes))))


def _unrepeatable(fresh: ConditioningPlan, base: ConditioningPlan, inputs: PanelInputs) -> str:
    """Why the base cannot be drawn again; empty if it can."""
    if base.generator != fresh.generator:
        return f"{base.generator} drew it, and {fresh.generator} draws now"
    looks = [{(m.character_id, m.appearance_id) for m in plan.cast} for plan in (base, fresh)]
    if looks[0] != looks[1]:
        return "its cast has changed"
    known = {r.sha256 for member in inputs.cast for r in member.references}
    if any(use.sha256 not in known for member in base.cast for use in member.references):
        return "a reference of it is gone"
    if any(sha256 not in inputs.pictures for sha256 in base.pictures):
        return "a guide picture of it is gone"
    return ""


def _with_words(
    plan: ConditioningPlan, fresh: ConditioningPlan, inputs: PanelInputs, engine: Capabilities
) -> ConditioningPlan:
    """The words of the request as it is now; what was raised against drift stays raised."""
    negatives = negatives_for(inputs, engine, weights_of(plan))
    identities: Mapping[str, str] = {m.character_id: m.identity for m in fresh.cast}
    return replace(
        plan,
        prompt=fresh.prompt,
        prompt_parts=fresh.prompt_parts,
        negative=negatives.text,
        negative_parts=negatives.shared,
        cast=tuple(
            replace(m, identity=identities[m.character_id], negative=negatives.of(m.character_id))
            for m in plan.cast
        ),
    )


def _member(
    base: CastConditioning,
    fresh: CastConditioning,
    inputs: PanelInputs,
    engine: Capabilities,
    changed: frozenset[PlanPart],
) -> CastConditioning:
    """One character's references: which, and how hard they hold."""
    uses = base.references
    if changed & _PICTURES:
        uses = fresh.references
    if not uses or not changed & {*_PICTURES, PlanPart.HOLD, PlanPart.STYLE_FREEDOM}:
        return base
    held = base.references[0].scale if base.references else uses[0].scale
    wanted = inputs.brief.hold if PlanPart.HOLD in changed else held
    factor = (held if wanted is None else wanted) / max(uses[0].scale, 1e-6)
    freedom = inputs.brief.style_freedom
    return replace(base, references=tuple(_scaled(use, factor, engine, freedom) for use in uses))


def _scaled(use: ReferenceUse, factor: float, engine: Capabilities, freedom: float) -> ReferenceUse:
    scale = round(min(1.0, use.scale * factor), 4)
    return replace(use, scale=scale, adapters=adapter_scales(scale, engine, freedom))
