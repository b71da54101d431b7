from dataclasses import replace

from pipeline.comics.alt import alt_text, name_of, scene_text
from pipeline.domain.character import ShotType
from pipeline.domain.panel import BalloonKind, CastRole, DialogueLine, PanelBrief

NAMES = {"ch_mira": "Mira", "ch_oskar": "Oskar"}
BRIEF = PanelBrief(
    prompt="They  wait at the door",
    cast=(CastRole("ch_mira", "mira_coat"), CastRole("ch_oskar", "oskar_coat")),
    shot_type=ShotType.HALF,
    dialogue=(
        DialogueLine("Later.", None, BalloonKind.CAPTION),
        DialogueLine("Do you hear it?", "ch_mira"),
        DialogueLine("No!", "ch_oskar", BalloonKind.SHOUT),
        DialogueLine("Hm.", "ch_old_man", BalloonKind.THOUGHT),
    ),
)


def test_a_panel_in_words_says_who_what_and_what_is_said_in_order():
    assert alt_text(BRIEF, NAMES) == (
        "Medium shot of Mira and Oskar: They wait at the door. Caption: “Later.” "
        "Mira says: “Do you hear it?” Oskar shouts: “No!” Old Man thinks: “Hm.”"
    )


def test_a_panel_without_people_words_or_dialogue_still_says_something():
    empty = replace(BRIEF, cast=(), prompt="", dialogue=(), shot_type=ShotType.FULL)
    assert alt_text(empty, NAMES) == "Full shot."
    assert scene_text(replace(empty, prompt="Rain!"), {}) == "Full shot: Rain!"


def test_three_people_are_listed_and_unknown_ids_become_readable():
    crowd = (*BRIEF.cast, CastRole("ch_the_cup", "cup"))
    assert scene_text(replace(BRIEF, cast=crowd), NAMES).startswith(
        "Medium shot of Mira, Oskar and The Cup:"
    )
    assert name_of("ch_nobody_here", {}) == "Nobody Here"


def test_every_shot_and_kind_has_its_words():
    for shot in ShotType:
        assert scene_text(replace(BRIEF, shot_type=shot), NAMES).split(" of ")[0]
    for kind in BalloonKind:
        said = replace(BRIEF, dialogue=(DialogueLine("Oh.", "ch_mira", kind),))
        assert "“Oh.”" in alt_text(said, NAMES)
