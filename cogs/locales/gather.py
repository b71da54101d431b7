"""Reads from the code what people may be told: the keys of the catalogues.

Three catalogues, by where their sentences come from:

- ``onmodel``: ``say``, ``mark`` and their plurals in ``cogs/``.
- ``commands``: names and descriptions of commands, options and choices, as discord.py has them.
- ``told``: texts of errors anywhere, and every sentence of the modules in ``_TOLD_MODULES``, whose
  reasons and advice are shown on cards. An f-string becomes a sentence with named places.
"""

import ast
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discord import app_commands
from discord.ext import commands

from bot.client import EXTENSIONS
from cogs.ui.translator import MENU, NAME
from cogs.ui.words import COMMANDS, TOLD, WORDS

ROOT = Path(__file__).resolve().parents[2]
NAME_LIMIT, DESCRIPTION_LIMIT, CHOICE_LIMIT = 32, 100, 100
# How long the first word of a call may be on Discord. Source: its OpenAPI description.
_LIMITS = {
    ("button", 0): 80,
    ("SelectOption", "label"): 100,
    ("SelectOption", "description"): 100,
    ("Select", "placeholder"): 150,
    ("TextInput", "placeholder"): 100,
    ("Label", "text"): 45,
    ("Label", "description"): 100,
    ("__init__", "title"): 45,
}
# How many of its arguments are sentences.
_SAYING = {"say": 1, "mark": 1, "say_n": 2, "mark_n": 2}
# Floors whose errors reach people on Discord; the shell speaks English.
_FLOORS = ("bot/services", "bot/queue", "cogs", "pipeline", "storage")
_SHELL_ONLY = ("pipeline/training", "storage/migrate.py", "storage/connections.py", "cogs/locales")
_SHELL_ERRORS = {"SettingsError", "DatabaseError", "MigrationFailed", "MigrationChanged"}
# Modules whose sentences are reasons, warnings and advice on cards.
_TOLD_MODULES: tuple[str, ...] = ()


@dataclass(frozen=True)
class Message:
    """A key of a catalogue.

    ``many`` is its plural, ``context`` tells apart what reads alike, ``limit`` is the most
    characters that Discord takes there (0: a card's text), ``place`` the file that says it.
    """

    english: str
    place: str = ""
    many: str = ""
    context: str = ""
    limit: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What makes two messages one."""
        return self.context, self.english


def gather() -> dict[str, list[Message]]:
    """All keys by catalogue, each once, ordered by the file where they stand first.

    Raises:
        TypeError: something is given to ``say`` or ``mark`` that is not in the code as it is said.
    """
    errors = _error_names()
    found: dict[str, list[Message]] = {WORDS: [], TOLD: [], COMMANDS: list(_of_commands())}
    for path in _sources(_FLOORS):
        place = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if place.startswith("cogs/") and place != "cogs/ui/words.py":
            found[WORDS] += _said(tree, place)
        if not place.startswith(_SHELL_ONLY):
            found[TOLD] += _told(tree, place, errors)
    return {name: _once(messages) for name, messages in found.items()}


def _once(messages: Sequence[Message]) -> list[Message]:
    kept: dict[tuple[str, str], Message] = {}
    for message in messages:
        first = kept.setdefault(message.key, message)
        if message.limit and (not first.limit or message.limit < first.limit):
            kept[message.key] = Message(
                first.english, first.place, first.many, first.context, message.limit
            )
    return list(kept.values())


def _sources(folders: Sequence[str]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


# --- say and mark ---------------------------------------------------------------------------------


def _said(tree: ast.AST, place: str) -> Iterator[Message]:
    limits = dict(_limited(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or _called(node) not in _SAYING:
            continue
        given = node.args[: _SAYING[_called(node)]]
        words = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if any(isinstance(argument, ast.JoinedStr) for argument in given):
            raise TypeError(f"{place}:{node.lineno}: {_called(node)} takes no f-string")
        if len(words) == len(given):  # else it was marked elsewhere
            yield Message(words[0], place, "".join(words[1:]), limit=limits.get(id(node), 0))


def _limited(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """The calls of ``say`` that fill a place which Discord keeps short."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            arguments = [*enumerate(node.args), *((k.arg, k.value) for k in node.keywords)]
            for where, argument in arguments:
                limit = _LIMITS.get((_called(node), where))  # pyright: ignore[reportArgumentType]
                if limit is not None and isinstance(argument, ast.Call):
                    yield id(argument), limit


