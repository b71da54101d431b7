"""Dialogue as people type it: ``Name: text``, one line per balloon."""

import re
from collections.abc import Iterable, Sequence

from pipeline.comics.textfit import clean
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import BalloonKind, DialogueLine

MAX_LINES = 8
MAX_LINE_LENGTH = 200

_KINDS = {
    "speech": BalloonKind.SPEECH,
    "say": BalloonKind.SPEECH,
    "says": BalloonKind.SPEECH,
    "thought": BalloonKind.THOUGHT,
    "think": BalloonKind.THOUGHT,
    "thinks": BalloonKind.THOUGHT,
    "shout": BalloonKind.SHOUT,
    "shouts": BalloonKind.SHOUT,
    "caption": BalloonKind.CAPTION,
    "narration": BalloonKind.CAPTION,
}
_SPOKEN = re.compile(
    r"(?P<who>[^:：()]*?)\s*(?:\((?P<kind>[^)]*)\))?\s*[:：]\s*(?P<text>.*)", re.DOTALL
)
_BARE_CAPTION = re.compile(r"\((?P<kind>caption|narration)\)\s*(?P<text>.*)", re.IGNORECASE)


def parse_dialogue(text: str, cast: Sequence[tuple[str, str]]) -> tuple[DialogueLine, ...]:
    """Read dialogue that was typed into an option.

    Lines are separated by line breaks or ``|``. A line is ``Name: text``, ``Name (shout): text``,
    ``Name (thought): text`` or ``Caption: text``; where one character is alone in the panel, its
    name may be left out.

    Args:
        text: what was typed; nothing but blanks gives no lines.
        cast: ``(character_id, name)`` of who may speak; either is understood, in any case.

    Raises:
        InvalidInput: a line is too long, its speaker or kind is unknown, or the lettering font
            lacks a character; the message names the line and the fix.
    """
    typed = [line.strip() for line in re.split(r"[\n\r|]", text) if line.strip()]
    if len(typed) > MAX_LINES:
        raise InvalidInput(
            f"A panel takes at most {MAX_LINES} lines of dialogue, and this has {len(typed)}. "
            "Move some to another panel."
        )
    return tuple(_line(number, line, cast) for number, line in enumerate(typed, start=1))


def format_dialogue(lines: Iterable[DialogueLine]) -> str:
    """Text that :func:`parse_dialogue` reads back to the same lines."""
    return "\n".join(_format(line) for line in lines)


def read_kind(word: str) -> BalloonKind:
    """The kind of balloon that a word means.

    Raises:
        InvalidInput: no kind has this name.
    """
    try:
        return _KINDS[word.strip().lower()]
    except KeyError as error:
        kinds = ", ".join(BalloonKind)
        raise InvalidInput(
            f"“{word.strip()}” is no kind of balloon; choose from {kinds}."
        ) from error


def check_line(text: str) -> str:
    """The words of one line, cleaned.

    Raises:
        InvalidInput: they are empty, too many, or hold a character that cannot be lettered.
    """
    words = clean(text)
    if len(words) > MAX_LINE_LENGTH:
        raise InvalidInput(
            f"It has {len(words)} characters and a balloon takes {MAX_LINE_LENGTH}. "
            "Split it into two lines."
        )
    return words


def _format(line: DialogueLine) -> str:
    if line.kind is BalloonKind.CAPTION or line.speaker is None:
        return f"Caption: {line.text}"
    kind = "" if line.kind is BalloonKind.SPEECH else f" ({line.kind})"
    return f"{line.speaker}{kind}: {line.text}"


def _line(number: int, line: str, cast: Sequence[tuple[str, str]]) -> DialogueLine:
    try:
        return _read(line, cast)
    except InvalidInput as error:
        shown = line if len(line) <= 40 else line[:39] + "…"
        raise InvalidInput(f"Dialogue line {number} (“{shown}”): {error}") from error


def _read(line: str, cast: Sequence[tuple[str, str]]) -> DialogueLine:
    if bare := _BARE_CAPTION.fullmatch(line):
        return DialogueLine(check_line(bare["text"]), None, BalloonKind.CAPTION)
    spoken = _SPOKEN.fullmatch(line)
    if spoken is None:
        if len(cast) == 1:
            return DialogueLine(check_line(line), cast[0][0])
        raise InvalidInput(f"Who says this? Write “Name: text”. {_speakers(cast)}")
    who, words = spoken["who"].strip(), check_line(spoken["text"])
    kind = read_kind(spoken["kind"]) if spoken["kind"] is not None else BalloonKind.SPEECH
    if kind is BalloonKind.CAPTION or _KINDS.get(who.lower()) is BalloonKind.CAPTION:
        return DialogueLine(words, None, BalloonKind.CAPTION)
    return DialogueLine(words, _speaker(who, cast), kind)


def _speaker(who: str, cast: Sequence[tuple[str, str]]) -> str:
    wanted = who.casefold()
    for character_id, name in cast:
        if wanted in (character_id.casefold(), name.casefold()):
            return character_id
    first_names = [c for c, name in cast if name.casefold().split()[:1] == [wanted]]
    if len(first_names) == 1:
        return first_names[0]
    raise InvalidInput(f"“{who}” is not in this panel. {_speakers(cast)}")


def _speakers(cast: Sequence[tuple[str, str]]) -> str:
    names = ", ".join(name for _, name in cast)
    if not names:
        return "Nobody is in this panel; write “Caption: text”."
    return f"Speakers here: {names}; or write “Caption: text”."
