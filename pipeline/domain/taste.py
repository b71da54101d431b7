"""What a series likes: pictures as numbers, votes on them, and what was learned from both."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.fingerprint import FloatVector

Floats = NDArray[np.float64]


class Trait(StrEnum):
    """What a picture is like, in words that people use. The words are stored; keep them."""

    LIGHTNESS = "lightness"
    CONTRAST = "contrast"
    COLOURFULNESS = "colourfulness"
    WARMTH = "warmth"
    DETAIL = "detail"
    CLOSENESS = "closeness"
    CENTRED = "centred"
    LIKENESS = "likeness"


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """One picture as numbers.

    ``named`` holds a value for every trait, in the trait's own unit (:mod:`pipeline.taste.traits`).
    ``vector`` is the whole picture as the encoder ``source`` sees it: unit float32 ``(d,)``.
    """

    named: Mapping[Trait, float]
    vector: FloatVector
    source: str


@dataclass(frozen=True, slots=True)
class Ballot:
    """Somebody's vote. ``voter`` is a number within one series' votes, no Discord id.

    ``choice`` is the place on the card of what they voted for, from 0.
    """

    voter: int
    choice: int


@dataclass(frozen=True, slots=True, eq=False)
class Slate:
    """The alternates of one closed vote in the order of their card, and who chose which."""

    panel_id: int
    alternates: tuple[Traits, ...]
    ballots: tuple[Ballot, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """How much a trait counts: the change of liking (log-odds) with one usual step of the trait.

    ``low`` and ``high`` hold it with 90 %.
    """

    trait: Trait
    weight: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SlotShare:
    """The share of votes that a place on the card gets among equal pictures, with 90 %."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How well votes were foretold that had not been learned from.

    ``right`` of ``panels`` had their winner foretold, ``by_chance`` is how many a guess would have
    got; losses are mean negative log-likelihoods of a vote, in nats. ``gain_low`` is where the gain
    over guessing lies above with 84 %.
    """

    panels: int
    right: int
    by_chance: float
    log_loss: float
    random_log_loss: float
    gain_low: float


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """How traits become the model's features: shifted, scaled, and the vectors' main axes.

    ``mean`` and ``scale`` are (8,); ``centre`` is (v,), ``axes`` (v, m) of vectors of ``source``.
    """

    mean: Floats
    scale: Floats
    centre: Floats
    axes: Floats
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """What a series has learned to like. Plain numbers: it travels to the workers by value.

    ``weights`` are (d,) with covariance (d, d); ``own`` is the standard deviation of what a
    picture has beyond its features; ``within`` and ``between`` are the variances of the liking
    inside of a panel and from panel to panel. ``ballots`` were learned from, of ``voters`` people,
    in ``panels`` votes; ``doubted`` of these people count for less than half.
    """

    space: Space
    weights: Floats
    covariance: Floats
    own: float
    within: float
    between: float
    panels: int
    ballots: int
    voters: int
    doubted: int
    slots: tuple[SlotShare, ...]
    lessons: tuple[Lesson, ...]
    held_out: HeldOut
    ready: bool


@dataclass(frozen=True, slots=True)
class Guess:
    """What taste expects of a vote: the candidate (by id) and how sure that is, 0 to 1."""

    candidate_id: int
    chance: float
