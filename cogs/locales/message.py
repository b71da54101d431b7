"""A key of a catalogue, and where it stands in the code."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


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


@cache
def modules() -> Mapping[str, ast.AST]:
    """Every module of the project by its file, ``cogs/panels.py``; read once."""
    folders = ("bot", "cogs", "pipeline", "storage")
    paths = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
    }


def called(node: ast.Call) -> str:
    """The name of what is called, without the object that it belongs to."""
    target = node.func
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
