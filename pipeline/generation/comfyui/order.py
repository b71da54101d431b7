"""Turns a plan into what is sent to ComfyUI: one graph for each picture, and the files it names."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps

from pipeline.domain.conditioning import (
    Adapter,
    CastConditioning,
    ConditioningPlan,
    ControlKind,
    ModuleKind,
)
from pipeline.domain.geometry import Size
from pipeline.generation.comfyui.fill import Values, fill
from pipeline.generation.comfyui.library import Workflows
from pipeline.generation.comfyui.workflow import Graph, Workflow
from pipeline.generation.remote.holds import holds_of
from pipeline.generation.remote.modules import module_name
from pipeline.generation.remote.pictures import (
    guide_of,
    mask_of,
    picture_of,
    png_of,
    region_of,
)
from pipeline.generation.remote.samplers import sampler_names
from pipeline.generation.remote.words import COMFYUI

ENGINE = "ComfyUI"
FOLDER = "onmodel"
REFERENCE_SIDE = 512
"""Image encoders of IP-Adapters look at 224 pixels; more would only take longer to send."""

_GROUPS = {Adapter.IP_WHOLE: "reference_whole", Adapter.IP_FACE: "reference_face"}


@dataclass(frozen=True, slots=True)
class Names:
    """The server's files of LoRAs and embeddings; asked for only where a plan has modules."""

    loras: Sequence[str] = ()
    embeddings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """One graph per alternate, and PNG bytes by the file name under which they are uploaded."""

    graphs: tuple[Graph, ...]
    files: Mapping[str, bytes]


def order_of(
    plan: ConditioningPlan,
    pictures: Mapping[str, bytes],
    workflows: Workflows,
    *,
    checkpoint: str = "",
    names: Names | None = None,
) -> Order:
    """Everything that a plan needs done. Pure: the same plan gives the same order.

    Args:
        plan: the recipe.
        pictures: PNGs by the sha256 that the plan names.
        workflows: the templates.
        checkpoint: a file to use instead of the template's own.
        names: what the server has, for plans with modules.

    Raises:
        MissingReference: a picture was not given.
        EngineLacks: the server has no file for a module.
        GenerationFailed: the plan asks for something that the workflow has no place for.
    """
    workflow = workflows.draw
    if plan.inpaint is not None and workflows.repair is not None:
        workflow = workflows.repair
    desk = _Desk(plan, pictures, workflow, names or Names())
    values = desk.values()
    if checkpoint:
        values["checkpoint"] = checkpoint
    items = desk.items()
    graphs = tuple(
        fill(workflow, {**values, "seed": seed_of(plan, index)}, items)
        for index in range(plan.alternates)
    )
    return Order(graphs, desk.files)


def seed_of(plan: ConditioningPlan, index: int) -> int:
    """The seed of an alternate, in the range that servers take (0 to 2³² − 1)."""
    return (plan.seed + index) % 2**32


class _Desk:
    """Collects values, items and files while it goes through a plan."""

    def __init__(
        self,
        plan: ConditioningPlan,
        pictures: Mapping[str, bytes],
        workflow: Workflow,
        names: Names,
    ) -> None:
        self.files: dict[str, bytes] = {}
        self._plan = plan
        self._pictures = pictures
        self._workflow = workflow
        self._names = names
        self._size = plan.bucket or plan.size

    def values(self) -> dict[str, Any]:
        """By slot; the seed is the picture's own."""
        plan, sampling = self._plan, self._plan.sampling
        sampler = sampler_names(sampling.sampler)
        out: dict[str, Any] = {
            "positive": ", ".join([COMFYUI.positive(plan), *self._triggers()]),
            "negative": COMFYUI.negative(plan),
            "sampler": sampler.sampler,
            "scheduler": sampler.scheduler,
            "steps": sampling.steps,
            "guidance": sampling.guidance,
            "width": self._size.width,
            "height": self._size.height,
        }
        if plan.inpaint is not None:
            base = picture_of(plan.inpaint.base_sha256, self._pictures, "The picture to repair")
            mask = mask_of(plan.inpaint.mask_sha256, self._pictures, self._size)
            out |= {
                "base": self._file(_resized(base, self._size)),
                "mask": self._file(mask.convert("RGB")),
                "denoise": plan.inpaint.denoise,
            }
        return {slot: value for slot, value in out.items() if slot in self._workflow.slots}

    def items(self) -> dict[str, list[Values]]:
        """By group, in the order of the plan."""
        out: dict[str, list[Values]] = {}
        for member in self._plan.cast:
            self._add_member(member, out)
        for use in self._plan.controls:
            guide = guide_of(use, self._plan, self._pictures, self._size)
            item = {
                "image": self._file(guide), "scale": use.scale, "start": use.start, "end": use.end,
            }  # fmt: skip
            out.setdefault(f"guide_{ControlKind(use.kind).value}", []).append(item)
        for module in self._plan.modules:
            if module.kind is ModuleKind.LORA:
                name = module_name(module, self._names.loras, ENGINE)
                out.setdefault("lora", []).append({"name": name, "scale": module.scale})
        return out

    def _add_member(self, member: CastConditioning, out: dict[str, list[Values]]) -> None:
        region = {}
        if member.region is not None:
            mask = region_of(member.region, self._plan.size, self._size)
            region = {"region": self._file(mask)}
        able = frozenset(a for a, group in _GROUPS.items() if group in self._workflow.groups)
        most = min((self._workflow.groups[_GROUPS[a]].most for a in able), default=0)
        for hold in holds_of(member.references, able, most):
            image = picture_of(
                hold.use.sha256, self._pictures, f"A reference picture of {member.identity}"
            )
            item = {"image": self._file(_square(image)), "scale": hold.weight, **region}
            out.setdefault(_GROUPS[hold.adapter], []).append(item)
        if region and "character" in self._workflow.groups:
            text = COMFYUI.escaped(member.identity)
            out.setdefault("character", []).append({"text": text, **region})
        if region and member.negative and "character_negative" in self._workflow.groups:
            text = COMFYUI.joined(member.negative)
            out.setdefault("character_negative", []).append({"text": text, **region})

    def _triggers(self) -> list[str]:
        """Words that call the modules: an embedding by its file, a LoRA by its own word."""
        words: list[str] = []
        for module in self._plan.modules:
            if module.kind is ModuleKind.TEXTUAL_INVERSION:
                name = module_name(module, self._names.embeddings, ENGINE)
                words.append(f"(embedding:{name}:{module.scale:g})")
            elif module.trigger and module.trigger not in self._plan.prompt:
                words.append(COMFYUI.escaped(module.trigger))
        return words

    def _file(self, image: Image.Image) -> str:
        """Name a picture by its pixels, as ComfyUI spells a file of its temporary folder."""
        png = png_of(image)
        name = f"{hashlib.sha256(png).hexdigest()[:32]}.png"
        self.files[name] = png
        return f"{FOLDER}/{name} [temp]"


def _resized(image: Image.Image, size: Size) -> Image.Image:
    return image if image.size == tuple(size) else image.resize(size, Image.Resampling.LANCZOS)


def _square(image: Image.Image) -> Image.Image:
    """Padded with paper: the image encoder would cut head and feet off a standing figure."""
    side = min(REFERENCE_SIDE, max(image.size))
    return ImageOps.pad(image, (side, side), Image.Resampling.LANCZOS, "white")
