"""What a person may ask about themselves: what is held, a copy of it, to be forgotten."""

import asyncio
import io
import json
import logging
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.services.actor import Actor
from bot.services.locks import GuildLocks
from bot.services.sweeping import Sweeper, Swept
from pipeline.domain.errors import LimitReached, NotFound
from pipeline.domain.privacy import AuditEvent
from storage import audit, privacy
from storage.blobs import BlobStore
from storage.database import Database, Transaction
from storage.privacy import Fate, Forgotten, Held

log = logging.getLogger(__name__)

MOST_PARTS = 5
"""Files that an export may have: each is a message of its own."""
LARGEST_PART = 24 * 2**20
"""Bytes: whatever a server may upload, the parts are put together in memory."""
_HEADROOM = 16 * 1024  # the read-me, and what a zip says about each file
_PER_FILE = 512

_README = """What Onmodel holds about you in this server
============================================

data.json  every row of the studio's database that names you, by table: characters that you own,
           references and drawings that you handed in, panels that you asked for (with your words),
           votes, reviews and labels, consents, what you changed in the registry, and the log.
           Times are UTC. Numbers computed from pictures (vectors) are left out.
references/, drawings/, sketches/
           the pictures that you handed in.
panels/    what was drawn for your requests.

To have it removed: /privacy delete. It shows first what goes, what stays without
your name, and why.
"""


@dataclass(frozen=True, slots=True)
class Foretold:
    """What erasure would do, before anybody confirms it.

    ``references`` are the pictures that the person registered; they go only if asked for.
    ``likenesses`` are characters that show the person; those lose their pictures in any case.
    """

    held: tuple[Held, ...]
    references: int
    likenesses: int

    def count(self, fate: str) -> Mapping[str, int]:
        """Rows by table with one fate."""
        return {held.table: held.rows for held in self.held if held.fate == fate}


@dataclass(frozen=True, slots=True)
class Proof:
    """What was done, and that nothing is left.

    ``traces`` are columns in which the person's id still stands: none, or something is wrong.
    """

    forgotten: Forgotten
    swept: Swept
    traces: tuple[str, ...]

    def count(self, fate: str) -> Mapping[str, int]:
        """Rows by table with one fate."""
        rows = self.forgotten.rows.items()
        return {table: count for (table, done), count in rows if done == fate and count}


@dataclass(frozen=True, slots=True)
class Export:
    """Zips that each fit into an upload, in order; how many pictures found no room."""

    parts: tuple[tuple[str, bytes], ...]
    pictures: int
    left_out: int


@dataclass(slots=True)
class _Part:
    files: list[tuple[str, bytes]] = field(default_factory=list)
    size: int = 0


class PrivacyService:
    """A person's own data in one guild, and the log of decisions for moderators."""

    def __init__(self, db: Database, blobs: BlobStore, sweeper: Sweeper, locks: GuildLocks) -> None:
        self._db = db
        self._blobs = blobs
        self._sweeper = sweeper
        self._locks = locks

    async def foretell(self, actor: Actor) -> Foretold:
        """What :meth:`forget` would do now; changes nothing."""
        held = await privacy.held_of_member(self._db, actor.guild_id, actor.member_id)
        counts = {h.table: h.rows for h in held}
        return Foretold(tuple(held), counts.get("reference", 0), counts.get("likeness", 0))

    async def forget(self, actor: Actor, *, references: bool = False) -> Proof:
        """Forget the actor in this guild: rows in one transaction, then files and copies.

        Args:
            actor: who asks, for themselves.
            references: whether the pictures that they registered go, too.
        """
        guild_id, member_id = actor.guild_id, actor.member_id

        def work(tx: Transaction) -> Forgotten:
            now = datetime.now(UTC)
            done = privacy.forget_member(
                tx, guild_id=guild_id, member_id=member_id, references=references, now=now
            )
            audit.note(
                tx,
                guild_id=guild_id,
                member_id=privacy.NOBODY,
                action="member.erased",
                detail=_summary(done),
                now=now,
            )
            return done

        async with self._locks.of(guild_id):  # nobody computes limits from what goes meanwhile
            done = await self._db.write(work)
        swept = await self._sweeper.sweep()
        traces = await privacy.traces_of_member(self._db, guild_id, member_id)
        if traces:
            log.error("an erased id is left in %s", ", ".join(traces), extra={"action": "erase"})
        return Proof(done, swept, tuple(traces))

    async def export(self, actor: Actor, limit: int) -> Export:
        """Everything about the actor in this guild.

        Args:
            actor: who asks, for themselves.
            limit: bytes that one upload may have.

        Raises:
            LimitReached: not even the words fit into one upload.
        """
        guild_id, member_id = actor.guild_id, actor.member_id
        room = min(limit, LARGEST_PART) - _HEADROOM
        rows = await privacy.rows_of_member(self._db, guild_id, member_id)
        about = {
            "guild_id": str(guild_id),
            "member_id": str(member_id),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "rows": rows,
        }
        data = json.dumps(about, ensure_ascii=False, indent=1).encode()
        words = await asyncio.to_thread(_zip, [("data.json", data)])
        if len(words) > room:
            raise LimitReached(
                "What is held about you is too large to send here. Ask whoever runs the bot for "
                "`onmodel guild export`."
            )
        parts = [_Part(size=len(words))]
        pictures = await privacy.pictures_of_member(self._db, guild_id, member_id)
        left_out = 0
        for name, sha256 in pictures:
            left_out += not await self._place(parts, guild_id, name, sha256, room)
        parts[0].files[:0] = [("README.txt", _readme(left_out)), ("data.json", data)]
        made = await asyncio.gather(*(asyncio.to_thread(_zip, part.files) for part in parts))
        return Export(_named(made), len(pictures), left_out)

    async def log(self, actor: Actor, before: int | None = None) -> list[AuditEvent]:
        """The newest decisions of the guild; of those before a number, if one is given.

        Raises:
            NotAllowed: the actor does not moderate.
        """
        actor.require_moderator("see the log of decisions")
        return await audit.audit_events(self._db, actor.guild_id, before=before)

    async def _place(
        self, parts: list[_Part], guild_id: int, name: str, sha256: str, room: int
    ) -> bool:
        """Put a picture where there is room; False if there is none (or no picture)."""
        try:
            data = await self._blobs.get(guild_id, sha256)
        except NotFound:
            return False
        size = len(data) + _PER_FILE
        part = next((part for part in parts if part.size + size <= room), None)
        if part is None and len(parts) < MOST_PARTS and size <= room:
            part = _Part()
            parts.append(part)
        if part is None:
            return False
        part.files.append((f"{name}.png", data))
        part.size += size
        return True


def _readme(left_out: int) -> bytes:
    text = _README
    if left_out:
        text += (
            f"\n{left_out} pictures found no room in the uploads of this server. Ask whoever runs "
            "the bot for `onmodel guild export`.\n"
        )
    return text.encode()


def _zip(files: Sequence[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in files:
            packed = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            made.writestr(zipfile.ZipInfo(name), data, packed)
    return out.getvalue()


def _named(parts: Sequence[bytes]) -> tuple[tuple[str, bytes], ...]:
    if len(parts) == 1:
        return (("my-data.zip", parts[0]),)
    return tuple((f"my-data-{n}-of-{len(parts)}.zip", p) for n, p in enumerate(parts, start=1))


def _summary(done: Forgotten) -> str:
    totals = dict.fromkeys(Fate, 0)
    for (_, fate), count in done.rows.items():
        totals[fate] += count
    return ", ".join(f"{count} rows {fate}" for fate, count in totals.items() if count)
