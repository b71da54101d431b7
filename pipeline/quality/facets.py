"""A recipe as a handful of comparable words, so that two of them can be told apart."""

from collections.abc import Iterator

from pipeline.domain.conditioning import ConditioningPlan, PartKind
from pipeline.generation.draft.scene import read_scene

_TEMPLATE = frozenset({PartKind.STYLE, PartKind.INK, PartKind.QUALITY, PartKind.OPPOSITE})
_MOST = 80


def facets_of(plan: ConditioningPlan | None, character_id: str) -> dict[str, str]:
    """What a picture of a character was made with, by facet; a person's drawing has its own.

    The facets are those that the source names for a drop: prompt template, model, LoRA, lighting
    and reference set, and besides the engine, the shot and how strongly references hold.
    """
    if plan is None:
        return {"engine": "drawn by hand"}
    return {name: value[:_MOST] for name, value in _facets(plan, character_id)}


def _facets(plan: ConditioningPlan, character_id: str) -> Iterator[tuple[str, str]]:
    yield "engine", f"{plan.generator} {plan.generator_version}"
    yield "model", ", ".join(f"{m.name} {m.sha256[:8]}" for m in plan.models)
    looks = {m.appearance_id for m in plan.cast if m.character_id == character_id}
    loras = [m for m in plan.modules if m.appearance_id in looks]
    yield "LoRA", ", ".join(sorted(f"{m.kind.value} {m.sha256[:8]} at {m.scale:g}" for m in loras))
    parts = [*plan.prompt_parts, *plan.negative_parts]
    kept = [p.text for p in parts if p.kind in _TEMPLATE and p.character_id is None]
    yield "prompt template", ", ".join(sorted(set(kept)))
    asked = " ".join(p.text for p in plan.prompt_parts if p.kind is PartKind.REQUEST)
    scene = read_scene(asked or plan.prompt)
    yield "lighting", f"{scene.time.value}, {scene.weather.value}"
    used = sorted(
        {r.reference_id for m in plan.cast if m.character_id == character_id for r in m.references}
    )
    yield "reference set", ", ".join(map(str, used))
    yield "shot", plan.shot_type.value
    yield "hold", f"strength {plan.strength}"
