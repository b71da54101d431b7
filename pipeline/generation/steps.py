"""What a rung of the ladder can do to a plan; each move says when it has nothing left to do."""

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from PIL import Image, ImageDraw

from pipeline.domain.conditioning import (
    CastConditioning,
    ConditioningPlan,
    InpaintUse,
    ModuleKind,
    Step,
)
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import CastInput, PanelInputs
from pipeline.domain.panel import Candidate
from pipeline.domain.quality import CharacterCheck, JudgedCandidate, Verdict
from pipeline.generation.capabilities import Capabilities, adapter_scales
from pipeline.generation.plan import (
    NEGATIVE_STEP,
    REFERENCES_PER_CHARACTER,
    SCALE_STEP,
    negatives_for,
    rank_for,
    uses_of,
)
from pipeline.prompting.drift import catalogue
from pipeline.quality.attributes import MODES, Attribute

FULL_SCALE, LEAST_SCALE = 1.0, 0.3
"""Between these a hold is raised and lowered."""
HEAVIEST_NEGATIVE = 1.9
"""Above about twice the plain weight text encoders answer with artefacts."""
MOST_REPAIRS = 2
REPAIR_DENOISE = 0.6
"""How far the repaired region may change: another colour, but not another head."""
_MARGIN = 0.08
"""Share of a region's longer side by which the mask reaches over it, so that seams blend."""
_ON_THE_HEAD = frozenset({"face", "hair", "eyes", "skin", "age"})


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """What a move may look at.

    ``best`` is the best candidate so far, None where all were given up while they were drawn;
    ``mode`` and ``character_id`` say what seems to have drifted and on whom, where known; ``used``
    counts the steps of this climb.
    """

    inputs: PanelInputs
    engine: Capabilities
    best: JudgedCandidate | None
    mode: str = ""
    character_id: str | None = None
    used: Mapping[Step, int] = field(default_factory=dict)

    @property
    def target(self) -> str | None:
        """Whose hold is moved; None for everyone's, as engines without regions have one hold."""
        return self.character_id if self.engine.regions else None


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """The plan after a move, why, and the PNGs by sha256 that it brought."""

    plan: ConditioningPlan
    why: str
    pictures: Mapping[str, bytes] = field(default_factory=dict)


Move = Callable[[ConditioningPlan, Situation], Moved | None]


def raise_identity(plan: ConditioningPlan, now: Situation) -> Moved | None:
    """Hold the references harder."""
    if all(_hold(m) >= FULL_SCALE for m in _targets(plan, now)):
        return None
    return Moved(_rescaled(plan, now, SCALE_STEP), "fell short of the model sheet")


def lower_identity(plan: ConditioningPlan, now: Situation) -> Moved | None:
    """Hold the references less: the figure repeats them (source AF33)."""
    if all(_hold(m) <= LEAST_SCALE for m in _targets(plan, now)):
        return None
    return Moved(_rescaled(plan, now, -SCALE_STEP), "the figure repeats its reference")


def swap_reference(plan: ConditioningPlan, now: Situation) -> Moved | None:
    """Put the next reference of the ranking first."""

    def turned(member: CastConditioning, input_: CastInput) -> CastConditioning:
        ranked = rank_for(input_, now.inputs, REFERENCES_PER_CHARACTER)
        ids = [item.reference.reference_id for item in ranked]
        first = member.references[0].reference_id if member.references else None
        turn = (ids.index(first) + 1) % len(ids) if first in ids else 0
        order = (ranked[turn:] + ranked[:turn])[: max(1, len(member.references))]
        uses = uses_of(order, _hold(member), now.inputs, now.engine)
        return replace(member, references=uses)

    most = max(len(m.references) for m in now.inputs.cast) - 1
    if now.engine.references < 1 or now.used.get(Step.SWAP_REFERENCE, 0) >= most:
        return None
    return Moved(_with_members(plan, now, turned), "another reference may fit better")


def add_reference(plan: ConditioningPlan, now: Situation) -> Moved | None:
    """Hold on to one more reference. Not for engines that paste: they show one at a time."""

    def grown(member: CastConditioning, input_: CastInput) -> CastConditioning:
        have = {use.reference_id for use in member.references}
        ranked = rank_for(input_, now.inputs, now.engine.references)
        more = [r for r in ranked if r.reference.reference_id not in have][:1]
        known = [r for r in ranked if r.reference.reference_id in have]
        order = sorted(known, key=lambda r: _place(member, r.reference.reference_id)) + more
        return replace(member, references=uses_of(order, _hold(member), now.inputs, now.engine))

    if now.engine.pastes_references:
        return None
    grown_plan = _with_members(plan, now, grown)
    if _references_in(grown_plan) <= _references_in(plan):
        return None
    return Moved(grown_plan, "one more reference to hold on to")


def raise_negative(plan: ConditioningPlan, now: Situation) -> Moved | None:
    """Let the words against the drift weigh more."""
    mode = catalogue().modes.get(now.mode)
    if mode is None or not mode.fragment or not now.engine.negative:
        return None
    weights = weights_of(plan)
    weight = round(weights.get(now.mode, 1.0) + NEGATIVE_STEP, 2)
    if weight > HEAVIEST_NEGATIVE:
        return None
    chosen = negatives_for(now.inputs, now.engine, {**weights, now.mode: weight})
    raised = replace(
        plan,
        negative=chosen.text,
        negative_parts=chosen.shared,
        cast=tuple(replace(m, negative=chosen.of(m.character_id)) for m in plan.cast),
    )
    if weights_of(raised).get(now.mode, 1.0) <= weights.get(now.mode, 1.0):
        return None  # its words belong to somebody else in the panel
    return Moved(raised, f"{mode.name.lower()} seems to have drifted")


