"""A LoRA for one look, trained on a few of its pictures, as a host would train one."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from pipeline.torch_mends import mend_torchvision

_TARGETS = ["to_q", "to_k", "to_v", "to_out.0"]


@dataclass(frozen=True, slots=True)
class LoraPlan:
    """How a LoRA is trained; the same plan on the same pictures gives the same file."""

    steps: int = 80
    batch: int = 8
    rank: int = 8
    rate: float = 2e-3
    seed: int = 20


def train_lora(
    model: Path, pictures: Sequence[Image.Image], prompts: Sequence[str], out: Path, plan: LoraPlan
) -> None:
    """Train the attention of a model's UNet on pictures of one look, and write the difference.

    Args:
        model: a folder with ``model_index.json`` of the family of Stable Diffusion 1.5.
        pictures: of the model's own size, RGB.
        prompts: one for each picture.
        out: a safetensors file in diffusers' own layout of LoRAs.
        plan: steps, rank and rate.
    """
    mend_torchvision()
    from diffusers import DDPMScheduler, StableDiffusionPipeline
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipe = StableDiffusionPipeline.from_pretrained(model, dtype=torch.float32, safety_checker=None)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pipe.to(device)
    latents, words = _encoded(pipe, pictures, prompts)
    scheduler: Any = DDPMScheduler.from_config(pipe.scheduler.config)
    pipe.unet.requires_grad_(False)
    torch.manual_seed(plan.seed)
    config = LoraConfig(r=plan.rank, lora_alpha=plan.rank, target_modules=_TARGETS)
    pipe.unet.add_adapter(config)
    weights = [p for p in pipe.unet.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=plan.rate)
    chance = torch.Generator().manual_seed(plan.seed)
    for _ in range(plan.steps):
        rows = torch.randint(len(latents), (plan.batch,), generator=chance)
        loss = _loss(pipe.unet, scheduler, latents[rows], words[rows], chance)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    layers: dict[str, Any] = {
        name: value.detach().cpu() for name, value in get_peft_model_state_dict(pipe.unet).items()
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        StableDiffusionPipeline.save_lora_weights(
            out.parent, unet_lora_layers=layers, weight_name=out.name, safe_serialization=True
        )


@torch.no_grad()
def _encoded(
    pipe: Any, pictures: Sequence[Image.Image], prompts: Sequence[str]
) -> tuple[Tensor, Tensor]:
    pixels = torch.from_numpy(np.stack([np.asarray(p, np.float32) for p in pictures]))
    pixels = (pixels.permute(0, 3, 1, 2) / 127.5 - 1).to(pipe.device)
    latents = pipe.vae.encode(pixels).latent_dist.mean * pipe.vae.config.scaling_factor
    tokens = pipe.tokenizer(
        list(prompts), padding="max_length", truncation=True, return_tensors="pt",
        max_length=pipe.tokenizer.model_max_length,
    )  # fmt: skip
    return latents, pipe.text_encoder(tokens.input_ids.to(pipe.device))[0]


def _loss(
    unet: Any, scheduler: Any, latents: Tensor, words: Tensor, chance: torch.Generator
) -> Tensor:
    noise = torch.randn(latents.shape, generator=chance).to(latents.device)
    most = scheduler.config.num_train_timesteps
    steps = torch.randint(most, (len(latents),), generator=chance).to(latents.device)
    noisy = scheduler.add_noise(latents, noise, steps)
    velocity = scheduler.config.prediction_type == "v_prediction"
    target = scheduler.get_velocity(latents, noise, steps) if velocity else noise
    return functional.mse_loss(unet(noisy, steps, words).sample, target)