def _called(node: ast.Call) -> str:
    target = node.func
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")


# --- what the floors below say --------------------------------------------------------------------


def _error_names() -> set[str]:
    """The names of all errors whose text is for people."""
    names = {"OnModelError"}
    bases = {
        node.name: {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
        for path in _sources(("bot", "cogs", "pipeline", "storage"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    while more := {n for n, found in bases.items() if found & names} - names - _SHELL_ERRORS:
        names |= more
    return names


def _told(tree: ast.AST, place: str, errors: set[str]) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _called(node) in errors:
            for template in templates(node.args[0]):
                yield Message(template, place)
    if place in _TOLD_MODULES:
        for node in _sentences(tree):
            for template in templates(node):
                if " " in template.strip():
                    yield Message(template, place)


def _sentences(tree: ast.AST) -> Iterator[ast.expr]:
    """Strings of a module that are neither documentation nor part of a larger string."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr | ast.Assert):
            skipped.update(id(n) for n in ast.walk(node) if _is_documentation(node))
        if isinstance(node, ast.Call) and _called(node) in {"ValueError", "TypeError", "info"}:
            skipped.update(id(n) for n in ast.walk(node))
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and templates(node)
        ):
            skipped.update(id(n) for n in ast.walk(node))
            yield node
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node


def _is_documentation(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def templates(node: ast.expr) -> list[str]:
    """The sentences that a string expression can be, with named places for what it computes.

    >>> templates(ast.parse('f"No panel {panel.id} in {len(pages)} pages."', mode="eval").body)
    ['No panel {id} in {pages} pages.']
    """
    match node:
        case ast.Constant(value=str(text)):
            return [text.replace("{", "{{").replace("}", "}}")]
        case ast.JoinedStr():
            return [_filled(node)]
        case ast.IfExp():
            return [*templates(node.body), *templates(node.orelse)]
        case ast.BinOp(op=ast.Add()):
            return [a + b for a in templates(node.left) for b in templates(node.right)]
    return []


def _filled(node: ast.JoinedStr) -> str:
    names: dict[str, str] = {}
    text = ""
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            name = stem = _place_name(part.value)
            dump, number = ast.dump(part), 2
            while names.setdefault(name, dump) != dump:
                name, number = f"{stem}{number}", number + 1
            text += f"{{{name}}}"
        else:
            text += "".join(templates(part))
    return text


def _place_name(node: ast.expr) -> str:
    """A word for what a place holds, from the expression that fills it."""
    match node:
        case ast.Name(id=name):
            return name.lower().strip("_")
        case ast.Attribute(value=inner, attr="value" | "name"):
            return _place_name(inner)
        case ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inner) | ast.Await(value=inner) | ast.Starred(value=inner):
            return _place_name(inner)
        case ast.Call(func=ast.Attribute(attr="join")):
            return "list"
        case ast.Call(args=[inner, *_]):
            return _place_name(inner)
        case ast.Call(func=inner):
            return _place_name(inner)
        case ast.BinOp(left=inner):
            return _place_name(inner)
        case ast.IfExp():
            return "ending"
    return "value"


# --- commands -------------------------------------------------------------------------------------


def _of_commands() -> Iterator[Message]:
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
        yield from _of_menus(ast.parse((ROOT / place).read_text(encoding="utf-8")), place)


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
        if isinstance(node, ast.Call) and _called(node) in {"ContextMenu", "context_menu"}:
            for keyword in node.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    yield Message(str(keyword.value.value), place, context=MENU, limit=NAME_LIMIT)
