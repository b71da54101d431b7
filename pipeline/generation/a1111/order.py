"""Turns a plan into one request to the web UI: txt2img, or img2img for local repair."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

from pipeline.domain.conditioning import Adapter, ConditioningPlan, InpaintUse, ModuleKind
from pipeline.domain.geometry import Size
from pipeline.generation.a1111.inventory import ENGINE, Inventory
from pipeline.generation.remote.errors import EngineLacks
from pipeline.generation.remote.holds import holds_of
from pipeline.generation.remote.modules import module_name
from pipeline.generation.remote.pictures import guide_of, mask_of, picture_of, png_of
from pipeline.generation.remote.samplers import sampler_names
from pipeline.generation.remote.words import WEB_UI

TEXT, REPAIR = "/sdapi/v1/txt2img", "/sdapi/v1/img2img"
_REFERENCE_SIDE = 512
_SMOOTH = Image.Resampling.LANCZOS
_MASK_BLUR = 4
"""Pixels: the seam is drawn softly; what lies outside the mask is put back afterwards anyway."""


@dataclass(frozen=True, slots=True)
class Order:
    """Where to send what."""

    path: str
    body: Mapping[str, Any]


def order_of(
    plan: ConditioningPlan, pictures: Mapping[str, bytes], has: Inventory, *, checkpoint: bool
) -> Order:
    """Everything that a plan needs done, in one request. Pure.

    The pictures of a batch get the seeds ``seed``, ``seed + 1`` and so on, as plans want it.

    Args:
        plan: the recipe.
        pictures: PNGs by the sha256 that the plan names.
        has: what the web UI has.
        checkpoint: whether to ask for ``has.checkpoint``; otherwise whatever is loaded draws.

    Raises:
        MissingReference: a picture was not given.
        EngineLacks: the web UI lacks a sampler, a module or enough ControlNet units.
    """
    size = plan.bucket or plan.size
    body: dict[str, Any] = {
        "prompt": ", ".join([WEB_UI.positive(plan), *_modules(plan, has)]),
        "negative_prompt": WEB_UI.negative(plan),
        "seed": plan.seed % 2**32,
        **_variation(plan),
        "batch_size": plan.alternates,
        "n_iter": 1,
        "steps": plan.sampling.steps,
        "cfg_scale": plan.sampling.guidance,
        "width": size.width,
        "height": size.height,
        **has.sampler(sampler_names(plan.sampling.sampler)),
        "send_images": True,
        "save_images": False,
        "override_settings": {"sd_model_checkpoint": has.checkpoint} if checkpoint else {},
        "override_settings_restore_afterwards": True,
    }
    units = _units(plan, pictures, has)
    if len(units) > has.units:
        raise EngineLacks(
            f"This panel needs {len(units)} ControlNet units, {ENGINE} has {has.units}. Ask for "
            "fewer characters, or let whoever runs the bot raise its number of units."
        )
    if units:
        body["alwayson_scripts"] = {"controlnet": {"args": units}}
    if plan.inpaint is None:
        return Order(TEXT, body)
    return Order(REPAIR, {**body, **_repair(plan.inpaint, pictures, size)})


def _variation(plan: ConditioningPlan) -> dict[str, Any]:
    """The seed of other noise and its share; the pictures of a batch get the following ones.

    With a share above 0 the web UI draws the whole batch from ``seed`` itself and counts the
    variation's seed up instead.
    """
    if not plan.variations:
        return {"subseed_strength": 0}
    varied = plan.variations[-1]
    return {"subseed": varied.seed % 2**32, "subseed_strength": varied.strength}


def _repair(use: InpaintUse, pictures: Mapping[str, bytes], size: Size) -> dict[str, Any]:
    """What img2img needs beside: the base, the mask, and how far the masked part may change."""
    base = picture_of(use.base_sha256, pictures, "The picture to repair")
    mask = mask_of(use.mask_sha256, pictures, size)
    return {
        "init_images": [_sent(base if base.size == tuple(size) else base.resize(size, _SMOOTH))],
        "mask": _sent(mask),
        "mask_blur": _MASK_BLUR,
        "inpainting_fill": 1,
        "inpaint_full_res": False,
        "inpainting_mask_invert": 0,
        "denoising_strength": use.denoise,
        "resize_mode": 0,
    }


def _modules(plan: ConditioningPlan, has: Inventory) -> list[str]:
    """Words that load the modules: ours alone may, what people wrote was escaped."""
    words: list[str] = []
    for module in plan.modules:
        if module.kind is ModuleKind.LORA:
            words.append(f"<lora:{module_name(module, has.loras, ENGINE)}:{module.scale:g}>")
            if module.trigger and module.trigger not in plan.prompt:
                words.append(WEB_UI.escaped(module.trigger))
        else:
            words.append(f"({module_name(module, has.embeddings, ENGINE)}:{module.scale:g})")
    return words


def _units(
    plan: ConditioningPlan, pictures: Mapping[str, bytes], has: Inventory
) -> list[dict[str, Any]]:
    """ControlNet units: guide pictures first, then each character's references."""
    size = plan.bucket or plan.size
    units = [
        {
            **_unit("none", has.guides[use.kind], guide_of(use, plan, pictures, size), use.scale),
            "guidance_start": use.start,
            "guidance_end": use.end,
        }
        for use in plan.controls
        if use.kind in has.guides
    ]
    able = frozenset[Adapter](has.adapters) if has.encoder else frozenset[Adapter]()
    for member in plan.cast:
        for hold in holds_of(member.references, able, has.units):
            image = picture_of(
                hold.use.sha256, pictures, f"A reference picture of {member.identity}"
            )
            side = min(_REFERENCE_SIDE, max(image.size))
            square = ImageOps.pad(image, (side, side), _SMOOTH, "white")
            units.append(_unit(has.encoder, has.adapters[hold.adapter], square, hold.weight))
    return units


def _unit(module: str, model: str, image: Image.Image, weight: float) -> dict[str, Any]:
    return {
        "enabled": True,
        "module": module,
        "model": model,
        "image": _sent(image),
        "weight": weight,
        "guidance_start": 0.0,
        "guidance_end": 1.0,
        "resize_mode": "Crop and Resize",
        "control_mode": "Balanced",
        "pixel_perfect": False,
        "processor_res": 512,
        "save_detected_map": False,
    }


def _sent(image: Image.Image) -> str:
    return base64.b64encode(png_of(image)).decode("ascii")
