"""The retry ladder: a verdict that falls short gives a strictly stronger plan, up to a stop."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.domain.conditioning import ConditioningPlan, Step, StepTaken
from pipeline.domain.inputs import LadderPolicy, PanelInputs
from pipeline.domain.quality import Attempt, JudgedCandidate
from pipeline.generation.evidence import order_steps
from pipeline.generation.generators.base import Generator
from pipeline.generation.guides.panel_guides import with_chosen_pose, with_guides
from pipeline.generation.plan import SEED_STEP, plan_for
from pipeline.generation.revise import revised
from pipeline.generation.steps import MOVES, Moved, Situation, lower_identity, raise_identity
from pipeline.quality.hints import mode_hint, worst_check
from pipeline.quality.stiffness import STIFF
from pipeline.quality.tone import mode_beside

SEED_ONLY = 2
"""Rungs of a climb that may change nothing but the seed: the upper stop."""


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """A plan to try next, and the PNGs by sha256 that it names and nobody has yet."""

    plan: ConditioningPlan
    pictures: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a climb has used: attempts, seconds in all, and seconds of its longest attempt."""

    attempts: int
    seconds: float
    longest: float = 0.0


def first_rung(inputs: PanelInputs, generator: Generator) -> Rung:
    """The plan to try first, with the guide pictures that were made for it.

    Where the inputs name a recipe to change, that is the plan, with the named parts changed.

    Raises:
        MissingReference: a character has nothing to draw from.
        InvalidPicture: the kept sketch is damaged.
    """
    guided = with_guides(with_chosen_pose(inputs), generator.capabilities)
    plan = plan_for(guided, generator, strength=inputs.start_strength)
    if inputs.base is not None:
        plan = revised(plan, inputs.base, guided, generator)
    made = sorted(plan.pictures - inputs.pictures.keys())
    return Rung(plan, {sha256: guided.pictures[sha256] for sha256 in made})


def next_rung(
    attempts: Sequence[Attempt],
    inputs: PanelInputs,
    generator: Generator,
    *,
    missing: int,
    spent: Spent,
) -> Rung | None:
    """The next rung, or None at the upper stop.

    Every rung draws with other seeds and holds the identity harder, unless the figures already
    repeat their references: then it holds them less. Beside that it takes one step that is aimed
    at what seems to have drifted: the least used so far, the most promising first among equals.

    Args:
        attempts: what was tried so far, the last one with a plan.
        inputs: what the panel needs.
        generator: the engine that draws.
        missing: how many acceptable alternates are still wanted, ≥ 1.
        spent: what the climb has used.

    Returns:
        A plan whose ``strength`` is larger than the last one's and that draws only what is
        missing; None when attempts or seconds are used up, or nothing can be made stronger.
    """
    last = attempts[-1].plan
    if last is None or exhausted(inputs.policy, spent):
        return None
    now = _situation(attempts, inputs, generator)
    plan, steps, pictures = replace(last, steps=(), inpaint=None, interventions=()), [], {}
    for choose in (_identity, _aimed) if now.best is not None else (_identity,):
        step, moved = choose(plan, now, attempts[-1])
        if moved is not None:
            plan, pictures = moved.plan, {**pictures, **moved.pictures}
            steps.append(StepTaken(step, moved.why, now.mode, now.character_id))
    if not steps:
        if _seed_only(attempts) >= SEED_ONLY:
            return None
        steps.append(StepTaken(Step.CHANGE_SEED, "nothing can be made stronger", now.mode))
    stronger = replace(
        plan,
        strength=last.strength + 1,
        alternates=missing,
        steps=tuple(steps),
    ).first_is(SEED_STEP)
    return Rung(stronger, pictures)


def same_again(attempts: Sequence[Attempt]) -> Rung:
    """The last plan with other seeds, for a climb that ends before it has any picture at all.

    Raises:
        ValueError: there was no attempt with a plan.
    """
    last = attempts[-1].plan
    if last is None:
        raise ValueError("a person's drawing cannot be drawn again")
    why = "every picture so far was given up while it was drawn"
    steps = (StepTaken(Step.CHANGE_SEED, why),)
    again = replace(last, strength=last.strength + 1, steps=steps, interventions=())
    return Rung(again.first_is(SEED_STEP))


def exhausted(policy: LadderPolicy, spent: Spent) -> bool:
    """Whether attempts are used up, or one more like the longest would overrun the seconds."""
    over = spent.seconds + spent.longest >= policy.max_seconds
    return spent.attempts >= policy.max_attempts or over


def _situation(attempts: Sequence[Attempt], inputs: PanelInputs, generator: Generator) -> Situation:
    """Who drifted and how, judged by the best picture so far, if there is one."""
    best = max((j for a in attempts for j in a.candidates), key=_margin, default=None)
    used = Counter(step.step for a in attempts if a.plan is not None for step in a.plan.steps)
    named = inputs.hints[0] if inputs.hints else ""
    beside = "" if best is None else mode_beside(best.report.tone)
    check = None if best is None else worst_check(best.report)
    if check is None:
        return Situation(inputs, generator.capabilities, best, named or beside, None, used)
    member = next((m for m in inputs.cast if m.character_id == check.character_id), None)
    counts, colors = inputs.attribute_counts, inputs.brief.color_mode
    mode = mode_hint(check, member, colors, counts) if member is not None else ""
    # what a person named counts for more than what the check guesses
    mode = named or mode or beside
    return Situation(inputs, generator.capabilities, best, mode, check.character_id, used)


def _margin(judged: JudgedCandidate) -> float:
    return judged.report.margin if judged.report.margin is not None else -2.0


def _identity(
    plan: ConditioningPlan, now: Situation, attempt: Attempt
) -> tuple[Step, Moved | None]:
    """Hold harder, or less where the last figures are copies."""
    score = attempt.copy_score
    if score is not None and score >= STIFF and not now.engine.pastes_references:
        return Step.LOWER_IDENTITY, lower_identity(plan, now)
    return Step.RAISE_IDENTITY, raise_identity(plan, now)


def _aimed(plan: ConditioningPlan, now: Situation, _attempt: Attempt) -> tuple[Step, Moved | None]:
    """The first aimed step that still has something to do."""
    ordered = order_steps(tuple(MOVES), now.inputs.step_counts, now.mode, plan.generator)
    for step in sorted(ordered, key=lambda one: now.used.get(one, 0)):
        moved = MOVES[step](plan, now)
        if moved is not None:
            return step, moved
    return Step.CHANGE_SEED, None


def _seed_only(attempts: Sequence[Attempt]) -> int:
    return sum(
        step.step is Step.CHANGE_SEED
        for attempt in attempts
        if attempt.plan is not None
        for step in attempt.plan.steps
    )
