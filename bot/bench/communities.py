"""Simulated communities with known likings, for ``onmodel bench taste``.

Assumed, not measured: pictures have eight named traits and a 64-d vector made of six hidden
qualities and noise; a series likes some traits and some hidden qualities, and a picture has a part
of its own (as large as what the features explain). Every voter differs from the series by a
deviation of half its size, and every vote is a logit choice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.domain.taste import Ballot, Floats, Slate, Trait, Traits

_HIDDEN, _VECTOR = 6, 64
SLOTS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture and what is true of it: the liking of the series, in log-odds."""

    traits: Traits
    features: Floats
    own: float
    liking: float


@dataclass(eq=False)
class Community:
    """A series with its voters; ``slots`` is what a place on the card adds, in log-odds."""

    rng: np.random.Generator
    voters: int = 40
    turnout: float = 0.2
    own: float = 0.7
    slots: Floats = field(default_factory=lambda: np.zeros(SLOTS))

    def __post_init__(self) -> None:
        """Draw what is liked and how each voter differs."""
        size = len(Trait) + _HIDDEN
        liked = self.rng.normal(size=size) * (self.rng.random(size) < 0.5)
        self.weights = liked / max(np.linalg.norm(liked), 0.5)
        self.differences = 0.5 * self.rng.normal(size=(self.voters, size)) / np.sqrt(size)
        self._mixing = self.rng.normal(size=(_HIDDEN, _VECTOR)) / np.sqrt(_VECTOR)

    def picture(self) -> Picture:
        """A new on-model picture."""
        values = self.rng.normal(size=len(Trait) + _HIDDEN)
        seen = values[len(Trait) :] @ self._mixing + 0.15 * self.rng.normal(size=_VECTOR)
        seen = 4 * np.ones(_VECTOR) / np.sqrt(_VECTOR) + seen  # pictures of a series are alike
        vector = (seen / np.linalg.norm(seen)).astype(np.float32)
        named = dict(zip(Trait, values.tolist(), strict=False))
        own = self.own * self.rng.normal()
        traits = Traits(named, vector, "simulated")
        return Picture(traits, values, own, float(values @ self.weights + own))

    def card(self, size: int = SLOTS) -> list[Picture]:
        """The alternates of a panel in their random order."""
        return [self.picture() for _ in range(size)]

    def ballots(self, pictures: Sequence[Picture], voters: Sequence[int]) -> list[Ballot]:
        """What these voters choose."""
        found = []
        for voter in voters:
            weights = self.weights + self.differences[voter]
            likings = np.array([p.features @ weights + p.own for p in pictures])
            noise = self.rng.gumbel(size=len(pictures))
            found.append(
                Ballot(voter, int((likings + self.slots[: len(pictures)] + noise).argmax()))
            )
        return found

    def turn_out(self) -> list[int]:
        """Who votes on a card."""
        return [v for v in range(self.voters) if self.rng.random() < self.turnout]

    def votes(self, panels: int, size: int = SLOTS) -> tuple[list[Slate], list[list[Picture]]]:
        """Closed votes, and what is true of their pictures."""
        slates, truth = [], []
        for panel in range(panels):
            pictures = self.card(size)
            ballots = self.ballots(pictures, self.turn_out())
            slates.append(slate_of(panel, pictures, ballots))
            truth.append(pictures)
        return slates, truth


def slate_of(panel: int, pictures: Sequence[Picture], ballots: Sequence[Ballot]) -> Slate:
    """A closed vote."""
    return Slate(panel, tuple(p.traits for p in pictures), tuple(ballots))


Plot = Callable[[Community, Sequence[Picture], int], int]
"""What a brigade votes for on a card (by its panel's number): the same for all of its members."""


def against_the_series(community: Community, pictures: Sequence[Picture], _panel: int) -> int:
    """What the series likes least."""
    return int(np.argmin([p.features @ community.weights + p.own for p in pictures]))


def for_a_trait(_community: Community, pictures: Sequence[Picture], _panel: int) -> int:
    """Whatever is lightest: a campaign for one look."""
    return int(np.argmax([p.features[0] for p in pictures]))


def for_a_friend(_community: Community, pictures: Sequence[Picture], panel: int) -> int:
    """One picture that was agreed upon, whatever is on it."""
    return panel * 7919 % len(pictures)


PLOTS: dict[str, Plot] = {
    "against": against_the_series,
    "campaign": for_a_trait,
    "friend": for_a_friend,
}


def with_brigade(
    community: Community,
    slates: Sequence[Slate],
    truth: Sequence[Sequence[Picture]],
    plot: Plot,
    *,
    share: float = 0.2,
    honest: float = 0.0,
) -> list[Slate]:
    """The same votes with a brigade among them, of ``share`` of all voters and of the same turnout.

    Args:
        community: whose votes they are; its own voters stay as they voted.
        slates: the votes.
        truth: their pictures.
        plot: what the brigade votes for.
        share: of all voters then, who collude.
        honest: how often a member votes as anybody would, to hide it.
    """
    members = round(community.voters * share / (1 - share))
    found = []
    for slate, pictures in zip(slates, truth, strict=True):
        target = plot(community, pictures, slate.panel_id)
        extra = []
        for member in range(members):
            if community.rng.random() >= community.turnout:
                continue
            if community.rng.random() < honest:
                choice = community.ballots(pictures, [member % community.voters])[0].choice
            else:
                choice = target
            extra.append(Ballot(community.voters + member, choice))
        found.append(Slate(slate.panel_id, slate.alternates, (*slate.ballots, *extra)))
    return found
