"""Runs the production: register, request, check, judge, vote, compose, export."""

import asyncio
import shutil
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from bot.app import App, open_app
from bot.demo.material import DemoMaterial, load_material
from bot.demo.posts import PrintingPoster
from bot.demo.report import write_report
from bot.demo.scripted import judge_reviews, vote_on
from bot.queue.dispatcher import Dispatcher, Hooks
from bot.queue.executors.local import LocalExecutor
from bot.queue.executors.worker import panel_work
from bot.queue.outbox import OutboxPump
from bot.services.actor import Actor
from bot.services.cast import NewCharacter
from bot.settings import Settings
from pipeline.domain.errors import OnModelError
from pipeline.domain.panel import PanelStatus
from pipeline.script.document import Script
from pipeline.script.reading import read_script
from storage import outbox, panels

GUILD = 1
MANAGER = Actor(GUILD, 100, is_moderator=True, can_manage=True)
WRITER = Actor(GUILD, 200)
GUEST = Actor(GUILD, 300)
_LIVE = {PanelStatus.QUEUED, PanelStatus.RUNNING}


@dataclass(slots=True)
class Production:
    """What happened so far; the report is made of it."""

    app: App
    material: DemoMaterial
    script: Script
    panel_ids: list[int] = field(default_factory=list)
    submissions: list[tuple[int, str]] = field(default_factory=list)
    guild_id: int = GUILD
    references: int = 0
    votes: int = 0
    pages: int = 0


def run_demo(out: Path) -> int:
    """Produce the demo comic into ``out``; returns the exit status 0."""
    started = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    console = Console()
    console.print("[bold]Onmodel[/bold] makes a comic: the cast is registered, panels are drafted,")
    console.print("checked, judged, voted on, lettered and bound. No GPU, no Discord.\n")
    summary = asyncio.run(_produce(out, console, started))
    console.print(
        f"\n{summary['pages']} pages from {summary['panels']} panels "
        f"({summary['attempts']} attempts, {summary['flagged']} flagged) in "
        f"{summary['seconds']:.0f} s.\nOpen [bold]{out / 'index.html'}[/bold]"
    )
    return 0


async def _produce(out: Path, console: Console, started: float) -> dict[str, float]:
    material = load_material()
    script = read_script(material.script).script
    assert script is not None, "the demo's script is tested"
    data_dir = Path(tempfile.mkdtemp(prefix="onmodel-demo-"))
    try:
        # Only the defaults: the demo is the same on every machine, whatever is configured.
        settings = Settings(data_dir=data_dir, _env_file=None)  # pyright: ignore[reportCallIssue]
        async with open_app(settings) as app:
            production = Production(app, material, script)
            with _progress(console) as progress:
                async with _studio(app, console):
                    await _register(production, progress)
                    await _request(production, progress)
                    await _decide(production, progress)
                # nothing is left to draw: the worker has gone home before the pages are made
                await _bind(production, out, progress)
            # From here on passed panels are audited, so that verdicts can teach the limits.
            await app.series.update(MANAGER, audit_percent=10)
            return await write_report(production, out, time.monotonic() - started)
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)


@asynccontextmanager
async def _studio(app: App, console: Console) -> AsyncIterator[None]:
    """Queue, worker process and outbox, as behind Discord; the poster prints."""
    stop = asyncio.Event()
    executor = LocalExecutor(partial(panel_work, app.workshop_spec))
    pump = OutboxPump(app.db, PrintingPoster(app, console))
    hooks = Hooks(on_settled=pump.notify, chores=[app.votes.close_due])
    dispatcher = Dispatcher(app.db, app.runs, [executor], hooks=hooks)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(dispatcher.run(stop))
        tasks.create_task(pump.run(stop))
        try:
            yield
        finally:
            stop.set()


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
    )


