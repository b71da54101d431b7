"""Drawing again on top of a picture: the whole of it, or only where a mask is white."""

from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import GenerationFailed
from pipeline.domain.geometry import Size
from pipeline.generation.diffusion.call import Call
from pipeline.generation.diffusion.families import Task
from pipeline.generation.diffusion.installed import Installed
from pipeline.generation.diffusion.pictures import Pictures, covering

_SEAM = 0.012
"""Width of the seam inside the mask as a share of the picture's shorter side, where what is new
fades into what was there."""
_GRAY = (127, 127, 127)


def task_of(plan: ConditioningPlan, pictures: Pictures, installed: Installed) -> Task:
    """What the plan's pictures start from.

    A model whose denoiser reads mask and masked picture always inpaints: drawing from nothing is
    to it a hole as large as the picture.

    Raises:
        MissingReference: base or mask were not given.
        GenerationFailed: one is damaged or not of the plan's size.
    """
    if plan.inpaint is None:
        return Task.INPAINT if installed.inpaints_natively else Task.TEXT
    base = pictures.rgb(plan.inpaint.base_sha256)
    mask = pictures.mask(plan.inpaint.mask_sha256)
    if base.size != tuple(plan.size) or mask.size != tuple(plan.size):
        raise GenerationFailed(
            "The picture to repair and its mask do not have the panel's size. Ask for a new try."
        )
    whole = mask.getextrema() == (255, 255)
    return Task.IMAGE if whole and not installed.inpaints_natively else Task.INPAINT


def steps_of(plan: ConditioningPlan) -> int:
    """How many steps a pass takes: a repair skips those whose noise it does not need."""
    steps = plan.sampling.steps
    return steps if plan.inpaint is None else max(1, min(steps, int(steps * plan.inpaint.denoise)))


def starting_arguments(call: Call) -> dict[str, Any]:
    """What the pipeline is told about size and starting point, whichever the task."""
    plan, size = call.plan, call.size
    across = {"width": size.width, "height": size.height}
    if call.task is Task.TEXT:
        return across
    use = plan.inpaint
    if use is None:
        blank, hole = Image.new("RGB", size, _GRAY), Image.new("L", size, 255)
        return {**across, "image": blank, "mask_image": hole, "strength": 1.0}
    base = covering(call.pictures.rgb(use.base_sha256), size)
    # the pipeline counts whole steps and wants at least one
    told: dict[str, Any] = {"image": base, "strength": max(use.denoise, 1 / plan.sampling.steps)}
    if call.task is Task.IMAGE:
        return told
    return {**across, **told, "mask_image": _hole(call.pictures.mask(use.mask_sha256), size)}


def composited(image: Image.Image, plan: ConditioningPlan, pictures: Pictures) -> Image.Image:
    """What was drawn, inside the mask only: every other pixel is the base's own.

    Args:
        image: RGB of the plan's size.
        plan: with or without a repair.
        pictures: base and mask.
    """
    if plan.inpaint is None:
        return image
    mask = pictures.mask(plan.inpaint.mask_sha256)
    base = pictures.rgb(plan.inpaint.base_sha256)
    outside = np.asarray(mask) == 0
    if not outside.any():
        return image
    blended = np.asarray(Image.composite(image, base, _faded(mask)))
    return Image.fromarray(np.where(outside[..., None], np.asarray(base), blended))


def unchanged(plan: ConditioningPlan) -> bool:
    """Whether the plan asks for a repair that may change nothing."""
    return plan.inpaint is not None and plan.inpaint.denoise <= 0


def _hole(mask: Image.Image, size: Size) -> Image.Image:
    """The mask at the working size; a cell that is partly to be drawn is drawn."""
    return mask.resize(size, Image.Resampling.BOX).point(lambda value: 255 if value else 0)


def _faded(mask: Image.Image) -> Image.Image:
    """Zero at the mask's edge, rising to its own value over the width of the seam."""
    blurred = mask.filter(ImageFilter.GaussianBlur(max(1.0, _SEAM * min(mask.size))))
    rising = np.clip(2 * np.asarray(blurred, np.int16) - 255, 0, 255)
    return Image.fromarray(np.minimum(rising, np.asarray(mask, np.int16)).astype(np.uint8))
