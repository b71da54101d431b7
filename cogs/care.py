"""Sees what was deleted by hand, and has it posted again or says so."""

import logging

import discord
from discord.ext import commands, tasks

from bot.client import OnModelBot
from pipeline.domain.review import StandingPost

log = logging.getLogger(__name__)

LOOK_EVERY = 60.0


class Caretaker(commands.Cog):
    """Looks after posts that people need, at once and now and then."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        """Begin to look."""
        self.look.start()

    async def cog_unload(self) -> None:
        """Stop looking."""
        self.look.cancel()

    @tasks.loop(seconds=LOOK_EVERY)
    async def look(self) -> None:
        """Look at the next few posts of all servers; an error is logged and the loop goes on."""
        try:
            await self._check(await self.bot.app.care.next_posts())
        except discord.HTTPException as error:
            log.warning("posts could not be looked at: %s", error, extra={"action": "care"})

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Things were deleted and mended while the bot was away."""
        for guild in self.bot.guilds:
            if guild.unavailable:
                continue
            for number in await self.bot.app.care.chosen(guild.id):
                if await self._is_gone(guild, number):
                    await self._gone(guild, number)
            await self._try_again(guild)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Its messages and threads went with it."""
        await self._gone(channel.guild, channel.id)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        """A review thread was deleted, perhaps."""
        guild = self.bot.get_guild(thread.guild_id)
        if guild is not None:
            await self._gone(guild, thread.thread_id)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """The role of the moderators, perhaps."""
        await self._gone(role.guild, role.id)

    @commands.Cog.listener()
    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        """Who may do what in a channel has changed."""
        if before.overwrites != after.overwrites:
            await self._try_again(after.guild)

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """What a role may do has changed."""
        if before.permissions != after.permissions:
            await self._try_again(after.guild)

    @commands.Cog.listener()
    async def on_member_update(self, _before: discord.Member, after: discord.Member) -> None:
        """The bot got another role; of other members it hears nothing."""
        if after.id == after.guild.me.id:
            await self._try_again(after.guild)

    async def _is_gone(self, guild: discord.Guild, number: int) -> bool:
        """Whether a channel or role is not there; asks Discord before it says so."""
        if guild.get_channel_or_thread(number) or guild.get_role(number):
            return False
        try:
            await guild.fetch_channel(number)
        except discord.NotFound:
            return all(role.id != number for role in await guild.fetch_roles())
        except discord.HTTPException:
            return False  # nothing is known; the next start asks again
        return False

    async def _gone(self, guild: discord.Guild, number: int) -> None:
        lost = await self.bot.app.care.gone(guild.id, number)
        for loss in lost:
            log.info("%s was deleted in %d", loss.value, guild.id, extra={"action": "care"})
        await self._check(await self.bot.app.care.posts_of(guild.id))
        self.bot.wake()

    async def _try_again(self, guild: discord.Guild) -> None:
        if await self.bot.app.care.try_again(guild.id):
            self.bot.wake()

    async def _check(self, posts: list[StandingPost]) -> None:
        gone = [post for post in posts if not await self._there(post)]
        again = sum([await self.bot.app.care.lost(post) for post in gone])
        if gone:
            log.info(
                "%d posts were deleted, %d are made again", len(gone), again,
                extra={"action": "care"},
            )  # fmt: skip
            self.bot.wake()

    async def _there(self, post: StandingPost) -> bool:
        """Whether a post is still there; where the bot may not look, it is taken to be."""
        channel = self.bot.get_partial_messageable(post.posted.channel_id, guild_id=post.guild_id)
        try:
            await channel.fetch_message(post.posted.message_id)
        except discord.NotFound:
            return False
        except discord.Forbidden:
            return True
        return True


async def setup(bot: OnModelBot) -> None:
    """Add the caretaker."""
    await bot.add_cog(Caretaker(bot))
