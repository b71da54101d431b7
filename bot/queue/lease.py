"""Holding on to one claimed job: its lease is prolonged, its progress written, its cancel seen."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from enum import Enum
from types import TracebackType

from bot.queue.timing import QueueTiming
from pipeline.domain.job import Job
from storage import jobs
from storage.database import Database
from storage.errors import LeaseLost

log = logging.getLogger(__name__)

ProgressHook = Callable[[Job, float, str], Awaitable[None]]


class End(Enum):
    """Why a running job should end before it is done."""

    LOST = "lost"
    CANCELLED = "cancelled"
    STOPPING = "stopping"


class HeldLease:
    """The lease of one job, kept from entering to leaving the context.

    Attributes:
        job: the job with the fence of this claim.
        ended: set when the run should end early; ``end`` says why.
        end: the first reason, except that a lost lease outranks the others.
    """

    def __init__(
        self, db: Database, job: Job, timing: QueueTiming, on_progress: ProgressHook | None = None
    ) -> None:
        self.job = job
        self.ended = asyncio.Event()
        self.end: End | None = None
        self._db = db
        self._timing = timing
        self._on_progress = on_progress
        self.preview: bytes | None = None
        self._news: tuple[float, str] | None = None
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._told_at = float("-inf")
        self._heart: asyncio.Task[None] | None = None
        self._teller: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "HeldLease":
        self._heart = asyncio.create_task(self._beat_for_ever())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._heart is not None
        self._heart.cancel()
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(self._heart, return_exceptions=True)
        await self.hush()

    def report(self, fraction: float, note: str, preview: bytes | None = None, /) -> None:
        """Take note of the progress; it goes out at most once per ``timing.progress`` seconds.

        The last preview stays in ``preview`` as long as the lease is held; it is never stored.
        """
        self.preview = preview or self.preview
        self._news = (fraction, note)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._told_at + self._timing.progress, self._ring)

    def ask_to_end(self, why: End) -> None:
        """Have the run end early."""
        if self.end is None or why is End.LOST:
            self.end = why
        self.ended.set()

    def look_now(self) -> None:
        """Beat at once, because the ledger may say something new."""
        self._due.set()

    async def hush(self) -> None:
        """Tell no more progress: what comes next is the result."""
        self._on_progress = None
        if self._teller is not None:
            self._teller.cancel()
            await asyncio.gather(self._teller, return_exceptions=True)

    async def beat(self) -> None:
        """Prolong the lease once and act on what the ledger answers."""
        news = self._news_to_tell()
        try:
            cancel = await self._prolong(news)
        except LeaseLost:
            self.ask_to_end(End.LOST)
            return
        if cancel:
            self.ask_to_end(End.CANCELLED)
        if news is not None:
            self._tell(*news)

    def _ring(self) -> None:
        self._timer = None
        self._due.set()

    def _news_to_tell(self) -> tuple[float, str] | None:
        """The latest progress, unless the one before was told a moment ago."""
        now = asyncio.get_running_loop().time()
        if self._news is None or now < self._told_at + self._timing.progress:
            return None
        self._told_at = now
        news, self._news = self._news, None
        return news

    async def _beat_for_ever(self) -> None:
        while self.end is not End.LOST:
            self._due.clear()
            try:
                async with asyncio.timeout(self._timing.beat):
                    await self._due.wait()
            except TimeoutError:
                pass  # the usual case: no news, the lease is prolonged all the same
            try:
                await self.beat()
            except Exception:
                log.exception("job %d: the heartbeat failed", self.job.id)

    async def _prolong(self, news: tuple[float, str] | None) -> bool:
        fraction, note = news or (None, None)
        return await self._db.write(
            lambda tx: jobs.heartbeat(
                tx,
                job_id=self.job.id,
                fence=self.job.fence,
                lease_seconds=self._timing.lease,
                now=time.time(),
                progress=fraction,
                note=note,
            )
        )

    def _tell(self, fraction: float, note: str) -> None:
        """Tell people in a task of its own: Discord may be slow, the lease must not wait for it."""
        if self._on_progress is None or (self._teller is not None and not self._teller.done()):
            return
        self._teller = asyncio.create_task(self._told(self._on_progress, fraction, note))

    async def _told(self, hook: ProgressHook, fraction: float, note: str) -> None:
        try:
            await hook(self.job, fraction, note)
        except Exception:
            log.exception("job %d: its progress could not be shown", self.job.id)
