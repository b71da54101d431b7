"""What people hand in about a character, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.domain.character import (
    Appearance,
    Character,
    EntryKind,
    Reference,
    ReferenceKind,
    ShotType,
)
from pipeline.domain.errors import InvalidInput

MAX_NOTES = 500
MAX_UPLOADS = 40
# Ten to twenty references is the goal (source AF9); beyond this they only cost time.
MAX_REFERENCES = 60
DEFAULT_LABEL = "default"


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture from outside, with what its owner says about it."""

    filename: str
    data: bytes
    shot_type: ShotType | None = None
    kind: ReferenceKind = ReferenceKind.POSE
    angle: str = ""
    expression: str = ""


@dataclass(frozen=True, slots=True)
class NewCharacter:
    """What a person says about a new member of the cast.

    ``character_id`` is made from the name where none is given. ``appearance`` names the first look
    and gives its id; ``label`` is how lists show it.
    """

    name: str
    character_id: str | None = None
    appearance: str | None = None
    label: str = ""
    shot_type: ShotType | None = None
    notes: str = ""
    height_ratio: float = 1.0
    components: Mapping[str, str] = field(default_factory=dict)
    kind: EntryKind = EntryKind.CHARACTER


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of the uploads; ``duplicates`` and ``readiness`` are sentences for people."""

    character: Character
    appearance: Appearance
    added: tuple[Reference, ...]
    duplicates: tuple[str, ...]
    readiness: str


def check_uploads(uploads: Sequence[Upload], *, at_least: int) -> None:
    """Refuse too few and too many pictures at a time.

    Raises:
        InvalidInput: there are; the text says how many are taken.
    """
    if not at_least <= len(uploads) <= MAX_UPLOADS:
        raise InvalidInput(f"Send between {at_least} and {MAX_UPLOADS} pictures at a time.")
