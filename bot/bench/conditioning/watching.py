"""The sentinel on real sampling: steps that it saves, and good pictures that it gives up."""

from collections.abc import Sequence
from dataclasses import replace

from bot.bench.conditioning.lab import LIGHT, Hold, Lab
from bot.bench.conditioning.subjects import Subject
from bot.bench.conditioning.tables import STEM, share
from bot.bench.figures import Figure
from pipeline.domain.sentinel import Bounds, PastRun
from pipeline.generation.generators.base import unheard
from pipeline.generation.watched import Guarded, SentinelPolicy
from pipeline.quality.sentinel import LOST_GOOD, learn_bounds

_SEED = 1000


def sentinel(lab: Lab, subjects: Sequence[Subject], learn: int, test: int) -> list[Figure]:
    """Learn bounds on some pictures, let it decide on others, draw those again without it.

    A picture is *good* when the line-up's nearest head is its character's: with small weights too
    few pass the whole check to learn from. References hold lightly, or there are too few failures
    for a sentinel to have anything to do.

    Args:
        lab: engine and check.
        subjects: who is drawn, in turn.
        learn: pictures whose scores are only recorded.
        test: pictures at which it decides.
    """
    past = []
    for number in range(learn):
        one = subjects[number % len(subjects)]
        guarded = _guarded(lab, one, _SEED + number, Bounds(why_off="learning"))
        good = lab.look(guarded.kept[0].image, one).found
        past.append(PastRun(guarded.receipts[0].scores, good))
    rate = sum(run.accepted for run in past)
    figures = [share(f"{STEM}.sentinel.good", rate, len(past))]
    bounds = learn_bounds(past)
    if bounds.why_off:
        print(f"{STEM}.sentinel decides nothing: {bounds.why_off}")  # noqa: T201 - the output of a command
        return figures
    saved = steps = lost = good = 0
    for number in range(test):
        one, seed = subjects[number % len(subjects)], 2 * _SEED + number
        plan = lab.plan(one, Hold(scale=LIGHT), seed)
        fine = lab.look(lab.draw(plan, one), one).found
        receipt = (guarded := _guarded(lab, one, seed, bounds)).receipts[0]
        kept = guarded.kept and lab.look(guarded.kept[0].image, one).found
        saved, steps = saved + receipt.saved_steps, steps + plan.sampling.steps
        good, lost = good + fine, lost + (fine and not kept)
    figures.append(share(f"{STEM}.sentinel.steps_saved", saved, steps))
    if good:
        lost_share = share(f"{STEM}.sentinel.good_lost", lost, good, better="lower")
        figures.append(replace(lost_share, target=LOST_GOOD))
    return figures


def _guarded(lab: Lab, subject: Subject, seed: int, bounds: Bounds) -> Guarded:
    policy = SentinelPolicy(lab.engine.middle_of(subject.pictures), bounds)
    plan = lab.plan(subject, Hold(scale=LIGHT), seed)
    return lab.engine.generate_guarded(
        plan, subject.pictures, policy, progress=unheard, cancelled=lambda: False
    )
