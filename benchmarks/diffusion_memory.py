"""Counts what a diffusion model needs beside its weights: the figures of ``diffusion/memory.py``.

Every architecture runs once on torch's meta device, which computes shapes and nothing else, while
each tensor is followed from its making to its end. No weights and no GPU are needed; a minute.

    python benchmarks/diffusion_memory.py
"""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from pipeline.torch_mends import mend_torchvision

SD15 = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}
SDXL = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
LEVELS = 4
VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * LEVELS,
    "up_block_types": ("UpDecoderBlock2D",) * LEVELS,
    "layers_per_block": 2,
}


class Peak(TorchDispatchMode):
    """The largest number of bytes that live at one moment."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, call: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = call(*args, **(kwargs or {}))
        for tensor in tree_flatten(out)[0]:
            if isinstance(tensor, torch.Tensor):
                self._follow(tensor.untyped_storage())
        return out

    def _follow(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._end, key, size)

    def _end(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.live -= size


def measured(run: Callable[[], Any]) -> int:
    """Peak bytes of a run, views of the weights included: those are equal in every run."""
    with torch.no_grad(), Peak() as peak:
        run()
    return peak.peak


def empty(*shape: int) -> torch.Tensor:
    return torch.empty(*shape, device="meta")


def unet_run(unet: Any, side: int, more: dict[str, Any]) -> Callable[[], Any]:
    width = unet.config["cross_attention_dim"]
    step = torch.empty((), device="meta", dtype=torch.float32)
    words = empty(2, 154, width)
    return lambda: unet(empty(2, 4, side, side), step, encoder_hidden_states=words, **more)


def flux_run(flux: Any, tokens: int) -> Callable[[], Any]:
    told = {
        "encoder_hidden_states": empty(1, 512, 4096),
        "pooled_projections": empty(1, 768),
        "timestep": empty(1),
        "img_ids": empty(tokens, 3),
        "txt_ids": empty(512, 3),
    }
    return lambda: flux(empty(1, tokens, 64), **told)


def main() -> None:
    """Print bytes per latent cell and row, and per pixel of the VAE, at two bytes a number."""
    mend_torchvision()
    from diffusers import AutoencoderKL, FluxTransformer2DModel, UNet2DConditionModel

    torch.set_default_dtype(torch.float16)
    # torch's kernels do not keep the table of scores that the meta device would make
    functional.scaled_dot_product_attention = lambda query, *_args, **_told: torch.empty_like(query)
    with torch.device("meta"):
        unets = {"sd15": UNet2DConditionModel(**SD15), "sdxl": UNet2DConditionModel(**SDXL)}
        vae, flux = AutoencoderKL(latent_channels=4, **VAE), FluxTransformer2DModel()
    small, large = 64, 128
    cells = 2 * (large**2 - small**2)
    added = {"added_cond_kwargs": {"text_embeds": empty(2, 1280), "time_ids": empty(2, 6)}}
    for name, unet in unets.items():
        more = added if name == "sdxl" else {}
        found = [measured(unet_run(unet, side, more)) for side in (small, large)]
        print(f"{name}: {(found[1] - found[0]) / cells:,.0f} bytes per cell and row")
    found = [measured(flux_run(flux, side**2 // 4)) for side in (small, large)]
    print(f"flux: {(found[1] - found[0]) / (cells / 2):,.0f} bytes per cell and row")
    decoded = measured(lambda: vae.decode(empty(1, 4, large, large)))
    print(f"vae: {decoded / (64 * large**2):,.0f} bytes per pixel")


if __name__ == "__main__":
    main()
