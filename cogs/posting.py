"""Where posts go and how they are found again: what every kind of post shares."""

import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import discord

from bot.client import OnModelBot
from bot.queue.outbox import PostRefused
from bot.services.actor import Actor
from cogs.loading import panel_facts
from cogs.threads import open_thread
from cogs.ui.card import Card
from cogs.ui.cards import PanelFacts
from pipeline.domain.errors import NotFound
from pipeline.domain.review import OutboxItem, Posted, PostKind

log = logging.getLogger(__name__)

Postable = discord.TextChannel | discord.Thread | discord.VoiceChannel | discord.StageChannel
_LOOK_BACK = 100
# Discord takes nonces of up to 25 characters and refuses a second message with the same one.
_NONCE = 24


class Posting:
    """Channels by preference, sending and looking back.

    A post carries a nonce made from its dedupe key: it stops a second send within Discord's own
    memory of some minutes.
    """

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    # --- places ---------------------------------------------------------------------------

    async def _places(self, facts: PanelFacts, *, review: bool = False) -> list[int]:
        """Channels by preference: where the series wants it, where it was asked, the spare one."""
        places = [facts.panel.channel_id]
        try:
            series = await self.bot.app.series.active(facts.panel.guild_id)
        except NotFound:
            pass  # the request's own channel is all there is
        else:
            places.append(series.panel_channel_id)
            if review:
                places.insert(0, series.review_channel_id)
        return distinct(places)

    async def _common(self, item: OutboxItem) -> list[int]:
        """Where the people who look after the server read: reviews, panels, system messages."""
        guild = self._guild(item)
        try:
            series = await self.bot.app.series.active(item.guild_id)
        except NotFound:
            chosen = []
        else:
            chosen = [series.review_channel_id, series.panel_channel_id]
        places = [*chosen, guild.public_updates_channel, guild.system_channel]
        places.append(await self.bot.app.care.where_people_are(item.guild_id))
        return distinct(getattr(place, "id", place) for place in places)

    async def _channels(self, item: OutboxItem, places: Sequence[int]) -> AsyncIterator[Postable]:
        """Those of the places that still exist and may be seen."""
        guild = self._guild(item)
        for place in places:
            channel = guild.get_channel_or_thread(place)
            if channel is None:
                try:
                    channel = await guild.fetch_channel(place)
                except (discord.NotFound, discord.Forbidden, discord.InvalidData):
                    continue
            if isinstance(channel, Postable):
                yield channel

    async def _send(
        self, item: OutboxItem, card: Card, places: Sequence[int], restricted: bool = False
    ) -> Posted:
        refusal: Exception | None = None
        async for channel in self._channels(item, places):
            if restricted and not channel.is_nsfw():
                continue
            try:
                message = await channel.send(
                    view=card.view(), files=card.files(), nonce=nonce_of(item)
                )
            except (discord.Forbidden, discord.NotFound) as error:
                refusal = error
            else:
                return Posted(channel.id, message.id)
        raise PostRefused(
            "The channel of this panel is gone or closed to me, and no other is set. Choose one "
            "with /series settings panel_channel."
        ) from refusal

    async def _private_thread(
        self, item: OutboxItem, name: str, places: Sequence[int]
    ) -> discord.Thread:
        refusal: Exception | None = None
        async for channel in self._channels(item, places):
            parent = channel.parent if isinstance(channel, discord.Thread) else channel
            if isinstance(parent, discord.TextChannel):
                try:
                    return await open_thread(parent, name)
                except (discord.Forbidden, discord.NotFound) as error:
                    refusal = error
        raise PostRefused(
            "No channel lets me open a private review thread. Give me Create Private Threads in "
            "the review channel (/series settings review_channel)."
        ) from refusal

    async def _look_back(
        self, item: OutboxItem, places: Sequence[int], ours: Callable[[discord.Message], bool]
    ) -> Posted | None:
        """A message of the bot in one of the places that is the post of the item."""
        async for channel in self._channels(item, places):
            async for message in self._own_messages(channel):
                if ours(message):
                    return Posted(channel.id, message.id)
        return None

    async def _own_messages(self, channel: Postable) -> AsyncIterator[discord.Message]:
        me = channel.guild.me.id
        try:
            async for message in channel.history(limit=_LOOK_BACK):
                if message.author.id == me:
                    yield message
        except (discord.Forbidden, discord.NotFound) as error:
            log.warning("cannot look back in %d: %s", channel.id, error)

    async def _message(self, guild_id: int, posted: Posted) -> discord.Message | None:
        guild = self.bot.get_guild(guild_id)
        channel = self.bot.get_partial_messageable(
            posted.channel_id, guild_id=guild.id if guild else guild_id
        )
        try:
            return await channel.fetch_message(posted.message_id)
        except (discord.NotFound, discord.Forbidden):
            return None

    # --- reading --------------------------------------------------------------------------

    def _guild(self, item: OutboxItem) -> discord.Guild:
        guild = self.bot.get_guild(item.guild_id)
        if guild is None:
            raise PostRefused("I am no longer in that server.")
        return guild

    def _actor(self, item: OutboxItem) -> Actor:
        """The bot itself, reading for its own post."""
        return Actor(item.guild_id, self.bot.application_id or 0, is_moderator=True)

    async def _panel(
        self, item: OutboxItem, post: int | None = None, *, panel_id: int | None = None
    ) -> PanelFacts:
        return await panel_facts(
            self.bot.app,
            self._actor(item),
            item.subject_id if panel_id is None else panel_id,
            item.id if post is None else post,
        )

    async def _posts(self, guild_id: int, kind: PostKind, subject: int) -> list[Posted]:
        return await self.bot.app.panels.posts(guild_id, kind, subject)

    async def _moderators(self, guild_id: int) -> int | None:
        try:
            return (await self.bot.app.series.active(guild_id)).moderator_role_id
        except NotFound:
            return None


def distinct(places: Iterable[int | None]) -> list[int]:
    """The places that there are, each once, in their order."""
    return [place for place in dict.fromkeys(places) if place is not None]


def nonce_of(item: OutboxItem) -> str:
    """What stops a second send of the same post."""
    return hashlib.sha256(item.dedupe_key.encode()).hexdigest()[:_NONCE]
