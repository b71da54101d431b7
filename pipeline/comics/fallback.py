"""Open fonts on the machine for scripts that the bundled faces do not write.

A folder of the user's own comes first; then the places where systems keep fonts are searched for
families with an open licence, by file name. Nothing is downloaded and nothing is guessed: what is
not found is named together with the package that brings it.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.comics.scripts import Script

_ENDINGS = (".ttf", ".otf", ".ttc", ".otc")
_MAX_FILES = 20_000


@dataclass(frozen=True, slots=True)
class FacePlace:
    """A face in a file; collections hold several."""

    path: Path
    index: int = 0


# The order of the languages in Noto's and Source Han's collections.
# Source: notofonts/noto-cjk, README of the OTC releases.
_COLLECTION = {"ja": 0, "ko": 1, "zh": 2, "zh-hans": 2, "zh-hant": 3, "zh-tw": 3, "zh-hk": 4}
_CJK = ("NotoSansCJK", "SourceHanSans", "NotoSerifCJK", "SourceHanSerif")
_LOCAL = {
    "ja": ("NotoSansJP", "NotoSansCJKjp", "ipaexg", "ipag", "TakaoGothic", "VL-Gothic-Regular"),
    "ko": ("NotoSansKR", "NotoSansCJKkr", "NanumGothic", "UnDotum"),
    "zh": ("NotoSansSC", "NotoSansCJKsc", "wqy-microhei", "wqy-zenhei"),
    "zh-hant": ("NotoSansTC", "NotoSansCJKtc"),
}
_PLAIN = {
    Script.HEBREW: ("NotoSansHebrew", "DejaVuSans"),
    Script.ARABIC: ("NotoSansArabic", "NotoNaskhArabic", "DejaVuSans"),
    Script.EMOJI: ("NotoSansSymbols2", "NotoSansSymbols", "NotoSansMath", "DejaVuSans"),
}
_ANYTHING = ("NotoSans", "DejaVuSans")
_WIDE = (Script.KANA, Script.HAN, Script.HANGUL)
# Debian's package for each script; the name of the family for other systems.
_SOURCES = {
    Script.KANA: ("fonts-noto-cjk", "Noto Sans CJK"),
    Script.HAN: ("fonts-noto-cjk", "Noto Sans CJK"),
    Script.HANGUL: ("fonts-noto-cjk", "Noto Sans CJK"),
}
_SOURCE = ("fonts-noto-core", "Noto Sans")
SAMPLES = {
    Script.LATIN: "a",
    Script.CYRILLIC: "ж",
    Script.GREEK: "λ",
    Script.ARABIC: "ع",
    Script.HEBREW: "ש",
    Script.KANA: "あ",
    Script.HAN: "我",
    Script.HANGUL: "한",
    Script.EMOJI: "😀",
}

_own_folder: Path | None = None


def use_folder(folder: Path | None) -> None:
    """Search ``folder`` before the system's; None: the system's only."""
    global _own_folder
    _own_folder = folder
    faces_of.cache_clear()
    _own_files.cache_clear()


@cache
def faces_of(script: Script, *, bold: bool, language: str = "") -> tuple[FacePlace, ...]:
    """Faces that may write ``script``, best first; whether they have a sign is asked later."""
    found = [FacePlace(path) for path in _own_files()]
    weights = ("Bold", "Regular", "") if bold else ("Regular", "")
    if script in _WIDE:
        found += _wide_faces(script, weights, language.lower())
    for family in (*_PLAIN.get(script, ()), *_ANYTHING):
        found += [FacePlace(path) for path in _files_of(family, weights)]
    return tuple(dict.fromkeys(found))


def remedy(script: Script) -> str:
    """What to do where nothing writes ``script``: one sentence."""
    package, family = _SOURCES.get(script, _SOURCE)
    return (
        f"For {script} letters install the font {family} (Debian: apt install {package}), "
        "or put a font that has it into the fonts folder."
    )


def _wide_faces(script: Script, weights: tuple[str, ...], language: str) -> Iterator[FacePlace]:
    if language.partition("-")[0] not in ("ja", "ko", "zh"):
        language = {Script.KANA: "ja", Script.HANGUL: "ko"}.get(script, "zh")
    index = _COLLECTION.get(language, _COLLECTION.get(language.partition("-")[0], 0))
    traditional = language in ("zh-hant", "zh-tw", "zh-hk")
    local = _LOCAL["zh-hant" if traditional else language.partition("-")[0]]
    for family in local:
        yield from (FacePlace(path) for path in _files_of(family, weights))
    for family in _CJK:
        for path in _files_of(family, weights):
            yield FacePlace(path, index if path.suffix.lower() in (".ttc", ".otc") else 0)


def _files_of(family: str, weights: tuple[str, ...]) -> Iterator[Path]:
    """The files of a family in the wanted weights: ``NotoSans-Bold.ttf``, ``DejaVuSans.ttf``."""
    for weight in weights:
        path = _system_files().get(f"{family}-{weight}".rstrip("-").lower())
        if path is not None:
            yield path


@cache
def _own_files() -> tuple[Path, ...]:
    if _own_folder is None:
        return ()
    return tuple(sorted(_fonts_below(_own_folder)))


@cache
def _system_files() -> dict[str, Path]:
    """Font files of the system by lower-case name without the ending."""
    found: dict[str, Path] = {}
    for folder in _system_folders():
        for path in _fonts_below(folder):
            found.setdefault(path.stem.lower(), path)
    return found


def _system_folders() -> Iterator[Path]:
    home = Path.home()
    if sys.platform == "darwin":
        yield from (home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts"))
    elif sys.platform == "win32":
        yield Path(os.environ.get("WINDIR", "C:\\Windows")) / "Fonts"
    else:
        yield from (home / ".local/share/fonts", home / ".fonts")
        yield from (Path("/usr/local/share/fonts"), Path("/usr/share/fonts"))


def _fonts_below(folder: Path) -> Iterator[Path]:
    count = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            count += 1
            if count > _MAX_FILES:
                return
            if name.lower().endswith(_ENDINGS):
                yield Path(parent) / name
