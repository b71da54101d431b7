"""The plan: everything that a generator needs, and nothing that it has to look up."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.geometry import Box, Size
from pipeline.domain.plain import from_plain

PLAN_VERSION = 4
"""Grows with every change of the fields; older plans are migrated when they are read."""


class PartKind(StrEnum):
    """Where a piece of a prompt comes from."""

    FRAMING = "framing"
    REQUEST = "request"
    IDENTITY = "identity"
    INK = "ink"
    STYLE = "style"
    OPPOSITE = "opposite"
    QUALITY = "quality"


class ReferenceRole(StrEnum):
    """What a reference is used for."""

    WHOLE = "whole"
    FACE = "face"
    OUTFIT = "outfit"


class Adapter(StrEnum):
    """By which means a reference takes hold of the picture."""

    IP_WHOLE = "ip_whole"
    IP_FACE = "ip_face"
    REFERENCE_ATTENTION = "reference_attention"


class ControlKind(StrEnum):
    """What a guide picture shows."""

    EDGES = "edges"
    POSE = "pose"
    DEPTH = "depth"


class ModuleKind(StrEnum):
    """A trained identity that an engine can load."""

    LORA = "lora"
    TEXTUAL_INVERSION = "textual_inversion"


class Step(StrEnum):
    """What the retry ladder can do to a plan. The words are stored; keep them."""

    START = "start"
    RAISE_IDENTITY = "raise_identity"
    LOWER_IDENTITY = "lower_identity"
    SWAP_REFERENCE = "swap_reference"
    ADD_REFERENCE = "add_reference"
    RAISE_NEGATIVE = "raise_negative"
    USE_MODULE = "use_module"
    REPAIR_REGION = "repair_region"
    CHANGE_SEED = "change_seed"


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A piece of the prompt or of the negative prompt, and why it is there.

    ``weight`` multiplies the attention that an engine pays to it; 1 is plain. ``character_id``
    names whose piece it is, None where it is about the whole picture. ``mode`` is the drift mode
    that a negative piece suppresses.
    """

    text: str
    why: str
    kind: PartKind
    character_id: str | None = None
    weight: float = 1.0
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class AdapterScale:
    """How strongly one adapter holds on to a reference, 0 (not) to 1 (fully)."""

    adapter: Adapter
    scale: float


