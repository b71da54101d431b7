"""Follows one job of ComfyUI to its end: progress, cancel, lost sockets, lost jobs, patience."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.domain.errors import Cancelled
from pipeline.generation.comfyui.checks import missing_nodes
from pipeline.generation.comfyui.client import ComfyClient, Whereabouts
from pipeline.generation.comfyui.listener import Event, Listener
from pipeline.generation.comfyui.order import ENGINE
from pipeline.generation.generators.base import IsCancelled, Progress
from pipeline.generation.remote.errors import (
    EngineDown,
    EngineLacks,
    EngineOutOfMemory,
    EngineRefused,
    EngineSlow,
)

_ENDED = ("execution_success", "execution_error", "execution_interrupted")
_LOADERS = ("not found", "no such file", "FileNotFoundError")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the engine is, in seconds.

    A cancel is seen within ``tick``; a silent job is looked for every ``look``; a server may be
    ``away`` for so long; a job may show no progress for as long as ``patience``.
    """

    tick: float = 0.2
    look: float = 2.0
    away: float = 10.0
    patience: float = 600.0


class JobLost(Exception):
    """The server knows nothing of the job any more, for instance because it was started anew."""


class Follower:
    """Watches one job. The socket tells of progress; only the history tells that it is done."""

    def __init__(self, client: ComfyClient, listener: Listener, pace: Pace) -> None:
        """Used for one job at a time."""
        self._client = client
        self._listener = listener
        self._pace = pace

    def follow(
        self,
        prompt_id: str,
        *,
        progress: Progress,
        cancelled: IsCancelled,
        preview: Callable[[bytes], None] | None = None,
    ) -> Mapping[str, Any]:
        """Wait until a job has ended well; returns its outputs by node.

        Raises:
            Cancelled: ``cancelled()`` became true; the job is off the server then.
            EngineDown: the server went away and did not come back.
            EngineSlow: no progress for longer than the patience; the job was withdrawn.
            EngineRefused: a node failed.
            JobLost: the server forgot it.
        """
        news = _News(self._pace)
        while True:
            if cancelled():
                self._client.take_back(prompt_id)
                raise Cancelled("The panel was cancelled while it was being drawn.")
            event = self._listener.next(self._pace.tick)
            if event is not None and event.prompt_id in ("", prompt_id):
                self._tell(event, news, progress, preview)
            if news.time_to_look(self._listener.drops):
                entry = self._look(prompt_id, news, progress)
                if entry is not None:
                    return outputs_of(entry)
            if news.idle() > self._pace.patience:
                self._client.take_back(prompt_id)
                raise EngineSlow(
                    f"{ENGINE} has shown no progress for {self._pace.patience:.0f} seconds, so the "
                    "job was taken back. Ask again later, or let whoever runs the bot raise "
                    "ONMODEL_COMFYUI_TIMEOUT."
                )

    def _tell(
        self, event: Event, news: "_News", progress: Progress,
        preview: Callable[[bytes], None] | None,
    ) -> None:  # fmt: skip
        if event.kind == "preview" and event.picture and preview is not None:
            preview(event.picture)
        elif event.kind in _ENDED or (event.kind == "executing" and event.data.get("node") is None):
            if event.prompt_id:
                news.ended = True
        elif event.kind == "progress" and event.prompt_id:
            value, most = _number(event.data.get("value")), _number(event.data.get("max"))
            share = min(1.0, value / most) if most > 0 else 0.0
            news.moved()
            progress(0.05 + 0.9 * share, f"step {value:.0f} of {most:.0f}")
        elif event.prompt_id:
            news.moved()

    def _look(self, prompt_id: str, news: "_News", progress: Progress) -> Mapping[str, Any] | None:
        """Ask where the job is; its history entry once it has ended."""
        try:
            where, before = self._client.where(prompt_id)
            news.seen(where, before)
            if where is Whereabouts.PENDING:
                progress(0.0, f"waiting in {ENGINE}'s queue, {before} before it")
            if where is Whereabouts.DONE:
                return self._client.history(prompt_id)
        except EngineSlow as error:  # it loads a model, say: patience decides
            log.info("ComfyUI is slow to say where the job is: %s", error)
        except EngineDown as error:
            if news.away() > self._pace.away:
                raise EngineDown(
                    f"{ENGINE} stopped answering while it was drawing. Ask whoever runs the bot "
                    "to look at it, then ask for the panel again."
                ) from error
        if news.lost:
            raise JobLost(prompt_id)
        return None


class _News:
    """When a job was last seen to move, and when to look for it next."""

    def __init__(self, pace: Pace) -> None:
        now = time.monotonic()
        self._pace = pace
        self._moved = self._answered = now
        self._looked = float("-inf")
        self._place: tuple[Whereabouts, int] | None = None
        self._missing = 0
        self._drops = 0
        self.ended = False

    @property
    def lost(self) -> bool:
        """Twice not found, with a pause between."""
        return self._missing >= 2

    def moved(self) -> None:
        self._moved = time.monotonic()

    def idle(self) -> float:
        return time.monotonic() - self._moved

    def away(self) -> float:
        return time.monotonic() - self._answered

    def seen(self, where: Whereabouts, before: int) -> None:
        self._answered = time.monotonic()
        self._missing = self._missing + 1 if where is Whereabouts.GONE else 0
        if self._place != (where, before):
            self._place = (where, before)
            self.moved()

    def time_to_look(self, drops: int) -> bool:
        """Now and then; soon after an end was told or the socket broke."""
        pause = self._pace.tick if self.ended or drops != self._drops else self._pace.look
        if time.monotonic() - self._looked < pause:
            return False
        self._looked, self._drops = time.monotonic(), drops
        return True


def outputs_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The outputs of a job that has ended.

    Raises:
        EngineRefused: it failed or was interrupted by somebody else.
    """
    status = entry.get("status") or {}
    if status.get("status_str", "success") == "success":
        return entry.get("outputs") or {}
    for kind, data in _messages(status):
        if kind == "execution_error":
            raise failure(data)
        if kind == "execution_interrupted":
            raise EngineRefused(
                f"Somebody interrupted the drawing in {ENGINE} itself. Ask for the panel again."
            )
    raise EngineRefused(f"{ENGINE} ended the job without a picture and without saying why.")


def failure(data: Mapping[str, Any]) -> EngineRefused | EngineLacks:
    """The error for a node that failed; details go to the log, since they may hold paths."""
    kind, words = str(data.get("exception_type", "")), str(data.get("exception_message", ""))
    node = str(data.get("node_type") or "a node")
    log.warning("ComfyUI failed in %s: %s: %.1000s", node, kind, words)
    if "OutOfMemory" in kind or "out of memory" in words.lower():
        return EngineOutOfMemory(
            f"The graphics memory of {ENGINE} was not enough, in {node}. Ask for a smaller panel, "
            "or let whoever runs the bot choose a smaller model."
        )
    if "IPAdapter" in words and "not found" in words:
        return EngineLacks(missing_nodes([node]))
    if any(sign in words or sign in kind for sign in _LOADERS):
        return EngineLacks(f"{ENGINE} lacks a file that {node} needs; its log names it.")
    return EngineRefused(
        f"{ENGINE} failed in {node} ({kind or 'no reason given'}). Whoever runs the bot finds the "
        "reason in the log of both; asking again may help."
    )


def _messages(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for message in status.get("messages") or ():
        if isinstance(message, list) and len(message) == 2 and isinstance(message[1], dict):
            yield str(message[0]), message[1]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
