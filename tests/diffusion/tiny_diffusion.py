"""Real diffusers classes at tiny random configuration, saved as a hub would.

Every function writes a folder of a few hundred kilobytes in about a second. The architecture, the
file names and the keys inside the files are those of the real models, so that the product's own
loading path reads them; only the sizes are small and the weights random. Pictures are 64 x 64
(``sample_size`` 8 at a factor of 8), and what comes out is noise.

torch and diffusers are imported inside the functions: a test that does not use them does not pay.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHANNELS = (16, 32)
CROSS = 32
"""Width of one text encoder; SDXL has two, joined."""
IMAGE_EMBED = 16
"""Width of the image encoder's projection."""
VISION_HIDDEN = 32


@dataclass(frozen=True)
class TinyModels:
    """Where everything lies: the folders that the settings of the engine name."""

    root: Path

    @property
    def model(self) -> Path:
        """A pipeline folder with ``model_index.json``."""
        return self.root / "model"

    @property
    def inpaint(self) -> Path:
        """The same pipeline with a UNet of nine channels."""
        return self.root / "inpaint"

    @property
    def adapters(self) -> Path:
        """IP-Adapters, whole and face, and their image encoders."""
        return self.root / "adapters"

    @property
    def controls(self) -> Path:
        """``edges``, ``pose`` and ``depth``: a ControlNet each."""
        return self.root / "controls"

    @property
    def modules(self) -> Path:
        """LoRAs and textual inversions by server and appearance."""
        return self.root / "modules"

    def options(self, **more: object) -> dict[str, object]:
        """The engine's settings for these folders, on the CPU in float32."""
        return {
            "model": str(self.model),
            "adapters": str(self.adapters),
            "controls": str(self.controls),
            "modules": str(self.modules),
            "device": "cpu",
            "dtype": "float32",
            **more,
        }


def write_sd(root: Path, *, inpaint: bool = False) -> TinyModels:
    """The layout of Stable Diffusion 1.5, with adapters, ControlNets and modules."""
    _mend()
    models = TinyModels(root)
    _sd_pipeline(models.model, channels=4)
    if inpaint:
        _sd_pipeline(models.inpaint, channels=9)
    _adapters(models.adapters, family="sd")
    _controls(models.controls, family="sd")
    return models


def write_sdxl(root: Path) -> TinyModels:
    """The layout of Stable Diffusion XL base, with adapters and ControlNets."""
    _mend()
    models = TinyModels(root)
    _sdxl_pipeline(models.model)
    _adapters(models.adapters, family="sdxl")
    _controls(models.controls, family="sdxl")
    return models


def write_flux(root: Path) -> TinyModels:
    """The layout of Flux."""
    _mend()
    models = TinyModels(root)
    _flux_pipeline(models.model)
    return models


def unet_config(family: str, channels: int = 4) -> dict[str, Any]:
    """Keyword arguments of ``UNet2DConditionModel`` (and, but for channels, ``ControlNetModel``)."""
    config: dict[str, Any] = {
        "block_out_channels": CHANNELS,
        "layers_per_block": 1,
        "sample_size": 8,
        "in_channels": channels,
        "out_channels": 4,
        "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": CROSS,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
    }
    if family == "sdxl":
        config |= {
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            "cross_attention_dim": 2 * CROSS,
            "attention_head_dim": (2, 4),
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "transformer_layers_per_block": (1, 2),
            "projection_class_embeddings_input_dim": 6 * 8 + CROSS,
        }
    return config


