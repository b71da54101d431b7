"""Erasing everywhere: rows, vectors, pictures, trained modules, copies of the file."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.services.locks import GuildLocks
from pipeline.domain.character import Character
from storage import audit, cast
from storage.blobs import BlobStore
from storage.database import Database, Transaction
from storage.doomed import COPIES, DoomedFile, DoomedKind, doom, strike
from storage.migrate import remove_backups

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erased:
    """What went with a character.

    ``pictures`` are files that nothing else shows; ``backups`` are copies of the database from
    before its updates, which held the vectors still. ``clean`` is False while another process
    reads an older state of the file: then the bytes leave it with a later checkpoint.
    """

    character: Character
    references: int
    pictures: int
    backups: int
    clean: bool


async def erase_character(
    db: Database,
    blobs: BlobStore,
    locks: GuildLocks,
    character: Character,
    *,
    by: int | None = None,
) -> Erased:
    """Erase a character for good; accepted panels stay. ``by`` stands in the log of decisions.

    Rows go in one transaction; what a crash leaves of files goes at the next start.

    Raises:
        NotFound: it is gone already.
    """
    guild_id = character.guild_id
    async with locks.of(guild_id):  # nobody may register one of its pictures meanwhile
        placed = await cast.placement_of(db, guild_id, character.id)

        def work(tx: Transaction) -> list[str]:
            audit.note(
                tx,
                guild_id=guild_id,
                member_id=by,
                action="character.deleted",
                subject=f"character {character.character_id}",
                detail=f"{len(placed)} references",
                now=datetime.now(UTC),
            )
            gone = cast.delete_character(tx, guild_id=guild_id, character_row=character.id)
            # Written down until it is done: a crash in between leaves no picture behind.
            doom(tx, guild_id=guild_id, kind=DoomedKind.PICTURE, names=[*gone, COPIES])
            return gone

        gone = await db.write(work)
        deleted = [await blobs.delete(guild_id, sha256) for sha256 in gone]
    backups = await asyncio.to_thread(remove_backups, db.path)
    clean = await db.checkpoint()
    if clean:
        await db.write(lambda tx: _strike(tx, guild_id, [*gone, COPIES]))
    log.info(
        "erased a character: %d pictures, %d backups of the database%s",
        sum(deleted), backups, "" if clean else "; the file is cleaned with the next checkpoint",
        extra={"action": "erase"},
    )  # fmt: skip
    return Erased(character, len(placed), sum(deleted), backups, clean)


def _strike(tx: Transaction, guild_id: int, names: Iterable[str]) -> None:
    for name in names:
        strike(tx, file=DoomedFile(guild_id, DoomedKind.PICTURE, name))
