"""One panel from brief to decision: rank, plan, generate, judge, decide; a bounded loop."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import Cancelled
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.panel import Candidate
from pipeline.domain.quality import (
    Accept,
    Attempt,
    Flag,
    FlagForReview,
    JudgedCandidate,
    PanelOutcome,
    Verdict,
)
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.registry import load_encoders
from pipeline.generation.enlarging import enlarge_panel
from pipeline.generation.generators.base import Generator, Progress
from pipeline.generation.generators.draft import DraftGenerator
from pipeline.generation.generators.registry import load_generator
from pipeline.generation.ladder import Rung, Spent, first_rung, next_rung, same_again
from pipeline.generation.recipe_changes import recipe_changes
from pipeline.generation.watched import Drawn, draw
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.network import return_memory
from pipeline.quality.audit import BLIND
from pipeline.quality.evidence import evidence_card
from pipeline.quality.judge import Judge
from pipeline.quality.stiffness import copy_score
from pipeline.quality.tone import on_page, page_tones
from pipeline.retrieval.sketch import with_shown
from pipeline.safety.raters import Rater, load_raters, rate_picture, rating_words
from pipeline.taste.drawing import Drawer, draw_until_clear, part_of, traits_of_passed
from pipeline.taste.ranking import is_clear
from pipeline.taste.traits import described

Pick = tuple[int, int]

_ORDER = {Verdict.OFF_MODEL: 0, Verdict.CANNOT_JUDGE: 1, Verdict.ON_MODEL: 2}


@dataclass(frozen=True, slots=True)
class WorkshopSpec:
    """Names of the engine and of the encoders; small enough to send to another process.

    ``options`` are the engine's own settings, by name and without its prefix.
    """

    generator: str
    encoders: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workshop:
    """The loaded engine, judge and encoders. Built once per worker, used for many panels."""

    generator: Generator
    judge: Judge
    encoders: tuple[Encoder, ...] = ()
    raters: tuple[Rater, ...] = ()

    def engine_for(self, name: str) -> Generator:
        """The engine that draws a brief that asks for ``name``; empty: the studio's own.

        Beside its own there is always the draft, which takes nothing to load.
        """
        if name == DraftGenerator.name != self.generator.name:
            return DraftGenerator()
        return self.generator


def build_workshop(spec: WorkshopSpec) -> Workshop:
    """Load the engine and the encoders.

    Raises:
        GeneratorUnavailable: the engine is unknown or not installed.
        SettingsError: an encoder is unknown.
    """
    encoders = tuple(load_encoders(spec.encoders))
    generator = load_generator(spec.generator, spec.options)
    return Workshop(generator, Judge(encoders), encoders, load_raters())


def run_panel(
    inputs: PanelInputs,
    workshop: Workshop,
    *,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> PanelOutcome:
    """Make (or take) the pictures of one panel and decide what happens to them.

    Args:
        inputs: everything there is to know; nothing is looked up.
        workshop: engine and judge.
        progress: told the fraction done (0 to 1), a word for people and now and then a preview.
        cancelled: asked between steps.

    Returns:
        All attempts and one decision. Never an acceptance of a picture that was not judged
        on-model, that repeats an earlier panel, or that is not for everyone. What passes may be
        held back for people to look at, where the inputs say that the blind audit drew this run.

    Raises:
        Cancelled: ``cancelled`` said so.
        GenerationFailed: the engine could not draw.
        MissingReference: a character has nothing to draw from.
    """
    started = time.monotonic()
    if inputs.enlarging is not None:
        return enlarge_panel(inputs, inputs.enlarging, progress=progress, cancelled=cancelled)
    if inputs.submission is not None:
        attempts = [_judge_submission(inputs, inputs.submission, workshop, started)]
    else:
        asked = with_shown(inputs, workshop.encoders)
        attempts = _climb(asked, workshop, progress, cancelled)
    progress(1.0, "checked")
    picks = _acceptable(attempts)[: inputs.brief.alternates]
    decision = _passed(picks, inputs) if picks else _flag(attempts)
    evidence = None
    if isinstance(decision, FlagForReview):
        judged = attempts[decision.pick[0]].candidates[decision.pick[1]]
        title, blind = f"Panel {inputs.panel_id}", decision.flag in BLIND
        changes = _changes(inputs, attempts[decision.pick[0]].plan)
        evidence = evidence_card(judged, inputs.cast, title=title, blind=blind, changes=changes)
    seconds = time.monotonic() - started
    return PanelOutcome(tuple(attempts), decision, evidence, seconds, inputs.audit.share)


def _changes(inputs: PanelInputs, plan: ConditioningPlan | None) -> dict[str, tuple[str, ...]]:
    """What is different in the recipe since each character's last good picture."""
    if plan is None:
        return {}
    return {
        member.character_id: recipe_changes(
            inputs.last_good[member.appearance_id], plan, member.character_id
        )
        for member in inputs.cast
        if member.appearance_id in inputs.last_good
    }


