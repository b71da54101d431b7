"""Votes on alternates: one per person and panel, changeable until the vote closes."""

from datetime import UTC, datetime

from bot.services.actor import Actor
from pipeline.domain.errors import WrongState
from pipeline.domain.panel import Panel, PanelStatus
from pipeline.domain.review import PostKind, Tally
from storage import audit, outbox, panels, votes
from storage.database import Database, Transaction


class VoteService:
    """What creators decide."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def vote(self, actor: Actor, panel_id: int, candidate_id: int) -> Tally:
        """Cast or change one's vote.

        Raises:
            NotFound: no such panel or alternate in this guild.
            WrongState: the vote is closed.
        """
        await self._db.write(
            lambda tx: votes.cast_vote(
                tx,
                guild_id=actor.guild_id,
                panel_id=panel_id,
                member_id=actor.member_id,
                candidate_id=candidate_id,
                now=datetime.now(UTC),
            )
        )
        return await votes.tally(self._db, actor.guild_id, panel_id)

    async def close(self, actor: Actor, panel_id: int) -> Panel:
        """Close the vote now; the leader is chosen.

        Raises:
            NotAllowed: the actor neither asked for the panel nor moderates.
            WrongState: the vote is closed, or nobody has voted.
        """
        panel = await panels.get_panel(self._db, actor.guild_id, panel_id)
        actor.require_own(panel.requester_id, "close this vote")
        if panel.status is not PanelStatus.VOTING:
            raise WrongState(f"Panel {panel_id} is {panel.status.value}; its vote is not open.")
        if (await votes.tally(self._db, actor.guild_id, panel_id)).voters == 0:
            raise WrongState("Nobody has voted yet. Vote first, then close.")

        def work(tx: Transaction) -> None:
            _choose(tx, panel)
            audit.note(
                tx,
                guild_id=actor.guild_id,
                member_id=actor.member_id,
                action="vote.closed",
                subject=f"panel {panel_id}",
                now=datetime.now(UTC),
            )

        await self._db.write(work)
        return await panels.get_panel(self._db, actor.guild_id, panel_id)

    async def close_due(self) -> list[Panel]:
        """Close the votes whose time is over. Without any vote the best-judged one wins."""
        due = await votes.due_votes(self._db, datetime.now(UTC))
        for panel in due:
            await self._db.write(lambda tx, panel=panel: _choose(tx, panel))
        return due


def _choose(tx: Transaction, panel: Panel) -> None:
    """Pick the leader inside the transaction, so that a vote in flight counts or is refused."""
    now = datetime.now(UTC)
    leader = votes.count_in(tx, panel.id).leader
    if leader is None:
        raise WrongState(f"Panel {panel.id} has no alternates to choose from.")
    panels.set_status(
        tx,
        guild_id=panel.guild_id,
        panel_id=panel.id,
        status=PanelStatus.ACCEPTED,
        expected={PanelStatus.VOTING},
        now=now,
    )
    panels.choose_candidate(
        tx, guild_id=panel.guild_id, panel_id=panel.id, candidate_id=leader, now=now
    )
    outbox.owe(
        tx,
        guild_id=panel.guild_id,
        kind=PostKind.PANEL_RESULT,
        subject_id=panel.id,
        dedupe_key=f"panel_result:{panel.id}",
        now=now,
    )
