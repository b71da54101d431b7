"""The networks of the house generator: plain classes of diffusers and transformers, small.

Nothing here is a class of our own, so what is saved is read by anybody's loader. The image
encoder is wide in tokens (one for each patch of a picture) because a small one cannot say a face in
four: the IP-Adapter is of the "full" kind, which reads all of them.
"""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false, reportArgumentType=false

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline.torch_mends import mend_torchvision
from pipeline.training.generator.plan import GeneratorPlan

WORDS = 1400
"""The most pieces of the vocabulary; 512 are single letters, within a word and at its end."""
_PRIVATE = 0xE000
"""From here on no character is anybody's letter."""
LENGTH = 77
"""Tokens of a prompt with its marks."""
_MARKS = ("<|startoftext|>", "<|endoftext|>")
LATENTS = 4
FACTOR = 4
"""Pixels along a side of one latent."""
STEPS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Denoising:
    """What learns together: the UNet with its IP-Adapter put on, and the text encoder."""

    unet: Any
    text_encoder: Any


def make_tokenizer(prompts: Iterable[str]) -> Any:
    """CLIP's tokenizer with a vocabulary learned from prompts; unknown words fall into letters.

    The same prompts make the same tokenizer. The learner's own way of marking the ends of words
    numbers them differently in every process and so breaks ties differently; here each last letter
    is a letter of its own while it learns.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel, WhitespaceSplit
    from tokenizers.trainers import BpeTrainer

    letters = sorted(ByteLevel.alphabet())
    last = {letter: chr(_PRIVATE + n) for n, letter in enumerate(letters)}
    ends = {mark: f"{letter}</w>" for letter, mark in last.items()}
    split = _clip_tokenizer([*letters, *ends.values()], []).backend_tokenizer

    def marked(prompt: str) -> str:
        pairs = split.pre_tokenizer.pre_tokenize_str(split.normalizer.normalize_str(prompt))
        return " ".join(word[:-1] + last[word[-1]] for word, _ in pairs)

    learner = Tokenizer(BPE())
    learner.pre_tokenizer = WhitespaceSplit()
    trainer = BpeTrainer(vocab_size=WORDS, initial_alphabet=[*letters, *ends], show_progress=False)
    learner.train_from_iterator(map(marked, prompts), trainer)
    unmarked = str.maketrans(ends)
    merges = [
        tuple(part.translate(unmarked) for part in pair)
        for pair in json.loads(learner.to_str())["model"]["merges"]
    ]
    joined = [one + two for one, two in merges]
    return _clip_tokenizer([*letters, *ends.values(), *joined], merges)


def _clip_tokenizer(pieces: Sequence[str], merges: Sequence[tuple[str, ...]]) -> Any:
    from transformers import CLIPTokenizer

    tokens = dict.fromkeys([*pieces, *_MARKS])
    return CLIPTokenizer(
        vocab={token: n for n, token in enumerate(tokens)},
        merges=list(merges), pad_token=_MARKS[1], model_max_length=LENGTH,
    )  # fmt: skip


def load_tokenizer(folder: Path) -> Any:
    """A tokenizer that was saved."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def make_vae(plan: GeneratorPlan) -> Any:
    """A VAE that makes four pixels a side into one latent of four numbers."""
    mend_torchvision()
    from diffusers import AutoencoderKL

    levels = len(plan.shape.vae)
    return AutoencoderKL(
        block_out_channels=plan.shape.vae, layers_per_block=1, latent_channels=LATENTS,
        norm_num_groups=8, sample_size=plan.side, mid_block_add_attention=False,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
    )  # fmt: skip


def make_image_encoder(plan: GeneratorPlan) -> Any:
    """A CLIP-shaped vision encoder of ``side`` pixels."""
    mend_torchvision()
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    width = plan.shape.image
    config = CLIPVisionConfig(
        hidden_size=width, intermediate_size=4 * width, projection_dim=128,
        num_hidden_layers=plan.shape.image_layers, num_attention_heads=max(1, width // 32),
        image_size=plan.side, patch_size=plan.shape.image_patch,
    )  # fmt: skip
    return CLIPVisionModelWithProjection(config)


def make_denoising(plan: GeneratorPlan, tokenizer: Any) -> Denoising:
    """A fresh UNet with a fresh IP-Adapter on it, put on as diffusers puts on a published one."""
    mend_torchvision()
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    width = plan.shape.words
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=width, intermediate_size=4 * width,
            projection_dim=width, num_hidden_layers=2, num_attention_heads=max(1, width // 32),
            max_position_embeddings=LENGTH, bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        )
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=plan.side // FACTOR, in_channels=LATENTS, out_channels=LATENTS,
        block_out_channels=plan.shape.unet, layers_per_block=plan.shape.layers,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=width, attention_head_dim=plan.shape.heads, norm_num_groups=16,
        use_linear_projection=True,
    )  # fmt: skip
    put_on(unet, fresh_adapter(unet, plan.shape.image))
    return Denoising(unet, text_encoder)


