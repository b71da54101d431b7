"""What the retry ladder gains, step by step: the whole run of a panel, engine and check."""

from collections import defaultdict
from collections.abc import Sequence

from bot.bench.conditioning.lab import Lab
from bot.bench.conditioning.subjects import SHOWN, Subject
from bot.bench.conditioning.tables import STEM, mean, share
from bot.bench.figures import Figure
from pipeline.domain.character import ShotType
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import LadderPolicy, PanelInputs
from pipeline.domain.panel import CastRole, PanelBrief
from pipeline.domain.quality import Attempt, Verdict
from pipeline.generation.generators.base import unheard
from pipeline.quality.judge import Judge
from pipeline.runner import Workshop, run_panel

_TRIES = 3
_SEED = 13


def ladder(lab: Lab, subjects: Sequence[Subject]) -> list[Figure]:
    """Share that passes after each try, and by how much the margin grew at each step."""
    runs = [_run(lab, one, place) for place, one in enumerate(subjects)]
    figures = [
        share(
            f"{STEM}.ladder.on_model_after_{count}",
            sum(any(_passed(a) for a in run[:count]) for run in runs),
            len(runs),
        )
        for count in range(1, _TRIES + 1)
    ]
    gains: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for attempt in run[1:]:
            if attempt.gain is None or attempt.plan is None:
                continue
            gains["any"].append(attempt.gain)
            for step in attempt.plan.steps:
                gains[step.step.value].append(attempt.gain)
    return [
        *figures,
        *(mean(f"{STEM}.ladder.gain.{k}", v, peer="the try before") for k, v in gains.items()),
    ]


def _run(lab: Lab, subject: Subject, place: int) -> Sequence[Attempt]:
    member = subject.member
    brief = PanelBrief(
        prompt=f"{member.name} looks at us before a light green background",
        cast=(CastRole(member.character_id, member.appearance_id),),
        shot_type=ShotType.HALF,
        seed=_SEED + place,
        size=Size(SHOWN, SHOWN),
    )
    policy = LadderPolicy(max_attempts=_TRIES)
    inputs = PanelInputs(panel_id=place, brief=brief, cast=(member,), policy=policy)
    workshop = Workshop(lab.engine, Judge(lab.encoders), tuple(lab.encoders))
    outcome = run_panel(inputs, workshop, progress=unheard, cancelled=lambda: False)
    return outcome.attempts


def _passed(attempt: Attempt) -> bool:
    return any(one.report.verdict is Verdict.ON_MODEL for one in attempt.candidates)
