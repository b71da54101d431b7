"""The HTTP side of ComfyUI: upload, submit, look, withdraw, fetch."""

import logging
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from pipeline.generation.comfyui.checks import options_of, refusal
from pipeline.generation.comfyui.order import ENGINE, FOLDER
from pipeline.generation.comfyui.workflow import Graph
from pipeline.generation.remote.errors import EngineDown, EngineRefused, EngineSlow
from pipeline.generation.remote.http import HttpClient

_KNOWN_SECONDS = 60.0
_WITHDRAW_SECONDS = 15.0

log = logging.getLogger(__name__)


class Whereabouts(StrEnum):
    """Where a job is on the server."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    GONE = "gone"


class ComfyClient:
    """One server of ComfyUI. Source: ``server.py`` of ComfyUI, and its documentation's routes."""

    def __init__(self, http: HttpClient) -> None:
        """``http`` is closed by its owner."""
        self._http = http
        self._known: dict[str, tuple[float, Mapping[str, Any] | None]] = {}

    def stats(self) -> dict[str, Any]:
        """Versions and devices (``/system_stats``)."""
        return dict(self._http.get_json("/system_stats"))

    def node_info(self, name: str) -> Mapping[str, Any] | None:
        """What the server says of a node class; remembered for a minute."""
        at, about = self._known.get(name, (float("-inf"), None))
        if time.monotonic() - at > _KNOWN_SECONDS:
            about = self._ask_node(name)
            self._known[name] = (time.monotonic(), about)
        return about

    def forget_nodes(self) -> None:
        """Ask anew: somebody may have installed what was missing."""
        self._known.clear()

    def embeddings(self) -> list[str]:
        """Names of the textual inversions, without endings."""
        return [str(name) for name in self._http.get_json("/embeddings")]

    def loras(self) -> list[str]:
        """Names of the LoRA files, as the node that loads them offers them."""
        about = self.node_info("LoraLoader") or {}
        required = (about.get("input") or {}).get("required") or {}
        return options_of(required.get("lora_name"))

    def upload(self, name: str, png: bytes) -> None:
        """Put a picture into the server's folder for passing things, which it empties itself.

        Raises:
            EngineRefused: it was not taken, or under another name.
        """
        fields = {
            "image": (name, png, "image/png"),
            "type": "temp",
            "subfolder": FOLDER,
            "overwrite": "true",
        }
        answer = self._http.post_form("/upload/image", fields)
        taken = answer.json() if answer.good else None
        if not isinstance(taken, dict) or taken.get("name") != name:
            raise self._http.refused("/upload/image", answer)

    def submit(self, graph: Graph, client_id: str, token: str) -> str:
        """Queue a graph; returns the server's id for it.

        ``token`` is offered as that id and kept beside the graph, so that a job whose
        acknowledgement was lost is found again and not queued twice.

        Raises:
            EngineLacks: a node or a file is missing.
            EngineRefused: the graph is not valid for the server.
        """
        body = {
            "prompt": graph,
            "client_id": client_id,
            "prompt_id": token,
            "extra_data": {"onmodel": token},
        }
        try:
            answer = self._http.post("/prompt", body)
        except (EngineDown, EngineSlow):
            found = self._find(token)
            if found is None:
                raise
            log.info("the acknowledgement of a job was lost; it was found again")
            return found
        told = answer.json()
        if answer.good and isinstance(told, dict) and told.get("prompt_id"):
            return str(told["prompt_id"])
        if answer.status == 400:
            log.warning("ComfyUI refused a graph: %.4000r", answer.body)
            raise refusal(told)
        raise self._http.refused("/prompt", answer)

    def where(self, prompt_id: str) -> tuple[Whereabouts, int]:
        """Where a job is, and how many are before it.

        The queue is asked before the history: a job that moves meanwhile is seen in one of them.
        """
        running, pending = self._queue()
        if any(item[1] == prompt_id for item in running):
            return Whereabouts.RUNNING, 0
        place = next((k for k, item in enumerate(pending) if item[1] == prompt_id), None)
        if place is not None:
            return Whereabouts.PENDING, place + len(running)
        return (Whereabouts.DONE if self.history(prompt_id) else Whereabouts.GONE), 0

    def history(self, prompt_id: str) -> dict[str, Any] | None:
        """What became of a job that has ended."""
        found = self._http.get_json(f"/history/{quote(prompt_id, safe='')}")
        entry = found.get(prompt_id) if isinstance(found, dict) else None
        return entry if isinstance(entry, dict) else None

    def fetch(self, picture: Mapping[str, Any]) -> bytes:
        """The bytes of a picture that a job made.

        Raises:
            EngineRefused: it is not there.
        """
        query = {key: str(picture.get(key, "")) for key in ("filename", "subfolder", "type")}
        answer = self._http.get("/view", query)
        if not answer.good:
            raise self._http.refused("/view", answer)
        return answer.body

    def withdraw(self, prompt_id: str) -> None:
        """Take a job of ours back: out of the queue, or interrupted when it runs.

        Only this one: older servers interrupt whatever runs, so they are told to only while
        ours does.

        Raises:
            EngineDown: nobody answers.
            EngineSlow: the job still runs after a while; ComfyUI stops between two steps only.
        """
        end = time.monotonic() + _WITHDRAW_SECONDS
        while time.monotonic() < end:
            match self.where(prompt_id)[0]:
                case Whereabouts.PENDING:
                    self._http.post("/queue", {"delete": [prompt_id]})
                case Whereabouts.RUNNING:
                    self._http.post("/interrupt", {"prompt_id": prompt_id})
                case Whereabouts.DONE | Whereabouts.GONE:
                    self.forget(prompt_id)
                    return
            time.sleep(0.1)
        raise EngineSlow(f"{ENGINE} has not stopped drawing yet; it will after its present step.")

    def take_back(self, prompt_id: str) -> None:
        """Withdraw as well as can be, where something else is to be told already."""
        try:
            self.withdraw(prompt_id)
        except (EngineDown, EngineSlow, EngineRefused) as error:
            log.warning("a job could not be taken back: %s", error)

    def forget(self, prompt_id: str) -> None:
        """Take a job out of the history: it holds the prompt of somebody's panel."""
        self._http.post("/history", {"delete": [prompt_id]})

    def _ask_node(self, name: str) -> Mapping[str, Any] | None:
        path = f"/object_info/{quote(name, safe='')}"
        answer = self._http.get(path)
        if answer.status == 404:  # some proxies and older servers tell of all nodes only
            found = self._http.get_json("/object_info")
        elif answer.good:
            found = answer.json()
        else:
            raise self._http.refused(path, answer)
        about = found.get(name) if isinstance(found, dict) else None
        return about if isinstance(about, dict) else None

    def _queue(self) -> tuple[list[Any], list[Any]]:
        queue = self._http.get_json("/queue")
        running, pending = queue.get("queue_running") or [], queue.get("queue_pending") or []
        return running, sorted(pending, key=lambda item: item[0])

    def _find(self, token: str) -> str | None:
        """A job by our token, wherever it is; None where there is none or nobody answers."""
        try:
            running, pending = self._queue()
            done = self._http.get_json("/history", {"max_items": 64})
        except (EngineDown, EngineSlow, EngineRefused):
            return None
        ended = [entry.get("prompt") or [] for entry in done.values()]
        for item in (*running, *pending, *ended):
            marked = len(item) > 3 and (item[3] or {}).get("onmodel") == token
            if len(item) > 1 and (marked or item[1] == token):
                return str(item[1])
        return None
