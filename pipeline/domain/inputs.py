"""Everything that a run needs in one value, so that it runs with no database inside."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.domain.calibration import Calibration
from pipeline.domain.character import Mark, ReferenceKind, ShotType
from pipeline.domain.conditioning import ConditioningPlan, ControlUse, ModuleUse
from pipeline.domain.evidence import AttributeCount, DriftCount, StepCount
from pipeline.domain.fingerprint import Fingerprint, PictureHashes
from pipeline.domain.panel import Candidate, PanelBrief
from pipeline.domain.pose import Pose
from pipeline.domain.quality import CandidateReport, Threshold
from pipeline.domain.safety import SafetyPolicy
from pipeline.domain.sentinel import Bounds
from pipeline.domain.taste import Taste

_SAFETY = SafetyPolicy()


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceInput:
    """A reference with its canonical PNG (RGBA or RGB) and its stored fingerprints."""

    reference_id: int
    sha256: str
    image: bytes
    kind: ReferenceKind
    shot_type: ShotType
    angle: str
    expression: str
    canon: bool
    fingerprints: tuple[Fingerprint, ...]
    notes: str = ""
    pose: Pose | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CastInput:
    """One character in one appearance, with the thresholds that were learned for it.

    ``marks`` must never be lost; ``modules`` are the identities trained for this look. ``seen`` are
    the fingerprints of what the panel should look like (a sketch, or a reference that somebody
    pointed at), ``pose`` is the pose that the character should take; both help to choose
    references. ``calibrations`` are what moderators' verdicts say about the limits.
    """

    character_id: str
    appearance_id: str
    name: str
    label: str
    height_ratio: float
    components: Mapping[str, str]
    palette: tuple[str, ...]
    references: tuple[ReferenceInput, ...]
    thresholds: tuple[Threshold, ...] = ()
    marks: tuple[Mark, ...] = ()
    modules: tuple[ModuleUse, ...] = ()
    seen: tuple[Fingerprint, ...] = ()
    pose: Pose | None = None
    calibrations: tuple[Calibration, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Enlarging:
    """An accepted picture that is to be made larger, by its content hash, and its verdict."""

    candidate: Candidate
    sha256: str
    report: CandidateReport


@dataclass(frozen=True, slots=True)
class Audit:
    """The blind audit of a run: its share of accepted panels, and whether this one is drawn."""

    share: float = 0.0
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class LadderPolicy:
    """How far a panel may be retried: attempts in all, and seconds in all."""

    max_attempts: int = 3
    max_seconds: float = 600.0


@dataclass(frozen=True, slots=True, eq=False)
class PanelInputs:
    """The brief, its cast, earlier panels' hashes (by panel label) and the policy.

    ``submission`` is a person's drawing: then nothing is generated, it is judged as it is.
    ``enlarging`` is a picture that is made larger; nothing is generated or judged either.
    ``start_strength`` is above 0 when a moderator asked for a retry; ``hints`` are then the drift
    modes that moderators named. ``pictures`` holds PNGs by sha256 that a plan may name beside the
    references, like the sketch; ``guides`` are those that are finished guide pictures of the
    panel's size. ``base`` is the recipe that a reroll changes. ``drift_counts``, ``step_counts``
    and ``attribute_counts`` (by attribute) are the guild's evidence. ``last_good`` holds the recipe
    of the latest accepted picture of a look, by appearance id. ``sentinel`` holds the bounds that
    were learned for this cast, by kind of picture (:mod:`pipeline.generation.watched`); None where
    nothing is looked at while it is drawn. ``beside`` are accepted panels of the same page, as
    canonical PNGs; none in black and white series. ``taste`` lets fewer alternates be drawn once
    the winner is clear; None draws all. ``safety`` says what is not for everyone.
    """

    panel_id: int
    brief: PanelBrief
    cast: tuple[CastInput, ...]
    style: str = ""
    earlier: Mapping[str, PictureHashes] = field(default_factory=dict)
    policy: LadderPolicy = LadderPolicy()
    start_strength: int = 0
    submission: Candidate | None = None
    enlarging: Enlarging | None = None
    hints: tuple[str, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    guides: tuple[ControlUse, ...] = ()
    base: ConditioningPlan | None = None
    drift_counts: Mapping[str, DriftCount] = field(default_factory=dict)
    step_counts: tuple[StepCount, ...] = ()
    audit: Audit = Audit()
    attribute_counts: Mapping[str, AttributeCount] = field(default_factory=dict)
    last_good: Mapping[str, ConditioningPlan] = field(default_factory=dict)
    sentinel: Mapping[str, Bounds] | None = None
    beside: tuple[bytes, ...] = ()
    taste: Taste | None = None
    safety: SafetyPolicy = _SAFETY
