"""Private review threads: opened once, found again, and who is let in."""

import logging
from collections.abc import Sequence

import discord

from bot.client import OnModelBot
from cogs.ui.limits import THREAD_NAME, clip
from cogs.ui.words import say
from pipeline.domain.quality import Flag
from pipeline.domain.review import Review

log = logging.getLogger(__name__)

# Each one is a request, and a post has some seconds only; the others join by `/review list`.
MAX_MODERATORS = 10
_MEMBERS_PER_PAGE = 1000
_MEMBER_PAGES = 5
_ARCHIVE_AFTER = 4320  # minutes without a word: three days


def thread_name(review_id: int, panel_id: int, names: str) -> str:
    """At most 100 characters, and the review's number first, by which it is found again."""
    which = say("panel {panel}", panel=panel_id)
    return clip(f"{_mark(review_id)} {which} · {names}", THREAD_NAME)


def held_thread_name(held_id: int) -> str:
    """The name of the thread about a picture that waits."""
    return f"picture {held_id} · perhaps not for everyone"


async def named_thread(guild: discord.Guild, name: str) -> discord.Thread | None:
    """An active thread of ours with this name."""
    for thread in await guild.active_threads():
        if thread.owner_id == guild.me.id and thread.name == name:
            return thread
    return None


def _mark(review_id: int) -> str:
    return f"review {review_id} ·"


async def find_thread(guild: discord.Guild, review: Review) -> discord.Thread | None:
    """The thread of a review: the one on record, else an active one of ours with its number."""
    if review.thread_id is not None:
        try:
            found = await guild.fetch_channel(review.thread_id)
        except (discord.NotFound, discord.Forbidden):
            return None
        return found if isinstance(found, discord.Thread) else None
    for thread in await guild.active_threads():
        if thread.owner_id == guild.me.id and thread.name.startswith(_mark(review.id)):
            return thread
    return None


async def open_thread(channel: discord.TextChannel, name: str) -> discord.Thread:
    """A private thread into which its members cannot invite others."""
    return await channel.create_thread(
        name=name,
        type=discord.ChannelType.private_thread,
        invitable=False,
        auto_archive_duration=_ARCHIVE_AFTER,
    )


async def let_in(bot: OnModelBot, thread: discord.Thread, review: Review, role: int | None) -> None:
    """Add the moderators, and the requester unless members reported the panel; nobody is pinged."""
    if review.flag is not Flag.REPORT:
        await _add(thread, review.requester_id)
    await let_moderators_in(bot, thread, role)


async def let_moderators_in(bot: OnModelBot, thread: discord.Thread, role: int | None) -> None:
    """Add the moderators, as far as Discord tells who they are."""
    if role is not None:
        for member_id in await holders_of(bot, thread.guild, role):
            await _add(thread, member_id)


async def holders_of(bot: OnModelBot, guild: discord.Guild, role_id: int) -> list[int]:
    """The members with a role, as far as Discord tells.

    The list of members is given only to applications whose owner switched on the Server Members
    Intent. Without it, moderators come in through ``/review list`` or the Manage Threads
    permission of the review channel.
    """
    holders: list[int] = []
    after: int | None = None
    try:
        for _ in range(_MEMBER_PAGES):
            page = await bot.http.get_members(guild.id, _MEMBERS_PER_PAGE, after)
            holders += [int(m["user"]["id"]) for m in page if str(role_id) in map(str, m["roles"])]
            if len(page) < _MEMBERS_PER_PAGE or len(holders) >= MAX_MODERATORS:
                break
            after = int(page[-1]["user"]["id"])
    except discord.Forbidden:
        log.info("no list of members in %d", guild.id, extra={"action": "no_members"})
    return holders[:MAX_MODERATORS]


async def _add(thread: discord.Thread, member_id: int) -> None:
    try:
        await thread.add_user(discord.Object(member_id))
    except (discord.NotFound, discord.Forbidden) as error:  # left the server, or is not allowed
        log.info("%d not added to thread %d: %s", member_id, thread.id, error)


async def join_reviews(
    bot: OnModelBot, reviews: Sequence[Review], person: discord.abc.Snowflake
) -> None:
    """Let a moderator into the threads of open reviews."""
    for review in reviews[:MAX_MODERATORS]:
        guild = bot.get_guild(review.guild_id)
        if guild is not None and review.thread_id is not None:
            thread = guild.get_thread(review.thread_id) or await find_thread(guild, review)
            if thread is not None and not thread.archived:
                await _add(thread, person.id)
