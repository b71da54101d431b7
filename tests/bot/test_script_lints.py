"""Script lints: each finding names its line and the way out; causes excuse changes."""

import pytest

from bot.bench.script_lints import CAST, findings, lint_figures, planted_script
from pipeline.script.lint import (
    PANELS_PER_PAGE,
    WORDS_PER_BALLOON,
    WORDS_PER_PAGE,
    WORDS_PER_PANEL,
    lint_script,
)
from pipeline.script.reading import Severity, read_script

HEAD = "Title: T\nChapter: 3\nPAGE 1\nINT. HALL\nPANEL 1 (full)\nCast: Mira (coat), Oskar (coat)\n"
FIRST = HEAD + "Props: lantern (Mira)\nThey wait.\n"


def problems(text: str) -> list[tuple[int, str, str]]:
    reading = read_script(text)
    assert reading.script is not None, reading.problems
    return [(p.line, p.code, p.text) for p in lint_script(reading, CAST)]


@pytest.mark.parametrize(
    ("panel", "line", "code", "words"),
    [
        ("Cast: Mria\nShe waits.", 10, "unknown-character", "Did you mean Mira?"),
        ("Cast: Mira (pyjamas)\nMira changes.", 10, "unknown-appearance", "there are mira_coat"),
        ("Cast: Mira (armour)\nShe puts it on.", 10, "appearance-not-valid", "use mira_coat"),
        ("Cast: Mira (gown)\nA waltz.", 10, "outfit-change", "Say that they change"),
        ("Cast: Oskar, Mira\nThey wait.", 10, "sides-change", "say who crosses"),
        ("Cast: Mira\nShe waits.\nOSKAR: Yes?", 12, "speaker-not-in-panel", "Oskar (off)"),
        (
            "Cast: Mira, Oskar\nProps: lantern (Oskar)\nThey wait.",
            11,
            "prop-change",
            "was Mira’s a moment ago",
        ),
        ("Cast: Mira, Oskar\nProps: rope\nThey wait.", 11, "prop-change", "where it went"),
    ],
)
def test_a_finding_names_line_and_way_out(panel: str, line: int, code: str, words: str):
    found = problems(f"{FIRST}PANEL 2 (full)\n{panel}\n")
    assert [(one[0], one[1]) for one in found] == [(line, code)]
    assert words in found[0][2]


@pytest.mark.parametrize(
    "panel",
    [
        "Cast: Mira (gown)\nShe puts on a gown.",
        "Cast: Oskar, Mira\nReverse angle.",
        "Cast: Mira, Oskar\nProps: lantern (Oskar)\nShe hands him the lantern.",
        "Cast: Mira\nShe waits.\nOSKAR (off): Yes?",
        "Cast: Mira (gown)\nA waltz.\nCAPTION: The next day.",
    ],
)
def test_a_cause_excuses_a_change(panel: str):
    assert problems(f"{FIRST}PANEL 2 (full)\n{panel}\n") == []


def talking(panels: int, words: int) -> str:
    """A page on which Mira and Oskar say so many words in each of so many panels."""
    half = words // 2
    said = f"MIRA: {' '.join(['la'] * half)}\nOSKAR: {' '.join(['lo'] * (words - half))}\n"
    panel = f"Cast: Mira (coat), Oskar (coat)\nThey talk.\n{said}"
    return "Title: T\nChapter: 3\nPAGE 1\nINT. HALL\n" + "".join(
        f"PANEL {number} (full)\n{panel}" for number in range(1, panels + 1)
    )


@pytest.mark.parametrize(
    ("panels", "words", "found"),
    [
        (PANELS_PER_PAGE, WORDS_PER_PAGE // PANELS_PER_PAGE, []),
        (PANELS_PER_PAGE + 1, 2, [(3, "dense-page", "Move some to another page")]),
        (1, 2 * WORDS_PER_BALLOON, []),
        (1, 2 * WORDS_PER_BALLOON + 2, [(8, "long-balloon", "Split it in two")] * 2),
    ],
)
def test_a_page_may_be_full_but_not_crowded(panels: int, words: int, found: list):
    told = [p for p in problems(talking(panels, words)) if p[1] != "too-much-dialogue"]
    assert [code for _, code, _ in told] == [code for _, code, _ in found]
    for (line, _, text), (expected, _, way_out) in zip(told, found, strict=True):
        assert line in (expected, expected + 1)
        assert way_out in text


def test_too_many_words_are_told_by_panel_and_by_page():
    words = WORDS_PER_PANEL + 2
    panels = WORDS_PER_PAGE // words + 1
    codes = [code for _, code, _ in problems(talking(panels, words))]
    assert codes.count("too-much-dialogue") == panels
    assert codes.count("dense-page") == 1
    assert problems(talking(1, WORDS_PER_PANEL)) == []


def test_a_new_scene_begins_anew():
    assert problems(f"{FIRST}EXT. YARD\nPANEL 2 (full)\nCast: Oskar, Mira (gown)\nDusk.\n") == []


def test_without_a_look_the_one_of_the_chapter_is_meant():
    chapter_five = "Title: T\nChapter: 5\nPAGE 1\nPANEL 1 (full)\nCast: Mira (coat)\nShe waits.\n"
    ((_, code, text),) = problems(chapter_five)
    assert (code, "mira_armour" in text) == ("appearance-not-valid", True)
    assert problems(chapter_five.replace(" (coat)", "")) == []


def test_only_what_stops_the_making_is_an_error():
    text = f"{FIRST}PANEL 2 (full)\nCast: Oskar, Mira (gown), Nobody\nThey wait.\n"
    reading = read_script(text)
    levels = {p.code: p.severity for p in lint_script(reading, CAST)}
    assert levels == {
        "unknown-character": Severity.ERROR,
        "outfit-change": Severity.WARNING,
        "sides-change": Severity.HINT,
    }


def test_planted_contradictions_are_found_and_little_else():
    recall, precision = lint_figures(80)
    misses = [
        (seed, sorted(findings(one.text) ^ one.faults))
        for seed in range(80)
        if findings((one := planted_script(seed)).text) != one.faults
    ]
    assert recall.value >= 0.95, misses
    assert precision.value >= 0.9, misses
