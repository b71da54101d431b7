"""Reads from the code what people may be told: the keys of the catalogues.

Three catalogues, by where their sentences come from:

- ``onmodel``: ``say``, ``mark`` and their plurals in ``cogs/``.
- ``commands``: what :mod:`cogs.locales.command_texts` finds.
- ``told``: what :mod:`cogs.locales.below` finds.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cogs.locales.below import error_names, terms, told
from cogs.locales.command_texts import of_commands
from cogs.locales.message import Message, called, modules
from cogs.ui.words import COMMANDS, TOLD, WORDS

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


def gather() -> dict[str, list[Message]]:
    """All keys by catalogue, each once, ordered by the file where they stand first.

    Raises:
        TypeError: something is given to ``say`` or ``mark`` that is not in the code as it is said.
    """
    errors = error_names()
    found: dict[str, list[Message]] = {WORDS: [], TOLD: [*terms()], COMMANDS: [*of_commands()]}
    for place, tree in modules().items():
        found[TOLD] += told(tree, place, errors)
        if place.startswith("cogs/") and place != "cogs/ui/words.py":
            found[WORDS] += said(tree, place)
    return {name: _once(messages) for name, messages in found.items()}


def _once(messages: Sequence[Message]) -> list[Message]:
    kept: dict[tuple[str, str], Message] = {}
    for message in messages:
        first = kept.setdefault(message.key, message)
        if message.limit and (not first.limit or message.limit < first.limit):
            kept[message.key] = replace(first, limit=message.limit)
    return list(kept.values())


def said(tree: ast.AST, place: str) -> Iterator[Message]:
    """What ``say``, ``mark`` and their plurals are given in a module."""
    limits = dict(_limited(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or called(node) not in _SAYING:
            continue
        given = node.args[: _SAYING[called(node)]]
        words = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if any(isinstance(argument, ast.JoinedStr) for argument in given):
            raise TypeError(f"{place}:{node.lineno}: {called(node)} takes no f-string")
        if len(words) == len(given):  # else it was marked elsewhere
            yield Message(words[0], place, "".join(words[1:]), limit=limits.get(id(node), 0))


def _limited(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """The calls of ``say`` that fill a place which Discord keeps short."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            arguments = [*enumerate(node.args), *((k.arg, k.value) for k in node.keywords)]
            for where, argument in arguments:
                limit = _LIMITS.get((called(node), where))  # pyright: ignore[reportArgumentType]
                if limit is not None and isinstance(argument, ast.Call):
                    yield id(argument), limit
