"""Names and descriptions of commands in every language, as Discord shows them in its menus."""

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Location

from cogs.ui.words import COMMANDS, ENGLISH, NAME, catalogue, language_of

if TYPE_CHECKING:
    from bot.client import OnModelBot

MENU = "menu"
"""The context of entries of a message's menu in the catalogue of commands."""

_NAMES = {Location.command_name, Location.group_name, Location.parameter_name}


class CatalogueTranslator(app_commands.Translator):
    """Looks up what discord.py asks for; where nothing is found Discord shows the English."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContext[Any, Any],
    ) -> str | None:
        """The words of a command in a locale, None if they are the English ones."""
        spoken = language_of(locale)
        if spoken == ENGLISH:
            return None
        known, english = catalogue(spoken, COMMANDS), string.message
        if context.location in _NAMES:
            is_menu = isinstance(context.data, app_commands.ContextMenu)
            told = known.pgettext(MENU if is_menu else NAME, english)
        else:
            told = known.gettext(english)
        return None if told == english else told


async def setup(bot: "OnModelBot") -> None:
    """Let the command tree translate itself."""
    await bot.tree.set_translator(CatalogueTranslator())
