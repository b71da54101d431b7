"""Draws in a ComfyUI that the host runs: one plan, one workflow, one job for each picture."""

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from pipeline.domain.conditioning import ConditioningPlan, ModuleKind
from pipeline.domain.errors import Cancelled
from pipeline.domain.panel import Candidate
from pipeline.generation.comfyui.checks import check_graph
from pipeline.generation.comfyui.client import ComfyClient
from pipeline.generation.comfyui.fill import everything_in, fill
from pipeline.generation.comfyui.follow import Follower, JobLost, Pace
from pipeline.generation.comfyui.library import capabilities_of, find_workflows
from pipeline.generation.comfyui.listener import Listener
from pipeline.generation.comfyui.order import ENGINE, Names, Order, order_of
from pipeline.generation.comfyui.workflow import Graph, Workflow
from pipeline.generation.generators.base import IsCancelled, Progress
from pipeline.generation.remote.address import server_address
from pipeline.generation.remote.errors import EngineDown, EngineRefused, EngineSlow
from pipeline.generation.remote.http import HttpClient
from pipeline.generation.remote.pictures import finished
from pipeline.generation.remote.previews import Reporter
from pipeline.imaging.decode import PictureDoor

DEFAULT_URL = "http://127.0.0.1:8188"
_TRIES = 2
"""A job that the server forgot is queued once more; the same graph gives the same pixels."""

log = logging.getLogger(__name__)


