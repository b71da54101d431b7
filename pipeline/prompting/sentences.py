"""Who a sentence speaks of: names, pronouns and groups in the words of a request."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.inputs import CastInput

_QUOTED = re.compile("\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\\w)'[^']*'(?!\\w)|(?<!\\w)‘[^’]*’(?!\\w)")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+")
_PRONOUN = re.compile(r"\b(?:she|he|they|her|his|their|hers|theirs|him|them)\b")
_POSSESSIVE = re.compile(r"\b(?:her|his|their|whose)\s+(?:\w+\s+){0,1}$")
_JOINED = re.compile(r"\s*(?:,|and|&|,\s*and|with)\s*")
_LEAST_NAME = 3
"""Shorter words of a name ("de", "of") do not name anybody."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in the text: whose (index in the cast) and where."""

    who: int
    start: int
    end: int


def without_quotes(text: str) -> str:
    """The text with everything that somebody says blanked out; places stay what they were."""
    return _QUOTED.sub(lambda match: " " * len(match[0]), text)


def name_words(name: str) -> list[str]:
    """The words of a name by which a sentence can mean its bearer, in lower case."""
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", name.casefold())
    return [word for word in words if len(word) >= _LEAST_NAME] or words


def sentences_of(text: str) -> list[tuple[int, int]]:
    """Where each sentence begins and ends."""
    out, start = [], 0
    for match in _BETWEEN_SENTENCES.finditer(text):
        out.append((start, match.start()))
        start = match.end()
    return [(a, b) for a, b in [*out, (start, len(text))] if text[a:b].strip()]


def mentions(text: str, cast: Sequence[CastInput]) -> list[Mention]:
    """Every name of the cast in the text, in order; a name of two words counts once."""
    found: list[Mention] = []
    lowered = text.casefold()
    for who, member in enumerate(cast):
        words = "|".join(map(re.escape, name_words(member.name)))
        if words:
            named = re.finditer(rf"(?<!\w)(?:{words})(?:[\s-]+(?:{words}))*(?!\w)", lowered)
            found += [Mention(who, m.start(), m.end()) for m in named]
    return sorted(found, key=lambda m: (m.start, -m.end))


def sentences_naming(text: str, member: CastInput) -> list[str]:
    """The sentences that name a character."""
    named = mentions(text, [member])
    return [text[a:b] for a, b in sentences_of(text) if any(a <= m.start < b for m in named)]


def bearers(text: str, start: int, end: int, cast: Sequence[CastInput]) -> frozenset[int]:
    """Of whom a phrase can be true: indices of the cast, all of whom are possible.

    Right before a name it is that one's; behind a possessive pronoun it is of anyone whom the
    sentence names; else it is of the last one named before it (of both in "Mira and Oskar, …"),
    or of the first one named after it. A sentence without a name goes on about those of the
    sentence before if it has a pronoun, else it may speak of anyone.
    """
    if len(cast) == 1:
        return frozenset({0})
    spans = sentences_of(text)
    place = next((i for i, (a, b) in enumerate(spans) if a <= start <= b), len(spans) - 1)
    every = mentions(text, cast)
    here = [m for m in every if spans[place][0] <= m.start < spans[place][1]]
    if here:
        return _among(text, start, end, here)
    if place > 0 and _PRONOUN.search(text[slice(*spans[place])].casefold()):
        a, b = spans[place - 1]
        before = frozenset(m.who for m in every if a <= m.start < b)
        if before:
            return before
    return frozenset(range(len(cast)))


def _among(text: str, start: int, end: int, here: list[Mention]) -> frozenset[int]:
    after = [m for m in here if m.start >= end]
    if after and re.fullmatch(r"[\s-]*", text[end : after[0].start]):
        return frozenset({after[0].who})
    if _POSSESSIVE.search(text[:start].casefold()) or "both" in text[:start].casefold().split():
        return frozenset(m.who for m in here)
    before = [m for m in here if m.end <= start]
    if not before:
        return frozenset({after[0].who}) if after else frozenset(m.who for m in here)
    group = {before[-1].who}
    for left, right in zip(reversed(before[:-1]), reversed(before), strict=False):
        if not _JOINED.fullmatch(text[left.end : right.start].casefold()):
            break
        group.add(left.who)
    return frozenset(group)
