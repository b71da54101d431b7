"""The worker's own side: build the workshop once, then make one panel after another.

Runs in a spawned process. The parent sends :class:`Run`, :class:`Cancel` and :class:`Stop` over one
pipe and gets :class:`Ready`, :class:`Progress` and exactly one end for each run. A cancel travels
over the pipe and not through a shared event: a process that is killed while it looks at a shared
event leaves its lock taken, and the parent would wait for it forever.
"""

import contextlib
import ctypes
import faulthandler
import logging
import logging.handlers
import os
import pickle
import queue
import signal
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.queue.executors.base import PanelWork, WorkFactory
from pipeline.domain.errors import GenerationFailed, OnModelError
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.quality import PanelOutcome

if TYPE_CHECKING:
    from pipeline.runner import WorkshopSpec

EXIT_MEMORY = 77
"""Exit status of a worker that saw ``MemoryError``: what is left of it cannot be trusted."""

_PROGRESS_SECONDS = 0.1  # an engine may report every step; the pipe need not carry all of them
_LARGEST_PREVIEW = 128 << 10  # the pipe also carries cancels
_PR_SET_PDEATHSIG = 1  # Source: linux/prctl.h

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """Parent to worker: make this panel."""

    number: int
    inputs: PanelInputs


@dataclass(frozen=True, slots=True)
class Cancel:
    """Parent to worker: stop making that panel."""

    number: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Parent to worker: go home."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Worker to parent: the workshop stands."""


@dataclass(frozen=True, slots=True)
class BuildFailed:
    """Worker to parent: the workshop cannot be built; the worker ends."""

    error: OnModelError


@dataclass(frozen=True, slots=True)
class Progress:
    """Worker to parent: how far the run is, 0 to 1, and now and then a small PNG of it."""

    number: int
    fraction: float
    note: str
    preview: bytes | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """Worker to parent: the run's result."""

    number: int
    outcome: PanelOutcome


@dataclass(frozen=True, slots=True)
class Failed:
    """Worker to parent: the run ended without a result."""

    number: int
    error: OnModelError


@dataclass(frozen=True, slots=True)
class Logged:
    """Worker to parent: a log record, for the parent's handlers."""

    record: logging.LogRecord


def panel_work(spec: "WorkshopSpec") -> PanelWork:
    """Build the real work: engine and judge are loaded here, in the worker.

    Raises:
        OnModelError: an engine or an encoder is unknown or not installed.
    """
    from pipeline.imaging.network import keep_few_arenas, return_memory
    from pipeline.runner import build_workshop, run_panel

    keep_few_arenas()
    workshop = build_workshop(spec)

    def work(inputs: PanelInputs, *, progress: Any, cancelled: Any) -> PanelOutcome:
        try:
            return run_panel(inputs, workshop, progress=progress, cancelled=cancelled)
        finally:
            return_memory()  # what lay in large pictures is not kept until the next panel

    return work


def serve(connection: Connection, factory: WorkFactory, parent: int, log_level: int) -> None:
    """The worker's main function: build, then serve runs until told to stop.

    Args:
        connection: the worker's end of the pipe.
        factory: builds the work; called once.
        parent: process id of the parent; this process does not outlive it.
        log_level: records below it are not sent to the parent.
    """
    _die_with(parent)
    _be_a_worker()
    line = _Line(connection)
    _log_over(line, log_level)
    inbox = _Inbox(connection)
    work = _build(factory, line)
    if work is None:
        return
    line.send(Ready())
    while (run := inbox.next_run()) is not None:
        _serve_one(run, work, line, inbox)


def _die_with(parent: int) -> None:
    """End this process when its parent ends, however that happens.

    Linux kills it; elsewhere (and if a library keeps the interpreter busy for a moment) the end of
    the pipe tells the inbox.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above took effect
            os._exit(0)


def _be_a_worker() -> None:
    """Ctrl-C and SIGTERM are the parent's business; a crash leaves a trace; OOM takes us first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if sys.stderr is not None:
        faulthandler.enable()
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        with contextlib.suppress(OSError):  # a sandbox may forbid it; it is only a preference
            score.write_text("500", encoding="ascii")


