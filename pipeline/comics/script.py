"""Scripts: a whole comic as a TOML file, and the dialogue of one panel as typed text.

A script has a ``title`` and ``[[page]]`` tables; each page has ``[[page.panel]]`` tables with
``characters`` (``character:appearance``, commas between), ``shot_type``, ``prompt`` and
``dialogue`` (tables with ``speaker``, ``kind`` and ``text``).
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipeline.comics.dialogue import (
    MAX_LINES,
    check_line,
    format_dialogue,
    parse_dialogue,
    read_kind,
)
from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import BalloonKind, CastRole, DialogueLine

__all__ = ["Script", "ScriptPage", "ScriptPanel", "load_script", "parse_dialogue"]

MAX_PAGES = 200
MAX_PROMPT = 1000
MAX_BYTES = 1 << 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ScriptPanel:
    """One panel: who is in it, how it is framed, what happens, what is said.

    An appearance that was not named is the empty text: the character's first one is meant.
    """

    number: int
    cast: tuple[CastRole, ...]
    shot_type: ShotType
    prompt: str
    dialogue: tuple[DialogueLine, ...] = ()

    @property
    def dialogue_text(self) -> str:
        """The dialogue as :func:`parse_dialogue` reads it."""
        return format_dialogue(self.dialogue)


@dataclass(frozen=True, slots=True)
class ScriptPage:
    """One page and its panels in reading order."""

    number: int
    panels: tuple[ScriptPanel, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A comic as written."""

    title: str
    pages: tuple[ScriptPage, ...]
    logline: str = ""
    reading_direction: ReadingDirection = ReadingDirection.LTR


def load_script(source: Path | str) -> Script:
    """Read a script from a file (a ``Path``) or from TOML text (a ``str``).

    Raises:
        InvalidInput: it is not TOML, something is missing, misspelt or out of its limits; the
            message says on which page and panel.
    """
    try:
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        if len(text.encode()) > MAX_BYTES:
            raise InvalidInput("The script is larger than 1 MiB; split it into several.")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The script is not a TOML file: {error}.") from error
    except FileNotFoundError as error:
        raise InvalidInput("There is no script of that name.") from error
    return _at("Script", lambda: _script(data))


def _script(data: Mapping[str, Any]) -> Script:
    _known(data, {"title", "logline", "reading_direction", "page"})
    pages = _tables(data, "page")
    if not 1 <= len(pages) <= MAX_PAGES:
        raise InvalidInput(f"it needs 1 to {MAX_PAGES} [[page]] tables and has {len(pages)}.")
    found = tuple(
        _at(f"page {i}", lambda page=page, i=i: _page(page, i))
        for i, page in enumerate(pages, start=1)
    )
    numbers = [page.number for page in found]
    if len(set(numbers)) != len(numbers):
        raise InvalidInput("two pages have the same number.")
    direction = _choice(data, "reading_direction", ReadingDirection, ReadingDirection.LTR)
    return Script(_text(data, "title"), found, _text(data, "logline", ""), direction)


def _page(data: Mapping[str, Any], position: int) -> ScriptPage:
    _known(data, {"number", "panel"})
    panels = _tables(data, "panel")
    if not panels:
        raise InvalidInput("it has no [[page.panel]] table.")
    return ScriptPage(
        _number(data, "number", position),
        tuple(
            _at(f"panel {i}", lambda panel=panel, i=i: _panel(panel, i))
            for i, panel in enumerate(panels, start=1)
        ),
    )


def _panel(data: Mapping[str, Any], position: int) -> ScriptPanel:
    _known(data, {"panel", "characters", "shot_type", "prompt", "dialogue"})
    prompt = " ".join(_text(data, "prompt").split())
    if len(prompt) > MAX_PROMPT:
        raise InvalidInput(f"its prompt is longer than {MAX_PROMPT} characters.")
    cast = _cast(data.get("characters"))
    lines = _tables(data, "dialogue")
    if len(lines) > MAX_LINES:
        raise InvalidInput(f"it has {len(lines)} lines of dialogue; {MAX_LINES} are allowed.")
    return ScriptPanel(
        number=_number(data, "panel", position),
        cast=cast,
        shot_type=_choice(data, "shot_type", ShotType, ShotType.HALF),
        prompt=prompt,
        dialogue=tuple(
            _at(f"dialogue line {i}", lambda line=line: _line(line, cast))
            for i, line in enumerate(lines, start=1)
        ),
    )


def _cast(value: object) -> tuple[CastRole, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise InvalidInput('characters is missing; write it like "ch_akira:akira_uniform, ch_bo".')
    pairs = [str(part).strip().partition(":") for part in parts if str(part).strip()]
    cast = tuple(CastRole(who.strip(), look.strip()) for who, _, look in pairs)
    if not cast:
        raise InvalidInput("nobody is in it; name at least one character.")
    if len({role.character_id for role in cast}) != len(cast):
        raise InvalidInput("a character is named twice.")
    return cast


def _line(data: Mapping[str, Any], cast: tuple[CastRole, ...]) -> DialogueLine:
    _known(data, {"speaker", "kind", "text"})
    kind = read_kind(_text(data, "kind", BalloonKind.SPEECH.value))
    words, speaker = check_line(_text(data, "text")), _text(data, "speaker", "")
    if not speaker and (not kind.has_tail or kind is BalloonKind.OFF_PANEL):
        return DialogueLine(words, None, kind)
    if kind is BalloonKind.CAPTION:
        return DialogueLine(words, None, kind)
    speakers = [role.character_id for role in cast]
    if speaker not in speakers:
        raise InvalidInput(
            f"“{speaker}” is not in this panel; its speakers are {', '.join(speakers)}."
        )
    return DialogueLine(words, speaker, kind)


def _at(place: str, read: Callable[[], T]) -> T:
    """Read a part; a complaint from inside says where it was."""
    try:
        return read()
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error}") from error


def _known(data: Mapping[str, Any], names: set[str]) -> None:
    strange = sorted(set(data) - names)
    if strange:
        raise InvalidInput(
            f"“{strange[0]}” is not known here; known are {', '.join(sorted(names))}."
        )


def _tables(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = data.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InvalidInput(f"{name} must be a list of tables.")
    return found


def _text(data: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = data.get(name, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise InvalidInput(f"{name} is missing or no text.")
    return value


def _number(data: Mapping[str, Any], name: str, default: int) -> int:
    value = data.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 9999:
        raise InvalidInput(f"{name} must be a number from 1 to 9999.")
    return value


def _choice(data: Mapping[str, Any], name: str, kind: type[T], default: T) -> T:
    value = data.get(name, default)
    names = [str(item) for item in kind]  # pyright: ignore[reportGeneralTypeIssues] - an enum
    if value not in names:
        raise InvalidInput(f"{name} “{value}” is not known; choose from {', '.join(names)}.")
    return kind(value)  # pyright: ignore[reportCallIssue] - an enum is called with its value
