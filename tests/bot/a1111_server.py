"""A server that speaks AUTOMATIC1111's API and ControlNet's: it checks what it gets and draws.

Source of the routes and answers: ``modules/api/api.py`` and ``modules/progress.py`` of the web UI,
``scripts/api.py`` of sd-webui-controlnet.
"""

import asyncio
import base64
import hashlib
import io
import json
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import web
from PIL import Image

CHECKPOINT = "toon_v2.safetensors [abc123]"
MODELS = [
    "control_v11p_sd15_canny [d14c016b]", "control_v11f1p_sd15_depth [cfd03158]", "control_v11p_sd15_openpose [cab727d4]",
    "ip-adapter-plus_sd15 [836b5c2e]", "ip-adapter-plus-face_sd15 [4d5e9a7e]", "ip-adapter_sd15 [6a3f6166]",
    "ip-adapter-faceid-plusv2_sd15 [6e14fc1a]", "ip-adapter-plus_sdxl_vit-h [f1f19f7d]", "diffusers_xl_canny_full [2b69fca4]",
]  # fmt: skip
FIELDS = {
    "prompt": str, "negative_prompt": str, "seed": int, "subseed": int, "subseed_strength": (int, float), "batch_size": int, "n_iter": int,
    "steps": int, "cfg_scale": (int, float), "width": int, "height": int, "sampler_name": str, "scheduler": str,
    "send_images": bool, "save_images": bool, "override_settings": dict, "override_settings_restore_afterwards": bool,
    "alwayson_scripts": dict, "force_task_id": str, "init_images": list, "mask": str, "mask_blur": int,
    "inpainting_fill": int, "inpaint_full_res": bool, "inpainting_mask_invert": int, "denoising_strength": (int, float),
    "resize_mode": int,
}  # fmt: skip
UNIT_FIELDS = {
    "enabled", "module", "model", "image", "weight", "guidance_start", "guidance_end", "resize_mode", "control_mode",
    "pixel_perfect", "processor_res", "save_detected_map",
}  # fmt: skip


@dataclass
class Manners:
    """How the server behaves; the defaults are good manners."""

    answer_500: set[str] = field(default_factory=set)
    step_seconds: float = 0.002
    never_finish: bool = False
    memory_for: int = 8  # pictures at once
    controlnet: bool = True
    adapters: bool = True
    units: int = 3
    knows_tasks: bool = True  # /internal/progress and schedulers came with newer versions
    schedulers: bool = True
    api: bool = True
    password: str = ""
    forgets_a_picture: bool = False
    hangs_up: bool = False
    paste_reference: bool = False  # draws the first reference that it is given, on white
    deaf_on: set[str] = field(default_factory=set)  # paths on which it hangs up


