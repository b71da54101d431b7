"""A look at a picture while it is drawn, without decoding it: latents to colours, linearly."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image

from pipeline.generation.diffusion.loading import Base

SIDE = 96
"""Longest side of a preview in pixels, so that it stays within some ten kilobytes."""
EVERY_SECONDS = 2.0
_COLOURS, _PATCH = 8, 32
"""The chart: 8 x 8 patches of 32 pixels. Four cells of latents across, whose inner ones have
seen no neighbour."""


class LatentPreview:
    """Knows how a VAE's latents look, fitted once by showing it a chart of known colours.

    So no family needs a table of factors from elsewhere, and a VAE that was trained anew is
    shown as it is.
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._factors: Any = None
        self._last = float("-inf")

    def learn(self) -> None:
        """Fit once; before weights are put where a job wants them, as the VAE is moved for it."""
        if self._factors is None:
            with self._encoding():
                self._factors = self._fit()

    def look(self, latents: Any) -> bytes | None:
        """A small PNG of the first picture of a batch, or None if the last one was just now.

        Args:
            latents: ``(n, channels, height, width)`` as the denoising loop holds them.
        """
        now = time.monotonic()
        if self._factors is None or latents.ndim != 4 or now - self._last < EVERY_SECONDS:
            return None
        self._last = now
        out = io.BytesIO()
        self.picture(latents[0]).save(out, "PNG")
        return out.getvalue()

    def picture(self, latents: Any) -> Image.Image:
        """One picture's latents as a small RGB picture, its longest side at most :data:`SIDE`.

        Args:
            latents: ``(channels, height, width)`` as the denoising loop holds them.
        """
        return self._shown(latents.float().cpu().numpy())

    def of_finished(self, image: Image.Image) -> Image.Image:
        """A finished RGB picture as it would look here: encoded, then shown like any latents.

        Like :meth:`learn`, it must not be asked while a job runs.
        """
        with self._encoding():
            return self._shown(self._encoded(image))

    def _shown(self, cells: Any) -> Image.Image:
        ones = np.ones((1, *cells.shape[1:]), np.float32)
        colours = np.einsum("cf,chw->hwf", self._factors, np.concatenate([cells, ones]))
        image = Image.fromarray((colours.clip(0, 1) * 255).astype(np.uint8))
        image.thumbnail((SIDE, SIDE))
        return image

    @contextmanager
    def _encoding(self) -> Iterator[None]:
        """The VAE where it works, in single precision: in half some answer with infinities.

        There and back is exact.
        """
        vae = self._base.components["vae"]
        own = vae.dtype
        vae.to(device=self._base.device, dtype=_single())
        try:
            yield
        finally:
            vae.to(device="cpu", dtype=own)

    def _fit(self) -> Any:
        """``(channels + 1, 3)``: what each latent channel, and none, adds to red, green, blue."""
        chart, colours = _chart()
        latents = self._encoded(chart)
        step = latents.shape[-1] // _COLOURS
        inner = latents.reshape(latents.shape[0], _COLOURS, step, _COLOURS, step)[
            :, :, 1 : step - 1 or None, :, 1 : step - 1 or None
        ].mean(axis=(2, 4))
        known = np.concatenate([inner.reshape(len(inner), -1), np.ones((1, _COLOURS**2))]).T
        return np.linalg.lstsq(known, colours.reshape(-1, 3), rcond=None)[0].astype(np.float32)

    def _encoded(self, image: Image.Image) -> Any:
        """An RGB picture as latents ``(channels, height, width)``, on the scale of the loop."""
        import torch

        vae = self._base.components["vae"]
        pixels = torch.from_numpy(np.asarray(image, np.float32) / 127.5 - 1)
        pixels = pixels.permute(2, 0, 1)[None].to(device=vae.device, dtype=vae.dtype)
        with torch.no_grad():
            found = vae.encode(pixels).latent_dist.mode()
        shift = getattr(vae.config, "shift_factor", None) or 0.0
        return ((found - shift) * vae.config.scaling_factor)[0].float().cpu().numpy()


def _single() -> Any:
    import torch

    return torch.float32


def _chart() -> tuple[Image.Image, Any]:
    """Patches of colours spread over the cube, and ``(8, 8, 3)`` of them from 0 to 1."""
    rng = np.random.default_rng(8)
    steps = np.linspace(0.05, 0.95, 4)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
    colours = rng.permutation(cube.reshape(-1, 3))
    colours = colours.reshape(_COLOURS, _COLOURS, 3)
    pixels = np.kron(colours, np.ones((_PATCH, _PATCH, 1)))
    return Image.fromarray((pixels * 255).round().astype(np.uint8)), colours
