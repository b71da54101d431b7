"""Merging and splitting looks: seen before it is done, written down, and taken back."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.services.access import require_edit
from bot.services.actor import Actor
from bot.services.casting import pick_appearance
from bot.services.locks import GuildLocks
from bot.services.naming import appearance_slug, clean_name
from bot.services.registrar import Registrar
from bot.services.registry import create_look
from pipeline.domain.character import Appearance, Character, Reference
from pipeline.domain.errors import InvalidInput, WrongState
from pipeline.domain.history import RegistryAction, RegistryEvent
from pipeline.domain.quality import Threshold
from pipeline.quality.contact_sheet import contact_sheet
from pipeline.registry.clusters import SplitProposal, propose_split
from storage import cast, history
from storage.blobs import BlobStore
from storage.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge or a split would do; ``picture`` is a PNG of both groups.

    ``stay`` are the references that ``target`` keeps (merge) or that stay in ``source`` (split);
    ``go`` are those that move. ``proposal`` is there where the program chose them.
    """

    source: str
    target: str
    stay: tuple[int, ...]
    go: tuple[int, ...]
    picture: bytes
    proposal: SplitProposal | None = None


@dataclass(frozen=True, slots=True)
class Reshaped:
    """What was done: how many references moved, and what the check can judge of each look."""

    source: str
    target: str
    moved: int
    readiness: Mapping[str, str]


