"""Where a line of text may be broken: at spaces, between ideographs, at hyphens as a last resort.

Kinsoku (which signs may not begin or end a line) follows JIS X 4051 in its strict form, hyphens
the patterns of LibreOffice through pyphen. Japanese breaks between phrases where it can, Korean
between words, as comics set it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from pipeline.comics.fonts import FontStyle
from pipeline.comics.markup import joined, runs_of, text_of
from pipeline.comics.scripts import Script, is_wide, script_of
from pipeline.comics.shaping import shape_column, shape_line
from pipeline.domain.page import TextRun

if TYPE_CHECKING:
    from budoux import Parser
    from pyphen import Pyphen

LONGEST_WORD = 13.0
# Shorter words are never divided: a hyphen costs more reading than a ragged line does.
_LEAST_LETTERS = 9
_LEFT, _RIGHT = 3, 3
_HYPHEN_STRAIN = 0.09
# A line of Japanese that ends inside a phrase.
_TORN_STRAIN = 1.0

# Source: JIS X 4051, character classes 1, 2, 3, 4, 6, 7 and 9 to 11.
_NOT_FIRST = frozenset(
    "、。，．・：；？！‼⁇⁈⁉゛゜ヽヾゝゞ々〻ー～〜‐゠–」』）】〕｝〉》〙〗｠”’"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ"
    ",.:;?!)]}…‥—"
)
_NOT_LAST = frozenset("「『（【〔｛〈《〘〖｟“‘([{")
# Signs of which two in a row are one.
_PAIRED = frozenset("…‥—―")
_AFTER = frozenset("-–—…/")


@dataclass(frozen=True, slots=True)
class Atom:
    """A stretch that is never divided.

    ``space`` is the width of the space behind it (ems, 0 for none). Where a line ends behind it
    ``hyphen`` says whether that needs one, and ``strain`` how much it hurts.
    """

    runs: tuple[TextRun, ...]
    width: float
    space: float = 0.0
    hyphen: bool = False
    strain: float = 0.0


@dataclass(frozen=True, slots=True)
class Setting:
    """How a text is set: its style, its language (BCP 47 or empty), in columns or in lines."""

    style: FontStyle
    language: str = ""
    vertical: bool = False

    def length(self, runs: Sequence[TextRun]) -> float:
        """How long some runs are on one line, in ems."""
        shape = shape_column if self.vertical else shape_line
        return shape(joined(runs), self.style, self.language).length


def atoms_of(text: str, setting: Setting) -> tuple[Atom, ...]:
    """The atoms of a cleaned text with emphasis marks, in order."""
    space = setting.length((TextRun(" "),))
    found: list[Atom] = []
    for word in _words(runs_of(text)):
        parts = list(_atoms(word, setting))
        last = parts[-1]
        found += [*parts[:-1], Atom(last.runs, last.width, space)]
    return tuple(found)


def line_of(atoms: Sequence[Atom], first: int, last: int) -> tuple[TextRun, ...]:
    """The runs of ``atoms[first:last]`` on one line, with the hyphen that a break needs."""
    runs: list[TextRun] = []
    for i in range(first, last):
        runs += atoms[i].runs
        if i + 1 < last and atoms[i].space:
            after, before = atoms[i + 1].runs[0], atoms[i].runs[-1]
            alike = (after.bold, after.italic) == (before.bold, before.italic)
            runs.append(TextRun(" ", before.bold, before.italic) if alike else TextRun(" "))
    if last < len(atoms) and atoms[last - 1].hyphen:
        end = runs[-1]
        runs.append(TextRun("-", end.bold, end.italic))
    return joined(runs)


def _words(runs: Sequence[TextRun]) -> Iterator[list[TextRun]]:
    """Runs of single characters, a list for each word."""
    word: list[TextRun] = []
    for run in runs:
        for char in run.text:
            if char.isspace():
                if word:
                    yield word
                word = []
            else:
                word.append(TextRun(char, run.bold, run.italic))
    if word:
        yield word


def _atoms(word: Sequence[TextRun], setting: Setting) -> Iterator[Atom]:
    """One word in its indivisible parts."""
    letters = text_of(word)
    wide = [i for i in range(1, len(word)) if _may_break(letters, i)]
    phrases = _phrase_ends(letters, setting.language) if wide else frozenset()
    for a, b in pairwise([0, *wide, len(word)]):
        part = joined(word[a:b])
        long = setting.length(part) > LONGEST_WORD and not _hyphens(text_of(part), setting)
        *before, last = (_long if long else _hyphenated)(word[a:b], setting)
        yield from before
        torn = b < len(word) and phrases and b not in phrases
        yield replace(last, strain=_TORN_STRAIN) if torn else last


def _phrase_ends(letters: str, language: str) -> frozenset[int]:
    """Where phrases of Japanese end; empty where the language has no such model."""
    if language.partition("-")[0] != "ja":
        return frozenset()
    return frozenset(accumulate(len(phrase) for phrase in _phrases().parse(letters)))


@cache
def _phrases() -> "Parser":
    """The model that parts Japanese into phrases.

    Source: BudouX by Google, a boosted classifier over characters.
    """
    import budoux

    return budoux.load_default_japanese_parser()


def _may_break(text: str, at: int) -> bool:
    """Whether a line may end before ``text[at]`` although there is no space."""
    before, after = text[at - 1], text[at]
    if not (is_wide(before) or is_wide(after)):
        return False
    if after in _NOT_FIRST or before in _NOT_LAST:
        return False
    return not (before in _PAIRED and after == before)


def _hyphenated(word: Sequence[TextRun], setting: Setting) -> Iterator[Atom]:
    letters = text_of(word)
    start = 0
    for at in _hyphens(letters, setting):
        part = joined(word[start:at])
        given = word[at - 1].text == "\u00ad"
        yield Atom(part, setting.length(part), hyphen=True, strain=0 if given else _HYPHEN_STRAIN)
        start = at
    rest = joined(word[start:])
    yield Atom(rest, setting.length(rest))


def _hyphens(letters: str, setting: Setting) -> list[int]:
    """Where a word may be divided: at its soft hyphens, else by the patterns of its language."""
    given = [i + 1 for i, char in enumerate(letters[:-1]) if char == "\u00ad"]
    if given or setting.vertical:
        return given
    core = letters.strip("“”‘’\"'().,;:!?…-–—¡¿«»„")
    if len(core) < _LEAST_LETTERS or not core.isalpha() or core.isupper():
        return []
    if script_of(core[0]) not in (Script.LATIN, Script.CYRILLIC, Script.GREEK):
        return []
    if not setting.language and not core.isascii():
        return []  # taken for English where nobody said, and this is not
    patterns = _patterns(setting.language)
    offset = letters.index(core)
    return [] if patterns is None else [offset + i for i in patterns.positions(core.lower())]


@cache
def _patterns(language: str) -> "Pyphen | None":
    """The patterns of a language, English where none is named; None: it is never hyphenated."""
    import pyphen

    known = pyphen.language_fallback(language.replace("-", "_") or "en_US")
    return None if known is None else pyphen.Pyphen(lang=known, left=_LEFT, right=_RIGHT)


def _long(word: Sequence[TextRun], setting: Setting) -> Iterator[Atom]:
    """A word too long for any balloon: parted behind its dashes, what is left cut evenly."""
    ends = [i + 1 for i, char in enumerate(word[:-1]) if char.text in _AFTER]
    ends = [i for i in ends if word[i].text not in _AFTER]
    for a, b in zip([0, *ends], [*ends, len(word)], strict=True):
        part = word[a:b]
        count = int(setting.length(joined(part)) / (LONGEST_WORD - 1)) + 1
        size = -(-len(part) // count)
        for i in range(0, len(part), size):
            piece = joined(part[i : i + size])
            cut = i + size < len(part)
            yield Atom(piece, setting.length(piece), hyphen=cut, strain=0.2 if cut else 0.0)
