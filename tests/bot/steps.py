"""Steps that the stories about services share."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

from bot.queue.dispatcher import Dispatcher, Hooks
from bot.queue.executors.base import Executor
from bot.services.cast import NewCharacter
from pipeline.domain.panel import PanelStatus
from pipeline.runner import build_workshop, run_panel
from storage import panels


class InThisProcess(Executor):
    """Runs the real pipeline in a thread: the worker process has tests of its own."""

    def __init__(self, spec):
        self._spec = spec
        self._workshop = None

    async def start(self):
        if self._workshop is None:
            self._workshop = await asyncio.to_thread(build_workshop, self._spec)

    async def run(self, inputs, *, on_progress, cancelled):
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(
            partial(
                run_panel,
                inputs,
                self._workshop,
                progress=partial(loop.call_soon_threadsafe, on_progress),
                cancelled=lambda: cancelled.is_set(),
            )
        )

    async def stop(self):
        self._workshop = None


@asynccontextmanager
async def working(app):
    """The queue at work."""
    stop = asyncio.Event()
    dispatcher = Dispatcher(
        app.db,
        app.runs,
        [InThisProcess(app.workshop_spec)],
        hooks=Hooks(chores=[app.votes.close_due]),
    )
    task = asyncio.create_task(dispatcher.run(stop))
    try:
        yield dispatcher
    finally:
        stop.set()
        await task


async def settled(app, guild_id, panel_id, seconds=60.0):
    """The panel once it neither waits nor runs."""
    async with asyncio.timeout(seconds):
        while True:
            panel = await panels.get_panel(app.db, guild_id, panel_id)
            if panel.status not in (PanelStatus.QUEUED, PanelStatus.RUNNING):
                return panel
            await asyncio.sleep(0.05)


async def register(app, actor, character, *, references=8):
    """One of the demo's characters in its first appearance."""
    look = character.appearances[0]
    return await app.cast.register(
        actor,
        NewCharacter(
            character.name,
            character.character_id,
            look.appearance_id,
            look.label,
            components=look.components,
        ),
        look.references[:references],
    )
