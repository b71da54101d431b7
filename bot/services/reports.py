"""Reports by members: they open a review and stay private."""

from datetime import UTC, datetime, timedelta

from bot.services.actor import Actor
from pipeline.domain.errors import InvalidInput, LimitReached
from pipeline.domain.review import PostKind
from storage import outbox, reports
from storage.database import Database, Transaction

REPORTS_A_DAY = 5
MIN_REASON, MAX_REASON = 5, 300


class Reports:
    """What members tell moderators about panels."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def report(self, actor: Actor, panel_id: int, reason: str) -> bool:
        """Ask the moderators to look at a panel; one review gathers all reports about it.

        Returns:
            Whether this is the first one, so that a card is on its way by itself.

        Raises:
            InvalidInput: too few or too many words.
            LimitReached: the member has reported a lot today.
            NotFound: no such panel.
            WrongState: nobody can see it, or moderators kept it after an earlier report.
            AlreadyExists: they reported it before.
        """
        words = " ".join(reason.split())
        if not MIN_REASON <= len(words) <= MAX_REASON:
            raise InvalidInput(f"Say what is wrong in {MIN_REASON} to {MAX_REASON} characters.")
        since = datetime.now(UTC) - timedelta(days=1)
        used = await reports.reports_since(self._db, actor.guild_id, actor.member_id, since)
        if used >= REPORTS_A_DAY:
            raise LimitReached(
                f"You reported {used} panels in the last 24 hours, and {REPORTS_A_DAY} are taken. "
                "If it is urgent, speak to a moderator."
            )

        def work(tx: Transaction) -> bool:
            now = datetime.now(UTC)
            review_id, fresh = reports.report_panel(
                tx,
                guild_id=actor.guild_id,
                panel_id=panel_id,
                reporter_id=actor.member_id,
                reason=words,
                now=now,
            )
            # Of an open review the card is brought up to date: the same edit as at a decision.
            outbox.owe(
                tx,
                guild_id=actor.guild_id,
                kind=PostKind.REVIEW_THREAD if fresh else PostKind.REVIEW_DECIDED,
                subject_id=review_id,
                dedupe_key=f"report:{review_id}:{actor.member_id}",
                now=now,
            )
            return fresh

        return await self._db.write(work)

    async def reasons(self, guild_id: int, review_id: int) -> list[str]:
        """What was reported, oldest first, without names."""
        return await reports.reasons_of(self._db, guild_id, review_id)
