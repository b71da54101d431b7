"""Reads from the code what people may be told: the keys of the catalogues.

Three catalogues, by where their sentences come from:

- ``onmodel``: ``say``, ``mark`` and their plurals in ``cogs/``.
- ``commands``: names and descriptions of commands, options and choices, as discord.py has them.
- ``told``: what the floors below say: texts of errors, reasons, warnings, advice. An f-string
  becomes a sentence with named places.
"""

import ast
import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discord import app_commands
from discord.ext import commands

from bot.client import EXTENSIONS
from cogs.ui.told import recognisable
from cogs.ui.translator import MENU
from cogs.ui.words import COMMANDS, NAME, TOLD, WORDS
from pipeline.domain.panel import PanelStatus
from pipeline.domain.privacy import ConsentStatus
from pipeline.domain.review import ReviewStatus

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
_UNSPOKEN = {
    *("ValueError", "TypeError", "KeyError", "RuntimeError", "AssertionError", "compile"),
    *("debug", "info", "warning", "error", "exception", "log"),
}
# How many of its arguments are sentences.
_SAYING = {"say": 1, "mark": 1, "say_n": 2, "mark_n": 2}
# Floors whose texts reach people on Discord; the shell speaks English.
_FLOORS = ("bot/services", "bot/queue", "cogs", "pipeline", "storage")
_SHELL_ONLY = (
    "bot/services/clips.py",
    "bot/services/gallery.py",
    "bot/services/guilds.py",
    "cogs/locales",
    "pipeline/fingerprints",
    "pipeline/generation/diffusion/installed.py",
    "pipeline/generation/diffusion/loading.py",
    "pipeline/generation/diffusion/options.py",
    "pipeline/generation/generators/registry.py",
    "pipeline/quality/forest.py",
    "pipeline/training",
    "storage/connections.py",
    "storage/guild_rows.py",
    "storage/keys.py",
    "storage/migrate.py",
    "storage/mirror.py",
    "storage/sealed.py",
    "storage/vectors.py",
)
_SHELL_ERRORS = {"SettingsError", "DatabaseError", "MigrationFailed", "MigrationChanged"}
# What is drawn into pictures and written into books and recipes is not translated.
_DRAWN = (
    "bot/services/privacy.py",
    "bot/services/recipes.py",
    "pipeline/comics/alt.py",
    "pipeline/comics/export",
    "pipeline/generation/recipe_changes.py",
    "pipeline/quality/coverage_sheet.py",
    "pipeline/quality/drift_chart.py",
    "pipeline/quality/evidence",
    "pipeline/quality/sheet",
    "pipeline/script/writing.py",
)
# Modules whose shorter words are shown too: kinds, places, parts of a sentence.
_PHRASES_OF = (
    "bot/services/registry.py",
    "bot/services/reshaping.py",
    "bot/services/reviews.py",
    "pipeline/domain/story.py",
    "pipeline/quality/audit.py",
    "pipeline/quality/conformal.py",
    "pipeline/quality/looks.py",
    "pipeline/retrieval/coverage.py",
    "pipeline/runner.py",
)
# What names settings is for whoever runs the bot, whose documentation is English.
_FOR_THE_HOST = re.compile(r"ONMODEL_|\{prefix\}")
_SENTENCE = re.compile(r"[A-Z0-9“{].*\s.*(\w\?|[.!…”])", re.DOTALL)
_PHRASE = re.compile(r"[\w{#,].*\s.*", re.DOTALL)
# Single words that fill a place of a sentence.
_TERMS = (
    *(status.value for kind in (PanelStatus, ReviewStatus, ConsentStatus) for status in kind),
    *("left", "right", "center", "head", "figure", "always"),
)


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
    terms = [Message(term) for term in _TERMS]
    found: dict[str, list[Message]] = {WORDS: [], TOLD: terms, COMMANDS: list(_of_commands())}
    for path in _sources(_FLOORS):
        place = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if place.startswith("cogs/") and place != "cogs/ui/words.py":
            found[WORDS] += _said(tree, place)
        if not place.startswith(_SHELL_ONLY):
            found[TOLD] += _told(tree, place, errors)
    found[TOLD] = [message for message in found[TOLD] if _is_for_people(message.english)]
    return {name: _once(messages) for name, messages in found.items()}


def _is_for_people(english: str) -> bool:
    return recognisable(english) and not _FOR_THE_HOST.search(english)


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
    """Texts of errors, what somebody may not do, and all sentences that stand in a module."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if node.args and _called(node) in errors:
            yield from (Message(text, place) for text in templates(node.args[0]))
        if _called(node).startswith("require_"):
            phrases = (text for argument in node.args for text in templates(argument))
            yield from (Message(text, place) for text in phrases if " " in text)
    if place.startswith(("cogs/", *_DRAWN)):
        return
    shape = _PHRASE if place in _PHRASES_OF else _SENTENCE
    for node in _strings(tree):
        yield from (Message(text, place) for text in templates(node) if shape.fullmatch(text))


def _strings(tree: ast.AST) -> Iterator[ast.expr]:
    """Strings that are neither documentation, nor logged, nor part of a larger string."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        whole = isinstance(node, ast.JoinedStr | ast.BinOp) and bool(templates(node))
        if whole or _is_unspoken(node):
            skipped.update(id(part) for part in ast.walk(node) if part is not node)
        if id(node) not in skipped and (whole or isinstance(node, ast.Constant)):
            assert isinstance(node, ast.expr)
            yield node


def _is_unspoken(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Assert():
            return True
        case ast.Call():
            return _called(node) in _UNSPOKEN
    return False


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
