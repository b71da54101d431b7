"""A server that speaks ComfyUI's API: it checks what it gets, draws from it, and can misbehave.

Source of the routes and answers: ComfyUI's ``server.py`` and ``execution.py``.
"""

import asyncio
import hashlib
import io
import json
import struct
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web
from PIL import Image

FLOAT01 = ["FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0}]


def _upload(*names: str) -> list[Any]:
    return [list(names), {"image_upload": True}]


def nodes(family: str) -> dict[str, dict[str, Any]]:
    """``/object_info`` of the nodes that the shipped workflows use, with a family's files."""
    xl = family == "sdxl"
    files = {
        "checkpoints": [
            "sd_xl_base_1.0.safetensors" if xl else "v1-5-pruned-emaonly.safetensors",
            "mine.safetensors",
        ],
        "ipadapter": [
            f"ip-adapter-plus{face}_{'sdxl_vit-h' if xl else 'sd15'}.safetensors"
            for face in ("", "-face")
        ],
        "nets": (
            [f"controlnet-{kind}-sdxl-1.0.safetensors" for kind in ("canny", "openpose", "depth")]
            if xl
            else [
                "control_v11p_sd15_canny_fp16.safetensors",
                "control_v11p_sd15_openpose_fp16.safetensors",
                "control_v11f1p_sd15_depth_fp16.safetensors",
            ]
        ),
    }
    seed = ["INT", {"default": 0, "min": 0, "max": 2**64 - 1}]
    side = ["INT", {"default": 512, "min": 16, "max": 16384, "step": 8}]

    def node(
        outputs: list[str],
        required: dict[str, Any],
        optional: dict[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        return {
            "input": {"required": required, "optional": optional or {}},
            "output": outputs,
            "output_node": False,
            **more,
        }

    return {
        "CheckpointLoaderSimple": node(["MODEL", "CLIP", "VAE"], {"ckpt_name": [files["checkpoints"]]}),
        "LoraLoader": node(["MODEL", "CLIP"], {
            "model": ["MODEL"], "clip": ["CLIP"], "lora_name": [["cast/akira_s1.safetensors"]],
            "strength_model": ["FLOAT", {"min": -100.0, "max": 100.0}], "strength_clip": ["FLOAT", {"min": -100.0, "max": 100.0}],
        }),
        # the newer spelling of a choice
        "CLIPVisionLoader": node(["CLIP_VISION"], {"clip_name": ["COMBO", {"options": ["CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"]}]}),
        "IPAdapterModelLoader": node(["IPADAPTER"], {"ipadapter_file": [files["ipadapter"]]}),
        "IPAdapterAdvanced": node(["MODEL"], {
            "model": ["MODEL"], "ipadapter": ["IPADAPTER"], "image": ["IMAGE"], "weight": ["FLOAT", {"min": -1, "max": 5}],
            "weight_type": [["linear", "ease in"]], "combine_embeds": [["concat", "add"]], "start_at": FLOAT01, "end_at": FLOAT01,
            "embeds_scaling": [["V only", "K+V"]],
        }, {"image_negative": ["IMAGE"], "attn_mask": ["MASK"], "clip_vision": ["CLIP_VISION"]}),
        "LoadImage": node(["IMAGE", "MASK"], {"image": _upload("example.png")}),
        "LoadImageMask": node(["MASK"], {"image": _upload("example.png"), "channel": [["alpha", "red", "green", "blue"]]}),
        "CLIPTextEncode": node(["CONDITIONING"], {"text": ["STRING", {"multiline": True}], "clip": ["CLIP"]}),
        "ConditioningSetMask": node(["CONDITIONING"], {
            "conditioning": ["CONDITIONING"], "mask": ["MASK"], "strength": ["FLOAT", {"min": 0.0, "max": 10.0}],
            "set_cond_area": [["default", "mask bounds"]],
        }),
        "ConditioningCombine": node(["CONDITIONING"], {"conditioning_1": ["CONDITIONING"], "conditioning_2": ["CONDITIONING"]}),
        "ControlNetLoader": node(["CONTROL_NET"], {"control_net_name": [files["nets"]]}),
        "ControlNetApplyAdvanced": node(["CONDITIONING", "CONDITIONING"], {
            "positive": ["CONDITIONING"], "negative": ["CONDITIONING"], "control_net": ["CONTROL_NET"], "image": ["IMAGE"],
            "strength": ["FLOAT", {"min": 0.0, "max": 10.0}], "start_percent": FLOAT01, "end_percent": FLOAT01,
        }, {"vae": ["VAE"]}),
        "EmptyLatentImage": node(["LATENT"], {"width": side, "height": side, "batch_size": ["INT", {"min": 1, "max": 4096}]}),
        "VAEEncode": node(["LATENT"], {"pixels": ["IMAGE"], "vae": ["VAE"]}),
        "SetLatentNoiseMask": node(["LATENT"], {"samples": ["LATENT"], "mask": ["MASK"]}),
        "KSampler": node(["LATENT"], {
            "model": ["MODEL"], "seed": seed, "steps": ["INT", {"min": 1, "max": 10000}], "cfg": ["FLOAT", {"min": 0.0, "max": 100.0}],
            "sampler_name": [["euler", "dpmpp_2m"]], "scheduler": [["normal", "karras"]], "positive": ["CONDITIONING"],
            "negative": ["CONDITIONING"], "latent_image": ["LATENT"], "denoise": FLOAT01,
        }),
        "VAEDecode": node(["IMAGE"], {"samples": ["LATENT"], "vae": ["VAE"]}),
        "PreviewImage": node([], {"images": ["IMAGE"]}, output_node=True),
    }  # fmt: skip


@dataclass
class Manners:
    """How the server behaves; the defaults are good manners."""

    answer_500: set[str] = field(default_factory=set)  # paths
    drop_answer_to: set[str] = field(default_factory=set)  # does as asked, then hangs up; once
    deaf_on: dict[str, int] = field(default_factory=dict)  # paths on which it hangs up so often
    drop_socket_at: int = 0  # the step at which the WebSocket breaks, once
    no_socket: bool = False
    all_nodes_only: bool = False
    never_finish: bool = False
    step_seconds: float = 0.002
    lost_jobs: int = 0  # so many jobs vanish as if the server had been started anew
    fail_with: tuple[str, str] | None = None  # exception type and message
    own_ids: bool = False  # an older server: it takes no prompt_id from clients
    metadata_previews: bool = False
    broken_previews: bool = False
    paste_reference: bool = False  # draws the first reference that it is given, on white


class ComfyServer:
    """State and routes. Everything but ``manners`` is for looking at."""

    def __init__(self, family: str = "sd15") -> None:
        self.manners = Manners()
        self.nodes = nodes(family)
        self.files: dict[str, bytes] = {}
        self.graphs: list[dict[str, Any]] = []
        self.history: dict[str, Any] = {}
        self.pending: list[list[Any]] = []
        self.running: list[Any] | None = None
        self.requests: list[tuple[str, str]] = []
        self.interrupts: list[str | None] = []
        self.url = ""
        self._made: dict[str, bytes] = {}
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._interrupted = False
        self._number = 0
        self._work = asyncio.Event()

    @property
    def jobs(self) -> list[str]:
        """Ids of everything that is still there in any way."""
        now = [self.running] if self.running else []
        return [item[1] for item in (*now, *self.pending)] + list(self.history)

    def queue_for_others(self, seconds: float = 0.0) -> str:
        """Somebody else's job, before ours."""
        prompt_id = f"other-{self._number}"
        self._number += 1
        self.pending.append([self._number, prompt_id, {}, {"seconds": seconds}, []])
        return prompt_id

    # --- running ---------------------------------------------------------------------------------

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 << 20, middlewares=[self._mannered])
        app.add_routes([
            web.get("/ws", self._ws), web.get("/system_stats", self._stats),
            web.get("/object_info/{name}", self._info), web.get("/embeddings", self._embeddings),
            web.get("/object_info", self._all_info), web.post("/upload/image", self._upload),
            web.post("/prompt", self._prompt), web.get("/queue", self._queue), web.post("/queue", self._edit_queue),
            web.get("/history", self._histories), web.get("/history/{id}", self._one_history),
            web.post("/history", self._edit_history), web.post("/interrupt", self._interrupt), web.get("/view", self._view),
        ])  # fmt: skip
        app.cleanup_ctx.append(self._worker)
        return app

    async def _worker(self, _app: web.Application):
        task = asyncio.create_task(self._run_jobs())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for socket in list(self._sockets.values()):
            await socket.close()

    @web.middleware
    async def _mannered(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        if request.path in self.manners.answer_500:
            return web.Response(status=500, text="Traceback: /srv/secret/path")
        if self.manners.deaf_on.get(request.path):
            self.manners.deaf_on[request.path] -= 1
            assert request.transport is not None
            request.transport.close()
        response = await handler(request)
        if request.path in self.manners.drop_answer_to:
            self.manners.drop_answer_to.discard(request.path)
            assert request.transport is not None
            request.transport.close()
        return response

    # --- routes ----------------------------------------------------------------------------------

    async def _ws(self, request: web.Request) -> web.StreamResponse:
        if self.manners.no_socket:
            return web.Response(status=404)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        name = request.query["clientId"]
        self._sockets[name] = socket
        await socket.send_json(
            {
                "type": "status",
                "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": name},
            }
        )
        async for message in socket:
            assert message.type is not WSMsgType.ERROR
        self._sockets.pop(name, None)
        return socket

    async def _stats(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "system": {"comfyui_version": "0.3.60", "os": "posix"},
                "devices": [{"name": "cuda:0 Test", "vram_total": 1}],
            }
        )

    async def _info(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if self.manners.all_nodes_only:
            return web.Response(status=404)
        return web.json_response({name: self.nodes[name]} if name in self.nodes else {})

    async def _embeddings(self, _request: web.Request) -> web.Response:
        return web.json_response(["mira_s1"])

    async def _all_info(self, _request: web.Request) -> web.Response:
        return web.json_response(self.nodes)

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        image = form["image"]
        assert isinstance(image, web.FileField)
        assert form["type"] in ("input", "temp", "output")
        assert ".." not in image.filename
        data = image.file.read()
        Image.open(io.BytesIO(data)).verify()
        self.files[f"{form['subfolder']}/{image.filename} [{form['type']}]"] = data
        return web.json_response(
            {"name": image.filename, "subfolder": form["subfolder"], "type": form["type"]}
        )

    async def _prompt(self, request: web.Request) -> web.Response:
        body = await request.json()
        graph = body["prompt"]
        error, node_errors = self._validate(graph)
        if error:
            return web.json_response({"error": error, "node_errors": node_errors}, status=400)
        prompt_id = (
            str(uuid.uuid4())
            if self.manners.own_ids
            else str(body.get("prompt_id") or uuid.uuid4())
        )
        self._number += 1
        extra = {**body.get("extra_data", {}), "client_id": body["client_id"]}
        self.graphs.append(graph)
        if self.manners.lost_jobs:
            self.manners.lost_jobs -= 1
        else:
            self.pending.append([self._number, prompt_id, graph, extra, ["output"]])
        self._work.set()
        return web.json_response(
            {"prompt_id": prompt_id, "number": self._number, "node_errors": {}}
        )

    async def _queue(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"queue_running": [self.running] if self.running else [], "queue_pending": self.pending}
        )

    async def _edit_queue(self, request: web.Request) -> web.Response:
        gone = (await request.json())["delete"]
        self.pending = [item for item in self.pending if item[1] not in gone]
        return web.Response()

    async def _histories(self, _request: web.Request) -> web.Response:
        return web.json_response(self.history)

    async def _one_history(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        return web.json_response({name: self.history[name]} if name in self.history else {})

    async def _edit_history(self, request: web.Request) -> web.Response:
        for name in (await request.json())["delete"]:
            self.history.pop(name, None)
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        wanted = body.get("prompt_id")
        self.interrupts.append(wanted)
        if self.manners.own_ids or wanted is None or (self.running and self.running[1] == wanted):
            self._interrupted = True
        return web.Response()

    async def _view(self, request: web.Request) -> web.Response:
        data = self._made.get(request.query["filename"])
        assert request.query["type"] == "temp"
        return (
            web.Response(body=data, content_type="image/png") if data else web.Response(status=404)
        )

    # --- checking and drawing --------------------------------------------------------------------

    def _validate(self, graph: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        errors: dict[str, Any] = {}
        for key, node in graph.items():
            about = self.nodes.get(node["class_type"])
            if about is None:
                return {
                    "type": "missing_node_type",
                    "message": f"Node '{node['class_type']}' not found. The custom node may not be installed.",
                    "details": f"Node ID '#{key}'",
                    "extra_info": {"node_id": key, "class_type": node["class_type"]},
                }, {}
            found = list(self._problems(node, about, graph))
            if found:
                errors[key] = {
                    "errors": found,
                    "dependent_outputs": ["output"],
                    "class_type": node["class_type"],
                }
        if errors:
            return {
                "type": "prompt_outputs_failed_validation",
                "message": "Prompt outputs failed validation",
                "details": "",
            }, errors
        return None, {}

    def _problems(
        self, node: dict[str, Any], about: dict[str, Any], graph: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        required, optional = about["input"]["required"], about["input"]["optional"]
        for name in required:
            if name not in node["inputs"]:
                yield {
                    "type": "required_input_missing",
                    "message": "Required input is missing",
                    "extra_info": {"input_name": name},
                }
        for name, value in node["inputs"].items():
            assert name in required or name in optional, f"{node['class_type']} has no input {name}"
            spec = required.get(name) or optional[name]
            if problem := self._problem(spec, value, graph):
                yield {
                    "type": problem,
                    "message": problem,
                    "extra_info": {
                        "input_name": name,
                        "input_config": spec,
                        "received_value": value,
                    },
                }

    def _problem(self, spec: list[Any], value: Any, graph: dict[str, Any]) -> str:
        kind, more = spec[0], (spec[1] if len(spec) > 1 else {})
        if isinstance(value, list):
            outputs = self.nodes[graph[value[0]]["class_type"]]["output"]
            return "" if outputs[value[1]] == kind else "return_type_mismatch"
        if more.get("image_upload"):
            return "" if value in self.files else "custom_validation_failed"
        choices = (
            kind if isinstance(kind, list) else more.get("options") if kind == "COMBO" else None
        )
        if choices is not None:
            return "" if value in choices else "value_not_in_list"
        fits = {"INT": int, "FLOAT": (int, float), "STRING": str}.get(kind)
        if fits is None or not isinstance(value, fits) or isinstance(value, bool):
            return "invalid_input_type"
        if kind in ("INT", "FLOAT") and not more.get("min", value) <= value <= more.get(
            "max", value
        ):
            return "value_out_of_range"
        return ""

    async def _run_jobs(self) -> None:
        while True:
            while not self.pending:
                self._work.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._work.wait(), 0.05)
            self.running = self.pending.pop(0)
            self._interrupted = False
            await self._run(*self.running[1:4])
            self.running = None

    async def _run(self, prompt_id: str, graph: dict[str, Any], extra: dict[str, Any]) -> None:
        if not graph:
            end = asyncio.get_running_loop().time() + extra["seconds"]
            while asyncio.get_running_loop().time() < end and not self._interrupted:  # noqa: ASYNC110 - two things may end it
                await asyncio.sleep(0.01)
            if self._interrupted:
                self.interrupts.append("somebody else's")
            return
        client = extra["client_id"]
        await self._send(client, "execution_start", {"prompt_id": prompt_id})
        sampler = next(node for node in graph.values() if node["class_type"] == "KSampler")[
            "inputs"
        ]
        step = 0
        while step < sampler["steps"] or self.manners.never_finish:
            if self._interrupted:
                self._end(
                    prompt_id, "error", [["execution_interrupted", {"prompt_id": prompt_id}]], {}
                )
                await self._send(client, "execution_interrupted", {"prompt_id": prompt_id})
                return
            await asyncio.sleep(self.manners.step_seconds)
            step += 1
            if not self.manners.never_finish:
                await self._send(
                    client,
                    "progress",
                    {
                        "prompt_id": prompt_id,
                        "node": "sampler",
                        "value": step,
                        "max": sampler["steps"],
                    },
                )
                await self._preview(client, prompt_id, step)
            if self.manners.drop_socket_at == step:
                self.manners.drop_socket_at = 0
                await self._sockets[client].close()
        if self.manners.fail_with:
            kind, words = self.manners.fail_with
            data = {
                "prompt_id": prompt_id,
                "node_id": "sampler",
                "node_type": "KSampler",
                "exception_type": kind,
                "exception_message": words,
                "traceback": [],
            }
            self._end(prompt_id, "error", [["execution_error", data]], {})
            await self._send(client, "execution_error", data)
            return
        name = f"ComfyUI_temp_{len(self._made):05d}_.png"
        self._made[name] = self._draw(graph, sampler)
        outputs = {"output": {"images": [{"filename": name, "subfolder": "", "type": "temp"}]}}
        await self._send(client, "execution_success", {"prompt_id": prompt_id})
        self._end(prompt_id, "success", [], outputs)
        await self._send(client, "executing", {"prompt_id": prompt_id, "node": None})

    def _end(
        self, prompt_id: str, status: str, messages: list[Any], outputs: dict[str, Any]
    ) -> None:
        self.history[prompt_id] = {
            "prompt": self.running, "outputs": outputs,
            "status": {"status_str": status, "completed": status == "success", "messages": messages},
        }  # fmt: skip

    def _draw(self, graph: dict[str, Any], sampler: dict[str, Any]) -> bytes:
        """Noise that everything in the graph decides about, files by their content."""
        text = json.dumps(graph, sort_keys=True)
        for name, data in self.files.items():
            text = text.replace(name, hashlib.sha256(data).hexdigest())
        latent = graph[sampler["latent_image"][0]]
        if latent["class_type"] == "EmptyLatentImage":
            size = latent["inputs"]["width"], latent["inputs"]["height"]
        else:
            base = graph[graph[latent["inputs"]["samples"][0]]["inputs"]["pixels"][0]]["inputs"][
                "image"
            ]
            size = Image.open(io.BytesIO(self.files[base])).size
        if self.manners.paste_reference:
            return self._paste(graph, sampler["seed"], size)
        noise = np.random.default_rng(int(hashlib.sha256(text.encode()).hexdigest(), 16)).integers(
            0, 256, (8, 8, 3), np.uint8
        )
        stream = io.BytesIO()
        Image.fromarray(noise).resize(size, Image.Resampling.NEAREST).save(stream, "PNG")
        return stream.getvalue()

    def _paste(self, graph: dict[str, Any], seed: int, size: tuple[int, int]) -> bytes:
        """What an engine that holds on to its reference would draw, at its very best."""
        adapter = next(
            n["inputs"] for n in graph.values() if n["class_type"] == "IPAdapterAdvanced"
        )
        name = graph[adapter["image"][0]]["inputs"]["image"]
        side = round(min(size) * 0.98)
        figure = Image.open(io.BytesIO(self.files[name])).resize(
            (side, side), Image.Resampling.LANCZOS
        )
        canvas = Image.new("RGB", size, "white")
        canvas.paste(figure, ((size[0] - side) // 2 + seed % 5, (size[1] - side) // 2))
        stream = io.BytesIO()
        canvas.save(stream, "PNG")
        return stream.getvalue()

    async def _preview(self, client: str, prompt_id: str, step: int) -> None:
        stream = io.BytesIO()
        Image.new("RGB", (8, 8), (step % 256, 0, 0)).save(stream, "JPEG")
        head = struct.pack(">II", 1, 1)
        if self.manners.metadata_previews:
            about = json.dumps({"prompt_id": prompt_id, "node_id": "sampler"}).encode()
            head = struct.pack(">II", 4, len(about)) + about
        if client in self._sockets:
            data = b"not a picture" if self.manners.broken_previews else stream.getvalue()
            await self._sockets[client].send_bytes(head + data)

    async def _send(self, client: str, kind: str, data: dict[str, Any]) -> None:
        if client in self._sockets and not self._sockets[client].closed:
            await self._sockets[client].send_json({"type": kind, "data": data})


@contextmanager
def running(app: web.Application) -> Iterator[str]:
    """Serve in a thread of its own, as the real ones serve in a process of their own."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    ready: threading.Event = threading.Event()

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ready.set()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(10)
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
