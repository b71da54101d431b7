"""Attention processors that let each place of a picture read the words of its regions only."""

from math import ceil
from typing import Any

import numpy as np
import torch

from pipeline.generation.diffusion.call import Call, Span
from pipeline.generation.diffusion.places import region_picture

_GRIDS = 5
"""How often a UNet halves its picture, at most."""


class Masks:
    """Which words each place may look at, for every resolution of the denoiser."""

    def __init__(self, call: Call) -> None:
        self._pictures = [
            np.asarray(region_picture(span.region, call.plan.size, call.size), np.float32) / 255
            for span in call.spans
        ]
        self._call = call
        self._spans = call.spans
        pixels = call.base.vae_scale
        self._latents = (call.size.height // pixels, call.size.width // pixels)
        self._made: dict[tuple[Any, ...], Any] = {}

    def at(self, places: int, like: Any) -> Any:
        """``(1, places, tokens)``, 0 where a place may look and the lowest number where not."""
        key = (places, like.dtype, like.device, self._call.reader)
        if key not in self._made:
            open_ = np.concatenate(
                [
                    np.repeat(self._open_to(span, picture, places)[:, None], span.tokens, axis=1)
                    for picture, span in zip(self._pictures, self._spans, strict=True)
                ],
                axis=1,
            )
            closed = torch.finfo(like.dtype).min
            mask = torch.from_numpy(open_ < 0.5).to(like.device)
            self._made[key] = torch.zeros(mask.shape, dtype=like.dtype, device=like.device)
            self._made[key].masked_fill_(mask, closed)
        return self._made[key][None]

    def _open_to(self, span: Span, picture: Any, places: int) -> Any:
        """Which places may look at a piece of the text, ``(places,)`` from 0 to 1."""
        reader = self._call.reader
        if reader is None:
            return self._small(picture, places)
        return np.full(places, span.region in (None, reader), np.float32)

    def _small(self, picture: Any, places: int) -> Any:
        """A region at a layer's resolution, ``(places,)`` from 0 to 1."""
        height, width = self._latents
        for _ in range(_GRIDS):
            if height * width == places:
                rows, columns = picture.shape[0] // height, picture.shape[1] // width
                cut = picture[: rows * height, : columns * width]
                return cut.reshape(height, rows, width, columns).mean(axis=(1, 3)).reshape(-1)
            height, width = ceil(height / 2), ceil(width / 2)
        raise ValueError(f"no grid of {self._latents} has {places} places")


class Confined(torch.nn.Module):
    """Stands before a layer's own attention processor and hands it the mask.

    A module, so that the weights of the processor inside move with the denoiser.
    """

    def __init__(self, inner: Any, masks: Masks) -> None:
        super().__init__()
        self._inner = inner
        self._masks = masks

    def __call__(
        self,
        attn: Any,
        hidden_states: Any,
        encoder_hidden_states: Any = None,
        attention_mask: Any = None,  # noqa: ARG002 - part of what processors take; ours replaces it
        temb: Any = None,
        ip_adapter_masks: Any = None,
    ) -> Any:
        """Attend; see :class:`diffusers.models.attention_processor.AttnProcessor2_0`."""
        mask = self._masks.at(hidden_states.shape[1], hidden_states)
        told = {} if ip_adapter_masks is None else {"ip_adapter_masks": ip_adapter_masks}
        rows = mask.expand(hidden_states.shape[0], -1, -1)
        return self._inner(attn, hidden_states, encoder_hidden_states, rows, temb, **told)
