"""Reference attention: generated latents also look at a reference's own, without any training.

Before every step the reference is noised to that step's level and sent through the same UNet; what
its self-attention layers see there is kept, and the generated latents may attend to it beside
themselves. So hair, cloth and line carry over as pixels of the reference have them, not as words
or an embedding describe them (source CC5).

Source: sharing keys and values of self-attention is from M. Cao et al., "MasaCtrl", ICCV 2023; a
reference noised to each step's level is "reference only" of sd-webui-controlnet (2023).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

DECODER = ("mid_block.", "up_blocks.")
"""Layers that take part. Source: MasaCtrl, whose encoder layers carry layout, not looks."""
_INSIDE = 0.5
_INPAINTING_CHANNELS = 9
_GRIDS = 5
"""How often a UNet halves its picture, at most."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Over which part of the steps it holds, as shares of all of them, 0 to 1.

    Between ``start`` and ``fade`` with full strength, from there on less and less down to nothing
    at ``end``. The first steps settle the composition, which is the panel's own; the last ones
    the finest lines, which may repeat the reference too well.
    """

    start: float = 0.05
    fade: float = 0.7
    end: float = 0.95

    def at(self, share: float) -> float:
        """The factor on the strength, 0 to 1, at a share of the steps."""
        if not self.start <= share <= self.end:
            return 0.0
        if share <= self.fade or self.end <= self.fade:
            return 1.0
        return (self.end - share) / (self.end - self.fade)


ALWAYS = Schedule(0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceHold:
    """References of one character: what the picture may attend to, how strongly, and where.

    Attributes:
        latents: ``(n, channels, h, w)``, without noise and scaled as the UNet sees them (see
            :func:`latents_of`); as high and wide as the generated ones.
        strength: 0 (not at all) to 1 (attends to them as to itself).
        region: ``(h, w)`` from 0 to 1, where they may be attended from; None for everywhere.
        figure: ``(n, h, w)`` from 0 to 1, which part of them may be attended to; None for all of
            it. Without it the ground of a reference would come along with the figure.
        during: entered around each pass of these references through the UNet, for what has to be
            otherwise there than in the picture itself.
    """

    latents: Tensor
    strength: float
    region: Tensor | None = None
    figure: Tensor | None = None
    during: Callable[[], AbstractContextManager[object]] = nullcontext


@contextmanager
def reference_attention(
    pipe: Any, holds: Sequence[ReferenceHold], *, seed: int, schedule: Schedule = Schedule()
) -> Iterator[None]:
    """Let a pipeline attend to references for as long as the context lasts.

    Only the half of a batch that follows the prompt attends; the other half of classifier-free
    guidance stays as it is. Steps at which the strength is 0 run exactly as without, and what was
    installed is taken out again however the context is left.

    Args:
        pipe: a diffusers pipeline with a ``unet`` of self-attention in transformer blocks (Stable
            Diffusion 1.x, 2.x, XL) that is not compiled.
        holds: what to attend to; the pipeline must draw at the size of their latents.
        seed: of the noise that references are given; the same each step.
        schedule: how the strength runs over the steps.
    """
    active = [hold for hold in holds if hold.strength > 0]
    if not active:
        yield
        return
    watch = _Watch(pipe, active, seed, schedule)
    layers = _self_attention(pipe.unet)
    before = {name: layer.processor for name, layer in layers.items()}
    hook = pipe.unet.register_forward_pre_hook(watch.before_step, with_kwargs=True)
    try:
        for name, layer in layers.items():
            layer.processor = _Processor(before[name], watch)
        yield
    finally:
        hook.remove()
        for name, layer in layers.items():
            layer.processor = before[name]


def latents_of(pipe: Any, pixels: Tensor) -> Tensor:
    """Encode pictures as the UNet sees them, without chance: the middle of what the VAE answers.

    Args:
        pipe: a diffusers pipeline with a ``vae``.
        pixels: ``(n, 3, height, width)``, from -1 to 1.

    Returns:
        ``(n, channels, h, w)``, one for each cell of the VAE, of the UNet's dtype, on its device.
    """
    vae = pipe.vae
    own = vae.dtype
    upcast = own == torch.float16 and getattr(vae.config, "force_upcast", False)
    if upcast:  # in half precision this VAE answers with infinities
        vae.to(dtype=torch.float32)
    try:
        with torch.no_grad():
            ready = pixels.to(pipe._execution_device, vae.dtype)
            found = vae.encode(ready).latent_dist.mode() * vae.config.scaling_factor
    finally:
        if upcast:
            vae.to(dtype=own)
    return found.to(pipe.unet.dtype)


def _self_attention(unet: Any) -> dict[str, Any]:
    return {
        name: module
        for name, module in unet.named_modules()
        if name.endswith(".attn1") and name.startswith(DECODER)
    }


class _Watch:
    """What one call knows: the references' states of the present step, and how they count."""

    def __init__(
        self, pipe: Any, holds: Sequence[ReferenceHold], seed: int, schedule: Schedule
    ) -> None:
        self._pipe = pipe
        self._holds = holds
        self._schedule = schedule
        self._noise = [_noise_for(hold.latents, seed + n) for n, hold in enumerate(holds)]
        self.collecting: int | None = None
        self.states: list[dict[int, Tensor]] = [{} for _ in holds]
        self.factor = 0.0
        self.grid = (0, 0)

    @property
    def guided(self) -> bool:
        """Whether the first half of each batch is there for guidance."""
        return bool(self._pipe.do_classifier_free_guidance)

    def before_step(self, unet: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Run the references through the UNet at the level of noise of the step that comes."""
        given = dict(zip(("sample", "timestep"), args, strict=False)) | kwargs
        sample, step = given.pop("sample"), given.pop("timestep")
        self.factor = self._schedule.at(self._share(step))
        if self.factor == 0:
            return
        self.grid = tuple(sample.shape[-2:])
        row = sample.shape[0] // 2 if self.guided else 0
        told = _row_of(_without_guides(given), row, sample.shape[0])
        for number, hold in enumerate(self._holds):
            count = hold.latents.shape[0]
            noised = self._noised(hold.latents, self._noise[number], step, sample)
            self.collecting = number
            try:
                with torch.no_grad(), hold.during():
                    # not unet(...): that would come back here
                    unet.forward(noised, step, **_repeated(told, count))
            finally:
                self.collecting = None

    def influence(self, layer: int, states: Tensor) -> Iterator[tuple[Tensor, float | Tensor]]:
        """What each hold offers to a layer ``(1, tokens, width)``, and how much it counts there.

        The share is a number, or ``(1, length, 1)`` where a region confines it.
        """
        for hold, kept in zip(self._holds, self.states, strict=True):
            seen = kept.get(layer)
            if seen is None:
                continue
            share: float | Tensor = hold.strength * self.factor
            if hold.region is not None:
                share = share * _at_layer(hold.region[None], states, self.grid).reshape(1, -1, 1)
            offered = seen.reshape(1, -1, seen.shape[-1])
            if hold.figure is not None:
                inside = _at_layer(hold.figure, states, self.grid).flatten() > _INSIDE
                offered = offered[:, inside] if inside.any() else offered
            yield offered, share

    def _share(self, step: Any) -> float:
        steps = self._pipe.scheduler.timesteps
        value = torch.as_tensor(step, dtype=steps.dtype, device=steps.device).flatten()[0]
        return int((steps - value).abs().argmin()) / max(1, len(steps) - 1)

    def _noised(self, latents: Tensor, noise: Tensor, step: Any, sample: Tensor) -> Tensor:
        scheduler, count = self._pipe.scheduler, latents.shape[0]
        clean = latents.to(sample.device, sample.dtype)
        steps = torch.as_tensor(step, device=scheduler.timesteps.device).flatten()[:1]
        noised = scheduler.add_noise(clean, noise.to(clean), steps.repeat(count).to(clean.device))
        ready = scheduler.scale_model_input(noised, step)
        if sample.shape[1] == _INPAINTING_CHANNELS:  # nothing is to be filled in: it is whole
            ready = torch.cat([ready, torch.zeros_like(ready[:, :1]), clean], dim=1)
        return ready.to(sample.dtype)


class _Processor:
    """Stands before a layer's own attention processor, which goes on doing all the arithmetic."""

    def __init__(self, inner: Any, watch: _Watch) -> None:
        self._inner = inner
        self._watch = watch

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **more: Any,
    ) -> Tensor:
        """Attend; see :class:`diffusers.models.attention_processor.AttnProcessor2_0`."""
        watch, layer = self._watch, id(attn)
        if watch.collecting is not None:
            watch.states[watch.collecting][layer] = hidden_states
        own = self._inner(attn, hidden_states, encoder_hidden_states, attention_mask, **more)
        if watch.collecting is not None or watch.factor == 0:
            return own
        first = hidden_states.shape[0] // 2 if watch.guided else 0
        asking = hidden_states[first:]
        changed = own[first:].clone()
        for seen, share in watch.influence(layer, asking):
            known = torch.cat([asking, seen.expand(asking.shape[0], -1, -1).to(asking)], dim=1)
            both = self._inner(attn, asking, known, None, **more)
            changed = changed + (both - own[first:]) * share
        return torch.cat([own[:first], changed]) if first else changed


