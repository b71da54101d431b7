"""The loop of the runner, over verdicts that a script hands out.

What the real judge says about real pictures is tested in test_judge.py; here every possible course
of a climb is driven, which no set of pictures could do.
"""

from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.conditioning import ModelFile
from pipeline.domain.errors import Cancelled
from pipeline.domain.fingerprint import PictureHashes
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import CastInput, LadderPolicy, PanelInputs, ReferenceInput
from pipeline.domain.panel import Candidate, CastRole, PanelBrief
from pipeline.domain.quality import (
    Accept,
    CandidateReport,
    CharacterCheck,
    Flag,
    FlagForReview,
    JudgedCandidate,
    Verdict,
)
from pipeline.domain.sentinel import Bounds, Receipt
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.plan import SEED_STEP
from pipeline.generation.watched import Guarded, kind_of
from pipeline.quality.sentinel import RAISE, is_control
from pipeline.runner import Workshop, run_panel

HASHES = PictureHashes("test", 1, 2, 3)


@dataclass
class ScriptedEngine:
    """Draws numbered stand-ins and remembers its plans."""

    name: str = "scripted"
    version: str = "1"
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(references=10))
    plans: list = field(default_factory=list)

    def generate(self, plan, pictures, *, progress, cancelled):
        self.plans.append(plan)
        progress(1.0, "")
        return [Candidate(b"%d" % i, Size(8, 8)) for i in range(plan.alternates)]


@dataclass
class ScriptedJudge:
    """Hands out (verdict, margin, duplicate) in order."""

    script: list
    seen: int = 0

    def judge(self, candidate, cast, *, shot_type, color_mode, earlier):
        verdict, margin, duplicate = self.script[self.seen % len(self.script)]
        self.seen += 1
        check = CharacterCheck("ch_a", "a_x", verdict, f"reason {self.seen}", 0.5 + margin, 0.5)
        flags = (Flag.DUPLICATE,) if duplicate else ()
        report = CandidateReport(verdict, (check,), flags, "panel 3" if duplicate else None, margin)
        return JudgedCandidate(candidate, HASHES, report)


def _inputs(alternates=1, attempts=3, references=3) -> PanelInputs:
    member = CastInput(
        "ch_a",
        "a_x",
        "A",
        "x",
        1.0,
        {},
        (),
        tuple(
            ReferenceInput(i, f"{i:064x}", b"", ReferenceKind.POSE, ShotType.HALF, "", "", True, ())
            for i in range(1, references + 1)
        ),
    )
    brief = PanelBrief("she waits", (CastRole("ch_a", "a_x"),), ShotType.HALF, alternates)
    return PanelInputs(9, brief, (member,), policy=LadderPolicy(max_attempts=attempts))


def _run(inputs, engine, judge, cancelled=lambda: False):
    notes = []
    outcome = run_panel(
        inputs,
        Workshop(engine, judge),
        progress=lambda f, n: notes.append((f, n)),
        cancelled=cancelled,
    )
    return outcome, notes


@pytest.fixture(autouse=True)
def _no_card(monkeypatch):
    # The card's drawing needs real pictures and has tests of its own.
    monkeypatch.setattr("pipeline.runner.evidence_card", lambda *a, **k: b"card")


outcomes = st.tuples(st.sampled_from(Verdict), st.floats(-0.5, 0.5), st.booleans())


