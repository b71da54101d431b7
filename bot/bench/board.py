"""A message board over HTTP on loopback: what a crash run has instead of Discord.

It misbehaves like a real service does: some answers get lost after the message was taken, some
requests are refused, all take a moment.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_REFUSED, _ANSWER_LOST = 0.08, 0.08
_DELAY_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Message:
    """What was posted: its nonce, what it is about, and when it came (monotonic seconds)."""

    id: int
    nonce: str
    kind: str
    subject: int
    at: float


class Board:
    """The messages, and how often it misbehaved."""

    def __init__(self, seed: int) -> None:
        self.url = ""
        self._lock = threading.Condition()
        self._messages: list[Message] = []
        self._random = random.Random(seed)

    def messages(self) -> list[Message]:
        """Everything that was posted, in order."""
        with self._lock:
            return list(self._messages)

    def wait_for_message(self, after: int, seconds: float) -> Message | None:
        """The first message after the first ``after`` ones, as soon as it is there."""
        with self._lock:
            self._lock.wait_for(lambda: len(self._messages) > after, seconds)
            return self._messages[after] if len(self._messages) > after else None

    def find(self, nonce: str) -> list[Message]:
        """The messages with this nonce."""
        with self._lock:
            return [message for message in self._messages if message.nonce == nonce]

    def take(self, body: dict[str, Any]) -> tuple[Message | None, bool]:
        """Keep a message; returns it (None: refused) and whether the answer gets through."""
        with self._lock:
            luck, delay = self._random.random(), self._random.random() * _DELAY_SECONDS
        time.sleep(delay)
        if luck < _REFUSED:
            return None, True
        with self._lock:
            number = len(self._messages) + 1
            message = Message(
                number, body["nonce"], body["kind"], body["subject"], time.monotonic()
            )
            self._messages.append(message)
            self._lock.notify_all()
        time.sleep(delay)
        return message, luck >= _REFUSED + _ANSWER_LOST


@contextmanager
def open_board(seed: int) -> Iterator[Board]:
    """Serve a board on a free port until the context is left."""
    board = Board(seed)

    class Handler(_Handler):
        pass

    Handler.board = board
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    board.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="board")
    thread.start()
    try:
        yield board
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    board: Board

    def do_GET(self) -> None:
        nonce = parse_qs(urlsplit(self.path).query)["nonce"][0]
        self._answer([{"id": message.id} for message in self.board.find(nonce)])

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        message, answered = self.board.take(json.loads(self.rfile.read(length)))
        if message is None:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
        elif answered:
            self._answer({"id": message.id})
        else:
            self.close_connection = True  # taken, but nobody hears of it

    def _answer(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle(self) -> None:
        """A client that was killed in the middle is what this is all about."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Say nothing."""
