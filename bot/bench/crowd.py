"""A full server on simcord's Discord, whose members act at the same moment.

simcord's own actors act one after another and wait until all is quiet. Here interactions are put
on the gateway in one burst, and each is timed from there to its callback.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.app import App, open_app
from bot.client import OnModelBot
from bot.serve import executors_for, workroom
from bot.services.actor import Actor
from bot.services.samples import register_sample
from bot.settings import Settings
from pipeline.domain.errors import SettingsError
from storage import outbox

_PATIENCE = 120.0
_COMMAND, _COMPONENT, _BUTTON = 2, 3, 2
_EPHEMERAL = 1 << 6
_TYPES = {str: 3, int: 4}


@dataclass(frozen=True, slots=True)
class Order:
    """A command with its options, such as ``panel status`` of panel 1."""

    command: str
    options: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """How long one interaction waited for its callback; None if it never came."""

    member: int
    seconds: float | None


class Crowd:
    """``members`` people in one server with a comic, one character and a studio at work."""

    def __init__(self, env: Any, app: App, guild: Any, channel: Any, people: Sequence[Any]) -> None:
        self._env = env
        self._app = app
        self._guild = guild
        self._channel = channel
        self._people = people
        self._waiting: dict[int, tuple[float, asyncio.Future[float]]] = {}

    @property
    def members(self) -> int:
        """How many there are."""
        return len(self._people)

    async def all_at_once(self, acts: Sequence[tuple[int, Order]]) -> list[Answer]:
        """Every (member, command) in one burst."""
        return await self._burst([(m, _COMMAND, self._typed(order), None) for m, order in acts])

    async def vote_at_once(self, card: Any, members: Iterable[int]) -> list[Answer]:
        """Members press the first button of a vote card in one burst."""
        from simcord.backend import serializers

        data = {"custom_id": _first_vote(card.components), "component_type": _BUTTON}
        message = dict(serializers.message_payload(self._env.backend, card))
        return await self._burst([(m, _COMPONENT, data, (card.id, message)) for m in members])

    async def _burst(self, acts: Sequence[tuple[int, int, dict[str, Any], Any]]) -> list[Answer]:
        sent = [(act[0], self._send(*act)) for act in acts]
        await asyncio.wait([future for _, future in sent], timeout=_PATIENCE)
        return [Answer(m, future.result() if future.done() else None) for m, future in sent]

    def _send(
        self, member: int, kind: int, data: dict[str, Any], source: tuple[int, Any] | None
    ) -> asyncio.Future[float]:
        from simcord.interactions import base_payload

        record, payload = base_payload(
            self._env.backend,
            type=kind,
            channel_id=self._channel.id,
            guild_id=self._guild.id,
            user_id=self._people[member].id,
            data=data,
        )
        if source is not None:
            record.source_message_id, payload["message"] = source
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[record.id] = (time.perf_counter(), future)
        self._env.backend.emit("INTERACTION_CREATE", payload)
        return future

    def heard(self, path: str) -> None:
        """A request went to Discord: the answer to one of ours, perhaps."""
        parts = path.strip("/").split("/")
        if parts[0] != "interactions" or parts[-1] != "callback":
            return
        started, future = self._waiting.pop(int(parts[1]), (0.0, None))
        if future is not None and not future.done():
            future.set_result(time.perf_counter() - started)

    def _typed(self, order: Order) -> dict[str, Any]:
        group, _, name = order.command.partition(" ")
        root = self._env.backend.find_command(group, self._guild.id, type=1)
        options = [
            {"name": option, "type": _TYPES[type(value)], "value": value}
            for option, value in order.options.items()
        ]
        leaf = {"name": name, "type": 1, "options": options}
        return {"id": root["id"], "name": group, "type": 1, "options": [leaf]}

    async def first_card(self) -> Any:
        """The first vote card that is posted, as simcord keeps it."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                for message in list(self._env.backend.messages.get(self._channel.id, {}).values()):
                    if _first_vote(message.components):
                        return message
                await asyncio.sleep(0.02)

    async def is_drawing(self) -> bool:
        """Whether a worker draws at this moment."""
        return await self._count("SELECT count(*) AS n FROM job WHERE status = 'running'") > 0

    async def drawn(self) -> None:
        """Wait until nothing waits or runs and everything is posted."""
        live = "SELECT count(*) AS n FROM job WHERE status IN ('queued', 'running')"
        while True:
            if not (await self._count(live) or await outbox.pending_count(self._app.db)):
                return
            await asyncio.sleep(0.05)

    async def votes(self, card: Any) -> int:
        """How many votes the database holds for the panel of a card."""
        panel = int(_first_vote(card.components).split(":")[2])
        return await self._count("SELECT count(*) AS n FROM vote WHERE panel_id = ?", panel)

    async def _count(self, query: str, *values: int) -> int:
        row = await self._app.db.fetch_one(query, values)
        assert row is not None  # count(*) always has a row
        return row["n"]

    async def settled(self) -> None:
        """Wait until every task that an interaction started has ended."""
        await self._env.settle()

    def forget(self) -> None:
        """Throw away what simcord remembers: requests, interactions, private answers, files."""
        backend = self._env.backend
        for memory in (backend.http_requests, backend.transcript, backend.interactions,
                       backend.interaction_tokens):  # fmt: skip
            memory.clear()
        backend.cdn = type(backend.cdn)()
        for messages in backend.messages.values():
            for number in [n for n, m in messages.items() if int(m.flags) & _EPHEMERAL]:
                del messages[number]


def _first_vote(components: Iterable[Mapping[str, Any]]) -> str:
    """The custom id of a card's first vote button; empty if it has none."""
    for component in components:
        if str(component.get("custom_id", "")).startswith("om:vote:"):
            return str(component["custom_id"])
        if found := _first_vote(component.get("components") or ()):
            return found
    return ""


@asynccontextmanager
async def crowd(folder: Path, members: int) -> AsyncIterator[Crowd]:
    """A studio with a full server, on data in ``folder``.

    Raises:
        SettingsError: simcord is not installed.
    """
    try:
        import simcord
        from simcord.http import router
    except ImportError as error:
        raise SettingsError(
            "This bench plays Discord with simcord: pip install 'onmodel[dev]'."
        ) from error
    settings = Settings(data_dir=folder, _env_file=None)  # pyright: ignore[reportCallIssue]
    async with open_app(settings) as app:
        bot = OnModelBot(app)
        env = simcord.Env(bot, shard_count=1, settle_timeout=_PATIENCE)
        await env.start()
        real = router.dispatch
        try:
            people = await _staged(env, app, members)

            def dispatch(backend: Any, method: str, path: str, **request: Any) -> Any:
                people.heard(path)
                return real(backend, method, path, **request)

            router.dispatch = dispatch
            async with workroom(app, bot, executors_for(app), asyncio.Event()):
                yield people
        finally:
            router.dispatch = real
            await env.shutdown()


async def _staged(env: Any, app: App, members: int) -> Crowd:
    guild = env.create_guild("A full server")
    channel = guild.create_text_channel("panels")
    people = [guild.add_member(env.create_user(f"member{n}")) for n in range(members)]
    manager = Actor(guild.id, people[0].id, is_moderator=True, can_manage=True)
    await app.series.create(manager, name="Rush hour")
    # The draw of the blind audit is secret; what passes shall be posted.
    await app.series.update(manager, audit_percent=0, panel_channel_id=channel.id)
    await register_sample(app.cast, manager)
    return Crowd(env, app, guild, channel, people)
