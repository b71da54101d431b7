"""What moderators' verdicts teach: scores that can be compared, and the promise made from them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass


class Level(StrEnum):
    """Whose verdicts a limit was learned from, narrowest first."""

    APPEARANCE = "appearance"
    CHARACTER = "character"
    GUILD = "guild"


@dataclass(frozen=True, slots=True)
class ScoreKey:
    """Scores are compared only where all of this agrees.

    ``encoders`` is the text of the encoder set (with the hashes of its weights), ``looks`` are the
    crop classes that decided together, smallest part first.
    """

    encoders: str
    looks: tuple[CropClass, ...]
    color_mode: ColorMode


class ScorePlace(NamedTuple):
    """Whose scores of which key; empty where a level does not tell apart."""

    key: ScoreKey
    character_id: str
    appearance_id: str

    def at(self, level: Level) -> "ScorePlace":
        """The place as a level sees it."""
        character = "" if level is Level.GUILD else self.character_id
        look = self.appearance_id if level is Level.APPEARANCE else ""
        return ScorePlace(self.key, character, look)


@dataclass(frozen=True, slots=True)
class Promise:
    """At most ``alpha`` of the good pictures get flagged, with ``confidence``.

    ``verdicts`` is how many pictures that people called good it was learned from.
    """

    alpha: float
    confidence: float
    verdicts: int
    level: Level


@dataclass(frozen=True, slots=True)
class Calibration:
    """The least score of this key that still counts as on-model, and what that promises."""

    key: ScoreKey
    limit: float
    promise: Promise


@dataclass(frozen=True, slots=True)
class ScoredVerdict:
    """One picture that a person called good, as the limits are learned from it.

    ``score`` is that of its weakest look (:mod:`pipeline.quality.conformal`).
    ``probability`` (above 0, at most 1) is the chance with which a picture like it was shown to
    people: 1 where the check flagged it, the share of the blind audit where it had passed.
    """

    place: ScorePlace
    score: float
    probability: float
