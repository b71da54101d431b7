"""The drift watch: the source's rule, the sequential test, causes, facets and the chart."""

import io

import numpy as np
import pytest
from PIL import Image

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import (
    CastConditioning,
    ConditioningPlan,
    ModelFile,
    PartKind,
    PromptPart,
    ReferenceUse,
)
from pipeline.domain.geometry import Size
from pipeline.quality.drift import (
    PATIENCE,
    WARM_UP,
    Watcher,
    by_rule,
    by_test,
    cause_words,
    causes,
    rolling_mean,
    watch,
)
from pipeline.quality.drift_chart import HEIGHT, WIDTH, ChartPoint, drift_chart
from pipeline.quality.facets import facets_of


def log(rng, good: int, bad: int, spread: float = 0.03, drop: float = 0.085) -> list[float]:
    values = rng.normal(0.85, spread, good + bad)
    values[good:] -= drop
    return [float(v) for v in values]


def test_a_fall_of_a_tenth_is_noticed_within_eight_pictures_and_placed_where_it_began():
    rng = np.random.default_rng(5)
    delays, misplaced = [], []
    for _ in range(60):
        found = [a for a in by_test(log(rng, 30, 30)) if a.at >= 30]
        assert found, "it is never missed for thirty pictures"
        delays.append(found[0].at - 29)
        misplaced.append(abs(found[0].since - 30))
    assert np.mean(delays) <= 8
    assert np.median(misplaced) <= 1


def test_an_unchanged_look_raises_at_most_one_alarm_in_five_hundred():
    rng = np.random.default_rng(6)
    pictures = 40 * 250
    alarms = sum(len(by_test(log(rng, 250, 0))) for _ in range(40))
    assert alarms <= pictures / PATIENCE


def test_one_terrible_picture_is_no_drift():
    rng = np.random.default_rng(7)
    values = log(rng, 40, 0)
    values[20] = 0.1
    assert by_test(values) == []


def scattered(rng, count: int) -> np.ndarray:
    """Similarities of a look of which every tenth picture shows another pose."""
    values = 0.85 + rng.normal(0, 0.02, count)
    return np.where(rng.random(count) < 0.1, values - 0.2, values)


def test_pictures_of_other_poses_neither_hide_a_fall_nor_are_one():
    rng = np.random.default_rng(9)
    delays = []
    for _ in range(40):
        values = scattered(rng, 70)
        values[40:] -= 0.085
        found = [a.at - 39 for a in by_test(values.tolist()) if a.at >= 40]
        delays.append(found[0] if found else 30)
    assert np.mean(delays) <= 8
    alarms = sum(len(by_test(scattered(rng, 250).tolist())) for _ in range(40))
    assert alarms <= 40 * 250 / PATIENCE


@pytest.mark.parametrize("length", [0, 1, WARM_UP, WARM_UP + 3])
def test_nothing_is_said_before_there_is_a_baseline(length):
    assert watch([0.9] * (length // 2) + [0.1] * (length - length // 2)) == ()


def test_equal_values_are_no_surprise():
    assert watch([0.8] * 60) == ()


def test_the_rule_of_the_source_is_about_the_mean_of_five():
    values = [0.80] * 20 + [0.70] * 20
    (alarm,) = by_rule(values)
    assert (alarm.at, alarm.watcher) == (24, Watcher.RULE)
    assert alarm.before == pytest.approx(0.80)
    assert alarm.after == pytest.approx(0.70)
    assert by_rule([0.80] * 20 + [0.73] * 20) == [], "nine percent are allowed"


def test_a_second_fall_is_a_second_alarm():
    rng = np.random.default_rng(8)
    values = log(rng, 25, 25)
    values += [v - 0.17 for v in log(rng, 25, 0)]
    found = by_test(values)
    assert [25 <= a.at < 35 or 50 <= a.at < 60 for a in found] == [True, True]


def test_the_mean_begins_with_what_there_is():
    assert rolling_mean([1.0, 3.0, 5.0], window=2) == [1.0, 2.0, 4.0]


def test_what_changed_with_the_fall_is_named_first():
    before = [{"model": "a", "lighting": "day" if n % 3 else "night"} for n in range(12)]
    after = [{"model": "b", "lighting": "night" if n % 2 else "day"} for n in range(6)]
    (cause,) = causes([*before, *after], 12)
    assert (cause.facet, cause.was, cause.now) == ("model", "a", "b")
    assert (cause.share_before, cause.share_after) == (0.0, 1.0)
    assert "model from “a” to “b”" in cause_words([cause])
    assert causes(before, 0) == []
    assert "Nothing in the recipes" in cause_words([])


def plan(**changed) -> ConditioningPlan:
    given = {
        "generator": "draft",
        "generator_version": "1",
        "prompt": "Akira walks at night in the rain",
        "negative": "",
        "cast": (CastConditioning("ch_a", "a_1", "x", (ReferenceUse("0" * 64, 4, 0.5, "y"),)),),
        "shot_type": ShotType.HALF,
        "color_mode": ColorMode.COLOR,
        "size": Size(64, 64),
        "seed": 1,
        "alternates": 1,
        "prompt_parts": (PromptPart("flat ink", "style", PartKind.STYLE),),
        "models": (ModelFile("unet", "base", "ab" * 32),),
    }
    return ConditioningPlan(**{**given, **changed})


def test_a_recipe_has_the_facets_that_the_source_names():
    facets = facets_of(plan(), "ch_a")
    assert facets["lighting"] == "night, rain"
    assert facets["reference set"] == "4"
    assert facets["prompt template"] == "flat ink"
    assert facets["model"].startswith("base abab")
    assert facets["LoRA"] == ""
    assert facets_of(plan(), "ch_b")["reference set"] == ""
    assert facets_of(None, "ch_a") == {"engine": "drawn by hand"}


def test_the_chart_is_a_picture_and_marks_changes():
    points = [ChartPoint(0.8, 0.7, "p. 1")] * 10 + [ChartPoint(0.6, None, "p. 2")] * 6
    means = rolling_mean([p.similarity for p in points])
    plain = drift_chart("Akira", points, means, [])
    marked = drift_chart("Akira", points, means, [10])
    assert Image.open(io.BytesIO(plain)).size == (WIDTH, HEIGHT)
    assert plain != marked
    assert drift_chart("x" * 300, points[:1], means[:1], [0])
