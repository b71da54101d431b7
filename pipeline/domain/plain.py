"""Frozen dataclasses from JSON's plain values, strictly: nothing missing, nothing unknown."""

from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def from_plain(kind: type[T], data: Any) -> T:
    """Rebuild a value that ``json.dumps(asdict(value))`` wrote.

    Knows str, bool, int, float, enums, None in a union, ``tuple[X, ...]``, named tuples and
    dataclasses made of these.

    Args:
        kind: what is wanted, usually a dataclass.
        data: what ``json.loads`` gave.

    Raises:
        TypeError: something is of the wrong kind.
        KeyError: a field is missing or unknown.
        ValueError: a word is none of its enum's.
    """
    return _read(kind, data)


def _read(kind: Any, data: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _read_optional(kind, data)
    if origin is tuple:
        item = get_args(kind)[0]
        return tuple(_read(item, value) for value in _expect(data, list, kind))
    if is_dataclass(kind):
        return _read_fields(kind, _expect(data, dict, kind))
    if issubclass(kind, tuple):
        hints = list(get_type_hints(kind).values())
        values = _expect(data, list, kind)
        return kind(*(_read(h, v) for h, v in zip(hints, values, strict=True)))
    if issubclass(kind, Enum):
        return kind(data)
    return _read_scalar(kind, data)


def _read_optional(kind: Any, data: Any) -> Any:
    if data is None:
        return None
    (inner,) = (arm for arm in get_args(kind) if arm is not NoneType)
    return _read(inner, data)


def _read_scalar(kind: Any, data: Any) -> Any:
    if isinstance(data, bool) and kind is not bool:
        raise TypeError(f"{data!r} is no {kind.__name__}")
    if kind is float and isinstance(data, int):
        return data  # kept as it was written, so that its text stays the same
    return _expect(data, kind, kind)


def _read_fields(kind: Any, data: dict[str, Any]) -> Any:
    hints = _hints(kind)
    if data.keys() != hints.keys():
        odd = ", ".join(sorted(data.keys() ^ hints.keys()))
        raise KeyError(f"{kind.__name__} has other fields: {odd}")
    return kind(**{name: _read(hint, data[name]) for name, hint in hints.items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def _expect(data: Any, wanted: type, kind: Any) -> Any:
    if not isinstance(data, wanted):
        raise TypeError(f"{data!r:.60} is no {getattr(kind, '__name__', kind)}")
    return data
