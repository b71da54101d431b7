"""The menu of a message: its pictures become references, or are checked.

What is asked afterwards lives on a private card that carries the pictures itself: the bot reads no
messages, so it could not find them again, and this way a restart loses nothing.
"""

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Self

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.actor import Actor
from bot.services.registry import Entry
from cogs.entry import Interaction, acknowledge, actor_of, read_picture, read_uploads, reply
from cogs.loading import checked_card
from cogs.ui import ids
from cogs.ui.card import Card
from cogs.ui.cast_cards import registered_card
from cogs.ui.errors import answered
from cogs.ui.limits import GALLERY_ITEMS, clip
from cogs.ui.menu_cards import CHECK, PAGE, REFERENCE, Asking, asking_card, looks_card
from cogs.ui.pictures import DEFAULT_LIMIT, Picture
from cogs.ui.words import say
from pipeline.domain.character import Character
from pipeline.domain.errors import InvalidPicture, LimitReached, NotAllowed, NotFound

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif", ".bmp", ".tif", ".tiff"}
_HEADROOM = 4096


class MessageMenus(commands.Cog):
    """“Add as reference” and “Check this picture”."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot
        self.menus = (
            app_commands.ContextMenu(name="Add as reference", callback=self.add_as_reference),
            app_commands.ContextMenu(name="Check this picture", callback=self.check_this_picture),
        )

    async def cog_load(self) -> None:
        """Offer the menus."""
        for menu in self.menus:
            self.bot.tree.add_command(menu)

    async def cog_unload(self) -> None:
        """Take them back."""
        for menu in self.menus:
            self.bot.tree.remove_command(menu.name, type=menu.type)

    async def add_as_reference(self, interaction: Interaction, message: discord.Message) -> None:
        """Ask whose pictures they are; only characters that the person may edit are offered."""
        await self._ask(interaction, message, REFERENCE)

    async def check_this_picture(self, interaction: Interaction, message: discord.Message) -> None:
        """Ask who it should be; anyone may check anything."""
        await self._ask(interaction, message, CHECK)

    async def _ask(self, interaction: Interaction, message: discord.Message, verb: str) -> None:
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        found = pictures_of(message)
        cast = await cast_for(self.bot, actor, verb)
        limit = (interaction.filesize_limit or DEFAULT_LIMIT) - _HEADROOM
        shown = [await _carried(a, n, limit) for n, a in enumerate(found)]
        mask = (1 << len(found)) - 1 if verb == REFERENCE else 1
        author = message.author.id if message.author.id != interaction.user.id else 0
        await reply(interaction, asking_card(Asking(verb, mask), shown, cast, author))


class MessageMenu(ui.DynamicItem[ui.Select[Any]], template=ids.MENU):
    """The menus of the card: which pictures, whose, in which look."""

    def __init__(self, item: ui.Select[Any], asking: Asking, step: str, at: int) -> None:
        super().__init__(item)
        self.asking = asking
        self.step = step
        self.at = at

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from its id alone."""
        assert isinstance(item, ui.Select)
        return cls(item, _asking(match), match["step"], int(match["at"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Ask on, or do it."""
        await answered(interaction, self._chosen(interaction))

    async def _chosen(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        assert interaction.message is not None
        files = pictures_of(interaction.message)
        shown = [Picture(a.filename, a.description or "") for a in files]
        actor, bot = await actor_of(interaction), interaction.client
        values = self.item.values
        if self.step == "which":
            mask = sum(1 << int(value) for value in values)
            asking = Asking(self.asking.verb, mask, self.asking.page)
            card = asking_card(asking, shown, await cast_for(bot, actor, asking.verb))
            await _keep(interaction, card)
            return
        if self.step == "look":
            look = await bot.app.registry.look_of(actor, int(values[0]))
            await self._do(interaction, actor, files, look[0], look[1].appearance_id)
            return
        entry = await _entry(bot, actor, int(values[0]))
        if len(entry.looks) > 1:
            await _keep(interaction, looks_card(self.asking, shown, entry.character, entry.looks))
            return
        only = entry.looks[0].appearance_id if entry.looks else None
        await self._do(interaction, actor, files, entry.character, only)

    async def _do(
        self,
        interaction: Interaction,
        actor: Actor,
        files: Sequence[discord.Attachment],
        character: Character,
        look: str | None,
    ) -> None:
        meant = [files[n] for n in self.asking.means(len(files))]
        if not meant:
            raise InvalidPicture("The pictures of this card are gone. Open the menu again.")
        app = interaction.client.app
        if self.asking.verb == CHECK:
            picture = await read_picture(meant[0])
            name = character.character_id
            result = await app.checks.check(actor, picture, character=name, appearance=look)
            limit = interaction.filesize_limit or DEFAULT_LIMIT
            card = await checked_card(app, actor, result, character.name, limit)
            await reply(interaction, card)
            return
        made = await app.cast.add_references(
            actor, character.character_id, await read_uploads(meant), appearance=look
        )
        await reply(interaction, registered_card(made, new=False))


class MessageMenuPage(ui.DynamicItem[ui.Button[Any]], template=ids.MENU_PAGE):
    """Turns the pages of a large cast."""

    def __init__(self, item: ui.Button[Any], asking: Asking) -> None:
        super().__init__(item)
        self.asking = asking

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        page = int(match["at"]) + (1 if match["step"] == "on" else -1)
        return cls(item, Asking(match["verb"], int(match["mask"]), max(0, page)))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the other page."""
        await answered(interaction, self._turn(interaction))

    async def _turn(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        assert interaction.message is not None
        files = pictures_of(interaction.message)
        shown = [Picture(a.filename, a.description or "") for a in files]
        cast = await cast_for(interaction.client, await actor_of(interaction), self.asking.verb)
        last = (len(cast) - 1) // PAGE
        asking = Asking(self.asking.verb, self.asking.mask, min(self.asking.page, last))
        await _keep(interaction, asking_card(asking, shown, cast))


def pictures_of(message: discord.Message) -> list[discord.Attachment]:
    """The pictures that a message carries, at most ten.

    Raises:
        InvalidPicture: it carries none.
    """
    found = [
        a
        for a in message.attachments
        if (a.content_type or "").startswith("image/")
        or PurePath(a.filename.lower()).suffix in _SUFFIXES
    ]
    if not found:
        raise InvalidPicture(
            "This message carries no picture. Choose one with a picture attached; links and "
            "previews do not count."
        )
    return found[:GALLERY_ITEMS]


async def cast_for(bot: OnModelBot, actor: Actor, verb: str) -> list[Character]:
    """Whom the card offers.

    Raises:
        NotFound: nobody is registered.
        NotAllowed: there is nobody whom the person may edit.
    """
    everyone = await bot.app.suggestions.everyone(actor.guild_id)
    if not everyone:
        raise NotFound("Nobody is registered here yet. Add somebody: /character register.")
    if verb == CHECK:
        return everyone
    mine = await bot.app.access.editable(actor)
    if not mine:
        raise NotAllowed(
            "There is no character whom you may add pictures to. Ask an owner to add you with "
            "/character owners, or register your own: /character register-form."
        )
    return mine


async def _entry(bot: OnModelBot, actor: Actor, character_row: int) -> Entry:
    everyone = await bot.app.suggestions.everyone(actor.guild_id)
    character = next((c for c in everyone if c.id == character_row), None)
    if character is None:
        raise NotFound("That character has left the cast. Open the menu again.")
    return await bot.app.registry.entry(actor, character.character_id)


async def _carried(attachment: discord.Attachment, number: int, limit: int) -> Picture:
    """A picture of somebody's message, to be carried by a card of our own.

    Raises:
        LimitReached: it is larger than what the bot may send here.
    """
    if attachment.size > limit:
        raise LimitReached(
            f"{clip(attachment.filename, 60)} is larger than I may show here. "
            "Use /character add-reference or /panel check with the file itself."
        )
    suffix = PurePath(attachment.filename.lower()).suffix
    name = f"picture-{number + 1}{suffix if suffix in _SUFFIXES else '.png'}"
    alt = attachment.description or say("Picture {n} of the message", n=number + 1)
    return Picture(name, alt, await read_picture(attachment))


async def _keep(interaction: Interaction, card: Card) -> None:
    """Change the card; the pictures that it carries stay, as no others are named."""
    await interaction.edit_original_response(view=card.view())


def _asking(match: re.Match[str]) -> Asking:
    page = 0 if match["step"] == "look" else int(match["at"])
    return Asking(match["verb"], int(match["mask"]), page)


async def setup(bot: OnModelBot) -> None:
    """Add the menus and the items of their card."""
    bot.add_dynamic_items(MessageMenu, MessageMenuPage)
    await bot.add_cog(MessageMenus(bot))
