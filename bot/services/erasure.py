"""Erasing everywhere: rows, vectors, pictures, trained modules, copies of the file."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.services.locks import GuildLocks
from pipeline.domain.character import Character
from storage import audit, cast
from storage.blobs import BlobStore
from storage.database import Database, Transaction
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

    Rows go in one transaction; after a crash behind it pictures may be left that nothing names.

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
            return cast.delete_character(tx, guild_id=guild_id, character_row=character.id)

        gone = await db.write(work)
        deleted = [await blobs.delete(guild_id, sha256) for sha256 in gone]
    backups = await asyncio.to_thread(remove_backups, db.path)
    clean = await db.checkpoint()
    log.info(
        "erased a character: %d pictures, %d backups of the database%s",
        sum(deleted), backups, "" if clean else "; the file is cleaned with the next checkpoint",
        extra={"action": "erase"},
    )  # fmt: skip
    return Erased(character, len(placed), sum(deleted), backups, clean)