def _judge_submission(
    inputs: PanelInputs, submission: Candidate, workshop: Workshop, started: float
) -> Attempt:
    judged = _judge_all(inputs, [submission], workshop)
    return Attempt(1, None, judged, time.monotonic() - started)


def _climb(
    inputs: PanelInputs, workshop: Workshop, progress: Progress, cancelled: Callable[[], bool]
) -> list[Attempt]:
    """Try until enough candidates are acceptable or the ladder ends, with one picture at least."""
    generator = workshop.engine_for(inputs.brief.generator)
    pictures = {r.sha256: r.image for member in inputs.cast for r in member.references}
    pictures |= inputs.pictures
    attempts: list[Attempt] = []
    rung: Rung | None = first_rung(inputs, generator)
    started, longest = time.monotonic(), 0.0
    deadline = started + inputs.policy.max_seconds
    last = inputs.policy.max_attempts < 2
    # what must come to an end is not watched: it tells nothing about what is usual either
    unwatched = replace(inputs, sentinel=None)
    while rung is not None:
        begun, kept = time.monotonic(), any(attempt.candidates for attempt in attempts)
        stop = _or_late(cancelled, deadline) if kept else cancelled
        share = _share_of(progress, len(attempts), inputs.policy.max_attempts)
        pictures |= rung.pictures
        seen = inputs if kept or not last else unwatched
        drawer = _drawer(seen, workshop, pictures, share, stop, cancelled)
        passed = traits_of_passed(_passed_so_far(attempts))
        try:
            drawn, judged = draw_until_clear(rung.plan, inputs.taste, passed, drawer)
        except Cancelled:
            if cancelled() or time.monotonic() < deadline:
                raise
            break  # out of time: what was drawn before is judged, and the best of it kept
        took = time.monotonic() - begun
        attempts.append(_attempt(attempts, rung, drawn, judged, took, pictures))
        missing = inputs.brief.alternates - len(_acceptable(attempts))
        settled = traits_of_passed(_passed_so_far(attempts))
        if missing <= 0 or (inputs.taste is not None and is_clear(inputs.taste, settled)):
            break
        longest = max(longest, took)
        spent = Spent(len(attempts), time.monotonic() - started, longest)
        rung = next_rung(attempts, inputs, generator, missing=missing, spent=spent)
        last = rung is None or len(attempts) + 1 >= inputs.policy.max_attempts
        if rung is None and not any(attempt.candidates for attempt in attempts):
            rung = same_again(attempts)
    return attempts


def _drawer(
    inputs: PanelInputs,
    workshop: Workshop,
    pictures: Mapping[str, bytes],
    progress: Progress,
    stop: Callable[[], bool],
    cancelled: Callable[[], bool],
) -> Drawer:
    """Draws a plan, judges what came of it, and says what it is like."""
    engine = workshop.engine_for(inputs.brief.generator)

    def drawer(
        plan: ConditioningPlan, part: tuple[float, float]
    ) -> tuple[Drawn, tuple[JudgedCandidate, ...]]:
        told = part_of(progress, *part)
        drawn = draw(plan, pictures, engine, inputs, progress=told, cancelled=stop)
        if cancelled():
            raise Cancelled("The panel was cancelled.")
        judged = _judge_all(inputs, drawn.candidates, workshop)
        return drawn, described(judged, workshop.encoders, inputs.brief.color_mode)

    return drawer


def _passed_so_far(attempts: Sequence[Attempt]) -> list[JudgedCandidate]:
    return [attempts[a].candidates[c] for a, c in _acceptable(attempts)]


def _or_late(cancelled: Callable[[], bool], deadline: float) -> Callable[[], bool]:
    """Stop a further attempt when the seconds are used up; the first picture may be finished."""
    return lambda: cancelled() or time.monotonic() >= deadline


