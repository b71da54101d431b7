"""Draws the alternates of a plan in portions, and stops once a taste says that the winner is clear.

A picture does not depend on its portion: the i-th alternate of a plan is the first of
the plan that ``first_is`` gives.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.quality import JudgedCandidate
from pipeline.domain.taste import Taste, Traits
from pipeline.generation.generators.base import Progress
from pipeline.generation.watched import Drawn
from pipeline.taste.ranking import LEAST_SHOWN, is_clear

SPARED = "further alternates, as the taste of this series finds the winner clear (/series taste)"

Judged = tuple[JudgedCandidate, ...]
Drawer = Callable[[ConditioningPlan, tuple[float, float]], tuple[Drawn, Judged]]
"""Draws and judges a plan; told from which to which share of the whole plan it is."""


def draw_until_clear(
    plan: ConditioningPlan, taste: Taste | None, before: Sequence[Traits], drawer: Drawer
) -> tuple[Drawn, Judged]:
    """Draw a plan's alternates, all at once without a taste.

    Args:
        plan: what to draw. One that was changed while it was drawn is repeated as it is.
        taste: what the series likes; None draws everything.
        before: the traits of what earlier attempts drew and the check passed.
        drawer: draws and judges.

    Returns:
        What was drawn, with the plan of just that, which says so where it is less; and the judged
        pictures.
    """
    if taste is None or plan.interventions:
        return drawer(plan, (0.0, 1.0))
    drawn, judged = Drawn(replace(plan, alternates=0), ()), ()
    for start, stop in _portions(plan.alternates, LEAST_SHOWN - len(before)):
        if start and is_clear(taste, [*before, *traits_of_passed(judged)]):
            said = replace(drawn.plan, notes=(*drawn.plan.notes, SPARED))
            return replace(drawn, plan=said), judged
        part = replace(plan.first_is(start), alternates=stop - start)
        share = (start / plan.alternates, stop / plan.alternates)
        more, found = drawer(part, share)
        drawn, judged = _joined(drawn, more), (*judged, *found)
    return drawn, judged


def traits_of_passed(judged: Sequence[JudgedCandidate]) -> list[Traits]:
    """The traits of the pictures that nobody has to look at."""
    return [j.traits for j in judged if j.report.acceptable and j.traits is not None]


def part_of(progress: Progress, start: float, stop: float) -> Progress:
    """Map an engine's 0–1 onto a part of the whole."""

    def part(fraction: float, word: str, preview: bytes | None = None, /) -> None:
        at = start + fraction * (stop - start)
        if preview is None:
            progress(at, word)
        else:
            progress(at, word, preview)

    return part


def _portions(alternates: int, first: int) -> Iterator[tuple[int, int]]:
    """At first as many as are shown in any case, then one by one."""
    end = min(max(first, 1), alternates)
    yield 0, end
    for start in range(end, alternates):
        yield start, start + 1


def _joined(first: Drawn, then: Drawn) -> Drawn:
    """Two portions of a plan as one: alternates are counted through."""
    before = first.plan.alternates
    moved = (replace(one, alternate=one.alternate + before) for one in then.plan.interventions)
    plan = replace(
        first.plan,
        alternates=before + then.plan.alternates,
        interventions=(*first.plan.interventions, *moved),
    )
    watched = then.watched
    if first.watched is not None and watched is not None:
        watched = replace(watched, receipts=(*first.watched.receipts, *watched.receipts))
    return Drawn(plan, (*first.candidates, *then.candidates), watched)
