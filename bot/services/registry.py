"""The registry beside its pictures: edits, looks, marks, coverage, history."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.services.access import require_edit
from bot.services.actor import Actor
from bot.services.casting import pick_appearance
from bot.services.edits import CharacterEdit, LookEdit
from bot.services.locks import GuildLocks
from bot.services.naming import appearance_slug, clean_name
from bot.services.wardrobe import Wardrobe, wardrobe_at
from bot.services.wordlists import require_clean
from pipeline.domain.character import (
    Appearance,
    Character,
    Reference,
    ReferenceKind,
    ShotType,
    StoryPoint,
    appearance_at,
)
from pipeline.domain.errors import NotFound, WrongState
from pipeline.domain.history import RegistryAction, RegistryEvent
from pipeline.domain.vocabulary import checked_angle, checked_expression
from pipeline.quality.coverage_sheet import coverage_sheet
from pipeline.retrieval.coverage import CharacterCoverage, Coverage, coverage_of
from storage import cast, history
from storage.blobs import BlobStore
from storage.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class ReferenceEdit:
    """What a person says about one picture; None leaves a field. Said is confirmed."""

    shot_type: ShotType | None = None
    angle: str | None = None
    expression: str | None = None
    kind: ReferenceKind | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A character with its looks, and their references by ``appearance_id``."""

    character: Character
    looks: tuple[Appearance, ...]
    references: Mapping[str, tuple[Reference, ...]]


@dataclass(frozen=True, slots=True)
class Edited:
    """An entry and the look that was worked on."""

    character: Character
    look: Appearance


class RegistryService:
    """What people say about the cast."""

    def __init__(self, db: Database, blobs: BlobStore, locks: GuildLocks) -> None:
        self._db = db
        self._blobs = blobs
        self._locks = locks

    # --- reading --------------------------------------------------------------------------

    async def entry(self, actor: Actor, character: str) -> Entry:
        """A character with everything that is registered under it.

        Raises:
            NotFound: no such character.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        looks = await cast.list_appearances(self._db, actor.guild_id, found.id)
        references = {
            look.appearance_id: tuple(await cast.list_references(self._db, actor.guild_id, look.id))
            for look in looks
        }
        return Entry(found, tuple(looks), references)

    async def coverage(self, actor: Actor, character: str) -> CharacterCoverage:
        """What the references show and what is missing, as data.

        Raises:
            NotFound: no such character.
        """
        return _coverage(await self.entry(actor, character))

    async def coverage_sheet(self, actor: Actor, character: str) -> bytes:
        """The same as a picture (PNG).

        Raises:
            NotFound: no such character.
        """
        entry = await self.entry(actor, character)
        every = [r for references in entry.references.values() for r in references]
        pictures = {r.id: await self._blobs.get(actor.guild_id, r.sha256) for r in every}
        return await asyncio.to_thread(coverage_sheet, _coverage(entry), entry.references, pictures)

    async def look_at(
        self, actor: Actor, character: str, chapter: int, page: int
    ) -> Appearance | None:
        """The look that a character wears at a place of the story; None where none is valid.

        Raises:
            NotFound: no such character.
        """
        entry = await self.entry(actor, character)
        return appearance_at(entry.looks, StoryPoint(chapter, page))

    async def wardrobe(
        self, actor: Actor, chapter: int | None = None, page: int | None = None
    ) -> Wardrobe:
        """Who wears what at a place of the story.

        Raises:
            NotFound: the guild has no series.
            InvalidInput: chapter or page are out of their limits.
        """
        return await wardrobe_at(self._db, actor.guild_id, chapter, page)

    async def history(self, actor: Actor, character: str, limit: int = 20) -> list[RegistryEvent]:
        """What was changed, newest first.

        Raises:
            NotFound: no such character.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        return await history.list_events(self._db, actor.guild_id, found.id, limit)

    # --- changing -------------------------------------------------------------------------

    async def edit(
        self,
        actor: Actor,
        character: str,
        change: CharacterEdit,
        appearance: str | None = None,
        look_change: LookEdit | None = None,
    ) -> Edited:
        """Change an entry, one of its looks, or both at once.

        Raises:
            NotFound: no such character or appearance.
            NotAllowed: the actor is neither owner nor moderator.
            InvalidInput: a value is out of its limits; nothing is changed then.
        """
        async with self._locks.of(actor.guild_id):
            found = await self._own(actor, character, "edit")
            look = await pick_appearance(self._db, found, appearance)
            changed = change.applied(found)
            edited = look if look_change is None else look_change.applied(look)
            said = (change.name, change.notes, change.credits, change.license, *_said(edited))
            await require_clean(self._db, actor.guild_id, *said)

            def write(tx: Transaction) -> None:
                cast.put_character(tx, changed)
                if edited != look:
                    _logged_edit(tx, actor, look, edited)

            await self._db.write(write)
        return Edited(changed, edited)

    async def look_of(self, actor: Actor, appearance_row: int) -> tuple[Character, Appearance]:
        """A look by its row, as buttons name it, and whose it is.

        Raises:
            NotFound: it is gone, or never was this guild's.
        """
        looks = await cast.list_appearances(self._db, actor.guild_id)
        look = next((a for a in looks if a.id == appearance_row), None)
        if look is None:
            raise NotFound("That look is gone; it was merged or removed. See /character sheet.")
        everyone = await cast.list_characters(self._db, actor.guild_id)
        return next(c for c in everyone if c.id == look.character_row), look

    async def settle_suggestions(
        self, actor: Actor, appearance_row: int, right: Collection[str] | None
    ) -> Edited:
        """Make facts of those colours that a person confirms; the other suggestions go.

        Args:
            actor: who confirms.
            appearance_row: the look.
            right: the components that are right, None for all. What is known already stays.

        Raises:
            NotFound: no such look.
            NotAllowed: the actor may not edit the character.
            WrongState: somebody was quicker.
        """
        character, look = await self.look_of(actor, appearance_row)
        if not look.suggested:
            raise WrongState(
                "Nothing is left to confirm here; somebody was quicker. See /character edit."
            )
        facts = {
            slot: value
            for slot, value in look.suggested.items()
            if (right is None or slot in right) and slot not in look.components
        }
        change = LookEdit(components=facts, drop_suggestions=True)
        return await self.edit(
            actor, character.character_id, CharacterEdit(), look.appearance_id, change
        )

    async def add_look(
        self, actor: Actor, character: str, name: str, like: str | None, change: LookEdit
    ) -> Edited:
        """Start a look without pictures; ``like`` names one whose description it begins with.

        Raises:
            NotFound: no such character or appearance.
            NotAllowed: the actor is neither owner nor moderator.
            AlreadyExists: the name is taken.
            InvalidInput: a value is out of its limits.
        """
        async with self._locks.of(actor.guild_id):
            found = await self._own(actor, character, "add a look to")
            label = clean_name(name, "appearance")
            slug = appearance_slug(found.character_id, label)
            model = await pick_appearance(self._db, found, like) if like else None
            empty = Appearance(0, actor.guild_id, found.id, slug, label)
            if model is not None:
                empty = replace(
                    model, id=0, appearance_id=slug, label=label, suggested={},
                    version=model.version + 1,
                )  # fmt: skip
            look = change.applied(empty)
            await require_clean(self._db, actor.guild_id, *_said(look))

            def write(tx: Transaction) -> int:
                row = create_look(tx, look)
                slugs = frozenset({slug})
                history.add_event(
                    tx,
                    guild_id=actor.guild_id,
                    character_row=found.id,
                    action=RegistryAction.ADD,
                    summary=f"added {slug}",
                    before=history.LooksState(),
                    after=history.state_of(tx, actor.guild_id, found.id, slugs),
                    member_id=actor.member_id,
                    now=datetime.now(UTC),
                )
                return row

            row = await self._db.write(write)
        return Edited(found, replace(look, id=row))

    async def describe_reference(
        self, actor: Actor, character: str, reference_id: int, change: ReferenceEdit
    ) -> Reference:
        """Say or confirm what a picture shows.

        Raises:
            NotFound: no such character, or the reference is not one of its own.
            NotAllowed: the actor is neither owner nor moderator.
            InvalidInput: the angle or expression is none.
        """
        async with self._locks.of(actor.guild_id):
            found = await self._own(actor, character, "describe the pictures of")
            old = await reference_of(self._db, found, reference_id)
            said = {
                "shot_type": change.shot_type,
                "angle": None if change.angle is None else checked_angle(change.angle),
                "expression": (
                    None if change.expression is None else checked_expression(change.expression)
                ),
                "kind": change.kind,
            }
            said = {name: value for name, value in said.items() if value is not None}
            guessed = tuple(name for name in old.guessed if said and name not in said)
            new = replace(old, **said, guessed=guessed)
            await self._db.write(lambda tx: cast.put_reference(tx, new))
        return new

    # --- inside ---------------------------------------------------------------------------

    async def _own(self, actor: Actor, character: str, action: str) -> Character:
        found = await cast.find_character(self._db, actor.guild_id, character)
        await require_edit(self._db, actor, found, action)
        return found


