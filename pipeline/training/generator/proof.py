"""Whether references matter: how well the own one explains a picture, against another one."""
# pyright: reportMissingImports=false

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from pipeline.training.generator.denoising import (
    Batch,
    alphas,
    moved,
    noised,
    predicted,
    tokens_of,
)
from pipeline.training.generator.models import STEPS, Denoising
from pipeline.training.generator.plan import GeneratorPlan
from pipeline.training.generator.seeing import as_pixels, as_seen, encode, states_of
from pipeline.training.generator.sheet import held_out

_HIGH_NOISE = 0.8
_DRAWS = 4
"""Noises that each picture is looked at under; their mean counts."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Mean squared errors of v at high noise, and for which share of pictures the own one is less.

    A reference that is ignored gives equal errors and a share of one half.
    """

    own: float
    other: float
    share: float


@torch.no_grad()
def explained(
    vae: Any, encoder: Any, nets: Denoising, tokenizer: Any, plan: GeneratorPlan, count: int = 48
) -> Explained:
    """How well the own reference explains a picture, against somebody else's.

    On characters that were held out, in the styles that were learned. The prompts tell no looks,
    so only the reference can; the other one is of a character of the same style. Pictures, noise
    and words are the same in both.
    """
    cast = held_out(plan, count, strange=0)
    device = str(nets.unet.device)
    every = torch.arange(count)
    latents = encode(vae, as_pixels(_stacked([p.image for _, p in cast]), every), device)
    latents *= vae.config.scaling_factor
    states = states_of(encoder, as_seen(_stacked([view for view, _ in cast]), every), device)
    chance = torch.Generator().manual_seed(plan.seed)
    noises = torch.randn(_DRAWS, *latents.shape, generator=chance)
    steps = torch.full((count,), int(_HIGH_NOISE * STEPS))
    words = tokens_of(tokenizer, [panel.plain for _, panel in cast])
    out = []
    for seen in (states, states.roll(plan.styles, 0)):  # styles take turns in the cast
        errors = []
        for noise in noises:
            batch = moved(Batch(latents, noise, steps, words, seen[:, None], None, 1.0), device)
            noisy, target = noised(batch, alphas().to(device))
            found = predicted(nets, batch, noisy).float()
            errors.append((found - target).square().mean(dim=(1, 2, 3)).cpu())
        out.append(torch.stack(errors).mean(dim=0))
    own, other = out
    return Explained(float(own.mean()), float(other.mean()), float((own < other).float().mean()))


def _stacked(images: list[Image.Image]) -> Any:
    return np.stack([np.asarray(image, np.uint8) for image in images])
