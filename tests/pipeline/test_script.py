"""Dialogue as typed, scripts as TOML: what is read, and what a mistake is told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.comics.dialogue import format_dialogue
from pipeline.comics.script import load_script, parse_dialogue
from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import BalloonKind, CastRole, DialogueLine

CAST = [("ch_akira", "Akira"), ("ch_gran", "Gran Odette")]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "script.toml"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Akira: Hello.", DialogueLine("Hello.", "ch_akira")),
        ("akira:Hello: again", DialogueLine("Hello: again", "ch_akira")),
        ("CH_AKIRA : Hello.", DialogueLine("Hello.", "ch_akira")),
        ("Gran: Tea?", DialogueLine("Tea?", "ch_gran")),
        ("Gran Odette (thought): Tea.", DialogueLine("Tea.", "ch_gran", BalloonKind.THOUGHT)),
        ("Akira (SHOUT): No!", DialogueLine("No!", "ch_akira", BalloonKind.SHOUT)),
        ("Akira (speech): No.", DialogueLine("No.", "ch_akira")),
        ("Caption: Later.", DialogueLine("Later.", None, BalloonKind.CAPTION)),
        ("(caption) Later.", DialogueLine("Later.", None, BalloonKind.CAPTION)),
        ("Caption (caption): Later.", DialogueLine("Later.", None, BalloonKind.CAPTION)),
        ("Akira：  two   spaces ", DialogueLine("two spaces", "ch_akira")),
        ("Akira (whisper): psst", DialogueLine("psst", "ch_akira", BalloonKind.WHISPER)),
        ("Gran (radio): Over.", DialogueLine("Over.", "ch_gran", BalloonKind.RADIO)),
        ("Gran (joined): And?", DialogueLine("And?", "ch_gran", BalloonKind.JOINED)),
        ("Akira (off-panel): Hey!", DialogueLine("Hey!", "ch_akira", BalloonKind.OFF_PANEL)),
        ("Voice: Who is it?", DialogueLine("Who is it?", None, BalloonKind.OFF_PANEL)),
        ("Voice (radio): Over.", DialogueLine("Over.", None, BalloonKind.RADIO)),
        ("SFX: KRAKOOM", DialogueLine("KRAKOOM", None, BalloonKind.SFX)),
        ("Narration: I ran.", DialogueLine("I ran.", None, BalloonKind.NARRATION)),
        ("Gran (narration): I ran.", DialogueLine("I ran.", "ch_gran", BalloonKind.NARRATION)),
        (
            "Akira & Gran: Surprise!",
            DialogueLine("Surprise!", "ch_akira", BalloonKind.DOUBLE_TAIL, "ch_gran"),
        ),
        (
            "Gran and Akira (shout): Surprise!",
            DialogueLine("Surprise!", "ch_gran", BalloonKind.SHOUT, "ch_akira"),
        ),
    ],
)
def test_one_line(typed: str, expected: DialogueLine):
    assert parse_dialogue(typed, CAST) == (expected,)


def test_lines_part_at_breaks_and_bars():
    lines = parse_dialogue("Akira: One. | Gran: Two.\n\n Caption: Three.|", CAST)
    assert [line.text for line in lines] == ["One.", "Two.", "Three."]
    assert parse_dialogue(" \n | ", CAST) == ()


def test_a_lone_character_needs_no_name():
    assert parse_dialogue("We made it!", CAST[:1]) == (DialogueLine("We made it!", "ch_akira"),)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("Akira: Fine.\nBob: Hello.", r"line 2 .*“Bob” is not in this panel.*Akira, Gran Odette"),
        ("Hello.", r"line 1 .*Who says this\?.*Name: text"),
        ("Akira (yodel): psst", r"“yodel” is no kind.*speech, thought, shout, whisper"),
        ("Akira (double-tail): Us?", r"Two people say this.*Name & Name"),
        ("Akira & Akira: Us?", r"named twice"),
        ("Akira & Bob: Us?", r"“Bob” is not in this panel"),
        ("Akira:", r"line 1 .*needs words"),
        ("Akira: " + "x" * 201, r"201 characters.*takes 200.*Split"),
        ("Akira: Go ᚠ", r"line 1 .*U\+16A0.*install"),
        ("|".join(["Akira: One."] * 9), r"at most 8 lines.*this has 9"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_its_fix(typed: str, complaint: str):
    with pytest.raises(InvalidInput, match=complaint):
        parse_dialogue(typed, CAST)


def test_in_an_empty_panel_only_captions_are_possible():
    with pytest.raises(InvalidInput, match="Nobody is in this panel"):
        parse_dialogue("Akira: Hello.", [])


words = (
    st.text("abc dE.!?’:(", min_size=1, max_size=40).map(lambda t: " ".join(t.split())).filter(bool)
)


@given(
    st.lists(
        st.builds(DialogueLine, words, st.sampled_from(["ch_akira", "ch_gran"]))
        | st.builds(
            DialogueLine,
            words,
            st.just("ch_gran"),
            st.sampled_from(["shout", "thought"]).map(BalloonKind),
        )
        | st.builds(DialogueLine, words, st.none(), st.just(BalloonKind.CAPTION)),
        max_size=8,
    )
)
def test_formatted_dialogue_reads_back(lines: list[DialogueLine]):
    assert parse_dialogue(format_dialogue(lines), CAST) == tuple(lines)


def test_the_demo_s_script_is_read():
    script = load_script(EXAMPLE)
    assert script.title
    assert script.reading_direction is ReadingDirection.LTR
    assert len(script.pages) == 2
    panels = [panel for page in script.pages for panel in page.panels]
    assert len(panels) == 8
    for panel in panels:
        cast = [(role.character_id, role.character_id) for role in panel.cast]
        assert parse_dialogue(panel.dialogue_text, cast) == panel.dialogue
        assert panel.prompt
    assert load_script(EXAMPLE.read_text(encoding="utf-8")) == script


SMALL = """
title = "T"
[[page]]
[[page.panel]]
characters = "ch_akira:akira_school, ch_gran"
shot_type = "full"
prompt = "they   run"
dialogue = [{ speaker = "ch_gran", kind = "shout", text = "Run!" }]
"""


def test_a_small_script():
    (page,) = load_script(SMALL).pages
    (panel,) = page.panels
    assert (page.number, panel.number, panel.shot_type) == (1, 1, ShotType.FULL)
    assert panel.cast == (CastRole("ch_akira", "akira_school"), CastRole("ch_gran", ""))
    assert panel.prompt == "they run"
    assert panel.dialogue == (DialogueLine("Run!", "ch_gran", BalloonKind.SHOUT),)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('title = "T"', "title = ", "not a TOML file"),
        ('title = "T"', "", "title is missing"),
        ('title = "T"', 'titel = "T"', "“titel” is not known here"),
        ("[[page.panel]]", "[[page.panels]]", "page 1: “panels” is not known"),
        ('shot_type = "full"', 'shot_type = "wide"', "panel 1: shot_type “wide”.*headshot, half"),
        ('prompt = "they   run"', "", "page 1: panel 1: prompt is missing"),
        ('"ch_akira:akira_school, ch_gran"', '""', "nobody is in it"),
        ('"ch_akira:akira_school, ch_gran"', "7", "characters is missing"),
        ('"ch_akira:akira_school, ch_gran"', '"ch_gran, ch_gran:b"', "named twice"),
        ('speaker = "ch_gran"', 'speaker = "ch_bob"', "dialogue line 1: “ch_bob” is not in"),
        ('kind = "shout"', 'kind = "sing"', "“sing” is no kind"),
        ('text = "Run!"', 'text = " "', "text is missing"),
        ("[[page]]\n", "[[page]]\nnumber = 0\n", "number must be a number from 1"),
        (
            "[[page]]\n",
            "[[page]]\nnumber = 2\n[[page.panel]]\n",
            "page 1: panel 1: prompt is missing",
        ),
    ],
)
def test_a_mistake_in_a_script_is_named_with_its_place(old: str, new: str, complaint: str):
    assert old in SMALL
    with pytest.raises(InvalidInput, match=complaint):
        load_script(SMALL.replace(old, new))


def test_a_missing_file_and_an_empty_script_are_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match="no script of that name"):
        load_script(tmp_path / "none.toml")
    with pytest.raises(InvalidInput, match="1 to 200"):
        load_script('title = "T"')
