"""Recognises the English sentences of the floors below, to say them in another language."""

import re
from string import Formatter
from typing import NamedTuple, Self

_SENTENCES = re.compile(r"(?<=[.!?…]) (?=\S)")
_ENDS = re.compile(r".*[.!?…]", re.DOTALL)
_OF_CHARACTER = re.compile(r"ch_\w+: ")
_MOST_SENTENCES = 12
# A sentence with fewer fixed letters than these would be recognised everywhere.
_FIXED = 4
_FIXED_AFTER_PLACE = 7


_parse = Formatter().parse


def recognisable(english: str) -> bool:
    """Whether a sentence with places has enough fixed words to be told from others."""
    parts = list(_parse(english))
    letters = sum(sum(map(str.isalpha, literal)) for literal, *_ in parts)
    least = _FIXED if parts and parts[0][0] else _FIXED_AFTER_PLACE
    return letters >= least or all(name is None for _, name, *_ in parts)


class _Reading(NamedTuple):
    """How some sentences were understood: how many were not, how many ends lie inside places."""

    unknown: int
    inside: int
    said: tuple[str, ...]

    def then(self, rest: Self) -> "_Reading":
        """This and what follows it."""
        return _Reading(
            self.unknown + rest.unknown, self.inside + rest.inside, (*self.said, *rest.said)
        )


class Known:
    """The sentences of one language's catalogue, ready to be recognised."""

    def __init__(self, told: dict[str, str], between: str) -> None:
        self._between = between
        self._whole = {_unescaped(english): text for english, text in told.items()}
        found = [_Pattern(english, text) for english, text in told.items() if "{" in english]
        # The one with the most fixed words is the most particular: it is asked first.
        self._patterns = sorted(found, key=lambda pattern: pattern.fixed, reverse=True)

    def retell(self, line: str) -> str:
        """One line; what is said of a character, ``ch_akira: …``, keeps the name before it."""
        of_character = _OF_CHARACTER.match(line)
        head = of_character[0] if of_character else ""
        return head + self._between.join(self._read(line[len(head) :]).said)

    def _read(self, text: str) -> _Reading:
        """The reading that leaves the fewest sentences unknown, and the fewest inside places."""
        *sentences, last = _SENTENCES.split(text, _MOST_SENTENCES - 1)
        sentences.append(last)
        best = [_Reading(0, 0, ())]  # of the last 0, 1, 2 … sentences
        for start in range(len(sentences) - 1, -1, -1):
            rest = best[-1]
            found = [_Reading(1, 0, (sentences[start],)).then(rest)]
            for end in range(start + 1, len(sentences) + 1):
                rest = best[len(sentences) - end]
                first = self._told(" ".join(sentences[start:end]))
                if first is not None:
                    found.append(first.then(rest))
            best.append(min(found, key=lambda one: (one.unknown, one.inside, len(one.said))))
        return best[-1]

    def _told(self, text: str) -> _Reading | None:
        """The translation of ``text`` if it is one sentence, or several that belong together."""
        if text in self._whole:
            return _Reading(0, 0, (_unescaped(self._whole[text]),))
        for pattern in self._patterns:
            if (values := pattern.values(text)) is not None:
                read = {place: self._read(value) for place, value in values.items()}
                said = {place: self._between.join(one.said) for place, one in read.items()}
                return _Reading(
                    sum(
                        one.unknown for place, one in read.items() if _ENDS.fullmatch(values[place])
                    ),
                    sum(len(_SENTENCES.findall(value)) for value in values.values()),
                    (pattern.told.format(**said),),
                )
        return None


class _Pattern:
    """One sentence with named places: what it looks like when they are filled."""

    def __init__(self, english: str, told: str) -> None:
        self.told = told
        literals, names = zip(
            *((literal, name) for literal, name, *_ in _parse(english)), strict=True
        )
        self._head, *after = literals
        self._places = [(n, after[i] if i < len(after) else "") for i, n in enumerate(names) if n]
        self.fixed = sum(map(len, literals))

    def values(self, text: str) -> dict[str, str] | None:
        """What fills the places in ``text``, None if it is another sentence.

        A place takes as little as it can, so that one pass over the text is enough.
        """
        if not text.startswith(self._head) or len(text) < self.fixed:
            return None
        found: dict[str, str] = {}
        at, last = len(self._head), len(self._places) - 1
        for number, (name, literal) in enumerate(self._places):
            end = text.find(literal, at) if number < last else len(text) - len(literal)
            if end < at or not text.startswith(literal, end):
                return None
            if found.setdefault(name, text[at:end]) != text[at:end]:
                return None
            at = end + len(literal)
        return found


def _unescaped(template: str) -> str:
    return template if "{" not in template else template.replace("{{", "{").replace("}}", "}")
