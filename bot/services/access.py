"""Whose a character is, and who may ask for it, change it, or train on it.

Deleting a character, giving it away and changing its rules is for its owner and moderators alone.
Everything else is a :class:`Deed` that an owner opens to a circle.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.services.actor import Actor
from bot.services.locks import GuildLocks
from pipeline.domain.access import AccessRule, CharacterAccess, Circle, Deed
from pipeline.domain.character import Character
from pipeline.domain.errors import AlreadyExists, InvalidInput, LimitReached, NotAllowed, NotFound
from storage import access, audit, cast
from storage.database import Database, Transaction

MAX_CO_OWNERS = 10
NOBODY = 1  # who owns what an erased person owned, see storage/privacy.py


@dataclass(frozen=True, slots=True)
class Ownership:
    """A character and everything that is said of its rights."""

    character: Character
    access: CharacterAccess


class AccessService:
    """What owners decide."""

    def __init__(self, db: Database, locks: GuildLocks) -> None:
        self._db = db
        self._locks = locks

    async def show(self, actor: Actor, character: str) -> Ownership:
        """Whose a character is, and for whom it is open.

        Raises:
            NotFound: no such character.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        return Ownership(found, await rights_of(self._db, found))

    async def editable(self, actor: Actor) -> list[Character]:
        """The characters that the actor may add pictures to, in alphabetical order."""
        rights = await access.access_in(self._db, actor.guild_id)
        everyone = await cast.list_characters(self._db, actor.guild_id)
        return [c for c in everyone if c.id in rights and may(actor, rights[c.id], Deed.EDIT)]

    async def share(self, actor: Actor, character: str, member_id: int) -> Ownership:
        """Make a member a co-owner: they edit, export and ask for the character as its owner does.

        Raises:
            NotFound: no such character.
            NotAllowed: the actor is neither owner nor moderator.
            AlreadyExists: they own it already.
            LimitReached: it has as many owners as it can have.
        """
        async with self._locks.of(actor.guild_id):
            held = await self._own(actor, character, "share")
            name = held.character.name
            if held.access.belongs_to(member_id):
                raise AlreadyExists(f"<@{member_id}> owns {name} already.")
            if len(held.access.co_owners) >= MAX_CO_OWNERS:
                raise LimitReached(f"{name} has {MAX_CO_OWNERS} co-owners; that is the most.")

            def write(tx: Transaction) -> None:
                now = datetime.now(UTC)
                access.add_co_owner(
                    tx,
                    guild_id=actor.guild_id,
                    character_row=held.character.id,
                    member_id=member_id,
                    now=now,
                )
                _note(tx, actor, held.character, "character.shared", f"with {member_id}", now)

            await self._db.write(write)
        return await self.show(actor, held.character.character_id)

    async def unshare(self, actor: Actor, character: str, member_id: int) -> Ownership:
        """End a co-ownership; a co-owner may end their own.

        Raises:
            NotFound: no such character, or the member is no co-owner.
            NotAllowed: the actor is neither owner nor moderator, nor the member.
        """
        async with self._locks.of(actor.guild_id):
            held = await self.show(actor, character)
            if member_id != actor.member_id:
                actor.require_own(held.access.owner_id, f"unshare {held.character.name}")
            if member_id not in held.access.co_owners:
                raise NotFound(f"<@{member_id}> is no co-owner of {held.character.name}.")

            def write(tx: Transaction) -> None:
                access.remove_co_owner(
                    tx,
                    guild_id=actor.guild_id,
                    character_row=held.character.id,
                    member_id=member_id,
                )
                now = datetime.now(UTC)
                _note(tx, actor, held.character, "character.unshared", f"from {member_id}", now)

            await self._db.write(write)
        return await self.show(actor, held.character.character_id)

    async def transfer(self, actor: Actor, character: str, member_id: int) -> Ownership:
        """Give a character to another member; who owned it stays as a co-owner.

        Raises:
            NotFound: no such character, or it was given away meanwhile.
            NotAllowed: the actor is neither owner nor moderator.
            InvalidInput: it is theirs already.
        """
        async with self._locks.of(actor.guild_id):
            held = await self._own(actor, character, "give away")
            row, old = held.character.id, held.access.owner_id
            if member_id == old:
                raise InvalidInput(f"<@{member_id}> owns {held.character.name} already.")

            def write(tx: Transaction) -> bool:
                now = datetime.now(UTC)
                guild_id = actor.guild_id
                if not access.set_owner(
                    tx, guild_id=guild_id, character_row=row, owner_id=member_id, expected=old
                ):
                    return False
                access.remove_co_owner(
                    tx, guild_id=guild_id, character_row=row, member_id=member_id
                )
                if old != NOBODY and len(held.access.co_owners) < MAX_CO_OWNERS:
                    access.add_co_owner(
                        tx, guild_id=guild_id, character_row=row, member_id=old, now=now
                    )
                detail = f"from {old} to {member_id}"
                _note(tx, actor, held.character, "character.transferred", detail, now)
                return True

            if not await self._db.write(write):
                raise NotFound(f"{held.character.name} was given away just now. Look again.")
        return await self.show(actor, held.character.character_id)

    async def open_to(
        self, actor: Actor, character: str, rules: Mapping[Deed, AccessRule]
    ) -> Ownership:
        """Say who may do what with a character; deeds that are not named stay as they are.

        Raises:
            NotFound: no such character.
            NotAllowed: the actor is neither owner nor moderator.
            InvalidInput: a role is missing, or nobody at all could edit it.
        """
        for deed, rule in rules.items():
            if (rule.circle is Circle.ROLE) != (rule.role_id is not None):
                raise InvalidInput("Name the role that you mean: role:@Artists.")
            if deed is Deed.EDIT and rule.circle is Circle.NOBODY:
                raise InvalidInput("Its owner can always edit a character. Choose owners instead.")
        held = await self._own(actor, character, "change the rights of")

        def write(tx: Transaction) -> None:
            for deed, rule in rules.items():
                access.put_rule(
                    tx,
                    guild_id=actor.guild_id,
                    character_row=held.character.id,
                    deed=deed,
                    rule=rule,
                )
                detail = f"{deed.value}: {rule.circle.value} {rule.role_id or ''}".strip()
                _note(tx, actor, held.character, "character.access", detail, datetime.now(UTC))

        await self._db.write(write)
        return await self.show(actor, held.character.character_id)

    async def _own(self, actor: Actor, character: str, action: str) -> Ownership:
        held = await self.show(actor, character)
        actor.require_own(held.access.owner_id, f"{action} {held.character.name}")
        return held