@dataclass(frozen=True, slots=True)
class ReferenceUse:
    """A reference picture (by content hash) and how strongly it holds, 0 (not) to 1 (fully).

    ``scale`` is the hold as the ladder sees it; ``adapters`` says what it comes to for each
    adapter of the engine, and is empty for an engine that has none.
    """

    sha256: str
    reference_id: int
    scale: float
    why: str
    role: ReferenceRole = ReferenceRole.WHOLE
    adapters: tuple[AdapterScale, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlUse:
    """A guide picture (by content hash): how strongly (0 to 1) and during which share of steps.

    The picture is finished: white lines on black, a skeleton in OpenPose's colours, or depth with
    near parts bright. No engine prepares it again. ``character_id`` confines it to that
    character's region, None means the whole picture.
    """

    kind: ControlKind
    sha256: str
    scale: float
    why: str
    start: float = 0.0
    end: float = 1.0
    character_id: str | None = None


@dataclass(frozen=True, slots=True)
class ModuleUse:
    """A LoRA or a textual inversion, chosen by appearance; ``trigger`` is its word or token."""

    kind: ModuleKind
    appearance_id: str
    sha256: str
    scale: float
    why: str
    trigger: str = ""


@dataclass(frozen=True, slots=True)
class InpaintUse:
    """Draw again only where the mask is white, on top of a base picture; both by content hash.

    ``denoise`` is how far the masked part may change, 0 (not) to 1 (fully). Base and mask are
    PNGs of the plan's ``size``.
    """

    base_sha256: str
    mask_sha256: str
    denoise: float
    why: str
    character_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an engine walks from noise to picture. Engines without sampling ignore it."""

    sampler: str = "dpmpp_2m_karras"
    steps: int = 28
    guidance: float = 6.0


@dataclass(frozen=True, slots=True)
class Variation:
    """Other noise that is mixed into a seed's own: ``strength`` 0 leaves it, 1 replaces it.

    Mixed along the great circle between the two (spherical interpolation), so that the mixture is
    as strong as either. Engines without noise read it as: the same scene, otherwise staged.
    Source: "variation seed" of AUTOMATIC1111's web UI; K. Shoemake, "Animating rotation with
    quaternion curves", SIGGRAPH 1985.
    """

    seed: int
    strength: float


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of weights that decides about the pixels, by role and content hash."""

    role: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Enlargement:
    """A drawn picture (by content hash) made larger, ``factor`` times each side, by a network.

    Nothing is drawn anew: the rest of the plan says how the picture came about.
    """

    base_sha256: str
    factor: int
    network: ModelFile


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step of the ladder that led to this plan, the drift that it is against, and why."""

    step: Step
    why: str
    mode: str = ""
    character_id: str | None = None


@dataclass(frozen=True, slots=True)
class Intervention:
    """What was done to an alternate (counted from 0) after so many of its steps.

    From then on its references hold ``hold`` times as hard; None: it was given up there.
    """

    alternate: int
    step: int
    hold: float | None = None


@dataclass(frozen=True, slots=True)
class CastConditioning:
    """One character of the panel: its identity words, references, height and place.

    ``region`` is where it may be drawn, in pixels of the plan's ``size``, None for anywhere.
    ``negative`` holds what must not appear in that region alone.
    """

    character_id: str
    appearance_id: str
    identity: str
    references: tuple[ReferenceUse, ...]
    height_ratio: float = 1.0
    region: Box | None = None
    negative: tuple[PromptPart, ...] = ()


@dataclass(frozen=True, slots=True)
class ConditioningPlan:
    """A complete recipe: the same plan on the same generator draws the same pixels.

    ``strength`` is the rung of the retry ladder, 0 for the first try and strictly larger for each
    retry. ``alternates`` pictures are drawn; alternate ``i`` uses seed ``seed + i``. ``bucket`` is
    the size at which the engine works, None for ``size`` itself. ``style_freedom`` (0 to 1) is how
    far the panel may leave the style of its references (source CC6). ``variations`` are mixed into
    the noise of ``seed`` one after the other; where there are any, all alternates use ``seed``
    itself and alternate ``i`` the seed of the last variation plus ``i``. ``notes`` says, for
    people, what the engine leaves out of what was asked for. ``interventions`` were made while it
    was first drawn, and are made again.
    """

    generator: str
    generator_version: str
    prompt: str
    negative: str
    cast: tuple[CastConditioning, ...]
    shot_type: ShotType
    color_mode: ColorMode
    size: Size
    seed: int
    alternates: int
    strength: int = 0
    balloon_lines: int = 0
    prompt_parts: tuple[PromptPart, ...] = ()
    negative_parts: tuple[PromptPart, ...] = ()
    controls: tuple[ControlUse, ...] = ()
    modules: tuple[ModuleUse, ...] = ()
    inpaint: InpaintUse | None = None
    sampling: Sampling = Sampling()
    bucket: Size | None = None
    models: tuple[ModelFile, ...] = ()
    style_freedom: float = 0.0
    steps: tuple[StepTaken, ...] = ()
    notes: tuple[str, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    variations: tuple[Variation, ...] = ()
    enlarge: Enlargement | None = None

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, so that equal plans give equal text."""
        return json.dumps(
            {"version": PLAN_VERSION, **asdict(self)}, sort_keys=True, ensure_ascii=False
        )

    @classmethod
    def from_json(cls, text: str) -> "ConditioningPlan":
        """Read :meth:`to_json` back; the result equals the original.

        Plans that an earlier version of the program stored are read too.

        Raises:
            ValueError: a field is missing, unknown or of the wrong kind, or the plan is of a
                newer version of the program.
        """
        try:
            return from_plain(cls, _current(json.loads(text)))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a conditioning plan: {error}") from error

    @property
    def pictures(self) -> frozenset[str]:
        """The content hashes of what it names beside references: guides, and what is worked on."""
        named = {control.sha256 for control in self.controls}
        if self.inpaint is not None:
            named |= {self.inpaint.base_sha256, self.inpaint.mask_sha256}
        if self.enlarge is not None:
            named.add(self.enlarge.base_sha256)
        return frozenset(named)

    @property
    def drawn(self) -> tuple[int, ...]:
        """The alternates that come to their end, in order: all but what was given up."""
        ended = {one.alternate for one in self.interventions if one.hold is None}
        return tuple(n for n in range(self.alternates) if n not in ended)

    def first_is(self, alternate: int) -> "ConditioningPlan":
        """The plan whose first alternate is that one of this plan."""
        moved = tuple(
            replace(one, alternate=one.alternate - alternate)
            for one in self.interventions
            if one.alternate >= alternate
        )
        plan = replace(self, interventions=moved)
        if not self.variations:
            return replace(plan, seed=self.seed + alternate)
        *before, last = self.variations
        return replace(plan, variations=(*before, replace(last, seed=last.seed + alternate)))

    @property
    def recipe_hash(self) -> str:
        """The first 12 hex digits of the plan's sha256: a short name for people and logs."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]


def _current(data: dict[str, Any]) -> dict[str, Any]:
    """The fields as this version knows them, whichever version wrote them."""
    fields = dict(data)
    version = fields.pop("version", 1)
    if version not in range(1, PLAN_VERSION + 1):
        raise ValueError(f"version {version} is not known here")
    if version < 2:
        fields = _from_version_1(fields)
    if version < 3:  # nothing was changed while it was drawn
        fields = {"interventions": [], **fields}
    if version < 4:
        fields = {"variations": [], "enlarge": None, **fields}
    return fields


def _from_version_1(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew one prompt in one piece, and one scale per reference."""
    cast = [
        {
            "region": None,
            "negative": [],
            **member,
            "references": [
                {"role": ReferenceRole.WHOLE, "adapters": [], **use} for use in member["references"]
            ],
        }
        for member in data["cast"]
    ]
    return {
        "prompt_parts": [],
        "negative_parts": [],
        "controls": [],
        "modules": [],
        "inpaint": None,
        "sampling": asdict(Sampling()),
        "bucket": None,
        "models": [],
        "style_freedom": 0.0,
        "steps": [],
        "notes": [],
        **data,
        "cast": cast,
    }
