"""A whole server: when the bot leaves it, and its data as one file."""

import asyncio
import hashlib
import io
import json
import logging
import os
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast

from bot.services.sweeping import Sweeper, Swept
from pipeline.domain.errors import InvalidInput, WrongState
from storage import guild_rows
from storage.blobs import BlobStore
from storage.database import Database
from storage.keys import Keyring
from storage.sealed import LEAST_PASSPHRASE, MAGIC, SealedReader, SealedWriter

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=30)
"""How long the data of a server stays that the bot has left."""
_LOOK_AGAIN = 3600.0  # seconds between two looks for servers whose time is over
_FORMAT = 1
_LARGEST_PICTURE = 256 << 20
_LARGEST_LINE = 64 << 20


@dataclass(frozen=True, slots=True)
class GuildErased:
    """What went with a server; ``traces`` are tables that still hold rows of it: none."""

    rows: int
    swept: Swept
    traces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """What an export or an import carried."""

    guild_id: int
    rows: int
    pictures: int


class GuildService:
    """The data of whole servers. Only whoever runs the bot gets here, never a member."""

    def __init__(self, db: Database, blobs: BlobStore, keyring: Keyring, sweeper: Sweeper) -> None:
        self._db = db
        self._blobs = blobs
        self._keyring = keyring
        self._sweeper = sweeper
        self._next = 0.0

    # --- leaving ----------------------------------------------------------------------------

    async def left(self, guild_id: int) -> None:
        """The bot was taken out of a server: its 30 days begin."""
        now = datetime.now(UTC)
        await self._db.write(lambda tx: guild_rows.note_left(tx, guild_id=guild_id, left_at=now))
        log.info("left a server; its data is erased in %d days", KEPT_FOR.days)

    async def returned(self, guild_id: int) -> None:
        """The bot is back: nothing is erased."""
        await self._db.write(lambda tx: guild_rows.note_left(tx, guild_id=guild_id, left_at=None))

    async def present(self, guild_ids: Iterable[int]) -> None:
        """Where the bot is after a start: what happened while it was away counts from now."""
        here = tuple(guild_ids)
        await self._db.write(
            lambda tx: guild_rows.note_presence(tx, present=here, now=datetime.now(UTC))
        )

    async def erase_due(self, now: datetime | None = None) -> int:
        """The chore: erase the servers that were left 30 days ago; returns how many."""
        if now is None and time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + _LOOK_AGAIN
        due = await guild_rows.left_before(self._db, (now or datetime.now(UTC)) - KEPT_FOR)
        for guild_id in due:
            await self.erase(guild_id)
        return len(due)

    async def erase(self, guild_id: int) -> GuildErased:
        """Erase a server: rows and vectors in one transaction, then pictures, key and backups."""
        counts = await self._db.write(lambda tx: guild_rows.erase_guild(tx, guild_id=guild_id))
        self._keyring.forget(guild_id)
        swept = await self._sweeper.sweep()
        traces = await guild_rows.traces_of_guild(self._db, guild_id)
        left = tuple(table for table in traces if swept.clean or table != "doomed_file")
        log.info("erased a server: %d rows", sum(counts.values()), extra={"action": "erase"})
        return GuildErased(sum(counts.values()), swept, left)

    # --- one file ---------------------------------------------------------------------------

    async def export(self, guild_id: int, out: Path, passphrase: str | None = None) -> Carried:
        """Write everything of a server into a file that is whole or absent.

        Without a passphrase everything in it can be read by whoever has the file.

        Raises:
            InvalidInput: nothing is known of the server, or the passphrase is short.
            OSError: the file cannot be written.
        """
        _check(passphrase)
        if not await guild_rows.knows_guild(self._db, guild_id):
            raise InvalidInput(f"Nothing is kept of server {guild_id} here.")
        unfinished = out.with_name(f".{out.name}.part")
        try:
            with _writing(unfinished, passphrase) as made:
                carried = await self._write(guild_id, made)
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)
        return carried

    async def load(self, source: Path, passphrase: str | None = None) -> Carried:
        """Add a server from a file; all rows come in one transaction, their numbers stay.

        Raises:
            InvalidInput: it is no export, of another version, or damaged.
            WrongKey: another passphrase.
            WrongState: the server is known here, or its numbers are taken.
        """
        with _reading(source, passphrase) as made:
            header = _header(made)
            guild_id = header["guild_id"]
            version = await guild_rows.schema_version(self._db)
            if header["schema"] != version:
                raise InvalidInput(
                    f"This export is of database version {header['schema']}, this program has "
                    f"version {version}. Use the same version of Onmodel at both ends."
                )
            if await guild_rows.knows_guild(self._db, guild_id):
                raise WrongState(
                    f"Server {guild_id} is known here. Erase it first (onmodel guild erase), or "
                    "import into another data folder."
                )
            await self._keyring.guild_key(guild_id)  # its entry, and a key of its own
            pictures = [info for info in made.infolist() if info.filename.startswith("blobs/")]
            for info in pictures:
                await self._take(made, info, guild_id)
            rows = await asyncio.to_thread(lambda: list(_lines(made)))
            count = await self._db.write(
                lambda tx: guild_rows.load_guild_rows(tx, guild_id=guild_id, rows=rows)
            )
        return Carried(guild_id, count, len(pictures))

    async def _write(self, guild_id: int, made: zipfile.ZipFile) -> Carried:
        count = 0
        header = {
            "format": _FORMAT,
            "schema": await guild_rows.schema_version(self._db),
            "guild_id": guild_id,
        }
        made.writestr(_entry("manifest.json"), json.dumps(header), zipfile.ZIP_DEFLATED)
        info = _entry("rows.jsonl")
        info.compress_type = zipfile.ZIP_DEFLATED
        with made.open(info, "w", force_zip64=True) as lines:
            async for table, row in guild_rows.guild_rows(self._db, guild_id):
                text = json.dumps([table, row], ensure_ascii=False, separators=(",", ":"))
                lines.write(text.encode() + b"\n")
                count += 1
        pictures = await self._blobs.names(guild_id)
        for sha256 in pictures:
            data = await self._blobs.get(guild_id, sha256)
            await asyncio.to_thread(made.writestr, _entry(f"blobs/{sha256}"), data)
        return Carried(guild_id, count, len(pictures))

    async def _take(self, made: zipfile.ZipFile, info: zipfile.ZipInfo, guild_id: int) -> None:
        if info.file_size > _LARGEST_PICTURE:
            raise InvalidInput("This export is damaged: a picture is too large.")
        data = await asyncio.to_thread(made.read, info)
        if f"blobs/{hashlib.sha256(data).hexdigest()}" != info.filename:
            raise InvalidInput("This export is damaged: a picture is not what it says.")
        await self._blobs.put(guild_id, data)