def use_module(plan: ConditioningPlan, now: Situation) -> Moved | None:
    """Load the LoRA that was trained for the look."""
    if not now.engine.lora:
        return None
    loaded = {module.sha256 for module in plan.modules}
    wanted = [
        module
        for member in now.inputs.cast
        if now.character_id in (None, member.character_id)
        for module in member.modules
        if module.kind is ModuleKind.LORA and module.sha256 not in loaded
    ]
    if not wanted:
        return None
    return Moved(
        replace(plan, modules=(*plan.modules, wanted[0])),
        f"a LoRA was trained for {wanted[0].appearance_id}",
    )


def repair_region(plan: ConditioningPlan, now: Situation) -> Moved | None:
    """Draw only the drifted region of the best candidate again."""
    best = now.best
    if best is None or not now.engine.inpaint:
        return None
    failed = [c for c in best.report.checks if c.verdict is not Verdict.ON_MODEL]
    if len(failed) != 1:
        return None
    if now.used.get(Step.REPAIR_REGION, 0) >= MOST_REPAIRS:
        return None
    region = _region(failed[0], best.candidate, now.mode)
    if region is None or best.candidate.size != plan.size:
        return None
    base, mask = best.candidate.image, region_mask(plan.size, region)
    names = [hashlib.sha256(data).hexdigest() for data in (base, mask)]
    why = f"only {failed[0].character_id} falls short"
    use = InpaintUse(names[0], names[1], REPAIR_DENOISE, why, failed[0].character_id)
    return Moved(replace(plan, inpaint=use), why, dict(zip(names, (base, mask), strict=True)))


MOVES: Mapping[Step, Move] = {
    Step.RAISE_NEGATIVE: raise_negative,
    Step.SWAP_REFERENCE: swap_reference,
    Step.USE_MODULE: use_module,
    Step.REPAIR_REGION: repair_region,
    Step.ADD_REFERENCE: add_reference,
}
"""The moves that are aimed at a drift, in the order that holds until evidence decides.

Source: JY11 (higher negative weight first).
"""


def weights_of(plan: ConditioningPlan) -> dict[str, float]:
    """How heavy the words against each drift mode are in a plan."""
    parts = [*plan.negative_parts, *(part for m in plan.cast for part in m.negative)]
    out: dict[str, float] = {}
    for part in parts:
        if part.mode:
            out[part.mode] = max(part.weight, out.get(part.mode, part.weight))
    return out


def region_mask(size: Size, region: Box) -> bytes:
    """A PNG of mode L and of a picture's size: white where it may be drawn again."""
    reach = round(_MARGIN * max(region.width, region.height))
    grown = Box(region.x0 - reach, region.y0 - reach, region.x1 + reach, region.y1 + reach)
    inside = grown.intersection(Box(0, 0, *size))
    mask = Image.new("L", size, 0)
    if inside.area:
        ImageDraw.Draw(mask).rectangle((inside.x0, inside.y0, inside.x1 - 1, inside.y1 - 1), 255)
    stream = io.BytesIO()
    mask.save(stream, "PNG")
    return stream.getvalue()


def _region(check: CharacterCheck, drawn: Candidate, mode: str) -> Box | None:
    """Where the drift is seen, else the head for what is on it, else the whole figure."""
    for drift in check.drift:
        if drift.box is not None and mode in MODES[Attribute(drift.attribute)]:
            return drift.box
    placed = next((f for f in drawn.figures if f.character_id == check.character_id), None)
    known = catalogue().modes.get(mode)
    if known is not None and known.family in _ON_THE_HEAD and placed is not None and placed.head:
        return placed.head
    return placed.box if placed is not None else check.box


def _targets(plan: ConditioningPlan, now: Situation) -> Sequence[CastConditioning]:
    chosen = [m for m in plan.cast if now.target in (None, m.character_id)]
    return chosen or plan.cast


def _hold(member: CastConditioning) -> float:
    return member.references[0].scale if member.references else FULL_SCALE


def _rescaled(plan: ConditioningPlan, now: Situation, by: float) -> ConditioningPlan:
    def moved(member: CastConditioning, _input: CastInput) -> CastConditioning:
        hold = min(FULL_SCALE, max(LEAST_SCALE, round(_hold(member) + by, 4)))
        ratio = hold / _hold(member)
        freedom = now.inputs.brief.style_freedom
        uses = tuple(
            replace(
                use,
                scale=round(use.scale * ratio, 4),
                adapters=adapter_scales(round(use.scale * ratio, 4), now.engine, freedom),
            )
            for use in member.references
        )
        return replace(member, references=uses)

    return _with_members(plan, now, moved)


def _with_members(
    plan: ConditioningPlan,
    now: Situation,
    change: Callable[[CastConditioning, CastInput], CastConditioning],
) -> ConditioningPlan:
    targets = {member.character_id for member in _targets(plan, now)}
    inputs = {member.character_id: member for member in now.inputs.cast}
    return replace(
        plan,
        cast=tuple(
            change(m, inputs[m.character_id])
            if m.character_id in targets and m.character_id in inputs
            else m
            for m in plan.cast
        ),
    )


def _references_in(plan: ConditioningPlan) -> int:
    return sum(len(member.references) for member in plan.cast)


def _place(member: CastConditioning, reference_id: int) -> int:
    return [use.reference_id for use in member.references].index(reference_id)
