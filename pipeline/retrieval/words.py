"""Whether a prompt asks for what a label says: stems and families of words."""

import re
from collections.abc import Iterable

_SUFFIXES = ("fully", "ingly", "edly", "ment", "ness", "ful", "ing", "ed", "ly", "es", "s")
_LEAST_STEM = 3
_FAMILY_WORDS = (
    "happy smile grin laugh joy cheer delight excite",
    "sad cry tear weep wept sorrow gloomy upset",
    "angry anger rage mad fury furious shout yell scream",
    "afraid fear scare terror panic worry anxious",
    "surprise shock gasp amaze startle",
    "calm neutral normal relax serene",
    "smirk smug sly",
    "side profile left right",
    "back behind rear away",
    "front face frontal",
)
"""Words that ask for the same look."""


def tokens(text: str) -> list[str]:
    """The words of a text, folded; no digits."""
    return re.findall(r"[^\W\d_]+", text.casefold())


def asks_for(label: str, asked: Iterable[str]) -> bool:
    """Whether any word of a label is akin to any of the asked words."""
    wanted = {stem(word) for word in asked}
    wanted |= {member for family in _FAMILIES if family & wanted for member in family}
    return any(stem(word) in wanted for word in tokens(label))


def shared_words(text: str, asked: Iterable[str]) -> list[str]:
    """The longer words of a text whose stem is among the asked ones, in order, each once."""
    wanted = {stem(word) for word in asked if len(word) > _LEAST_STEM}
    found = [word for word in tokens(text) if len(word) > _LEAST_STEM and stem(word) in wanted]
    return list(dict.fromkeys(found))


def stem(word: str) -> str:
    """A word without its ending: shouts, shouting, shouted → shout; cries, crying → cri.

    Source: the common cases of Porter's algorithm (1980); what a label needs, no more.
    """
    for suffix in _SUFFIXES:
        cut = word[: -len(suffix)]
        if (
            word.endswith(suffix)
            and len(cut) >= _LEAST_STEM
            and not (suffix == "s" and cut.endswith("s"))
        ):
            word = cut
            break
    if len(word) > _LEAST_STEM and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]  # grinning, grinn, grin
    if word.endswith("e") and len(word) > _LEAST_STEM:
        word = word[:-1]
    return f"{word[:-1]}i" if word.endswith("y") and len(word) > 2 else word


_FAMILIES = tuple(frozenset(stem(word) for word in text.split()) for text in _FAMILY_WORDS)
