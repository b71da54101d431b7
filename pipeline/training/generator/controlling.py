"""The edge ControlNet: learned last, on a UNet that stays as it is."""
# pyright: reportMissingImports=false

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pipeline.domain.geometry import Size
from pipeline.generation.guides.edges import line_guide
from pipeline.training.generator.album import Album
from pipeline.training.generator.denoising import (
    Material,
    alphas,
    denoising_loss,
    draw_batch,
    noised,
)
from pipeline.training.generator.learning import Bench, Stage, pick
from pipeline.training.generator.models import Denoising, make_control


def learn_control(bench: Bench, album: Album, material: Material, nets: Denoising) -> Any:
    """A ControlNet for the lines that the product makes of a sketch.

    It learns on square panels, with and without the looks in the prompt, and a reference of
    the character in most steps, as the product uses it.
    """
    torch.manual_seed(bench.plan.seed + 3)
    control = make_control(bench.plan, nets.unet).to(bench.device)
    nets.unet.requires_grad_(False)
    nets.text_encoder.requires_grad_(False)
    left = alphas().to(bench.device)
    stage = Stage("control", {"control": control}, bench.plan.control)
    square = replace(material, latents={"square": material.latents["square"]})

    def loss(_step: int, chance: torch.Generator) -> Tensor:
        state = chance.get_state()  # the batch draws its rows first: draw the same ones
        rows = pick_rows(square, bench.plan.control.batch, chance)
        chance.set_state(state)
        batch = draw_batch(square, bench.plan.control.batch, chance, bench.device)
        lines = edges_of(album.chapters[0].pixels[rows.numpy()]).to(bench.device)
        noisy, _ = noised(batch, left)
        words = nets.text_encoder(batch.words)[0]
        down, middle = control(noisy, batch.steps, words, controlnet_cond=lines, return_dict=False)
        held = {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
        return denoising_loss(nets, batch, left, held).mean()

    stage.learn(bench, loss)
    return control


def pick_rows(material: Material, size: int, chance: torch.Generator) -> Tensor:
    """The rows that :func:`draw_batch` is about to take from material of one kind."""
    torch.multinomial(torch.ones(1), 1, generator=chance)
    return pick(len(material.latents["square"]), size, chance)


def edges_of(pixels: Any) -> Tensor:
    """The product's own guides of pictures ``(n, h, w, 3)``: ``(n, 3, h, w)``, 0 or 1."""
    out = []
    for one in pixels:
        image = Image.fromarray(one)
        out.append(np.asarray(line_guide(image, Size(*image.size)), np.float32) / 255)
    return torch.from_numpy(np.stack(out))[:, None].repeat(1, 3, 1, 1)
