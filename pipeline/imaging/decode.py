"""The only door for pictures from outside: a decoding process that may die without harm."""

import io
import os
import subprocess
import sys
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from PIL import Image

from pipeline.domain.errors import InvalidPicture
from pipeline.domain.geometry import Size
from pipeline.imaging.canonical import (
    DAMAGED,
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    REPLY,
    REQUEST,
    TOO_MANY_BYTES,
    encode_png,
)

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "CanonicalPicture",
    "PictureDoor",
    "load_canonical",
    "to_png",
]

_START_LIMIT = 60.0
_KEPT_ENVIRONMENT = ("SYSTEMROOT", "PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "HOME", "APPDATA")
_DIED = "That picture made the reader give up. Please save it again as a PNG and send that."
_SLOW = "That picture took too long to open. Please send it smaller or saved as a PNG."
_CLOSED = "The program is stopping. Please send the picture again in a minute."


@dataclass(frozen=True, slots=True)
class CanonicalPicture:
    """An RGB or RGBA PNG: upright, sRGB, no metadata; ``size`` in pixels."""

    png: bytes
    size: Size
    has_alpha: bool


class PictureDoor:
    """Opens foreign pictures in a separate process with limits.

    The process is a fresh interpreter with a bare environment (no secrets), started at the first
    picture, started anew after it died or ran out of time, and ended by :meth:`close`, by the
    collection of the door, at interpreter exit, and by itself when its parent is gone. It is
    not a ``multiprocessing`` child, because workers that are daemons may not have such children.

    One picture is decoded at a time; any thread may call :meth:`open`.
    """

    def __init__(self, *, memory_limit: int = 1 << 30, time_limit: float = 10.0) -> None:
        """Set the limits: address space in bytes (POSIX only) and seconds for one picture."""
        self._memory_limit = memory_limit
        self._time_limit = time_limit
        self._turn = threading.Lock()
        self._child: _Child | None = None
        self._closed = False

    def open(self, data: bytes) -> CanonicalPicture:
        """Decode foreign bytes.

        Raises:
            InvalidPicture: the bytes are not taken; the text says why and what to send.
        """
        if len(data) > MAX_BYTES:
            raise InvalidPicture(TOO_MANY_BYTES)
        with self._turn:
            return self._running().ask(data, self._time_limit)

    def close(self) -> None:
        """End the process, also in the middle of a picture. May be called twice."""
        self._closed = True
        child = self._child
        if child is not None:
            child.end()

    @property
    def child_pid(self) -> int | None:
        """The process id of the decoding process, None while there is none."""
        return self._child.pid if self._child is not None and self._child.alive else None

    def __enter__(self) -> "PictureDoor":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _running(self) -> "_Child":
        if self._child is None or not self._child.alive:
            if self._child is not None:
                self._child.end()
            if self._closed:
                raise InvalidPicture(_CLOSED)
            self._child = _Child(self._memory_limit)
            if self._closed:  # closed by another thread while the process started
                self._child.end()
                raise InvalidPicture(_CLOSED)
        return self._child


class _Child:
    """One decoding process and its two pipes."""

    def __init__(self, memory_limit: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no foreign argument
            [sys.executable, "-P", "-m", "pipeline.imaging.canonical", str(memory_limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=bare_environment(),
        )
        self.pid = self._process.pid
        self._late = threading.Event()
        self._end = weakref.finalize(self, _end_process, self._process)
        self._greet()

    @property
    def alive(self) -> bool:
        return self._end.alive and self._process.poll() is None

    def end(self) -> None:
        """Kill, reap, close the pipes; idempotent."""
        self._end()

    def ask(self, data: bytes, seconds: float) -> CanonicalPicture:
        timer = self._alarm(seconds)
        try:
            return self._exchange(data)
        except (OSError, EOFError, ValueError) as error:  # the pipe broke or was closed
            self.end()
            raise InvalidPicture(_SLOW if self._late.is_set() else _DIED) from error
        finally:
            timer.cancel()

    def _exchange(self, data: bytes) -> CanonicalPicture:
        stdin, stdout = _pipes(self._process)
        stdin.write(REQUEST.pack(len(data)))
        stdin.write(data)
        stdin.flush()
        taken, length, width, height, has_alpha = REPLY.unpack(_read(stdout, REPLY.size))
        body = _read(stdout, length)
        if not taken:
            raise InvalidPicture(body.decode())
        return CanonicalPicture(body, Size(width, height), has_alpha)

    def _greet(self) -> None:
        """Wait until the child has imported Pillow and set its limits."""
        timer = self._alarm(_START_LIMIT)
        try:
            _read(_pipes(self._process)[1], 1)
        except (OSError, EOFError, ValueError) as error:
            self.end()
            raise InvalidPicture(_DIED) from error
        finally:
            timer.cancel()

    def _alarm(self, seconds: float) -> threading.Timer:
        """Kill the child after ``seconds``, which ends any read or write that waits for it."""

        def ring() -> None:
            self._late.set()
            self._process.kill()

        timer = threading.Timer(seconds, ring)
        timer.daemon = True
        timer.start()
        return timer


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _read(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("the decoding process ended")
    return data


def _end_process(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    stdin, stdout = _pipes(process)
    stdout.close()
    try:
        stdin.close()
    except BrokenPipeError:
        return  # bytes that the dead child will never read


def bare_environment() -> dict[str, str]:
    """What the child may know: where code lies, and no secret of ours."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "MALLOC_ARENA_MAX": "1",
    }


def load_canonical(png: bytes) -> Image.Image:
    """Open a PNG that :class:`PictureDoor` or :func:`to_png` made: our own bytes, trusted.

    Returns:
        The decoded picture, mode RGB or RGBA.

    Raises:
        InvalidPicture: the bytes are not such a PNG (a damaged file on disk).
    """
    try:
        image = Image.open(io.BytesIO(png), formats=("PNG",))
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise InvalidPicture(DAMAGED) from error
    return image if image.mode in ("RGB", "RGBA") else image.convert("RGBA")


def to_png(image: Image.Image) -> bytes:
    """Encode an RGB or RGBA picture as canonical PNG bytes (no metadata)."""
    return encode_png(image if image.mode in ("RGB", "RGBA") else image.convert("RGBA"))
