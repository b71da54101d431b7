"""The plain-text form: a comic script as writers type it, with Fountain's habits.

``Title: …`` and the like come first. ``PAGE 1`` and ``PANEL 1 (wide)`` are headings. In a panel
stand ``Cast: Mira, Oskar (uniform)``, ``Props: umbrella (Mira)``, what happens, and what is said:
``MIRA (shout): No!`` on one line, or Fountain's cue on a line of its own with the words below.
``INT.`` and ``EXT.`` begin a scene, ``[[…]]`` is a note that nobody draws. ``!`` forces action,
``@`` a speaker, ``.`` a scene.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from pipeline.comics.dialogue import read_kind
from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import BalloonKind
from pipeline.script.document import NOBODY
from pipeline.script.reading import Path, Problem

Data = dict[str, Any]

SHOT_WORDS = {
    "extreme close-up": ShotType.HEADSHOT,
    "close-up": ShotType.HEADSHOT,
    "closeup": ShotType.HEADSHOT,
    "close": ShotType.HEADSHOT,
    "cu": ShotType.HEADSHOT,
    "headshot": ShotType.HEADSHOT,
    "medium": ShotType.HALF,
    "medium shot": ShotType.HALF,
    "ms": ShotType.HALF,
    "half": ShotType.HALF,
    "full": ShotType.FULL,
    "full shot": ShotType.FULL,
    "wide": ShotType.FULL,
    "wide shot": ShotType.FULL,
    "long shot": ShotType.FULL,
    "establishing": ShotType.FULL,
    "dynamic": ShotType.DYNAMIC,
    "action": ShotType.DYNAMIC,
}
"""Camera terms and the framing that each comes to (source AF14)."""

WEIGHT_WORDS = {"small": 0.5, "large": 2.0, "big": 2.0, "splash": 4.0}
"""How much room a panel deserves, in words."""

_TITLE_KEYS = ("title", "logline", "authors", "language", "direction", "chapter")
_NUMBER_WORDS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty"),
)
_NUMBER = rf"(?P<number>\d{{1,4}}|{'|'.join(_NUMBER_WORDS)})"
_PAGE = re.compile(rf"#*\s*page\s+{_NUMBER}\s*(?:\([^)]*\))?\s*[.:]?", re.IGNORECASE)
_PANEL = re.compile(
    rf"#*\s*panel\s+{_NUMBER}\s*(?:\((?P<how>[^)]*)\)|[-–—:.]\s*(?P<rest>.*))?\s*\.?",
    re.IGNORECASE,
)
_SCENE = re.compile(r"\.(?P<forced>[^.\s].*)|(?P<plain>(?:INT|EXT|EST|I/E|INT\./EXT)[. ].+)")
_KEY = re.compile(r"(?P<key>[A-Za-z]+)\s*:\s*(?P<value>.*)")
_NOTE = re.compile(r"\[\[(?P<note>.*?)\]\]")
_SAID = re.compile(r"(?P<who>[^:：()]{1,80}?)\s*(?:\((?P<kind>[^)]*)\))?\s*[:：]\s*(?P<text>.+)")
_CUE = re.compile(r"(?P<who>[^:：()]{1,80}?)\s*(?:\((?P<kind>[^)]*)\))?")
_ROLE = re.compile(r"(?P<name>[^()]+?)\s*(?:\((?P<in>[^()]*)\))?")
_FOUNTAIN_KINDS = {
    **dict.fromkeys(("v.o.", "vo"), BalloonKind.NARRATION),
    **dict.fromkeys(("o.s.", "os", "o.p.", "off"), BalloonKind.OFF_PANEL),
}
"""Fountain's extensions of a cue: a voice over, and somebody whom the frame does not show."""


def parse_plain(text: str) -> tuple[Data, list[Problem], dict[Path, int]]:
    """Read the plain-text form into the shape that the schema checks.

    Returns:
        The data, what could not be understood, and the line (from 1) of each part.
    """
    names = _names_in(text)
    reader = _Reader({name.casefold(): name for name in reversed(names)}, frozenset(names))
    for number, line in enumerate(text.splitlines(), start=1):
        reader.take(number, line.strip())
    reader.close()
    return reader.data, reader.problems, reader.lines


def number_of(word: str) -> int:
    """``7``, ``seven`` → 7."""
    return int(word) if word.isdigit() else _NUMBER_WORDS.index(word.lower()) + 1


def _names_in(text: str) -> list[str]:
    """Everybody in a cast line, as first spelled first: those may speak in any case."""
    names: list[str] = []
    for line in text.splitlines():
        found = _KEY.fullmatch(line.strip())
        if found and found["key"].lower() == "cast":
            names += [role["name"] for role in _items(found["value"])]
    return names


