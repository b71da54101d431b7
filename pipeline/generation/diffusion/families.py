"""What each family of models offers, as one table; torch is not needed to read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.domain.conditioning import Adapter, ControlKind, Sampling
from pipeline.generation.capabilities import USUAL_SAMPLING


class Task(StrEnum):
    """What a picture starts from: noise, a picture, or a picture with a hole."""

    TEXT = "text"
    IMAGE = "image"
    INPAINT = "inpaint"


class TextEncoding(StrEnum):
    """How prompts become what the model reads.

    ``CLIP``: one encoder, its last layer. ``CLIP_TWICE``: two encoders, their last but one layers
    side by side, and the second one's pooled output. ``T5``: the pipeline's own way, one piece.
    """

    CLIP = "clip"
    CLIP_TWICE = "clip_twice"
    T5 = "t5"


@dataclass(frozen=True, slots=True)
class Hub:
    """Where weights can be had: a repository of the hub, and a pattern of its files."""

    repository: str
    pattern: str = ""

    def command(self, folder: str) -> str:
        """The command that fetches it into a folder."""
        include = f" --include '{self.pattern}'" if self.pattern else ""
        return f"hf download {self.repository}{include} --local-dir {folder}"


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """Where an IP-Adapter lies in the adapters' folder: the first file that is there is used."""

    folder: str
    names: tuple[str, ...]
    image_encoder: str = "models/image_encoder"


@dataclass(frozen=True, slots=True)
class Family:
    """A family of models.

    ``pipelines`` names diffusers' class by task and whether a ControlNet guides; ``recognised``
    are the classes that a model folder of the family may name. ``denoiser`` is the component that
    is called at every step. ``native_side`` (pixels) holds where the model's own configuration
    does not say; ``side_multiple`` is what sides must be divisible by, None where the UNet's
    levels say so. ``prompt_tokens`` counts marks. ``controls`` says where a usual ControlNet can
    be had. ``samples`` is False where the family has a scheduler of its own, whose name in
    ``sampling`` is for people only.
    """

    name: str
    recognised: frozenset[str]
    pipelines: Mapping[tuple[Task, bool], str]
    text: TextEncoding
    native_side: int
    prompt_tokens: int
    control_class: str
    model: Hub
    denoiser: str = "unet"
    side_multiple: int | None = None
    samples: bool = True
    regions: bool = True
    adapters: Mapping[Adapter, AdapterFiles] = field(default_factory=dict)
    adapters_hub: Hub | None = None
    controls: Mapping[ControlKind, Hub] = field(default_factory=dict)
    reference_attention: bool = True
    sampling: Sampling = USUAL_SAMPLING


def _pipelines(stem: str, suffix: str = "Pipeline") -> dict[tuple[Task, bool], str]:
    words = {Task.TEXT: "", Task.IMAGE: "Img2Img", Task.INPAINT: "Inpaint"}
    return {
        (task, guided): f"{stem}{'ControlNet' if guided else ''}{word}{suffix}"
        for task, word in words.items()
        for guided in (False, True)
    }


SD15 = Family(
    name="sd15",
    recognised=frozenset(_pipelines("StableDiffusion").values()),
    pipelines=_pipelines("StableDiffusion"),
    text=TextEncoding.CLIP,
    native_side=512,
    prompt_tokens=154,
    control_class="ControlNetModel",
    model=Hub("stable-diffusion-v1-5/stable-diffusion-v1-5"),
    adapters={
        Adapter.IP_WHOLE: AdapterFiles(
            "models", ("ip-adapter-plus_sd15.safetensors", "ip-adapter_sd15.safetensors")
        ),
        Adapter.IP_FACE: AdapterFiles("models", ("ip-adapter-plus-face_sd15.safetensors",)),
    },
    adapters_hub=Hub("h94/IP-Adapter", "models/*"),
    controls={
        ControlKind.EDGES: Hub("lllyasviel/control_v11p_sd15_scribble"),
        ControlKind.POSE: Hub("lllyasviel/control_v11p_sd15_openpose"),
        ControlKind.DEPTH: Hub("lllyasviel/control_v11f1p_sd15_depth"),
    },
)

SDXL = Family(
    name="sdxl",
    recognised=frozenset(_pipelines("StableDiffusionXL").values()),
    pipelines=_pipelines("StableDiffusionXL"),
    text=TextEncoding.CLIP_TWICE,
    native_side=1024,
    prompt_tokens=154,
    control_class="ControlNetModel",
    model=Hub("stabilityai/stable-diffusion-xl-base-1.0"),
    adapters={
        Adapter.IP_WHOLE: AdapterFiles(
            "sdxl_models",
            ("ip-adapter-plus_sdxl_vit-h.safetensors", "ip-adapter_sdxl_vit-h.safetensors"),
        ),
        Adapter.IP_FACE: AdapterFiles(
            "sdxl_models", ("ip-adapter-plus-face_sdxl_vit-h.safetensors",)
        ),
    },
    adapters_hub=Hub("h94/IP-Adapter", "*models/*"),
    controls={
        ControlKind.EDGES: Hub("xinsir/controlnet-scribble-sdxl-1.0"),
        ControlKind.POSE: Hub("xinsir/controlnet-openpose-sdxl-1.0"),
        ControlKind.DEPTH: Hub("xinsir/controlnet-depth-sdxl-1.0"),
    },
)

FLUX = Family(
    name="flux",
    recognised=frozenset(_pipelines("Flux").values()),
    pipelines=_pipelines("Flux"),
    text=TextEncoding.T5,
    native_side=1024,
    prompt_tokens=512,
    control_class="FluxControlNetModel",
    model=Hub("black-forest-labs/FLUX.1-schnell"),
    denoiser="transformer",
    side_multiple=16,
    samples=False,
    regions=False,
    reference_attention=False,
    sampling=Sampling("flow_euler", 28, 3.5),
)

FAMILIES = (SD15, SDXL, FLUX)


def family_of(pipeline_class: str) -> Family | None:
    """The family of a model folder by the class that its index names; None for others."""
    return next((family for family in FAMILIES if pipeline_class in family.recognised), None)
