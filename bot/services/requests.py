"""Panels that are asked for, and drawings that are handed in."""

import asyncio
from dataclasses import dataclass, replace

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
from bot.services.engines import Engines
from bot.services.intake import Order, Requested, admit, seed_of
from bot.services.rerolls import check_lead, check_ranges
from bot.services.safety import Safety
from pipeline.domain.character import ShotType
from pipeline.domain.panel import (
    PANEL_SIZE,
    CastRole,
    ChannelDefaults,
    Panel,
    PanelBrief,
    PanelOrigin,
    Staging,
)
from pipeline.imaging.decode import PictureDoor
from storage import cast, channels
from storage.blobs import BlobStore
from storage.database import Database


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


class PanelRequests:
    """Takes requests and people's own drawings: read, checked, kept, queued."""

    def __init__(self, db: Database, blobs: BlobStore, door: PictureDoor, engines: Engines) -> None:
        self._db = db
        self._blobs = blobs
        self._door = door
        self._engines = engines
        self._safety = Safety(db, blobs)

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
