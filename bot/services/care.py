"""Care for what people delete by hand: nothing that was promised is lost with a message.

The bot reads no messages, so nobody tells it that one was deleted. It looks: at a few posts now and
then, and at once where Discord says that a channel, thread, role or right has changed.
"""

import time
from datetime import UTC, datetime

from bot.queue.outbox import owe_notice
from pipeline.domain.character import Series
from pipeline.domain.errors import NotFound
from pipeline.domain.review import Loss, StandingPost, StuckPost
from storage import allowance, audit, cast, outbox
from storage.database import Database, Transaction

AT_ONCE = 10
"""Posts that one look checks: each is a request to Discord."""
_SETTINGS = {
    "review_channel_id": Loss.REVIEW_CHANNEL,
    "panel_channel_id": Loss.PANEL_CHANNEL,
    "moderator_role_id": Loss.MODERATOR_ROLE,
    "vote_role_id": Loss.VOTE_ROLE,
}


class CareService:
    """What has come loose in a server, and what is done about it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seen = 0

    async def next_posts(self) -> list[StandingPost]:
        """The next few posts of all servers to look at; begins anew at the end."""
        found = await outbox.standing_posts(self._db, after=self._seen, limit=AT_ONCE)
        self._seen = found[-1].row if found else 0
        return found

    async def posts_of(self, guild_id: int) -> list[StandingPost]:
        """The posts of one server that people need now."""
        return await outbox.standing_posts(self._db, guild_id)

    async def lost(self, post: StandingPost) -> bool:
        """A post is gone: owe it again. False if it was made again often enough."""
        return await self._db.write(
            lambda tx: outbox.owe_again(tx, post=post, now=datetime.now(UTC))
        )

    async def gone(self, guild_id: int, number: int) -> list[Loss]:
        """A channel or role was deleted: settings that name it fall back, and people are told."""
        try:
            series = await cast.active_series(self._db, guild_id)
        except NotFound:
            return []
        settings = [name for name, named in _named(series).items() if named == number]

        def work(tx: Transaction) -> None:
            allowance.forget_place(tx, guild_id=guild_id, number=number)
            if not settings:
                return
            fallen = dict.fromkeys(settings)
            cast.update_series(tx, guild_id=guild_id, series_id=series.id, **fallen)
            audit.note(
                tx,
                guild_id=guild_id,
                member_id=None,
                action="series.settings",
                subject=f"series {series.id}",
                detail=", ".join(f"{name} = none: it was deleted" for name in settings),
                now=datetime.now(UTC),
            )
            for name in settings:
                owe_notice(tx, guild_id, _SETTINGS[name], str(number))

        await self._db.write(work)
        return [_SETTINGS[name] for name in settings]

    async def try_again(self, guild_id: int) -> int:
        """Something was mended, perhaps: try what was given up; returns how many posts."""
        return await self._db.write(
            lambda tx: outbox.revive(tx, guild_id=guild_id, now=time.time())
        )

    async def where_people_are(self, guild_id: int) -> int | None:
        """The channel of the newest panel: the last place where a notice is read."""
        return await outbox.latest_channel(self._db, guild_id)

    async def chosen(self, guild_id: int) -> list[int]:
        """The channels and the roles that the settings name."""
        try:
            series = await cast.active_series(self._db, guild_id)
        except NotFound:
            return []
        return [number for number in _named(series).values() if number is not None]

    async def stuck(self, guild_id: int) -> list[StuckPost]:
        """What could not be posted, and why."""
        return await outbox.stuck_posts(self._db, guild_id)


def _named(series: Series) -> dict[str, int | None]:
    """The channels and roles of a series by the setting that names them."""
    return {
        "review_channel_id": series.review_channel_id,
        "panel_channel_id": series.panel_channel_id,
        "moderator_role_id": series.moderator_role_id,
        "vote_role_id": series.voting.role_id,
    }
