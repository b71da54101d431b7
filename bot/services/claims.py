"""Who looks at which review: the next in line, claims, and what one may not decide."""

from datetime import UTC, datetime, timedelta

from bot.services.actor import Actor
from pipeline.domain.errors import NotAllowed, WrongState
from pipeline.domain.quality import Flag
from pipeline.domain.review import Review, ReviewStatus
from storage import claims, reviews
from storage.database import Database

CLAIMED_FOR = timedelta(minutes=15)
"""How long a review that somebody has taken is kept for them."""


def claimed_until(review: Review) -> datetime | None:
    """Until when a review is kept for whoever has taken it; None if it is free or decided."""
    if review.claimed_by is None or review.claimed_at is None:
        return None
    until = review.claimed_at + CLAIMED_FOR
    return until if review.status is ReviewStatus.OPEN and until > datetime.now(UTC) else None


class Claims:
    """Keeps two moderators from working on the same thing."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def next(self, actor: Actor, after: int = 0) -> Review | None:
        """Take the next open review that nobody else looks at; None where nothing is left.

        Raises:
            NotAllowed: the actor does not moderate.
        """
        actor.require_moderator("take reviews")
        now = datetime.now(UTC)
        taken = await self._db.write(
            lambda tx: claims.claim_next(
                tx,
                guild_id=actor.guild_id,
                member_id=actor.member_id,
                after=after,
                stale=now - CLAIMED_FOR,
                now=now,
            )
        )
        return None if taken is None else await self._get(actor, taken)

    async def take(self, actor: Actor, review_id: int, *, over: bool = False) -> Review:
        """Take one; with ``over`` also from a colleague.

        Raises:
            NotAllowed: the actor does not moderate.
            NotFound: the guild has no such review.
            WrongState: it is decided, or a colleague has it.
        """
        actor.require_moderator("take reviews")
        now = datetime.now(UTC)
        await self._db.write(
            lambda tx: claims.claim(
                tx,
                guild_id=actor.guild_id,
                review_id=review_id,
                member_id=actor.member_id,
                stale=now - CLAIMED_FOR,
                over=over,
                now=now,
            )
        )
        return await self._get(actor, review_id)

    async def release(self, actor: Actor, review_id: int) -> Review:
        """Give one back.

        Raises:
            NotAllowed: the actor does not moderate, or a colleague has it.
            WrongState: it is decided.
        """
        actor.require_moderator("give reviews back")
        await self._db.write(
            lambda tx: claims.release(
                tx, guild_id=actor.guild_id, review_id=review_id, member_id=actor.member_id
            )
        )
        return await self._get(actor, review_id)

    async def require_free(self, actor: Actor, review: Review) -> None:
        """What a colleague has taken, one's own matter and one's own refusal are for others.

        Raises:
            WrongState: another moderator looks at it.
            NotAllowed: it is a report about the actor's own panel, or appeals a decision of
                their own.
        """
        since = datetime.now(UTC) - CLAIMED_FOR
        taken = await claims.claimed_by(self._db, actor.guild_id, review.id, since)
        if taken not in (None, actor.member_id) and review.status is ReviewStatus.OPEN:
            raise WrongState(
                "Another moderator is looking at this right now. Take the next one, or take this "
                "one over."
            )
        if review.flag is Flag.REPORT and review.requester_id == actor.member_id:
            raise NotAllowed("This is about your own panel; another moderator decides.")
        if review.appeal_of is not None and not actor.can_manage:
            first = await self._get(actor, review.appeal_of)
            if first.decided_by == actor.member_id:
                raise NotAllowed("You rejected this before; the appeal is for another moderator.")

    async def _get(self, actor: Actor, review_id: int) -> Review:
        return await reviews.get_review(self._db, actor.guild_id, review_id)
