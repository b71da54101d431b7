"""A character as one plain record: the canonical export, equal text for equal registries."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pipeline.domain.character import (
    Appearance,
    Character,
    EntryKind,
    Mark,
    Reference,
    ReferenceKind,
    ShotType,
    StoryPoint,
)
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box
from pipeline.domain.quality import Threshold

SCHEMA = "onmodel.character"
SCHEMA_VERSION = 1

_OF_ROWS = ("id", "guild_id", "series_id", "owner_id", "created_at", "character_row",
            "appearance_row", "reference_id", "added_by")  # fmt: skip
_NO_DATE = datetime.fromtimestamp(0, UTC)
_BLANK_CHARACTER = Character(0, 0, 0, "", "", 0, "", 1.0, _NO_DATE)
_BLANK_REFERENCE = Reference(
    0, 0, 0, "", ReferenceKind.POSE, ShotType.HALF, "", "", 1, 1, True, "", 0, _NO_DATE
)


@dataclass(frozen=True, slots=True)
class ReferenceRecord:
    """A reference with the marks on it."""

    reference: Reference
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class LookRecord:
    """A look with its references, oldest first, and what was learned from them."""

    look: Appearance
    references: tuple[ReferenceRecord, ...] = ()
    thresholds: tuple[Threshold, ...] = ()


@dataclass(frozen=True, slots=True)
class CharacterRecord:
    """Everything that the registry knows of a character, without pictures and vectors."""

    character: Character
    looks: tuple[LookRecord, ...] = field(default_factory=tuple)


def canonical_text(record: CharacterRecord) -> str:
    """The record as JSON: sorted keys, looks by id, nothing of rows, people's ids or dates.

    Two registries that say the same give the same bytes.
    """
    return json.dumps(record_data(record), ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def record_data(record: CharacterRecord) -> dict[str, Any]:
    """The record as plain data."""
    looks = sorted(record.looks, key=lambda one: one.look.appearance_id)
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "character": _plain(record.character),
        "appearances": [_look_data(one) for one in looks],
    }


def read_record(text: str) -> CharacterRecord:
    """Read :func:`canonical_text` back. Rows, people and dates are blank, thresholds left out.

    Raises:
        InvalidInput: it is not such a record, or one of a later version.
    """
    try:
        data = json.loads(text)
        if data["schema"] != SCHEMA:
            raise InvalidInput("This file is no Onmodel character package. Export one and send it.")
        if data["schema_version"] != SCHEMA_VERSION:
            raise InvalidInput(
                f"The package has version {str(data['schema_version'])[:10]}, this program reads "
                f"version {SCHEMA_VERSION}. Update the program, or export the character again."
            )
        return CharacterRecord(
            _character(data["character"]), tuple(_look(entry) for entry in data["appearances"])
        )
    except InvalidInput:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InvalidInput(
            "The package's description is damaged. Export the character again."
        ) from error


def _look_data(one: LookRecord) -> dict[str, Any]:
    return {
        **_plain(one.look),
        "references": [
            {**_plain(r.reference), "marks": [_plain(mark) for mark in r.marks]}
            for r in one.references
        ],
        "thresholds": sorted(
            (
                {
                    "encoders": t.key.encoders,
                    "crop": t.key.crop.value,
                    "color_mode": t.key.color_mode.value,
                    "value": t.value,
                    "source": t.source,
                    "references": t.references,
                }
                for t in one.thresholds
            ),
            key=lambda t: (t["encoders"], t["crop"], t["color_mode"]),
        ),
    }


def _plain(value: Character | Appearance | Reference | Mark) -> dict[str, Any]:
    return {name: part for name, part in asdict(value).items() if name not in _OF_ROWS}


def _text(data: Mapping[str, Any], key: str, most: int = 500) -> str:
    value = data[key]
    if not isinstance(value, str) or len(value) > most:
        raise InvalidInput(f"The package's {key.replace('_', ' ')} is no text of {most} letters.")
    return value


def _number(data: Mapping[str, Any], key: str, low: float, high: float) -> float:
    value = data[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidInput(
            f"The package's {key.replace('_', ' ')} is not between {low} and {high}."
        )
    return value


def _whole(data: Mapping[str, Any], key: str, low: int, high: int) -> int:
    return int(_number(data, key, low, high))


def _character(data: Mapping[str, Any]) -> Character:
    return replace(
        _BLANK_CHARACTER,
        character_id=_text(data, "character_id", 64),
        name=_text(data, "name", 80),
        notes=_text(data, "notes"),
        height_ratio=float(_number(data, "height_ratio", 0.05, 5)),
        kind=EntryKind(data["kind"]),
        credits=_text(data, "credits"),
        license=_text(data, "license", 120),
    )


def _look(data: Mapping[str, Any]) -> LookRecord:
    look = Appearance(
        id=0,
        guild_id=0,
        character_row=0,
        appearance_id=_text(data, "appearance_id", 64),
        label=_text(data, "label", 80),
        components=_words(data["components"]),
        palette=_list_of(data["palette"], str, 12),
        notes=_text(data, "notes"),
        colorway=_text(data, "colorway", 80),
        version=_whole(data, "version", 1, 999),
        valid_from=_point(data["valid_from"]),
        valid_to=_point(data["valid_to"]),
        suggested=_words(data["suggested"]),
    )
    return LookRecord(look, tuple(_reference(entry) for entry in data["references"]))


def _reference(data: Mapping[str, Any]) -> ReferenceRecord:
    reference = replace(
        _BLANK_REFERENCE,
        sha256=_text(data, "sha256", 64),
        kind=ReferenceKind(data["kind"]),
        shot_type=ShotType(data["shot_type"]),
        angle=_text(data, "angle", 40),
        expression=_text(data, "expression", 40),
        width=_whole(data, "width", 1, 100_000),
        height=_whole(data, "height", 1, 100_000),
        canon=bool(data["canon"]),
        notes=_text(data, "notes"),
        guessed=tuple(
            name for name in _list_of(data["guessed"], str, 8) if name in ("shot_type", "angle")
        ),
    )
    return ReferenceRecord(reference, tuple(_mark(entry) for entry in data["marks"]))


def _mark(data: Mapping[str, Any]) -> Mark:
    box = Box(*_list_of(data["box"], int, 4))
    return Mark(0, 0, 0, _text(data, "name", 80), _text(data, "side", 10), box,
                _text(data, "notes", 200))  # fmt: skip


def _words(data: Any) -> dict[str, str]:
    if not isinstance(data, dict) or not all(isinstance(v, str) for v in data.values()):
        raise InvalidInput("The package's components are damaged. Export the character again.")
    return dict(data)


def _list_of(data: Any, kind: type, most: int) -> tuple[Any, ...]:
    if not isinstance(data, list) or len(data) > most or not all(type(v) is kind for v in data):
        raise InvalidInput("A list in the package is damaged. Export the character again.")
    return tuple(data)


def _point(data: Sequence[int] | None) -> StoryPoint | None:
    if data is None:
        return None
    point = StoryPoint(*_list_of(list(data), int, 2))
    if not (1 <= point.chapter <= 9999 and 1 <= point.page <= 9999):
        raise InvalidInput("A range of the story in the package is damaged.")
    return point
