"""Draws in an AUTOMATIC1111 web UI that the host runs, over its API (``--api``)."""

import base64
import binascii
import json
import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import Cancelled, SettingsError
from pipeline.domain.panel import Candidate
from pipeline.generation.a1111.inventory import (
    ENGINE,
    SIDES,
    Inventory,
    password_or_refused,
    take_inventory,
)
from pipeline.generation.a1111.job import Job, Standing
from pipeline.generation.a1111.order import Order, order_of
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.generators.base import IsCancelled, Progress
from pipeline.generation.remote.address import server_address
from pipeline.generation.remote.errors import (
    EngineDown,
    EngineLacks,
    EngineOutOfMemory,
    EngineRefused,
    EngineSlow,
)
from pipeline.generation.remote.http import Answer, HttpClient
from pipeline.generation.remote.pictures import finished
from pipeline.generation.remote.previews import Reporter
from pipeline.imaging.decode import PictureDoor
from pipeline.prompting.tokens import PROMPT_TOKENS

DEFAULT_URL = "http://127.0.0.1:7860"
_TICK, _STOP_SECONDS = 0.2, 5.0
_REMEMBERED, _AGAIN = 60.0, 5.0

log = logging.getLogger(__name__)


class A1111Generator:
    """Sends one request for all alternates of a plan and waits for it.

    What it can do is asked of the web UI: without the ControlNet extension, or without IP-Adapter
    models in it, it has no reference pictures and its plans say so. It knows neither regions nor
    reference attention.
    """

    name = "a1111"
    version = "1"
    declared = Capabilities(prompt_tokens=PROMPT_TOKENS, variations=1)

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        """Read the settings; nothing is asked of the web UI yet.

        Args:
            options: ``url``; ``allow_remote``, whether it may be another machine; ``auth``, like
                ``name:password``; ``family``, ``sd15`` or ``sdxl``; ``checkpoint``, by title or
                name, instead of the one that is loaded; ``timeout``, seconds without progress.

        Raises:
            SettingsError: one of them cannot be used; the text names it.
        """
        given = dict(options or {})
        self.address = server_address(
            str(given.get("url") or DEFAULT_URL),
            allow_remote=bool(given.get("allow_remote")),
            prefix="ONMODEL_A1111",
        )
        self._family = str(given.get("family") or "sd15")
        if self._family not in SIDES:
            raise SettingsError(f"ONMODEL_A1111_FAMILY must be one of: {', '.join(SIDES)}.")
        self._checkpoint = str(given.get("checkpoint") or "")
        self._patience = float(given.get("timeout") or 600)
        self._http = HttpClient(self.address, ENGINE, headers=_auth(str(given.get("auth") or "")))
        self._door = PictureDoor()
        self._inventory = Inventory()
        self._taken = self._failed = float("-inf")

    @property
    def capabilities(self) -> Capabilities:
        """What the web UI can do now; asked at most once a minute.

        While nobody answers it is what was known last: drawing will then say that nobody answers.
        """
        if time.monotonic() - self._failed < _AGAIN:
            return self._inventory.capabilities(self._family)
        try:
            return self._known().capabilities(self._family)
        except (EngineDown, EngineSlow, EngineRefused, EngineLacks) as error:
            log.info("%s could not be asked what it can do: %s", ENGINE, error)
            self._failed = time.monotonic()
            return self._inventory.capabilities(self._family)

    def close(self) -> None:
        """Close connections and the process that opens pictures. May be called twice."""
        self._http.close()
        self._door.close()

    def describe(self) -> str:
        """Checkpoint and ControlNet of the web UI, for people; asks it.

        Raises:
            GeneratorUnavailable: it does not answer or lacks what the settings name.
        """
        self._taken = float("-inf")
        has = self._known()
        names = [*has.adapters.values(), *has.guides.values()]
        models = ", ".join(names) or "no models"
        control = f"{has.units} ControlNet units ({models})" if has.units else "no ControlNet"
        return f"{has.checkpoint or 'no checkpoint'}, {control}"

    def check_server(self) -> None:
        """Ask the web UI for what identity needs.

        Raises:
            EngineLacks: it has no ControlNet extension, or no IP-Adapter in it.
        """
        has = self._known()
        if not has.units:
            raise EngineLacks(
                f"{ENGINE} has no ControlNet extension, so references cannot hold. Install "
                "sd-webui-controlnet there."
            )
        if not has.adapters or not has.encoder:
            raise EngineLacks(
                f"ControlNet in {ENGINE} has no IP-Adapter for {self._family}, so references "
                "cannot hold. Put ip-adapter-plus and ip-adapter-plus-face into its models folder."
            )

    def generate(
        self,
        plan: ConditioningPlan,
        pictures: Mapping[str, bytes],
        *,
        progress: Progress,
        cancelled: IsCancelled,
    ) -> list[Candidate]:
        """Draw the alternates of a plan; see :class:`Generator`.

        Raises:
            Cancelled: ``cancelled()`` became true; our job is interrupted.
            MissingReference: a picture that the plan names was not given.
            EngineDown: nobody answers.
            EngineLacks: the web UI lacks something that the plan needs; the text names it.
            EngineSlow: it shows no progress for too long.
            EngineOutOfMemory: one picture at a time is too much for it.
            EngineRefused: it answered with an error.
        """
        _stop_if(cancelled)
        progress(0.0, f"asking {ENGINE}")
        order = order_of(plan, pictures, self._known(), checkpoint=bool(self._checkpoint))
        try:
            answer = self._ask(order, progress, cancelled)
        except EngineOutOfMemory:
            if plan.alternates == 1:
                raise
            # One after the other has the same seeds and needs the memory of one.
            body = {**order.body, "batch_size": 1, "n_iter": plan.alternates}
            answer = self._ask(Order(order.path, body), progress, cancelled)
        out = [finished(data, plan, pictures, self._door) for data in _images(answer, plan)]
        progress(1.0, "drawn")
        return out

    def _known(self) -> Inventory:
        if time.monotonic() - self._taken > _REMEMBERED:
            self._inventory = take_inventory(self._http, self._family, self._checkpoint)
            self._taken = time.monotonic()
        return self._inventory

    def _ask(self, order: Order, progress: Progress, cancelled: IsCancelled) -> Answer:
        job = Job(self._http, order, f"onmodel-{uuid.uuid4().hex}")
        job.start()
        try:
            self._wait(job, progress, cancelled)
        except BaseException:
            job.stop(_STOP_SECONDS)
            raise
        if job.error is not None:
            self._taken = float("-inf")
            raise job.error
        assert job.answer is not None
        if not job.answer.good:
            self._taken = float("-inf")  # what is missing may be there at the next panel
            raise self._failure(order, job.answer)
        return job.answer

    def _wait(self, job: Job, progress: Progress, cancelled: IsCancelled) -> None:
        report = Reporter(progress, self._door)
        moved, last, shown = time.monotonic(), (False, 0.0), ""
        while job.is_alive():
            job.join(_TICK)
            _stop_if(cancelled)
            if not job.is_alive():
                return
            now = self._standing(job) or Standing(*last)
            if (now.running, now.share) != last:
                moved, last = time.monotonic(), (now.running, now.share)
            report(0.95 * now.share, "drawing" if now.running else f"waiting in {ENGINE}'s queue")
            if now.preview and now.preview != shown:
                shown = now.preview
                report.show(_decoded(now.preview))
            if time.monotonic() - moved > self._patience:
                raise EngineSlow(
                    f"{ENGINE} has shown no progress for {self._patience:.0f} seconds, so the job "
                    "was taken back. Ask again later, or let whoever runs the bot raise "
                    "ONMODEL_A1111_TIMEOUT."
                )

    def _standing(self, job: Job) -> Standing | None:
        """How far the job is; None where it does not say: a web UI that loads a model is deaf."""
        try:
            return job.standing()
        except (EngineDown, EngineSlow, EngineRefused) as error:
            log.info("%s does not say how far it is: %s", ENGINE, error)
            return None

    def _failure(self, order: Order, answer: Answer) -> Exception:
        """The error for an answer that is none: who lacks what, as far as it says so."""
        told = answer.json()
        about = told if isinstance(told, dict) else {}
        words = " ".join(str(about.get(key) or "") for key in ("error", "detail", "errors"))
        log.warning("%s answered %d to %s: %.2000s", ENGINE, answer.status, order.path, words)
        if "OutOfMemory" in words or "out of memory" in words.lower():
            return EngineOutOfMemory(
                f"The graphics memory of {ENGINE} was not enough. Ask for a smaller panel, or let "
                "whoever runs the bot start it with --medvram."
            )
        if answer.status == 422 and "controlnet" in words.lower():
            return EngineLacks(
                f"{ENGINE} lacks the ControlNet extension. Ask whoever runs the bot to install "
                "sd-webui-controlnet there."
            )
        if answer.status == 404 and "not found" in words.lower():
            return EngineLacks(
                f"{ENGINE} says: {words.strip()[:100]}. Ask whoever runs the bot to look at it."
            )
        return password_or_refused(self._http, order.path, answer)


