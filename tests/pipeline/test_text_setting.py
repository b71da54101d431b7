"""Text: emphasis, line breaking by script, shaping, fonts that stand in."""

import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.comics import fallback
from pipeline.comics.breaking import Setting, atoms_of, line_of
from pipeline.comics.fonts import (
    FontStyle,
    MissingGlyph,
    check_glyphs,
    face_for,
    font_path,
    missing_glyphs,
    use_font_folder,
)
from pipeline.comics.markup import plain_text, runs_of, text_of
from pipeline.comics.scripts import Script, is_rtl, language_of, script_of, stands_upright
from pipeline.comics.shaping import line_width, shape_column, shape_line
from pipeline.comics.textfit import fits
from pipeline.comics.typesetting import ink_of
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, TextRun
from pipeline.domain.panel import BalloonKind

REGULAR = FontStyle.REGULAR
CJK = pytest.mark.skipif(
    bool(missing_glyphs("あ我한")), reason="no Japanese, Chinese and Korean font is installed"
)


@pytest.mark.parametrize(
    ("typed", "runs"),
    [
        ("No.", [("No.", "")]),
        ("I *said* no.", [("I ", ""), ("said", "i"), (" no.", "")]),
        ("**Now!**", [("Now!", "b")]),
        ("***Both*** here", [("Both", "bi"), (" here", "")]),
        ("2 * 3 * 4", [("2 * 3 * 4", "")]),
        (r"\*sigh\*", [("*sigh*", "")]),
        ("a*b*c", [("a*b*c", "")]),
        ("***", [("***", "")]),
    ],
)
def test_emphasis_is_read_as_people_type_it(typed: str, runs: list[tuple[str, str]]):
    found = [(r.text, "b" * r.bold + "i" * r.italic) for r in runs_of(typed)]
    assert found == runs
    assert plain_text(typed) == "".join(text for text, _ in runs)


def test_italics_inside_italics_stand_upright():
    lean = FontStyle.ITALIC.toggled(bold=False, italic=True)
    assert lean is REGULAR
    assert FontStyle.ITALIC.toggled(bold=True, italic=False) is FontStyle.BOLD_ITALIC


def broken(text: str, language: str = "", vertical: bool = False) -> list[str]:
    atoms = atoms_of(text, Setting(REGULAR, language, vertical))
    return [text_of(line_of(atoms, i, i + 1)) for i in range(len(atoms))]


def test_long_words_are_divided_where_their_language_allows():
    assert broken("extraordinarily")[0] in ("ex-", "ext-", "extra-", "extraor-")
    assert broken("Verantwortung", "de") == ["Ver-", "ant-", "wor-", "tung"]
    assert broken("soon") == ["soon"]
    assert broken("co\u00adoperate") == ["co\u00ad-", "operate"]


@CJK
def test_no_line_begins_or_ends_against_the_rules():
    text = "「待って、ねえ！」……って言った。きゃっ、ほんと？"
    parts = broken(text, "ja")
    assert "".join(parts) == text
    assert not any(part[0] in "、。！？」…っゃ" for part in parts)
    assert not any(part[-1] in "「" for part in parts)
    assert "……" in "".join(part for part in parts if "…" in part)


@CJK
def test_korean_keeps_its_words_whole():
    assert broken("도서관에 가자", "ko") == ["도서관에", "가자"]


WORDS = st.text(st.sampled_from("abcäöüñçéж яλάمرحبا"), min_size=1, max_size=60).filter(str.strip)


@settings(deadline=None, max_examples=40)
@given(WORDS)
def test_a_broken_text_is_the_same_text(text: str):
    words = " ".join(unicodedata.normalize("NFC", text).split())
    for fit in fits(words, BalloonKind.SPEECH, "xx"):
        assert "".join(fit.lines).replace("-", "").replace(" ", "") == words.replace(" ", "")


