"""Verdicts: what the check says about a picture, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.domain.calibration import Promise, ScoreKey
from pipeline.domain.character import ColorMode
from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.fingerprint import CropClass, PictureHashes
from pipeline.domain.geometry import Box
from pipeline.domain.panel import Candidate
from pipeline.domain.safety import Rating
from pipeline.domain.sentinel import Watched
from pipeline.domain.taste import Traits


class Verdict(StrEnum):
    """A low similarity is a result, not an exception; neither is not knowing."""

    ON_MODEL = "on_model"
    OFF_MODEL = "off_model"
    CANNOT_JUDGE = "cannot_judge"


class Flag(StrEnum):
    """Why a picture needs a person."""

    OFF_MODEL = "OFF_MODEL"
    CANNOT_JUDGE = "CANNOT_JUDGE"
    DUPLICATE = "DUPLICATE"
    AUDIT = "AUDIT"
    """Nothing: it passed, and is shown to people blindly so that the limits can be learned."""
    CONSENT = "CONSENT"
    """Nothing of the check: a person who is shown withdrew their consent."""
    UNSAFE = "UNSAFE"
    """A classifier thinks that the picture is not for everyone."""
    REPORT = "REPORT"
    """Nothing of the check: members reported a picture that everyone had seen."""


@dataclass(frozen=True, slots=True)
class ThresholdKey:
    """A threshold belongs to exactly this; anywhere else its number means nothing.

    ``encoders`` is the sorted, comma-joined text of the encoder keys whose segments are fused.
    """

    appearance_id: str
    encoders: str
    crop: CropClass
    color_mode: ColorMode


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least fused similarity that still counts as on-model, and where it comes from."""

    key: ThresholdKey
    value: float
    source: str
    references: int


@dataclass(frozen=True, slots=True)
class Drift:
    """An attribute that may have drifted.

    ``confidence`` lies between ``low`` and ``high``, all in [0, 1]; ``box`` is where it shows, in
    pixels of the picture, None where that is not known.
    """

    attribute: str
    confidence: float
    low: float
    high: float
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class CharacterCheck:
    """What the check found for one character in one picture.

    ``similarity`` and ``threshold`` are fused cosines in [-1, 1], None where nothing could be
    compared; ``segments`` holds each encoder's own cosine; ``reason`` is a sentence for people.

    ``score`` is what learned limits are about (:mod:`pipeline.quality.conformal`), ``basis``
    says with which scores it can be compared, ``promise`` what the limit in use guarantees
    (None: the shipped one). ``interval`` is where the similarity lies with 90 %.
    """

    character_id: str
    appearance_id: str
    verdict: Verdict
    reason: str
    similarity: float | None = None
    threshold: float | None = None
    crop: CropClass | None = None
    box: Box | None = None
    nearest_reference: int | None = None
    segments: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None
    basis: ScoreKey | None = None
    promise: Promise | None = None
    interval: tuple[float, float] | None = None
    drift: tuple[Drift, ...] = ()


class CastFault(StrEnum):
    """What can be wrong with who is on stage. The words are stored; keep them."""

    MISSING = "missing"
    EXTRA = "extra"
    SWAP = "swap"
    BLEED = "bleed"
    DOUBLE = "double"


@dataclass(frozen=True, slots=True)
class CastFinding:
    """A fault of the cast: whose it is, with whom, how strong it is, and where it shows.

    ``score`` grows with the fault; ``part`` is what bled over.
    """

    fault: CastFault
    character_id: str | None
    score: float
    other_id: str | None = None
    box: Box | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """Who is on stage: figures that were expected and found, and what is wrong about them.

    ``score`` is the on-stage-count score (OCCM), 0 to 100.
    """

    expected: int
    found: int
    score: float
    faults: tuple[CastFinding, ...] = ()


class ToneFault(StrEnum):
    """How colours can fall out of their page. The words are stored; keep them."""

    STRONGER = "stronger"
    PALER = "paler"


@dataclass(frozen=True, slots=True)
class PageTone:
    """A picture's colours beside the accepted panels of its page.

    ``factor`` is how many times as saturated they are as the same colours in the ``panels`` panels;
    ``fault`` is what is wrong, None where that is within what a page usually shows.
    """

    factor: float
    panels: int
    fault: ToneFault | None = None

    @property
    def shift(self) -> float:
        """By which share it is more (above 0) or less saturated than its page."""
        return self.factor - 1


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """All checks of one candidate, folded into one verdict.

    Off-model if any character is; else cannot-judge if any is; else on-model. A duplicate is a
    flag beside the verdict, and so is a picture that is not for everyone (``rating``). ``margin``
    is the least similarity minus threshold, for ranking. ``tone`` is told beside the verdict too:
    None where the page has nothing to compare with.
    """

    verdict: Verdict
    checks: tuple[CharacterCheck, ...]
    flags: tuple[Flag, ...] = ()
    duplicate_of: str | None = None
    margin: float | None = None
    stage: Stage | None = None
    tone: PageTone | None = None
    rating: Rating | None = None

    @property
    def acceptable(self) -> bool:
        """Whether nobody has to look before it is shown."""
        return self.verdict is Verdict.ON_MODEL and not self.flags


@dataclass(frozen=True, slots=True)
class JudgedCandidate:
    """A candidate with its hashes and its report; what it is like, where people may vote on it."""

    candidate: Candidate
    hashes: PictureHashes
    report: CandidateReport
    traits: Traits | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One rung of the ladder: the plan, what it drew and how long that took in seconds.

    ``gain`` is by how much the best margin rose over the attempt before, None where one of the
    two could not be measured. ``copy_score`` (0 to 1) is how much the figures repeat their
    references, None if unknown. ``material`` holds PNGs by sha256 that the plan names and that
    are neither references nor candidates; they are kept with it. ``watched`` is what was seen
    while it was drawn; what was given up then is not among the candidates.
    """

    number: int
    plan: ConditioningPlan | None
    candidates: tuple[JudgedCandidate, ...]
    seconds: float
    gain: float | None = None
    copy_score: float | None = None
    material: Mapping[str, bytes] = field(default_factory=dict)
    watched: Watched | None = None

    @property
    def best_margin(self) -> float | None:
        """The largest margin among its candidates."""
        margins = [j.report.margin for j in self.candidates if j.report.margin is not None]
        return max(margins, default=None)


@dataclass(frozen=True, slots=True)
class Accept:
    """Show these candidates, as (attempt index, candidate index), best first."""

    picks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FlagForReview:
    """A person decides about the best candidate so far, given as (attempt, candidate) index."""

    pick: tuple[int, int]
    flag: Flag
    reason: str


@dataclass(frozen=True, slots=True)
class PanelOutcome:
    """What a run returns. ``evidence`` is the PNG of the evidence card of a flagged panel.

    ``audit`` is the share of accepted panels that are shown to moderators blindly.
    """

    attempts: tuple[Attempt, ...]
    decision: Accept | FlagForReview
    evidence: bytes | None
    seconds: float
    audit: float = 0.0