@given(
    st.lists(outcomes, min_size=1, max_size=16),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 4),
)
def test_every_climb_is_bounded_stronger_and_ends_in_one_decision(
    script, alternates, attempts, references
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.runner.evidence_card", lambda *a, **k: b"card")
        engine, judge = ScriptedEngine(), ScriptedJudge(script)
        outcome, notes = _run(_inputs(alternates, attempts, references), engine, judge)
    strengths = [plan.strength for plan in engine.plans]
    assert strengths == sorted(set(strengths))
    scales = [plan.cast[0].references[0].scale for plan in engine.plans]
    assert scales == sorted(scales)
    assert len(engine.plans) == len(outcome.attempts) <= attempts
    assert len({(p.seed, p.strength) for p in engine.plans}) == len(engine.plans)
    assert all(0 <= f <= 1 for f, _ in notes)
    everything = {
        (a, c): judged
        for a, attempt in enumerate(outcome.attempts)
        for c, judged in enumerate(attempt.candidates)
    }
    good = {pick for pick, judged in everything.items() if judged.report.acceptable}
    match outcome.decision:
        case Accept(picks):
            assert 1 <= len(picks) <= alternates
            assert len(set(picks)) == len(picks)
            assert set(picks) <= good
            margins = [everything[p].report.margin for p in picks]
            assert margins == sorted(margins, reverse=True)
            assert outcome.evidence is None
        case FlagForReview(pick, _, reason):
            assert not good
            best = everything[pick].report
            rank = [Verdict.OFF_MODEL, Verdict.CANNOT_JUDGE, Verdict.ON_MODEL].index
            assert all(rank(j.report.verdict) <= rank(best.verdict) for j in everything.values())
            assert reason
            assert outcome.evidence == b"card"
            # the ladder was climbed to its end before a person was asked
            assert len(outcome.attempts) == attempts


def test_the_climb_stops_as_soon_as_enough_are_good():
    engine = ScriptedEngine()
    outcome, _ = _run(_inputs(2), engine, ScriptedJudge([(Verdict.ON_MODEL, 0.1, False)]))
    assert len(outcome.attempts) == 1
    assert outcome.decision == Accept(((0, 0), (0, 1)))


def test_a_retry_draws_only_what_is_missing():
    good, bad = (Verdict.ON_MODEL, 0.1, False), (Verdict.OFF_MODEL, -0.1, False)
    engine = ScriptedEngine()
    outcome, _ = _run(_inputs(3), engine, ScriptedJudge([good, bad, good, good]))
    assert [plan.alternates for plan in engine.plans] == [3, 1]
    assert isinstance(outcome.decision, Accept)
    assert len(outcome.decision.picks) == 3


def test_the_first_reference_changes_from_rung_to_rung():
    engine = ScriptedEngine()
    _run(_inputs(1, attempts=3), engine, ScriptedJudge([(Verdict.OFF_MODEL, -0.2, False)]))
    first = [plan.cast[0].references[0].reference_id for plan in engine.plans]
    assert len(set(first)) == 3


def test_a_copy_is_flagged_as_a_duplicate_with_the_panel_that_it_repeats():
    outcome, _ = _run(_inputs(), ScriptedEngine(), ScriptedJudge([(Verdict.ON_MODEL, 0.2, True)]))
    assert isinstance(outcome.decision, FlagForReview)
    assert outcome.decision.flag is Flag.DUPLICATE
    assert "panel 3" in outcome.decision.reason


def test_a_submission_is_judged_once_and_nothing_is_drawn():
    engine = ScriptedEngine()
    inputs = replace(_inputs(), submission=Candidate(b"drawing", Size(4, 4)))
    outcome, _ = _run(inputs, engine, ScriptedJudge([(Verdict.OFF_MODEL, -0.3, False)]))
    assert engine.plans == []
    assert len(outcome.attempts) == 1
    assert outcome.attempts[0].plan is None
    assert isinstance(outcome.decision, FlagForReview)


def test_a_moderators_retry_starts_on_a_higher_rung():
    engine = ScriptedEngine()
    inputs = replace(_inputs(), start_strength=4)
    _run(inputs, engine, ScriptedJudge([(Verdict.ON_MODEL, 0.1, False)]))
    assert engine.plans[0].strength == 4


def test_cancelling_ends_the_climb():
    with pytest.raises(Cancelled):
        _run(
            _inputs(),
            ScriptedEngine(),
            ScriptedJudge([(Verdict.OFF_MODEL, 0, False)]),
            cancelled=lambda: True,
        )


def test_seconds_are_a_budget_too():
    engine = ScriptedEngine()
    inputs = replace(_inputs(), policy=LadderPolicy(max_attempts=9, max_seconds=0.0))
    _run(inputs, engine, ScriptedJudge([(Verdict.OFF_MODEL, -0.1, False)]))
    assert len(engine.plans) == 1


class Clock:
    """Stands in for the time that drawing takes."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@dataclass
class SlowEngine(ScriptedEngine):
    """Takes a scripted time per picture and asks every second whether to go on."""

    clock: Clock = field(default_factory=Clock)
    takes: list = field(default_factory=list)

    def generate(self, plan, pictures, *, progress, cancelled):
        for _ in range(self.takes[len(self.plans) % len(self.takes)]):
            if cancelled():
                raise Cancelled("stopped")
            self.clock.now += 1
        return super().generate(plan, pictures, progress=progress, cancelled=cancelled)


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=6),
    st.integers(1, 100),
    st.integers(1, 6),
    st.lists(outcomes, min_size=1, max_size=8),
)
def test_the_seconds_are_kept_to_the_step_once_there_is_a_picture(takes, seconds, attempts, script):
    clock = Clock()
    engine = SlowEngine(clock=clock, takes=takes)
    inputs = replace(_inputs(), policy=LadderPolicy(attempts, float(seconds)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.runner.evidence_card", lambda *a, **k: b"card")
        patch.setattr("pipeline.runner.time", clock)
        outcome, _ = _run(inputs, engine, ScriptedJudge(script))
    assert 1 <= len(outcome.attempts) <= attempts
    assert clock.now <= max(seconds, takes[0])
    assert outcome.seconds == clock.now
    match outcome.decision:
        case Accept(picks):
            assert all(outcome.attempts[a].candidates[c].report.acceptable for a, c in picks)
        case FlagForReview((a, c), _, _):
            assert outcome.attempts[a].candidates[c]


def test_each_attempt_says_what_it_gained_over_the_one_before():
    script = [(Verdict.OFF_MODEL, -0.4, False), (Verdict.OFF_MODEL, -0.1, False)]
    outcome, _ = _run(_inputs(), ScriptedEngine(), ScriptedJudge(script))
    gains = [attempt.gain for attempt in outcome.attempts]
    assert gains == [None, pytest.approx(0.3), pytest.approx(-0.3)]
    assert all(attempt.copy_score is None for attempt in outcome.attempts)  # no figure is marked


def test_a_person_who_cancels_late_is_obeyed_and_not_taken_for_the_clock():
    engine = SlowEngine(clock=Clock(), takes=[1])
    asked = iter([False] * 4)
    with pytest.raises(Cancelled):
        _run(
            _inputs(),
            engine,
            ScriptedJudge([(Verdict.OFF_MODEL, -0.1, False)]),
            cancelled=lambda: next(asked, True),
        )


@dataclass
class GuardedEngine(ScriptedEngine):
    """Gives up every picture that it may, and remembers which plans were watched."""

    watched: list = field(default_factory=list)

    def generate_guarded(self, plan, pictures, sentinel, *, progress, cancelled):
        self.plans.append(plan)
        self.watched.append((plan, sentinel))
        left = [n in sentinel.controls or not sentinel.decides for n in range(plan.alternates)]
        return Guarded(
            tuple(
                Candidate(b"%d" % n, Size(8, 8)) if kept else None for n, kept in enumerate(left)
            ),
            tuple(
                Receipt({0.25: 0.1}, left_alone=True)
                if kept
                else Receipt({0.25: 0.1, 0.35: 0.1}, 0.25, 0.35, 2.0, 13, 5, 7)
                for kept in left
            ),
        )

    def middle_of(self, references):
        return np.ones(1, np.float32)


def _watching(inputs: PanelInputs, bounds: Bounds | None = None) -> PanelInputs:
    """The inputs, with bounds for whatever the plan turns out to be."""

    class Whatever(dict):
        def get(self, _kind, default=None):
            return bounds or default

    return replace(inputs, sentinel=Whatever())


ACTING = Bounds({0.25: 0.5, 0.35: 0.5, 0.5: 0.5})
GOOD = (Verdict.ON_MODEL, 0.1, False)


@pytest.mark.parametrize("attempts", [1, 2, 3, 5])
def test_the_last_try_is_never_given_up(attempts):
    engine = GuardedEngine()
    inputs = _watching(_inputs(1, attempts=attempts), ACTING)
    seeds = (range(n, n + attempts * SEED_STEP, SEED_STEP) for n in count())
    seed = next(rungs[0] for rungs in seeds if not any(map(is_control, rungs)))
    inputs = replace(inputs, brief=replace(inputs.brief, seed=seed))
    outcome, _ = _run(inputs, engine, ScriptedJudge([GOOD]))
    assert isinstance(outcome.decision, Accept)
    drawn = [len(attempt.candidates) for attempt in outcome.attempts]
    assert drawn == [0] * (attempts - 1) + [1]
    assert len(engine.watched) == attempts - 1
    strengths = [plan.strength for plan in engine.plans]
    assert strengths == sorted(set(strengths))
    for attempt in outcome.attempts[:-1]:
        assert attempt.watched is not None
        assert attempt.watched.look == "a_x"
        assert [one.hold for one in attempt.plan.interventions] == [RAISE, None]
    assert outcome.attempts[-1].plan.interventions == ()


def test_a_climb_without_time_left_still_ends_with_a_picture():
    inputs = replace(_inputs(1), policy=LadderPolicy(max_attempts=3, max_seconds=0.0))
    engine = GuardedEngine()
    outcome, _ = _run(_watching(inputs, ACTING), engine, ScriptedJudge([GOOD]))
    assert [len(attempt.candidates) for attempt in outcome.attempts] == [0, 1]
    assert "given up" in outcome.attempts[-1].plan.steps[0].why


def test_without_history_everything_is_scored_and_finished():
    engine = GuardedEngine()
    outcome, _ = _run(_watching(_inputs(2)), engine, ScriptedJudge([GOOD]))
    (attempt,) = outcome.attempts
    assert len(attempt.candidates) == 2
    assert attempt.watched is not None
    assert all(one.left_alone for one in attempt.watched.receipts)


def test_where_the_series_does_not_want_it_nothing_is_looked_at():
    engine = GuardedEngine()
    outcome, _ = _run(_inputs(2), engine, ScriptedJudge([GOOD]))
    assert engine.watched == []
    assert outcome.attempts[0].watched is None


def test_scores_are_compared_with_those_of_the_same_kind_only():
    engine = GuardedEngine()
    _run(replace(_inputs(2), sentinel={"another": ACTING}), engine, ScriptedJudge([GOOD]))
    ((plan, sentinel),) = engine.watched
    assert not sentinel.decides
    kinds = {kind_of(plan), kind_of(replace(plan, shot_type=ShotType.FULL)),
             kind_of(replace(plan, models=(ModelFile("unet", "u", "00"),)))}  # fmt: skip
    assert len(kinds) == 3
    assert kind_of(replace(plan, seed=99, strength=2)) in kinds
    known = replace(_inputs(2), sentinel={kind_of(plan): ACTING})
    _run(known, engine, ScriptedJudge([GOOD]))
    assert engine.watched[1][1].decides
