"""UNet, text encoder and IP-Adapter learn together on latents that were encoded once."""
# pyright: reportMissingImports=false

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipeline.training.generator.album import Album, Chapter
from pipeline.training.generator.learning import Bench, Stage, pick
from pipeline.training.generator.models import (
    LENGTH,
    STEPS,
    Denoising,
    make_denoising,
    set_scale,
)
from pipeline.training.generator.seeing import as_pixels, as_seen, encode, states_of

BETAS = (0.00085, 0.02)
"""Ends of the noise schedule (square roots in even steps). The last one is larger than Stable
Diffusion's .012: 256 latents average noise away, and through what was left of the picture's mean
a model would learn to be told its colours."""
_HIGH = 0.75
"""Exponent of the timesteps' distribution: below 1 takes more of the noisy ones, where a reference
decides; above 1 more of the others."""
_KINDS = {"square": 0.7, "wide": 0.08, "tall": 0.08, "pair": 0.14}
_NO_PICTURE = 0.08
_NO_REFERENCE = 0.1
_NOTHING = 0.06
"""How often neither words nor picture are there: what guidance leads away from. Each dropped by
itself leaves that to one picture in a hundred."""
_SECOND = 0.25
"""How often two drawings of the character are shown instead of one, where there are so many."""
_PROMPTS = (0.5, 0.4)
"""How often a prompt tells the looks, and how often it leaves them to the references; else none."""
_AT_ONCE = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a step takes its batch from, on the CPU.

    ``latents`` (n, 4, h, w) and ``words`` (n, 2, 77), with and without looks, by kind of panel;
    ``states`` (drawings, tokens, width) of the references; ``unseen`` (tokens, width) stands for
    "no picture"; ``nothing`` (77,) is the empty prompt.
    """

    latents: dict[str, Tensor]
    words: dict[str, Tensor]
    drawings: dict[str, Tensor]
    states: Tensor
    unseen: Tensor
    nothing: Tensor
    variants: int


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One step's worth: clean latents, noise, timesteps, tokens of words, states of references.

    ``states`` is ``(n, references, tokens, width)``; ``masks`` ``(1, references, h, w)`` says where
    each of them may act, None for everywhere.
    """

    latents: Tensor
    noise: Tensor
    steps: Tensor
    words: Tensor
    states: Tensor
    masks: Tensor | None
    scale: float


def make_material(album: Album, vae: Any, encoder: Any, tokenizer: Any, bench: Bench) -> Material:
    """Encode everything once: that is what makes a step cheap."""
    latents, words, drawings = {}, {}, {}
    for chapter in album.chapters:
        latents[chapter.kind] = _latents(chapter, vae, bench.device)
        told = [tokens_of(tokenizer, text) for text in (chapter.prompts, chapter.plain)]
        words[chapter.kind] = torch.stack(told, dim=1)
        drawings[chapter.kind] = torch.from_numpy(chapter.drawings.astype(np.int64))
        bench.tell(f"encoded {len(chapter.pixels)} {chapter.kind} panels")
    rows = torch.arange(len(album.references)).split(_AT_ONCE)
    states = [states_of(encoder, as_seen(album.references, r), bench.device).half() for r in rows]
    return Material(
        latents, words, drawings, torch.cat(states), unseen_of(encoder, bench.device),
        tokens_of(tokenizer, [""])[0], album.variants,
    )  # fmt: skip


def _latents(chapter: Chapter, vae: Any, device: str) -> Tensor:
    rows = torch.arange(len(chapter.pixels)).split(_AT_ONCE)
    parts = [encode(vae, as_pixels(chapter.pixels, r), device).half() for r in rows]
    return torch.cat(parts) * vae.config.scaling_factor


def unseen_of(encoder: Any, device: str) -> Tensor:
    """What the engine takes for "no picture": the states of one whose values are all 0."""
    side = encoder.config.image_size
    return states_of(encoder, torch.zeros(1, 3, side, side), device)[0]


def tokens_of(tokenizer: Any, texts: Sequence[str]) -> Tensor:
    """``(n, 77)`` token ids with marks and padding; what is longer is cut."""
    return tokenizer(
        list(texts), padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt"
    ).input_ids


