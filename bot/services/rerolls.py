"""Rerolls: the same brief once more, or one recipe with one part of it changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.services.briefs import Role, read_prompt
from pipeline.domain.character import ShotType
from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import InvalidInput, NotFound
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import Enlarging
from pipeline.domain.panel import Candidate, Panel, PanelBrief, PlanPart, Revision
from pipeline.domain.review import StoredCandidate
from storage import attempts, cast
from storage.blobs import BlobStore
from storage.database import Database
from storage.records import figures_from_json

MAX_ALTERNATES = 4
VARIED = 3
"""How many near variations are drawn of a picture."""


@dataclass(frozen=True, slots=True)
class PanelChange:
    """What a reroll changes; None keeps what the first request said.

    Without any change the seed is new. With a change everything else of the recipe stays, also
    what the retry ladder had made of it. ``reference`` is a reference (by id) to draw from first;
    ``hold`` (0 to 1) is how strongly references hold.
    """

    prompt: str | None = None
    seed: int | None = None
    shot_type: ShotType | None = None
    alternates: int | None = None
    reference: int | None = None
    hold: float | None = None
    style_freedom: float | None = None

    @property
    def parts(self) -> tuple[PlanPart, ...]:
        """What it names."""
        named = {
            PlanPart.PROMPT: self.prompt,
            PlanPart.SEED: self.seed,
            PlanPart.SHOT_TYPE: self.shot_type,
            PlanPart.ALTERNATES: self.alternates,
            PlanPart.REFERENCES: self.reference,
            PlanPart.HOLD: self.hold,
            PlanPart.STYLE_FREEDOM: self.style_freedom,
        }
        return tuple(part for part, value in named.items() if value is not None)


def check_ranges(alternates: int, style_freedom: float = 0.0, hold: float | None = None) -> None:
    """Refuse numbers out of their limits.

    Raises:
        InvalidInput: one is; the text says what is allowed.
    """
    if not 1 <= alternates <= MAX_ALTERNATES:
        raise InvalidInput(f"Ask for 1 to {MAX_ALTERNATES} alternates.")
    if not 0 <= style_freedom <= 1:
        raise InvalidInput("Freedom of style goes from 0 to 100 percent.")
    if hold is not None and not 0 <= hold <= 1:
        raise InvalidInput("References hold from 0 to 100 percent.")


def changed_brief(brief: PanelBrief, change: PanelChange, fresh_seed: int) -> PanelBrief:
    """The brief with what a reroll changes.

    Raises:
        InvalidInput: a value is out of its limits.
    """
    alternates = brief.alternates if change.alternates is None else change.alternates
    freedom = brief.style_freedom if change.style_freedom is None else change.style_freedom
    check_ranges(alternates, freedom, change.hold)
    seed = fresh_seed if change == PanelChange() else brief.seed
    return replace(
        brief,
        prompt=brief.prompt if change.prompt is None else read_prompt(change.prompt),
        shot_type=change.shot_type or brief.shot_type,
        alternates=alternates,
        seed=seed if change.seed is None else change.seed,
        lead=brief.lead if change.reference is None else (change.reference,),
        hold=brief.hold if change.hold is None else change.hold,
        style_freedom=freedom,
        revision=None,
    )


async def check_lead(db: Database, guild_id: int, brief: PanelBrief, roles: Sequence[Role]) -> None:
    """See to it that the chosen references are of the panel's own looks.

    Raises:
        InvalidInput: one is not; the text names where their numbers are.
    """
    known = {
        reference.id
        for _, look in roles
        for reference in await cast.list_references(db, guild_id, look.id)
    }
    for reference_id in brief.lead:
        if reference_id not in known:
            looks = ", ".join(look.appearance_id for _, look in roles)
            raise InvalidInput(
                f"Reference {reference_id} does not belong to {looks}. The numbers stand in "
                "/panel recipe and in /character sheet."
            )


async def revision_of(db: Database, panel: Panel, parts: tuple[PlanPart, ...]) -> Revision | None:
    """Which candidate's recipe a reroll changes: the chosen one, else the first that was shown.

    Returns:
        None where nothing was drawn yet; the brief is all there is then.
    """
    drawn = await attempts.candidates_of(db, panel.guild_id, panel.id)
    if not drawn or not parts:
        return None
    chosen = next((c for c in drawn if c.id == panel.chosen_candidate), drawn[0])
    beside = sorted(c.id for c in drawn if c.attempt == chosen.attempt)
    return Revision(chosen.id, beside.index(chosen.id), parts, panel.id)


def enlarged_brief(panel: Panel, chosen: StoredCandidate) -> PanelBrief:
    """The brief of an accepted panel's picture made larger, in its place on its page."""
    revision = Revision(chosen.id, 0, (PlanPart.ENLARGEMENT,), panel.id)
    return replace(panel.brief, alternates=1, revision=revision, replaces=panel.id)


async def varied_brief(
    db: Database, panel: Panel, candidate_id: int, fresh_seed: int
) -> PanelBrief:
    """The brief of near variations of one of a panel's pictures.

    Raises:
        NotFound: the panel has no such picture.
    """
    drawn = await attempts.candidates_of(db, panel.guild_id, panel.id)
    chosen = next((c for c in drawn if c.id == candidate_id), None)
    if chosen is None:
        raise NotFound(f"Panel {panel.id} has no such alternate; use the buttons of its card.")
    beside = sorted(c.id for c in drawn if c.attempt == chosen.attempt)
    revision = Revision(
        chosen.id, beside.index(chosen.id), (PlanPart.VARIATION, PlanPart.ALTERNATES), panel.id
    )
    return replace(panel.brief, seed=fresh_seed, alternates=VARIED, revision=revision)


async def base_of(db: Database, guild_id: int, brief: PanelBrief) -> ConditioningPlan | None:
    """The recipe that a brief's revision changes, so that its first alternate is that picture.

    Returns:
        None without a revision, and where the recipe was deleted meanwhile.
    """
    if brief.revision is None:
        return None
    try:
        plan = await attempts.plan_of(db, guild_id, brief.revision.candidate_id)
    except NotFound:
        return None
    if plan is None:
        return None
    place = brief.revision.place
    return plan.first_is(plan.drawn[place] if place < len(plan.drawn) else place)


async def enlarging_of(
    db: Database, blobs: BlobStore, guild_id: int, brief: PanelBrief
) -> Enlarging | None:
    """The picture that a brief wants made larger.

    Raises:
        NotFound: it was deleted meanwhile.
    """
    if brief.revision is None or PlanPart.ENLARGEMENT not in brief.revision.changed:
        return None
    found = await attempts.get_candidate(db, guild_id, brief.revision.candidate_id)
    png = await blobs.get(guild_id, found.sha256)
    size = Size(found.width, found.height)
    candidate = Candidate(png, size, figures_from_json(found.figures))
    return Enlarging(candidate, found.sha256, found.report)


async def pictures_for(
    blobs: BlobStore, guild_id: int, brief: PanelBrief, base: ConditioningPlan | None
) -> dict[str, bytes]:
    """What a run needs beside the references: the sketch, and what a recipe names.

    Raises:
        NotFound: the sketch was deleted meanwhile.
    """
    pictures: dict[str, bytes] = {}
    if brief.sketch_sha256 is not None:
        pictures[brief.sketch_sha256] = await blobs.get(guild_id, brief.sketch_sha256)
    for sha256 in sorted(base.pictures if base is not None else ()):
        try:
            pictures[sha256] = await blobs.get(guild_id, sha256)
        except NotFound:
            continue  # the run says that the recipe cannot be repeated, and why
    return pictures
