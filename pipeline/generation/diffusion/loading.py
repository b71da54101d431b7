"""Loads a model folder once, and makes any pipeline of its family from the same modules."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

from pipeline.domain.errors import GenerationFailed, SettingsError
from pipeline.generation.diffusion.families import Family, Task
from pipeline.generation.diffusion.installed import Installed
from pipeline.generation.diffusion.options import PREFIX, DiffusersOptions
from pipeline.generation.diffusion.samplers import make_scheduler
from pipeline.torch_mends import mend_torchvision

log = logging.getLogger(__name__)

_DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The loaded modules of a model by component name; every pipeline is made from them.

    ``device`` is torch's word for where the work runs, ``dtype`` the torch dtype of the weights.
    """

    installed: Installed
    components: Mapping[str, Any]
    device: str
    dtype: Any
    scheduler_config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def family(self) -> Family:
        """The family of the model."""
        return self.installed.family

    @property
    def denoiser(self) -> Any:
        """The module that is called at every step: UNet or transformer."""
        return self.components[self.family.denoiser]

    @property
    def vae_scale(self) -> int:
        """Pixels along a side of one latent."""
        return 2 ** (len(self.components["vae"].config.block_out_channels) - 1)

    def pipeline(self, task: Task, *, sampler: str, controlnet: Any = None) -> Any:
        """A pipeline of the family for a task, sharing all modules, with a fresh scheduler.

        Args:
            task: what the picture starts from.
            sampler: a name of ``samplers.SAMPLERS``; ignored where the family has its own.
            controlnet: one ControlNet or a list of them, None for none.

        Raises:
            GenerationFailed: the sampler is not known.
        """
        import diffusers

        kind = getattr(diffusers, self.family.pipelines[task, controlnet is not None])
        taken = set(signature(kind.__init__).parameters)
        parts = {name: part for name, part in self.components.items() if name in taken}
        parts["scheduler"] = self._scheduler(sampler)
        if controlnet is not None:
            parts["controlnet"] = controlnet
        if "requires_safety_checker" in taken:  # the model folder decides whether it has one
            parts["requires_safety_checker"] = parts.get("safety_checker") is not None
        pipe = kind(**parts)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def _scheduler(self, sampler: str) -> Any:
        if self.family.samples:
            return make_scheduler(sampler, self.scheduler_config)
        return type(self.components["scheduler"]).from_config(self.scheduler_config)


def load_base(installed: Installed, options: DiffusersOptions) -> Base:
    """Load a model from its folder: safetensors only, local files only, in the chosen precision.

    Raises:
        SettingsError: the device or precision in the settings is not usable here.
        GenerationFailed: the files are there and cannot be loaded; the text says why.
    """
    mend_torchvision()
    device, dtype = choose_device(options.device), options.dtype
    chosen = choose_dtype(dtype, device)
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for bars in (diffusers_logging, transformers_logging):
        bars.disable_progress_bar()
        bars.set_verbosity_error()
    log.info("loading %s on %s", installed.family.name, device, extra={"action": "load_model"})
    try:
        pipe = DiffusionPipeline.from_pretrained(
            installed.model,
            local_files_only=True,
            use_safetensors=True,
            variant=installed.variant,
            dtype=chosen,
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        log.exception("the model cannot be loaded")
        raise GenerationFailed(
            f"The model in {PREFIX}MODEL is damaged or incomplete ({type(error).__name__}). "
            f"Fetch it again: {installed.family.model.command('FOLDER')}"
        ) from error
    components = dict(pipe.components)
    for part in components.values():
        if hasattr(part, "requires_grad_"):
            part.requires_grad_(False).eval()
    return Base(installed, components, device, chosen, dict(pipe.scheduler.config))


def choose_device(word: str) -> str:
    """Torch's device for a word of the settings.

    Raises:
        SettingsError: torch does not know it, or it is not there.
    """
    import torch

    if word == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = word.partition(":")
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(kind) or (number and not number.isdecimal()):
        raise SettingsError(
            f"{PREFIX}DEVICE names a device that torch does not find here. Set it to auto or to "
            f"one of: {', '.join(name for name, here in there.items() if here)}."
        )
    if kind == "cuda" and number and int(number) >= torch.cuda.device_count():
        raise SettingsError(f"{PREFIX}DEVICE: there are {torch.cuda.device_count()} GPUs here.")
    return word


def choose_dtype(word: str, device: str) -> Any:
    """The torch dtype for a word of the settings: bfloat16 where the GPU computes in it.

    Raises:
        SettingsError: the word is not known.
    """
    import torch

    if word == "auto":
        if device.startswith("cuda"):
            return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return torch.float16 if device == "mps" else torch.float32
    if word not in _DTYPES:
        raise SettingsError(f"{PREFIX}DTYPE is one of: auto, {', '.join(_DTYPES)}.")
    return getattr(torch, word)
