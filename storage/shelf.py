"""Copies in memory of what the database holds, thrown away the moment that it changes.

Every change of a guild's vectors, by whatever process, writes a new random stamp into the table
``vector_change`` (triggers do it, so no writer can forget). A copy is used only while its guild
has the stamp that it was read under. Looking at a stamp is one row by its key on a connection of
its own: two microseconds and no thread, where a query through a reader takes two hundred.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.connections import open_reader
from storage.vector_support import NUMPY, VectorSupport

MOST_BYTES = 64 * 2**20
"""What the copies of one database may take together: six guilds of 5,000 vectors of 512 numbers."""
_ANY_GUILD = 0
_STAMP = "SELECT stamp FROM vector_change WHERE guild_id = ?"


@dataclass(frozen=True, slots=True)
class _Copy:
    value: Any
    size: int
    stamp: int


class Shelf:
    """The copies of one database; those that nobody asked for longest go first.

    It belongs to the event loop that opened the database, so its calls never meet each other.
    """

    def __init__(self, stamps: sqlite3.Connection, most_bytes: int = MOST_BYTES) -> None:
        """``stamps`` is a reading connection that nothing else uses."""
        self._stamps = stamps
        self._most = most_bytes
        self._copies: OrderedDict[tuple[int, Hashable], _Copy] = OrderedDict()
        self._bytes = 0
        self._swept: int | None = None

    def __len__(self) -> int:
        """How many copies it holds."""
        return len(self._copies)

    @property
    def size(self) -> int:
        """How many bytes they take together."""
        return self._bytes

    def stamp(self, guild_id: int) -> int | None:
        """Under which stamp a copy is read now; ask before reading what becomes the copy.

        Returns:
            None where another process keeps the database locked; then nothing can be kept.
        """
        try:
            found = self._stamps.execute(_STAMP, (guild_id,)).fetchall()
        except sqlite3.OperationalError:
            return None
        return found[0][0] if found else 0

    def get(self, guild_id: int, key: Hashable) -> Any:
        """The copy of a guild under a key, or None where there is none that is true."""
        place = (guild_id, key)
        held = self._copies.get(place)
        if held is None:
            return None
        if held.stamp != self.stamp(guild_id):
            self._drop(place)
            return None
        self._copies.move_to_end(place)
        return held.value

    def put(
        self, guild_id: int, key: Hashable, value: Any, *, size: int, stamp: int | None
    ) -> None:
        """Keep a copy of ``size`` bytes that was read after ``stamp`` had been asked for."""
        place = (guild_id, key)
        self._drop(place)
        if stamp is None or size > self._most:
            return
        self._copies[place] = _Copy(value, size, stamp)
        self._bytes += size
        self._swept = None
        while self._bytes > self._most:
            self._drop(next(iter(self._copies)))

    def sweep(self) -> None:
        """Throw away what is not true any more: what people delete must not live on in memory."""
        if not self._copies:
            return
        now = self.stamp(_ANY_GUILD)
        if now is not None and now == self._swept:
            return
        stamps = {guild: self.stamp(guild) for guild in {guild for guild, _ in self._copies}}
        for place in [p for p, held in self._copies.items() if held.stamp != stamps[p[0]]]:
            self._drop(place)
        self._swept = now

    def forget(self) -> None:
        """Throw everything away."""
        self._copies.clear()
        self._bytes = 0

    def close(self) -> None:
        """Forget everything and close the connection."""
        self.forget()
        self._stamps.close()

    def _drop(self, place: tuple[int, Hashable]) -> None:
        held = self._copies.pop(place, None)
        if held is not None:
            self._bytes -= held.size


def open_shelf(path: Path) -> Shelf:
    """A shelf for a database that is there and migrated.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    connection = open_reader(path, VectorSupport(NUMPY, "not needed"))
    # Nobody waits for another process on the event loop; a copy that cannot be checked is not used.
    connection.execute("PRAGMA busy_timeout = 0")
    return Shelf(connection)
