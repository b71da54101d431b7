"""Second looks: second opinions, appeals, and how far people agree."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from bot.services.actor import Actor
from pipeline.domain.errors import NotAllowed, WrongState
from pipeline.domain.panel import PanelStatus
from pipeline.domain.review import LOAD_DAYS, Load, PostKind, Review, ReviewStats, ReviewStatus
from pipeline.quality.agreement import krippendorff_alpha
from pipeline.quality.labels import coverage_of, proposed_modes
from storage import audit, lessons, opinions, outbox, panels, reviews
from storage.database import Database, Transaction
from storage.privacy import NOBODY


class SecondLooks:
    """What moderators do beside deciding."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def second(self, actor: Actor) -> Review | None:
        """An uncertain decision of somebody else, to be looked at again; None without one.

        Raises:
            NotAllowed: the actor does not moderate.
        """
        actor.require_moderator("give second opinions")
        found = await opinions.wants_second(self._db, actor.guild_id, actor.member_id)
        return None if found is None else await reviews.get_review(self._db, actor.guild_id, found)

    async def opine(self, actor: Actor, review_id: int, *, good: bool) -> None:
        """Give a second opinion. It is counted; what was decided stays.

        Raises:
            NotAllowed: the actor does not moderate.
            WrongState: the review still waits for its first decision.
        """
        actor.require_moderator("give second opinions")
        review = await reviews.get_review(self._db, actor.guild_id, review_id)
        if review.status is ReviewStatus.OPEN:
            raise WrongState("This waits for its first decision. Approve or reject it.")
        await self._db.write(
            lambda tx: opinions.give_opinion(
                tx,
                guild_id=actor.guild_id,
                review_id=review_id,
                member_id=actor.member_id,
                good=good,
                now=datetime.now(UTC),
            )
        )

    async def appeal(self, actor: Actor, review_id: int) -> Review:
        """Ask for another look at one's own rejected panel, once.

        Raises:
            NotAllowed: somebody else asked for the panel.
            WrongState: it was not rejected.
            AlreadyExists: it was appealed before.
        """
        review = await reviews.get_review(self._db, actor.guild_id, review_id)
        if actor.member_id != review.requester_id:
            raise NotAllowed("Only the person who asked for a panel may appeal.")

        def work(tx: Transaction) -> int:
            now = datetime.now(UTC)
            fresh = opinions.open_appeal(tx, guild_id=actor.guild_id, review_id=review_id, now=now)
            audit.note(
                tx,
                guild_id=actor.guild_id,
                member_id=actor.member_id,
                action="review.appealed",
                subject=f"review {review_id}, panel {review.panel_id}",
                detail=f"review {fresh}",
                now=now,
            )
            panels.set_status(
                tx,
                guild_id=actor.guild_id,
                panel_id=review.panel_id,
                status=PanelStatus.REVIEW,
                now=now,
            )
            outbox.owe(
                tx,
                guild_id=actor.guild_id,
                kind=PostKind.REVIEW_THREAD,
                subject_id=fresh,
                dedupe_key=f"review_thread:{fresh}",
                now=now,
            )
            return fresh

        return await reviews.get_review(self._db, actor.guild_id, await self._db.write(work))

    async def stats(self, actor: Actor) -> ReviewStats:
        """What waits, who decides how fast, how far moderators agree, what the catalogue lacks.

        Raises:
            NotAllowed: the actor does not moderate.
        """
        actor.require_moderator("see the statistics")
        guild_id = actor.guild_id
        said = [unit for unit in await opinions.opinions(self._db, guild_id) if len(unit) > 1]
        counts = await lessons.drift_counts(self._db, guild_id)
        texts = await lessons.free_labels(self._db, guild_id)
        states = await opinions.decisions(self._db, guild_id)
        waiting = states.get(ReviewStatus.OPEN, 0)
        since = datetime.now(UTC) - timedelta(days=LOAD_DAYS)
        done = await opinions.decided_since(self._db, guild_id, since)
        return ReviewStats(
            waiting=waiting,
            decided=sum(states.values()) - waiting,
            twice=len(said),
            disputed=sum(len(set(unit)) > 1 for unit in said),
            alpha=krippendorff_alpha([["good" if one else "bad" for one in u] for u in said]),
            coverage=coverage_of({m: c.labelled for m, c in counts.items()}, texts).words,
            proposed=tuple(mode.name for mode in proposed_modes(texts)),
            median_seconds=median(waited for _, waited in done) if done else None,
            loads=_loads(done),
        )


def _loads(done: Sequence[tuple[int, float]]) -> tuple[Load, ...]:
    """Decisions by moderator, the busiest first."""
    waits: dict[int, list[float]] = {}
    for member_id, waited in done:
        waits.setdefault(member_id, []).append(waited)
    loads = [
        Load(None if who == NOBODY else who, len(each), median(each)) for who, each in waits.items()
    ]
    return tuple(sorted(loads, key=lambda load: (-load.decided, load.member_id or 0)))