def _images(answer: Answer, plan: ConditioningPlan) -> list[bytes]:
    """The pictures of an answer: a grid before and maps of ControlNet after them are left out."""
    told = answer.json()
    about = told if isinstance(told, dict) else {}
    try:
        info = json.loads(about.get("info") or "{}")
    except (TypeError, ValueError):
        info = {}
    first = int(info.get("index_of_first_image") or 0)
    images = [str(image) for image in about.get("images") or ()][first : first + plan.alternates]
    seeds = info.get("all_seeds")
    step = 0 if plan.variations else 1  # of varied pictures the variation's seed is counted up
    wanted = [(plan.seed + step * index) % 2**32 for index in range(plan.alternates)]
    if len(images) < plan.alternates or (seeds and seeds[: plan.alternates] != wanted):
        raise EngineRefused(
            f"{ENGINE} drew other pictures than it was asked for; somebody may have stopped it. "
            "Ask for the panel again."
        )
    return [_decoded(image) for image in images]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.partition("base64,")[2] or text, validate=True)
    except binascii.Error as error:
        raise EngineRefused(f"{ENGINE} sent something that is no picture.") from error


def _auth(pair: str) -> dict[str, str]:
    if not pair:
        return {}
    if ":" not in pair:
        raise SettingsError("ONMODEL_A1111_AUTH must look like name:password.")
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"}


def _stop_if(cancelled: IsCancelled) -> None:
    if cancelled():
        raise Cancelled("The panel was cancelled while it was being drawn.")
