"""A key of a catalogue, and where it stands in the code."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


def sources(folders: Sequence[str]) -> Iterator[Path]:
    """All modules below some folders of the project."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def called(node: ast.Call) -> str:
    """The name of what is called, without the object that it belongs to."""
    target = node.func
    while isinstance(target, ast.Subscript):
        target = target.value
    return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
