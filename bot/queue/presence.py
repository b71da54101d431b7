"""Who holds leases, and whether they are still alive.

A lease tells after half a minute that its owner is gone. On one machine we can know at once: every
dispatcher holds a lock on a file with its name, and the kernel lets go of it when the process ends,
however that happens. Where that cannot be known (another machine, no ``flock``) the lease decides.
"""

import contextlib
import logging
import os
import socket
import uuid
from collections.abc import Iterable
from io import FileIO
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows: there the leases decide alone
    fcntl = None

log = logging.getLogger(__name__)


class Presence:
    """One dispatcher's name and its lock, held inside the context.

    Attributes:
        name: never the same twice, so that a restarted process does not take its dead self for
            alive.
    """

    def __init__(self, folder: Path) -> None:
        """Choose a name.

        Args:
            folder: where the locks of all dispatchers of this ledger are; made when needed.
        """
        self._folder = folder
        self._lock: FileIO | None = None
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"

    def __enter__(self) -> "Presence":
        if fcntl is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._lock = FileIO(self._path(self.name), "w")
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:  # a file system without locks, say
                log.warning("no lock shows that we live (%s); leases decide alone", error)
                self.__exit__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._path(self.name).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def dead(self, names: Iterable[str]) -> list[str]:
        """Those of ``names`` whose process has certainly ended; forgets their locks."""
        return [name for name in names if name != self.name and self._is_dead(name)]

    def _is_dead(self, name: str) -> bool:
        if fcntl is None:
            return False
        path = self._path(name)
        try:
            with FileIO(path, "r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False  # it is held, or it was never on this machine
        return True

    def forget(self, names: Iterable[str]) -> None:
        """Remove the locks of the dead, once nothing in the ledger names them any more."""
        for name in names:
            with contextlib.suppress(OSError):
                self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name.rpartition(':')[2]}.lock"
