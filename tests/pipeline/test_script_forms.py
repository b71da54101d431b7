"""Scripts in three forms: lossless there and back, and every mistake named by its line."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import BalloonKind
from pipeline.script.document import Line, PageScript, PanelScript, Prop, Role, Script
from pipeline.script.reading import read_script
from pipeline.script.structured import schema_text
from pipeline.script.writing import write_json, write_plain, write_yaml

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "script.schema.json"

EXAMPLE = SCHEMA.parents[2] / "examples" / "script.txt"

TYPED = """\
Title: Full to the Brim
Author: A. Writer, Bo
Chapter: 2

PAGE ONE (3 panels)

INT. STUDIO - DAY

PANEL 1 (wide, large)
Cast: Mira, Oskar (everyday)
Props: pencil (Mira)
A studio wall. Mira points
up, excited.

CAPTION: Monday, nine o'clock.
MIRA (shout): Nobody leaves!
oskar: Not me.

OSKAR (O.S.)
So she
says.

[[keep it light]]

Panel 2. Close-up.
Cast: Mira
!MIRA: this is what happens, not what is said.
MIRA & OSKAR: Cheers!

# Page 2
## Panel 1 - Basil folds his arms.
Cast: Basil
"""


def test_the_plain_form_is_read_as_typed():
    reading = read_script(TYPED)
    assert reading.problems == ()
    script = reading.script
    assert script is not None
    assert (script.title, script.authors, script.chapter) == (
        "Full to the Brim",
        ("A. Writer", "Bo"),
        2,
    )
    first, second = script.pages[0].panels
    assert (first.shot, first.weight, first.scene) == (ShotType.FULL, 2.0, "INT. STUDIO - DAY")
    assert first.cast == (Role(name="Mira"), Role(name="Oskar", look="everyday"))
    assert first.props == (Prop(name="pencil", holder="Mira"),)
    assert first.action == ("A studio wall. Mira points up, excited.",)
    assert [(line.speaker, line.kind, line.text) for line in first.dialogue] == [
        (None, BalloonKind.CAPTION, "Monday, nine o'clock."),
        ("Mira", BalloonKind.SHOUT, "Nobody leaves!"),
        ("Oskar", BalloonKind.SPEECH, "Not me."),
        ("Oskar", BalloonKind.OFF_PANEL, "So she says."),
    ]
    assert first.notes == ("keep it light",)
    assert second.shot is ShotType.HEADSHOT
    assert second.action == ("MIRA: this is what happens, not what is said.",)
    assert second.dialogue == (
        Line(text="Cheers!", speaker="Mira", also="Oskar", kind=BalloonKind.DOUBLE_TAIL),
    )
    assert script.pages[1].panels[0].prompt == "Basil folds his arms."


@pytest.mark.parametrize(
    ("old", "new", "line", "complaint"),
    [
        ("PANEL 1 (wide, large)", "PANEL 1 (wobbly)", 9, "“wobbly” is no framing.*close-up"),
        ("MIRA (shout)", "MIRA (sings)", 16, "“sings” is no kind of balloon.*whisper"),
        ("Cast: Basil", "", 31, "cast is missing; write “Cast: Mira, Oskar”"),
        ("Cast: Mira\n!", "Cast: Mira, mira\n!", 25, "named twice"),
        ("Chapter: 2", "Chapter: two", 3, "chapter"),
        ("Chapter: 2", "Year: 1999", 3, "Before “PAGE 1” only these"),
        ("Author: A. Writer, Bo", "Direction: upwards", 2, "direction"),
        ("# Page 2", "# Page 1", 30, "two pages have the same number"),
        ("Title: Full to the Brim", "", 1, "title is missing"),
    ],
)
def test_a_mistake_is_named_by_its_line(old: str, new: str, line: int, complaint: str):
    assert old in TYPED
    reading = read_script(TYPED.replace(old, new))
    assert reading.script is None
    found = [problem for problem in reading.problems if re.search(complaint, problem.text)]
    assert found, reading.problems
    # what concerns the whole script is told at its beginning
    assert found[0].line in ({line} if "two pages" not in complaint else {1, line})


def test_every_mistake_is_told_at_once():
    text = TYPED.replace("(wide, large)", "(wobbly)").replace("(shout)", "(sings)")
    assert [problem.line for problem in read_script(text).problems] == [9, 16]


def test_yaml_and_json_name_lines_too():
    data = json.loads(write_json(_script()))
    data["pages"][0]["panels"][0]["colour"] = "blue"
    text = json.dumps(data, indent="\t")
    at = next(i for i, row in enumerate(text.splitlines(), start=1) if "colour" in row)
    (problem,) = read_script(text).problems
    assert (problem.line, problem.text) == (at, "colour is not known here.")
    (problem,) = read_script("title: [\npages:\n").problems
    assert problem.line > 1


def test_a_bomb_of_aliases_is_refused():
    bomb = "title: &a x\npages:\n  - *a\n"
    (problem,) = read_script(bomb).problems
    assert "aliases are not read" in problem.text
    assert problem.line == 3


def test_size_and_emptiness():
    with pytest.raises(InvalidInput, match="empty"):
        read_script(" \n")
    with pytest.raises(InvalidInput, match="larger than 1 MiB"):
        read_script("x" * (1 << 20) + "y")


def test_the_published_schema_is_the_one_that_is_checked():
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()


def test_the_schema_judges_as_the_reader_does():
    jsonschema = pytest.importorskip("jsonschema_rs")
    validator = jsonschema.validator_for(json.loads(schema_text()))
    good = json.loads(write_json(_script()))
    assert validator.is_valid(good)
    good["pages"][0]["panels"][0]["cast"] = []
    assert not validator.is_valid(good)


def test_the_demo_s_script_is_read():
    script = read_script(EXAMPLE.read_text(encoding="utf-8")).script
    assert script is not None
    assert (len(script.pages), script.panels) == (2, 8)
    assert script.direction is ReadingDirection.LTR


def _script() -> Script:
    panel = PanelScript(number=1, cast=(Role(name="Mira"),), action=("She waves.",))
    return Script(title="T", pages=(PageScript(number=1, panels=(panel,)),))


_WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="[]"),
    min_size=1,
    max_size=12,
)
_WORDS = st.lists(_WORD, min_size=1, max_size=6).map(" ".join)
_NAMES = st.sampled_from(["Mira", "MIRA", "Gran Odette", "B.", "#7", "@home", "Ülo", "éd", "42"])
_SPOKEN = [k for k in BalloonKind if k.has_tail and k is not BalloonKind.DOUBLE_TAIL]
_SILENT = [k for k in BalloonKind if not k.has_tail]
_LINES = st.one_of(
    st.builds(Line, text=_WORDS, speaker=_NAMES, kind=st.sampled_from(_SPOKEN)),
    st.builds(Line, text=_WORDS, speaker=_NAMES, kind=st.sampled_from(_SILENT)),
    st.builds(Line, text=_WORDS, kind=st.sampled_from(_SILENT)),
    st.builds(
        Line, text=_WORDS, speaker=_NAMES, also=_NAMES, kind=st.just(BalloonKind.DOUBLE_TAIL)
    ),
)
_PANELS = st.builds(
    PanelScript,
    number=st.integers(1, 99),
    shot=st.sampled_from(ShotType),
    weight=st.sampled_from([1.0, 2.0, 0.5, 1.3, 4.0, 1 / 3]),
    scene=st.none() | _WORDS.filter(lambda words: not words.startswith(".")),
    cast=st.lists(_NAMES, min_size=1, max_size=3, unique_by=str.casefold).flatmap(
        lambda names: st.tuples(
            *[st.builds(Role, name=st.just(n), look=st.none() | _NAMES) for n in names]
        )
    ),
    props=st.lists(st.builds(Prop, name=_NAMES, holder=st.none() | _NAMES), max_size=2).map(tuple),
    action=st.lists(_WORDS, min_size=1, max_size=3).map(tuple),
    dialogue=st.lists(_LINES, max_size=3).map(tuple),
    notes=st.lists(_WORDS, max_size=2).map(tuple),
)
_PAGES = st.builds(
    PageScript,
    number=st.integers(1, 9999),
    panels=st.lists(_PANELS, min_size=1, max_size=3, unique_by=lambda p: p.number).map(tuple),
)
_SCRIPTS = st.builds(
    Script,
    title=_WORDS,
    logline=st.just("") | _WORDS,
    authors=st.lists(_NAMES, max_size=2).map(tuple),
    language=st.sampled_from(["en", "de", "ja"]),
    direction=st.sampled_from(ReadingDirection),
    chapter=st.none() | st.integers(1, 99),
    notes=st.lists(_WORDS, max_size=2).map(tuple),
    pages=st.lists(_PAGES, min_size=1, max_size=2, unique_by=lambda p: p.number).map(tuple),
)


@settings(max_examples=120, deadline=None)
@given(_SCRIPTS)
def test_what_is_written_is_read_back_in_every_form(script: Script):
    for write in (write_plain, write_yaml, write_json):
        text = write(script)
        reading = read_script(text)
        assert reading.problems == (), text
        assert reading.script == script, text
