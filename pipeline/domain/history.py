"""What people did to a character's looks, with the state before and after."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pipeline.domain.character import Appearance


class RegistryAction(StrEnum):
    """Kinds of changes that the history keeps."""

    EDIT = "edit"
    ADD = "add"
    MERGE = "merge"
    SPLIT = "split"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class LooksState:
    """Some looks of one character, by slug, and under which of them references lie.

    ``placement`` maps a reference id to the slug of its look. Row ids of the looks mean nothing
    here: a look that is made again after an undo may have another.
    """

    looks: Mapping[str, Appearance] = field(default_factory=dict)
    placement: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegistryEvent:
    """One change. ``undone_by`` is the event that took it back, None while it stands."""

    id: int
    guild_id: int
    character_row: int
    action: RegistryAction
    summary: str
    before: LooksState
    after: LooksState
    member_id: int
    created_at: datetime
    undone_by: int | None
