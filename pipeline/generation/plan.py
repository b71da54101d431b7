"""The first plan of a panel."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.domain.character import ShotType
from pipeline.domain.conditioning import (
    CastConditioning,
    ConditioningPlan,
    ControlKind,
    ControlUse,
    ModuleUse,
    ReferenceRole,
    ReferenceUse,
    Step,
    StepTaken,
)
from pipeline.domain.inputs import CastInput, PanelInputs
from pipeline.generation.capabilities import Capabilities, adapter_scales, fit_to
from pipeline.generation.generators.base import Generator
from pipeline.generation.staging import clear_words, staged_regions
from pipeline.prompting.builder import BuiltPrompt, PromptWish, build
from pipeline.prompting.negatives import Negatives, NegativeWish, choose_negatives
from pipeline.prompting.sentences import sentences_naming
from pipeline.retrieval.rank import Ranked, rank_references

REFERENCES_PER_CHARACTER = 6
"""How many references a plan names per character. Source: AF17 asks for the top 5 to 10."""
FIRST_SCALE = 0.6
SCALE_STEP = 0.15
"""Conditioning starts moderate and is raised when the check falls short. Source: AF21."""
REFERENCE_FALLOFF = 0.9
"""Each further reference holds so much of the one before it."""
NEGATIVE_STEP = 0.3
"""By how much a rung raises the weight of the words against a drift mode (1 is plain)."""
SEED_STEP = 1000
"""Far apart, so that the alternates of one rung (seed + i) never meet those of the next."""
FIRST_TRY = "first try"
SKETCH_SCALE = 0.7
"""How strongly the lines of a sketch guide; a sketch is a layout, not the drawing itself."""


def plan_for(inputs: PanelInputs, generator: Generator, *, strength: int) -> ConditioningPlan:
    """The complete recipe for one rung of the ladder, from nothing but its number.

    Args:
        inputs: brief, cast and policy.
        generator: names itself, its version and what it can do.
        strength: the rung, 0 for the first try. Each rung raises the scale and puts the next
            reference of the ranking first; above 0 the words against the drift that moderators
            named weigh more.

    Returns:
        A plan that holds what the engine can use, with a note for what it cannot.

    Raises:
        MissingReference: a character has nothing to draw from.
    """
    brief, engine = inputs.brief, generator.capabilities
    built = build(
        inputs.cast,
        PromptWish(
            brief.prompt,
            brief.shot_type,
            brief.color_mode,
            inputs.style,
            engine.prompt_tokens,
            clear_words(brief),
        ),
    )
    weights = dict.fromkeys(inputs.hints, 1 + NEGATIVE_STEP * strength)
    negatives = negatives_for(inputs, engine, weights)
    plan = ConditioningPlan(
        generator=generator.name,
        generator_version=generator.version,
        prompt=built.text,
        negative=negatives.text,
        cast=_cast(inputs, engine, built, negatives, strength),
        shot_type=brief.shot_type,
        color_mode=brief.color_mode,
        size=brief.size,
        seed=brief.seed + SEED_STEP * strength,
        alternates=brief.alternates,
        strength=strength,
        balloon_lines=len(brief.dialogue),
        prompt_parts=built.parts,
        negative_parts=negatives.shared,
        controls=_controls(inputs),
        modules=first_modules(inputs.cast, strength),
        sampling=engine.sampling,
        style_freedom=brief.style_freedom,
        steps=_first_steps(inputs, strength),
    )
    fitted = fit_to(plan, engine)
    return replace(fitted, notes=(*fitted.notes, *built.notes))


def negatives_for(
    inputs: PanelInputs, engine: Capabilities, weights: Mapping[str, float]
) -> Negatives:
    """The negative words of a panel, with some drift modes raised."""
    wish = NegativeWish(
        request=inputs.brief.prompt,
        color_mode=inputs.brief.color_mode,
        regions=engine.regions,
        weights=weights,
        counts=inputs.drift_counts,
    )
    return choose_negatives(inputs.cast, wish)


def uses_of(
    ranked: Sequence[Ranked], scale: float, inputs: PanelInputs, engine: Capabilities
) -> tuple[ReferenceUse, ...]:
    """References in order, the first with the full scale, each further one with a little less."""
    return tuple(
        _use(item, round(scale * REFERENCE_FALLOFF**place, 4), inputs, engine)
        for place, item in enumerate(ranked)
    )


def rank_for(member: CastInput, inputs: PanelInputs, k: int) -> list[Ranked]:
    """The references of a character for this panel: those that a person chose, then the best."""
    lead = inputs.brief.lead
    ranked = rank_references(
        member,
        shot_type=inputs.brief.shot_type,
        words=words_about(member, inputs),
        k=k if not lead else len(member.references),
    )
    chosen = {id_: place for place, id_ in enumerate(lead)}
    ranked = [_chosen(r) if r.reference.reference_id in chosen else r for r in ranked]
    ranked.sort(key=lambda r: chosen.get(r.reference.reference_id, len(chosen)))
    return ranked[:k]


def words_about(member: CastInput, inputs: PanelInputs) -> str:
    """The sentences of the request that name this character; all of them if none or one acts.

    "Mira winks. Oskar sulks." must not rank a sulking Mira first.
    """
    prompt = inputs.brief.prompt
    if len(inputs.cast) == 1:
        return prompt
    return " ".join(sentences_naming(prompt, member)) or prompt


def first_modules(cast: Sequence[CastInput], strength: int) -> tuple[ModuleUse, ...]:
    """Textual inversions from the start (they cost nothing), LoRAs from the second rung on."""
    return tuple(
        module for member in cast for module in member.modules if module.trigger or strength > 0
    )


def _cast(
    inputs: PanelInputs,
    engine: Capabilities,
    built: BuiltPrompt,
    negatives: Negatives,
    strength: int,
) -> tuple[CastConditioning, ...]:
    hold = inputs.brief.hold
    scale = min(1.0, (FIRST_SCALE if hold is None else hold) + SCALE_STEP * strength)
    wanted = min(REFERENCES_PER_CHARACTER, engine.references) or 1
    regions = staged_regions(inputs.cast, inputs.brief)
    out: list[CastConditioning] = []
    for member, identity, region in zip(inputs.cast, built.identities, regions, strict=True):
        ranked = rank_for(member, inputs, REFERENCES_PER_CHARACTER)
        turn = strength % len(ranked)
        turned = (ranked[turn:] + ranked[:turn])[:wanted]
        out.append(
            CastConditioning(
                character_id=member.character_id,
                appearance_id=member.appearance_id,
                identity=identity,
                references=uses_of(turned, scale, inputs, engine),
                height_ratio=member.height_ratio,
                region=region if engine.regions else None,
                negative=negatives.of(member.character_id),
            )
        )
    return tuple(out)


def _chosen(item: Ranked) -> Ranked:
    return replace(item, why=f"It was chosen by hand. {item.why}".rstrip())


def _use(item: Ranked, scale: float, inputs: PanelInputs, engine: Capabilities) -> ReferenceUse:
    face = item.reference.shot_type is ShotType.HEADSHOT
    return ReferenceUse(
        sha256=item.reference.sha256,
        reference_id=item.reference.reference_id,
        scale=scale,
        why=item.why,
        role=ReferenceRole.FACE if face else ReferenceRole.WHOLE,
        adapters=adapter_scales(scale, engine, inputs.brief.style_freedom),
    )


def _controls(inputs: PanelInputs) -> tuple[ControlUse, ...]:
    sketch = inputs.brief.sketch_sha256
    if inputs.guides or sketch is None:
        return inputs.guides
    return (ControlUse(ControlKind.EDGES, sketch, SKETCH_SCALE, "the requester's sketch"),)


def _first_steps(inputs: PanelInputs, strength: int) -> tuple[StepTaken, ...]:
    if strength == 0:
        return (StepTaken(Step.START, FIRST_TRY),)
    why = "a moderator asked for another try"
    named = tuple(StepTaken(Step.RAISE_NEGATIVE, why, mode) for mode in inputs.hints)
    return (StepTaken(Step.RAISE_IDENTITY, why), *named)