async def reference_of(db: Database, character: Character, reference_id: int) -> Reference:
    """A reference that is the character's own.

    Raises:
        NotFound: it is not.
    """
    placed = await cast.placement_of(db, character.guild_id, character.id)
    if reference_id not in placed:
        raise NotFound(f"{character.name} has no reference {reference_id}.")
    return await cast.get_reference(db, character.guild_id, reference_id)


def create_look(tx: Transaction, look: Appearance) -> int:
    """Store a new look with everything that describes it; returns its row id."""
    row = cast.create_appearance(
        tx,
        guild_id=look.guild_id,
        character_row=look.character_row,
        appearance_id=look.appearance_id,
        label=look.label,
        components={},
        palette=(),
        notes="",
        now=datetime.now(UTC),
    )
    cast.put_appearance(tx, replace(look, id=row))
    return row


def _logged_edit(tx: Transaction, actor: Actor, old: Appearance, new: Appearance) -> None:
    changed = [n for n in history.DESCRIPTION if getattr(old, n) != getattr(new, n)]
    cast.put_appearance(tx, new)
    # Where the references lie is not touched by an edit, so undoing one must not move any.
    history.add_event(
        tx,
        guild_id=actor.guild_id,
        character_row=old.character_row,
        action=RegistryAction.EDIT,
        summary=f"edited {old.appearance_id}: {', '.join(changed)}".replace("_", " "),
        before=history.LooksState({old.appearance_id: old}),
        after=history.LooksState({old.appearance_id: new}),
        member_id=actor.member_id,
        now=datetime.now(UTC),
    )


def _coverage(entry: Entry) -> CharacterCoverage:
    looks: tuple[Coverage, ...] = tuple(
        coverage_of(look, entry.references[look.appearance_id], entry.character.kind)
        for look in entry.looks
    )
    return CharacterCoverage(
        entry.character.character_id, entry.character.name, entry.character.kind, looks
    )


def _said(look: Appearance) -> tuple[str, ...]:
    """What people wrote about a look."""
    return (look.label, look.notes, look.colorway, *look.components.values())
