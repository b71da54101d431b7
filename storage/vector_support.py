"""Makes sqlite-vec known to SQLite, on Pythons with and without extension loading.

Many Python builds (pyenv and asdf among them) lack ``Connection.enable_load_extension``. There
the extension is registered for the whole process with ``sqlite3_auto_extension``, called by ctypes
on the very library that the ``sqlite3`` module uses. Where neither way works, the numpy index of
:mod:`storage.vectors` serves, slower and with the same answers.
"""

import ctypes
import functools
import importlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

NUMPY = "numpy"
_INSTALL = "Install sqlite-vec for faster search: pip install sqlite-vec"


@dataclass(frozen=True, slots=True)
class VectorSupport:
    """Which index is in use: its name, how to mend it if it is not the best, how it loads."""

    name: str
    hint: str | None = None
    extension: str | None = None

    @property
    def has_vec0(self) -> bool:
        """Whether ``vec0`` tables can be made and searched."""
        return self.name != NUMPY

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Load the extension into a new connection where that has to be done for each."""
        if self.extension is None:
            return
        connection.enable_load_extension(True)
        try:
            connection.load_extension(self.extension)
        finally:
            connection.enable_load_extension(False)


def vector_support() -> tuple[str, str | None]:
    """The name of the index in use, and a sentence on how to get the faster one (or None)."""
    support = detect()
    return support.name, support.hint


@functools.cache
def detect() -> VectorSupport:
    """Find out once per process; registers the extension if that is the way."""
    try:
        package = importlib.import_module("sqlite_vec")
    except ImportError:
        return VectorSupport(NUMPY, _INSTALL)
    path = str(package.loadable_path())
    try:
        if hasattr(sqlite3.Connection, "enable_load_extension"):
            return _verified(VectorSupport(NUMPY, extension=path))
        return _register_for_process(path)
    except (sqlite3.Error, OSError) as error:
        return VectorSupport(NUMPY, f"sqlite-vec does not load here ({type(error).__name__}).")


def _verified(support: VectorSupport) -> VectorSupport:
    """The same support with the extension's version in its name, once a query proves it.

    Raises:
        sqlite3.Error: the extension is not there after all.
    """
    with closing(sqlite3.connect(":memory:")) as probe:
        support.prepare(probe)
        (version,) = probe.execute("SELECT vec_version()").fetchone()
    return VectorSupport(f"sqlite-vec {str(version).lstrip('v')}", None, support.extension)


def _register_for_process(loadable: str) -> VectorSupport:
    entry = ctypes.cast(_shared_library(loadable).sqlite3_vec_init, ctypes.c_void_p)
    for library in _sqlite_libraries():
        library.sqlite3_auto_extension.argtypes = [ctypes.c_void_p]
        library.sqlite3_cancel_auto_extension.argtypes = [ctypes.c_void_p]
        if library.sqlite3_auto_extension(entry) != 0:
            continue
        try:
            return _verified(VectorSupport(NUMPY))
        except sqlite3.Error:
            # A second copy of SQLite lives in this process; ours did not get the extension.
            library.sqlite3_cancel_auto_extension(entry)
    return VectorSupport(
        NUMPY,
        "This Python neither loads SQLite extensions nor shares its SQLite library; use a Python "
        "with loadable extensions (python.org, Debian, Homebrew) for faster search.",
    )


def _shared_library(loadable: str) -> ctypes.CDLL:
    stem = Path(loadable)
    files = sorted(stem.parent.glob(f"{stem.name}.*"))
    return ctypes.CDLL(str(files[0] if files else stem))


def _sqlite_libraries() -> Iterator[ctypes.CDLL]:
    """Handles through which the symbols of the ``sqlite3`` module's own SQLite may be found.

    A handle of the C module also resolves symbols of the libraries it is linked to, so no file
    name has to be guessed. A module built into the interpreter has no file; then the process
    itself is asked. A handle counts only if it is the same build of SQLite.
    """
    with closing(sqlite3.connect(":memory:")) as probe:
        (ours,) = probe.execute("SELECT sqlite_source_id()").fetchone()
    module_file = getattr(importlib.import_module("_sqlite3"), "__file__", None)
    for name in (module_file, None) if module_file else (None,):
        library = ctypes.CDLL(name)
        if not hasattr(library, "sqlite3_auto_extension"):
            continue
        library.sqlite3_sourceid.restype = ctypes.c_char_p
        if (library.sqlite3_sourceid() or b"").decode() == ours:
            yield library
