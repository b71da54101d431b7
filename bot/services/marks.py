"""Must-keep marks: regions of references that no drawing may lose."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.services.access import require_edit
from bot.services.actor import Actor
from bot.services.boxes import read_box
from bot.services.casting import pick_appearance
from bot.services.edits import limited
from bot.services.locks import GuildLocks
from bot.services.naming import clean_name
from bot.services.registry import reference_of
from bot.services.wordlists import require_clean
from pipeline.domain.character import Character, Mark
from pipeline.domain.errors import NotFound
from pipeline.domain.geometry import Size
from pipeline.domain.vocabulary import checked_side
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.decode import load_canonical
from pipeline.registry.marks import checked_box, mark_prints
from storage import cast
from storage.blobs import BlobStore
from storage.database import Database, Transaction


class MarkService:
    """Marks are named, fingerprinted and forgotten here."""

    def __init__(
        self, db: Database, blobs: BlobStore, encoders: Sequence[Encoder], locks: GuildLocks
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._encoders = tuple(encoders)
        self._locks = locks

    async def all(self, actor: Actor, character: str, appearance: str | None) -> list[Mark]:
        """The must-keep marks of a look.

        Raises:
            NotFound: no such character or appearance.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        look = await pick_appearance(self._db, found, appearance)
        return await cast.list_marks(self._db, actor.guild_id, look.id)

    async def add(
        self, actor: Actor, character: str, reference_id: int, *, name: str, region: str,
        side: str = "", notes: str = "",
    ) -> Mark:  # fmt: skip
        """Name a must-keep region of a reference and fingerprint it.

        Raises:
            NotFound: no such character, or the reference is not one of its own.
            NotAllowed: the actor is neither owner nor moderator.
            InvalidInput: the region does not lie inside the reference.
            AlreadyExists: the reference has a mark of this name.
        """
        limited("notes", notes, 200)
        await require_clean(self._db, actor.guild_id, name, notes)
        async with self._locks.of(actor.guild_id):
            found = await self._own(actor, character, "mark pictures of")
            reference = await reference_of(self._db, found, reference_id)
            size = Size(reference.width, reference.height)
            box = checked_box(read_box(region, size), size)
            name, side = clean_name(name, "name of the mark"), checked_side(side)
            png = await self._blobs.get(actor.guild_id, reference.sha256)
            prints = await asyncio.to_thread(
                lambda: mark_prints(load_canonical(png), box, self._encoders)
            )
            row = await self._db.write(
                lambda tx: cast.add_mark(
                    tx,
                    guild_id=actor.guild_id,
                    reference_id=reference.id,
                    name=name,
                    side=side,
                    box=box,
                    notes=notes.strip(),
                    prints=prints,
                    now=datetime.now(UTC),
                )
            )
        return Mark(row, actor.guild_id, reference.id, name, side, box, notes.strip())

    async def remove(self, actor: Actor, character: str, name: str) -> list[Mark]:
        """Forget the marks of one name on all looks of a character; returns them.

        Raises:
            NotFound: no such character or mark.
            NotAllowed: the actor is neither owner nor moderator.
        """
        found = await self._own(actor, character, "edit the marks of")
        key = name.strip().casefold()
        gone = [
            mark
            for look in await cast.list_appearances(self._db, actor.guild_id, found.id)
            for mark in await cast.list_marks(self._db, actor.guild_id, look.id)
            if mark.name.casefold() == key
        ]
        if not gone:
            raise NotFound(f"{found.name} has no mark “{name}”. See /character sheet.")

        def write(tx: Transaction) -> None:
            for mark in gone:
                cast.remove_mark(tx, guild_id=actor.guild_id, mark_id=mark.id)

        await self._db.write(write)
        return gone

    async def _own(self, actor: Actor, character: str, action: str) -> Character:
        found = await cast.find_character(self._db, actor.guild_id, character)
        await require_edit(self._db, actor, found, action)
        return found
