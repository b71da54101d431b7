"""The Discord client: loads the cogs, keeps the command list in step, remembers nothing itself."""

import hashlib
import json
import logging
from asyncio import Lock
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

import discord
from discord import app_commands
from discord.ext import commands

from bot.queue.outbox import Poster
from bot.services.actor import Actor
from bot.services.intake import Requested
from storage import guilds

if TYPE_CHECKING:
    from bot.app import App
    from bot.meter import Meter

log = logging.getLogger(__name__)

EXTENSIONS = (
    "cogs.ui.translator",
    "cogs.ui.errors",
    "cogs.poster",
    "cogs.setup",
    "cogs.series",
    "cogs.characters",
    "cogs.message_menus",
    "cogs.appearances",
    "cogs.panels",
    "cogs.progress",
    "cogs.votes",
    "cogs.panel_buttons",
    "cogs.gallery",
    "cogs.queue",
    "cogs.reviews",
    "cogs.reports",
    "cogs.safety",
    "cogs.care",
    "cogs.drift",
    "cogs.pages",
    "cogs.scripts",
    "cogs.animatics",
    "cogs.privacy",
)


class CardPoster(Poster, Protocol):
    """The outbox's poster, which can also bring a posted card up to date."""

    async def refresh_evidence(self, actor: Actor, review_id: int) -> None:
        """Show on a posted evidence card what is known now."""
        ...


class ReceiptBoard(Protocol):
    """Answers whoever asked for a panel, and keeps the answer up to date."""

    async def receipt(
        self, interaction: "discord.Interaction[OnModelBot]", actor: Actor, taken: Requested
    ) -> None:
        """Answer an acknowledged interaction with what was asked for."""
        ...


def _intents() -> discord.Intents:
    """Servers and their channels; no messages, no presences, no member list."""
    intents = discord.Intents.none()
    intents.guilds = True
    return intents


class OnModelBot(commands.AutoShardedBot):
    """The bot of one process. ``app`` holds the services; ``poster`` is set by its extension.

    It opens as many gateway connections as Discord recommends, or those of the settings.

    It reads no messages (no message content intent), never pings anybody, and is installed into
    servers only, not by single users.
    """

    poster: "CardPoster"
    board: "ReceiptBoard"

    def __init__(self, app: "App", meter: "Meter | None" = None) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=_intents(),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=False, private_channel=False
            ),
            max_messages=None,
            chunk_guilds_at_startup=False,
            shard_count=app.settings.shard_count,
            **_given(app, meter),
        )
        self.app = app
        self._meter = meter
        self.wake: Callable[[], None] = lambda: None
        """Called when a person's wish was written down: queue and outbox may have work now."""
        self.trouble: Callable[[], str | None] = lambda: None
        """Why nothing can be drawn at the moment, in words for people; None while all is well."""
        self.working: Callable[[], bool] = lambda: False
        """Whether queue and outbox are at work."""
        self.preview_of: Callable[[int], bytes | None] = lambda _panel_id: None
        """A small PNG of a panel that is being drawn at this moment, from engines that show one."""
        self.cards_waiting: set[int] = set()
        """Panels whose card somebody is about to edit with what is known by then."""
        self._card_locks: WeakValueDictionary[int, Lock] = WeakValueDictionary()

    def card_lock(self, panel_id: int) -> Lock:
        """Held while a panel's card is read and edited, so that the newest state is shown last."""
        return self._card_locks.setdefault(panel_id, Lock())

    async def setup_hook(self) -> None:
        """Load the cogs and sync the commands; runs after the login, before the gateway."""
        for name in EXTENSIONS:
            await self.load_extension(name)
        await self.sync_commands()

    async def sync_commands(self) -> bool:
        """Send the command list to Discord if it changed since the last time.

        Discord counts command creations per day, so a restart alone must not send them again.
        With a development server in the settings the list goes there and shows at once.

        Returns:
            Whether the list was sent.
        """
        guild_id = self.app.settings.guild_id
        target = discord.Object(guild_id) if guild_id is not None else None
        if target is not None:
            self.tree.copy_global_to(guild=target)
        key = f"commands:{self.application_id}:{guild_id or 'global'}"
        digest = await tree_digest(self.tree, target)
        if await guilds.get_setting(self.app.db, key) == digest:
            return False
        await self.tree.sync(guild=target)
        await self.app.db.write(lambda tx: guilds.put_setting(tx, key, digest))
        log.info("commands synced", extra={"action": "sync"})
        return True

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Somebody typed, clicked or sent a form."""
        if self._meter is not None:
            self._meter.interaction(interaction)

    async def on_app_command_completion(
        self,
        _interaction: discord.Interaction[Any],
        _command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu,
    ) -> None:
        """A command went well, so there may be something to do."""
        self.wake()

    async def on_ready(self) -> None:
        """Say that the bot is there; fires again after a reconnect."""
        log.info("ready in %d servers", len(self.guilds), extra={"action": "ready"})
        await self.app.guilds.present(guild.id for guild in self.guilds)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was taken out of a server (an outage is another event)."""
        await self.app.guilds.left(guild.id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """The bot came, or came back."""
        await self.app.guilds.returned(guild.id)


def _given(app: "App", meter: "Meter | None") -> dict[str, Any]:
    """Options of the client that discord.py wants left out rather than None."""
    options: dict[str, Any] = {}
    if app.settings.shard_ids:
        options["shard_ids"] = list(app.settings.shard_ids)
    if meter is not None:
        options["http_trace"] = meter.trace()
    return options


async def tree_digest(
    tree: app_commands.CommandTree[Any], guild: discord.abc.Snowflake | None
) -> str:
    """A sha256 over the commands exactly as Discord would get them, in every language."""
    translator = tree.translator
    payload = [
        await command.get_translated_payload(tree, translator)
        if translator is not None
        else command.to_dict(tree)
        for command in tree.get_commands(guild=guild)
    ]
    text = json.dumps(payload, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
