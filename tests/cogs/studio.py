"""Drives the real bot on simcord's Discord, and writes down what it sends.

Only two things are not the product: Discord itself (simcord) and, in most stories, what happens
inside a worker (:class:`ScriptedWork`), so that a story decides how a panel turns out. The queue,
the outbox, the services, SQLite, the blobs and the decoding process are the real ones.
"""

import asyncio
import contextlib
import io
import logging
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import discord
import numpy as np
import pytest
import simcord
from discord_contract import Request, violations, walk
from PIL import Image, ImageDraw
from simcord.http import router

from bot.app import App, open_app
from bot.client import OnModelBot
from bot.queue.executors.base import PanelWork, ProgressCallback, WorkerCrashed
from bot.serve import executors_for, workroom
from bot.settings import Settings
from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import Cancelled, GenerationFailed
from pipeline.domain.fingerprint import PictureHashes
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.panel import Candidate
from pipeline.domain.quality import (
    Accept,
    Attempt,
    CandidateReport,
    CharacterCheck,
    Flag,
    FlagForReview,
    JudgedCandidate,
    PanelOutcome,
    Verdict,
)
from pipeline.domain.safety import Rating
from pipeline.domain.taste import Trait, Traits
from pipeline.generation.enlarging import enlarge_panel
from pipeline.imaging.decode import PictureDoor
from pipeline.safety.raters import rating_words
from storage import outbox

PATIENCE = 20.0


@contextmanager
def shared_door(door: PictureDoor) -> Iterator[PictureDoor]:
    yield door


def picture(colour: str = "navy", size: tuple[int, int] = (96, 128), mark: int = 0) -> bytes:
    """A simple figure on a transparent ground; ``mark`` makes two of a colour differ."""
    image = Image.new("RGBA", size)
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.ellipse((width * 0.3, height * 0.05, width * 0.7, height * 0.35), fill="peachpuff")
    draw.rectangle((width * 0.25, height * 0.35, width * 0.75, height * 0.95), fill=colour)
    draw.ellipse((width * 0.4, height * 0.15, width * 0.45, height * 0.2), fill="black")
    for n in range(mark % 12):
        x, y = width * (0.28 + 0.04 * n), height * (0.4 + 0.04 * ((mark * 7 + n * 5) % 12))
        draw.rectangle((x, y, x + 6, y + 8), fill=(255 - 20 * n, 40 * (n % 5), 30 * mark % 255))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


# --- what a worker does, by the words of the prompt -----------------------------------------------


class ScriptedWork:
    """Makes a panel as its prompt says: ``off-model``, ``unsure``, ``copy``, ``broken``, ``crash``,
    ``unsafe``.

    A submission is judged off-model. Everything else is on-model, one picture per alternate.
    """

    def __call__(
        self,
        inputs: PanelInputs,
        *,
        progress: Callable[[float, str], None],
        cancelled: Callable[[], bool],
    ) -> PanelOutcome:
        progress(0.5, "drawing")
        if inputs.enlarging is not None:
            return enlarge_panel(inputs, inputs.enlarging, progress=progress, cancelled=cancelled)
        if cancelled():
            raise Cancelled("Stopped.")
        words = inputs.brief.prompt
        if "broken" in words:
            raise GenerationFailed("The engine ran out of ink. Fill it up and ask again.")
        if "crash" in words:
            raise WorkerCrashed("The worker died.")
        verdict = Verdict.ON_MODEL
        if "off-model" in words or inputs.submission is not None:
            verdict = Verdict.OFF_MODEL
        if "unsure" in words:
            verdict = Verdict.CANNOT_JUDGE
        return _outcome(inputs, verdict)


def _outcome(inputs: PanelInputs, verdict: Verdict) -> PanelOutcome:
    drawn = (
        [inputs.submission]
        if inputs.submission
        else [_drawn(inputs, n) for n in range(inputs.brief.alternates)]
    )
    hashes = PictureHashes("test", None, None, None)
    judged = tuple(
        JudgedCandidate(c, hashes, _report(inputs, verdict), warm(n)) for n, c in enumerate(drawn)
    )
    plan = None if inputs.submission else _plan(inputs)
    attempts = (Attempt(1, plan, judged, 0.1),)
    if "unsafe" in inputs.brief.prompt:
        return _unsafe(inputs, attempts)
    if verdict is Verdict.ON_MODEL:
        picks = tuple((0, n) for n in range(len(judged)))
        return PanelOutcome(attempts, Accept(picks), None, 0.1)
    flag = Flag.OFF_MODEL if verdict is Verdict.OFF_MODEL else Flag.CANNOT_JUDGE
    reason = "ch_akira: the colours are another character's."
    evidence = picture("darkred", (200, 120))
    return PanelOutcome(attempts, FlagForReview((0, 0), flag, reason), evidence, 0.1)


