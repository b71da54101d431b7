"""Files that are whole or absent, whatever happens while they are written."""

import os
import secrets
from pathlib import Path

_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that a crash or a power cut leaves the whole file or none.

    The order matters: the bytes reach the disk under a temporary name before the file gets its
    own, and the folder is synced last, so that the name is there when this returns. An existing
    file is replaced.

    Raises:
        OSError: the disk is full or not writable; the temporary file is removed.
    """
    make_folder(path.parent)
    temporary = _write_temporary(path, data)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def create_durably(path: Path, data: bytes) -> bool:
    """Like :func:`write_durably`, but never replaces: False if the file exists already."""
    make_folder(path.parent)
    temporary = _write_temporary(path, data)
    try:
        path.hardlink_to(temporary)  # fails if the name is taken; replacing would not
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def make_folder(path: Path) -> None:
    """Create a folder and its parents, private to this user, and make their names durable."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make names that were added to or removed from a folder survive a power cut."""
    if os.name == "nt":  # Windows has no handle for this; its journal does it
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_temporary(path: Path, data: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(temporary, flags, _PRIVATE_FILE)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    return temporary
