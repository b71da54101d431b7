"""What differs between two recipes, in words: the first place to look when a character drifts."""

from collections.abc import Iterator

from pipeline.domain.conditioning import CastConditioning, ConditioningPlan, PartKind, PromptPart

MOST = 6


def recipe_changes(
    before: ConditioningPlan, after: ConditioningPlan, character_id: str | None = None
) -> tuple[str, ...]:
    """Name what changed between two plans, what decides about identity first.

    Args:
        before: the plan of a good picture.
        after: the plan of the one in question.
        character_id: whose references to compare; None for all that both have.

    Returns:
        At most :data:`MOST` sentences; seed and request are left out, they change every time.
    """
    return tuple(_changes(before, after, character_id))[:MOST]


def _changes(
    before: ConditioningPlan, after: ConditioningPlan, character_id: str | None
) -> Iterator[str]:
    if before.generator != after.generator:
        yield f"Engine: {before.generator} to {after.generator}"
    elif before.generator_version != after.generator_version:
        yield f"Engine version: {before.generator_version} to {after.generator_version}"
    yield from _models(before, after)
    old = {m.appearance_id: m for m in before.cast}
    for member in after.cast:
        if character_id in (None, member.character_id):
            yield from _member(old.get(member.appearance_id), member)
    loras = [{m.sha256: m for m in plan.modules} for plan in (before, after)]
    for sha in loras[0].keys() ^ loras[1].keys():
        verb, owner = ("new", loras[1]) if sha in loras[1] else ("gone", loras[0])
        yield f"Module of {owner[sha].appearance_id}: {verb}"
    yield from _template(before, after)
    yield from _sampling(before, after)


def _models(before: ConditioningPlan, after: ConditioningPlan) -> Iterator[str]:
    old = {m.role: m for m in before.models}
    for model in after.models:
        was = old.get(model.role)
        if was is not None and was.sha256 != model.sha256:
            yield f"{model.role.capitalize()} weights: {was.name} to {model.name}"


def _member(before: CastConditioning | None, after: CastConditioning) -> Iterator[str]:
    if before is None:
        return
    ids = [{use.reference_id for use in m.references} for m in (before, after)]
    if ids[0] != ids[1]:
        gone, new = sorted(ids[0] - ids[1]), sorted(ids[1] - ids[0])
        words = [f"without #{k}" for k in gone] + [f"with #{k}" for k in new]
        yield f"References of {after.appearance_id}: {', '.join(words)}"
    holds = [max((use.scale for use in m.references), default=0.0) for m in (before, after)]
    if abs(holds[0] - holds[1]) >= 0.05:
        yield f"Hold on {after.appearance_id}: {holds[0]:.2f} to {holds[1]:.2f}"
    if before.identity != after.identity:
        yield f"Identity words of {after.appearance_id} are others"


def _template(before: ConditioningPlan, after: ConditioningPlan) -> Iterator[str]:
    for kind, name in ((PartKind.STYLE, "Style words"), (PartKind.INK, "Ink words"),
                       (PartKind.QUALITY, "Negative words")):  # fmt: skip
        old, new = _texts(before, kind), _texts(after, kind)
        if old != new:
            extra = ", ".join(sorted(new - old)) or "fewer"
            yield f"{name}: {extra[:80]}"
    if before.shot_type is not after.shot_type:
        yield f"Shot: {before.shot_type.value} to {after.shot_type.value}"
    if before.color_mode is not after.color_mode:
        yield f"Colours: {before.color_mode.value} to {after.color_mode.value}"
    if abs(before.style_freedom - after.style_freedom) > 1e-9:
        yield f"Freedom of style: {before.style_freedom:.0%} to {after.style_freedom:.0%}"


def _texts(plan: ConditioningPlan, kind: PartKind) -> set[str]:
    parts: list[PromptPart] = [*plan.prompt_parts, *plan.negative_parts]
    return {part.text for part in parts if part.kind is kind}


def _sampling(before: ConditioningPlan, after: ConditioningPlan) -> Iterator[str]:
    old, new = before.sampling, after.sampling
    if old != new:
        yield (
            f"Sampling: {old.sampler} {old.steps}×{old.guidance:g} to "
            f"{new.sampler} {new.steps}×{new.guidance:g}"
        )
