"""One life of a studio process: started, fed, listened to and, sooner or later, killed."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

_MODULE = "bot.bench.studio"
_ORPHAN_SECONDS = 20.0  # whoever lives longer than that without its parent is an orphan


class StudioDied(RuntimeError):
    """The studio ended although nobody killed it."""


class Life:
    """A running studio.

    Attributes:
        acks: keys of the requests that it acknowledged.
        refused: keys that it refused, with its words.
        workers: process ids of its workers, latest last.
    """

    def __init__(self, folder: Path, url: str) -> None:
        """Start it on ``folder``, posting to ``url``; does not wait until it is ready."""
        self.acks: set[str] = set()
        self.refused: dict[str, str] = {}
        self.workers: list[int] = []
        self.ready = threading.Event()
        self.closed = False
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        search = [str(folder / "packages"), str(Path(__file__).parents[2])]
        self._log = (folder / "studio.log").open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - our own module on our own interpreter
            [sys.executable, "-m", _MODULE, str(folder / "data"), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
            start_new_session=True,  # so that all its descendants can be found later
        )
        self.pid = self._process.pid
        work = (self._listen, self._write)
        self._threads = [threading.Thread(target=target, daemon=True) for target in work]
        for thread in self._threads:
            thread.start()

    def send(self, request: dict[str, Any]) -> None:
        """Hand over a request; whether it arrives is another matter."""
        self._lines.put(json.dumps(request) + "\n")

    def wait_until_ready(self, seconds: float = 60.0) -> None:
        """Wait until it takes requests.

        Raises:
            StudioDied: it ended, or did not get that far.
        """
        until = time.monotonic() + seconds
        while not self.ready.wait(0.02):
            if self._process.poll() is not None or time.monotonic() > until:
                raise StudioDied(f"the studio did not start (status {self._process.returncode})")

    def kill(self) -> None:
        """Kill -9 the studio alone; its worker has to notice by itself.

        Raises:
            StudioDied: it had ended before, by itself.
        """
        if self._process.poll() is not None:
            raise StudioDied(f"the studio ended by itself (status {self._process.returncode})")
        self.end()

    def end(self) -> None:
        """Kill it, whatever it does, and reap it; does nothing the second time."""
        if not self.closed:
            self._process.kill()
            self._close()

    def kill_worker(self) -> bool:
        """Kill -9 the latest worker; False when there is none that lives."""
        if not self.workers or self.workers[-1] not in session_of(self.pid):
            return False
        os.kill(self.workers[-1], signal.SIGKILL)
        return True

    def stop(self, seconds: float = 10.0) -> int:
        """SIGTERM, and wait; returns the exit status (negative: it had to be killed)."""
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._close()
        return self._process.returncode

    def _close(self) -> None:
        """Reap it and read what it said before it died: that counts as acknowledged."""
        self._process.wait()
        self._lines.put("")
        self._log.close()
        self.closed = True
        for thread in self._threads:
            thread.join(_ORPHAN_SECONDS)
        if any(thread.is_alive() for thread in self._threads):
            return  # an orphan holds the other end; it will be found in the session
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # what it did not read any more
            self._process.stdin.close()
        self._process.stdout.close()

    def _write(self) -> None:
        assert self._process.stdin is not None
        try:
            while line := self._lines.get():
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()
            self._process.stdin.close()
        except BrokenPipeError:
            return

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                return  # torn by the kill: whoever reads half an acknowledgement has none
            match json.loads(line):
                case {"ready": True}:
                    self.ready.set()
                case {"worker": pid}:
                    self.workers.append(pid)
                case {"ack": key}:
                    self.acks.add(key)
                case {"refused": key, "why": why}:
                    self.refused[key] = why


def end_orphans(leaders: Iterable[int]) -> list[int]:
    """The processes that outlived their session's leader by far; they are killed and named."""
    leaders = list(leaders)
    until = time.monotonic() + _ORPHAN_SECONDS
    alive = _alive(leaders)
    while alive and time.monotonic() < until:
        time.sleep(0.05)
        alive = _alive(leaders)
    for pid in alive:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return sorted(alive)


def _alive(leaders: Iterable[int]) -> set[int]:
    return set().union(*(session_of(leader) for leader in leaders))


def session_of(leader: int) -> set[int]:
    """The living processes of the session that ``leader`` began (zombies are dead)."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        # Source: proc(5), fields 3 (state) and 6 (session)
        if fields[0] not in "ZX" and int(fields[3]) == leader:
            found.add(int(stat.parent.name))
    return found
