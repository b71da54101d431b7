"""Takes away the files that a transaction doomed, at once and, after a crash, at the next start."""

import asyncio
import logging
import time
from dataclasses import dataclass
from itertools import groupby

from bot.services.locks import GuildLocks
from pipeline.generation.modules import ModuleShelf
from storage.blobs import BlobStore
from storage.database import Database, Transaction
from storage.doomed import (
    COPIES,
    DoomedFile,
    DoomedKind,
    condemned,
    doomed_files,
    strike,
)
from storage.keys import Keyring
from storage.migrate import remove_backups

log = logging.getLogger(__name__)

_LOOK_AGAIN = 300.0  # seconds between two looks of the chore


@dataclass(frozen=True, slots=True)
class Swept:
    """What went: pictures, module files, backups of the database.

    ``clean`` is False while another process reads an older state of the database file: then the
    bytes leave it with a later checkpoint.
    """

    pictures: int = 0
    modules: int = 0
    backups: int = 0
    clean: bool = True


class Sweeper:
    """Empties the list of doomed files. Deleting twice does no harm: a crash may come anytime."""

    def __init__(
        self,
        db: Database,
        blobs: BlobStore,
        keyring: Keyring,
        shelf: ModuleShelf,
        locks: GuildLocks,
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._keyring = keyring
        self._shelf = shelf
        self._locks = locks
        self._next = 0.0

    async def sweep(self) -> Swept:
        """Take everything away that is doomed, then the backups and the freed pages of the file."""
        doomed = await doomed_files(self._db)
        if not doomed:
            return Swept()
        pictures = modules = 0
        for guild_id, files in groupby(doomed, key=lambda file: file.guild_id):
            async with self._locks.of(guild_id):  # nobody registers one of the pictures meanwhile
                for file in await self._condemned(guild_id, list(files)):
                    drawn, trained = await self._remove(file)
                    pictures += drawn
                    modules += trained
        backups = await asyncio.to_thread(remove_backups, self._db.path)
        clean = await self._db.checkpoint()
        if clean:
            await self._strike(doomed)
            await self._db.checkpoint()
        log.info(
            "swept %d pictures, %d modules, %d backups%s", pictures, modules, backups,
            "" if clean else "; the file is cleaned with a later sweep", extra={"action": "sweep"},
        )  # fmt: skip
        return Swept(pictures, modules, backups, clean)

    async def chore(self) -> None:
        """Sweep what a crash or a reader left, now and then."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LOOK_AGAIN
            await self.sweep()

    async def _condemned(self, guild_id: int, files: list[DoomedFile]) -> list[DoomedFile]:
        return await self._db.write(lambda tx: condemned(tx, guild_id=guild_id, files=files))

    async def _remove(self, file: DoomedFile) -> tuple[int, int]:
        """Take one away; returns how many pictures and how many modules went."""
        match file.kind:
            case DoomedKind.PICTURE if file.name == COPIES:
                return 0, 0
            case DoomedKind.PICTURE:
                return int(await self._blobs.delete(file.guild_id, file.name)), 0
            case DoomedKind.MODULE:
                return 0, await asyncio.to_thread(self._shelf.remove, file.guild_id, file.name)
            case DoomedKind.GUILD:
                drawn = len(await self._blobs.names(file.guild_id))
                await self._blobs.delete_guild(file.guild_id)
                self._keyring.forget(file.guild_id)
                return drawn, await asyncio.to_thread(self._shelf.remove, file.guild_id)

    async def _strike(self, files: list[DoomedFile]) -> None:
        def work(tx: Transaction) -> None:
            for file in files:
                strike(tx, file=file)

        await self._db.write(work)
