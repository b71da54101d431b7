"""Models with random weights in the layout of Stable Diffusion XL: real classes, no downloads.

What comes out of them is noise; how long it takes and what it needs is what the trained ones take,
because nothing of that depends on the weights.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ADAPTER_FILE = Path("sdxl_models/ip-adapter_sdxl_vit-h.safetensors")
ENCODER_FOLDER = Path("models/image_encoder")
_TOKENS = 4
"""Tokens that this kind of IP-Adapter makes of a picture."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The sizes of an architecture; ``side`` in pixels is what it draws."""

    name: str
    side: int
    unet: Mapping[str, Any]
    vae: Mapping[str, Any]
    text: tuple[Mapping[str, Any], ...]
    vision: Mapping[str, Any]
    guide_channels: tuple[int, ...]


_SHARED = {
    "in_channels": 4,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
}
TINY = Layout(
    "tiny",
    64,
    {
        **_SHARED, "sample_size": 8, "block_out_channels": (16, 32), "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "norm_num_groups": 4,
        "transformer_layers_per_block": (1, 2), "attention_head_dim": (2, 4),
        "cross_attention_dim": 64, "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 32,
    },
    {"block_out_channels": (4, 4, 8, 8), "layers_per_block": 1, "norm_num_groups": 4},
    (
        {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2,
         "num_attention_heads": 4, "projection_dim": 32},
    ) * 2,
    {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 2, "num_attention_heads": 4,
     "projection_dim": 16, "image_size": 32, "patch_size": 8},
    (4, 4, 8, 8),
)  # fmt: skip
FULL = Layout(
    "sdxl",
    1024,
    {
        **_SHARED, "sample_size": 128, "block_out_channels": (320, 640, 1280),
        "layers_per_block": 2, "norm_num_groups": 32,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10), "attention_head_dim": (5, 10, 20),
        "cross_attention_dim": 2048, "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
    {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "norm_num_groups": 32},
    (
        {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
         "num_attention_heads": 12, "projection_dim": 768},
        {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32,
         "num_attention_heads": 20, "projection_dim": 1280},
    ),
    {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32,
     "num_attention_heads": 16, "projection_dim": 1024, "image_size": 224, "patch_size": 14},
    (16, 32, 96, 256),
)  # fmt: skip
"""The published configuration of stable-diffusion-xl-base-1.0, of its IP-Adapter's image encoder
(ViT-H/14) and of ControlNets for it."""
LAYOUTS = {layout.name: layout for layout in (TINY, FULL)}


def write_models(root: Path, layout: Layout, *, device: str, dtype: Any) -> dict[str, str]:
    """Write a pipeline, an IP-Adapter with its image encoder and a ControlNet for edges.

    Args:
        root: an empty folder.
        layout: how large everything is.
        device: where the weights are made; a GPU makes the full size in seconds.
        dtype: torch's dtype of the weights.

    Returns:
        The settings of the ``diffusers`` engine that name these folders.
    """
    import torch
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for chatter in (diffusers_logging, transformers_logging):
        chatter.disable_progress_bar()
        chatter.set_verbosity_error()
    with torch.random.fork_rng(), torch.device(device):
        torch.manual_seed(0)
        _pipeline(root / "model", layout, dtype)
        _adapter(root / "adapters", layout, dtype)
        _control(root / "controls" / "edges", layout, dtype)
    return {name: str(root / name) for name in ("model", "adapters", "controls")}


def _save(module: Any, folder: Path, dtype: Any) -> None:
    module.to(dtype).eval().save_pretrained(folder, safe_serialization=True)


def _pipeline(folder: Path, layout: Layout, dtype: Any) -> None:
    import transformers
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler

    _save(UNet2DConditionModel(**layout.unet), folder / "unet", dtype)
    levels = len(layout.vae["block_out_channels"])
    blocks: dict[str, Any] = {
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
    }
    vae = AutoencoderKL(
        **layout.vae,
        latent_channels=4,
        sample_size=layout.side,
        scaling_factor=0.13025,
        **blocks,
    )
    _save(vae, folder / "vae", dtype)
    kinds = (transformers.CLIPTextModel, transformers.CLIPTextModelWithProjection)
    for number, (kind, sizes) in enumerate(zip(kinds, layout.text, strict=True)):
        suffix = "_2" if number else ""
        _tokenizer(folder / f"tokenizer{suffix}", pad="!" if number else "<|endoftext|>")
        _save(kind(_text_config(sizes)), folder / f"text_encoder{suffix}", dtype)
    EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1,
        timestep_spacing="leading",
    ).save_pretrained(folder / "scheduler")  # fmt: skip
    _index(folder)


def _index(folder: Path) -> None:
    """Write ``model_index.json`` as ``save_pretrained`` of a whole pipeline would."""
    from diffusers import __version__

    components = {
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
    }
    data = {
        "_class_name": "StableDiffusionXLPipeline",
        "_diffusers_version": __version__,
        "force_zeros_for_empty_prompt": True,
        **components,
    }
    (folder / "model_index.json").write_text(json.dumps(data, indent=2), encoding="utf-8")


def _vocabulary() -> dict[str, int]:
    """Every byte as CLIP writes it, within a word and at its end, then the two marks."""
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    return {token: n for n, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}


def _tokenizer(folder: Path, pad: str) -> None:
    """CLIP's tokenizer without merges: every letter is a token."""
    from transformers import CLIPTokenizer

    made = CLIPTokenizer(vocab=_vocabulary(), merges=[], pad_token=pad, model_max_length=77)
    made.save_pretrained(folder)


def _text_config(sizes: Mapping[str, Any]) -> Any:
    from transformers import CLIPTextConfig

    words = _vocabulary()
    start, end = words["<|startoftext|>"], words["<|endoftext|>"]
    return CLIPTextConfig(
        **sizes,
        vocab_size=len(words),
        max_position_embeddings=77,
        bos_token_id=start,
        eos_token_id=end,
        pad_token_id=end,
    )


def _adapter(folder: Path, layout: Layout, dtype: Any) -> None:
    """In the layout of the published files: projections by the number of their layer."""
    import torch
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from safetensors.torch import save_file
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    width = layout.unet["cross_attention_dim"]
    with torch.device("meta"):
        unet = UNet2DConditionModel(**layout.unet)
    weights, number = {}, 1
    for name, module in unet.named_modules():
        if name.endswith("attn2"):
            for part in ("k", "v"):
                shape = (module.to_k.weight.shape[0], width)
                weights[f"ip_adapter.{number}.to_{part}_ip.weight"] = 0.02 * torch.randn(shape)
            number += 2
    inner = _TOKENS * width
    weights |= {
        "image_proj.proj.weight": 0.02 * torch.randn(inner, layout.vision["projection_dim"]),
        "image_proj.proj.bias": torch.zeros(inner),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }
    (folder / ADAPTER_FILE).parent.mkdir(parents=True)
    ready = {name: value.to("cpu", dtype) for name, value in weights.items()}
    save_file(ready, folder / ADAPTER_FILE)
    encoder = CLIPVisionModelWithProjection(CLIPVisionConfig(**layout.vision))
    _save(encoder, folder / ENCODER_FOLDER, dtype)


def _control(folder: Path, layout: Layout, dtype: Any) -> None:
    from diffusers.models.controlnets.controlnet import ControlNetModel

    config = {
        name: value
        for name, value in layout.unet.items()
        if name not in ("sample_size", "up_block_types")
    }
    channels = layout.guide_channels
    _save(ControlNetModel(**config, conditioning_embedding_out_channels=channels), folder, dtype)