def _noise_for(latents: Tensor, seed: int) -> Tensor:
    """Drawn on the CPU, so that every device gets the same."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(latents.shape, generator=generator, dtype=torch.float32)


def _without_guides(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """A reference is no panel: the guide pictures are not for it."""
    return {k: v for k, v in kwargs.items() if "additional_residual" not in k}


def _row_of(value: Any, row: int, batch: int) -> Any:
    """The part of a batch's arguments that belongs to one of its rows."""
    if isinstance(value, Tensor) and value.ndim > 0 and value.shape[0] == batch:
        return value[row : row + 1]
    if isinstance(value, Mapping):
        return {
            k: v if k == "cross_attention_kwargs" else _row_of(v, row, batch)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_row_of(v, row, batch) for v in value)
    return value


def _repeated(value: Any, count: int) -> Any:
    """Arguments of one row, for as many references."""
    if isinstance(value, Tensor) and value.ndim > 0 and value.shape[0] == 1:
        return value.repeat(count, *[1] * (value.ndim - 1))
    if isinstance(value, Mapping):
        return {
            k: v if k == "cross_attention_kwargs" else _repeated(v, count) for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_repeated(v, count) for v in value)
    return value


def _at_layer(areas: Tensor, states: Tensor, grid: tuple[int, int]) -> Tensor:
    """Areas ``(n, h, w)`` at the resolution of a layer: ``(n, length)``."""
    height, width = grid
    for _ in range(_GRIDS):
        if height * width == states.shape[1]:
            ready = areas[:, None].to(states)
            small = functional.interpolate(ready, size=(height, width), mode="area")
            return small.flatten(1)
        height, width = ceil(height / 2), ceil(width / 2)
    raise ValueError(f"no grid of {grid} has {states.shape[1]} places")