def warm(number: float) -> Traits:
    """What the scripted alternates are like: each is a little warmer than the one before."""
    return Traits({Trait.WARMTH: 0.2 * number}, np.full(4, 0.5, np.float32), "test:1:1")


def _unsafe(inputs: PanelInputs, attempts: tuple[Attempt, ...]) -> PanelOutcome:
    """Every picture is one that a classifier does not like, as the runner would say it."""
    rating, hold = Rating(0.93, "drawings", over=True), inputs.safety.hold
    (attempt,) = attempts
    judged = tuple(
        replace(
            one,
            report=replace(one.report, rating=rating, flags=(Flag.UNSAFE,) if hold else ()),
        )
        for one in attempt.candidates
    )
    decision: Accept | FlagForReview = Accept(tuple((0, n) for n in range(len(judged))))
    if hold:
        decision = FlagForReview((0, 0), Flag.UNSAFE, rating_words(rating))
    evidence = picture("darkred", (200, 120)) if hold else None
    return PanelOutcome((replace(attempt, candidates=judged),), decision, evidence, 0.1)


def _drawn(inputs: PanelInputs, number: int) -> Candidate:
    mark = (inputs.brief.seed + number) % 997
    return Candidate(picture("navy", (160, 120), mark + 1), Size(160, 120))


def _report(inputs: PanelInputs, verdict: Verdict) -> CandidateReport:
    checks = tuple(
        CharacterCheck(r.character_id, r.appearance_id, verdict, "measured", 0.8, 0.7)
        for r in inputs.brief.cast
    )
    return CandidateReport(verdict, checks, margin=0.1)


def _plan(inputs: PanelInputs) -> ConditioningPlan:
    brief = inputs.brief
    return ConditioningPlan(
        "draft", "1", brief.prompt, "", (), brief.shot_type, brief.color_mode, Size(160, 120),
        brief.seed, brief.alternates, inputs.start_strength,
    )  # fmt: skip


