"""The parent's handle of one worker process: its pipe, its messages and its death."""

import asyncio
import atexit
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

from bot.queue.executors import worker
from bot.queue.executors.base import (
    ProgressCallback,
    WorkerCrashed,
    WorkerUnavailable,
    WorkFactory,
)
from bot.queue.executors.worker import BuildFailed, Failed, Finished, Logged, Progress, Ready
from pipeline.domain.errors import GenerationFailed
from pipeline.domain.quality import PanelOutcome

log = logging.getLogger(__name__)

_spawn = multiprocessing.get_context("spawn")  # a forked child would inherit locks and sockets


class WorkerProcess:
    """One spawned worker. Create it on the event loop's thread; it starts at once.

    The thread matters: Linux ties the child's "die with my parent" to the thread that made it.

    Attributes:
        ready: done when the workshop stands; fails with the reason when it never will.
        pid: process id; stays known after the end.
        gone: done when the process has ended and was reaped; its result says how, for people.
    """

    def __init__(self, factory: WorkFactory) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.gone: asyncio.Future[str] = self._loop.create_future()
        self._run: tuple[int, asyncio.Future[PanelOutcome], ProgressCallback] | None = None
        self._writing = threading.Lock()
        self._connection, theirs = _spawn.Pipe(duplex=True)
        level = logging.getLogger().getEffectiveLevel()
        self._process = _spawn.Process(
            target=worker.serve,
            args=(theirs, factory, os.getpid(), level),
            name="onmodel-worker",
            daemon=True,
        )
        with theirs:
            self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        # The worker ignores SIGTERM, which is what multiprocessing sends at interpreter exit before
        # it waits; this runs first and makes that wait short.
        atexit.register(self.kill)
        threading.Thread(target=self._listen, name=f"worker-{self.pid}", daemon=True).start()

    def begin(self, number: int, on_progress: ProgressCallback) -> "asyncio.Future[PanelOutcome]":
        """Expect the end of run ``number``; the caller sends the :class:`~.worker.Run`."""
        result: asyncio.Future[PanelOutcome] = self._loop.create_future()
        self._run = (number, result, on_progress)
        if self.gone.done():
            self._end_run(WorkerCrashed(self.gone.result()))
        return result

    async def send(self, message: object) -> None:
        """Send in a thread: megabytes into a full pipe would hold up the event loop.

        A broken pipe is no error here; ``gone`` tells what happened.
        """
        try:
            await asyncio.to_thread(self._send, message)
        except OSError as error:
            log.debug("worker %d does not listen: %s", self.pid, error)

    def kill(self) -> None:
        """End the process now; does nothing when it has ended."""
        self._process.kill()

    def _send(self, message: object) -> None:
        with self._writing:
            self._connection.send(message)

    def _listen(self) -> None:
        """Thread: hand messages to the loop until the process is gone, then say how it ended."""
        while self._connection in wait([self._connection, self._process.sentinel]):
            message = self._receive()
            if message is None:
                break
            if isinstance(message, Logged):
                _relay(message.record)
            elif not self._tell(self._on_message, message):
                break
        self._process.kill()
        self._process.join()
        atexit.unregister(self.kill)
        with self._writing:  # closed under a writer, its number could become another file
            self._connection.close()
        self._tell(self._on_gone, _epitaph(self._process.exitcode))

    def _receive(self) -> object:
        """One message; None at the end of the pipe, an exception for what cannot be read back."""
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            return None
        except Exception:
            log.exception("a message of worker %d cannot be read", self.pid)
            return GenerationFailed("The drawing engine's result cannot be read; try again.")

    def _tell(self, callback: Callable[[Any], object], argument: object) -> bool:
        """Call on the loop; False when there is no loop left to call."""
        try:
            self._loop.call_soon_threadsafe(callback, argument)
        except RuntimeError:  # the loop was closed before the executor was stopped
            return False
        return True

    def _on_message(self, message: object) -> None:
        match message:
            case Ready() if not self.ready.done():
                self.ready.set_result(None)
            case BuildFailed(error) if not self.ready.done():
                self.ready.set_exception(error)
            case Progress(number, fraction, note, preview) if self._is_current(number):
                assert self._run is not None
                if preview is None:
                    self._run[2](fraction, note)
                else:
                    self._run[2](fraction, note, preview)
            case Finished(number, outcome) if self._is_current(number):
                self._end_run(outcome)
            case Failed(number, error) if self._is_current(number):
                self._end_run(error)
            case Exception():
                self._end_run(message)

    def _is_current(self, number: int) -> bool:
        return self._run is not None and self._run[0] == number

    def _end_run(self, end: PanelOutcome | Exception) -> None:
        run, self._run = self._run, None
        if run is None or run[1].done():
            return
        if isinstance(end, Exception):
            run[1].set_exception(end)
        else:
            run[1].set_result(end)

    def _on_gone(self, epitaph: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(WorkerUnavailable(epitaph))
        self.ready.exception()  # it may be that nobody asks any more
        self._end_run(WorkerCrashed(epitaph))
        self.gone.set_result(epitaph)


def _relay(record: logging.LogRecord) -> None:
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)


def _epitaph(code: int | None) -> str:
    """How a process ended, as a sentence for people."""
    if code == worker.EXIT_MEMORY:
        return "The drawing process ran out of memory."
    if code is None or code >= 0:
        return f"The drawing process ended by itself (exit status {code})."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name == "SIGKILL":
        return "The drawing process was killed, most often because memory ran out (SIGKILL)."
    return f"The drawing process crashed ({name})."