class A1111Server:
    """State and routes. Everything but ``manners`` is for looking at."""

    def __init__(self) -> None:
        self.manners = Manners()
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.interrupts: list[str] = []
        self.current: str | None = None
        self.waiting: list[str] = []
        self._step, self._steps = 0, 1
        self._interrupted = False
        self._turn: asyncio.Lock | None = None

    @property
    def jobs(self) -> list[str]:
        """Tasks that run or wait."""
        return [*([self.current] if self.current else []), *self.waiting]

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 << 20, middlewares=[self._mannered])
        app.add_routes([
            web.post("/sdapi/v1/txt2img", self._draw), web.post("/sdapi/v1/img2img", self._draw),
            web.post("/internal/progress", self._task_progress), web.get("/sdapi/v1/progress", self._progress),
            web.post("/sdapi/v1/interrupt", self._interrupt), web.get("/sdapi/v1/options", self._options),
            web.get("/sdapi/v1/sd-models", self._models), web.get("/sdapi/v1/samplers", self._samplers),
            web.get("/sdapi/v1/schedulers", self._schedulers), web.get("/sdapi/v1/loras", self._loras),
            web.get("/sdapi/v1/embeddings", self._embeddings), web.get("/controlnet/model_list", self._control_models),
            web.get("/controlnet/module_list", self._control_modules), web.get("/controlnet/settings", self._control_settings),
        ])  # fmt: skip
        return app

    @web.middleware
    async def _mannered(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if not self.manners.api:
            return web.json_response({"detail": "Not Found"}, status=404)
        wanted = f"Basic {base64.b64encode(self.manners.password.encode()).decode()}"
        if self.manners.password and request.headers.get("Authorization") != wanted:
            return web.json_response({"detail": "Incorrect username or password"}, status=401)
        if request.path in self.manners.answer_500:
            return web.json_response(
                {"error": "RuntimeError", "detail": "", "errors": "/srv/secret"}, status=500
            )
        if request.path in self.manners.deaf_on:
            assert request.transport is not None
            request.transport.close()
        return await handler(request)

    # --- what it has -----------------------------------------------------------------------------

    async def _options(self, _request: web.Request) -> web.Response:
        return web.json_response({"sd_model_checkpoint": CHECKPOINT})

    async def _models(self, _request: web.Request) -> web.Response:
        one = {
            "title": CHECKPOINT,
            "model_name": "toon_v2",
            "hash": "abc123",
            "sha256": "ab" * 32,
            "filename": "/srv/toon_v2.safetensors",
        }
        other = {
            "title": "ink_v1.safetensors [def456]",
            "model_name": "ink_v1",
            "hash": "def456",
            "sha256": None,
            "filename": "/srv/x",
        }
        return web.json_response([one, other])

    def _sampler_names(self) -> list[str]:
        return (
            ["DPM++ 2M", "Euler a"] if self.manners.schedulers else ["DPM++ 2M Karras", "Euler a"]
        )

    async def _samplers(self, _request: web.Request) -> web.Response:
        return web.json_response(
            [{"name": name, "aliases": [], "options": {}} for name in self._sampler_names()]
        )

    async def _schedulers(self, _request: web.Request) -> web.Response:
        if not self.manners.schedulers:
            return web.json_response({"detail": "Not Found"}, status=404)
        return web.json_response([{"name": "karras", "label": "Karras"}])

    async def _loras(self, _request: web.Request) -> web.Response:
        return web.json_response(
            [
                {
                    "name": "akira_s1",
                    "alias": "akira_s1",
                    "path": "/srv/akira_s1.safetensors",
                    "metadata": {},
                }
            ]
        )

    async def _embeddings(self, _request: web.Request) -> web.Response:
        return web.json_response({"loaded": {"mira_s1": {"step": 1}}, "skipped": {}})

    async def _control_models(self, _request: web.Request) -> web.Response:
        if not self.manners.controlnet:
            return web.json_response({"detail": "Not Found"}, status=404)
        found = [name for name in MODELS if self.manners.adapters or not name.startswith("ip-")]
        return web.json_response({"model_list": found})

    async def _control_modules(self, _request: web.Request) -> web.Response:
        if not self.manners.controlnet:
            return web.json_response({"detail": "Not Found"}, status=404)
        return web.json_response(
            {"module_list": ["none", "canny", "ip-adapter-auto"], "module_detail": {}}
        )

    async def _control_settings(self, _request: web.Request) -> web.Response:
        if not self.manners.controlnet:
            return web.json_response({"detail": "Not Found"}, status=404)
        return web.json_response({"control_net_unit_count": self.manners.units})

    # --- drawing ---------------------------------------------------------------------------------

    async def _draw(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._check(request.path, body)
        if "controlnet" in body.get("alwayson_scripts", {}) and not self.manners.controlnet:
            return web.json_response(
                {
                    "error": "HTTPException",
                    "detail": "always on script controlnet not found",
                    "errors": "",
                },
                status=422,
            )
        if body["sampler_name"] not in self._sampler_names():
            return web.json_response(
                {"error": "HTTPException", "detail": "Sampler not found", "errors": ""}, status=404
            )
        self.bodies.append(body)
        self.paths.append(request.path)
        task = body["force_task_id"]
        self.waiting.append(task)
        self._turn = self._turn or asyncio.Lock()
        async with self._turn:
            self.waiting.remove(task)
            self.current, self._step, self._steps, self._interrupted = task, 0, body["steps"], False
            try:
                return await self._run(request, body)
            finally:
                self.current = None

    async def _run(self, request: web.Request, body: dict[str, Any]) -> web.Response:
        if body["batch_size"] > self.manners.memory_for:
            return web.json_response(
                {
                    "error": "OutOfMemoryError",
                    "detail": "",
                    "errors": "CUDA out of memory. Tried to allocate",
                },
                status=500,
            )
        while (self._step < self._steps or self.manners.never_finish) and not self._interrupted:
            await asyncio.sleep(self.manners.step_seconds)
            self._step += 0 if self.manners.never_finish else 1
        if self.manners.hangs_up:
            assert request.transport is not None
            request.transport.close()
        count = body["batch_size"] * body["n_iter"]
        # as its processing.py counts: one seed for all where a variation is asked for
        step = 0 if body["subseed_strength"] else 1
        seeds = [body["seed"] + step * index for index in range(count)]
        varied = [body.get("subseed", -1) + index for index in range(count)]
        shown = zip(seeds, varied, strict=True)
        images = [self._picture(body, b if body["subseed_strength"] else a) for a, b in shown]
        if self.manners.forgets_a_picture:
            images.pop()
        elif "alwayson_scripts" in body:  # maps of ControlNet come after the pictures
            images += [base64.b64encode(b"a map").decode()] * len(
                body["alwayson_scripts"]["controlnet"]["args"]
            )
        info = {"all_seeds": seeds, "seed": seeds[0], "index_of_first_image": 0}
        return web.json_response({"images": images, "parameters": {}, "info": json.dumps(info)})

    def _check(self, path: str, body: dict[str, Any]) -> None:
        for name, value in body.items():
            assert isinstance(value, FIELDS[name]), name
        assert ("init_images" in body) == path.endswith("img2img")
        assert body["width"] % 8 == body["height"] % 8 == 0
        assert 0 <= body["seed"] < 2**32
        for name in re.findall(r"<lora:([^:>]+):", body["prompt"]):
            assert name == "akira_s1"
        for picture in (*body.get("init_images", ()), *([body["mask"]] if "mask" in body else ())):
            assert Image.open(io.BytesIO(base64.b64decode(picture))).size == (
                body["width"],
                body["height"],
            )
        units = body.get("alwayson_scripts", {}).get("controlnet", {}).get("args", [])
        assert len(units) <= self.manners.units
        for unit in units:
            assert set(unit) == UNIT_FIELDS
            assert unit["model"] in MODELS
            assert unit["module"] == (
                "ip-adapter-auto" if "ip-adapter" in unit["model"] else "none"
            )
            assert 0 <= unit["weight"] <= 2
            Image.open(io.BytesIO(base64.b64decode(unit["image"]))).verify()

    def _picture(self, body: dict[str, Any], seed: int) -> str:
        """Noise that everything in the request but its name and its batch decides about."""
        if self.manners.paste_reference:
            return self._paste(body, seed)
        told = {
            k: v
            for k, v in body.items()
            if k not in ("force_task_id", "batch_size", "n_iter", "seed")
        }
        text = json.dumps([told, seed], sort_keys=True).encode()
        rng = np.random.default_rng(int(hashlib.sha256(text).hexdigest(), 16))
        image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        stream = io.BytesIO()
        image.resize((body["width"], body["height"]), Image.Resampling.NEAREST).save(stream, "PNG")
        return base64.b64encode(stream.getvalue()).decode()

    def _paste(self, body: dict[str, Any], seed: int) -> str:
        units = body["alwayson_scripts"]["controlnet"]["args"]
        sent = next(unit["image"] for unit in units if "ip-adapter" in unit["model"])
        side = round(min(body["width"], body["height"]) * 0.98)
        figure = Image.open(io.BytesIO(base64.b64decode(sent))).resize(
            (side, side), Image.Resampling.LANCZOS
        )
        canvas = Image.new("RGB", (body["width"], body["height"]), "white")
        canvas.paste(figure, ((body["width"] - side) // 2 + seed % 5, (body["height"] - side) // 2))
        stream = io.BytesIO()
        canvas.save(stream, "PNG")
        return base64.b64encode(stream.getvalue()).decode()

    # --- meanwhile -------------------------------------------------------------------------------

    def _share(self) -> float:
        return min(1.0, 0.01 + self._step / self._steps) if self.current else 0.0

    async def _task_progress(self, request: web.Request) -> web.Response:
        if not self.manners.knows_tasks:
            return web.json_response({"detail": "Not Found"}, status=404)
        task = (await request.json())["id_task"]
        active = task == self.current
        preview = None
        if active and self._step:
            stream = io.BytesIO()
            Image.new("RGB", (8, 8), (self._step % 256, 0, 0)).save(stream, "PNG")
            preview = f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
        return web.json_response({
            "active": active, "queued": task in self.waiting, "completed": False, "progress": self._share() if active else None,
            "eta": None, "live_preview": preview, "id_live_preview": self._step, "textinfo": "Waiting...",
        })  # fmt: skip

    async def _progress(self, _request: web.Request) -> web.Response:
        state = {
            "job": "scripts_txt2img",
            "job_count": 1 if self.current else 0,
            "sampling_step": self._step,
            "interrupted": self._interrupted,
        }
        return web.json_response(
            {
                "progress": self._share(),
                "eta_relative": 0,
                "state": state,
                "current_image": None,
                "textinfo": None,
            }
        )

    async def _interrupt(self, _request: web.Request) -> web.Response:
        self.interrupts.append(self.current or "")
        self._interrupted = True
        return web.json_response({})
