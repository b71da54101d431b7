"""Alternates in portions: the same pictures, fewer of them, and a plan that tells the truth."""

from dataclasses import replace

import numpy as np
import pytest

from bot.bench.communities import Community
from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import ConditioningPlan, Variation
from pipeline.domain.fingerprint import PictureHashes
from pipeline.domain.geometry import Size
from pipeline.domain.panel import Candidate
from pipeline.domain.quality import CandidateReport, CharacterCheck, JudgedCandidate, Verdict
from pipeline.domain.taste import Taste
from pipeline.generation.watched import Drawn
from pipeline.taste.drawing import SPARED, draw_until_clear
from pipeline.taste.learning import learn


@pytest.fixture(scope="module")
def people() -> Community:
    return Community(np.random.default_rng(1))


@pytest.fixture(scope="module")
def taste(people: Community) -> Taste:
    found = learn(people.votes(60)[0])
    assert found is not None
    return found


class Drawer:
    """Draws pictures of a community in order of their seeds and passes all of them."""

    def __init__(self, pictures, verdict=Verdict.ON_MODEL) -> None:
        self.pictures, self.verdict, self.drawn, self.shares = pictures, verdict, [], []

    def __call__(self, plan, part):
        self.shares.append(part)
        first = plan.variations[-1].seed if plan.variations else plan.seed
        numbers = range(first, first + plan.alternates)
        self.drawn += numbers
        check = CharacterCheck("ch_a", "a_x", self.verdict, "")
        judged = tuple(
            JudgedCandidate(
                Candidate(b"%d" % n, Size(8, 8)),
                PictureHashes("test", 1, 2, 3),
                CandidateReport(self.verdict, (check,), margin=0.1),
                self.pictures[n % len(self.pictures)].traits,
            )
            for n in numbers
        )
        return Drawn(plan, [j.candidate for j in judged]), judged


def plan_of(alternates: int):
    return ConditioningPlan(
        "scripted", "1", "she waits", "", (), ShotType.HALF, ColorMode.COLOR, Size(8, 8), 100,
        alternates, 0,
    )  # fmt: skip


def extremes(people: Community):
    pictures = sorted((people.picture() for _ in range(200)), key=lambda p: p.liking)
    return pictures[:4], pictures[-1]


def test_without_a_taste_everything_is_drawn_at_once(people) -> None:
    drawer = Drawer(people.card())
    drawn, judged = draw_until_clear(plan_of(4), None, [], drawer)
    assert (drawer.shares, len(judged), drawn.plan) == ([(0.0, 1.0)], 4, plan_of(4))


def test_it_stops_at_two_when_the_winner_is_clear_and_the_plan_says_so(people, taste) -> None:
    bad, best = extremes(people)
    drawn, judged = draw_until_clear(plan_of(4), taste, [], Drawer([bad[0], best, *bad[1:]]))
    assert len(judged) == len(drawn.candidates) == drawn.plan.alternates == 2
    assert drawn.plan.seed == plan_of(4).seed
    assert SPARED in drawn.plan.notes


def test_it_goes_on_seed_by_seed_while_it_is_not(people, taste) -> None:
    bad, _ = extremes(people)
    drawer = Drawer(bad)
    drawn, judged = draw_until_clear(plan_of(4), taste, [], drawer)
    start = plan_of(4).seed
    assert drawer.drawn == [start, start + 1, start + 2, start + 3]
    assert drawer.shares == [(0.0, 0.5), (0.5, 0.75), (0.75, 1.0)]
    assert (len(judged), drawn.plan) == (4, plan_of(4))


def test_what_the_check_did_not_pass_never_counts(people, taste) -> None:
    _, best = extremes(people)
    _, judged = draw_until_clear(plan_of(4), taste, [], Drawer([best], Verdict.OFF_MODEL))
    assert len(judged) == 4


def test_pictures_of_earlier_attempts_count(people, taste) -> None:
    bad, best = extremes(people)
    before = [best.traits]
    _, judged = draw_until_clear(plan_of(3), taste, before, Drawer(bad))
    assert len(judged) == 1


def test_portions_of_a_variation_keep_its_seed_and_count_up_the_other_noise(people, taste) -> None:
    bad, _ = extremes(people)
    drawer = Drawer(bad)
    plan = replace(plan_of(4), variations=(Variation(500, 0.25),))
    drawn, _ = draw_until_clear(plan, taste, [], drawer)
    assert drawer.drawn == [500, 501, 502, 503]
    assert drawn.plan == plan
