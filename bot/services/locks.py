"""One change to a guild's registry after the other."""

import asyncio


class GuildLocks:
    """A lock per guild, shared by the services that change a registry.

    Thresholds are computed from all references of an appearance before they are written, so no
    other change may come between.
    """

    def __init__(self) -> None:
        self._locks: dict[int, asyncio.Lock] = {}

    def of(self, guild_id: int) -> asyncio.Lock:
        """The lock of a guild."""
        return self._locks.setdefault(guild_id, asyncio.Lock())
