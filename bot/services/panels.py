"""Panels: asked for, waited for, looked up."""

import asyncio
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.services.access import require_request
from bot.services.actor import Actor
from bot.services.briefs import (
    lint,
    lint_looks,
    place_of,
    preflight,
    read_cast,
    read_dialogue,
    read_prompt,
)
from bot.services.casting import resolve_role
from bot.services.consent import require_consent
from bot.services.panel_views import (
    PanelView,
    QueueEntry,
    panel_recipe,
    panel_view,
    queue_entries,
)
from bot.services.rerolls import (
    PanelChange,
    changed_brief,
    check_lead,
    check_ranges,
    revision_of,
)
from bot.services.wordlists import require_clean
from pipeline.domain.character import Series, ShotType
from pipeline.domain.errors import LimitReached, WrongState
from pipeline.domain.job import JobKind, JobStatus, QueuePlace
from pipeline.domain.panel import (
    CastRole,
    Panel,
    PanelBrief,
    PanelOrigin,
    PanelStatus,
    Staging,
)
from pipeline.domain.review import Posted, PostKind
from pipeline.imaging.decode import PictureDoor
from storage import cast, jobs, outbox, panels
from storage.blobs import BlobStore
from storage.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class PanelRequest:
    """What a person typed. ``characters`` are ids or names with commas between them.

    ``reference`` is a reference (by id) to draw from first, and to take the pose of. ``staging``
    is what a storyboard showed.
    """

    characters: str
    prompt: str
    appearance: str | None = None
    shot_type: ShotType | None = None
    alternates: int | None = None
    sketch: bytes | None = None
    page: int | None = None
    dialogue: str = ""
    seed: int | None = None
    style_freedom: float = 0.0
    chapter: int | None = None
    reference: int | None = None
    staging: Staging | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Requested:
    """The receipt: the panel, its place in the queue, and what the person should know."""

    panel: Panel
    place: QueuePlace | None
    warnings: tuple[str, ...]


