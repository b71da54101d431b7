"""Diffusers' own pipelines, called as its documentation does: the peer of our engine."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from pipeline.domain.conditioning import Adapter, ConditioningPlan, ControlKind
from pipeline.generation.diffusion.families import Task
from pipeline.generation.diffusion.loading import Base


class Bare:
    """Draws a plan on the modules that our engine has loaded.

    :meth:`put_on` and :meth:`take_off` stand around each call, since the modules are shared and
    each contestant must find them as they were loaded.
    """

    def __init__(self, base: Base, pictures: Mapping[str, bytes]) -> None:
        self._base = base
        self._pictures = pictures
        self._pipe: Any = None
        self._adapted = False
        self._encoder: Any = None

    @contextmanager
    def ready(self, plan: ConditioningPlan) -> Iterator[Callable[[], object]]:
        """Everything loaded that the plan needs; yields the call itself."""
        import torch

        sampler = plan.sampling.sampler
        control = self._control() if plan.controls else None
        self._pipe = self._base.pipeline(Task.TEXT, sampler=sampler, controlnet=control)
        self._adapted = bool(plan.cast)
        told = self._arguments(plan)

        def call() -> object:
            seeds = [plan.seed + n for n in range(plan.alternates)]
            generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
            return self._pipe(**told, num_images_per_prompt=len(seeds), generator=generators).images

        yield call
        self._pipe = None

    def put_on(self) -> None:
        """Load the IP-Adapter, if the plan has one."""
        if not self._adapted:
            return
        from transformers import CLIPImageProcessor

        path = self._base.installed.adapters[Adapter.IP_WHOLE]
        self._pipe.load_ip_adapter(
            str(path.weights.parent),
            subfolder="",
            weight_name=path.weights.name,
            image_encoder_folder=None,
            local_files_only=True,
        )
        encoder = self._image_encoder(path.encoder)
        side = encoder.config.image_size
        processor = CLIPImageProcessor(size=side, crop_size=side)
        self._pipe.register_modules(image_encoder=encoder, feature_extractor=processor)
        self._base.denoiser.to(device=self._base.device, dtype=self._base.dtype)
        self._pipe.set_ip_adapter_scale(0.6)

    def take_off(self) -> None:
        """Unload it again."""
        if self._adapted:
            self._pipe.unload_ip_adapter()

    def _image_encoder(self, folder: Path) -> Any:
        """Read once: unloading an adapter drops it from the pipeline only."""
        if self._encoder is None:
            from transformers import CLIPVisionModelWithProjection

            self._encoder = CLIPVisionModelWithProjection.from_pretrained(
                folder, dtype=self._base.dtype, local_files_only=True
            )
            self._encoder.to(self._base.device)
        return self._encoder

    def _control(self) -> Any:
        from diffusers.models.controlnets.controlnet import ControlNetModel

        folder = self._base.installed.controls[ControlKind.EDGES]
        net: Any = ControlNetModel.from_pretrained(
            folder, dtype=self._base.dtype, local_files_only=True
        )
        return net.to(self._base.device).eval()

    def _arguments(self, plan: ConditioningPlan) -> dict[str, Any]:
        width, height = plan.size
        told: dict[str, Any] = {
            "prompt": plan.prompt,
            "negative_prompt": plan.negative,
            "width": width,
            "height": height,
            "num_inference_steps": plan.sampling.steps,
            "guidance_scale": plan.sampling.guidance,
        }
        if plan.cast:
            told["ip_adapter_image"] = self._picture(plan.cast[0].references[0].sha256)
        if plan.controls:
            told["image"] = self._picture(plan.controls[0].sha256)
            told["controlnet_conditioning_scale"] = plan.controls[0].scale
        return told

    def _picture(self, sha256: str) -> Image.Image:
        with Image.open(io.BytesIO(self._pictures[sha256])) as image:
            return image.convert("RGB")
