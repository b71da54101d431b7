"""The word list finds what people dress up, and leaves innocent words alone."""

import pytest

from pipeline.prompting.wordlist import find_blocked, fold

LIST = ("badword", "ass", "hell", "foo bar", "slur*", "悪い", "плохо", "1488")


@pytest.mark.parametrize(
    "text",
    [
        "a badword here", "BADWORD!", "b4dw0rd", "baaadwoord", "b.a.d.w.o.r.d", "b-a-d-w-o-r-d",
        "b a d w o r d", "bad\u200bword", "bad\u00adword", "b\u0430dword", "ｂａｄｗｏｒｄ", "bádwörd",
        "𝐛𝐚𝐝𝐰𝐨𝐫𝐝", "“badword”", "_badword_", "**badword**", "b̶a̶d̶w̶o̶r̶d̶",
        "you @ss", "a$$", "foo  bar", "foo-bar", "slurred", "とても悪い人", "ПЛОХО", "no 1488 here",
    ],
)  # fmt: skip
def test_words_are_found_however_they_are_dressed(text: str) -> None:
    assert find_blocked(text, LIST) is not None


@pytest.mark.parametrize(
    "text",
    [
        "a class in the grass", "she passes the glass", "hello, shell", "as she says", "food bar",
        "a bad word", "in 1455 or 2455", "pass a salt", "455 people", "", "悪魔ではない", "H. E. Long",
    ],
)  # fmt: skip
def test_innocent_words_pass(text: str) -> None:
    assert find_blocked(text, LIST) is None


def test_a_mark_that_makes_another_letter_stays_where_it_does() -> None:
    assert find_blocked("ばか", ("はか",)) is None, "a voicing mark is no decoration"
    assert fold("Ａ\u200bÉ") == "ae"


@pytest.mark.timeout(60)  # one that goes back over its own steps would take years
@pytest.mark.parametrize("text", ["a" * 20_000, "b.a" * 7_000, "a4@" * 7_000, "l1i!" * 5_000])
def test_no_text_keeps_the_search_busy_for_ever(text: str) -> None:
    words = (*("a" * n + "b" for n in range(2, 30)), "lilil", "badbad")
    assert find_blocked(text, words) is None
