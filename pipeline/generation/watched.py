"""Pictures that are looked at while they are drawn: what an engine is told, and what it says back.

The sentinel (:mod:`pipeline.quality.sentinel`) decides; here it is fitted to one run: which history
counts, which pictures are left alone, and what of it goes into the recipe.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from PIL import Image

from pipeline.domain.conditioning import ConditioningPlan, Intervention
from pipeline.domain.inputs import CastInput, PanelInputs
from pipeline.domain.panel import Candidate
from pipeline.domain.sentinel import Bounds, Receipt, Watched
from pipeline.generation.generators.base import Generator, IsCancelled, Progress
from pipeline.quality.sentinel import RAISE, UNKNOWN, Vector, is_control

Seen = Callable[[Image.Image], Vector]
"""From an RGB preview to a unit vector of shape (d,)."""
_SHADES = 4
"""Steps of a colour channel in :func:`colours`: 64 bins for a preview of some thousand pixels."""
_MOST_REFERENCES = 6
"""References of a look that its middle is taken from, canon first: each has to be encoded."""


def colours(preview: Image.Image) -> Vector:
    """Which colours a preview has and how much of each: a unit vector, shape (64,).

    Roots of shares, so that the product of two vectors is Bhattacharyya's coefficient.
    """
    bins = np.asarray(preview.convert("RGB"), np.int64) * _SHADES // 256
    index = (bins * (_SHADES**2, _SHADES, 1)).sum(axis=-1)
    counts = np.bincount(index.ravel(), minlength=_SHADES**3)
    return np.sqrt(counts / counts.sum()).astype(np.float32)


@dataclass(frozen=True, slots=True)
class SentinelPolicy:
    """What a job's sentinel is told.

    ``middle`` is the centroid of the references' previews, ``bounds`` what was learned from
    earlier pictures; where they are off, previews are scored and nothing is decided. ``controls``
    are the alternates that are only looked at in any case. ``seen`` turns a preview into a unit
    vector in the space of ``middle``; ``factor`` is by how much the hold on the references grows.
    """

    middle: Vector
    bounds: Bounds
    controls: frozenset[int] = frozenset()
    seen: Seen = colours
    factor: float = RAISE

    @property
    def decides(self) -> bool:
        """Whether it may change or end anything."""
        return not self.bounds.why_off

    def bounds_of(self, alternate: int) -> Bounds:
        """The bounds for one picture."""
        if self.decides and alternate in self.controls:
            return Bounds(why_off="left alone, so that bounds can be learned")
        return self.bounds


@dataclass(frozen=True, slots=True)
class Guarded:
    """What a guarded job drew, by alternate: None where the picture was given up.

    ``receipts`` are the sentinel's, by alternate; empty without one.
    """

    candidates: tuple[Candidate | None, ...]
    receipts: tuple[Receipt, ...] = ()

    @property
    def kept(self) -> list[Candidate]:
        """The pictures that came to their end."""
        return [candidate for candidate in self.candidates if candidate is not None]

    def interventions(self, factor: float) -> tuple[Intervention, ...]:
        """What was done, so that the same plan with them draws the same pixels."""
        out = []
        for alternate, receipt in enumerate(self.receipts):
            if receipt.anchored_after is not None:
                out.append(Intervention(alternate, receipt.anchored_after, factor))
            if receipt.ended_after is not None:
                out.append(Intervention(alternate, receipt.ended_after))
        return tuple(out)


@runtime_checkable
class GuardedGenerator(Generator, Protocol):
    """An engine that can be looked at while it draws."""

    def generate_guarded(
        self,
        plan: ConditioningPlan,
        pictures: Mapping[str, bytes],
        sentinel: SentinelPolicy | None,
        *,
        progress: Progress,
        cancelled: IsCancelled,
    ) -> Guarded:
        """As :meth:`Generator.generate`, with a sentinel; None for no sentinel at all."""
        ...

    def middle_of(self, references: Mapping[str, bytes]) -> Vector:
        """The middle of references (PNGs by sha256) as previews see them."""
        ...


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a rung drew: the plan with what was done meanwhile, its pictures, and the receipts."""

    plan: ConditioningPlan
    candidates: Sequence[Candidate]
    watched: Watched | None = None


def draw(
    plan: ConditioningPlan,
    pictures: Mapping[str, bytes],
    generator: Generator,
    inputs: PanelInputs,
    *,
    progress: Progress,
    cancelled: IsCancelled,
) -> Drawn:
    """Draw a plan, watched where the engine can be and the inputs want it.

    A plan that was changed while it was drawn before is repeated as it is.

    Args:
        plan: the recipe.
        pictures: PNGs by sha256 that it names.
        generator: the engine.
        inputs: the cast, and the bounds that were learned from earlier pictures.
        progress: told the share done.
        cancelled: asked between steps.
    """
    told = {"progress": progress, "cancelled": cancelled}
    known, references = inputs.sentinel, _references(inputs)
    if (
        known is None
        or not references
        or plan.interventions
        or plan.inpaint is not None  # a repair is mostly the picture that it repairs
        or not isinstance(generator, GuardedGenerator)
    ):
        return Drawn(plan, generator.generate(plan, pictures, **told))
    kind = kind_of(plan)
    controls = frozenset(n for n in range(plan.alternates) if is_control(plan.seed + n))
    bounds = known.get(kind, Bounds(why_off=UNKNOWN))
    policy = SentinelPolicy(generator.middle_of(references), bounds, controls)
    found = generator.generate_guarded(plan, pictures, policy, **told)
    watched = Watched(look_of(inputs.cast), kind, found.receipts) if found.receipts else None
    changed = replace(plan, interventions=found.interventions(policy.factor))
    return Drawn(changed, found.kept, watched)


def look_of(cast: Sequence[CastInput]) -> str:
    """Who is on a panel: the appearance ids in order, joined by commas."""
    return ",".join(sorted(member.appearance_id for member in cast))


def kind_of(plan: ConditioningPlan) -> str:
    """A name (12 hex digits) for all that preview scores depend on beside who is drawn.

    Engine, weights, sampling, shot and colour mode: scores of another kind mean something else.
    """
    facts = {
        "generator": plan.generator,
        "models": sorted((model.role, model.sha256) for model in plan.models),
        "sampling": asdict(plan.sampling),
        "shot": plan.shot_type,
        "color": plan.color_mode,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _references(inputs: PanelInputs) -> dict[str, bytes]:
    """What the whole cast looks like: some references of each, PNGs by sha256."""
    out: dict[str, bytes] = {}
    for member in inputs.cast:
        first = sorted(member.references, key=lambda r: (not r.canon, r.reference_id))
        out |= {r.sha256: r.image for r in first[:_MOST_REFERENCES]}
    return out