class ReshapingService:
    """Merge, split and undo; thresholds follow in the same transaction."""

    def __init__(
        self, db: Database, blobs: BlobStore, registrar: Registrar, locks: GuildLocks
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._registrar = registrar
        self._locks = locks

    # --- merge ----------------------------------------------------------------------------

    async def preview_merge(
        self, actor: Actor, character: str, source: str, target: str
    ) -> Preview:
        """Which references would move from ``source`` into ``target``.

        Raises:
            NotFound: no such character or appearance.
            InvalidInput: the two are one.
        """
        _, old, new = await self._pair(actor, character, source, target)
        going, staying = await self._references(old), await self._references(new)
        picture = await self._picture(
            [
                (f"{new.appearance_id} has", staying),
                (f"{old.appearance_id} would move there", going),
            ]
        )
        return Preview(old.appearance_id, new.appearance_id, _ids(staying), _ids(going), picture)

    async def merge(self, actor: Actor, character: str, source: str, target: str) -> Reshaped:
        """Put all references of ``source`` under ``target``, whose description stays.

        Who names the source later is sent on to the target. A picture that both hold stays with
        the source, out of sight.

        Raises:
            NotFound: no such character or appearance.
            NotAllowed: the actor is neither owner nor moderator.
            InvalidInput: the two are one.
        """
        async with self._locks.of(actor.guild_id):
            found, old, new = await self._pair(actor, character, source, target)
            await require_edit(self._db, actor, found, "merge looks of")
            held = {r.sha256 for r in await self._references(new)}
            going = [r for r in await self._references(old) if r.sha256 not in held]

            def apply(tx: Transaction) -> None:
                slugs = frozenset({old.appearance_id, new.appearance_id})
                before = history.state_of(tx, actor.guild_id, found.id, slugs)
                _move(tx, actor, going, new.id)
                cast.retire_appearance(
                    tx, guild_id=actor.guild_id, appearance_row=old.id, into=new.id
                )
                summary = f"merged {old.appearance_id} into {new.appearance_id}"
                _log(tx, actor, found, (RegistryAction.MERGE, summary, before, slugs))

            await self._make(actor, found, dict.fromkeys(_ids(going), new.appearance_id), apply)
        return await self._reshaped(actor, (old, new), len(going))

    # --- split ----------------------------------------------------------------------------

    async def preview_split(
        self, actor: Actor, character: str, appearance: str | None, chosen: Sequence[int] = ()
    ) -> Preview:
        """Which references would leave a look: those chosen, else a proposal from fingerprints.

        Raises:
            NotFound: no such character or appearance.
            InvalidInput: a chosen reference is not in the look, or none would stay.
            MissingReference: too few pictures to propose anything.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        look = await pick_appearance(self._db, found, appearance)
        held = await self._references(look)
        proposal = None if chosen else await self._proposal(look, held)
        going = _picked(look, held, chosen or (proposal.go if proposal else ()))
        staying = [r for r in held if r not in going]
        picture = await self._picture(
            [(f"stay in {look.appearance_id}", staying), ("would move to the new look", going)]
        )
        slug = look.appearance_id
        return Preview(slug, "", _ids(staying), _ids(going), picture, proposal)

    async def split(
        self, actor: Actor, character: str, appearance: str | None, name: str,
        chosen: Sequence[int] = (),
    ) -> Reshaped:  # fmt: skip
        """Move references into a new look, which begins with the description of the old one.

        Raises:
            NotFound: no such character or appearance.
            NotAllowed: the actor is neither owner nor moderator.
            AlreadyExists: the name is taken.
            InvalidInput: a chosen reference is not in the look, or none would stay.
            MissingReference: nothing was chosen and too few pictures to propose anything.
        """
        async with self._locks.of(actor.guild_id):
            found = await cast.find_character(self._db, actor.guild_id, character)
            await require_edit(self._db, actor, found, "split looks of")
            look = await pick_appearance(self._db, found, appearance)
            held = await self._references(look)
            picked = chosen or (await self._proposal(look, held)).go
            going = _picked(look, held, picked)
            label = clean_name(name, "appearance")
            slug = appearance_slug(found.character_id, label)
            new = replace(look, id=0, appearance_id=slug, label=label)

            def apply(tx: Transaction) -> None:
                slugs = frozenset({look.appearance_id, slug})
                before = history.state_of(tx, actor.guild_id, found.id, slugs)
                _move(tx, actor, going, create_look(tx, new))
                summary = f"split {slug} off {look.appearance_id}"
                _log(tx, actor, found, (RegistryAction.SPLIT, summary, before, slugs))

            await self._make(actor, found, dict.fromkeys(_ids(going), slug), apply)
        return await self._reshaped(actor, (look, new), len(going))

    # --- undo -----------------------------------------------------------------------------

    async def undo(self, actor: Actor, character: str) -> RegistryEvent:
        """Take back the newest change that stands; returns it.

        Raises:
            NotFound: no such character.
            NotAllowed: the actor is neither owner nor moderator.
            WrongState: there is nothing to take back, or pictures were added since.
        """
        async with self._locks.of(actor.guild_id):
            found = await cast.find_character(self._db, actor.guild_id, character)
            await require_edit(self._db, actor, found, "undo changes of")
            event = await self._db.write(
                lambda tx: history.last_standing(tx, actor.guild_id, found.id)
            )
            if event is None:
                raise WrongState(f"Nothing was changed of {found.name} that could be taken back.")

            def apply(tx: Transaction) -> None:
                if history.last_standing(tx, actor.guild_id, found.id) != event:
                    raise _meanwhile()
                history.take_back(tx, event, member_id=actor.member_id, now=datetime.now(UTC))

            await self._make(actor, found, event.before.placement, apply)
        return event

    # --- inside ---------------------------------------------------------------------------

    async def _pair(
        self, actor: Actor, character: str, source: str, target: str
    ) -> tuple[Character, Appearance, Appearance]:
        found = await cast.find_character(self._db, actor.guild_id, character)
        old = await pick_appearance(self._db, found, source)
        new = await pick_appearance(self._db, found, target)
        if old.id == new.id:
            raise InvalidInput(f"{old.appearance_id} cannot be merged into itself.")
        return found, old, new

    async def _references(self, look: Appearance) -> list[Reference]:
        return await cast.list_references(self._db, look.guild_id, look.id)

    async def _proposal(self, look: Appearance, held: Sequence[Reference]) -> SplitProposal:
        prints = await cast.fingerprints_of(self._db, look.guild_id, look.id)
        return await asyncio.to_thread(propose_split, prints, [r.id for r in held])

    async def _picture(self, groups: Iterable[tuple[str, Sequence[Reference]]]) -> bytes:
        loaded = [
            (heading, [(r.id, await self._blobs.get(r.guild_id, r.sha256)) for r in references])
            for heading, references in groups
        ]
        return await asyncio.to_thread(contact_sheet, loaded)

    async def _make(
        self,
        actor: Actor,
        character: Character,
        moves: Mapping[int, str],
        apply: Callable[[Transaction], object],
    ) -> None:
        """Carry out a change; thresholds of every look that it touches are renewed with it."""
        guild_id = actor.guild_id
        earlier = await cast.placement_of(self._db, guild_id, character.id)
        later = {**earlier, **moves}
        touched = {earlier[i] for i in moves if i in earlier} | set(moves.values())
        thresholds = await self._thresholds(character, later, touched)

        def write(tx: Transaction) -> None:
            apply(tx)
            state = history.state_of(tx, guild_id, character.id, frozenset(touched))
            if dict(state.placement) != {i: s for i, s in later.items() if s in touched}:
                raise _meanwhile()
            for slug, look in state.looks.items():
                cast.replace_thresholds(
                    tx,
                    guild_id=guild_id,
                    appearance_row=look.id,
                    thresholds=thresholds[slug],
                    now=datetime.now(UTC),
                )

        await self._db.write(write)

    async def _thresholds(
        self, character: Character, placement: Mapping[int, str], slugs: Iterable[str]
    ) -> dict[str, tuple[Threshold, ...]]:
        prints = await cast.canon_fingerprints(self._db, character.guild_id, character.id)

        def compute() -> dict[str, tuple[Threshold, ...]]:
            return {
                slug: self._registrar.thresholds_of(
                    slug, {i: prints[i] for i in sorted(prints) if placement.get(i) == slug}
                )
                for slug in slugs
            }

        return await asyncio.to_thread(compute)

    async def _reshaped(
        self, actor: Actor, looks: tuple[Appearance, Appearance], moved: int
    ) -> Reshaped:
        """What the check can do with each of the two looks now."""
        words: dict[str, str] = {}
        for slug in (look.appearance_id for look in looks):
            now = await cast.find_appearance(self._db, actor.guild_id, slug)
            words[now.appearance_id] = self._registrar.readiness(
                await self._references(now),
                await cast.thresholds_of(self._db, actor.guild_id, now.id),
            )
        return Reshaped(looks[0].appearance_id, looks[1].appearance_id, moved, words)


def _ids(references: Iterable[Reference]) -> tuple[int, ...]:
    return tuple(r.id for r in references)


def _picked(look: Appearance, held: Sequence[Reference], chosen: Sequence[int]) -> list[Reference]:
    """The chosen references of a look.

    Raises:
        InvalidInput: one is not in the look, or none would stay.
    """
    strangers = sorted(set(chosen) - set(_ids(held)))
    if strangers:
        names = ", ".join(f"#{i}" for i in strangers)
        raise InvalidInput(f"{look.appearance_id} has no reference {names}.")
    going = [r for r in held if r.id in set(chosen)]
    if not going or len(going) == len(held):
        raise InvalidInput("A split moves some references and leaves some. Choose others.")
    return going


def _move(tx: Transaction, actor: Actor, going: Sequence[Reference], row: int) -> None:
    cast.move_references(tx, guild_id=actor.guild_id, reference_ids=_ids(going), appearance_row=row)


def _log(
    tx: Transaction,
    actor: Actor,
    character: Character,
    what: tuple[RegistryAction, str, history.LooksState, frozenset[str]],
) -> None:
    action, summary, before, slugs = what
    history.add_event(
        tx,
        guild_id=actor.guild_id,
        character_row=character.id,
        action=action,
        summary=summary,
        before=before,
        after=history.state_of(tx, actor.guild_id, character.id, slugs),
        member_id=actor.member_id,
        now=datetime.now(UTC),
    )


def _meanwhile() -> WrongState:
    return WrongState("Somebody changed these looks meanwhile. Look at the preview again.")