class PanelService:
    """What members do with panels. What workers do with them is in :mod:`bot.services.runs`."""

    def __init__(
        self,
        db: Database,
        blobs: BlobStore,
        door: PictureDoor,
        token_limit: int | None = None,
    ) -> None:
        """``token_limit`` is what the engine's text encoder reads; None for an engine without."""
        self._db = db
        self._blobs = blobs
        self._door = door
        self._token_limit = token_limit

    # --- asking ---------------------------------------------------------------------------

    async def request(
        self, actor: Actor, request: PanelRequest, *, channel_id: int | None, dedupe_key: str
    ) -> Requested:
        """Check the request cheaply, then write panel and job in one transaction.

        Raises:
            InvalidInput: prompt, page, alternates or dialogue out of limits.
            PromptConflict: the prompt contradicts the model sheets, or a look is not worn at that
                place of the story; the text says what to change.
            NotFound: a character or an appearance does not exist.
            MissingReference: a character has no picture to draw from.
            LimitReached: the member's daily quota is used up.
        """
        series = await cast.active_series(self._db, actor.guild_id)
        place = await place_of(self._db, series, request.chapter, request.page)
        roles = await read_cast(
            self._db, actor.guild_id, request.characters, request.appearance, place
        )
        await require_request(self._db, actor, [character for character, _ in roles])
        shot = request.shot_type or ShotType.HALF
        alternates = request.alternates or series.alternates
        prompt = read_prompt(request.prompt)
        check_ranges(alternates, request.style_freedom)
        doubts = [
            *await lint(self._db, actor.guild_id, prompt, roles, self._token_limit),
            *await lint_looks(self._db, roles, place, named=bool(request.appearance)),
        ]
        brief = PanelBrief(
            prompt=prompt,
            cast=tuple(CastRole(c.character_id, a.appearance_id) for c, a in roles),
            shot_type=shot,
            alternates=alternates,
            color_mode=series.color_mode,
            dialogue=read_dialogue(request.dialogue, roles),
            page=place.page,
            chapter=place.chapter,
            sketch_sha256=await self._keep(actor.guild_id, request.sketch),
            seed=request.seed if request.seed is not None else _seed_of(dedupe_key),
            style_freedom=request.style_freedom,
            lead=() if request.reference is None else (request.reference,),
            staging=request.staging,
            weight=request.weight,
        )
        await check_lead(self._db, actor.guild_id, brief, roles)
        lacking = await preflight(self._db, actor.guild_id, roles, shot, series.missing_shot)
        await self._check_quota(actor, series)
        return await self._enqueue(
            actor,
            series,
            brief,
            PanelOrigin.GENERATED,
            channel_id,
            dedupe_key,
            (*doubts, *lacking),
        )

    async def submit(
        self,
        actor: Actor,
        image: bytes,
        *,
        characters: str,
        page: int | None = None,
        chapter: int | None = None,
        dialogue: str = "",
        channel_id: int | None,
        dedupe_key: str,
    ) -> Requested:
        """A person's own drawing: the same check and the same review, nothing is generated.

        Raises:
            InvalidPicture: the bytes are not a picture that we take.
            NotFound: a character does not exist.
            LimitReached: the member's daily quota is used up.
        """
        series = await cast.active_series(self._db, actor.guild_id)
        place = await place_of(self._db, series, chapter, page)
        roles = await read_cast(self._db, actor.guild_id, characters, None, place)
        await require_request(self._db, actor, [character for character, _ in roles])
        brief = PanelBrief(
            prompt="",
            cast=tuple(CastRole(c.character_id, a.appearance_id) for c, a in roles),
            shot_type=ShotType.HALF,
            alternates=1,
            color_mode=series.color_mode,
            dialogue=read_dialogue(dialogue, roles),
            page=place.page,
            chapter=place.chapter,
        )
        await self._check_quota(actor, series)
        sha256 = await self._keep(actor.guild_id, image)
        return await self._enqueue(
            actor, series, brief, PanelOrigin.SUBMITTED, channel_id, dedupe_key, (), sha256
        )

    async def repaint(
        self, actor: Actor, panel: Panel, png: bytes, *, channel_id: int | None, dedupe_key: str
    ) -> Requested:
        """A person's new picture in place of an accepted panel: checked and reviewed like any.

        The old picture stays on its page until the new one is accepted.

        Args:
            actor: who painted it.
            panel: whose place it takes; its cast, words and page are kept.
            png: the picture, canonical.
            channel_id: where the outcome is posted.
            dedupe_key: tells this request from every other.

        Raises:
            NotAllowed: the panel is someone else's, and the actor does not moderate.
            LimitReached: the member's daily quota is used up.
        """
        actor.require_own(panel.requester_id, "replace this panel")
        series = await cast.active_series(self._db, actor.guild_id)
        brief = replace(
            panel.brief,
            alternates=1,
            sketch_sha256=None,
            lead=(),
            revision=None,
            staging=None,
            replaces=panel.id,
        )
        await self._check_quota(actor, series)
        sha256 = await self._blobs.put(actor.guild_id, png)
        return await self._enqueue(
            actor, series, brief, PanelOrigin.SUBMITTED, channel_id, dedupe_key, (), sha256
        )

    async def reroll(
        self,
        actor: Actor,
        panel_id: int,
        *,
        dedupe_key: str,
        change: PanelChange | None = None,
    ) -> Requested:
        """Once more as a new panel: the same brief with another seed, or one part changed.

        What was drawn already is not planned anew for a change: its recipe is taken as it is, with
        the named part changed in it.

        Raises:
            WrongState: the panel is a person's drawing.
            InvalidInput: a part is out of its limits, or a reference of somebody else.
            PromptConflict: the new prompt contradicts the model sheets.
            NotFound: a character or an appearance was deleted meanwhile.
            MissingReference: nothing is left to draw a character from.
        """
        panel = await panels.get_panel(self._db, actor.guild_id, panel_id)
        if panel.origin is PanelOrigin.SUBMITTED:
            raise WrongState("This is a person's own drawing; there is nothing to draw again.")
        series = await cast.active_series(self._db, actor.guild_id)
        change = change or PanelChange()
        brief = changed_brief(panel.brief, change, _seed_of(dedupe_key))
        roles = [await resolve_role(self._db, actor.guild_id, r) for r in brief.cast]
        await require_consent(self._db, actor.guild_id, [c.character_id for c, _ in roles])
        await require_request(self._db, actor, [character for character, _ in roles])
        if change.reference is not None:
            await check_lead(self._db, actor.guild_id, brief, roles)
        brief = replace(brief, revision=await revision_of(self._db, panel, change.parts))
        warnings: tuple[str, ...] = ()
        if brief.prompt != panel.brief.prompt:
            warnings = await lint(self._db, actor.guild_id, brief.prompt, roles, self._token_limit)
        shot, rule = brief.shot_type, series.missing_shot
        warnings += await preflight(self._db, actor.guild_id, roles, shot, rule)
        await self._check_quota(actor, series)
        return await self._enqueue(
            actor, series, brief, PanelOrigin.GENERATED, panel.channel_id, dedupe_key, warnings
        )

    async def cancel(self, actor: Actor, panel_id: int) -> Panel:
        """Stop a waiting panel at once, a running one at its next step.

        Raises:
            NotAllowed: the actor neither asked for it nor moderates.
            WrongState: it is finished already.
        """
        panel = await panels.get_panel(self._db, actor.guild_id, panel_id)
        actor.require_own(panel.requester_id, "cancel this panel")

        def stop(tx: Transaction) -> JobStatus | None:
            now = datetime.now(UTC)
            status = jobs.request_cancel(
                tx, guild_id=actor.guild_id, panel_id=panel_id, now=now.timestamp()
            )
            if status is JobStatus.CANCELLED:
                panels.set_status(
                    tx,
                    guild_id=actor.guild_id,
                    panel_id=panel_id,
                    status=PanelStatus.CANCELLED,
                    now=now,
                )
            return status

        if await self._db.write(stop) is None:
            raise WrongState(f"Panel {panel_id} is {panel.status.value}; nothing is left to stop.")
        return await panels.get_panel(self._db, actor.guild_id, panel_id)

    # --- looking --------------------------------------------------------------------------

    async def view(self, actor: Actor, panel_id: int) -> PanelView:
        """Everything about one panel.

        Raises:
            NotFound: the guild has no such panel.
        """
        return await panel_view(self._db, actor.guild_id, panel_id)

    async def queue(self, actor: Actor) -> list[QueueEntry]:
        """What runs in this guild (at place 0), then what waits, next first."""
        return await queue_entries(self._db, actor.guild_id)

    async def picture(self, guild_id: int, sha256: str) -> bytes:
        """The PNG of a candidate or of an evidence card.

        Raises:
            NotFound: the guild has no such picture.
        """
        return await self._blobs.get(guild_id, sha256)

    async def posts(self, guild_id: int, kind: PostKind, subject_id: int) -> list[Posted]:
        """Where the posts about a panel or a review ended up, oldest first."""
        return await outbox.posts_of(self._db, guild_id, kind, subject_id)

    async def recipe(self, actor: Actor, panel_id: int) -> str:
        """How the chosen (or first) candidate was made: words for people, then the plan's JSON.

        Raises:
            NotFound: nothing was drawn yet.
        """
        return await panel_recipe(self._db, actor.guild_id, panel_id)

    # --- inside ---------------------------------------------------------------------------

    async def _check_quota(self, actor: Actor, series: Series) -> None:
        since = datetime.now(UTC) - timedelta(days=1)
        used = await panels.requested_since(self._db, actor.guild_id, actor.member_id, since)
        if used >= series.quota:
            raise LimitReached(
                f"You asked for {used} panels in the last 24 hours and {series.quota} are "
                "allowed. Come back later, or ask a manager to raise the quota."
            )

    async def _keep(self, guild_id: int, image: bytes | None) -> str | None:
        if image is None:
            return None
        picture = await asyncio.to_thread(self._door.open, image)
        return await self._blobs.put(guild_id, picture.png)

    async def _enqueue(
        self,
        actor: Actor,
        series: Series,
        brief: PanelBrief,
        origin: PanelOrigin,
        channel_id: int | None,
        dedupe_key: str,
        warnings: tuple[str, ...],
        submission_sha256: str | None = None,
    ) -> Requested:
        said = (line.text for line in brief.dialogue)
        await require_clean(self._db, actor.guild_id, brief.prompt, *said)
        kind = JobKind.SUBMISSION if origin is PanelOrigin.SUBMITTED else JobKind.GENERATE

        def add(tx: Transaction) -> tuple[int, int]:
            now = datetime.now(UTC)
            panel_id = panels.create_panel(
                tx,
                guild_id=actor.guild_id,
                series_id=series.id,
                requester_id=actor.member_id,
                origin=origin,
                brief=brief,
                channel_id=channel_id,
                submission_sha256=submission_sha256,
                now=now,
            )
            job_id = jobs.enqueue(
                tx,
                guild_id=actor.guild_id,
                member_id=actor.member_id,
                kind=kind,
                panel_id=panel_id,
                dedupe_key=dedupe_key,
                affinity=brief.affinity if kind is JobKind.GENERATE else "",
                now=now.timestamp(),
            )
            return panel_id, job_id

        panel_id, job_id = await self._db.write(add)
        panel = await panels.get_panel(self._db, actor.guild_id, panel_id)
        return Requested(panel, await jobs.place_of(self._db, job_id), warnings)


def _seed_of(dedupe_key: str) -> int:
    """A seed that belongs to the request, so that a replay of it draws the same."""
    return zlib.crc32(dedupe_key.encode())
