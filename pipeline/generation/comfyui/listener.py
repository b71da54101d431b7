"""ComfyUI's WebSocket: events of our jobs and previews, kept open across hiccups."""

import json
import logging
import struct
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from pipeline.generation.remote.address import ServerAddress

MAX_MESSAGE = 16 * 1024 * 1024
_RETRY_SECONDS = 1.0
_PREVIEW, _PREVIEW_WITH_METADATA = 1, 4

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """A message: ``kind`` and ``data`` as ComfyUI words them, or a preview's bytes."""

    kind: str
    data: dict[str, Any]
    picture: bytes = b""

    @property
    def prompt_id(self) -> str:
        """Whose event it is; empty where it is nobody's in particular."""
        return str(self.data.get("prompt_id") or "")


class Listener:
    """Events for one client id. Without a connection it is silent and tries again now and then.

    Nothing depends on it: whether a job is done is asked over HTTP. It is there for progress and
    previews, and to know sooner.
    """

    def __init__(self, address: ServerAddress, client_id: str) -> None:
        """The socket opens at the first :meth:`next`."""
        self._url = f"{address.websocket}/ws?clientId={client_id}"
        self._socket: ClientConnection | None = None
        self._stack = ExitStack()
        self._tried = float("-inf")
        self.drops = 0

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket; may be called twice."""
        self._socket = None
        self._stack.close()

    def open(self) -> bool:
        """Connect unless connected, at most once a second; whether there is a connection."""
        if self._socket is None and time.monotonic() - self._tried >= _RETRY_SECONDS:
            self._tried = time.monotonic()
            try:
                socket = connect(
                    self._url, open_timeout=5, close_timeout=1, max_size=MAX_MESSAGE, proxy=None
                )
                self._socket = self._stack.enter_context(socket)
            except (OSError, TimeoutError, WebSocketException) as error:
                log.info("no WebSocket of ComfyUI: %s", error)
        return self._socket is not None

    def next(self, seconds: float) -> Event | None:
        """The next event, or None when none came in so many seconds."""
        if not self.open():
            time.sleep(seconds)
            return None
        assert self._socket is not None
        try:
            message = self._socket.recv(timeout=seconds)
        except TimeoutError:
            return None
        except (WebSocketException, OSError) as error:
            log.info("the WebSocket of ComfyUI broke: %s", error)
            self.drops += 1
            self.close()
            return None
        return parse_event(message)


def parse_event(message: str | bytes) -> Event | None:
    """Read a message; None for kinds that are of no use here, and for what is no message."""
    if isinstance(message, bytes):
        return _parse_binary(message)
    try:
        raw = json.loads(message)
    except ValueError:
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("data"), dict):
        return None
    return Event(str(raw.get("type")), raw["data"])


def _parse_binary(message: bytes) -> Event | None:
    """Source: ComfyUI's ``BinaryEventTypes``: 1 is a format and a picture, 4 JSON and a picture."""
    if len(message) < 8:
        return None
    kind, second = struct.unpack(">II", message[:8])
    if kind == _PREVIEW:
        return Event("preview", {}, message[8:])
    if kind == _PREVIEW_WITH_METADATA and 8 + second <= len(message):
        try:
            data = json.loads(message[8 : 8 + second])
        except ValueError:
            data = None
        return Event("preview", data if isinstance(data, dict) else {}, message[8 + second :])
    return None
