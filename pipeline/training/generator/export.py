"""Writes what was learned as anybody's loaders read it: half precision, small safetensors."""
# pyright: reportMissingImports=false

import json
from pathlib import Path
from typing import Any

import torch

from pipeline.training.generator.models import Denoising, adapter_of, take_off
from pipeline.training.generator.sheet import scheduler

SHARD = 15 << 20
"""The most bytes of one file, so that no host of code refuses it."""
_NAMES = 1 << 17
"""Of them, what a file's list of names and shapes may take: the savers count weights alone."""
WHOLE = 60 << 20
"""The most bytes of all files together."""
ADAPTER = "ip-adapter-plus_sd15.safetensors"
"""The name under which the ``diffusers`` engine looks for an adapter that reads all tokens."""


def export(
    folder: Path, vae: Any, encoder: Any, nets: Denoising, tokenizer: Any, control: Any
) -> int:
    """Write ``model/``, ``adapters/models/`` and ``controls/edges/``.

    The networks are half precision afterwards, and the IP-Adapter is off the UNet.

    Returns:
        Bytes of all weights together.
    """
    from safetensors.torch import save_file

    model, adapters = folder / "model", folder / "adapters" / "models"
    adapters.mkdir(parents=True, exist_ok=True)
    flat = {key: value.half().cpu().contiguous() for key, value in adapter_of(nets.unet).items()}
    save_file(flat, adapters / ADAPTER)
    _save(encoder, adapters / "image_encoder")
    _save(control, folder / "controls" / "edges")
    take_off(nets.unet)
    for name, network in (("unet", nets.unet), ("vae", vae), ("text_encoder", nets.text_encoder)):
        _save(network, model / name)
    tokenizer.save_pretrained(model / "tokenizer")
    scheduler().save_pretrained(model / "scheduler")
    (model / "model_index.json").write_text(json.dumps(_INDEX, indent=2) + "\n")
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


def _save(network: Any, folder: Path) -> None:
    network.to("cpu", torch.float16).save_pretrained(
        folder, safe_serialization=True, max_shard_size=SHARD - _NAMES
    )


_INDEX: dict[str, Any] = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
