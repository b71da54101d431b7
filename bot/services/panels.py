"""Panels: asked for, waited for, looked up."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.services.access import require_request
from bot.services.actor import Actor
from bot.services.allowance import Allowance, allowance_of
from bot.services.briefs import (
    lint,
    lint_looks,
    place_of,
    preflight,
    read_cast,
    read_dialogue,
    read_page,
    read_prompt,
)
from bot.services.engines import Engines
from bot.services.intake import Order, Requested, admit, seed_of
from bot.services.panel_views import (
    PanelView,
    panel_recipe,
    panel_view,
)
from bot.services.rerolls import check_lead, check_ranges
from bot.services.safety import Safety
from pipeline.domain.character import ShotType
from pipeline.domain.errors import WrongState
from pipeline.domain.job import JobStatus
from pipeline.domain.panel import (
    PANEL_SIZE,
    CastRole,
    ChannelDefaults,
    Panel,
    PanelBrief,
    PanelOrigin,
    PanelStatus,
    Staging,
)
from pipeline.domain.review import Posted, PostKind
from pipeline.imaging.decode import PictureDoor
from storage import audit, cast, channels, jobs, outbox, panels
from storage.blobs import BlobStore
from storage.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class PanelRequest:
    """What a person typed. ``characters`` are ids or names with commas between them.

    ``reference`` is a reference (by id) to draw from first, and to take the pose of. ``staging``
    is what a storyboard showed. ``home`` is the channel whose defaults hold, where that is not the
    one in which the outcome is posted (a thread's parent); ``batch`` says that it is one of several
    that were asked for at once. ``restricted`` says that the channel is age-restricted.
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
    home: int | None = None
    batch: bool = False
    restricted: bool = False


class PanelService:
    """What members do with panels. What workers do with them is in :mod:`bot.services.runs`."""

    def __init__(self, db: Database, blobs: BlobStore, door: PictureDoor, engines: Engines) -> None:
        self._db = db
        self._blobs = blobs
        self._door = door
        self._engines = engines
        self._safety = Safety(db, blobs)

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
        usual = await self._usual(actor.guild_id, request.home or channel_id)
        engine = self._engines.drawing(usual.generator or "")
        alternates = request.alternates or usual.alternates or series.alternates
        prompt = read_prompt(request.prompt)
        check_ranges(alternates, request.style_freedom)
        doubts = [
            *await lint(self._db, actor.guild_id, prompt, roles, engine.token_limit),
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
            sketch_sha256=await self._keep_sketch(actor, request.sketch),
            restricted=request.restricted,
            seed=request.seed if request.seed is not None else seed_of(dedupe_key),
            # what a storyboard staged is measured in pixels of the usual size
            size=PANEL_SIZE if request.staging else usual.size or PANEL_SIZE,
            style=usual.style or "",
            generator=usual.generator or "",
            style_freedom=request.style_freedom,
            lead=() if request.reference is None else (request.reference,),
            staging=request.staging,
            weight=request.weight,
        )
        await check_lead(self._db, actor.guild_id, brief, roles)
        lacking = await preflight(self._db, actor.guild_id, roles, shot, series.missing_shot)
        order = Order(
            brief,
            channel_id,
            dedupe_key,
            warnings=(*doubts, *lacking),
            batch=request.batch,
            engine=engine.name,
        )
        return await admit(self._db, actor, series, order)

    async def submit(
        self,
        actor: Actor,
        image: bytes,
        *,
        characters: str,
        page: int | None = None,
        chapter: int | None = None,
        dialogue: str = "",
        restricted: bool = False,
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
            restricted=restricted,
            chapter=place.chapter,
        )
        sha256 = await self._keep(actor.guild_id, image)
        order = Order(brief, channel_id, dedupe_key, PanelOrigin.SUBMITTED, sha256)
        return await admit(self._db, actor, series, order)

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
        sha256 = await self._blobs.put(actor.guild_id, png)
        order = Order(brief, channel_id, dedupe_key, PanelOrigin.SUBMITTED, sha256, batch=True)
        return await admit(self._db, actor, series, order)

    async def cancel(self, actor: Actor, panel_id: int) -> Panel:
        """Stop a waiting panel at once, a running one at its next step.

        Who cancels somebody else's is written down.

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
            if status is not None and actor.member_id != panel.requester_id:
                audit.note(
                    tx,
                    guild_id=actor.guild_id,
                    member_id=actor.member_id,
                    action="panel.cancelled",
                    subject=f"panel {panel_id}",
                    now=now,
                )
            return status

        if await self._db.write(stop) is None:
            raise WrongState(f"Panel {panel_id} is {panel.status.value}; nothing is left to stop.")
        return await panels.get_panel(self._db, actor.guild_id, panel_id)

    async def move(self, actor: Actor, panel_id: int, page: int) -> Panel:
        """Use an accepted panel on another page; its place there is the order of asking.

        Raises:
            InvalidInput: there is no such page number.
            NotAllowed: the actor neither asked for it nor moderates.
            WrongState: it is not accepted.
        """
        panel = await panels.get_panel(self._db, actor.guild_id, panel_id)
        actor.require_own(panel.requester_id, "move this panel")
        number = read_page(page)
        assert number is not None  # a number is what came in
        now = datetime.now(UTC)

        def work(tx: Transaction) -> None:
            panels.move_to_page(
                tx, guild_id=actor.guild_id, panel_id=panel_id, page=number, now=now
            )
            audit.note(
                tx,
                guild_id=actor.guild_id,
                member_id=actor.member_id,
                action="panel.moved",
                subject=f"panel {panel_id}",
                detail=f"page {panel.brief.page} to {number}",
                now=now,
            )
            outbox.owe(  # its card names the page
                tx,
                guild_id=actor.guild_id,
                kind=PostKind.PANEL_RESULT,
                subject_id=panel_id,
                dedupe_key=f"panel_moved:{panel_id}:{now.timestamp()}",
                now=now,
            )

        await self._db.write(work)
        return await panels.get_panel(self._db, actor.guild_id, panel_id)

    async def allowance(self, actor: Actor) -> Allowance:
        """What the actor may use in 24 hours, and what of it is used.

        Raises:
            NotFound: the guild has no series.
        """
        return await allowance_of(self._db, actor)

    # --- looking --------------------------------------------------------------------------

    async def view(self, actor: Actor, panel_id: int) -> PanelView:
        """Everything about one panel.

        Raises:
            NotFound: the guild has no such panel.
        """
        return await panel_view(self._db, actor.guild_id, panel_id)

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

    async def _usual(self, guild_id: int, channel_id: int | None) -> ChannelDefaults:
        if channel_id is None:
            return ChannelDefaults()
        known = await channels.channel_defaults(self._db, guild_id, channel_id)
        return known or ChannelDefaults()

    async def _keep(self, guild_id: int, image: bytes) -> str:
        picture = await asyncio.to_thread(self._door.open, image)
        return await self._blobs.put(guild_id, picture.png)

    async def _keep_sketch(self, actor: Actor, image: bytes | None) -> str | None:
        """Nobody checks a sketch later, as is done with what is drawn, so it is rated here."""
        if image is None:
            return None
        picture = await asyncio.to_thread(self._door.open, image)
        await self._safety.admit(actor, [picture.png])
        return await self._blobs.put(actor.guild_id, picture.png)