class _Line:
    """The sending half of the pipe, shared by the work and the logging of all threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message: object) -> None:
        """Pickle and send; nothing is written when the message cannot be pickled."""
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        try:
            with self._lock:
                self._connection.send_bytes(data)
        except OSError:
            os._exit(0)  # the parent is gone; there is nobody left to work for

    def put_nowait(self, record: logging.LogRecord) -> None:
        """Take a log record from a ``QueueHandler``."""
        self.send(Logged(record))


class _Inbox:
    """The receiving half: a thread, so that a cancel is seen while the work runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._runs: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._stopping = threading.Event()
        threading.Thread(target=self._listen, name="inbox", daemon=True).start()

    def next_run(self) -> Run | None:
        """Wait for work; None means stop."""
        return self._runs.get()

    def is_cancelled(self, number: int) -> bool:
        """Whether that run should end."""
        return number in self._cancelled or self._stopping.is_set()

    def _listen(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the parent is gone
            match message:
                case Run():
                    self._runs.put(message)
                case Cancel(number):
                    self._cancelled.add(number)
                case _:
                    self._stopping.set()
                    self._runs.put(None)


def _log_over(line: _Line, level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [logging.handlers.QueueHandler(line)]  # type: ignore[arg-type]  # duck-typed queue
    root.setLevel(level)


def _build(factory: WorkFactory, line: _Line) -> PanelWork | None:
    try:
        return factory()
    except MemoryError:
        os._exit(EXIT_MEMORY)
    except OnModelError as error:
        line.send(BuildFailed(_sendable(error)))
    except Exception as error:
        log.exception("the workshop could not be built")
        line.send(BuildFailed(_unexpected(error)))
    return None


def _serve_one(run: Run, work: PanelWork, line: _Line, inbox: _Inbox) -> None:
    """Run one panel and send exactly one end of it, unless the process dies."""
    number = run.number
    try:
        outcome = work(
            run.inputs,
            progress=_Reporter(number, line),
            cancelled=lambda: inbox.is_cancelled(number),
        )
        line.send(Finished(number, outcome))
    except MemoryError:
        os._exit(EXIT_MEMORY)
    except OnModelError as error:
        line.send(Failed(number, _sendable(error)))
    except Exception as error:
        log.exception("panel %d failed unexpectedly", run.inputs.panel_id)
        line.send(Failed(number, _unexpected(error)))


class _Reporter:
    """Sends progress, at most every tenth of a second unless the word changes or a preview came."""

    def __init__(self, number: int, line: _Line) -> None:
        self._number = number
        self._line = line
        self._last: tuple[float, str] = (float("-inf"), "")

    def __call__(self, fraction: float, note: str, preview: bytes | None = None, /) -> None:
        now = time.monotonic()
        at, word = self._last
        if preview is None and note == word and now - at < _PROGRESS_SECONDS:
            return
        self._last = (now, note)
        if preview is not None and len(preview) > _LARGEST_PREVIEW:
            preview = None
        self._line.send(Progress(self._number, min(1.0, max(0.0, fraction)), note, preview))


def _sendable(error: OnModelError) -> OnModelError:
    """The error itself if it survives the pipe with its class and text, else a plain one."""
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - bytes made one call earlier, here
    except Exception:
        log.exception("%s cannot be sent to the parent", type(error).__name__)
        return GenerationFailed(str(error))
    if type(copy) is type(error) and str(copy) == str(error):
        return error
    return GenerationFailed(str(error))


def _unexpected(error: Exception) -> GenerationFailed:
    """A sentence for people; the traceback is in the log already."""
    return GenerationFailed(
        f"The drawing engine stopped with an unexpected error ({type(error).__name__}). "
        "Try again; if it happens again, ask whoever runs the bot to look into its log."
    )