async def _register(production: Production, progress: Progress) -> None:
    cast_service = production.app.cast
    await production.app.series.create(MANAGER, name=production.script.title)
    # The draw of the blind audit is secret, and a demo has to come out the same every time.
    await production.app.series.update(MANAGER, audit_percent=0, alternates=2)
    looks = [(c, a) for c in production.material.characters for a in c.appearances]
    task = progress.add_task("Registering the cast", total=sum(len(a.references) for _, a in looks))
    for character, look in looks:
        if look is character.appearances[0]:
            new = NewCharacter(
                name=character.name,
                character_id=character.character_id,
                appearance=look.appearance_id,
                label=look.label,
                notes=character.notes,
                height_ratio=character.height_ratio,
                components=look.components,
            )
            done = await cast_service.register(MANAGER, new, look.references)
        else:
            done = await cast_service.add_references(
                MANAGER,
                character.character_id,
                look.references,
                appearance=look.appearance_id,
                label=look.label,
                components=look.components,
            )
        production.references += len(done.added)
        progress.advance(task, len(look.references))


async def _request(production: Production, progress: Progress) -> None:
    """The script's panels, one human drawing that is right and one that is not."""
    preview = await production.app.scripts.take(WRITER, production.material.script.encode())
    if preview.id is None:
        raise OnModelError(f"The demo's script cannot be read: {preview.problems[0].text}")
    produced = await production.app.scripts.produce(WRITER, preview.id, channel_id=None)
    production.panel_ids += [requested.panel.id for requested in produced.requested]
    hero = production.material.characters[0]
    await _submit(
        production,
        hero.appearances[0].held_out[0].data,
        hero.character_id,
        f"A member draws {hero.name} by hand, in a pose that nobody registered.",
    )
    for drawing in production.material.off_model[:1]:
        await _submit(
            production,
            drawing.upload.data,
            drawing.claims,
            f"A guest artist draws from memory. {drawing.why}",
        )
    await _settle(production, progress, "Drawing and checking")


async def _submit(production: Production, data: bytes, character: str, story: str) -> None:
    requested = await production.app.panels.submit(
        GUEST,
        data,
        characters=character,
        channel_id=None,
        dedupe_key=f"demo:submission:{len(production.submissions)}",
    )
    production.submissions.append((requested.panel.id, story))


async def _settle(production: Production, progress: Progress, title: str) -> None:
    """Wait until nothing is queued, nothing runs and everything is posted."""
    db = production.app.db
    total = len(production.panel_ids) + len(production.submissions)
    task = progress.add_task(title, total=total)
    while True:
        everything = await panels.list_panels(db, GUILD)
        live = sum(panel.status in _LIVE for panel in everything)
        progress.update(task, completed=total - live)
        if live == 0 and await outbox.pending_count(db) == 0:
            return
        await asyncio.sleep(0.1)


async def _decide(production: Production, progress: Progress) -> None:
    """The scripted people: moderators on what was flagged, members on the alternates."""
    await judge_reviews(production.app, MANAGER)
    production.votes = await vote_on(production.app, WRITER, production.panel_ids)
    await _settle(production, progress, "Moderators and voters decide")


async def _bind(production: Production, out: Path, progress: Progress) -> None:
    service = production.app.pages
    numbers = [page.number for page in production.script.pages]
    task = progress.add_task("Lettering and binding", total=len(numbers) + 4)
    folder = out / "pages"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number in numbers:
        try:
            page = await service.compose(WRITER, number)
        except OnModelError as error:
            raise OnModelError(f"Page {number} could not be composed: {error}") from error
        (folder / f"page-{number:03d}.png").write_bytes(page.png)
        production.pages += 1
        progress.advance(task)
    for format_name in ("cbz", "pdf", "epub"):
        book = await service.export(WRITER, format_name)
        (out / f"comic.{format_name}").write_bytes(book.data)
        progress.advance(task)
    reader = out / "reader"
    shutil.rmtree(reader, ignore_errors=True)
    web = await service.export(WRITER, "web")
    with zipfile.ZipFile(BytesIO(web.data)) as archive:
        archive.extractall(reader)
    progress.advance(task)
