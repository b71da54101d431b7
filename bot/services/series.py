"""The comic of a guild: started once, its settings changed now and then."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.services.actor import Actor
from bot.services.edits import limited
from bot.services.engines import Engines
from bot.services.naming import clean_name
from bot.services.rerolls import check_ranges
from pipeline.comics.formats import format_named
from pipeline.domain.character import ColorMode, ReadingDirection, Series
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import ChannelDefaults
from pipeline.domain.story import LAST_PAGE
from storage import allowance, audit, cast, channels, outbox
from storage.database import Database, Transaction
from storage.keys import Keyring

Setting = int | str | None

_NONE_BY_ZERO = {"vote_quorum", "vote_role_id", "gpu_seconds"}
_RANGES = {
    "chapter": ("Chapters go", 1, LAST_PAGE),
    "vote_hours": ("A vote is open for hours", 1, 336),
    "vote_quorum": ("A quorum goes", 1, 1000),
    "vote_days": ("Days of membership go", 0, 3650),
    "gpu_seconds": ("The engine's time for a member goes in seconds", 1, 864_000),
    "cooldown": ("A cooldown goes in seconds", 0, 86_400),
}


class SeriesService:
    """What people who manage a server say about its comic."""

    def __init__(self, db: Database, keyring: Keyring, engines: Engines) -> None:
        self._db = db
        self._keyring = keyring
        self._engines = engines

    async def create(
        self,
        actor: Actor,
        *,
        name: str,
        style: str = "",
        reading_direction: ReadingDirection = ReadingDirection.LTR,
        color_mode: ColorMode = ColorMode.COLOR,
    ) -> Series:
        """Start a comic; it becomes the one that the guild works on.

        Raises:
            NotAllowed: the actor may not manage the guild.
            AlreadyExists: a series has this name.
        """
        actor.require_manager("create a series")
        name = clean_name(name, "series name")
        limited("style", style, 200)
        await self._keyring.guild_key(actor.guild_id)
        await self._db.write(
            lambda tx: cast.create_series(
                tx,
                guild_id=actor.guild_id,
                name=name,
                style=style.strip(),
                reading_direction=reading_direction,
                color_mode=color_mode,
                created_by=actor.member_id,
                now=datetime.now(UTC),
            )
        )
        return await self.active(actor.guild_id)

    async def update(self, actor: Actor, **changed: Setting) -> Series:
        """Change the settings that are given (role, channels, alternates, quota, chapter …).

        0 takes a quorum, a voters' role or a limit of the engine's time away again.

        Raises:
            NotAllowed: the actor may not manage the guild.
            NotFound: the guild has no series.
            InvalidInput: a number is out of its range, or there is no such page size.
        """
        actor.require_manager("change the settings")
        series = await self.active(actor.guild_id)
        given: dict[str, Setting] = {k: v for k, v in changed.items() if v is not None}
        for name in _NONE_BY_ZERO & given.keys():
            given[name] = given[name] or None
        _check_ranges(given)
        if "page_format" in given:
            format_named(str(given["page_format"]))
        if given:
            await self._db.write(lambda tx: _change(tx, actor, series.id, given))
        return await self.active(actor.guild_id)

    async def give_role(self, actor: Actor, role_id: int, gpu_seconds: int) -> Series:
        """Say how long the engine may draw in 24 hours for members with a role.

        Of several roles the one that gives most counts; 0 seconds leave a role without a word.

        Raises:
            NotAllowed: the actor may not manage the guild.
            InvalidInput: the number is out of its range.
        """
        actor.require_manager("change the settings")
        series = await self.active(actor.guild_id)
        given = gpu_seconds or None
        _check_ranges({"gpu_seconds": given})

        def work(tx: Transaction) -> None:
            allowance.put_role_quota(
                tx,
                guild_id=actor.guild_id,
                series_id=series.id,
                role_id=role_id,
                gpu_seconds=given,
            )
            _noted(tx, actor, f"series {series.id}", f"role {role_id}: gpu_seconds = {given}")

        await self._db.write(work)
        return series

    async def roles(self, actor: Actor) -> list[tuple[int, int]]:
        """The roles with a quota of their own and its seconds, the largest first."""
        series = await self.active(actor.guild_id)
        return await allowance.role_quotas(self._db, actor.guild_id, series.id)

    async def channel(
        self, actor: Actor, channel_id: int, change: ChannelDefaults, *, clear: bool = False
    ) -> ChannelDefaults:
        """Change what panels get that are asked for in a channel; what is None stays.

        ``clear`` forgets what was said before.

        Raises:
            NotAllowed: the actor may not manage the guild.
            InvalidInput: there is no such engine, or something is out of its limits.
        """
        actor.require_manager("change the settings")
        await self.active(actor.guild_id)
        if change.generator is not None and change.generator not in self._engines.names:
            raise InvalidInput(f"This studio draws with: {', '.join(self._engines.names)}.")
        if change.alternates is not None:
            check_ranges(change.alternates)
        limited("style", change.style or "", 200)
        known = await channels.channel_defaults(self._db, actor.guild_id, channel_id)
        told = _over((not clear and known) or ChannelDefaults(), change)
        if told != (known or ChannelDefaults()):

            def work(tx: Transaction) -> None:
                channels.put_channel_defaults(
                    tx, guild_id=actor.guild_id, channel_id=channel_id, defaults=told
                )
                _noted(tx, actor, f"channel {channel_id}", str(told))

            await self._db.write(work)
        return told

    async def channels(self, actor: Actor) -> list[tuple[int, ChannelDefaults]]:
        """Every channel that says something, and what."""
        return await channels.list_channel_defaults(self._db, actor.guild_id)

    async def active(self, guild_id: int) -> Series:
        """The series that the guild works on.

        Raises:
            NotFound: there is none yet.
        """
        return await cast.active_series(self._db, guild_id)


def _change(tx: Transaction, actor: Actor, series_id: int, given: Mapping[str, Any]) -> None:
    cast.update_series(tx, guild_id=actor.guild_id, series_id=series_id, **given)
    if any(name.endswith("_channel_id") for name in given):
        outbox.revive(tx, guild_id=actor.guild_id, now=time.time())  # there may be a place now
    detail = ", ".join(f"{name} = {value}" for name, value in sorted(given.items()))
    _noted(tx, actor, f"series {series_id}", detail)


def _noted(tx: Transaction, actor: Actor, subject: str, detail: str) -> None:
    audit.note(
        tx,
        guild_id=actor.guild_id,
        member_id=actor.member_id,
        action="series.settings",
        subject=subject,
        detail=detail,
        now=datetime.now(UTC),
    )


def _over(known: ChannelDefaults, change: ChannelDefaults) -> ChannelDefaults:
    """What is said now, where a change says something."""
    return ChannelDefaults(
        generator=change.generator or known.generator,
        style=change.style or known.style,
        size=change.size or known.size,
        alternates=change.alternates or known.alternates,
    )


def _check_ranges(given: Mapping[str, Setting]) -> None:
    for name, (what, least, most) in _RANGES.items():
        value = given.get(name)
        if value is not None and (not isinstance(value, int) or not least <= value <= most):
            raise InvalidInput(f"{what} from {least} to {most}.")
