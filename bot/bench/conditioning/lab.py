"""Draws a subject under a condition, and looks at what came out as the check does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.bench.conditioning.subjects import (
    SHOWN,
    Subject,
    Troupe,
    Weights,
    head_of,
    prints_of,
)
from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import (
    Adapter,
    AdapterScale,
    CastConditioning,
    ConditioningPlan,
    ModuleUse,
    PartKind,
    PromptPart,
    ReferenceUse,
    Sampling,
)
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.domain.quality import Verdict
from pipeline.fingerprints.composite import Segments, fused_similarity
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.scales import Place
from pipeline.generation.generators.base import unheard
from pipeline.generation.generators.diffusers import DiffusersGenerator
from pipeline.imaging.crops import find_figure
from pipeline.imaging.decode import load_canonical
from pipeline.quality.looks import check_figure
from pipeline.quality.stiffness import copy_score

STEPS = 16
LIGHT = 0.3
"""A scale at which references hold lightly, so that there is something left to go wrong."""
_HEAD = Place(CropClass.HEAD, ColorMode.COLOR)


@dataclass(frozen=True, slots=True)
class Hold:
    """A condition: what a subject is drawn with.

    Attributes:
        scale: of the IP-Adapter, 0 for none.
        references: how many are shown.
        attention: strength of reference attention.
        words: whether the prompt tells the looks.
        more: is asked for beside what the prompt says.
        negative: must not appear; ``weight`` is how much that counts.
        modules: trained for the look.
    """

    scale: float = 0.0
    references: int = 1
    attention: float = 0.0
    words: bool = False
    more: str = ""
    negative: str = ""
    weight: float = 1.0
    modules: tuple[ModuleUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What the check sees in a picture of a subject.

    ``similarity`` is that of the head to the nearest reference, None where there is no head;
    ``found`` whether the line-up's nearest head is the subject's; ``stands`` whether a figure
    stands out at all; ``passed`` whether the check takes it for on-model, never where none does;
    ``copied`` how much it repeats a reference, 0 to 1.
    """

    similarity: float | None
    found: bool = False
    stands: bool = False
    passed: bool = False
    copied: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Lab:
    """The engine on the given weights, and the check."""

    weights: Weights
    encoders: Sequence[Encoder]
    engine: DiffusersGenerator
    options: Mapping[str, Any]
    guidance: float
    troupe: Troupe = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "troupe", Troupe(self.weights, self.encoders))

    def plan(self, subject: Subject, hold: Hold, seed: int) -> ConditioningPlan:
        """The recipe of a condition: square, one alternate, at the model's own size."""
        adapters = (
            AdapterScale(Adapter.IP_WHOLE, hold.scale),
            AdapterScale(Adapter.REFERENCE_ATTENTION, hold.attention),
        )
        held = tuple(one for one in adapters if one.scale > 0)
        uses = tuple(
            ReferenceUse(
                r.sha256, r.reference_id, max(hold.scale, hold.attention), "", adapters=held
            )
            for r in (subject.member.references[: hold.references] if held else ())
        )
        text = subject.prompt if hold.words else subject.plain
        text = f"{text}, {hold.more}" if hold.more else text
        against = (PromptPart(hold.negative, "", PartKind.REQUEST, weight=hold.weight),)
        name, side = subject.member.character_id, self.weights.side
        return ConditioningPlan(
            generator=self.engine.name,
            generator_version=self.engine.version,
            prompt=text,
            negative=hold.negative,
            cast=(CastConditioning(name, name, "", uses),),
            shot_type=ShotType.HALF,
            color_mode=ColorMode.COLOR,
            size=Size(SHOWN, SHOWN),
            seed=seed,
            alternates=1,
            negative_parts=against if hold.negative else (),
            modules=hold.modules,
            sampling=Sampling("euler", STEPS, self.guidance),
            bucket=Size(side, side),
        )

    def draw(
        self, plan: ConditioningPlan, *subjects: Subject, more: Mapping[str, bytes] | None = None
    ) -> bytes:
        """The picture of a plan, as PNG."""
        pictures = {k: v for one in subjects for k, v in one.pictures.items()} | dict(more or {})
        return self.engine.generate(plan, pictures, progress=unheard, cancelled=lambda: False)[
            0
        ].image

    def look(self, png: bytes, subject: Subject, plan: ConditioningPlan | None = None) -> Look:
        """What the check sees in a picture; with a plan also how much it copies.

        Where no figure stands out, as with weights that have learned little, it looks where the
        real drawing has its figure: framing is the same in all pictures of a subject.
        """
        image = load_canonical(png)
        alone = find_figure(image)
        figure = alone or find_figure(load_canonical(subject.truth))
        if figure is None:
            return Look(None)
        prints = prints_of(image, figure, self.encoders)
        head = head_of(prints)
        if not head:
            return Look(None)
        check = check_figure(subject.member, prints, ColorMode.COLOR, figure.box)
        line_up = [likeness(head, other) for other in subject.line_up]
        return Look(
            similarity=nearest(head, subject),
            found=line_up[0] >= max(line_up),
            stands=alone is not None,
            passed=alone is not None and check.verdict is Verdict.ON_MODEL,
            copied=None if plan is None else self._copied(png, subject, plan, figure.box),
        )

    def measure(self, subject: Subject, hold: Hold, seed: int) -> Look:
        """Draw a subject under a condition and look at it."""
        plan = self.plan(subject, hold, seed)
        return self.look(self.draw(plan, subject), subject, plan)

    def _copied(
        self, png: bytes, subject: Subject, plan: ConditioningPlan, box: Box
    ) -> float | None:
        placed = PlacedFigure(subject.member.character_id, box)
        candidate = Candidate(png, Size(SHOWN, SHOWN), (placed,))
        return copy_score(candidate, plan, subject.pictures)


def likeness(head: Segments, other: Segments) -> float:
    """The check's similarity of two heads; -1 where one of them is not there."""
    fused = fused_similarity(head, other, _HEAD)
    return -1.0 if fused is None else fused.similarity


def nearest(head: Segments, subject: Subject) -> float:
    """The similarity of a head to the nearest reference of a subject."""
    return max(likeness(head, head_of(r.fingerprints)) for r in subject.member.references)


def with_region(plan: ConditioningPlan, region: Box | None) -> CastConditioning:
    """The plan's one character, confined to a region."""
    return replace(plan.cast[0], region=region)