async def rights_of(db: Database, character: Character) -> CharacterAccess:
    """Owner, co-owners and rules of a character, as they are now."""
    found = await access.access_in(db, character.guild_id, character.id)
    return found.get(character.id, CharacterAccess(character.owner_id))


def may(actor: Actor, rights: CharacterAccess, deed: Deed) -> bool:
    """Whether a character is open to a member for a deed."""
    rule = rights.rule(deed)
    if rule.circle is Circle.NOBODY:
        return False
    if actor.moderates or rights.belongs_to(actor.member_id):
        return True
    return rule.circle is Circle.EVERYONE or rule.role_id in actor.roles


async def require_edit(db: Database, actor: Actor, character: Character, action: str) -> None:
    """Let those pass who may change a character.

    Raises:
        NotAllowed: the actor may not; the text says who can help.
    """
    if not may(actor, await rights_of(db, character), Deed.EDIT):
        raise _refused(
            f"Only its owner or a moderator may {action} “{character.name}”, and whom they let. "
            "Its owner can add you with /character owners.",
            character,
        )


async def require_ownership(db: Database, actor: Actor, character: Character, action: str) -> None:
    """Let owner, co-owners and moderators pass, whatever else is open.

    Raises:
        NotAllowed: anyone else.
    """
    rights = await rights_of(db, character)
    if not actor.moderates and not rights.belongs_to(actor.member_id):
        raise _refused(
            f"Only its owner or a moderator may {action} “{character.name}”, and its co-owners. "
            "Its owner can add you with /character owners.",
            character,
        )


async def require_request(db: Database, actor: Actor, characters: Iterable[Character]) -> None:
    """Let a request pass whose whole cast is open to the actor.

    Raises:
        NotAllowed: a character is not; the text says whom to ask.
    """
    for character in characters:
        rights = await rights_of(db, character)
        if may(actor, rights, Deed.REQUEST):
            continue
        match rights.rule(Deed.REQUEST):
            case AccessRule(Circle.NOBODY):
                words = f"{character.name} is at rest: its owner lets nobody ask for panels of it."
            case AccessRule(Circle.ROLE, role_id):
                words = f"Panels of {character.name} are for members with <@&{role_id}>."
            case _:
                words = f"Panels of {character.name} are for its owners."
        raise _refused(words, character)


async def trainable(db: Database, guild_id: int, characters: Iterable[str]) -> set[str]:
    """Those of some characters that their owners let be trained, by ``character_id``."""
    rights = await access.access_in(db, guild_id)
    by_id = {c.character_id: c for c in await cast.list_characters(db, guild_id)}
    return {
        name
        for name in characters
        if name in by_id
        and by_id[name].id in rights
        and rights[by_id[name].id].rule(Deed.TRAIN).circle is not Circle.NOBODY
    }


def _refused(words: str, character: Character) -> NotAllowed:
    """A refusal, and whom to ask, unless the owner is gone."""
    if character.owner_id == NOBODY:
        return NotAllowed(words)
    return NotAllowed(f"{words} You can ask <@{character.owner_id}>.")


def _note(
    tx: Transaction, actor: Actor, character: Character, action: str, detail: str, now: datetime
) -> None:
    audit.note(
        tx,
        guild_id=actor.guild_id,
        member_id=actor.member_id,
        action=action,
        subject=f"character {character.character_id}",
        detail=detail,
        now=now,
    )
