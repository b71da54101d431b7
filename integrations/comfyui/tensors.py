"""Pictures between ComfyUI's tensors and PNGs.

ComfyUI's ``IMAGE`` is a float tensor ``[B, H, W, C]`` with values 0 to 1, its ``MASK`` is
``[B, H, W]``.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    import torch


def pngs_of(images: "torch.Tensor") -> list[bytes]:
    """One PNG for each picture of a batch; a fourth channel is kept as alpha.

    Raises:
        ValueError: the tensor is no batch of pictures.
    """
    if images.ndim != 4 or images.shape[-1] not in (3, 4):
        raise ValueError(f"images must be [batch, height, width, 3 or 4], not {list(images.shape)}")
    values = images.detach().cpu().float().numpy()
    bytes_ = (np.nan_to_num(values).clip(0, 1) * 255).round().astype(np.uint8)
    out: list[bytes] = []
    for one in bytes_:
        stream = io.BytesIO()
        Image.fromarray(one).save(stream, "PNG", compress_level=1)
        out.append(stream.getvalue())
    return out


def batch_of(pngs: Sequence[bytes], side: int) -> "tuple[torch.Tensor, torch.Tensor]":
    """PNGs as one batch of squares on white, nothing cut off, and where their figures are.

    Returns:
        ``IMAGE`` ``[B, side, side, 3]`` and ``MASK`` ``[B, side, side]``: 1 where the picture is
        opaque, 0 where it is transparent or padded.
    """
    import torch

    squares, masks = [], []
    for png in pngs:
        image = ImageOps.contain(Image.open(io.BytesIO(png)).convert("RGBA"), (side, side))
        full = Image.new("RGBA", (side, side))
        full.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        paper = Image.alpha_composite(Image.new("RGBA", full.size, "white"), full)
        squares.append(np.asarray(paper.convert("RGB"), np.float32) / 255)
        masks.append(np.asarray(full.getchannel("A"), np.float32) / 255)
    return torch.from_numpy(np.stack(squares)), torch.from_numpy(np.stack(masks))
