"""What every command does first and last: answer in time, say who asks, read files, reply."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager

import discord
from discord import app_commands

from bot.client import OnModelBot
from bot.services.actor import Actor
from bot.services.cast import Upload
from cogs.ui.card import Card
from cogs.ui.limits import CHOICE_NAME, CHOICES, clip
from cogs.ui.pictures import DEFAULT_LIMIT, Picture, fitted
from cogs.ui.verdicts import GOOD
from cogs.ui.words import hear, in_language, language_of, say
from pipeline.comics.layered.unpacking import MAX_BYTES as MAX_DRAWING
from pipeline.domain.errors import InvalidPicture, NotFound
from pipeline.imaging.decode import MAX_BYTES

log = logging.getLogger(__name__)

Interaction = discord.Interaction[OnModelBot]

SHOT_TYPES = [
    app_commands.Choice(name="headshot", value="headshot"),
    app_commands.Choice(name="half figure", value="half"),
    app_commands.Choice(name="full figure", value="full"),
    app_commands.Choice(name="dynamic", value="dynamic"),
]


async def acknowledge(interaction: Interaction) -> None:
    """Answer within Discord's three seconds, before anything else is done.

    The answer is private, and that cannot be changed later: so errors stay private too. What
    everyone should see follows as a message of its own (:func:`present`). From here on things are
    said in the language of the person who asks.
    """
    hear(interaction)
    await interaction.response.defer(ephemeral=True, thinking=True)


def channel_of(interaction: Interaction) -> int:
    """The channel where it happens; of a thread, the one that it hangs on."""
    parent = getattr(interaction.channel, "parent_id", None)
    return parent or interaction.channel_id or 0


def guild_of(interaction: Interaction) -> int:
    """The server where it happens: always the interaction's own, never one from an id.

    Raises:
        NotFound: outside of a server.
    """
    if interaction.guild_id is None:
        raise NotFound("This works in a server only.")
    return interaction.guild_id


async def actor_of(interaction: Interaction) -> Actor:
    """Who acts, with the rights that Discord and the series settings give."""
    guild_id = guild_of(interaction)
    roles = frozenset(role.id for role in getattr(interaction.user, "roles", ()))
    return Actor(
        guild_id,
        interaction.user.id,
        is_moderator=await _moderator_role(interaction.client, guild_id) in roles,
        can_manage=interaction.permissions.manage_guild,
        roles=roles,
        joined_at=getattr(interaction.user, "joined_at", None),
    )


async def _moderator_role(bot: OnModelBot, guild_id: int) -> int | None:
    try:
        return (await bot.app.series.active(guild_id)).moderator_role_id
    except NotFound:
        return None


def is_restricted(interaction: Interaction) -> bool:
    """Whether the channel is one that Discord restricts by age."""
    channel = interaction.channel
    known = isinstance(channel, discord.abc.GuildChannel | discord.Thread)
    return known and bool(getattr(channel, "is_nsfw", bool)())


def key_of(interaction: Interaction) -> str:
    """A dedupe key: however often an interaction is handled, it is one request."""
    return f"interaction:{interaction.id}"


async def read_picture(attachment: discord.Attachment) -> bytes:
    """An attachment's bytes; its signed address is used once and never kept.

    Raises:
        InvalidPicture: it is too large (told by Discord, so nothing is downloaded) or gone.
    """
    return await _read(attachment, MAX_BYTES)


async def read_drawing(attachment: discord.Attachment) -> bytes:
    """A file from a painting program; it may be larger than a picture.

    Raises:
        InvalidPicture: it is too large or gone.
    """
    return await _read(attachment, MAX_DRAWING)


async def _read(attachment: discord.Attachment, limit: int) -> bytes:
    if attachment.size > limit:
        most = limit // (1024 * 1024)
        raise InvalidPicture(
            f"{clip(attachment.filename, 60)} has {attachment.size / 2**20:.1f} MiB; "
            f"{most} MiB are allowed. Send a smaller copy."
        )
    try:
        return await attachment.read()
    except discord.NotFound as error:
        raise InvalidPicture(
            f"Discord no longer has {clip(attachment.filename, 60)}. Send it again."
        ) from error


async def read_uploads(
    attachments: Sequence[discord.Attachment | None], *, angle: str = "", expression: str = ""
) -> list[Upload]:
    """All attachments that were given, downloaded side by side, in their order.

    ``angle`` and ``expression`` are what the person says of all of them.

    Raises:
        InvalidPicture: one is too large or gone; none is used then.
    """
    given = [attachment for attachment in attachments if attachment is not None]
    pictures = await asyncio.gather(*map(read_picture, given))
    return [
        Upload(a.filename, data, angle=angle, expression=expression)
        for a, data in zip(given, pictures, strict=True)
    ]


async def picture_for(interaction: Interaction, stem: str, alt: str, png: bytes) -> Picture:
    """A picture that fits into an answer to ``interaction``."""
    return await fitted(stem, alt, png, interaction.filesize_limit or DEFAULT_LIMIT)


async def reply(interaction: Interaction, card: Card) -> None:
    """Fill the deferred answer of a command."""
    await interaction.edit_original_response(view=card.view(), attachments=card.files())


async def for_everyone(interaction: Interaction) -> AbstractContextManager[None]:
    """Inside, cards speak the server's language: what is built there is shown to everyone.

    ``with await for_everyone(interaction): card = …``, then :func:`present` it outside.
    """
    return in_language(await server_language(interaction.client, guild_of(interaction)))


async def server_language(bot: OnModelBot, guild_id: int) -> str:
    """What everyone in a server is spoken to in: as the comic's settings say, else as Discord's."""
    guild = bot.get_guild(guild_id)
    try:
        chosen = (await bot.app.series.active(guild_id)).language
    except NotFound:
        chosen = ""
    return chosen or language_of(guild.preferred_locale if guild is not None else None)


async def present(interaction: Interaction, card: Card) -> None:
    """Show a card to everyone in the channel, and close the private answer with a word."""
    await reply(interaction, Card(GOOD).text(say("✅ Here it is.")))
    await present_more(interaction, card)


async def present_more(interaction: Interaction, card: Card) -> None:
    """Show everyone one more card of the same answer."""
    await interaction.followup.send(view=card.view(), files=card.files(), ephemeral=False)


async def whisper(interaction: Interaction, card: Card) -> None:
    """Answer a button in private, beside the message that carries it."""
    await interaction.followup.send(view=card.view(), files=card.files(), ephemeral=True)


async def suggest_characters(
    interaction: Interaction, current: str
) -> list[app_commands.Choice[str]]:
    """Autocomplete of one character: names for people, ids for the command."""
    found = await interaction.client.app.suggestions.characters(guild_of(interaction), current)
    return [
        app_commands.Choice(name=clip(c.name, CHOICE_NAME), value=c.character_id)
        for c in found[:CHOICES]
    ]


async def suggest_cast(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Autocomplete of several characters with commas between them: completes the last one."""
    before, comma, last = current.rpartition(",")
    head = f"{before.strip()}, " if comma else ""
    found = await interaction.client.app.suggestions.characters(guild_of(interaction), last.strip())
    choices = [
        app_commands.Choice(name=f"{head}{c.name}", value=f"{head}{c.character_id}")
        for c in found
        if len(f"{head}{c.name}") <= CHOICE_NAME and len(f"{head}{c.character_id}") <= CHOICE_NAME
    ]
    return choices[:CHOICES]


async def suggest_appearances(
    interaction: Interaction, current: str
) -> list[app_commands.Choice[str]]:
    """Autocomplete of an appearance by its id or label; of the characters named already."""
    found = await interaction.client.app.suggestions.looks(
        guild_of(interaction), current, named_cast(interaction)
    )
    return [
        app_commands.Choice(
            name=clip(f"{a.label} ({a.appearance_id})", CHOICE_NAME), value=a.appearance_id
        )
        for a in found[:CHOICES]
    ]


def named_cast(interaction: Interaction) -> list[str]:
    """The characters that the other options of the command name so far."""
    said = interaction.namespace
    text = getattr(said, "character", None) or getattr(said, "characters", None) or ""
    return [part.strip() for part in str(text).split(",") if part.strip()]