def alphas() -> Tensor:
    """How much of the signal's power is left at each timestep: ``(1000,)``."""
    betas = torch.linspace(BETAS[0] ** 0.5, BETAS[1] ** 0.5, STEPS, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


def learn_denoising(
    bench: Bench, material: Material, tokenizer: Any, sheet: Callable[[Denoising], None]
) -> Denoising:
    """Train with v-prediction and independent dropout of words and pictures.

    Args:
        bench: where it runs.
        material: what it learns from.
        tokenizer: for the size of the vocabulary.
        sheet: is handed the averaged networks now and then, to draw something with them.

    Source: Salimans & Ho 2022 (v), Ye et al. 2023 (IP-Adapter).
    """
    torch.manual_seed(bench.plan.seed + 2)
    nets = make_denoising(bench.plan, tokenizer)
    networks = {"unet": nets.unet.to(bench.device), "text": nets.text_encoder.to(bench.device)}
    left = alphas().to(bench.device)
    stage = Stage("unet", networks, bench.plan.unet)

    def loss(_step: int, chance: torch.Generator) -> Tensor:
        batch = draw_batch(material, bench.plan.unet.batch, chance, bench.device)
        return denoising_loss(nets, batch, left).mean()

    def show() -> None:
        sheet(_averaged(stage, bench, tokenizer))

    stage.now_and_then = show
    stage.learn(bench, loss)
    return nets


def _averaged(stage: Stage, bench: Bench, tokenizer: Any) -> Denoising:
    """A copy with the averaged weights; the global source of chance is left as it was."""
    with torch.random.fork_rng(devices=[]):
        copy = make_denoising(bench.plan, tokenizer)
    copy.unet.load_state_dict(stage.averages["unet"])
    copy.text_encoder.load_state_dict(stage.averages["text"])
    for network in (copy.unet, copy.text_encoder):
        network.to(bench.device).eval()
    return copy


def denoising_loss(nets: Denoising, batch: Batch, left: Tensor, control: Any = None) -> Tensor:
    """Squared error of v for each picture of a batch: ``(n,)``.

    All noises weigh alike. Weights by min-SNR, usual for photographs, are next to nothing where
    noise is high, which is where a reference decides about colours and shapes.

    Args:
        nets: the networks.
        batch: what they see.
        left: see :func:`alphas`, on the device.
        control: residuals of a ControlNet, as the keyword arguments of the UNet.
    """
    noisy, target = noised(batch, left)
    found = predicted(nets, batch, noisy, control).float()
    return (found - target).square().mean(dim=(1, 2, 3))


def noised(batch: Batch, left: Tensor) -> tuple[Tensor, Tensor]:
    """Noisy latents, and the v that is to be found."""
    kept = left[batch.steps]
    signal, noise = kept.sqrt()[:, None, None, None], (1 - kept).sqrt()[:, None, None, None]
    noisy = signal * batch.latents + noise * batch.noise
    return noisy, signal * batch.noise - noise * batch.latents


def predicted(nets: Denoising, batch: Batch, noisy: Tensor, control: Any = None) -> Tensor:
    """The v that the networks find."""
    set_scale(nets.unet, batch.scale)
    told = None if batch.masks is None else {"ip_adapter_masks": [batch.masks]}
    return nets.unet(
        noisy, batch.steps, nets.text_encoder(batch.words)[0],
        added_cond_kwargs={"image_embeds": [batch.states]}, cross_attention_kwargs=told,
        **(control or {}),
    ).sample  # fmt: skip


def draw_batch(material: Material, size: int, chance: torch.Generator, device: str) -> Batch:
    """A batch of one kind of panel; the reference is always another drawing of the identity."""
    weights = torch.tensor([_KINDS[kind] for kind in material.latents])
    kind = list(material.latents)[int(torch.multinomial(weights, 1, generator=chance))]
    rows = pick(len(material.latents[kind]), size, chance)
    latents = material.latents[kind][rows].float()
    shown = material.drawings[kind][rows]
    off = _others(material, shown, chance)
    which = shown % material.variants
    others = shown - which + (which + off) % material.variants
    states = material.states[others].float()
    hidden = torch.rand(size, generator=chance) < _NO_PICTURE
    words = _words(material, kind, rows, chance)
    empty = torch.rand(size, generator=chance) < _NOTHING
    words[empty] = material.nothing
    states[hidden | empty] = material.unseen
    steps = (STEPS * torch.rand(size, generator=chance) ** _HIGH).long().clamp(max=STEPS - 1)
    batch = Batch(
        latents, torch.randn(latents.shape, generator=chance), steps,
        words, states,
        _halves(latents) if shown.shape[1] > 1 else None,
        0.0 if float(torch.rand(1, generator=chance)) < _NO_REFERENCE else 1.0,
    )  # fmt: skip
    return moved(batch, device)


def _others(material: Material, shown: Tensor, chance: torch.Generator) -> Tensor:
    """How many drawings further on the references are: at least one, none of them twice."""
    people, most = shown.shape[1], material.variants - 1
    if people > 1:
        return torch.randint(1, most + 1, shown.shape, generator=chance)
    second = most > 1 and float(torch.rand(1, generator=chance)) < _SECOND
    return 1 + torch.rand(len(shown), most, generator=chance).argsort(1)[:, : 1 + second]


def moved(batch: Batch, device: str) -> Batch:
    """The batch on a device."""
    masks = None if batch.masks is None else batch.masks.to(device)
    return Batch(
        batch.latents.to(device), batch.noise.to(device), batch.steps.to(device),
        batch.words.to(device), batch.states.to(device), masks, batch.scale,
    )  # fmt: skip


def _words(material: Material, kind: str, rows: Tensor, chance: torch.Generator) -> Tensor:
    said = torch.rand(len(rows), generator=chance)
    words = material.words[kind][rows, (said >= _PROMPTS[0]).long()].clone()
    words[said >= sum(_PROMPTS)] = material.nothing
    return words


def _halves(latents: Tensor) -> Tensor:
    """Left and right half, as masks ``(1, 2, h, w)``."""
    masks = torch.zeros(1, 2, *latents.shape[2:])
    middle = latents.shape[3] // 2
    masks[:, 0, :, :middle] = 1
    masks[:, 1, :, middle:] = 1
    return masks
