"""Stories of the drift watch: a look sinks, the moderators hear of it once, a report shows it."""

from dataclasses import replace
from typing import Any

from studio import ScriptedWork, Studio, answer, text_of

from pipeline.domain.calibration import ScoreKey
from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.quality import CandidateReport, PanelOutcome

BASIS = ScoreKey("scripted:1", (CropClass.HEAD,), ColorMode.COLOR)


class Measured(ScriptedWork):
    """Every picture comes out as alike as its prompt says: ``A quiet street. 84``."""

    def __call__(self, inputs: PanelInputs, **asked: Any) -> PanelOutcome:
        outcome = super().__call__(inputs, **asked)
        similarity = int(inputs.brief.prompt.split()[-1]) / 100
        attempts = tuple(
            replace(
                a,
                candidates=tuple(_measured(c, similarity) for c in a.candidates),
                copy_score=0.95 if similarity > 0.855 else 0.4,
            )
            for a in outcome.attempts
        )
        return replace(outcome, attempts=attempts, audit=inputs.audit.share)


def _measured(judged: Any, similarity: float) -> Any:
    checks = tuple(
        replace(check, similarity=similarity, score=similarity - 0.7, basis=BASIS, threshold=0.7)
        for check in judged.report.checks
    )
    return replace(judged, report=CandidateReport(judged.report.verdict, checks, margin=0.1))


async def draw(studio: Studio, words: str, *values: int) -> None:
    for number, value in enumerate(values):
        await studio.request(prompt=f"{words} {value}", alternates=1, page=1 + number // 6)
        await studio.quiet()


async def test_a_fall_is_told_once_in_the_review_channel_with_what_changed(studio: Studio):
    await studio.register()
    studio.executor.work = Measured()
    await studio.boss.slash(studio.channel, "series settings", quota=100)
    await draw(studio, "A street at noon.", 84, 86, 83, 85, 84, 87, 83, 85, 84, 86)
    assert studio.public(studio.reviews) == []
    await draw(studio, "A street at night.", 75, 74, 76, 75, 74, 75)
    (alarm,) = studio.public(studio.reviews)
    words = text_of(alarm)
    assert "Akira is drifting" in words
    assert "Since about panel 11" in words
    assert "lighting from “day, clear” to “night, clear”" in words
    assert "sequential test (at most one false alarm in 500 panels)" in words
    assert alarm.attachments[0].filename.startswith("drift-")


async def test_the_report_shows_chart_pages_alarm_and_promise(studio: Studio):
    await studio.register()
    nothing = await studio.ann.slash(studio.channel, "drift report")
    assert "no log yet" in answer(nothing)
    studio.executor.work = Measured()
    await studio.boss.slash(studio.channel, "series settings", quota=100, audit=10)
    await draw(studio, "A street.", 84, 86, 83, 85, 84, 87, 83)
    shown = await studio.ann.slash(studio.channel, "drift report", character="Akira", last=50)
    words = answer(shown)
    assert "7 panels" in words
    assert "Stiff (repeats a reference): 2 of 7, 29 %" in words
    assert "By page: p. 1 0.85 · p. 2 0.83" in words
    assert "No promise yet: 0 of the 29 verdicts" in words
    stranger = await studio.ann.slash(studio.channel, "drift report", character="Nobody")
    assert "Nobody" in answer(stranger)
