"""Who acts: ids and rights, already checked against Discord by the caller."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.domain.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of a guild and what the guild lets them do.

    ``roles`` are the ids of their roles, ``joined_at`` is since when they are there; None where
    that is not known.
    """

    guild_id: int
    member_id: int
    is_moderator: bool = False
    can_manage: bool = False
    roles: frozenset[int] = frozenset()
    joined_at: datetime | None = None

    @property
    def moderates(self) -> bool:
        """Whether the person may decide about other people's panels."""
        return self.is_moderator or self.can_manage

    def require_moderator(self, action: str) -> None:
        """Let moderators and managers pass.

        Raises:
            NotAllowed: anyone else.
        """
        if not self.moderates:
            raise NotAllowed(f"Only moderators may {action}. Ask one of them.")

    def require_manager(self, action: str) -> None:
        """Let people with the Manage Server permission pass.

        Raises:
            NotAllowed: anyone else.
        """
        if not self.can_manage:
            raise NotAllowed(f"You need the Manage Server permission to {action}.")

    def require_own(self, owner_id: int, action: str) -> None:
        """Let the owner and moderators pass.

        Raises:
            NotAllowed: anyone else.
        """
        if self.member_id != owner_id and not self.moderates:
            raise NotAllowed(f"Only its owner or a moderator may {action}.")
