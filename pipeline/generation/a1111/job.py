"""One request to the web UI in a thread, and what is known of it meanwhile."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.domain.errors import OnModelError
from pipeline.generation.a1111.inventory import ENGINE
from pipeline.generation.a1111.order import Order
from pipeline.generation.remote.errors import EngineDown, EngineRefused, EngineSlow
from pipeline.generation.remote.http import Answer, HttpClient

_DAY = 86_400.0
_WATCH_SECONDS = 3_600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a job is, 0 to 1; whether it runs; its latest preview in base64, or none."""

    running: bool
    share: float = 0.0
    preview: str = ""


class Job(threading.Thread):
    """Sends the order and waits for its answer, which comes when all is drawn.

    The web UI has one queue and one interrupt for everybody. It is asked by our task's id whether
    ours is the one that runs (``/internal/progress``, since version 1.8 and where its pages are
    served); others are not interrupted. Without that the job that runs counts as ours.
    """

    def __init__(self, http: HttpClient, order: Order, task: str) -> None:
        """``task`` is our name for the job."""
        super().__init__(name=f"a1111 {task}", daemon=True)
        self._http = http
        self._order = order
        self._task = task
        self._by_task = True
        self.answer: Answer | None = None
        self.error: OnModelError | None = None

    def run(self) -> None:
        """In the thread: send, and keep what came back."""
        body = {**self._order.body, "force_task_id": self._task}
        try:
            self.answer = self._http.post(self._order.path, body, seconds=_DAY)
        except OnModelError as error:
            self.error = error

    def standing(self) -> Standing:
        """Ask how far it is.

        Raises:
            EngineDown: nobody answers.
            EngineSlow: the answer takes too long.
        """
        if self._by_task:
            asked = {"id_task": self._task, "live_preview": True, "id_live_preview": -1}
            answer = self._http.post("/internal/progress", asked, seconds=10)
            told = answer.json()
            if answer.good and isinstance(told, dict):
                preview = str(told.get("live_preview") or "").partition("base64,")[2]
                return Standing(bool(told.get("active")), _share(told), preview)
            self._by_task = False
        told = self._http.get("/sdapi/v1/progress", seconds=10).json() or {}
        state = told.get("state") or {}
        running = bool(state.get("job_count")) or _share(told) > 0
        return Standing(running, _share(told), str(told.get("current_image") or ""))

    def stop(self, seconds: float) -> None:
        """Take the job back: interrupt it as soon as it runs.

        A job that waits behind others cannot be taken out of the queue, so a thread keeps an eye
        on it until its turn comes.
        """
        if not self._stop_within(seconds):
            log.info("a job waits in %s's queue and will be stopped at its turn", ENGINE)
            threading.Thread(
                target=self._stop_within, args=(_WATCH_SECONDS,), name="a1111 watch", daemon=True
            ).start()

    def _stop_within(self, seconds: float) -> bool:
        end, pause = time.monotonic() + seconds, 0.05
        while self.is_alive() and time.monotonic() < end:
            try:
                if self.standing().running:
                    self._http.post("/sdapi/v1/interrupt", {}, seconds=10)
            except (EngineDown, EngineSlow, EngineRefused) as error:
                log.info("could not stop a job: %s", error)
            self.join(pause)
            pause = min(1.0, pause * 1.5)
        return not self.is_alive()


def _share(told: Mapping[str, Any]) -> float:
    value = told.get("progress")
    return min(1.0, max(0.0, float(value))) if isinstance(value, int | float) else 0.0
