"""Samplers by the plan's names, as ComfyUI and AUTOMATIC1111 call them."""

from typing import NamedTuple

from pipeline.domain.errors import GenerationFailed


class SamplerNames(NamedTuple):
    """ComfyUI's sampler and scheduler, then AUTOMATIC1111's."""

    sampler: str
    scheduler: str
    title: str
    schedule: str


SAMPLERS = {
    "euler": SamplerNames("euler", "normal", "Euler", "Automatic"),
    "euler_a": SamplerNames("euler_ancestral", "normal", "Euler a", "Automatic"),
    "heun": SamplerNames("heun", "normal", "Heun", "Automatic"),
    "ddim": SamplerNames("ddim", "ddim_uniform", "DDIM", "Automatic"),
    "unipc": SamplerNames("uni_pc", "normal", "UniPC", "Automatic"),
    "lcm": SamplerNames("lcm", "sgm_uniform", "LCM", "SGM Uniform"),
    "dpmpp_2m": SamplerNames("dpmpp_2m", "normal", "DPM++ 2M", "Automatic"),
    "dpmpp_2m_karras": SamplerNames("dpmpp_2m", "karras", "DPM++ 2M", "Karras"),
    "dpmpp_sde_karras": SamplerNames("dpmpp_sde", "karras", "DPM++ SDE", "Karras"),
    "dpmpp_2m_sde_karras": SamplerNames("dpmpp_2m_sde", "karras", "DPM++ 2M SDE", "Karras"),
}


def sampler_names(name: str) -> SamplerNames:
    """How the engines call a sampler of ours.

    Raises:
        GenerationFailed: it is none of ours.
    """
    try:
        return SAMPLERS[name]
    except KeyError as error:
        raise GenerationFailed(
            f"There is no sampler “{name}”. Choose one of: {', '.join(SAMPLERS)}."
        ) from error