class ComfyUiGenerator:
    """Fills a workflow from the plan, queues it, and fetches what came out.

    What it can do follows from the workflow (see :mod:`pipeline.generation.comfyui.workflow`): a
    reference goes through the face adapter when it is a headshot and through the whole one
    otherwise. Every alternate is a job of its own, because a batch would share one seed.

    Nothing is asked of the server before the first panel, so it may be started later.
    """

    name = "comfyui"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        """Read the settings.

        Args:
            options: ``url``; ``allow_remote``, whether it may be another machine; ``workflow``
                (``sd15``, ``sdxl`` or the path of a template); ``checkpoint``, a file of the
                server instead of the workflow's own; ``timeout``, seconds without progress; and
                for tests ``pace``, a :class:`Pace`.

        Raises:
            SettingsError: one of them cannot be used; the text names it.
        """
        given = dict(options or {})
        self.address = server_address(
            str(given.get("url") or DEFAULT_URL),
            allow_remote=bool(given.get("allow_remote")),
            prefix="ONMODEL_COMFYUI",
        )
        self._pace = given.get("pace") or Pace(patience=float(given.get("timeout") or 600))
        self._workflows = find_workflows(str(given.get("workflow") or "sd15"))
        self._checkpoint = str(given.get("checkpoint") or "")
        named = self._checkpoint or str(self._workflows.draw.value_at("checkpoint") or "")
        self.capabilities = capabilities_of(self._workflows, named)
        self.version = f"1-{self._workflows.digest}"
        self._http = HttpClient(self.address, ENGINE, answer_seconds=min(60, self._pace.patience))
        self._client = ComfyClient(self._http)
        self._door = PictureDoor()

    def close(self) -> None:
        """Close connections and the process that opens pictures. May be called twice."""
        self._http.close()
        self._door.close()

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
            Cancelled: ``cancelled()`` became true; no job of ours is left on the server.
            MissingReference: a picture that the plan names was not given.
            EngineDown: the server does not answer.
            EngineLacks: it has not the node or file that the workflow needs.
            EngineSlow: it shows no progress for too long.
            EngineRefused: it answered with an error.
        """
        progress(0.0, f"asking {ENGINE}")
        order = self._order(plan, pictures)
        self._check(order)
        for name, png in order.files.items():
            _stop_if(cancelled)
            self._client.upload(name, png)
        client_id = uuid.uuid4().hex
        out: list[Candidate] = []
        with Listener(self._http.address, client_id) as listener:
            listener.open()
            for index, graph in enumerate(order.graphs):
                share = _share(progress, index, len(order.graphs))
                report = Reporter(share, self._door)
                data = self._draw(graph, client_id, listener, report, cancelled)
                out.append(finished(data, plan, pictures, self._door))
        progress(1.0, "drawn")
        return out

    def describe(self) -> str:
        """Version and device of the server, for people; asks it.

        Raises:
            GeneratorUnavailable: it does not answer, or has not what every panel needs.
        """
        self._client.forget_nodes()
        stats = self._client.stats()
        least = self._with_checkpoint(fill(self._workflows.draw, {}, {}), self._workflows.draw)
        check_graph(least, self._client.node_info)
        system = stats.get("system") or {}
        devices = [str(device.get("name")) for device in stats.get("devices") or ()]
        return (
            f"ComfyUI {system.get('comfyui_version', '?')} on {', '.join(devices) or 'no device'}"
        )

    def check_server(self) -> None:
        """Compare everything in the workflows with what the server has.

        Raises:
            EngineLacks: it lacks a node or a file, also one that only some panels need.
        """
        self._client.forget_nodes()
        for workflow in (self._workflows.draw, self._workflows.repair):
            if workflow is not None:
                graph = self._with_checkpoint(everything_in(workflow), workflow)
                check_graph(graph, self._client.node_info)

    def _with_checkpoint(self, graph: Graph, workflow: Workflow) -> Graph:
        for place in workflow.slots.get("checkpoint", ()) if self._checkpoint else ():
            graph[place.node]["inputs"][place.input] = self._checkpoint
        return graph

    def _order(self, plan: ConditioningPlan, pictures: Mapping[str, bytes]) -> Order:
        kinds = {module.kind for module in plan.modules}
        names = Names(
            self._client.loras() if ModuleKind.LORA in kinds else (),
            self._client.embeddings() if ModuleKind.TEXTUAL_INVERSION in kinds else (),
        )
        return order_of(plan, pictures, self._workflows, checkpoint=self._checkpoint, names=names)

    def _check(self, order: Order) -> None:
        try:
            check_graph(order.graphs[0], self._client.node_info)
        except EngineRefused:
            raise
        except Exception:
            self._client.forget_nodes()  # what is missing may be there at the next panel
            raise

    def _draw(
        self,
        graph: Graph,
        client_id: str,
        listener: Listener,
        report: Reporter,
        cancelled: IsCancelled,
    ) -> bytes:
        """One picture: queue, follow, fetch, and leave nothing behind."""
        for attempt in range(_TRIES):
            _stop_if(cancelled)
            prompt_id = self._client.submit(graph, client_id, str(uuid.uuid4()))
            try:
                outputs = Follower(self._client, listener, self._pace).follow(
                    prompt_id, progress=report, cancelled=cancelled, preview=report.show
                )
                data = self._client.fetch(_picture_in(outputs, graph))
            except JobLost:
                log.warning("ComfyUI forgot a job, try %d", attempt + 1)
                continue
            except EngineDown:
                raise
            except Exception:
                self._client.take_back(prompt_id)
                raise
            self._client.forget(prompt_id)
            return data
        raise EngineSlow(f"{ENGINE} forgot the job twice. Ask again in a few minutes.")


def _picture_in(outputs: Mapping[str, Any], graph: Graph) -> Mapping[str, Any]:
    for node in reversed(graph):
        for picture in (outputs.get(node) or {}).get("images") or ():
            if isinstance(picture, dict) and picture.get("filename"):
                return picture
    raise EngineRefused(f"{ENGINE} finished the job, but it made no picture.")


def _share(progress: Progress, index: int, count: int) -> Progress:
    word = f"alternate {index + 1}: " if count > 1 else ""

    def share(fraction: float, note: str, preview: bytes | None = None, /) -> None:
        pictures = () if preview is None else (preview,)
        progress((index + fraction) / count, f"{word}{note}", *pictures)

    return share


def _stop_if(cancelled: IsCancelled) -> None:
    if cancelled():
        raise Cancelled("The panel was cancelled while it was being drawn.")
