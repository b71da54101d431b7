"""Watches that the event loop stays free: Discord drops a bot that misses its heartbeats."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

log = logging.getLogger(__name__)

BEAT = 0.25
"""Seconds between two looks."""
LATE = 1.0
"""Seconds of being late that are worth a line in the log."""


class LoopWatch:
    """Sleeps a little, again and again, and measures how much longer it took.

    Whatever blocks the loop, a heartbeat would have been late by as much. ``worst`` is the longest
    delay so far, in seconds.
    """

    def __init__(self, heard: Callable[[float], None] | None = None) -> None:
        self.worst = 0.0
        self._heard = heard or (lambda _late: None)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator["LoopWatch"]:
        """Measure until the block is left."""
        task = asyncio.create_task(self._watch(), name="loop watch")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(BEAT)
            late = max(0.0, time.monotonic() - began - BEAT)
            self.worst = max(self.worst, late)
            self._heard(late)
            if late > LATE:
                log.warning("the event loop was held up for %.1f s", late, extra={"action": "lag"})
