"""A panel once more: with another seed, with one part of its recipe changed, or nearly the same."""

from dataclasses import replace

from bot.services.access import require_request
from bot.services.actor import Actor
from bot.services.briefs import lint, preflight
from bot.services.casting import resolve_role
from bot.services.consent import require_consent
from bot.services.engines import Engines
from bot.services.intake import Order, Requested, admit, seed_of
from bot.services.rerolls import (
    PanelChange,
    changed_brief,
    check_lead,
    enlarged_brief,
    revision_of,
    varied_brief,
)
from pipeline.domain.errors import WrongState
from pipeline.domain.panel import Panel, PanelBrief, PanelOrigin, PanelStatus
from storage import attempts, cast, panels
from storage.database import Database


class RedrawService:
    """What members ask for when they have seen a panel. Every redraw is a new panel."""

    def __init__(self, db: Database, engines: Engines) -> None:
        self._db = db
        self._engines = engines

    async def reroll(
        self,
        actor: Actor,
        panel_id: int,
        *,
        dedupe_key: str,
        change: PanelChange | None = None,
    ) -> Requested:
        """The same brief with another seed, or one part changed.

        What was drawn already is not planned anew for a change: its recipe is taken as it is, with
        the named part changed in it.

        Raises:
            WrongState: the panel is a person's drawing.
            InvalidInput: a part is out of its limits, or a reference of somebody else.
            PromptConflict: the new prompt contradicts the model sheets.
            NotFound: a character or an appearance was deleted meanwhile.
            MissingReference: nothing is left to draw a character from.
            LimitReached: the member's allowance is used up.
        """
        panel = await self._drawn(actor, panel_id)
        change = change or PanelChange()
        brief = changed_brief(panel.brief, change, seed_of(dedupe_key))
        brief = replace(brief, revision=await revision_of(self._db, panel, change.parts))
        return await self._order(actor, panel, brief, dedupe_key)

    async def vary(
        self, actor: Actor, panel_id: int, candidate_id: int, *, dedupe_key: str
    ) -> Requested:
        """Near variations of one drawn picture: its recipe, its seed, a little other noise.

        The draft engine keeps the scene and shows the cast in others of their pictures.

        Raises:
            WrongState: a person drew it, or the engine that draws now cannot vary it.
            NotFound: no such panel or picture, or a character was deleted meanwhile.
            MissingReference: nothing is left to draw a character from.
            LimitReached: the member's allowance is used up.
        """
        panel = await self._drawn(actor, panel_id)
        plan = await attempts.plan_of(self._db, actor.guild_id, candidate_id)
        engine = self._engines.drawing(panel.brief.generator)
        if plan is None or plan.generator != engine.name or not engine.variations:
            raise WrongState(
                f"The engine that draws now ({engine.name}) cannot vary this picture. Use Reroll "
                "or Remix instead."
            )
        if len(plan.variations) >= engine.variations:
            raise WrongState(
                f"This picture is a variation already, and {engine.name} varies no further. Vary "
                "the picture that it came from."
            )
        brief = await varied_brief(self._db, panel, candidate_id, seed_of(dedupe_key))
        return await self._order(actor, panel, brief, dedupe_key)

    async def enlarge(self, actor: Actor, panel_id: int, *, dedupe_key: str) -> Requested:
        """An accepted panel with four times as many pixels; it takes the small one's place.

        Raises:
            WrongState: it is not accepted, a person drew it, or it is large enough.
            LimitReached: the member's allowance is used up.
        """
        panel = await self._drawn(actor, panel_id)
        actor.require_own(panel.requester_id, "replace this panel")
        if panel.status is not PanelStatus.ACCEPTED or panel.chosen_candidate is None:
            raise WrongState(f"Panel {panel_id} is not accepted yet; only that one is enlarged.")
        chosen = await attempts.get_candidate(self._db, actor.guild_id, panel.chosen_candidate)
        if not self._engines.enlarges(chosen):
            raise WrongState(
                f"Panel {panel_id} has {chosen.width} × {chosen.height} pixels; it cannot be "
                "enlarged further here."
            )
        return await self._order(actor, panel, enlarged_brief(panel, chosen), dedupe_key)

    async def _drawn(self, actor: Actor, panel_id: int) -> Panel:
        panel = await panels.get_panel(self._db, actor.guild_id, panel_id)
        if panel.origin is PanelOrigin.SUBMITTED:
            raise WrongState("This is a person's own drawing; there is nothing to draw again.")
        return panel

    async def _order(
        self, actor: Actor, panel: Panel, brief: PanelBrief, dedupe_key: str
    ) -> Requested:
        """Check what a request is checked for, as far as it may have changed, and queue it."""
        db, guild_id = self._db, actor.guild_id
        series = await cast.active_series(db, guild_id)
        roles = [await resolve_role(db, guild_id, role) for role in brief.cast]
        characters = [character for character, _ in roles]
        await require_consent(db, guild_id, [c.character_id for c in characters])
        await require_request(db, actor, characters)
        if brief.lead != panel.brief.lead:
            await check_lead(db, guild_id, brief, roles)
        engine = self._engines.drawing(brief.generator)
        warnings: tuple[str, ...] = ()
        if brief.prompt != panel.brief.prompt:
            warnings = await lint(db, guild_id, brief.prompt, roles, engine.token_limit)
        warnings += await preflight(db, guild_id, roles, brief.shot_type, series.missing_shot)
        order = Order(brief, panel.channel_id, dedupe_key, warnings=warnings, engine=engine.name)
        return await admit(db, actor, series, order)
