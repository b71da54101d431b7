"""The figures of verdicts: what is simulated runs whole, what needs art on a few identities."""

from pathlib import Path

import pytest

from bot.bench.art import CLEAN, examine
from bot.bench.promises import measure_promises
from bot.bench.spoiled import KINDS
from bot.bench.watching import measure_watching
from pipeline.domain.quality import Verdict
from pipeline.fingerprints.registry import load_encoders

DATA = Path(__file__).parents[3] / "shared" / "bench"


def test_the_promise_holds_in_the_simulation_and_beats_one_limit_for_all():
    figures = {f.name: f for f in measure_promises(None)}
    for alpha in ("0.10", "0.05", "0.02"):
        flagged = figures[f"quality.false_flag.simulated.alpha_{alpha}"]
        assert flagged.target is not None
        assert flagged.value <= flagged.target
        assert flagged.n >= 200
        missed = figures[f"quality.miss.simulated.alpha_{alpha}"]
        assert missed.target is not None
        assert missed.value < missed.target
        assert figures[f"quality.promise_broken.simulated.alpha_{alpha}"].value < 0.08
    on, off = (figures[f"quality.audit.false_flag.{word}"].value for word in ("on", "off"))
    assert off < 0.01 < on <= 0.12


def test_the_watch_is_measured_against_the_rule_of_the_source():
    figures = {f.name: f for f in measure_watching(None, streams=25)}
    delay = figures["quality.watch.delay.normal_0.035"]
    assert delay.value < 8
    assert delay.peer is not None
    assert "the source's rule" in delay.peer
    assert figures["quality.watch.false_alarms_per_500.normal_0.035"].value <= 1


@pytest.mark.skipif(not (DATA / "manifest.csv").is_file(), reason="the bench folder is not there")
def test_art_is_examined_clean_spoiled_and_as_somebody_else():
    found = examine(DATA, load_encoders(("palette", "structure")), most=3)
    own = [x for x in found if x.own]
    assert {x.kind for x in own} == {CLEAN, *KINDS}
    spoiled = [x for x in own if x.kind != CLEAN]
    unsure = sum(x.check.verdict is Verdict.CANNOT_JUDGE for x in spoiled)
    assert unsure > len(spoiled) / 2
