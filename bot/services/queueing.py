"""The queue as people see and steer it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.services.actor import Actor
from bot.services.edits import limited
from pipeline.domain.job import Job, QueuePlace
from pipeline.domain.panel import Panel
from storage import audit, jobs, panels, series, steering
from storage.database import Database, Transaction

MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A line of the queue. ``place`` is None for what runs and for what is held."""

    job: Job
    place: QueuePlace | None
    panel: Panel


@dataclass(frozen=True, slots=True)
class QueueView:
    """The queue of a guild: what runs, what waits (next first), what is held (oldest first).

    ``yielding`` of the actor's panels wait although somebody is served before who asked later.
    ``paused_for`` is why the active series pauses, None if it does not; ``host_paused_for`` the
    same of the whole program.
    """

    entries: tuple[QueueEntry, ...]
    yielding: int
    paused_for: str | None
    host_paused_for: str | None


class QueueService:
    """Shows the queue; moderators pause a series and let a panel go first."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def look(self, actor: Actor) -> QueueView:
        """What runs and waits in the actor's guild."""
        guild_id = actor.guild_id
        found: list[tuple[Job, QueuePlace | None]] = []
        waiting = await jobs.queue_places(self._db, guild_id)
        found += [(job, None) for job in await jobs.running_jobs(self._db, guild_id)]
        found += waiting
        found += [(job, None) for job in await jobs.held_jobs(self._db, guild_id)]
        paused = [
            one.pause_reason
            for one in await series.list_series(self._db, guild_id)
            if one.paused_at is not None
        ]
        return QueueView(
            tuple(
                [
                    QueueEntry(job, place, await panels.get_panel(self._db, guild_id, job.panel_id))
                    for job, place in found
                ]
            ),
            _yielding([job for job, _ in waiting], actor.member_id),
            paused[0] if paused else None,
            await steering.host_pause(self._db),
        )

    async def live(self, actor: Actor, *, any_member: bool = False) -> list[Panel]:
        """The panels that wait or run: the actor's own, or everybody's for moderators.

        Args:
            actor: who asks.
            any_member: everybody's; others than moderators get their own all the same.
        """
        everybody = any_member and actor.moderates
        return [
            entry.panel
            for entry in (await self.look(actor)).entries
            if everybody or entry.job.member_id == actor.member_id
        ]

    async def pause(self, actor: Actor, reason: str = "") -> int:
        """Let nothing of the active series begin; returns how many panels are held.

        Raises:
            NotAllowed: the actor does not moderate.
            InvalidInput: the reason is too long.
            WrongState: it pauses already.
        """
        actor.require_moderator("pause the queue")
        limited("reason", reason, MAX_REASON)
        comic = await series.active_series(self._db, actor.guild_id)

        def work(tx: Transaction) -> int:
            now = datetime.now(UTC)
            held = steering.pause_series(
                tx, guild_id=actor.guild_id, series_id=comic.id, reason=reason.strip(), now=now
            )
            _note(tx, actor, "queue.paused", f"series {comic.id}", reason, now)
            return held

        return await self._db.write(work)

    async def resume(self, actor: Actor) -> int:
        """Let the active series go on; returns how many panels wait for their turn again.

        Raises:
            NotAllowed: the actor does not moderate.
            WrongState: it does not pause.
        """
        actor.require_moderator("let the queue go on")
        comic = await series.active_series(self._db, actor.guild_id)

        def work(tx: Transaction) -> int:
            waiting = steering.resume_series(tx, guild_id=actor.guild_id, series_id=comic.id)
            _note(tx, actor, "queue.resumed", f"series {comic.id}", "", datetime.now(UTC))
            return waiting

        return await self._db.write(work)

    async def move(self, actor: Actor, panel_id: int, *, first: bool) -> QueuePlace | None:
        """Let a waiting panel be drawn next in its guild, or when it is its member's turn.

        Returns:
            Where it stands now; None while its series pauses.

        Raises:
            NotAllowed: the actor does not moderate.
            NotFound: the guild has no such panel.
            WrongState: it does not wait.
        """
        actor.require_moderator("move panels in the queue")
        await panels.get_panel(self._db, actor.guild_id, panel_id)

        def work(tx: Transaction) -> None:
            steering.move(tx, guild_id=actor.guild_id, panel_id=panel_id, first=first)
            where = "first" if first else "its fair turn"
            _note(tx, actor, "queue.moved", f"panel {panel_id}", where, datetime.now(UTC))

        await self._db.write(work)
        job = await jobs.job_of_panel(self._db, actor.guild_id, panel_id)
        return None if job is None else await jobs.place_of(self._db, job.id)


def _yielding(ordered: Sequence[Job], member_id: int) -> int:
    """How many of a member's waiting jobs somebody is served before who asked later."""
    latest, count = 0, 0
    for job in ordered:
        if job.member_id != member_id:
            latest = max(latest, job.id)
        elif latest > job.id:
            count += 1
    return count


def _note(
    tx: Transaction, actor: Actor, action: str, subject: str, detail: str, now: datetime
) -> None:
    audit.note(
        tx,
        guild_id=actor.guild_id,
        member_id=actor.member_id,
        action=action,
        subject=subject,
        detail=detail,
        now=now,
    )