def test_arabic_is_joined_and_runs_from_right_to_left():
    word = "بيت"
    joined = shape_line((TextRun(word),), REGULAR, "ar")
    apart = sum(line_width(char, REGULAR, "ar") for char in word)
    assert [glyph.cluster for glyph in joined.glyphs if glyph.cluster in (0, 1, 2)] == sorted(
        (glyph.cluster for glyph in joined.glyphs), reverse=True
    )
    assert joined.length != pytest.approx(apart, rel=0.01)
    assert is_rtl(word)
    assert not is_rtl("ok بيت")


def test_numbers_inside_arabic_keep_their_direction():
    line = shape_line((TextRun("في 12 بيت"),), REGULAR, "ar")
    x = {glyph.cluster: glyph.x for glyph in line.glyphs}
    assert x[3] < x[4], "1 stands left of 2"
    assert x[6] < x[3] < x[0], "the words around them run leftwards"


def test_an_emoji_of_several_characters_is_one_glyph():
    assert len(shape_line((TextRun("👍🏽"),), REGULAR).glyphs) == 1


@CJK
def test_columns_stand_upright_and_numbers_lie_across():
    column = shape_column((TextRun("あ、10時"),), REGULAR, "ja")
    assert column.length == pytest.approx(4.0)
    one, two = (g for g in column.glyphs if g.cluster in (2, 3))
    assert one.y == two.y
    assert one.x < two.x
    comma = next(g for g in column.glyphs if g.cluster == 1)
    flat = next(g for g in shape_line((TextRun("、"),), REGULAR, "ja").glyphs)
    assert comma.id != flat.id, "the comma has a vertical form"
    assert stands_upright("十時に来る")
    assert not stands_upright("Hello 十")


@CJK
def test_one_sign_takes_the_shape_of_its_language():
    japanese, chinese = face_for("骨", REGULAR, "ja"), face_for("骨", REGULAR, "zh")
    assert japanese is not None
    assert chinese is not None
    assert (japanese.path, japanese.index) != (chinese.path, chinese.index)


def test_scripts_and_languages_are_told_from_the_text():
    assert [script_of(c) for c in "aжλעعあ我한😀"] == [
        Script.LATIN, Script.CYRILLIC, Script.GREEK, Script.HEBREW, Script.ARABIC,
        Script.KANA, Script.HAN, Script.HANGUL, Script.EMOJI,
    ]  # fmt: skip
    assert [language_of(t) for t in ("hi", "食べる", "吃飯", "밥", "بيت")] == [
        "",
        "ja",
        "zh",
        "ko",
        "ar",
    ]
    assert language_of("食", "zh-hant") == "zh-hant"


def test_a_font_of_ones_own_comes_before_the_systems(tmp_path: Path):
    shutil.copy(font_path(), tmp_path / "mine.ttf")
    use_font_folder(tmp_path)
    try:
        first = fallback.faces_of(Script.HAN, bold=False)[0]
        assert first.path == tmp_path / "mine.ttf"
    finally:
        use_font_folder(None)


def test_a_missing_sign_is_named_with_what_brings_it():
    with pytest.raises(MissingGlyph, match=r"“ᚠ” \(U\+16A0\).*Noto Sans"):
        check_glyphs("ᚠ")
    assert missing_glyphs("a\ufe0f\u200db c") == ()
    assert "fonts-noto-cjk" in fallback.remedy(Script.KANA)


def test_ink_is_where_the_line_is_and_a_stroke_widens_it():
    balloon = Balloon(
        1, 0, BalloonKind.SFX, None, ("BAM",), 40, 46.0, Box(0, 0, 160, 80), Box(30, 20, 130, 60)
    )
    tile = Box(0, 0, 160, 80)
    ink = ink_of(balloon, tile, 1.0)
    wide = ink_of(balloon, tile, 1.0, stroke=4.0)
    assert ink.shape == (80, 160)
    rows, columns = np.nonzero(ink > 127)
    assert 15 <= rows.min() < rows.max() <= 65
    assert abs((columns.min() + columns.max()) / 2 - 80) < 3
    assert (wide > 127).sum() > 1.3 * (ink > 127).sum()
    grown = np.nonzero(wide > 127)
    assert columns.min() - grown[1].min() in (3, 4, 5)
