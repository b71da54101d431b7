"""Finds a workflow: one of ours by name, or a file of the host's with its twin for repairs."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pipeline.domain.conditioning import Adapter, ControlKind, ModelFile
from pipeline.domain.errors import SettingsError
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.comfyui.workflow import Workflow, read_workflow

SHIPPED = ("sd15", "sdxl")


@dataclass(frozen=True, slots=True)
class Workflows:
    """The workflow that draws, and the one that repairs a part of a picture, if there is one."""

    draw: Workflow
    repair: Workflow | None

    @property
    def digest(self) -> str:
        """A short name for the content of both."""
        twin = self.repair.digest if self.repair else ""
        return f"{self.draw.digest[:6]}{twin[:4]}"


def find_workflows(wanted: str) -> Workflows:
    """Read the workflow that the settings name.

    Args:
        wanted: ``sd15``, ``sdxl``, or the path of a template like ``mine.json``; beside it
            ``mine.inpaint.json`` may lie, for local repair.

    Raises:
        SettingsError: there is none, or it is no template.
    """
    if wanted in SHIPPED:
        folder = files("pipeline.generation.comfyui") / "templates"
        texts = [(folder / f"{wanted}{end}.json").read_text("utf-8") for end in ("", ".inpaint")]
        return Workflows(read_workflow(texts[0], wanted), read_workflow(texts[1], wanted))
    path = Path(wanted).expanduser()
    try:
        draw = read_workflow(path.read_text("utf-8"), path.stem)
        twin = path.with_name(f"{path.stem}.inpaint.json")
        repair = read_workflow(twin.read_text("utf-8"), twin.stem) if twin.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            "ONMODEL_COMFYUI_WORKFLOW names a file that cannot be read. "
            f"Give the path of a template, or one of: {', '.join(SHIPPED)}."
        ) from error
    if repair is not None and not {"base", "mask"} <= set(repair.slots):
        raise SettingsError(f"The ComfyUI workflow “{repair.name}” needs the slots base and mask.")
    return Workflows(draw, repair)


def capabilities_of(workflows: Workflows, checkpoint: str) -> Capabilities:
    """What an engine with these workflows can do: that for which they have a place."""
    draw, groups = workflows.draw, workflows.draw.groups
    adapters = {Adapter.IP_WHOLE: "reference_whole", Adapter.IP_FACE: "reference_face"}
    able = frozenset(adapter for adapter, group in adapters.items() if group in groups)
    return Capabilities(
        # The least, so that no reference of a plan is ever one too many for its group.
        references=min((groups[adapters[adapter]].most for adapter in able), default=0),
        adapters=able,
        controls=bool(guides_of(workflows)),
        control_kinds=guides_of(workflows),
        regions="character" in groups,
        inpaint=workflows.repair is not None,
        lora="lora" in groups,
        textual_inversion=draw.embeddings,
        negative="negative" in draw.slots,
        prompt_weights=True,
        samples="steps" in draw.slots,
        native_pixels=draw.native_pixels,
        models=(
            ModelFile("workflow", draw.name, draw.digest),
            # A server tells the names of its files and not what is in them.
            ModelFile("checkpoint", checkpoint, ""),
        ),
    )


def guides_of(workflows: Workflows) -> frozenset[ControlKind]:
    """The kinds of guide pictures that there is a place for."""
    return frozenset(k for k in ControlKind if f"guide_{k.value}" in workflows.draw.groups)
