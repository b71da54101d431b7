"""Which script a character belongs to: as much as fonts and line breaking need to know."""

from bisect import bisect_right
from enum import StrEnum
from functools import lru_cache


class Script(StrEnum):
    """Groups of characters that one font usually covers together."""

    LATIN = "Latin"
    GREEK = "Greek"
    CYRILLIC = "Cyrillic"
    HEBREW = "Hebrew"
    ARABIC = "Arabic"
    KANA = "Japanese"
    HAN = "Chinese"
    HANGUL = "Korean"
    EMOJI = "emoji"
    OTHER = "other"


# First code point of each run, in order; a run ends where the next begins.
# Source: Unicode 16, Blocks.txt, simplified to the groups above.
_RUNS: tuple[tuple[int, Script], ...] = (
    (0x0000, Script.LATIN),
    (0x0370, Script.GREEK),
    (0x0400, Script.CYRILLIC),
    (0x0530, Script.OTHER),
    (0x0590, Script.HEBREW),
    (0x0600, Script.ARABIC),
    (0x0700, Script.OTHER),
    (0x0750, Script.ARABIC),
    (0x0780, Script.OTHER),
    (0x08A0, Script.ARABIC),
    (0x0900, Script.OTHER),
    (0x1100, Script.HANGUL),
    (0x1200, Script.OTHER),
    (0x1E00, Script.LATIN),
    (0x1F00, Script.GREEK),
    (0x2000, Script.LATIN),
    (0x2190, Script.EMOJI),
    (0x2E80, Script.HAN),
    (0x3040, Script.KANA),
    (0x3100, Script.HAN),
    (0x3130, Script.HANGUL),
    (0x3190, Script.HAN),
    (0x31F0, Script.KANA),
    (0x3200, Script.HAN),
    (0xA000, Script.OTHER),
    (0xA640, Script.CYRILLIC),
    (0xA6A0, Script.OTHER),
    (0xA720, Script.LATIN),
    (0xA800, Script.OTHER),
    (0xAC00, Script.HANGUL),
    (0xD800, Script.OTHER),
    (0xF900, Script.HAN),
    (0xFB00, Script.LATIN),
    (0xFB1D, Script.HEBREW),
    (0xFB50, Script.ARABIC),
    (0xFE00, Script.OTHER),
    (0xFE30, Script.HAN),
    (0xFE50, Script.OTHER),
    (0xFE70, Script.ARABIC),
    (0xFF00, Script.HAN),
    (0xFF66, Script.KANA),
    (0xFFA0, Script.HANGUL),
    (0xFFE0, Script.HAN),
    (0x10000, Script.OTHER),
    (0x1F000, Script.EMOJI),
    (0x20000, Script.HAN),
    (0x40000, Script.OTHER),
)
_STARTS = [start for start, _ in _RUNS]
_WIDE = frozenset({Script.KANA, Script.HAN})


@lru_cache(maxsize=65536)
def script_of(char: str) -> Script:
    """The group of one character; signs that all scripts share count as Latin."""
    return _RUNS[bisect_right(_STARTS, ord(char)) - 1][1]


def is_wide(char: str) -> bool:
    """Whether lines may break beside this character without a space: kana and ideographs."""
    return script_of(char) in _WIDE


# Signs that East Asian text shares with others, but sets as wide as its own.
_SHARED = frozenset("…‥—―")


def stands(char: str) -> bool:
    """Whether a sign stands upright in a column, in its vertical form where it has one."""
    return char in _SHARED or is_wide(char)


def is_shared(char: str, language: str) -> bool:
    """Whether a sign is set by the font of an East Asian language although others have it."""
    return char in _SHARED and language.partition("-")[0] in ("ja", "zh", "ko")


def is_rtl(text: str) -> bool:
    """Whether a text runs from right to left: its first letter is Hebrew or Arabic."""
    for char in text:
        if char.isalpha():
            return script_of(char) in (Script.HEBREW, Script.ARABIC)
    return False


def language_of(text: str, language: str = "") -> str:
    """``language`` if it is given, else the one that the script of the text gives away, or ``""``.

    Han without kana is taken for Chinese, as only Japanese writes the two together.
    """
    if language:
        return language
    scripts = {script_of(char) for char in text}
    for script, name in (
        (Script.KANA, "ja"),
        (Script.HANGUL, "ko"),
        (Script.HAN, "zh"),
        (Script.ARABIC, "ar"),
        (Script.HEBREW, "he"),
        (Script.GREEK, "el"),
    ):
        if script in scripts:
            return name
    return ""


def stands_upright(text: str) -> bool:
    """Whether a text can be set in columns from top to bottom: mostly kana and ideographs."""
    letters = [char for char in text if not char.isspace()]
    wide = sum(is_wide(char) for char in letters)
    return wide > 0.5 * len(letters)
