"""Figures shared out among a cast: the best sum of margins, everyone at most once."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.quality import CharacterCheck, Verdict
from pipeline.quality.casting import share_out


def check(similarity: float | None, threshold: float | None = 0.5) -> CharacterCheck:
    return CharacterCheck("ch", "look", Verdict.ON_MODEL, "", similarity, threshold)


def table(rows: list[list[float]]) -> list[list[CharacterCheck]]:
    return [[check(value) for value in row] for row in rows]


def test_the_likest_do_not_take_what_another_needs_more() -> None:
    assert share_out(table([[0.9, 0.85], [0.8, 0.1]])) == [1, 0]


def test_too_few_figures_leave_the_least_like_without() -> None:
    assert share_out(table([[0.4], [0.8], [0.6]])) == [None, 0, None]


def test_nobody_and_nothing() -> None:
    assert share_out([]) == []
    assert share_out([[], []]) == [None, None]


def test_a_member_without_limits_takes_what_is_left() -> None:
    rows = [[check(None, None), check(None, None)], [check(0.2), check(0.7)]]
    assert share_out(rows) == [0, 1]


@given(
    st.integers(1, 4).flatmap(
        lambda members: st.integers(members, 6).flatmap(
            lambda figures: st.lists(
                st.lists(st.integers(-99, 99).map(lambda n: n / 100),
                         min_size=figures, max_size=figures),
                min_size=members, max_size=members,
            )
        )
    )
)  # fmt: skip
def test_as_good_as_trying_all(rows: list[list[float]]) -> None:
    picks = share_out(table(rows))
    taken = [k for k in picks if k is not None]
    assert len(taken) == len(set(taken)) == len(rows)
    mine = sum(row[k] for row, k in zip(rows, taken, strict=True))
    best = max(
        sum(row[k] for row, k in zip(rows, way, strict=True))
        for way in permutations(range(len(rows[0])), len(rows))
    )
    assert abs(mine - best) < 1e-9
