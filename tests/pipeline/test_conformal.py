"""Limits with a guarantee: order statistics, weights, levels, words, and the draw of the audit."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bot.bench.gate import PLACE, false_flags, run_gate, stream, verdict
from pipeline.domain.calibration import Level, Promise, ScoredVerdict, ScorePlace
from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.quality import Threshold, ThresholdKey
from pipeline.quality.audit import draw
from pipeline.quality.conformal import (
    ALPHAS,
    SHIPPED_SCORES,
    calibrations,
    flag_limit,
    incomplete_beta,
    limit_for,
    promise_words,
    score_of,
    verdicts_needed,
    waiting_words,
)


def scores(*values: float, probability: float = 1.0) -> list[ScoredVerdict]:
    return [verdict(value, probability) for value in values]


def of(character: str, look: str, count: int, low: float = 0.0) -> list[ScoredVerdict]:
    place = ScorePlace(PLACE.key, character, look)
    return [ScoredVerdict(place, low + 0.001 * n, 0.1 if n % 7 == 0 else 1.0) for n in range(count)]


def learned(verdicts, character="ch_a", look="a_1", alpha=0.1, unseen=()):
    return calibrations(verdicts, character, look, alpha, unseen)


@pytest.mark.parametrize(("alpha", "needed"), [(0.10, 29), (0.05, 59), (0.02, 149)])
def test_the_promise_takes_as_many_verdicts_as_order_statistics_say(alpha, needed):
    assert verdicts_needed(alpha) == needed
    enough = scores(*np.linspace(-0.2, 0.3, needed))
    assert flag_limit(enough, alpha) == pytest.approx(-0.2)
    assert flag_limit(enough[1:], alpha) is None
    assert flag_limit([], alpha) is None


def test_with_more_verdicts_a_higher_order_statistic_is_taken():
    """46 is the first n at which one of them may fall below: P(bin(46, .1) ≤ 1) ≤ .05."""
    values = list(np.linspace(0.0, 0.45, 46))
    assert flag_limit(scores(*values), 0.1) == pytest.approx(values[1])
    assert flag_limit(scores(*values[:45]), 0.1) == pytest.approx(values[0])
    exact = sum(math.comb(46, k) * 0.1**k * 0.9 ** (46 - k) for k in range(2))
    assert incomplete_beta(45, 2, 0.9) == pytest.approx(exact, rel=1e-9)


def test_equal_weights_change_nothing_and_unequal_ones_cost_verdicts():
    values = np.linspace(0, 1, 60)
    assert flag_limit(scores(*values, probability=0.1), 0.1) == flag_limit(scores(*values), 0.1)
    mixed = scores(*values[:30]) + scores(*values[30:33], probability=0.1)
    assert flag_limit(mixed, 0.1) is None, "33 verdicts, but only about 11 of equal worth"


def test_what_was_flagged_counts_once_and_what_was_audited_for_all_that_passed():
    """A third of the good verdicts lies under 0, but only a twentieth of the good pictures."""
    flagged = scores(*np.linspace(-0.10, -0.01, 30))
    audited = scores(*np.linspace(0.0, 0.3, 60), probability=0.1)
    limit = flag_limit(flagged + audited, 0.1)
    assert limit is not None
    assert limit > -0.05
    naive = flag_limit([replace(v, probability=1.0) for v in flagged + audited], 0.1)
    assert naive is not None
    assert naive < limit


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_promise_holds_in_19_of_20_samples(alpha):
    """Of many samples of just enough verdicts, at most one in twenty flags more than promised."""
    rng = np.random.default_rng(7)
    broken = 0
    for _ in range(1000):
        limit = flag_limit(scores(*rng.random(verdicts_needed(alpha))), alpha)
        assert limit is not None
        broken += limit > alpha  # of uniform scores, the limit is the share that it flags
    assert broken <= 70  # 50 expected; 70 is three standard deviations more


def test_the_narrowest_level_with_enough_verdicts_is_taken():
    looks = of("ch_a", "a_1", 10) + of("ch_a", "a_2", 120) + of("ch_b", "b_1", 200)
    (found,) = learned(looks)
    assert (found.promise.level, found.promise.verdicts) == (Level.CHARACTER, 130)
    (found,) = learned(looks, look="a_2")
    assert (found.promise.level, found.promise.verdicts) == (Level.APPEARANCE, 120)
    (found,) = learned(looks, "ch_c", "c_1")
    assert (found.promise.level, found.promise.verdicts) == (Level.GUILD, 330)
    assert learned(looks[:10], "ch_c", "c_1") == ()


def test_scores_of_other_encoders_or_looks_are_kept_apart():
    other = [
        replace(v, place=v.place._replace(key=replace(PLACE.key, encoders="other")))
        for v in of("ch_a", "a_1", 100)
    ]
    keys = {c.key.encoders for c in learned(of("ch_a", "a_1", 100) + other)}
    assert keys == {"simulated", "other"}


def test_flagged_pictures_alone_teach_nothing_where_others_passed_unseen():
    flagged = [replace(v, probability=1.0) for v in of("ch_a", "a_1", 60)]
    assert learned(flagged, unseen={ScorePlace(PLACE.key, "ch_a", "a_1")}) == ()
    assert len(learned(flagged)) == 1, "nothing passed: what was flagged is the whole"


def test_a_gate_without_audit_goes_blind_and_with_it_keeps_its_eyes():
    """Its false flags sink towards none, and with them what it catches; the audit holds them."""
    rng = np.random.default_rng(3)
    rates: dict[float, list[float]] = {0.0: [], 0.1: []}
    caught: dict[float, list[float]] = {0.0: [], 0.1: []}
    for _ in range(12):
        panels = stream(1500, rng)
        for audit, found in rates.items():
            limits = run_gate(panels, 0.1, audit, rng)
            found.append(false_flags(panels, limits, 500))
            bad = ~panels.good[-500:]
            caught[audit].append(float((panels.scores[-500:] < limits[-500:])[bad].mean()))
    assert np.mean(rates[0.0]) < 0.02
    assert 0.02 < np.mean(rates[0.1]) <= 0.10
    assert np.mean(caught[0.1]) > np.mean(caught[0.0])


def test_the_draw_is_the_same_again_and_has_the_right_share():
    key = bytes(range(32))
    drawn = [draw(key, panel, panel + 7, 10).drawn for panel in range(4000)]
    assert drawn == [draw(key, panel, panel + 7, 10).drawn for panel in range(4000)]
    assert 300 < sum(drawn) < 500
    assert drawn != [draw(bytes(32), panel, panel + 7, 10).drawn for panel in range(4000)]
    assert not any(draw(key, n, n, 0).drawn for n in range(100))
    assert all(draw(key, n, n, 100).drawn for n in range(100))


HOUSE, PALETTE = "house:00:1", "palette:00:1"


def limit_of_references(crop: CropClass, encoders: str, mode: ColorMode = ColorMode.COLOR):
    return Threshold(ThresholdKey("a_1", encoders, crop, mode), 0.9, "references", 5)


@pytest.mark.parametrize("mode", list(ColorMode))
def test_before_there_are_verdicts_half_a_limit_is_what_characters_have_in_common(mode):
    both = f"{HOUSE},{PALETTE}"
    head, half = (limit_of_references(c, both, mode) for c in (CropClass.HEAD, CropClass.HALF))
    shipped = SHIPPED_SCORES[frozenset({"house", "palette"})][mode]
    for threshold in (head, half):
        assert limit_for(None, threshold) == pytest.approx(shipped[threshold.key.crop] + 0.45)
    assert score_of(limit_for(None, head), head) == pytest.approx(
        score_of(limit_for(None, half), half)
    ), "looks of both kinds are on one scale"
    alike, scattered = replace(head, value=0.98), replace(head, value=0.7)
    assert limit_for(None, alike) < 0.98, "five pictures that are much alike are not all there is"
    assert limit_for(None, scattered) > 0.7
    alone = limit_of_references(CropClass.HEAD, PALETTE, mode)
    whole = limit_of_references(CropClass.FIGURE, both, mode)
    assert [limit_for(None, one) for one in (alone, whole)] == [0.9, 0.9]


def test_what_verdicts_taught_takes_the_place_of_what_was_shipped():
    head = limit_of_references(CropClass.HEAD, f"{HOUSE},{PALETTE}")
    (taught,) = learned([replace(v, probability=1.0) for v in of("ch_a", "a_1", 29, low=0.2)])
    assert limit_for(taught, head) == pytest.approx(0.2 + 0.45)
    assert score_of(limit_for(taught, head), head) == pytest.approx(taught.limit)


def test_the_promise_in_words():
    promise = Promise(0.1, 0.95, 41, Level.APPEARANCE)
    assert promise_words(promise) == (
        "At most 10 % of good panels get flagged (95 % sure), from 41 verdicts on this look."
    )
    assert "whole cast" in promise_words(replace(promise, level=Level.GUILD))
    assert "12 of the 29" in waiting_words(12, 0.1)
