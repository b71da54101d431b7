"""Plain HTTP to a server of the host's: limits on time and size, errors in words for people."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError, ReadTimeoutError

from pipeline.generation.remote.address import ServerAddress
from pipeline.generation.remote.errors import EngineDown, EngineRefused, down, slow

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of one answer. Four PNGs of 2048 × 2048 in base64 stay below it."""

log = logging.getLogger(__name__)

Fields = Mapping[str, "str | tuple[str, bytes, str]"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body."""

    status: int
    body: bytes

    @property
    def good(self) -> bool:
        """Whether the server did what it was asked."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class HttpClient:
    """Requests to one server; thread-safe, keeps connections open.

    Redirects are not followed and proxies of the environment are not used: what is asked is
    the server that the settings name, and nobody else.
    """

    def __init__(
        self,
        address: ServerAddress,
        engine: str,
        *,
        connect_seconds: float = 5.0,
        answer_seconds: float = 60.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """``engine`` is its name for people; seconds are for connecting and between bytes."""
        self.address = address
        self.engine = engine
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._pool = urllib3.PoolManager(maxsize=4, headers=dict(headers or {}))

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def get(
        self, path: str, query: Mapping[str, Any] | None = None, *, seconds: float | None = None
    ) -> Answer:
        """Ask for something; see :meth:`_send`. Asked once more where the connection broke."""
        tail = f"?{urlencode(query)}" if query else ""
        try:
            return self._send("GET", f"{path}{tail}", seconds=seconds)
        except EngineDown:  # a server may close an idle connection just as it is used again
            return self._send("GET", f"{path}{tail}", seconds=seconds)

    def get_json(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Ask for JSON.

        Raises:
            EngineDown: nobody answers.
            EngineSlow: the answer takes too long.
            EngineRefused: the answer is an error, or no JSON.
        """
        answer = self.get(path, query)
        data = answer.json()
        if not answer.good or data is None:
            raise self.refused(path, answer)
        return data

    def post(self, path: str, body: Any, *, seconds: float | None = None) -> Answer:
        """Send JSON; see :meth:`_send`. Never sent twice."""
        return self._send("POST", path, seconds=seconds, json=body)

    def post_form(self, path: str, fields: Fields) -> Answer:
        """Send a form with files; see :meth:`_send`."""
        return self._send("POST", path, fields=dict(fields))

    def refused(self, path: str, answer: Answer) -> EngineRefused:
        """The error for an answer that is none; its body goes to the log, not to people."""
        log.warning("%s answered %d to %s: %.2000r", self.engine, answer.status, path, answer.body)
        return EngineRefused(
            f"{self.engine} answered with an error ({answer.status}). Whoever runs the bot finds "
            "it in the log of both; asking again may help."
        )

    def _send(
        self, method: str, path: str, *, seconds: float | None = None, **content: Any
    ) -> Answer:
        """One request.

        Raises:
            EngineDown: nobody answers, or the connection breaks.
            EngineSlow: the answer takes too long.
            EngineRefused: the answer is larger than :data:`MAX_ANSWER`.
        """
        timeout = urllib3.Timeout(
            connect=min(self._connect_seconds, seconds or self._connect_seconds),
            read=seconds or self._answer_seconds,
        )
        try:
            answer = self._pool.request(
                method, f"{self.address.url}{path}", timeout=timeout, redirect=False,
                retries=False, preload_content=False, **content,
            )  # fmt: skip
            try:
                body = answer.read(MAX_ANSWER + 1, decode_content=True)
            finally:
                answer.release_conn() if answer.length_remaining == 0 else answer.close()
        except ReadTimeoutError as error:
            log.warning("%s is slow: %s %s", self.engine, method, path)
            raise slow(self.engine) from error
        except (HTTPError, OSError) as error:
            log.warning("%s does not answer: %s %s: %s", self.engine, method, path, error)
            raise down(self.engine) from error
        if len(body) > MAX_ANSWER:
            raise EngineRefused(
                f"{self.engine} sent more than can be taken. Ask for fewer pictures."
            )
        return Answer(answer.status, body)
