"""Logging: plain lines on stderr, with secrets taken out before anything is written."""

import logging
import re
from collections.abc import Iterable

REDACTED = "[redacted]"
_FORMAT = "%(asctime)s %(levelname)-7s %(name)s %(message)s"
_PATTERNS = (
    # A bot token: base64 of the id, a time stamp and a signature. Source: Discord's API reference.
    re.compile(r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"),
    # An interaction's or webhook's token in an address.
    re.compile(r"(?<=/webhooks/)(\d+)/[\w.~%+-]{20,}"),
    re.compile(r"(?<=/interactions/)(\d+)/[\w.~%+-]{20,}"),
    re.compile(r"(?i)(?<=authorization: )\S+( \S+)?"),
    # The signature of an attachment's address; without it the address is of no use.
    re.compile(r"(?<=[?&])(?:ex|is|hm)=[0-9a-fA-F]+"),
)
_KEEPS_ID = {1, 2}


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without tokens and signatures, and without the given secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, REDACTED)
    for index, pattern in enumerate(_PATTERNS):
        text = pattern.sub(rf"\1/{REDACTED}" if index in _KEEPS_ID else REDACTED, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats a record as usual (traceback included) and redacts the finished text.

    Redacting at the very end covers arguments, exceptions and stack traces alike.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__(_FORMAT)
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The redacted line."""
        return redact(super().format(record), self._secrets)


def setup_logging(level: str = "INFO", *, secrets: Iterable[str] = ()) -> logging.Handler:
    """Log to stderr through :class:`RedactingFormatter`; returns the handler that was added."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(secrets))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    return handler