def _attempt(
    before: Sequence[Attempt],
    rung: Rung,
    drawn: Drawn,
    judged: tuple[JudgedCandidate, ...],
    seconds: float,
    pictures: Mapping[str, bytes],
) -> Attempt:
    """What a rung came to: its gain over the one before, and how much it copies."""
    scores = [copy_score(j.candidate, rung.plan, pictures) for j in judged]
    known = [score for score in scores if score is not None]
    attempt = Attempt(
        len(before) + 1,
        drawn.plan,
        judged,
        seconds,
        copy_score=max(known, default=None),
        material=rung.pictures,
        watched=drawn.watched,
    )
    earlier = before[-1].best_margin if before else None
    if earlier is None or attempt.best_margin is None:
        return attempt
    return replace(attempt, gain=attempt.best_margin - earlier)


def _share_of(progress: Progress, rung: int, rungs: int) -> Progress:
    """Map an engine's 0–1 onto this rung's share of the whole climb."""
    usual = "drawing" if rung == 0 else f"drawing again, try {rung + 1}"

    def share(fraction: float, word: str, preview: bytes | None = None, /) -> None:
        at, note = (rung + fraction * 0.95) / rungs, word or usual
        if preview is None:
            progress(at, note)
        else:
            progress(at, note, preview)

    return share


def _judge_all(
    inputs: PanelInputs, candidates: Sequence[Candidate], workshop: Workshop
) -> tuple[JudgedCandidate, ...]:
    shot = inputs.brief.shot_type if inputs.submission is None else None
    page = page_tones(inputs.beside)
    judged = (
        workshop.judge.judge(
            candidate,
            inputs.cast,
            shot_type=shot,
            color_mode=inputs.brief.color_mode,
            earlier=inputs.earlier,
        )
        for candidate in candidates
    )
    return tuple(_rated(on_page(one, page), inputs, workshop.raters) for one in judged)


def _rated(
    judged: JudgedCandidate, inputs: PanelInputs, raters: Sequence[Rater]
) -> JudgedCandidate:
    """The candidate with what the classifiers say; one that is not for everyone is flagged."""
    if not raters:
        return judged
    image = load_canonical(judged.candidate.image)
    rating = rate_picture(image, raters, inputs.safety)
    return_memory()  # judging leaves large maps behind, and the next candidate needs as many
    held = (Flag.UNSAFE,) if rating.over and inputs.safety.hold else ()
    flags = (*judged.report.flags, *held)
    return replace(judged, report=replace(judged.report, rating=rating, flags=flags))


def _ranked(attempts: Sequence[Attempt]) -> list[tuple[Pick, JudgedCandidate]]:
    """Every candidate of every attempt, best first: verdict, then no flags, then margin."""
    everything = [
        ((a, c), judged)
        for a, attempt in enumerate(attempts)
        for c, judged in enumerate(attempt.candidates)
    ]
    return sorted(everything, key=lambda item: _quality(item[1]), reverse=True)


def _quality(judged: JudgedCandidate) -> tuple[int, int, float]:
    report = judged.report
    margin = report.margin if report.margin is not None else -2.0
    return _ORDER[report.verdict], -len(report.flags), margin


def _acceptable(attempts: Sequence[Attempt]) -> list[Pick]:
    return [pick for pick, judged in _ranked(attempts) if judged.report.acceptable]


def _passed(picks: Sequence[Pick], inputs: PanelInputs) -> Accept | FlagForReview:
    """Show what passed, unless the blind audit holds the best of it back."""
    if inputs.audit.drawn:
        return FlagForReview(picks[0], Flag.AUDIT, "Is this on-model?")
    return Accept(tuple(picks))


def _flag(attempts: Sequence[Attempt]) -> FlagForReview:
    """The best so far goes to a person, with the reason in words."""
    pick, judged = _ranked(attempts)[0]
    report = judged.report
    if Flag.UNSAFE in report.flags and report.rating is not None:
        return FlagForReview(pick, Flag.UNSAFE, rating_words(report.rating))
    if report.verdict is Verdict.ON_MODEL:
        return FlagForReview(pick, Flag.DUPLICATE, f"Looks like a copy of {report.duplicate_of}.")
    failing = [check for check in report.checks if check.verdict is report.verdict]
    flag = Flag.OFF_MODEL if report.verdict is Verdict.OFF_MODEL else Flag.CANNOT_JUDGE
    reason = " ".join(f"{check.character_id}: {check.reason}" for check in failing)
    return FlagForReview(pick, flag, reason)
