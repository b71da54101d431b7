"""Zips whose bytes depend on their content alone."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import jinja2

# The earliest time that a zip can hold: equal books get equal bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Archive:
    """A zip that is being written; entries keep the order in which they are added."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive

    def add(self, name: str, data: bytes | str, *, compress: bool = True) -> int:
        """Add one file; pictures are compressed already and go in with ``compress=False``.

        Returns:
            The bytes that the entry takes in the zip, about.
        """
        entry = zipfile.ZipInfo(name, _EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        entry.external_attr = 0o644 << 16
        entry.create_system = 3  # the same on every machine
        self._zip.writestr(entry, data)
        return entry.compress_size + 2 * len(name) + 100


@contextmanager
def new_archive(out: BinaryIO) -> Iterator[Archive]:
    """Write a zip to ``out``, which stays open."""
    with zipfile.ZipFile(out, "w") as archive:
        yield Archive(archive)


def digits(pages: int) -> int:
    """How many digits number ``pages`` files so that they sort."""
    return max(3, len(str(pages)))


def printable(text: str) -> str:
    """Text without the control characters that XML cannot hold."""
    return "".join(
        c
        for c in text
        if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )


@cache
def templates(folder: str) -> "jinja2.Environment":
    """The templates of one export, a folder beside this module; everything is escaped."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name(folder)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
