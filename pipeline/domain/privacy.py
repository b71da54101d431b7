"""What people decided about themselves and about others: the log of decisions, and consents."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One decision. ``member_id`` is None for the program, 1 for somebody who was erased."""

    id: int
    guild_id: int
    member_id: int | None
    action: str
    subject: str
    detail: str
    created_at: datetime


class ConsentScope(StrEnum):
    """What a person allows with their likeness; each scope holds the ones before it."""

    DRAW = "draw"
    """References are kept and panels are drawn from them in this server."""
    TRAIN = "train"
    """A model (LoRA, textual inversion) may be trained on them, too."""


class ConsentStatus(StrEnum):
    """Where a consent stands; only a GIVEN one that has not run out allows anything."""

    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Consent:
    """Two persons about one character: who draws (``holder_id``) and who is drawn."""

    id: int
    guild_id: int
    character_id: str
    character_name: str
    holder_id: int
    person_id: int
    scope: ConsentScope
    status: ConsentStatus
    expires_at: datetime

    def allows(self, now: datetime) -> bool:
        """Whether it holds at this moment."""
        return self.status is ConsentStatus.GIVEN and now < self.expires_at
