"""``onmodel run``: the studio behind Discord, from the first check to a graceful end."""

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import aiohttp
import discord

from bot.app import App, open_app
from bot.client import OnModelBot
from bot.logs import setup_logging
from bot.queue.dispatcher import Dispatcher, Hooks
from bot.queue.executors.base import Executor
from bot.queue.executors.local import LocalExecutor
from bot.queue.executors.worker import panel_work
from bot.queue.outbox import OutboxPump
from bot.settings import Settings, load_settings, misspelt_variables
from bot.watch import LoopWatch
from pipeline.domain.errors import SettingsError

log = logging.getLogger(__name__)

EXIT_OK = 0
EXIT_UNREACHABLE = 69
EXIT_TOKEN_REFUSED = 77
EXIT_BAD_SETTINGS = 78
# Seconds for the goodbye to Discord; the queue needs up to 5 of the 10 that a stop may take.
_GOODBYE = 3.0


def run_bot() -> int:
    """Read the settings and serve until SIGTERM or SIGINT; returns the process's exit status.

    Raises:
        SettingsError: a setting is missing or out of range.
    """
    settings = load_settings()
    token = settings.discord_token.get_secret_value() if settings.discord_token else ""
    if not token.strip():
        raise SettingsError(
            "DISCORD_TOKEN is not set. Copy .env.example to .env and put the token of your bot "
            "there (Discord Developer Portal, your application, Bot, Reset Token)."
        )
    setup_logging(secrets=[token])
    for name, meant in misspelt_variables().items():
        hint = f"did you mean {meant}?" if meant else "it is not known"
        log.warning("%s has no effect: %s", name, hint, extra={"action": "settings"})
    return asyncio.run(serve(settings))


async def serve(settings: Settings) -> int:
    """Open the studio, log in, and work until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with AsyncExitStack() as stack:
            app = await stack.enter_async_context(open_app(settings))
            bot = await stack.enter_async_context(_watched_bot(app))
            return await _serve_discord(bot, app, executors_for(app), stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _watched_bot(app: App) -> AsyncIterator[OnModelBot]:
    """The client, with an eye on the event loop, and on a port for the host if one is set."""
    host, port = app.settings.metrics_host, app.settings.metrics_port
    if port is None:
        async with LoopWatch().watching():
            yield OnModelBot(app)
        return
    # here and not above: who does not ask for figures does not load what makes them
    from bot.meter import Meter
    from bot.monitor import Monitor

    meter = Meter()
    bot = OnModelBot(app, meter)
    async with (
        LoopWatch(meter.lag).watching() as watch,
        Monitor(bot, app.db, meter, watch).open(host, port),
    ):
        yield bot


def executors_for(app: App) -> list[Executor]:
    """The workers that the settings ask for.

    Raises:
        SettingsError: the executor is not part of this installation.
    """
    if app.settings.executor != "local":
        raise SettingsError(
            f"ONMODEL_EXECUTOR={app.settings.executor} is not available here; use local."
        )
    return [LocalExecutor(partial(panel_work, app.workshop_spec))]


@asynccontextmanager
async def workroom(
    app: App, bot: OnModelBot, executors: Sequence[Executor], stop: asyncio.Event
) -> AsyncIterator[asyncio.Task[None]]:
    """Queue, outbox and index at work beside a logged-in ``bot``, until left or ``stop``.

    Yields:
        The task that works; it ends early only if it fails.
    """
    pump = OutboxPump(app.db, bot.poster)
    chores = [
        app.votes.close_due,
        app.consent.expire,
        app.quests.expire,
        app.guilds.erase_due,
        app.sweeper.chore,
        app.panel_search.chore,
    ]
    hooks = Hooks(on_settled=pump.notify, chores=chores)
    dispatcher = Dispatcher(app.db, app.runs, executors, hooks=hooks)

    def wake() -> None:
        dispatcher.notify()
        dispatcher.notify_cancel()
        pump.notify()

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(dispatcher.run(stop))
            group.create_task(pump.run(stop))
            group.create_task(app.reindex.run(stop))

    bot.wake, bot.preview_of = wake, dispatcher.preview_of
    bot.trouble = lambda: dispatcher.trouble
    task = asyncio.create_task(work(), name="workroom")
    bot.working = lambda: not task.done()
    try:
        yield task
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)


async def _serve_discord(
    bot: OnModelBot, app: App, executors: Sequence[Executor], stop: asyncio.Event
) -> int:
    token = app.settings.discord_token
    try:
        await bot.login(token.get_secret_value().strip() if token else "")
    except discord.LoginFailure:
        await bot.close()
        _say(
            "Discord refused the token. Make a new one in the Developer Portal (your "
            "application, Bot, Reset Token) and put it into DISCORD_TOKEN."
        )
        return EXIT_TOKEN_REFUSED
    except (aiohttp.ClientError, OSError, discord.GatewayNotFound) as error:
        await bot.close()
        _say(f"Discord cannot be reached ({type(error).__name__}). Check the network and retry.")
        return EXIT_UNREACHABLE
    connection = asyncio.create_task(bot.connect(), name="gateway")
    try:
        return await _work(bot, app, executors, stop, connection)
    finally:
        with suppress(TimeoutError):  # Discord notices by itself that we are gone
            await asyncio.wait_for(bot.close(), _GOODBYE)
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)


async def _work(
    bot: OnModelBot,
    app: App,
    executors: Sequence[Executor],
    stop: asyncio.Event,
    connection: asyncio.Task[None],
) -> int:
    """Work until told to stop; what fails for good ends the program with its error."""
    ready = asyncio.create_task(bot.wait_until_ready())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({ready, stopped, connection}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done() and not stop.is_set():
            async with workroom(app, bot, executors, stop) as work:
                await asyncio.wait({stopped, connection, work}, return_when=asyncio.FIRST_COMPLETED)
                if work.done() and not stop.is_set():
                    work.result()
        if connection.done() and not stop.is_set():
            return _lost(connection)
    finally:
        ready.cancel()
        stopped.cancel()
        await asyncio.gather(ready, stopped, return_exceptions=True)
    return EXIT_OK


def _lost(connection: asyncio.Task[None]) -> int:
    """The gateway ended by itself: say why, in one line where the reason is known."""
    error = connection.exception()
    if isinstance(error, discord.PrivilegedIntentsRequired):
        _say("Discord refused the intents of this bot. Update it to a released version.")
        return EXIT_BAD_SETTINGS
    if isinstance(error, discord.ConnectionClosed) and error.code == 4004:
        _say("Discord refused the token: it was reset. Put the new one into DISCORD_TOKEN.")
        return EXIT_TOKEN_REFUSED
    if error is not None:
        raise error
    _say("Discord closed the connection for good.")
    return EXIT_UNREACHABLE


def _say(words: str) -> None:
    sys.stderr.write(f"onmodel: {words}\n")
