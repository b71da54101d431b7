"""A studio in a process of its own, to be killed: the real rooms, fed by lines, posting by HTTP.

``python -m bot.bench.studio DATA_DIR URL`` reads one JSON request a line from its standard input
and answers on its standard output, so that another process knows what was acknowledged.
"""

import asyncio
import http.client
import io
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from PIL import Image, ImageDraw

from bot.app import App, open_app
from bot.bench import pasting
from bot.queue.dispatcher import Dispatcher, Hooks
from bot.queue.executors.local import LocalExecutor, LocalLimits
from bot.queue.outbox import OutboxPump, PumpLimits
from bot.queue.timing import QueueTiming
from bot.services.actor import Actor
from bot.services.cast import NewCharacter, Upload
from bot.services.panels import PanelRequest
from bot.settings import Settings
from pipeline.domain.character import ShotType
from pipeline.domain.errors import AlreadyExists, NotFound, OnModelError
from pipeline.domain.review import OutboxItem, Posted

GUILD, CHANNEL, MANAGER = 1001, 5001, 1
HERO = "Iris"
# Short, so that many lives fit into a test; production waits longer for everything.
TIMING = QueueTiming(lease=2.0, beat=0.4, progress=0.5, poll=0.2, finish=1.0, cancel=1.0)


class LoopbackPoster:
    """Posts to a small server over HTTP, as a poster posts to Discord."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc

    async def find(self, item: OutboxItem) -> Posted | None:
        """Ask the server for a message with the item's nonce."""
        path = f"/messages?nonce={quote(_nonce(item))}"
        found = await asyncio.to_thread(self._ask, "GET", path, None)
        return Posted(CHANNEL, found[0]["id"]) if found else None

    async def post(self, item: OutboxItem) -> Posted:
        """Make the message."""
        body = {
            "nonce": _nonce(item),
            "kind": item.kind.value,
            "subject": item.subject_id,
        }
        made = await asyncio.to_thread(self._ask, "POST", "/messages", json.dumps(body))
        return Posted(CHANNEL, made["id"])

    def _ask(self, method: str, path: str, body: str | None) -> Any:
        connection = http.client.HTTPConnection(self._host, timeout=10)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            data = response.read()
            if response.status != http.HTTPStatus.OK:
                raise ConnectionError(f"status {response.status}")
            return json.loads(data)
        finally:
            connection.close()


def _nonce(item: OutboxItem) -> str:
    return f"{item.guild_id}:{item.dedupe_key}"


def say(**facts: Any) -> None:
    """Write one line to whoever started us."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


async def serve(data_dir: Path, url: str) -> None:
    """Open the studio and work until the input ends or SIGTERM comes."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = Settings(data_dir=data_dir, generator=pasting.NAME, _env_file=None)  # pyright: ignore[reportCallIssue] - pydantic-settings' own parameter
    async with open_app(settings) as app:
        await _register(app)
        async with _working(app, url, stop) as dispatcher:
            say(ready=True)
            await _answer(app, dispatcher, stop)


@asynccontextmanager
async def _working(app: App, url: str, stop: asyncio.Event) -> AsyncIterator[Dispatcher]:
    executor = LocalExecutor(app.workshop_spec, LocalLimits(cancel=1.0, stop=1.0))
    pump = OutboxPump(app.db, LoopbackPoster(url), PumpLimits(poll=0.2))
    hooks = Hooks(on_settled=pump.notify, chores=(app.votes.close_due,))
    dispatcher = Dispatcher(app.db, app.runs, [executor], hooks=hooks, timing=TIMING)
    async with asyncio.TaskGroup() as group:
        group.create_task(dispatcher.run(stop))
        group.create_task(pump.run(stop))
        telling = group.create_task(_tell_workers(executor))
        try:
            yield dispatcher
        finally:
            stop.set()
            telling.cancel()


async def _tell_workers(executor: LocalExecutor) -> None:
    """Say which process works, each time that it is a new one."""
    told = None
    while True:
        if executor.pid not in (told, None):
            told = executor.pid
            say(worker=told)
        await asyncio.sleep(0.02)


async def _answer(app: App, dispatcher: Dispatcher, stop: asyncio.Event) -> None:
    """Take requests from the input until it ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    stopped = asyncio.create_task(stop.wait())
    while not stop.is_set():
        line = asyncio.create_task(reader.readline())
        await asyncio.wait({line, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not line.done() or not line.result():
            line.cancel()
            break
        await _request(app, json.loads(line.result()))
        dispatcher.notify()
    stopped.cancel()


async def _request(app: App, request: dict[str, Any]) -> None:
    actor = Actor(GUILD, request["member"])
    wish = PanelRequest(
        characters=HERO, prompt=request["prompt"], shot_type=ShotType.HALF, alternates=1
    )
    try:
        await app.panels.request(actor, wish, channel_id=CHANNEL, dedupe_key=request["key"])
    except AlreadyExists:
        pass  # it was kept before we died, and nobody was told; now somebody is
    except OnModelError as error:
        say(refused=request["key"], why=str(error))
        return
    say(ack=request["key"])


async def _register(app: App) -> None:
    """Have a series with one character, once."""
    actor = Actor(GUILD, MANAGER, is_moderator=True, can_manage=True)
    try:
        await app.series.active(GUILD)
    except NotFound:
        await app.series.create(actor, name="Crash Landing")
        # the draw of the blind audit is secret: no panel is held back for it here
        await app.series.update(actor, quota=1000, audit_percent=0)
        uploads = [Upload(f"{turn}.png", _drawing(turn)) for turn in range(4)]
        await app.cast.register(actor, NewCharacter(HERO, shot_type=ShotType.HALF), uploads)


def _drawing(turn: int) -> bytes:
    """A figure on nothing: round head, coat, and something that differs by ``turn``."""
    image = Image.new("RGBA", (320, 420), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.polygon([(60, 420), (110, 200), (210, 200), (260, 420)], fill="#224488")
    draw.rectangle((120, 230 + 20 * turn, 200, 245 + 20 * turn), fill="#ffcc33")
    draw.ellipse((90, 40, 230, 210), fill="#f2c9a0")
    draw.pieslice((80, 20, 240, 190), 170 + 5 * turn, 370 - 5 * turn, fill="#552211")
    for eye in (125 + 4 * turn, 175 + 4 * turn):
        draw.ellipse((eye, 115, eye + 16, 140), fill="#102030")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
