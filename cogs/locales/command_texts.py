"""Names and descriptions of commands, options and choices, as discord.py has them."""

import ast
import importlib
from collections.abc import Iterator
from typing import Any

from discord import app_commands
from discord.ext import commands

from bot.client import EXTENSIONS
from cogs.locales.message import Message, called, modules
from cogs.ui.translator import MENU
from cogs.ui.words import NAME

NAME_LIMIT, DESCRIPTION_LIMIT, CHOICE_LIMIT = 32, 100, 100


def of_commands() -> Iterator[Message]:
    """What every extension offers."""
    for extension in EXTENSIONS:
        module = importlib.import_module(extension)
        place = extension.replace(".", "/") + ".py"
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, commands.Cog)
                and value.__module__ == extension
            ):
                yield from _of_cog(value, place)
        yield from _of_menus(modules()[place], place)


def _of_cog(cog: type[commands.Cog], place: str) -> Iterator[Message]:
    if issubclass(cog, commands.GroupCog):
        yield Message(str(cog.__cog_group_name__), place, context=NAME, limit=NAME_LIMIT)
        yield Message(str(cog.__cog_group_description__), place, limit=DESCRIPTION_LIMIT)
    for command in cog.__cog_app_commands__:
        yield from _of_command(command, place)


def _of_command(command: Any, place: str) -> Iterator[Message]:
    yield Message(command.name, place, context=NAME, limit=NAME_LIMIT)
    yield Message(command.description, place, limit=DESCRIPTION_LIMIT)
    if isinstance(command, app_commands.Group):
        for child in command.commands:
            yield from _of_command(child, place)
        return
    for option in command.parameters:
        yield Message(option.display_name, place, context=NAME, limit=NAME_LIMIT)
        yield Message(str(option.description), place, limit=DESCRIPTION_LIMIT)
        for choice in option.choices:
            yield Message(choice.name, place, limit=CHOICE_LIMIT)


def _of_menus(tree: ast.AST, place: str) -> Iterator[Message]:
    """Entries of the menu of a message or a member; they are made when the bot starts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in {"ContextMenu", "context_menu"}:
            for keyword in node.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    yield Message(str(keyword.value.value), place, context=MENU, limit=NAME_LIMIT)