class ThreadExecutor:
    """Runs the work in a thread; a closed gate makes the generation take as long as it is closed."""

    def __init__(self, work: PanelWork) -> None:
        self.work = work
        self.gate = asyncio.Event()
        self.gate.set()
        self.runs = 0
        self.preview: bytes | None = None

    async def start(self) -> None:
        """Nothing to load."""

    async def run(
        self,
        inputs: PanelInputs,
        *,
        on_progress: ProgressCallback,
        cancelled: asyncio.Event,
    ) -> PanelOutcome:
        self.runs += 1
        on_progress(0.25, "waiting for the engine", self.preview)
        await self._gate_or(cancelled)
        stop = threading.Event()
        if cancelled.is_set():
            stop.set()
        return await asyncio.to_thread(
            self.work, inputs, progress=lambda _f, _w: None, cancelled=stop.is_set
        )

    async def _gate_or(self, cancelled: asyncio.Event) -> None:
        waits = [asyncio.create_task(e.wait()) for e in (self.gate, cancelled)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def stop(self) -> None:
        """Nothing to let go."""


# --- the studio -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class StudioOptions:
    """How a story wants its studio."""

    series: bool = True
    real_worker: bool = False
    members_intent: bool = True
    errors_expected: bool = False
    locale: str = "en-US"
    shards: int = 1


@dataclass
class Log:
    """Every request with the virtual second at which it went out."""

    requests: list[Request] = field(default_factory=list)

    def of(self, method: str, pattern: str) -> list[Request]:
        return [r for r in self.requests if r.method == method and re.fullmatch(pattern, r.path)]

    def acks(self) -> list[Request]:
        return self.of("POST", r"/interactions/.*/callback")


class Studio:
    """One server with a comic, its people, and the bot at work."""

    env: simcord.Env
    app: App
    bot: OnModelBot
    executor: ThreadExecutor

    def __init__(
        self, folder: Path, options: StudioOptions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.options = options
        self.settings = Settings(data_dir=folder / "data", _env_file=None)  # pyright: ignore
        self.log = Log()
        self.errors: list[logging.LogRecord] = []
        self.locales: dict[int, str] = {}
        self._monkeypatch = monkeypatch
        self._work: AsyncExitStack = AsyncExitStack()
        self._apps: AsyncExitStack = AsyncExitStack()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self._record_requests()
        self._tell_locales()
        with self._watch_errors():
            await self._open_app()
            try:
                self.env = simcord.Env(
                    self.bot, settle_timeout=PATIENCE, shard_count=self.options.shards
                )
                await self.env.start()
                try:
                    await self._start_work()
                    await self._set_the_stage()
                    yield
                finally:
                    await self._work.aclose()
                    await self.env.shutdown()
                self.env.raise_errors()
            finally:
                await self._apps.aclose()

    async def restart(self) -> None:
        """Throw the process's memory away: new services, new client, same files, same Discord."""
        await self._work.aclose()
        await self._apps.aclose()
        await self._open_app()
        await self.env.restart_bot(self.bot)
        await self._start_work()

    async def _open_app(self) -> None:
        self._apps = AsyncExitStack()
        self.app = await self._apps.enter_async_context(open_app(self.settings))
        self.bot = OnModelBot(self.app)

    async def _start_work(self) -> None:
        self._work = AsyncExitStack()
        self.executor = ThreadExecutor(ScriptedWork())
        real = self.options.real_worker
        executors = executors_for(self.app) if real else [self.executor]
        await self._work.enter_async_context(
            workroom(self.app, self.bot, executors, asyncio.Event())
        )

    async def _set_the_stage(self) -> None:
        env = self.env
        self.guild = env.create_guild("Comic Club", preferred_locale=self.options.locale)
        self.channel = self.guild.create_text_channel("panels")
        self.reviews = self.guild.create_text_channel("reviews")
        self.mods = self.guild.create_role("Editors")
        managers = self.guild.create_role(
            "Managers", permissions=discord.Permissions(manage_guild=True)
        )
        self.boss = self.guild.add_member(env.create_user("boss"), roles=[managers])
        self.mod = self.guild.add_member(env.create_user("mod"), roles=[self.mods])
        self.ann = self.guild.add_member(env.create_user("ann"))
        self.bob = self.guild.add_member(env.create_user("bob"))
        if not self.options.members_intent:
            env.inject_error(
                "GET", "/guilds/*/members", status=403, code=50001, message="Missing Access",
                times=None,
            )  # fmt: skip
        if self.options.series:
            await self.start_series()

    async def start_series(self) -> None:
        await self.boss.slash(self.channel, "series create", name="Night Shift")
        await self.boss.slash(
            self.channel, "series settings", moderator_role=self.mods, review_channel=self.reviews,
            audit=0,  # a story decides itself when one is drawn
        )  # fmt: skip

    async def register(self, who=None, name: str = "Akira", colour: str = "navy", **options: Any):
        return await (who or self.ann).slash(
            self.channel, "character register", name=name, image=("a.png", picture(colour)),
            **options,
        )  # fmt: skip

    async def request(self, who=None, prompt: str = "They run.", **options: Any):
        options = {"characters": "Akira", "alternates": 2, **options}
        return await (who or self.ann).slash(
            self.channel, "panel request", prompt=prompt, **options
        )

    def speaks(self, who: Any, locale: str) -> None:
        """From now on the interactions of ``who`` come in a locale of Discord: ``de``, ``ja``."""
        self.locales[who.id] = locale

    async def posted(self, prompt: str = "They run.", **options: Any) -> discord.Message:
        """Ask for a panel and wait for its vote card."""
        await self.request(prompt=prompt, **options)
        await self.quiet()
        return self.card()

    async def flagged(self, prompt: str = "off-model", **options: Any):
        """Ask for a panel that is flagged; returns its thread and evidence card."""
        await self.request(prompt=prompt, **options)
        await self.quiet()
        thread = self.reviews.threads[-1]
        return thread, thread.last_message

    def card(self, channel=None) -> discord.Message:
        """The newest public message of a channel."""
        return (channel or self.channel).history()[-1]

    def public(self, channel=None) -> list[discord.Message]:
        """All messages of a channel that everyone sees."""
        return [m for m in (channel or self.channel).history() if not m.flags.ephemeral]

    async def until(self, what: Callable[[], bool | Awaitable[bool]]) -> None:
        """Wait for something that the queue or the outbox is about to do."""
        patience = 6 * PATIENCE if self.options.real_worker else PATIENCE
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            done = what()
            if isinstance(done, Awaitable):
                done = await done
            if done:
                return
            assert asyncio.get_running_loop().time() < deadline, "it did not happen"
            await asyncio.sleep(0.01)

    async def quiet(self) -> None:
        """Wait until no job waits or runs and nothing is owed."""

        async def nothing_left() -> bool:
            row = await self.app.db.fetch_one(
                "SELECT count(*) AS n FROM job WHERE status IN ('queued', 'running')"
            )
            assert row is not None
            return row["n"] == 0 and await outbox.pending_count(self.app.db) == 0

        await self.until(nothing_left)
        await self.env.settle()

    # --- judging --------------------------------------------------------------------------------

    def judge(self) -> None:
        """No request breaks a rule; no error was logged unless the story planted one."""
        assert violations(self.log.requests) == []
        if not self.options.errors_expected:
            assert [r.getMessage() for r in self.errors] == []

    def _record_requests(self) -> None:
        real = router.dispatch

        def dispatch(backend: Any, method: str, path: str, **request: Any) -> Any:
            files = tuple((f.filename, _size(f)) for f in request.get("files") or ())
            self.log.requests.append(
                Request(
                    method,
                    path,
                    request.get("json"),
                    dict(request.get("params") or {}),
                    files,
                    _kept_files(backend, path),
                    backend.clock.now().timestamp(),
                    _token_born(backend, path),
                )
            )
            return real(backend, method, path, **request)

        self._monkeypatch.setattr(router, "dispatch", dispatch)

    def _tell_locales(self) -> None:
        """Interactions carry the locale of who acts and of the server; simcord's are English."""
        real = simcord.interactions.base_payload

        def base_payload(backend: Any, *, guild_id: int | None, user_id: int, **more: Any) -> Any:
            record, payload = real(backend, guild_id=guild_id, user_id=user_id, **more)
            payload["locale"] = self.locales.get(user_id, "en-US")
            if guild_id is not None:
                payload["guild_locale"] = backend.get_guild(guild_id).preferred_locale
            return record, payload

        self._monkeypatch.setattr(simcord.interactions, "base_payload", base_payload)

    @contextmanager
    def _watch_errors(self) -> Iterator[None]:
        class Watch(logging.Handler):
            def emit(_, record: logging.LogRecord) -> None:  # noqa: N805
                self.errors.append(record)

        watch = Watch(logging.ERROR)
        logging.getLogger().addHandler(watch)
        with contextlib.ExitStack() as stack:
            stack.callback(logging.getLogger().removeHandler, watch)
            yield


def _size(file: discord.File) -> int:
    place = file.fp.tell()
    size = file.fp.seek(0, io.SEEK_END) - place
    file.fp.seek(place)
    return size


def _interaction(backend: Any, path: str) -> Any:
    parts = path.strip("/").split("/")
    if parts[0] == "interactions":
        return backend.interactions.get(int(parts[1]))
    if parts[0] == "webhooks" and len(parts) > 2:
        return backend.interactions.get(backend.interaction_tokens.get(parts[2]))
    return None


def _token_born(backend: Any, path: str) -> float | None:
    record = _interaction(backend, path)
    return discord.utils.snowflake_time(record.id).timestamp() if record is not None else None


def _kept_files(backend: Any, path: str) -> tuple[str, ...]:
    """The attachments that the edited message has at this moment."""
    parts = path.strip("/").split("/")
    record = _interaction(backend, path)
    if record is not None and parts[-1] == "@original":
        where = (record.channel_id, record.message_id)
    elif parts[0] == "channels" and len(parts) == 4 and parts[2] == "messages":
        where = (int(parts[1]), int(parts[3]))
    else:
        return ()
    message = backend.messages.get(where[0], {}).get(where[1])
    return tuple(a["filename"] for a in message.attachments) if message is not None else ()


# --- reading messages -----------------------------------------------------------------------------


def raw(message: Any) -> list[dict[str, Any]]:
    """A message's components as Discord keeps them."""
    found = message.components
    return [c if isinstance(c, dict) else c.to_dict() for c in found]


def text_of(message: Any) -> str:
    """All words of a card."""
    return "\n".join(c.get("content", "") for c in walk(raw(message)))


def labels_of(message: Any) -> list[str]:
    """The labels of its buttons, from left to right and top to bottom."""
    return [c["label"] for c in walk(raw(message)) if c["type"] == 2]


def enabled(message: Any) -> list[str]:
    """The labels of the buttons that can be clicked."""
    return [c["label"] for c in walk(raw(message)) if c["type"] == 2 and not c.get("disabled")]


def answer(result: simcord.InteractionResult) -> str:
    """What the person who acted was told."""
    said = [*([result.response] if result.response else []), *result.followups]
    return "\n".join(text_of(m) for m in said)