def _check(passphrase: str | None) -> None:
    if passphrase is not None and len(passphrase) < LEAST_PASSPHRASE:
        raise InvalidInput(f"A passphrase has at least {LEAST_PASSPHRASE} characters.")


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry without a time of its own, so that equal data give equal files."""
    return zipfile.ZipInfo(name)


@contextmanager
def _writing(path: Path, passphrase: str | None) -> Iterator[zipfile.ZipFile]:
    with ExitStack() as stack:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        stream: IO[bytes] = stack.enter_context(open(handle, "wb"))  # noqa: PTH123 - a handle
        if passphrase is not None:
            stream = stack.enter_context(cast("IO[bytes]", SealedWriter(stream, passphrase)))
        yield stack.enter_context(zipfile.ZipFile(stream, "w", allowZip64=True))


@contextmanager
def _reading(path: Path, passphrase: str | None) -> Iterator[zipfile.ZipFile]:
    with ExitStack() as stack:
        try:
            stream: Any = stack.enter_context(path.open("rb"))
        except OSError as error:
            raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
        sealed = stream.read(len(MAGIC)) == MAGIC
        stream.seek(0)
        if sealed and passphrase is None:
            raise InvalidInput("This export is sealed; say its passphrase (--passphrase-file).")
        if sealed:
            stream = io.BufferedReader(SealedReader(stream, passphrase or ""))
        try:
            yield stack.enter_context(zipfile.ZipFile(stream))
        except zipfile.BadZipFile as error:
            raise InvalidInput("This is no export of a server, or it is damaged.") from error


def _header(made: zipfile.ZipFile) -> dict[str, int]:
    try:
        with made.open("manifest.json") as stream:
            found = json.loads(stream.read(4096))
        header = {name: int(found[name]) for name in ("format", "schema", "guild_id")}
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("This is no export of a server, or it is damaged.") from error
    if header["format"] != _FORMAT or header["guild_id"] <= 0:
        raise InvalidInput("This export was made by another version of Onmodel.")
    return header


def _lines(made: zipfile.ZipFile) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with made.open("rows.jsonl") as stream:
            while line := stream.readline(_LARGEST_LINE):
                table, row = json.loads(line)
                yield table, dict(row)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("This export is damaged: its rows cannot be read.") from error
