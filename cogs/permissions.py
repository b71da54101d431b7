"""What the bot needs to be allowed, and who else has to see a channel."""

import discord

from cogs.ui.words import mark

# Everything that the bot does in a channel: its cards, their pictures, and looking for its own post
# before it repeats one that may have arrived.
_POSTS = {
    "view_channel": mark("View Channel"),
    "send_messages": mark("Send Messages"),
    "attach_files": mark("Attach Files"),
    "read_message_history": mark("Read Message History"),
}
_THREADS = {
    "create_private_threads": mark("Create Private Threads"),
    "send_messages_in_threads": mark("Send Messages in Threads"),
}


def missing_permissions(channel: discord.TextChannel, *, threads: bool) -> list[str]:
    """The names of what the bot may not do in ``channel`` but will have to."""
    have = channel.permissions_for(channel.guild.me)
    needed = {**_POSTS, **_THREADS} if threads else _POSTS
    return [name for right, name in needed.items() if not getattr(have, right)]


def full_permissions(*, threads: bool) -> discord.PermissionOverwrite:
    """What a channel that is made for the bot grants it."""
    rights = (*_POSTS, *_THREADS) if threads else tuple(_POSTS)
    return discord.PermissionOverwrite(**dict.fromkeys(rights, True))


def can_read(channel: discord.TextChannel, role: discord.Role) -> bool:
    """Whether whoever has ``role`` sees the channel and what was said in it."""
    rights = channel.permissions_for(role)
    return rights.view_channel and rights.read_message_history
