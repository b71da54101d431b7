"""Dialogue as typed: what is read, and what a mistake is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.comics.dialogue import format_dialogue, parse_dialogue
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import BalloonKind, DialogueLine

CAST = [("ch_akira", "Akira"), ("ch_gran", "Gran Odette")]


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
