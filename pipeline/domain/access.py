"""Who may do what with a character: its owner, its co-owners, and whom they let."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Deed(StrEnum):
    """What an owner can open to others, or keep."""

    REQUEST = "request"
    """Ask for panels that show the character, or hand them in."""
    EDIT = "edit"
    """Add pictures, describe, reshape looks."""
    TRAIN = "train"
    """Let a model learn the character, and draw it with what was learned."""


class Circle(StrEnum):
    """For whom a deed is open. Owner, co-owners and moderators belong to each but the last."""

    EVERYONE = "everyone"
    ROLE = "role"
    OWNERS = "owners"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """A circle; ``role_id`` is the Discord role of :attr:`Circle.ROLE`, else None."""

    circle: Circle
    role_id: int | None = None


DEFAULT_RULES: Mapping[Deed, AccessRule] = {
    Deed.REQUEST: AccessRule(Circle.EVERYONE),
    Deed.EDIT: AccessRule(Circle.OWNERS),
    Deed.TRAIN: AccessRule(Circle.OWNERS),
}
"""What holds where an owner has said nothing."""


@dataclass(frozen=True, slots=True)
class CharacterAccess:
    """Everybody whom a character belongs to, and for whom each deed is open."""

    owner_id: int
    co_owners: tuple[int, ...] = ()
    rules: Mapping[Deed, AccessRule] = field(default_factory=dict)

    def rule(self, deed: Deed) -> AccessRule:
        """The rule of a deed: the owner's, else the one that holds by itself."""
        return self.rules.get(deed, DEFAULT_RULES[deed])

    def belongs_to(self, member_id: int) -> bool:
        """Whether a member is its owner or a co-owner."""
        return member_id == self.owner_id or member_id in self.co_owners
