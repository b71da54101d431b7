"""The noise that pictures are drawn from: a seed's own, or varied by that of others."""

from collections.abc import Sequence
from typing import Any

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.generation.diffusion.call import Call
from pipeline.generation.diffusion.families import Task

MOST_VARIATIONS = 8
"""In a row: each one costs a draw of noise, which is nothing; more is another picture."""


def generators_of(call: Call, places: Sequence[int]) -> list[Any]:
    """A source of noise for each alternate, on the CPU, so that a seed means the same everywhere.

    Where noise is varied (:func:`varied_latents`) all begin with the plan's own seed: what a
    sampler draws later is then as in the picture that is varied.
    """
    plan = call.plan
    if not plan.variations:
        return [_source(plan.seed + place) for place in places]
    if call.task is not Task.TEXT:  # it starts from a picture: there is no noise to vary
        return [_source(plan.variations[-1].seed + place) for place in places]
    return [_source(plan.seed) for _ in places]


def varied_latents(call: Call, generators: Sequence[Any], places: Sequence[int]) -> Any | None:
    """The first latents of alternates whose noise is varied; None where it is the seed's own.

    Takes the noise of the plan's seed from ``generators``, as the pipeline would, and mixes that
    of the variations into it.
    """
    plan = call.plan
    if not plan.variations or call.task is not Task.TEXT:
        return None
    mixed = _noise(call, list(generators))
    for seeds, strength in _variations(plan, places):
        mixed = _between(mixed, _noise(call, [_source(seed) for seed in seeds]), strength)
    return mixed


def _variations(plan: ConditioningPlan, places: Sequence[int]) -> list[tuple[list[int], float]]:
    """The seed of each alternate and the strength, variation by variation."""
    last = len(plan.variations) - 1
    return [
        ([one.seed + (place if n == last else 0) for place in places], one.strength)
        for n, one in enumerate(plan.variations)
    ]


def _source(seed: int) -> Any:
    import torch

    return torch.Generator("cpu").manual_seed(seed % 2**63)


def _noise(call: Call, generators: list[Any]) -> Any:
    """Noise of unit variance in the shape that the pipeline wants, one sample a generator."""
    pipe, size = call.pipe, call.size
    if hasattr(pipe, "unet"):
        from diffusers.utils.torch_utils import randn_tensor

        scale = pipe.vae_scale_factor
        shape = (
            len(generators), pipe.unet.config.in_channels, size.height // scale, size.width // scale
        )  # fmt: skip
        return randn_tensor(
            shape, generator=generators, device=pipe._execution_device, dtype=pipe.unet.dtype
        )
    network = pipe.transformer  # reads 2 × 2 latents as one token, so that noise comes packed
    made, _ = pipe.prepare_latents(
        len(generators), network.config.in_channels // 4, size.height, size.width, network.dtype,
        pipe._execution_device, generators,
    )  # fmt: skip
    return made


def _between(first: Any, second: Any, share: float) -> Any:
    """Each sample of ``first`` turned towards that of ``second`` along the great circle.

    Source: K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985.
    """
    import torch

    if share <= 0:
        return first
    flat = [one.flatten(1).double() for one in (first, second)]
    units = [one / one.norm(dim=1, keepdim=True) for one in flat]
    angle = torch.acos((units[0] * units[1]).sum(1, keepdim=True).clamp(-1, 1))
    weights = [torch.sin((1 - share) * angle), torch.sin(share * angle)]
    mixed = (weights[0] * flat[0] + weights[1] * flat[1]) / torch.sin(angle)
    return mixed.reshape(first.shape).to(first.dtype)
