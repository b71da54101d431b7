"""A plan in words: what a person sees of a recipe."""

from collections.abc import Iterator

from pipeline.domain.conditioning import (
    CastConditioning,
    ConditioningPlan,
    Intervention,
    ReferenceUse,
    Step,
)
from pipeline.generation.plan import FIRST_TRY


def recipe_words(panel_id: int, plan: ConditioningPlan) -> str:
    """A plan for people, one matter a line, and its JSON as the last line."""
    return "\n".join([*_lines(panel_id, plan), plan.to_json()])


def _lines(panel_id: int, plan: ConditioningPlan) -> Iterator[str]:
    yield (
        f"Panel {panel_id} · recipe {plan.recipe_hash} · {plan.generator} "
        f"{plan.generator_version} · seed {plan.seed} · strength {plan.strength}"
    )
    yield f"Prompt: {plan.prompt}"
    if plan.negative:
        yield f"Negative: {plan.negative}"
    yield from (_member_line(member) for member in plan.cast)
    for control in plan.controls:
        yield (
            f"Guide: {control.kind.value} at {control.scale:.2f}, from {control.start:.0%} to "
            f"{control.end:.0%} of the steps ({control.why})"
        )
    for module in plan.modules:
        yield f"Module: {module.kind.value} of {module.appearance_id} at {module.scale:.2f}"
    if plan.inpaint is not None:
        yield f"Repair: only a part is drawn again ({plan.inpaint.why})"
    yield from _reworked(plan)
    if plan.bucket is not None:
        sampling = plan.sampling
        yield (
            f"Sampling: {sampling.sampler}, {sampling.steps} steps, guidance "
            f"{sampling.guidance:g}, at {plan.bucket.width}×{plan.bucket.height}"
        )
    if plan.style_freedom:
        yield f"Freedom of style: {plan.style_freedom:.0%}"
    yield from _history(plan)
    if plan.interventions:
        yield f"While it was drawn: {'; '.join(map(_intervention, plan.interventions))}"
    if plan.models:
        files = ", ".join(f"{m.role} {m.name} ({m.sha256[:8]})" for m in plan.models)
        yield f"Weights: {files}"
    if plan.notes:
        yield f"Left out: {'; '.join(plan.notes)}"


def _reworked(plan: ConditioningPlan) -> Iterator[str]:
    """What was done with a picture that was there."""
    if plan.variations:
        mixed = ", ".join(f"{v.strength:.0%} of seed {v.seed}" for v in plan.variations)
        yield f"Varied: {mixed}"
    if plan.enlarge is not None:
        yield f"Enlarged: {plan.enlarge.factor} times a side by {plan.enlarge.network.name}"


def _history(plan: ConditioningPlan) -> Iterator[str]:
    """How this recipe came about."""
    started = [s.why for s in plan.steps if s.step is Step.START and s.why != FIRST_TRY]
    if started:
        yield f"Start: {'; '.join(started)}"
    taken = [s for s in plan.steps if s.step is not Step.START]
    if taken:
        words = "; ".join(f"{s.step.value.replace('_', ' ')} ({s.why})" for s in taken)
        yield f"Changed since the try before: {words}"


def _intervention(made: Intervention) -> str:
    what = "given up" if made.hold is None else f"references held {made.hold:g} times as hard"
    return f"alternate {made.alternate + 1} after step {made.step} {what}"


def _member_line(member: CastConditioning) -> str:
    if not member.references:
        return f"References of {member.appearance_id}: none"
    first = member.references[0]
    own = ", ".join(part.text for part in member.negative)
    denied = f" Not in its region: {own}." if own else ""
    return (
        f"References of {member.appearance_id}: {len(member.references)}, held at "
        f"{first.scale:.2f}{_adapters(first)}; first picture {first.reference_id}. "
        f"{first.why}{_others(member)}{_place(member)}{denied}"
    )


def _adapters(use: ReferenceUse) -> str:
    """By which means a reference holds, each with its own scale."""
    means = ", ".join(f"{a.adapter.value.replace('_', ' ')} {a.scale:.2f}" for a in use.adapters)
    return f" ({means})" if means else ""


def _others(member: CastConditioning) -> str:
    rest = ", ".join(f"{use.reference_id} at {use.scale:.2f}" for use in member.references[1:])
    return f" Then {rest}." if rest else ""


def _place(member: CastConditioning) -> str:
    region = member.region
    if region is None:
        return ""
    return f" Drawn from {region.x0} to {region.x1} across, {region.y0} to {region.y1} down."
