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
    "whisper": BalloonKind.WHISPER,
    "whispers": BalloonKind.WHISPER,
    "radio": BalloonKind.RADIO,
    "electric": BalloonKind.RADIO,
    "phone": BalloonKind.RADIO,
    "caption": BalloonKind.CAPTION,
    "narration": BalloonKind.NARRATION,
    "narrator": BalloonKind.NARRATION,
    "sfx": BalloonKind.SFX,
    "sound": BalloonKind.SFX,
    "off-panel": BalloonKind.OFF_PANEL,
    "off panel": BalloonKind.OFF_PANEL,
    "off": BalloonKind.OFF_PANEL,
    "joined": BalloonKind.JOINED,
    "double-tail": BalloonKind.DOUBLE_TAIL,
    "double tail": BalloonKind.DOUBLE_TAIL,
    "both": BalloonKind.DOUBLE_TAIL,
}
# Kinds that need nobody: their own name may stand where a speaker's would.
_BY_NAME = ("caption", "narration", "narrator", "sfx", "sound")
_ANYBODY = frozenset({"off", "off-panel", "voice"})
_SPOKEN = re.compile(
    r"(?P<who>[^:：()]*?)\s*(?:\((?P<kind>[^)]*)\))?\s*[:：]\s*(?P<text>.*)", re.DOTALL
)
_BARE = re.compile(r"\((?P<kind>caption|narration|sfx)\)\s*(?P<text>.*)", re.IGNORECASE)
_TWO = re.compile(r"\s*(?:&|\+|\band\b)\s*", re.IGNORECASE)


def parse_dialogue(text: str, cast: Sequence[tuple[str, str]]) -> tuple[DialogueLine, ...]:
    """Read dialogue that was typed into an option.

    Lines are separated by line breaks or ``|``. A line is ``Name: text``, ``Name (shout): text``
    with any kind of balloon, ``Mira & Oskar: text`` for two at once, ``Caption: text``,
    ``Narration: text``, ``SFX: text`` or ``Voice: text`` for somebody who is not in the panel;
    where one character is alone, its name may be left out. Words may be ``*italic*`` or
    ``**bold**``.

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
    if not line.kind.has_tail and (line.speaker is None or line.kind is BalloonKind.CAPTION):
        name = "SFX" if line.kind is BalloonKind.SFX else str(line.kind).capitalize()
        return f"{name}: {line.text}"
    kind = "" if line.kind in (BalloonKind.SPEECH, BalloonKind.DOUBLE_TAIL) else f" ({line.kind})"
    if line.speaker is None:
        return f"Voice{kind}: {line.text}"
    who = f"{line.speaker} & {line.also}" if line.also else line.speaker
    return f"{who}{kind}: {line.text}"


def _line(number: int, line: str, cast: Sequence[tuple[str, str]]) -> DialogueLine:
    try:
        return _read(line, cast)
    except InvalidInput as error:
        shown = line if len(line) <= 40 else line[:39] + "…"
        raise InvalidInput(f"Dialogue line {number} (“{shown}”): {error}") from error


def _read(line: str, cast: Sequence[tuple[str, str]]) -> DialogueLine:
    if bare := _BARE.fullmatch(line):
        return DialogueLine(check_line(bare["text"]), None, read_kind(bare["kind"]))
    spoken = _SPOKEN.fullmatch(line)
    if spoken is None:
        if len(cast) == 1:
            return DialogueLine(check_line(line), cast[0][0])
        raise InvalidInput(f"Who says this? Write “Name: text”. {_speakers(cast)}")
    who, words = spoken["who"].strip(), check_line(spoken["text"])
    kind = read_kind(spoken["kind"]) if spoken["kind"] is not None else BalloonKind.SPEECH
    if who.lower() in _BY_NAME:
        return DialogueLine(words, None, read_kind(who) if kind.has_tail else kind)
    if kind is BalloonKind.CAPTION:
        return DialogueLine(words, None, kind)
    if who.lower() in _ANYBODY or (not who and not kind.has_tail):
        plain = kind is BalloonKind.SPEECH
        return DialogueLine(words, None, BalloonKind.OFF_PANEL if plain else kind)
    return _said(who, kind, words, cast)


def _said(who: str, kind: BalloonKind, words: str, cast: Sequence[tuple[str, str]]) -> DialogueLine:
    """A line of one or two people."""
    names = _TWO.split(who)
    if len(names) == 1 or _known(who, cast) is not None:
        if kind is BalloonKind.DOUBLE_TAIL:
            raise InvalidInput(f"Two people say this; write “Name & Name: text”. {_speakers(cast)}")
        return DialogueLine(words, _speaker(who, cast), kind)
    if len(names) > 2:
        raise InvalidInput("At most two can share a balloon; give the others their own.")
    first, second = (_speaker(name, cast) for name in names)
    if first == second:
        raise InvalidInput("The same character is named twice.")
    if kind is BalloonKind.SPEECH:
        kind = BalloonKind.DOUBLE_TAIL
    return DialogueLine(words, first, kind, also=second)


def _speaker(who: str, cast: Sequence[tuple[str, str]]) -> str:
    known = _known(who, cast)
    if known is None:
        raise InvalidInput(f"“{who}” is not in this panel. {_speakers(cast)}")
    return known


def _known(who: str, cast: Sequence[tuple[str, str]]) -> str | None:
    """The id of a character by id, name or first name; None where it is nobody's or several's."""
    wanted = who.casefold()
    for character_id, name in cast:
        if wanted in (character_id.casefold(), name.casefold()):
            return character_id
    first_names = [c for c, name in cast if name.casefold().split()[:1] == [wanted]]
    return first_names[0] if len(first_names) == 1 else None


def _speakers(cast: Sequence[tuple[str, str]]) -> str:
    names = ", ".join(name for _, name in cast)
    if not names:
        return "Nobody is in this panel; write “Caption: text”."
    return f"Speakers here: {names}; or write “Caption: text”."
