"""What people see of panels: one of them, a recipe."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.services.recipes import recipe_words
from pipeline.domain.errors import WrongState
from pipeline.domain.job import Job, JobStatus, QueuePlace
from pipeline.domain.panel import Panel, PlanPart
from pipeline.domain.review import Review, StoredCandidate, Tally
from pipeline.domain.sentinel import Savings
from pipeline.domain.taste import Guess
from pipeline.domain.voting import USUAL_VOTING, VotingRules
from storage import attempts, cast, jobs, panels, previews, reviews, series, taste, votes
from storage.database import Database


@dataclass(frozen=True, slots=True)
class PanelView:
    """Everything about a panel that a card shows.

    ``notes`` says what the engine left out of what the plan asked for; ``voting`` are the rules of
    its series; ``saved`` is what the sentinel did while it was drawn; ``guess`` is what the taste
    of the series had expected of a vote that is over.
    """

    panel: Panel
    job: Job | None
    place: QueuePlace | None
    candidates: tuple[StoredCandidate, ...]
    review: Review | None
    tally: Tally | None
    cast_names: dict[str, str]
    notes: tuple[str, ...] = ()
    voting: VotingRules = USUAL_VOTING
    saved: Savings | None = None
    guess: Guess | None = None


async def panel_view(db: Database, guild_id: int, panel_id: int) -> PanelView:
    """Everything about one panel.

    Raises:
        NotFound: the guild has no such panel.
    """
    panel = await panels.get_panel(db, guild_id, panel_id)
    job = await jobs.job_of_panel(db, guild_id, panel_id)
    waiting = job is not None and job.status is JobStatus.QUEUED
    shown = await attempts.candidates_of(db, guild_id, panel_id, labelled_only=True)
    return PanelView(
        panel=panel,
        job=job,
        place=await jobs.place_of(db, job.id) if job and waiting else None,
        candidates=tuple(shown),
        review=await _review_of(db, panel),
        tally=await votes.tally(db, guild_id, panel_id),
        cast_names={c.character_id: c.name for c in await cast.list_characters(db, guild_id)},
        notes=await _notes_on(db, guild_id, shown),
        voting=(await series.get_series(db, guild_id, panel.series_id)).voting,
        saved=await previews.savings(db, guild_id, panel_id),
        guess=await taste.guess_of(db, guild_id, panel_id),
    )


async def _review_of(db: Database, panel: Panel) -> Review | None:
    """The panel's own; of a picture that was made larger, else that of the smaller one."""
    found = await reviews.review_of_panel(db, panel.guild_id, panel.id)
    revision = panel.brief.revision
    if found is None and revision is not None and PlanPart.ENLARGEMENT in revision.changed:
        return await reviews.review_of_panel(db, panel.guild_id, revision.panel_id)
    return found


async def panel_recipe(db: Database, guild_id: int, panel_id: int) -> str:
    """How the chosen (or first) candidate was made: words for people, then the plan's JSON.

    Raises:
        NotFound: the guild has no such panel.
        WrongState: nothing was drawn yet.
    """
    panel = await panels.get_panel(db, guild_id, panel_id)
    candidates = await attempts.candidates_of(db, guild_id, panel_id)
    if not candidates:
        raise WrongState(f"Panel {panel_id} is {panel.status.value}; no recipe exists yet.")
    plan = await attempts.plan_of(db, guild_id, panel.chosen_candidate or candidates[0].id)
    if plan is None:
        return f"Panel {panel_id} is a person's own drawing: there is no recipe."
    return recipe_words(panel_id, plan)


async def _notes_on(
    db: Database, guild_id: int, shown: Sequence[StoredCandidate]
) -> tuple[str, ...]:
    """What the engine left out of the plans of these candidates, each remark once."""
    notes: dict[str, None] = {}
    for candidate in shown:
        plan = await attempts.plan_of(db, guild_id, candidate.id)
        notes |= dict.fromkeys(plan.notes if plan is not None else ())
    return tuple(notes)
