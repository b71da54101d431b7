"""What the latest jobs say about the next ones, and how far such words were off."""

import pytest

from storage.estimates import Estimates, Measured, Running, Told


def estimates(done=(), told=(), running=(), mean_work=0.0) -> Estimates:
    return Estimates(list(done), list(told), list(running), mean_work)


def test_too_few_jobs_say_nothing() -> None:
    few = estimates([Measured("a", 1.0, 10.0)] * 2)
    assert few.seconds_of("a", 1.0) is None
    assert few.until_done("a", 1.0, work_ahead=0, jobs_of_others=0, jobs_ahead=0) is None


def test_the_same_work_by_the_same_engine_counts_first_then_its_share() -> None:
    known = estimates(
        [Measured("a", 1.0, 10.0)] * 3 + [Measured("a", 4.0, 20.0)] * 3 + [Measured("b", 1, 90)] * 3
    )
    assert known.seconds_of("a", 1.0) == 10.0
    assert known.seconds_of("a", 4.0) == 20.0
    assert known.seconds_of("a", 2.0) == pytest.approx(2 * 90 / 15)
    assert known.seconds_of("b", 1.0) == 90.0
    assert known.seconds_of("c", 1.0) == pytest.approx(360 / 18)


def test_a_persons_drawing_has_no_work_and_times_of_its_own() -> None:
    known = estimates([Measured("", 0.0, 2.0)] * 3 + [Measured("a", 1.0, 50.0)] * 3)
    assert known.seconds_of("", 0.0) == 2.0


def test_what_runs_and_what_is_ahead_is_added() -> None:
    known = estimates(
        [Measured("a", 1.0, 10.0)] * 5,
        running=[Running("a", 1.0, 4.0), Running("a", 1.0, 99.0)],
        mean_work=1.0,
    )
    eta = known.until_done("a", 1.0, work_ahead=2.0, jobs_of_others=1, jobs_ahead=3)
    assert eta == pytest.approx(10 + 3 * 10 + 6 + 1)  # the late one takes a tenth longer at least


def test_the_interval_is_what_came_of_similar_words() -> None:
    told = [Told(100.0, 100.0 + n) for n in range(-5, 6)]
    assert estimates(told=told).around(100.0) is None, "eleven are too few"
    told = [Told(100.0, 80.0 + 4 * n) for n in range(11)] + [Told(9000.0, 90_000.0)] * 200
    near = estimates(told=told * 4).around(100.0)
    assert near is not None
    assert near == (pytest.approx(84, abs=4), pytest.approx(116, abs=4))
    assert estimates(told=told * 4).around(None) is None
