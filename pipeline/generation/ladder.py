"""The retry ladder: a verdict that falls short gives a strictly stronger plan, up to a stop."""

from dataclasses import replace

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.inputs import LadderPolicy, PanelInputs
from pipeline.generation.generators.base import Generator
from pipeline.generation.plan import plan_for


def next_plan(
    last: ConditioningPlan,
    inputs: PanelInputs,
    generator: Generator,
    *,
    missing: int,
    spent: tuple[int, float],
) -> ConditioningPlan | None:
    """The next rung, or None at the upper stop.

    Args:
        last: the plan that fell short.
        inputs: what the panel needs.
        generator: the engine that draws.
        missing: how many acceptable alternates are still wanted, ≥ 1.
        spent: attempts made and seconds used so far.

    Returns:
        A plan whose ``strength`` is larger than the last one's and that draws only what is
        missing; None when attempts or seconds are used up.
    """
    if exhausted(inputs.policy, spent):
        return None
    stronger = plan_for(inputs, generator, strength=last.strength + 1)
    return replace(stronger, alternates=missing)


def exhausted(policy: LadderPolicy, spent: tuple[int, float]) -> bool:
    """Whether the budget in attempts or in seconds is used up."""
    attempts, seconds = spent
    return attempts >= policy.max_attempts or seconds >= policy.max_seconds
