"""Panels: asked for, waited for, looked up."""

from datetime import UTC, datetime

from bot.services.actor import Actor
from bot.services.allowance import Allowance, allowance_of
from bot.services.briefs import (
    read_page,
)
from bot.services.panel_views import (
    PanelView,
    panel_recipe,
    panel_view,
)
from bot.services.requests import PanelRequest, PanelRequests
from pipeline.domain.errors import WrongState
from pipeline.domain.job import JobStatus
from pipeline.domain.panel import (
    Panel,
    PanelStatus,
)
from pipeline.domain.review import Posted, PostKind
from storage import audit, jobs, outbox, panels
from storage.database import Transaction

__all__ = ["PanelRequest", "PanelService"]


class PanelService(PanelRequests):
    """What members do with panels; how they ask for one stands in its base.

    What workers do with them is in :mod:`bot.services.runs`, what is done once more with what was
    drawn in :mod:`bot.services.redraws`.
    """

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
