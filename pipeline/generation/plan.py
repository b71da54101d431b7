"""The first plan of a panel."""

import re

from pipeline.domain.conditioning import CastConditioning, ConditioningPlan, ReferenceUse
from pipeline.domain.inputs import CastInput, PanelInputs
from pipeline.generation.capabilities import fit_to
from pipeline.generation.generators.base import Generator
from pipeline.prompting.builder import build_prompt, identity_words
from pipeline.retrieval.rank import rank_references

# How many references a plan names per character. Source: AF17 asks for the top 5 to 10.
REFERENCES_PER_CHARACTER = 6
# Conditioning starts moderate and is raised when the check falls short. Source: AF21.
FIRST_SCALE = 0.6
SCALE_STEP = 0.15


def plan_for(inputs: PanelInputs, generator: Generator, *, strength: int) -> ConditioningPlan:
    """The complete recipe for one rung of the ladder.

    Args:
        inputs: brief, cast and policy.
        generator: names itself and its version in the plan.
        strength: the rung, 0 for the first try. Each rung raises the scale and puts the next
            reference of the ranking first.

    Raises:
        MissingReference: a character has nothing to draw from.
    """
    brief = inputs.brief
    plan = ConditioningPlan(
        generator=generator.name,
        generator_version=generator.version,
        prompt=build_prompt(
            brief.prompt,
            inputs.cast,
            shot_type=brief.shot_type,
            color_mode=brief.color_mode,
            style=inputs.style,
        ),
        negative="",
        cast=tuple(_condition(member, inputs, strength) for member in inputs.cast),
        shot_type=brief.shot_type,
        color_mode=brief.color_mode,
        size=brief.size,
        # Far apart, so that the alternates of one rung (seed + i) never meet those of the next.
        seed=brief.seed + 1000 * strength,
        alternates=brief.alternates,
        strength=strength,
        balloon_lines=len(brief.dialogue),
    )
    return fit_to(plan, generator.capabilities)


def _condition(member: CastInput, inputs: PanelInputs, strength: int) -> CastConditioning:
    ranked = rank_references(
        member,
        shot_type=inputs.brief.shot_type,
        words=words_about(member, inputs),
        k=REFERENCES_PER_CHARACTER,
    )
    turn = strength % len(ranked)
    scale = min(1.0, FIRST_SCALE + SCALE_STEP * strength)
    uses = tuple(
        ReferenceUse(
            sha256=item.reference.sha256,
            reference_id=item.reference.reference_id,
            scale=round(scale * 0.9**place, 4),
            why=item.why,
        )
        for place, item in enumerate(ranked[turn:] + ranked[:turn])
    )
    return CastConditioning(
        character_id=member.character_id,
        appearance_id=member.appearance_id,
        identity=identity_words(member),
        references=uses,
        height_ratio=member.height_ratio,
    )


def words_about(member: CastInput, inputs: PanelInputs) -> str:
    """The sentences of the request that name this character; all of them if none or one acts.

    "Mira winks. Oskar sulks." must not rank a sulking Mira first.
    """
    prompt = inputs.brief.prompt
    if len(inputs.cast) == 1:
        return prompt
    sentences = re.split(r"(?<=[.!?;])\s+", prompt)
    names = [word for word in member.name.lower().split() if len(word) > 2]
    mine = [s for s in sentences if any(name in s.lower() for name in names)]
    return " ".join(mine) or prompt
