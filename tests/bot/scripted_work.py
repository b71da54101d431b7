"""Work for worker processes whose behaviour the brief's prompt scripts. Imported by name in the worker."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bot.queue.executors.base import PanelWork, ProgressCallback
from pipeline.domain.character import ShotType
from pipeline.domain.errors import Cancelled, GenerationFailed, MissingReference, OnModelError
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.panel import PanelBrief
from pipeline.domain.quality import Accept, PanelOutcome


class Talkative(OnModelError):
    """An error whose constructor takes more than its text: pickle cannot rebuild it."""

    def __init__(self, who: str, what: str) -> None:
        super().__init__(f"{who} cannot {what}; try another.")


def inputs(script: str, panel_id: int = 1) -> PanelInputs:
    return PanelInputs(panel_id, PanelBrief(script, (), ShotType.HALF), ())


def outcome(seconds: float = 0.0) -> PanelOutcome:
    return PanelOutcome((), Accept(()), None, seconds)


def factory() -> PanelWork:
    return perform


def dying_factory() -> PanelWork:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def missing_factory() -> PanelWork:
    raise MissingReference("There is no engine called nothing; choose another.")


def hanging_factory() -> PanelWork:
    time.sleep(600)
    raise AssertionError


def _raise(error: BaseException) -> PanelOutcome:
    raise error


def _wait(flag: Path, cancelled, progress: ProgressCallback) -> PanelOutcome:
    """Run until cancelled; say so by making the flag file."""
    progress(0.5, "waiting")
    flag.touch()
    while not cancelled():
        time.sleep(0.01)
    raise Cancelled("Cancelled as asked.")


def _stubborn(flag: Path) -> PanelOutcome:
    flag.touch()
    while True:
        time.sleep(1)


def _until(flag: Path) -> PanelOutcome:
    while not flag.exists():
        time.sleep(0.01)
    return outcome()


def _log(text: str) -> PanelOutcome:
    logging.getLogger("scripted").warning("%s", text)
    return outcome()


def _report(progress: ProgressCallback, argument: str) -> PanelOutcome:
    for number in range(int(argument)):
        progress(number / int(argument), f"step {number}")
    return outcome()


def _eat_memory() -> PanelOutcome:
    """A real allocation failure, under a real limit."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    return PanelOutcome((), Accept(()), bytes(1 << 40), 0.0)


def _nest() -> PanelOutcome:
    """A work that starts a process of its own, as some engines do."""
    done = subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True)
    return PanelOutcome((), Accept(()), done.stdout, 0.0)


def perform(inputs: PanelInputs, *, progress: ProgressCallback, cancelled) -> PanelOutcome:
    word, _, argument = inputs.brief.prompt.partition(" ")
    actions = {
        "draw": lambda: PanelOutcome((), Accept(()), bytes(int(argument or 0)), 0.0),
        "pid": lambda: outcome(float(os.getpid())),
        "size": lambda: outcome(float(len(inputs.style))),
        "report": lambda: _report(progress, argument),
        "log": lambda: _log(argument),
        "segfault": lambda: outcome(ctypes.string_at(0)),  # type: ignore[arg-type]
        "abort": os.abort,
        "exit": lambda: os._exit(int(argument)),
        "leave": lambda: sys.exit(int(argument)),
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "memory": _eat_memory,
        "fail": lambda: _raise(GenerationFailed(argument)),
        "missing": lambda: _raise(MissingReference(argument)),
        "talk": lambda: _raise(Talkative("Akira", argument)),
        "bug": lambda: _raise(ZeroDivisionError("secret /path")),
        "lambda": lambda: PanelOutcome((), Accept(()), lambda: 0, 0.0),  # type: ignore[arg-type]
        "wait": lambda: _wait(Path(argument), cancelled, progress),
        "until": lambda: _until(Path(argument)),
        "stubborn": lambda: _stubborn(Path(argument)),
        "nest": _nest,
    }
    return actions[word]()