def write_lora(path: Path, model: Path, *, seed: int = 7, strength: float = 1.0) -> None:
    """A LoRA of rank 2 on every attention of the model's UNet, in diffusers' own file layout."""
    _mend()
    import torch
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_k", "to_q", "to_v"]))
    generator = torch.Generator().manual_seed(seed)
    layers = {
        name: torch.randn(value.shape, generator=generator) * strength
        for name, value in get_peft_model_state_dict(unet).items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    StableDiffusionPipeline.save_lora_weights(
        path.parent, unet_lora_layers=layers, weight_name=path.name, safe_serialization=True
    )


def write_inversion(path: Path, *, family: str = "sd", seed: int = 7) -> None:
    """A textual inversion of two vectors, in the layout of the usual trainers."""
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ("emb_params",) if family == "sd" else ("clip_l", "clip_g")
    save_file({name: torch.randn(2, CROSS, generator=generator) for name in names}, path)


def _mend() -> None:
    from pipeline.torch_mends import mend_torchvision

    mend_torchvision()


def _seeded(make: Any, seed: int, /, *args: Any, **options: Any) -> Any:
    """Build a model with weights that only the seed decides; other generators are left alone."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(*args, **options).eval()


def _save(module: Any, folder: Path) -> None:
    module.save_pretrained(folder, safe_serialization=True)


def _index(folder: Path, pipeline: str, components: dict[str, list[str | None]]) -> None:
    """Write ``model_index.json`` as ``save_pretrained`` of a whole pipeline would."""
    from diffusers import __version__

    data = {"_class_name": pipeline, "_diffusers_version": __version__, **components}
    (folder / "model_index.json").write_text(json.dumps(data, indent=2), encoding="utf-8")


def _sd_pipeline(folder: Path, channels: int) -> None:
    from diffusers import PNDMScheduler, UNet2DConditionModel

    _save(_seeded(UNet2DConditionModel, 0, **unet_config("sd", channels)), folder / "unet")
    _save(_vae(), folder / "vae")
    _save(_text_encoder("CLIPTextModel", 2), folder / "text_encoder")
    _tokenizer(folder / "tokenizer")
    PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1,
        skip_prk_steps=True,
    ).save_pretrained(folder / "scheduler")  # fmt: skip
    inpaint = channels == 9
    _index(
        folder,
        "StableDiffusionInpaintPipeline" if inpaint else "StableDiffusionPipeline",
        {
            "feature_extractor": [None, None],
            "image_encoder": [None, None],
            "requires_safety_checker": False,  # type: ignore[dict-item]  # as the hub has it
            "safety_checker": [None, None],
            "scheduler": ["diffusers", "PNDMScheduler"],
            "text_encoder": ["transformers", "CLIPTextModel"],
            "tokenizer": ["transformers", "CLIPTokenizer"],
            "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"],
        },
    )


def _sdxl_pipeline(folder: Path) -> None:
    from diffusers import EulerDiscreteScheduler, UNet2DConditionModel

    _save(_seeded(UNet2DConditionModel, 0, **unet_config("sdxl")), folder / "unet")
    _save(_vae(scaling_factor=0.13025), folder / "vae")
    _save(_text_encoder("CLIPTextModel", 2), folder / "text_encoder")
    _save(_text_encoder("CLIPTextModelWithProjection", 3), folder / "text_encoder_2")
    _tokenizer(folder / "tokenizer")
    _tokenizer(folder / "tokenizer_2", pad="!")
    EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1,
        timestep_spacing="leading",
    ).save_pretrained(folder / "scheduler")  # fmt: skip
    _index(
        folder,
        "StableDiffusionXLPipeline",
        {
            "feature_extractor": [None, None],
            "force_zeros_for_empty_prompt": True,  # type: ignore[dict-item]  # as the hub has it
            "image_encoder": [None, None],
            "scheduler": ["diffusers", "EulerDiscreteScheduler"],
            "text_encoder": ["transformers", "CLIPTextModel"],
            "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
            "tokenizer": ["transformers", "CLIPTokenizer"],
            "tokenizer_2": ["transformers", "CLIPTokenizer"],
            "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"],
        },
    )


def _flux_pipeline(folder: Path) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
    from transformers import T5Config, T5EncoderModel

    transformer = _seeded(
        FluxTransformer2DModel, 0, patch_size=1, in_channels=16, num_layers=1,
        num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=32, pooled_projection_dim=CROSS, axes_dims_rope=(4, 4, 8),
    )  # fmt: skip
    _save(transformer, folder / "transformer")
    _save(_vae(scaling_factor=0.3611, shift_factor=0.1159), folder / "vae")
    _save(_text_encoder("CLIPTextModel", 2), folder / "text_encoder")
    _tokenizer(folder / "tokenizer")
    words = T5Config(
        vocab_size=160, d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4,
        relative_attention_num_buckets=8, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    _save(_seeded(T5EncoderModel, 3, words), folder / "text_encoder_2")
    _t5_tokenizer(folder / "tokenizer_2")
    FlowMatchEulerDiscreteScheduler().save_pretrained(folder / "scheduler")
    _index(
        folder,
        "FluxPipeline",
        {
            "feature_extractor": [None, None],
            "image_encoder": [None, None],
            "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
            "text_encoder": ["transformers", "CLIPTextModel"],
            "text_encoder_2": ["transformers", "T5EncoderModel"],
            "tokenizer": ["transformers", "CLIPTokenizer"],
            "tokenizer_2": ["transformers", "T5TokenizerFast"],
            "transformer": ["diffusers", "FluxTransformer2DModel"],
            "vae": ["diffusers", "AutoencoderKL"],
        },
    )


def _vae(**more: Any) -> Any:
    """Four levels, so that eight pixels are one latent, as in the real ones."""
    from diffusers import AutoencoderKL

    return _seeded(
        AutoencoderKL, 1, in_channels=3, out_channels=3, latent_channels=4,
        block_out_channels=(4, 4, 8, 8), layers_per_block=1, norm_num_groups=4, sample_size=64,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        **more,
    )  # fmt: skip


def _text_encoder(kind: str, seed: int) -> Any:
    import transformers

    vocabulary = _vocabulary()
    config = transformers.CLIPTextConfig(
        vocab_size=len(vocabulary), hidden_size=CROSS, projection_dim=CROSS, intermediate_size=37,
        num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=77,
        bos_token_id=vocabulary["<|startoftext|>"], eos_token_id=vocabulary["<|endoftext|>"],
        pad_token_id=vocabulary["<|endoftext|>"],
    )  # fmt: skip
    return _seeded(getattr(transformers, kind), seed, config)


def _vocabulary() -> dict[str, int]:
    """Every byte as CLIP writes it, within a word and at its end, then the two marks."""
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    return {token: n for n, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}


def _tokenizer(folder: Path, pad: str = "<|endoftext|>") -> None:
    """CLIP's tokenizer without merges: every letter is a token."""
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer(vocab=_vocabulary(), merges=[], pad_token=pad, model_max_length=77)
    tokenizer.save_pretrained(folder)


def _t5_tokenizer(folder: Path) -> None:
    from transformers import T5TokenizerFast

    letters = [chr(n) for n in range(33, 127)]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    vocabulary = [*pieces, *((letter, -3.0) for letter in letters)]
    T5TokenizerFast(vocab=vocabulary, extra_ids=0, model_max_length=512).save_pretrained(folder)


def _adapters(folder: Path, family: str) -> None:
    """In the layout of the published IP-Adapters: one that sees the whole, one the face."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    rooms = {"sd": "models", "sdxl": "sdxl_models"}
    names = {
        "sd": ("ip-adapter_sd15", "ip-adapter-plus-face_sd15"),
        "sdxl": ("ip-adapter_sdxl_vit-h", "ip-adapter-plus-face_sdxl_vit-h"),
    }
    room = folder / rooms[family]
    room.mkdir(parents=True)
    _ip_adapter(room / f"{names[family][0]}.safetensors", family, seed=11, plus=False)
    _ip_adapter(room / f"{names[family][1]}.safetensors", family, seed=12, plus=True)
    config = CLIPVisionConfig(
        hidden_size=VISION_HIDDEN, projection_dim=IMAGE_EMBED, intermediate_size=37,
        num_hidden_layers=3, num_attention_heads=4, image_size=32, patch_size=8,
    )  # fmt: skip
    encoder = _seeded(CLIPVisionModelWithProjection, 10, config)
    _save(encoder, folder / "models" / "image_encoder")


def _ip_adapter(path: Path, family: str, *, seed: int, plus: bool) -> None:
    import torch
    from diffusers import UNet2DConditionModel
    from safetensors.torch import save_file

    unet = UNet2DConditionModel(**unet_config(family))
    generator = torch.Generator().manual_seed(seed)
    width = unet.config["cross_attention_dim"]
    key, weights = 1, {}
    for name, module in unet.named_modules():
        if name.endswith("attn2"):
            for part in ("k", "v"):
                shape = (module.to_k.weight.shape[0], width)
                weights[f"ip_adapter.{key}.to_{part}_ip.weight"] = torch.randn(
                    shape, generator=generator
                )
            key += 2
    projection = _plus_projection(width) if plus else _plain_projection(width)
    for name, shape in projection.items():
        plain = torch.ones(shape) if "norm" in name and name.endswith("weight") else None
        drawn = torch.randn(shape, generator=generator) * 0.5 if plain is None else plain
        weights[f"image_proj.{name}"] = drawn
    save_file(weights, path)


def _plain_projection(width: int) -> dict[str, tuple[int, ...]]:
    return {
        "proj.weight": (4 * width, IMAGE_EMBED),
        "proj.bias": (4 * width,),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }


def _plus_projection(width: int) -> dict[str, tuple[int, ...]]:
    """A perceiver of four layers with one head of 64, as the published "plus" files hold it."""
    inner = 64
    shapes: dict[str, tuple[int, ...]] = {
        "latents": (1, 4, inner),
        "proj_in.weight": (inner, VISION_HIDDEN),
        "proj_in.bias": (inner,),
        "proj_out.weight": (width, inner),
        "proj_out.bias": (width,),
        "norm_out.weight": (width,),
        "norm_out.bias": (width,),
    }
    for layer in range(4):
        at, feed = f"layers.{layer}.0", f"layers.{layer}.1"
        for norm in (f"{at}.norm1", f"{at}.norm2", f"{feed}.0"):
            shapes |= {f"{norm}.weight": (inner,), f"{norm}.bias": (inner,)}
        shapes |= {
            f"{at}.to_q.weight": (64, inner),
            f"{at}.to_kv.weight": (128, inner),
            f"{at}.to_out.weight": (inner, 64),
            f"{feed}.1.weight": (4 * inner, inner),
            f"{feed}.3.weight": (inner, 4 * inner),
        }
    return shapes


def _controls(folder: Path, family: str) -> None:
    import torch
    from diffusers import ControlNetModel

    config = unet_config(family)
    for gone in ("sample_size", "out_channels", "up_block_types"):
        config.pop(gone)
    for seed, kind in enumerate(("edges", "pose", "depth"), 20):
        net = _seeded(
            ControlNetModel, seed, conditioning_embedding_out_channels=(4, 4, 8, 8), **config
        )
        generator = torch.Generator().manual_seed(seed)
        blocks = [*net.controlnet_down_blocks, net.controlnet_mid_block]
        for block in blocks:  # a new net starts at zero, a trained one does not
            block.weight.data = torch.randn(block.weight.shape, generator=generator) * 0.2
        net.controlnet_cond_embedding.conv_out.weight.data = torch.randn(
            net.controlnet_cond_embedding.conv_out.weight.shape, generator=generator
        )
        _save(net, folder / kind)
