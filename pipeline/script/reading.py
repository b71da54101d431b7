"""Reads a script in any of its forms and says everything that is wrong with it, by line."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from pydantic import ValidationError

from pipeline.domain.errors import InvalidInput
from pipeline.script.document import Script

MAX_BYTES = 1 << 20

Path: TypeAlias = tuple[str | int, ...]
"""Where in a script something stands: ``("pages", 0, "panels", 2, "dialogue", 1)``."""


class Severity(StrEnum):
    """Whether panels can be made all the same."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: the line (from 1), what is wrong and how to mend it.

    ``code`` is a stable word such as ``unknown-character``.
    """

    line: int
    code: str
    text: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the script, or None, its problems by line, and where each part stands."""

    script: Script | None
    problems: tuple[Problem, ...]
    lines: Mapping[Path, int]

    def line_of(self, *path: str | int) -> int:
        """The line of a part, or of the nearest part around it."""
        return line_of(self.lines, path)


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of a part, or of the nearest part around it; 1 for the whole."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def read_script(text: str) -> Reading:
    """Read a script: plain text, YAML or JSON, told apart by how it begins.

    Args:
        text: at most 1 MiB.

    Returns:
        The script and its problems; the script is None where one of them is an error of form.

    Raises:
        InvalidInput: it is empty or too large.
    """
    # here, because the two forms know this module
    from pipeline.script.plain import parse_plain
    from pipeline.script.structured import looks_structured, parse_structured

    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise InvalidInput("The script is larger than 1 MiB; split it into several.")
    if not text.strip():
        raise InvalidInput("The script is empty. Begin with “Title: …” and “PAGE 1”.")
    parse = parse_structured if looks_structured(text) else parse_plain
    data, problems, lines = parse(text)
    if data is None:
        return Reading(None, tuple(problems), lines)
    script, wrong = _checked(data, lines)
    found = sorted([*problems, *wrong], key=lambda problem: problem.line)
    fatal = any(problem.severity is Severity.ERROR for problem in found)
    return Reading(None if fatal else script, tuple(found), lines)


def _checked(
    data: Mapping[str, Any], lines: Mapping[Path, int]
) -> tuple[Script | None, list[Problem]]:
    try:
        return Script.model_validate(data), []
    except ValidationError as error:
        found = [
            Problem(line_of(lines, item["loc"]), "form", _in_words(item))
            for item in error.errors()
            # a list whose every part is wrong is not empty: its parts are complained about
            if not (item["type"] == "too_short" and item["input"])
        ]
        return None, found


_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "too_short": "is missing",
    "string_too_short": "is missing",
}


def _in_words(item: Mapping[str, Any]) -> str:
    """One complaint of the schema as a sentence that names the part."""
    names = [str(part) for part in item["loc"] if isinstance(part, str)]
    part = names[-1] if names else "script"
    words = _WORDS.get(item["type"])
    if words:
        hint = {"cast": "; write “Cast: Mira, Oskar”", "pages": "; begin one with “PAGE 1”"}
        return f"{part} {words}{hint.get(part, '')}."
    if item["type"] == "value_error":
        return f"{item['ctx']['error']}."
    if item["type"] == "string_pattern_mismatch":
        return f"{part} “{str(item['input'])[:40]}” holds a sign that cannot stand there."
    return f"{part}: {item['msg'].lower()}."
