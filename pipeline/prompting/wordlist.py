"""Finds words that a server does not want, also where somebody dresses them up.

A text is folded first: compatibility forms, case, marks on Latin, Greek and Cyrillic letters,
invisible characters and letters of other alphabets that look alike. Then a word is found at word
boundaries with digits for letters (``b4d``), repeated letters (``baaad``), signs between letters
(``b.a.d``) and spaced out (``w o r d``, from four letters). Whoever wants to get round it still
can: it is a fence, not a wall.

Source: Unicode UAX #15 (normalisation), UTS #39 (confusables; the common ones are listed here).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

_LEET = {
    "a": "4@", "b": "8", "e": "3", "g": "9", "i": "1!|", "l": "1|", "o": "0", "s": "5$", "t": "7+",
    "z": "2",
}  # fmt: skip
_LOOKALIKES = str.maketrans("асԁеһіјкӏморѕтухԛԝαβεικνορτυχıɑɡ", "acdehijklmopstyxqwabeiknoptuxiag")
_SEPARATOR = r"(?:[^\w\s@!$|+]|_){0,2}+"
_GAP = r"[\W_]+"
_ALPHABETS = ("LATIN", "GREEK", "CYRILLIC")
# Scripts that put no spaces between words: there a word is found anywhere.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_SPACED_FROM = 4
_PIECE, _OVERLAP = 4000, 200


def fold(text: str) -> str:
    """A text as it is compared: without case, marks, invisible signs and look-alike letters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    seen = (c for c in plain if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    bare: list[str] = []
    for char in "".join(seen):
        base, *marks = unicodedata.normalize("NFD", char)
        alphabetic = unicodedata.name(base, "").startswith(_ALPHABETS)
        bare.append(base if alphabetic or not marks else char)
    joined = (c for c in bare if unicodedata.category(c) not in ("Me", "Mn"))
    return "".join(joined).translate(_LOOKALIKES)


def find_blocked(text: str, words: Iterable[str]) -> str | None:
    """The first of some words that stands in a text, however it is dressed up; None for none.

    A word may begin or end with ``*``: then it is also found inside others.
    """
    listed = tuple(words)
    if not listed:
        return None
    pieces = list(_pieces(fold(text)))
    for word, pattern in _patterns(listed):
        number = not _has_letter(word)
        hits = (found[0] for piece in pieces for found in pattern.finditer(piece))
        # Digits alone are a number, though each of them might be a letter.
        if any(number or _has_letter(hit) for hit in hits):
            return word
    return None


def _pieces(text: str) -> Iterator[str]:
    """Lines; of one that is longer than any honest one, parts that overlap by a word's length."""
    for line in text.splitlines():
        starts = range(0, len(line) or 1, _PIECE - _OVERLAP)
        yield from (line[at : at + _PIECE] for at in starts)


def _has_letter(text: str) -> bool:
    return any(char.isalpha() for char in text)


@lru_cache(maxsize=64)
def _patterns(words: Sequence[str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((word, _pattern(word)) for word in words)


def _pattern(word: str) -> re.Pattern[str]:
    core = fold(word.strip("*")).strip()
    parts = [_letters(part) for part in core.split()]
    found = _GAP.join(_SEPARATOR.join(letters) for letters in parts)
    if len(parts) == 1 and len(parts[0]) >= _SPACED_FROM:
        found = f"(?:{found}|{_GAP.join(parts[0])})"
    if any(unicodedata.name(c, "").startswith(_UNSPACED) for c in core):
        return re.compile(found)
    before = "" if word.startswith("*") else r"(?<![^\W_])"
    after = "" if word.endswith("*") else r"(?![^\W_])"
    return re.compile(before + found + after)


def _letters(part: str) -> list[str]:
    """A pattern for each run of one letter: at least as many of it as the word has.

    The repetitions give nothing back, so that no text makes the search slow.
    """
    runs = [match[0] for match in re.finditer(r"(.)\1*", part)]
    return [f"[{re.escape(run[0] + _LEET.get(run[0], ''))}]{{{len(run)},}}+" for run in runs]
