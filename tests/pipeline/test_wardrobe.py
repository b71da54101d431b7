"""What is worn at a place of the story, and what the linter says when something else is asked."""

import pytest

from pipeline.domain.character import Appearance, StoryPoint
from pipeline.domain.story import StoryPlace, look_in, range_words, worn_in
from pipeline.prompting.linter import Severity
from pipeline.prompting.wardrobe import lint_unplaced, lint_wardrobe


def look(name, start=None, end=None, row=1):
    return Appearance(row, 1, 1, f"akira_{name}", name, valid_from=start, valid_to=end)


SCHOOL = look("school", None, StoryPoint(2, 9999))
ARMOUR = look("armour", StoryPoint(3, 1), None, 2)
BALL = look("ball", StoryPoint(3, 8), StoryPoint(3, 12), 3)
LOOKS = [SCHOOL, ARMOUR, BALL]


@pytest.mark.parametrize(
    ("chapter", "page", "worn"),
    [
        (None, None, "school"),
        (None, 9, "school"),
        (1, None, "school"),
        (2, 40, "school"),
        (3, None, "armour"),
        (3, 7, "armour"),
        (3, 8, "ball"),
        (3, 13, "armour"),
        (9, None, "armour"),
    ],
)
def test_a_place_of_the_story_decides_the_look(chapter, page, worn):
    found = look_in(LOOKS, StoryPlace(chapter, page))
    assert found is not None
    assert found.label == worn


def test_a_chapter_without_a_page_takes_what_is_first_worn_in_it():
    late = look("late", StoryPoint(4, 10), None)
    assert look_in([look("later", StoryPoint(4, 20)), late], StoryPlace(4)) == late
    assert look_in([late], StoryPlace(4, 9)) is None
    assert look_in([], StoryPlace(4)) is None
    assert look_in([], StoryPlace()) is None


def test_worn_in_includes_both_ends():
    assert [worn_in(BALL, StoryPlace(3, page)) for page in (7, 8, 12, 13)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert worn_in(BALL, StoryPlace(3))
    assert not worn_in(BALL, StoryPlace(4))


def test_a_look_that_is_not_worn_there_is_refused_with_what_to_choose():
    assert lint_wardrobe("Akira", ARMOUR, LOOKS, StoryPlace(3, 2)) is None
    assert lint_wardrobe("Akira", SCHOOL, LOOKS, StoryPlace()) is None
    found = lint_wardrobe("Akira", SCHOOL, LOOKS, StoryPlace(3, 9))
    assert found is not None
    assert (found.severity, found.code) == (Severity.BLOCK, "not_worn")
    assert "akira_school is worn from the beginning to chapter 2, not in chapter 3, page 9" in (
        found.text
    )
    assert "Choose appearance akira_armour, akira_ball" in found.text


def test_where_nothing_is_worn_the_way_out_is_named():
    found = lint_wardrobe("Akira", SCHOOL, [SCHOOL], StoryPlace(7))
    assert found is not None
    assert "/appearance add" in found.text
    assert "/character edit" in found.text


def test_clothes_that_change_ask_for_a_chapter():
    assert lint_unplaced("Akira", look("only"), [look("only")]) is None
    found = lint_unplaced("Akira", SCHOOL, LOOKS)
    assert found is not None
    assert found.severity is Severity.WARN
    assert "/series settings" in found.text


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (None, None, "always"),
        (StoryPoint(2, 1), StoryPoint(2, 9999), "in chapter 2"),
        (StoryPoint(2, 5), None, "from chapter 2 page 5 to the end"),
        (None, StoryPoint(4, 9999), "from the beginning to chapter 4"),
    ],
)
def test_ranges_in_words(start, end, words):
    assert range_words(start, end) == words
