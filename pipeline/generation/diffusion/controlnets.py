"""ControlNets: guide pictures, several at once, each with its scale and its share of the steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from pipeline.domain.conditioning import ControlKind, ControlUse
from pipeline.domain.errors import GenerationFailed
from pipeline.generation.diffusion.call import Call
from pipeline.generation.diffusion.families import Task
from pipeline.generation.diffusion.installed import variant_of
from pipeline.generation.diffusion.pictures import covering
from pipeline.generation.diffusion.places import region_picture


@contextmanager
def hold_controls(call: Call) -> Iterator[None]:
    """Make the job's pipeline, with the ControlNets of the plan's guide pictures if it has any.

    Raises:
        MissingReference: a guide picture was not given.
        GenerationFailed: there is no ControlNet for it, or the sampler is not known.
    """
    uses = [use for use in call.plan.controls if use.scale > 0 and use.start < use.end]
    nets = [_net(call, use.kind) for use in uses]
    sampler = call.plan.sampling.sampler
    if not nets:
        call.pipe = call.base.pipeline(call.task, sampler=sampler)
        yield
        return
    call.pipe = call.base.pipeline(call.task, sampler=sampler, controlnet=nets)
    guides = [_guide(call, use) for use in uses]
    call.arguments["image" if call.task is Task.TEXT else "control_image"] = guides
    call.arguments |= {
        "controlnet_conditioning_scale": [float(use.scale) for use in uses],
        "control_guidance_start": [use.start for use in uses],
        "control_guidance_end": [use.end for use in uses],
    }
    try:
        for net in nets:
            net.to(call.base.device)
        yield
    finally:
        for net in nets:
            net.to("cpu")


def _net(call: Call, kind: ControlKind) -> Any:
    folder = call.base.installed.controls.get(kind)
    if folder is None:
        hub = call.base.family.controls.get(kind)
        how = f" Fetch it with: {hub.command(f'FOLDER/{kind.value}')}" if hub else ""
        raise GenerationFailed(
            f"There is no ControlNet for {kind.value} in ONMODEL_DIFFUSERS_CONTROLS.{how}"
        )

    def load() -> Any:
        import diffusers

        net = getattr(diffusers, call.base.family.control_class).from_pretrained(
            folder,
            dtype=call.base.dtype,
            local_files_only=True,
            use_safetensors=True,
            variant=variant_of(folder),
        )
        return net.requires_grad_(False).eval()

    return call.cache.get(("control", folder, call.base.dtype), load)


def _guide(call: Call, use: ControlUse) -> Image.Image:
    """The guide picture at the working size, black (saying nothing) outside its region."""
    picture = covering(call.pictures.rgb(use.sha256), call.size)
    member = next((m for m in call.plan.cast if m.character_id == use.character_id), None)
    if member is None or member.region is None:
        return picture
    black = Image.new("RGB", picture.size)
    black.paste(picture, mask=region_picture(member.region, call.plan.size, call.size))
    return black