def _items(value: str) -> list[dict[str, str]]:
    """``Mira, Oskar (uniform)`` → names with what stands in brackets."""
    found = []
    for part in value.split(","):
        match = _ROLE.fullmatch(part.strip())
        if match:
            found.append({"name": match["name"].strip(), "in": (match["in"] or "").strip()})
        elif part.strip():
            found.append({"name": part.strip(), "in": ""})
    return found


@dataclass
class _Reader:
    """Goes through the lines once; what is open is a page, a panel, a cue, a paragraph."""

    names: dict[str, str]
    spelled: frozenset[str]
    data: Data = field(default_factory=lambda: {"pages": []})
    problems: list[Problem] = field(default_factory=list)
    lines: dict[Path, int] = field(default_factory=dict)
    _paragraph: list[str] = field(default_factory=list)
    _began: int = 0
    _cue: tuple[int, str, str | None] | None = None
    _scene: str | None = None

    def take(self, number: int, line: str) -> None:
        rest = self._without_notes(line)
        if line and not rest:
            return
        line = rest
        if not line:
            self._end_paragraph()
        elif self._cue is not None:
            self._paragraph.append(line)
        elif not self._heading(number, line):
            self._content(number, line)

    def close(self) -> None:
        self._end_paragraph()

    def _heading(self, number: int, line: str) -> bool:
        if page := _PAGE.fullmatch(line):
            self._end_paragraph()
            self.lines["pages", len(self.data["pages"])] = number
            self.data["pages"].append({"number": number_of(page["number"]), "panels": []})
        elif panel := _PANEL.fullmatch(line):
            self._end_paragraph()
            self._open_panel(number, panel)
        elif scene := _SCENE.fullmatch(line):
            self._end_paragraph()
            self._open_scene((scene["forced"] or scene["plain"]).strip())
        else:
            return False
        return True

    def _open_scene(self, scene: str) -> None:
        """A scene begins with the next panel, or with this one where nothing is in it yet."""
        panel = self._panel()
        if panel is not None and not panel["action"] and not panel.get("dialogue"):
            panel["scene"] = scene
        else:
            self._scene = scene

    def _open_panel(self, number: int, found: re.Match[str]) -> None:
        if not self.data["pages"]:
            self._complain(number, "form", "This panel stands on no page; write “PAGE 1” above it.")
            self.data["pages"].append({"number": 1, "panels": []})
        panels = self.data["pages"][-1]["panels"]
        panel: Data = {"number": number_of(found["number"]), "cast": [], "action": []}
        if self._scene is not None:
            panel["scene"], self._scene = self._scene, None
        self.lines["pages", len(self.data["pages"]) - 1, "panels", len(panels)] = number
        panels.append(panel)
        rest = _words_of(found["rest"] or "")
        if rest and not all(map(_is_framing, rest)):
            self._paragraph, self._began = [found["rest"].strip()], number
            rest = []
        for word in [*_words_of(found["how"] or ""), *rest]:
            self._frame(number, panel, word)

    def _frame(self, number: int, panel: Data, word: str) -> None:
        if word in SHOT_WORDS:
            panel["shot"] = SHOT_WORDS[word]
        elif word in WEIGHT_WORDS:
            panel["weight"] = WEIGHT_WORDS[word]
        elif match := re.fullmatch(r"weight\s+(\d+(?:\.\d+)?)", word):
            panel["weight"] = float(match[1])
        else:
            known = ", ".join(dict.fromkeys([*SHOT_WORDS, *WEIGHT_WORDS]))
            self._complain(number, "form", f"“{word}” is no framing; choose from {known}.")

    def _content(self, number: int, line: str) -> None:
        if not self.data["pages"]:
            self._title(number, line)
            return
        panel = self._panel()
        if panel is None:
            self._complain(number, "form", "This stands in no panel; write “PANEL 1” above it.")
            return
        if line.startswith("!"):
            self._end_paragraph()
            self._paragraph, self._began = [line[1:].strip()], number
            self._end_paragraph()
        elif not (self._key(number, line, panel) or self._spoken(number, line)):
            self._began = self._began if self._paragraph else number
            self._paragraph.append(line)

    def _title(self, number: int, line: str) -> None:
        found = _KEY.fullmatch(line)
        key = found["key"].lower() if found else ""
        if key == "author":
            key = "authors"
        if found is None or key not in _TITLE_KEYS:
            known = ", ".join(name.capitalize() for name in _TITLE_KEYS)
            self._complain(number, "form", f"Before “PAGE 1” only these may stand: {known}.")
            return
        value: Any = found["value"].strip()
        if key == "authors":
            value = [item["name"] for item in _items(value)]
        elif key == "chapter":
            value = int(value) if value.isdigit() else value
        elif key == "direction":
            value = ReadingDirection(value) if value in list(ReadingDirection) else value
        self.data[key] = value
        self.lines[(key,)] = number

    def _key(self, number: int, line: str, panel: Data) -> bool:
        found = _KEY.fullmatch(line)
        key = found["key"].lower() if found else ""
        if found is None or key not in ("cast", "props"):
            return False
        self._end_paragraph()
        inner = "look" if key == "cast" else "holder"
        panel[key] = [
            {"name": item["name"], inner: item["in"] or None} for item in _items(found["value"])
        ]
        self.lines[(*self._place(), key)] = number
        return True

    def _spoken(self, number: int, line: str) -> bool:
        forced = line.startswith("@")
        line = line.removeprefix("@").strip()
        said, cue = _SAID.fullmatch(line), _CUE.fullmatch(line)
        if said and (forced or self._speaks(said["who"])):
            self._end_paragraph()
            who = said["who"].strip()
            self._say(number, f"@{who}" if forced else who, said["kind"], said["text"])
            return True
        if cue and not self._paragraph and (forced or _shouted(cue["who"])):
            self._cue = (number, cue["who"].strip(), cue["kind"])
            return True
        return False

    def _speaks(self, who: str) -> bool:
        name = who.partition("&")[0].strip().casefold()
        return name in self.names or name in NOBODY or _shouted(who)

    def _say(self, number: int, who: str, kind: str | None, text: str) -> None:
        panel = self._panel()
        assert panel is not None
        try:
            line = self._line(who, kind, text)
        except InvalidInput as error:
            self._complain(number, "unknown-kind", str(error))
            return
        spoken = panel.setdefault("dialogue", [])
        self.lines[(*self._place(), "dialogue", len(spoken))] = number
        spoken.append(line)

    def _line(self, who: str, kind: str | None, text: str) -> Data:
        words, name = " ".join(text.split()), who.casefold()
        if name in NOBODY and name not in self.names:
            silent = {"narrator": "narration", "sound": "sfx"}.get(name, name)
            return {"speaker": None, "kind": _kind(kind or silent), "text": words}
        if who.startswith("@"):
            speakers = [one.strip() for one in who[1:].split("&")][:2]
        else:
            speakers = [self._spelling(one.strip()) for one in who.split("&")][:2]
        if len(speakers) == 2:
            both = {"speaker": speakers[0], "also": speakers[1]}
            return {**both, "kind": BalloonKind.DOUBLE_TAIL, "text": words}
        read = _kind(kind) if kind else BalloonKind.SPEECH
        return {"speaker": speakers[0], "kind": read, "text": words}

    def _spelling(self, who: str) -> str:
        """A name as the cast lines spell it."""
        return who if who in self.spelled else self.names.get(who.casefold(), who)

    def _without_notes(self, line: str) -> str:
        """Keep the notes of the line and return what else stands on it."""
        notes = [" ".join(m["note"].split()) for m in _NOTE.finditer(line)]
        if notes:
            place = self._panel() or self.data
            place.setdefault("notes", []).extend(note for note in notes if note)
        return _NOTE.sub("", line).strip()

    def _end_paragraph(self) -> None:
        """What was gathered is a speech under its cue, else a paragraph of action."""
        panel, words = self._panel(), " ".join(self._paragraph)
        if self._cue is not None:
            number, who, kind = self._cue
            self._cue = None
            if words:
                self._say(number, who, kind, words)
            else:
                self._complain(number, "form", f"“{who}” says nothing; write the words below.")
        elif words and panel is not None:
            self.lines[(*self._place(), "action", len(panel["action"]))] = self._began
            panel["action"].append(words)
        self._paragraph = []

    def _panel(self) -> Data | None:
        pages = self.data["pages"]
        return pages[-1]["panels"][-1] if pages and pages[-1]["panels"] else None

    def _place(self) -> Path:
        pages = self.data["pages"]
        return ("pages", len(pages) - 1, "panels", len(pages[-1]["panels"]) - 1)

    def _complain(self, line: int, code: str, text: str) -> None:
        self.problems.append(Problem(line, code, text))


def _shouted(who: str) -> bool:
    """Whether a name is written as a Fountain cue: in capitals."""
    return any(c.isalpha() for c in who) and who == who.upper() and who != who.lower()


def _words_of(framing: str) -> list[str]:
    """``Close-Up, large`` → its words, in small letters."""
    words = (" ".join(word.lower().split()).rstrip(".") for word in re.split(r",|/", framing))
    return [word for word in words if word]


def _is_framing(word: str) -> bool:
    return word in SHOT_WORDS or word in WEIGHT_WORDS


def _kind(word: str) -> BalloonKind:
    return _FOUNTAIN_KINDS.get(word.strip().lower()) or read_kind(word)
