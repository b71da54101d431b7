"""What every benchmark writes: named figures, the machine, the version."""

import json
import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        name: stable, dotted, like ``queue.crashes.lost``.
        value: the number, in ``unit``.
        unit: ``count``, ``s``, ``ratio``, ``1/s`` …
        better: which direction is an improvement.
        target: what it should reach, or None.
        peer: what it is compared with, or None for a plain count.
        n: how many observations it rests on.
        interval: a 95 % interval, or None.
    """

    name: str
    value: float
    unit: str
    better: Literal["higher", "lower"]
    target: float | None = None
    peer: str | None = None
    n: int = 1
    interval: tuple[float, float] | None = None

    def __str__(self) -> str:
        """A line for people."""
        against = f"  (against {self.peer})" if self.peer else ""
        return f"{self.name:<40} {self.value:>12.4g} {self.unit}{against}"


def report(figures: Sequence[Figure]) -> dict[str, Any]:
    """The figures with what they were measured on, ready for JSON."""
    return {
        "figures": [asdict(figure) for figure in figures],
        "machine": machine(),
        "version": _version(),
    }


def publish(figures: Sequence[Figure], path: Path | None) -> None:
    """Print every figure on a line of its own, and write :func:`report` to ``path`` if given."""
    for figure in figures:
        print(figure)  # noqa: T201 - the output of a command
    if path is not None:
        path.write_text(json.dumps(report(figures), indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """What a reader has to know about the machine to compare."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cores": os.cpu_count(),
    }


def _version() -> str:
    try:
        return version("onmodel")
    except PackageNotFoundError:
        return "dev"
