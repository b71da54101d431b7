"""The two networks that see: the VAE, and the image encoder that recognises identities."""
# pyright: reportMissingImports=false

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.training.generator.album import Album, Pixels
from pipeline.training.generator.learning import Bench, Stage, pick
from pipeline.training.generator.models import FACTOR, make_image_encoder, make_vae

_KL = 1e-6
_AIDED = 200
"""Steps over which a VAE is led to colours, less and less: three latents start as mean colours of
their cells. Without, the first hundreds of steps learn light and dark alone."""
_EDGES = 1.0
_TEMPERATURE = 0.1
_AT_ONCE = 128
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
"""How CLIP's image processor shifts and scales RGB from 0 to 1. Source: openai/CLIP."""


def learn_vae(bench: Bench, album: Album) -> Any:
    """A VAE that knows the panels; its ``scaling_factor`` makes latents of unit spread."""
    torch.manual_seed(bench.plan.seed)
    vae = make_vae(bench.plan).to(bench.device)
    stage = Stage("vae", {"vae": vae}, bench.plan.vae)
    chapters = album.chapters

    def loss(step: int, chance: torch.Generator) -> Tensor:
        # square ones most of the time; the other kinds take turns
        chapter = chapters[0] if step % 4 else chapters[step // 4 % len(chapters)]
        rows = pick(len(chapter.pixels), bench.plan.vae.batch, chance)
        pixels = as_pixels(chapter.pixels, rows).to(bench.device)
        latents = vae.encode(pixels).latent_dist
        noise = torch.randn(latents.mean.shape, generator=chance).to(bench.device)
        drawn = vae.decode(latents.mean + latents.std * noise).sample.float()
        aid = max(0.0, 1 - step / _AIDED)
        return (
            functional.l1_loss(drawn, pixels)
            + _EDGES * functional.l1_loss(_slopes(drawn), _slopes(pixels))
            + _KL * latents.kl().mean()
            + aid * functional.l1_loss(latents.mean[:, :3].float(), _cells(pixels))
        )

    stage.learn(bench, loss)
    square = as_pixels(chapters[0].pixels, torch.arange(min(512, len(chapters[0].pixels))))
    latents = encode(vae, square, bench.device)
    vae.register_to_config(scaling_factor=float(1 / latents.std()))
    return vae


def learn_image_encoder(bench: Bench, album: Album) -> Any:
    """An image encoder that tells an identity's parts and colours, whatever its expression.

    Learning them by name first is what makes the IP-Adapter follow a reference from its first
    steps on; an encoder that has only the denoising loss to learn from is nearly ignored.

    Source of the second term: Khosla et al., *Supervised Contrastive Learning*, 2020.
    """
    torch.manual_seed(bench.plan.seed + 1)
    encoder = make_image_encoder(bench.plan).to(bench.device)
    heads = nn.Linear(encoder.config.projection_dim, sum(album.choices)).to(bench.device)
    stage = Stage("encoder", {"encoder": encoder, "heads": heads}, bench.plan.encoder)
    looks = torch.from_numpy(album.looks.astype(np.int64))

    def loss(_step: int, chance: torch.Generator) -> Tensor:
        half = bench.plan.encoder.batch // 2
        who = torch.randperm(len(looks), generator=chance)[:half]
        which = torch.stack([torch.randperm(album.variants, generator=chance)[:2] for _ in who])
        rows = (who[:, None] * album.variants + which).T.flatten()
        seen = encoder(as_seen(album.references, rows).to(bench.device)).image_embeds.float()
        told = _told(heads(seen), looks[who.repeat(2)].to(bench.device), album.choices)
        return told + _alike(functional.normalize(seen, dim=1), len(who))

    stage.learn(bench, loss)
    return encoder


def _told(logits: Tensor, truth: Tensor, choices: tuple[int, ...]) -> Tensor:
    """Mean cross-entropy over the slots that an identity has."""
    parts = [
        functional.cross_entropy(one, truth[:, slot], ignore_index=-1, reduction="sum")
        for slot, one in enumerate(logits.split(list(choices), dim=1))
    ]
    return torch.stack(parts).sum() / (truth >= 0).sum().clamp(min=1)


def _alike(vectors: Tensor, count: int) -> Tensor:
    """Two drawings of each of ``count`` identities find each other among all."""
    logits = vectors @ vectors.T / _TEMPERATURE
    logits = logits - 1e4 * torch.eye(2 * count, device=vectors.device)
    partner = torch.arange(2 * count, device=vectors.device).roll(count)
    return functional.cross_entropy(logits, partner)


def as_pixels(pixels: Pixels, rows: Tensor) -> Tensor:
    """Pictures ``(n, 3, h, w)`` from -1 to 1, as the VAE takes them."""
    chosen = torch.from_numpy(np.ascontiguousarray(pixels[rows.numpy()]))
    return chosen.permute(0, 3, 1, 2).float() / 127.5 - 1


def as_seen(pixels: Pixels, rows: Tensor) -> Tensor:
    """Pictures as CLIP's image processor hands them to the image encoder."""
    unit = (as_pixels(pixels, rows) + 1) / 2
    mean, std = (torch.tensor(v)[:, None, None] for v in (CLIP_MEAN, CLIP_STD))
    return (unit - mean) / std


@torch.no_grad()
def encode(vae: Any, pixels: Tensor, device: str) -> Tensor:
    """Latents ``(n, 4, h / 4, w / 4)`` without chance, not yet scaled, on the CPU."""
    parts = [vae.encode(p.to(device)).latent_dist.mean.cpu() for p in pixels.split(_AT_ONCE)]
    return torch.cat(parts)


@torch.no_grad()
def states_of(encoder: Any, seen: Tensor, device: str) -> Tensor:
    """What an IP-Adapter of the "full" kind reads: ``(n, tokens, width)``, on the CPU."""
    parts = [
        encoder(p.to(device), output_hidden_states=True).hidden_states[-2].cpu()
        for p in seen.split(_AT_ONCE)
    ]
    return torch.cat(parts)


def _cells(pixels: Tensor) -> Tensor:
    """The mean colour of the pixels of each latent, as far apart as latents shall be."""
    return 2 * functional.avg_pool2d(pixels, FACTOR)


def _slopes(pixels: Tensor) -> Tensor:
    """Differences to the right and lower neighbours: lines and borders."""
    across = functional.pad(pixels[..., 1:] - pixels[..., :-1], (0, 1))
    down = functional.pad(pixels[..., 1:, :] - pixels[..., :-1, :], (0, 0, 0, 1))
    return torch.cat([across, down], dim=1)
