"""The samplers by the names that plans use, as one table."""

from collections.abc import Mapping
from typing import Any

from pipeline.domain.errors import GenerationFailed

SAMPLERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {}),
    "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "dpmpp_2m_sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "dpmpp_2m_sde_karras": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True},
    ),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_karras": ("EulerDiscreteScheduler", {"use_karras_sigmas": True}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "ddim": ("DDIMScheduler", {"clip_sample": False}),  # latents are not pixels
    "unipc": ("UniPCMultistepScheduler", {}),
    "lcm": ("LCMScheduler", {"clip_sample": False}),
}
"""Name → diffusers' class and what it is told beside the model's own noise schedule."""


def make_scheduler(sampler: str, config: Mapping[str, Any]) -> Any:
    """A fresh scheduler for one job: nothing of it can leak into the next.

    Args:
        sampler: a name of :data:`SAMPLERS`.
        config: the configuration of the model's own scheduler.

    Raises:
        GenerationFailed: the sampler is not known here.
    """
    if sampler not in SAMPLERS:
        raise GenerationFailed(
            f"The sampler “{sampler}” is not known. Choose one of: {', '.join(SAMPLERS)}."
        )
    import diffusers

    kind, more = SAMPLERS[sampler]
    return getattr(diffusers, kind).from_config(config, **more)
