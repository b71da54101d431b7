"""What people's labels say about the catalogue: how much it covers, and which modes it lacks."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.prompting.drift import catalogue
from pipeline.quality.attributes import MODES, Attribute

COVERAGE_GOAL = 0.85
"""Share of labelled drift that a mode should explain. Source: JY7."""
NO_DRIFT = frozenset({"other_character", "copy", "nothing"})
"""Labels that say something else than what drifted."""
LEAST_TEXTS = 3
"""Texts that have to say the same before a mode is proposed."""
_ALIKE = 0.34
"""Share of common words (Jaccard) from which two texts say the same. A named prior: two of four
words; it was not learned."""
_FILLER = frozenset(
    {
        "a", "an", "the", "is", "are", "was", "were", "of", "in", "on", "at", "to", "and", "or",
        "too", "very", "not", "no", "has", "have", "had", "with", "his", "her", "their", "its",
        "it", "wrong", "different", "looks", "look", "like", "changed", "missing",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many labels of drift there are, and how many of them a mode of the catalogue explains."""

    labelled: int
    explained: int

    @property
    def share(self) -> float | None:
        """0 to 1, None without labels."""
        return self.explained / self.labelled if self.labelled else None

    @property
    def words(self) -> str:
        """The figure in a sentence."""
        if self.share is None:
            return "No drift has been labelled yet."
        goal = "" if self.share >= COVERAGE_GOAL else f" (goal: {COVERAGE_GOAL:.0%})"
        return (
            f"{self.explained} of {self.labelled} labelled drifts ({self.share:.0%}) are of a kind "
            f"that the catalogue knows{goal}."
        )


@dataclass(frozen=True, slots=True)
class ProposedMode:
    """A kind of drift that people describe and the catalogue lacks: common words, and the texts."""

    words: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The words as a heading."""
        return " ".join(self.words).capitalize()


def coverage_of(labels: Mapping[str, int], free_texts: Sequence[str] = ()) -> Coverage:
    """How much labelled drift the catalogue explains.

    Args:
        labels: how often each label was given, by its word.
        free_texts: what people wrote where no label fitted; none of it is explained.
    """
    drift = {word: n for word, n in labels.items() if word not in NO_DRIFT}
    known = sum(n for word, n in drift.items() if word in catalogue().modes)
    return Coverage(sum(drift.values()) + len(free_texts), known)


def agreed(attribute: str, label: str) -> bool:
    """Whether a label of a person says what the attribution said."""
    return label in MODES[Attribute(attribute)]


def proposed_modes(texts: Iterable[str]) -> list[ProposedMode]:
    """Group free texts by the words that they share.

    Each text joins the first group of which it shares at least a third of the words (Jaccard on
    word stems against the group's first text); groups of :data:`LEAST_TEXTS` and more are
    proposed, the largest first. It is token overlap: it knows no synonyms.
    """
    groups: list[tuple[frozenset[str], list[str]]] = []
    for text in texts:
        stems = _stems(text)
        if not stems:
            continue
        home = next((g for s, g in groups if len(s & stems) >= _ALIKE * len(s | stems)), None)
        if home is None:
            groups.append((stems, [text]))
        else:
            home.append(text)
    large = sorted((g for _, g in groups if len(g) >= LEAST_TEXTS), key=len, reverse=True)
    return [ProposedMode(_common(group), tuple(group)) for group in large]


def _common(texts: Sequence[str]) -> tuple[str, ...]:
    """The words that at least half of the texts have, the commonest first, at most three."""
    counts = Counter(word for text in texts for word in dict.fromkeys(_words(text)))
    often = [word for word, n in counts.most_common() if 2 * n >= len(texts)]
    return tuple((often or [word for word, _ in counts.most_common(1)])[:3])


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[^\W\d_]+", text.lower()) if word not in _FILLER]


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:5] for word in _words(text))
