"""Moments as they are stored: UTC text of one fixed width, so that text order is time order."""

from datetime import UTC, datetime
from typing import overload

Moment = datetime | float
"""An aware datetime, or seconds since 1970."""


def to_text(moment: Moment) -> str:
    """ISO 8601 in UTC with microseconds.

    Raises:
        ValueError: a datetime without a time zone.
    """
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def to_seconds(moment: Moment) -> float:
    """Seconds since 1970.

    Raises:
        ValueError: a datetime without a time zone.
    """
    if not isinstance(moment, datetime):
        return float(moment)
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.timestamp()


@overload
def from_text(text: str) -> datetime: ...
@overload
def from_text(text: None) -> None: ...
def from_text(text: str | None) -> datetime | None:
    """Read :func:`to_text` back; None stays None."""
    return None if text is None else datetime.fromisoformat(text)
