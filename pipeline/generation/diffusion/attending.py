"""Lets a plan's characters attend to their references, where the plan says so."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from PIL import Image

from pipeline.domain.conditioning import Adapter, CastConditioning, ReferenceUse
from pipeline.domain.errors import GenerationFailed, InvalidPicture
from pipeline.domain.geometry import Box, Size
from pipeline.generation.diffusion.pictures import GROUND
from pipeline.generation.diffusion.places import region_picture
from pipeline.imaging.cutout import cut_out

if TYPE_CHECKING:
    from pipeline.generation.diffusion.call import Call
    from pipeline.generation.diffusion.reference_attention import ReferenceHold

_REFERENCES = 1
"""References per character: each one is a pass of its own through the UNet at every step."""


@contextmanager
def hold_reference_attention(call: "Call") -> Iterator[None]:
    """Install reference attention for the references that the plan holds that way.

    Raises:
        MissingReference: a reference picture was not given.
        GenerationFailed: one is damaged.
    """
    wanted = [(member, uses) for member in call.plan.cast if (uses := _held(member))]
    if not wanted or not call.base.family.reference_attention:
        yield
        return
    from pipeline.generation.diffusion.reference_attention import reference_attention

    holds = [_hold(call, member, uses) for member, uses in wanted]
    with ExitStack() as stack:
        # of the reference and not of the plan: an alternate drawn alone has another plan's seed
        seed = crc32(wanted[0][1][0].sha256.encode())
        stack.enter_context(reference_attention(call.pipe, holds, seed=seed))
        yield


def scale_of(use: ReferenceUse) -> float:
    """How strongly a reference holds by reference attention, 0 to 1."""
    held = (a.scale for a in use.adapters if a.adapter is Adapter.REFERENCE_ATTENTION)
    return max(held, default=0.0)


def _held(member: CastConditioning) -> list[ReferenceUse]:
    held = [use for use in member.references if scale_of(use) > 0]
    return sorted(held, key=lambda use: -scale_of(use))[:_REFERENCES]


def _hold(call: "Call", member: CastConditioning, uses: list[ReferenceUse]) -> "ReferenceHold":
    import torch

    from pipeline.generation.diffusion.reference_attention import ReferenceHold, latents_of

    staged = [_staged(call.pictures.png(use.sha256), call.size) for use in uses]
    pixels = np.stack([np.asarray(image, np.float32) for image, _ in staged])
    latents = latents_of(call.pipe, torch.from_numpy(pixels / 127.5 - 1).permute(0, 3, 1, 2))
    grid = tuple(latents.shape[-2:])
    region = region_picture(member.region, call.plan.size, call.size)
    return ReferenceHold(
        latents,
        scale_of(uses[0]),
        None if member.region is None else _area(region, grid),
        torch.stack([_area(mask, grid) for _, mask in staged]),
        during=lambda: _alone(call, member.region),
    )


@contextmanager
def _alone(call: "Call", region: Box | None) -> Iterator[None]:
    """A reference shows its character alone: all of it reads that character's words."""
    before, call.reader = call.reader, region
    try:
        yield
    finally:
        call.reader = before


def _staged(png: bytes, size: Size) -> tuple[Image.Image, Image.Image]:
    """The figure on plain ground as large as the working size allows, and where it is."""
    try:
        figure = cut_out(png).image.convert("RGBA")
    except InvalidPicture as error:
        raise GenerationFailed("A reference picture is damaged. Register it again.") from error
    scale = min(size.width / figure.width, size.height / figure.height)
    wanted = (max(1, round(figure.width * scale)), max(1, round(figure.height * scale)))
    figure = figure.resize(wanted, Image.Resampling.LANCZOS)
    at = ((size.width - figure.width) // 2, (size.height - figure.height) // 2)
    image, mask = Image.new("RGB", size, GROUND), Image.new("L", size, 0)
    image.paste(figure, at, figure)
    mask.paste(figure.getchannel("A"), at)
    return image, mask


def _area(mask: Image.Image, grid: tuple[int, ...]) -> Any:
    """A mask at the resolution of latents, ``(h, w)`` from 0 to 1."""
    import torch

    small = mask.resize((grid[1], grid[0]), Image.Resampling.BOX)
    return torch.from_numpy(np.asarray(small, np.float32) / 255)
