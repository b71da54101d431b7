"""What a new picture would save: rates of few events, drawn towards what is usual."""

import pytest

from pipeline.domain.character import ShotType
from pipeline.domain.quest import View
from pipeline.domain.vocabulary import Expression
from pipeline.retrieval.coverage import Need
from pipeline.retrieval.quests import PastPanel, quest_ideas, savings, shows, smoothed, wish_of

HALF, BACK = View(ShotType.HALF, "front"), View(ShotType.FULL, "back")
SHEET = View(ShotType.HALF, "front", Expression.JOY)


def panels(look: str, wish: View, failed: list[int], *, shown: bool) -> list[PastPanel]:
    return [PastPanel(look, wish, n, shown) for n in failed]


@pytest.mark.parametrize(
    ("shot", "prompt", "wish"),
    [
        (ShotType.FULL, "Seen from behind.", View(ShotType.FULL, "back")),
        (ShotType.HALF, "She smiles in profile.", View(ShotType.HALF, "side", Expression.JOY)),
        (ShotType.HALF, "Three people talk.", View(ShotType.HALF)),
        (ShotType.HEADSHOT, "A three-quarter view.", View(ShotType.HEADSHOT, "three_quarter")),
        (ShotType.FULL, "", View(ShotType.FULL)),
    ],
)
def test_what_a_panel_asks_to_see(shot, prompt, wish):
    assert wish_of(shot, prompt) == wish


def test_a_picture_shows_what_is_asked_and_what_was_left_open():
    assert shows(BACK, View(ShotType.FULL))
    assert shows(BACK, View(ShotType.DYNAMIC, "back")), "a full figure stands in for action"
    assert not shows(BACK, View(ShotType.FULL, "side"))
    assert not shows(BACK, View(ShotType.FULL, "back", Expression.JOY))
    assert View.of(SHEET.key) == SHEET
    assert View.of(BACK.key) == BACK
    assert View.of("half") == View(ShotType.HALF)
    with pytest.raises(ValueError, match="nothing"):
        View.of("nothing.back")


def test_the_saving_is_how_often_times_how_much():
    past = [
        *panels("a", HALF, [0] * 20, shown=True),
        *panels("a", BACK, [1, 2, 1, 2, 1, 2, 1, 2, 1, 2], shown=False),
    ]
    saving = savings(past, "a", [HALF])[BACK]
    assert saving.tries == pytest.approx(15.0)
    assert (saving.asked, saving.panels) == (10, 30)
    assert (saving.failed_without, saving.failed_with) == (1.5, 0.0)
    assert savings(past, "a", [HALF, BACK]) == {}, "what is there is not lacking"


def test_one_picture_that_meets_two_wishes_saves_both():
    open_wish = View(ShotType.FULL)
    past = [
        *panels("a", HALF, [0] * 10, shown=True),
        *panels("a", BACK, [1] * 5, shown=False),
        *panels("a", open_wish, [1] * 5, shown=False),
    ]
    found = savings(past, "a", [HALF])
    assert found[BACK].tries == pytest.approx(10.0)
    assert found[open_wish].tries == pytest.approx(5.0), "from anywhere: not surely from behind"


def test_a_lucky_streak_promises_less_than_it_seems():
    past = [
        *panels("a", HALF, [0] * 30, shown=True),
        *(p for n in range(8) for p in panels(f"b{n}", BACK, [1, 0, 1, 0], shown=False)),
        *panels("a", BACK, [3], shown=False),
    ]
    saving = savings(past, "a", [HALF])[BACK]
    assert 0.5 < saving.failed_without < 1.5, "one panel says little; the others say a half"


def test_rates_that_chance_explains_are_all_the_mean():
    same = smoothed({"a": 1, "b": 2}, {"a": 4, "b": 4})
    assert same == {"a": 0.375, "b": 0.375}
    apart = smoothed({"a": 0, "b": 90}, {"a": 100, "b": 100})
    assert apart["a"] < 0.05
    assert apart["b"] > 0.85
    assert smoothed({}, {}) == {}


def test_nobody_is_thanked_in_advance_where_nothing_fails():
    past = [
        *panels("a", HALF, [0] * 5, shown=True), *panels("a", BACK, [0] * 5, shown=False),
    ]  # fmt: skip
    assert savings(past, "a", [HALF])[BACK].tries == 0
    needs = [
        Need("full.back", "…", required=False, have=0),
        Need("head.front", "…", required=True, have=0),
        Need("references", "…", required=True, have=0, want=10),
    ]
    ideas = quest_ideas(past, "a", [HALF], needs)
    assert [(i.view.key, i.saving) for i in ideas] == [
        ("full.back", None),
        ("headshot.front", None),
    ]
    assert quest_ideas([], "a", [], []) == []
