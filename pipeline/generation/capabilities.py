"""What an engine can do, and what it therefore leaves out of a plan: said aloud, never dropped."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.domain.conditioning import (
    Adapter,
    AdapterScale,
    CastConditioning,
    ConditioningPlan,
    ControlKind,
    ModelFile,
    ReferenceUse,
    Sampling,
)
from pipeline.domain.geometry import Size

USUAL_SAMPLING = Sampling()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """An engine's own account of itself (source JY9).

    ``references`` is how many pictures per character it can hold on to. ``adapters`` are the
    means by which it does so, each with a scale of its own; empty for an engine that has one
    hold only, or none. ``control_kinds`` are the guide pictures for which it has a model, where
    ``controls`` is true. ``pastes_references``: copies the registered art by design, so that a
    picture that repeats its reference is no fault. ``native_pixels`` is the area that its model
    was trained at and ``side_multiple`` what its sides must be divisible by; with
    ``native_pixels`` None it draws any size as it is. ``sampling`` is how it walks from noise to
    picture unless a plan is changed by hand: distilled models need few steps. ``variations`` is how
    many times in a row it can vary a picture of its own.
    """

    references: int = 0
    adapters: frozenset[Adapter] = frozenset()
    controls: bool = False
    control_kinds: frozenset[ControlKind] = frozenset(ControlKind)
    regions: bool = False
    inpaint: bool = False
    lora: bool = False
    textual_inversion: bool = False
    negative: bool = False
    prompt_weights: bool = False
    samples: bool = False
    pastes_references: bool = False
    native_pixels: int | None = None
    side_multiple: int = 8
    prompt_tokens: int | None = 154
    sampling: Sampling = USUAL_SAMPLING
    models: tuple[ModelFile, ...] = ()
    variations: int = 0

    @property
    def several_adapters(self) -> bool:
        """Whether more than one adapter can hold at once."""
        return len(self.adapters) > 1

    @property
    def reference_attention(self) -> bool:
        """Whether generated latents can attend to a reference's own."""
        return Adapter.REFERENCE_ATTENTION in self.adapters


def fit_to(plan: ConditioningPlan, engine: Capabilities) -> ConditioningPlan:
    """The plan as the engine can carry it out, with a note for everything that it leaves out.

    Parts that the engine cannot use are taken out, so that the stored recipe tells the truth.
    """
    notes = tuple(_shortfalls(plan, engine))
    fitted = replace(
        plan,
        cast=tuple(_fit_member(member, engine) for member in plan.cast),
        notes=notes,
        models=engine.models,
        bucket=bucket_for(plan.size, engine),
        variations=plan.variations[: engine.variations],
    )
    if not engine.negative:
        fitted = replace(fitted, negative="", negative_parts=())
    fitted = replace(fitted, controls=tuple(c for c in fitted.controls if _guides(engine, c.kind)))
    if not engine.inpaint:
        fitted = replace(fitted, inpaint=None)
    usable = {"lora": engine.lora, "textual_inversion": engine.textual_inversion}
    return replace(fitted, modules=tuple(m for m in fitted.modules if usable[m.kind]))


def _shortfalls(plan: ConditioningPlan, engine: Capabilities) -> Iterator[str]:
    """What the plan asks for and the engine cannot do, a few words each."""
    kinds = {module.kind.value for module in plan.modules}
    unguided = dict.fromkeys(c.kind.value for c in plan.controls if not _guides(engine, c.kind))
    draws = engine.references > 0 and not engine.pastes_references
    asked = (
        (bool(plan.negative or plan.negative_parts), engine.negative, "negative prompt"),
        (bool(unguided), False, f"guide pictures ({', '.join(unguided)})"),
        (any(m.region for m in plan.cast), engine.regions, "regions for the characters"),
        (any(m.negative for m in plan.cast), engine.regions, "negatives per character"),
        (plan.inpaint is not None, engine.inpaint, "local repair"),
        ("lora" in kinds, engine.lora, "LoRA"),
        ("textual_inversion" in kinds, engine.textual_inversion, "textual inversion"),
        (any(m.references for m in plan.cast), engine.references > 0, "reference pictures"),
        (
            any(len(m.references) > engine.references > 0 for m in plan.cast),
            False,
            f"more than {engine.references} reference pictures per character",
        ),
        (draws, engine.reference_attention, "reference attention"),
        (len(plan.variations) > engine.variations, False, "further variation of a variation"),
        (plan.style_freedom > 0, not engine.pastes_references, "freedom of style"),
    )
    for wanted, able, words in asked:
        if wanted and not able:
            yield f"{plan.generator}: no {words}"


def _guides(engine: Capabilities, kind: ControlKind) -> bool:
    return engine.controls and kind in engine.control_kinds


def _fit_member(member: CastConditioning, engine: Capabilities) -> CastConditioning:
    uses = tuple(_fit_reference(use, engine) for use in member.references[: engine.references])
    if engine.regions:
        return replace(member, references=uses)
    return replace(member, references=uses, region=None, negative=())


def _fit_reference(use: ReferenceUse, engine: Capabilities) -> ReferenceUse:
    kept = tuple(a for a in use.adapters if a.adapter in engine.adapters)
    return replace(use, adapters=kept)


def adapter_scales(scale: float, engine: Capabilities, freedom: float) -> tuple[AdapterScale, ...]:
    """What a hold of ``scale`` comes to for each adapter of the engine, face before whole.

    Freedom of style loosens what carries style (the whole picture, reference attention) down to
    a half and leaves the face alone: identity stays, the drawing may change (source CC6).
    """
    loose = scale * (1 - 0.5 * freedom)
    held = {
        Adapter.IP_FACE: scale,
        Adapter.IP_WHOLE: loose,
        Adapter.REFERENCE_ATTENTION: loose,
    }
    return tuple(AdapterScale(a, round(v, 4)) for a, v in held.items() if a in engine.adapters)


def bucket_for(size: Size, engine: Capabilities) -> Size | None:
    """The size at which an engine works: about its native area, in the panel's proportions.

    Returns:
        None for an engine that draws any size as it is.
    """
    if engine.native_pixels is None:
        return None
    step = engine.side_multiple
    scale = (engine.native_pixels / (size.width * size.height)) ** 0.5
    return Size(*(max(step, round(side * scale / step) * step) for side in size))