def make_control(plan: GeneratorPlan, unet: Any) -> Any:
    """A ControlNet that starts as a copy of the UNet's first half and changes nothing yet."""
    from diffusers import ControlNetModel

    adapter = adapter_of(unet)
    take_off(unet)  # a ControlNet reads words alone
    try:
        return ControlNetModel.from_unet(
            unet, conditioning_embedding_out_channels=plan.shape.control, conditioning_channels=3
        )
    finally:
        put_on(unet, grouped(adapter))


def fresh_adapter(unet: Any, image_width: int) -> dict[str, dict[str, torch.Tensor]]:
    """An untrained IP-Adapter of the "full" kind, in the layout of a published file."""
    words = unet.config.cross_attention_dim
    first = torch.nn.Linear(image_width, image_width)
    second, norm = torch.nn.Linear(image_width, words), torch.nn.LayerNorm(words)
    projection = {
        "proj.0.weight": first.weight, "proj.0.bias": first.bias,
        "proj.2.weight": second.weight, "proj.2.bias": second.bias,
        "proj.3.weight": norm.weight, "proj.3.bias": norm.bias,
    }  # fmt: skip
    attention = {}
    for number, layer in _cross_attention(unet):
        for name in ("to_k", "to_v"):
            inner = getattr(layer, name).weight.shape[0]
            attention[f"{number}.{name}_ip.weight"] = torch.nn.Linear(words, inner, False).weight
    return {
        "image_proj": {k: v.detach().clone() for k, v in projection.items()},
        "ip_adapter": {k: v.detach().clone() for k, v in attention.items()},
    }


def put_on(unet: Any, adapter: dict[str, dict[str, torch.Tensor]]) -> None:
    """Put an IP-Adapter onto a UNet with the same code as a pipeline's ``load_ip_adapter``."""
    unet._load_ip_adapter_weights([adapter])
    unet.requires_grad_(True)


def take_off(unet: Any) -> None:
    """Take the IP-Adapter off again; what is left is the UNet that a pipeline loads."""
    unet.encoder_hid_proj = None
    unet.config.encoder_hid_dim_type = None  # where the loader left its mark
    unet.set_default_attn_processor()


def grouped(flat: dict[str, torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
    """An adapter as a file has it, in the two groups that the loader takes."""
    out: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in flat.items():
        group, _, rest = key.partition(".")
        out[group][rest] = value
    return out


def adapter_of(unet: Any) -> dict[str, torch.Tensor]:
    """The IP-Adapter that is on a UNet, in the layout of a published file, flat."""
    (projection,) = unet.encoder_hid_proj.image_projection_layers
    names = {"ff.net.0.proj": "proj.0", "ff.net.2": "proj.2", "norm": "proj.3"}
    out = {}
    for key, value in projection.state_dict().items():
        stem, _, end = key.rpartition(".")
        out[f"image_proj.{names[stem]}.{end}"] = value
    for number, layer in _cross_attention(unet):
        for name in ("to_k", "to_v"):
            (weight,) = [one.weight for one in getattr(layer.processor, f"{name}_ip")]
            out[f"ip_adapter.{number}.{name}_ip.weight"] = weight
    return {key: value.detach() for key, value in out.items()}


def set_scale(unet: Any, scale: float) -> None:
    """How strongly the references hold, from the next call on."""
    for _, layer in _cross_attention(unet):
        layer.processor.scale = [scale]


def _cross_attention(unet: Any) -> Iterable[tuple[int, Any]]:
    """Layers that read words, with the numbers that they have in an IP-Adapter's file.

    Source: diffusers counts all attention processors in order and gives every second one, which
    is a reading one, its place.
    """
    for number, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            yield number, unet.get_submodule(name.removesuffix(".processor"))
