"""Pays what is owed to Discord: every item of the outbox becomes exactly one post.

A try is counted before it is made. So an item that comes with earlier tries may have been posted
already by somebody who died before noting it, and is looked for before it is posted.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Protocol

from bot.queue.waiting import first_of
from pipeline.domain.errors import OnModelError
from pipeline.domain.review import Loss, OutboxItem, Posted, PostKind
from storage import outbox
from storage.database import Database, Transaction

log = logging.getLogger(__name__)

_DAY = 86_400.0  # seconds; one notice a day about posts that nobody takes


class PostRefused(OnModelError):
    """Raised by a poster when no later try can help: the channel is gone, say."""

    code = "post_refused"


class Poster(Protocol):
    """Puts items where people see them."""

    async def find(self, item: OutboxItem) -> Posted | None:
        """The post of an earlier try, or None when there is none. Asked only if tries > 0."""
        ...

    async def post(self, item: OutboxItem) -> Posted:
        """Make the post.

        Raises:
            PostRefused: it can never be made.
            Exception: it may be tried again later.
        """
        ...


@dataclass(frozen=True, slots=True)
class PumpLimits:
    """How hard the pump tries.

    Attributes:
        at_once: posts on their way at the same time.
        poll: seconds between two looks when nobody tells of new items.
        post: seconds that one look and post may take. Shorter than the pause after which an item
            that was taken is due again.
        tries: an item is given up after so many; with the ledger's pauses that is about a day.
        stop: seconds that posts on their way get when the program stops.
    """

    at_once: int = 4
    poll: float = 2.0
    post: float = 25.0
    tries: int = outbox.MOST_TRIES
    stop: float = 3.0


def owe_notice(tx: Transaction, guild_id: int, loss: Loss, which: str, words: str = "") -> None:
    """Tell a server once that something is gone or closed; ``which`` tells losses apart."""
    outbox.owe(
        tx,
        guild_id=guild_id,
        kind=PostKind.NOTICE,
        subject_id=0,
        dedupe_key=f"notice:{loss.value}:{which}",
        payload={"loss": loss.value, "words": words},
        now=time.time(),
    )


class OutboxPump:
    """Posts what is due; one pump per database."""

    def __init__(self, db: Database, poster: Poster, limits: PumpLimits | None = None) -> None:
        self._db = db
        self._poster = poster
        self._limits = limits or PumpLimits()
        self._wake = asyncio.Event()
        self._on_their_way: dict[int, asyncio.Task[None]] = {}

    def notify(self) -> None:
        """Something is owed: look now."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Post until ``stop`` is set; posts on their way get a moment to end.

        Whatever an earlier process left is due at once, because nobody else is posting now.
        """
        try:
            await self._resume()
            while not stop.is_set():
                self._wake.clear()  # before the look, so that no notice is lost
                taken = await self._take()
                if not taken:
                    await first_of(self._limits.poll, stop, self._wake)
        finally:
            await self._let_end()

    async def _resume(self) -> None:
        try:
            await self._db.write(lambda tx: outbox.resume(tx, now=time.time()))
        except Exception:
            log.exception("the outbox could not be resumed; its items wait for their time")

    async def _take(self) -> bool:
        """Start posting what is due, as far as there is room; False when there is nothing to do."""
        room = self._limits.at_once - len(self._on_their_way)
        if room <= 0:
            return False
        try:
            items = await self._db.write(
                lambda tx: outbox.take_due(tx, now=time.time(), limit=room)
            )
        except Exception:
            log.exception("the outbox could not be read")
            return False
        fresh = [item for item in items if item.id not in self._on_their_way]
        for item in fresh:
            task = asyncio.create_task(self._deliver(item))
            self._on_their_way[item.id] = task
            task.add_done_callback(lambda _, item_id=item.id: self._arrived(item_id))
        return bool(fresh)

    def _arrived(self, item_id: int) -> None:
        del self._on_their_way[item_id]
        self._wake.set()  # there is room, and a later item of the same subject may be due now

    async def _deliver(self, item: OutboxItem) -> None:
        """One try at one item; its end is noted in the ledger."""
        try:
            async with asyncio.timeout(self._limits.post):
                posted = await self._find_or_post(item)
        except Exception as error:  # noqa: BLE001 - a poster may fail in any way; logged below
            await self._note_failure(item, error)
            return
        try:
            await self._db.write(
                lambda tx: outbox.mark_posted(tx, item_id=item.id, posted=posted, now=time.time())
            )
        except Exception:
            log.exception("post %d was made but not noted; it will be found", item.id)

    async def _find_or_post(self, item: OutboxItem) -> Posted:
        if item.tries > 0:
            found = await self._poster.find(item)
            if found is not None:
                log.info("post %d was made before", item.id, extra={"action": "outbox_found"})
                return found
        return await self._poster.post(item)

    async def _note_failure(self, item: OutboxItem, error: Exception) -> None:
        give_up = isinstance(error, PostRefused) or item.tries + 1 >= self._limits.tries
        known = isinstance(error, OnModelError | OSError)  # the words say enough
        serious = give_up and item.kind is not PostKind.NOTICE  # nobody is there to be told
        log.log(
            logging.ERROR if serious else logging.WARNING,
            "post %d (%s of %d), try %d: %s: %r",
            item.id, item.kind.value, item.subject_id, item.tries + 1,
            "given up" if give_up else "will be tried again", error,
            exc_info=None if known and not serious else error,
            extra={"action": "outbox_failed"},
        )  # fmt: skip
        words = str(error) if isinstance(error, OnModelError) else type(error).__name__

        def note(tx: Transaction) -> None:
            now = time.time()
            outbox.mark_failed(tx, item_id=item.id, error=words, now=now, give_up=give_up)
            if give_up and item.kind is not PostKind.NOTICE:
                owe_notice(tx, item.guild_id, Loss.STUCK, f"day{int(now // _DAY)}", words)

        try:
            await self._db.write(note)
        except Exception:
            log.exception("the failure of post %d was not noted", item.id)

    async def _let_end(self) -> None:
        tasks = list(self._on_their_way.values())
        if tasks:
            await asyncio.wait(tasks, timeout=self._limits.stop)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
