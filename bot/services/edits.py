"""What people change of an entry and its looks, read from what they type."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.services.naming import clean_name
from pipeline.domain.character import Appearance, Character, EntryKind, StoryPoint
from pipeline.domain.errors import InvalidInput
from pipeline.domain.story import LAST_PAGE
from pipeline.domain.vocabulary import checked_components

MAX_TEXT = 500
MAX_LICENSE = 120
MAX_PALETTE = 12
_POINT = re.compile(r"(\d{1,4})(?:[:.](\d{1,4}))?")
_HEX = re.compile(r"#[0-9a-fA-F]{6}")

Range = tuple[StoryPoint | None, StoryPoint | None]


@dataclass(frozen=True, slots=True)
class CharacterEdit:
    """Changes of an entry; None leaves a field as it is."""

    name: str | None = None
    notes: str | None = None
    kind: EntryKind | None = None
    height_ratio: float | None = None
    credits: str | None = None
    license: str | None = None

    def applied(self, character: Character) -> Character:
        """The entry after the changes.

        Raises:
            InvalidInput: a value is out of its limits.
        """
        if self.height_ratio is not None and not 0.05 <= self.height_ratio <= 5:
            raise InvalidInput("The height ratio must be between 0.05 and 5; an adult is 1.")
        limited("license", self.license, MAX_LICENSE)
        limited("notes", self.notes, MAX_TEXT)
        limited("credits", self.credits, MAX_TEXT)
        changed: dict[str, object] = {
            "name": clean_name(self.name) if self.name is not None else None,
            "notes": _trimmed(self.notes),
            "kind": self.kind,
            "height_ratio": self.height_ratio,
            "credits": _trimmed(self.credits),
            "license": _trimmed(self.license),
        }
        return replace(character, **{k: v for k, v in changed.items() if v is not None})


@dataclass(frozen=True, slots=True)
class LookEdit:
    """Changes of a look; None leaves a field as it is.

    ``components`` are merged into those that are there; an empty value removes one. ``valid`` is
    the whole range. ``take_suggestions`` makes facts of what the art suggested (what is known
    already stays); ``drop_suggestions`` forgets it.
    """

    label: str | None = None
    components: Mapping[str, str] | None = None
    palette: Sequence[str] | None = None
    notes: str | None = None
    colorway: str | None = None
    version: int | None = None
    valid: Range | None = None
    take_suggestions: bool = False
    drop_suggestions: bool = False

    def applied(self, look: Appearance) -> Appearance:
        """The look after the changes.

        Raises:
            InvalidInput: a value is out of its limits.
        """
        limited("notes", self.notes, MAX_TEXT)
        limited("colorway", self.colorway, 80)
        if self.version is not None and not 1 <= self.version <= 999:
            raise InvalidInput("A version is a number from 1 to 999.")
        start, end = self.valid if self.valid is not None else (look.valid_from, look.valid_to)
        changed: dict[str, object] = {
            "label": clean_name(self.label, "label") if self.label is not None else None,
            "notes": _trimmed(self.notes),
            "colorway": _trimmed(self.colorway),
            "version": self.version,
            "palette": None if self.palette is None else checked_palette(self.palette),
        }
        changed = {k: v for k, v in changed.items() if v is not None}
        settled = self.take_suggestions or self.drop_suggestions
        return replace(
            look,
            components=self._components(look),
            suggested={} if settled else look.suggested,
            valid_from=start,
            valid_to=end,
            **changed,
        )

    def _components(self, look: Appearance) -> dict[str, str]:
        given = dict(self.components or {})
        suggested = dict(look.suggested) if self.take_suggestions else {}
        merged = {**suggested, **look.components, **{k: v for k, v in given.items() if v}}
        gone = {slot for slot, value in given.items() if not value}
        return checked_components({k: v for k, v in merged.items() if k not in gone})


def parse_range(text: str) -> Range:
    """Read ``2-4`` (chapters), ``2:5-3:1`` (chapter:page), ``3-`` or ``-2``; ``all`` is open.

    A start without a page begins with the chapter, an end without one closes with it.

    Raises:
        InvalidInput: it is none of these, or it ends before it begins.
    """
    words = text.strip().replace("–", "-").replace("…", "-")
    if words.lower() in {"all", "always", "-", ""}:
        return None, None
    start_text, dash, end_text = words.partition("-")
    start = _point(start_text, first=True)
    end = _point(end_text if dash else start_text, first=False)
    if start is not None and end is not None and end < start:
        raise InvalidInput(f"The range {words} ends before it begins.")
    return start, end


def checked_palette(codes: Sequence[str]) -> tuple[str, ...]:
    """A palette as it is stored.

    Raises:
        InvalidInput: a code is not ``#rrggbb``, or there are too many.
    """
    if len(codes) > MAX_PALETTE:
        raise InvalidInput(f"A palette holds at most {MAX_PALETTE} colours.")
    for code in codes:
        if not _HEX.fullmatch(code):
            raise InvalidInput(f"“{code[:20]}” is no colour. Write it as #rrggbb.")
    return tuple(code.lower() for code in codes)


def limited(what: str, text: str | None, most: int) -> None:
    """Refuse a text that is too long.

    Raises:
        InvalidInput: it is.
    """
    if text is not None and len(text) > most:
        raise InvalidInput(f"The {what} has {len(text)} characters; {most} are allowed.")


def _trimmed(text: str | None) -> str | None:
    return None if text is None else text.strip()


def _point(text: str, *, first: bool) -> StoryPoint | None:
    text = text.strip()
    if not text:
        return None
    match = _POINT.fullmatch(text)
    if match is None or int(match[1]) < 1 or match[2] == "0":
        raise InvalidInput(
            f"“{text[:20]}” is no place in the story. Write 2-4 for chapters, 2:5-3:1 for pages, "
            "3- for from there on, or all."
        )
    page = int(match[2]) if match[2] else (1 if first else LAST_PAGE)
    return StoryPoint(int(match[1]), page)
