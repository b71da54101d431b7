"""Puts placed figures onto a background: shadows, clean edges, exact masks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from pipeline.domain.geometry import Box, Size
from pipeline.generation.draft.staging import Placement
from pipeline.imaging.cutout import SOLID, Cutout

_SHADOW = 0.64
"""Share of darkness under a figure's feet."""

_SOFT_FROM = 1.4
"""Art that is enlarged more than this is sharpened."""

# Lookup tables over the 256 levels of a mask.
_SHADOW_LEVELS = [round(level * _SHADOW) for level in range(256)]
_SOLID_LEVELS = [255 if level >= SOLID else 0 for level in range(256)]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A figure scaled into the picture: RGBA pixels and where their upper left corner lies."""

    pixels: Image.Image
    corner: tuple[int, int]

    def alpha(self, size: Size) -> Image.Image:
        """The figure's coverage over the whole picture, mode L."""
        full = Image.new("L", size, 0)
        full.paste(self.pixels.getchannel("A"), self.corner)
        return full


def scaled_layer(placement: Placement, size: Size) -> Layer:
    """Scale a figure, only as much of it as the picture shows."""
    cutout, scale = placement.cutout, placement.scale
    x0, y0 = max(0, round(placement.left)), max(0, round(placement.top))
    x1 = min(size.width, round(placement.left + cutout.width * scale))
    y1 = min(size.height, round(placement.bottom))
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    source = (
        min(max(0.0, (x0 - placement.left) / scale), cutout.width - 1.0),
        min(max(0.0, (y0 - placement.top) / scale), cutout.height - 1.0),
        min(float(cutout.width), max(1.0, (x1 - placement.left) / scale)),
        min(float(cutout.height), max(1.0, (y1 - placement.top) / scale)),
    )
    kernel = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.LANCZOS
    pixels = cutout.image.resize((x1 - x0, y1 - y0), kernel, box=source)
    if scale > _SOFT_FROM:
        pixels = _firm(pixels, min(scale, 2.5))
    return Layer(pixels, (x0, y0))


def _firm(pixels: Image.Image, radius: float) -> Image.Image:
    """Give enlarged flat art its firm edges back, away from the outline, where colours mix."""
    sharp = pixels.convert("RGB").filter(ImageFilter.UnsharpMask(radius, 70, 2))
    sharp.putalpha(pixels.getchannel("A"))
    core = pixels.getchannel("A").filter(ImageFilter.MinFilter(2 * round(radius) + 1))
    return Image.composite(sharp, pixels, core)


def feet(cutout: Cutout) -> tuple[float, float]:
    """Left and right end of what touches the ground, in pixels of the cut-out."""
    alpha = np.asarray(cutout.image.getchannel("A"))
    low = alpha[-max(1, cutout.height // 16) :] >= SOLID
    columns = np.flatnonzero(low.any(axis=0))
    if len(columns) == 0:
        return 0.0, float(cutout.width)
    return float(columns[0]), float(columns[-1] + 1)


def cast_shadows(background: Image.Image, placements: Sequence[Placement]) -> Image.Image:
    """Darken the ground under every figure whose feet are in the picture."""
    shade = Image.new("L", background.size, 0)
    draw = ImageDraw.Draw(shade)
    for placement in placements:
        if not placement.cutout.grounded or placement.bottom >= background.height:
            continue
        left, right = (placement.left + x * placement.scale for x in feet(placement.cutout))
        middle, half = (left + right) / 2, (right - left) / 2
        deep = 0.016 * placement.cutout.height * placement.scale + 0.05 * half
        y = placement.bottom - 0.35 * deep
        for grow, level in ((1.35, 110), (1.12, 200)):
            box = (
                middle - half * grow,
                y - deep * grow,
                middle + half * grow + 0.4 * half,
                y + deep * grow,
            )
            draw.ellipse(box, fill=level)
    soft = shade.filter(ImageFilter.GaussianBlur(max(1.0, 0.003 * background.height)))
    dark = ImageChops.multiply(background, Image.new("RGB", background.size, (96, 92, 120)))
    return Image.composite(dark, background, soft.point(_SHADOW_LEVELS))


def light_behind(background: Image.Image, placements: Sequence[Placement]) -> Image.Image:
    """Lift the background softly where the heads are, more the darker it is: focus on figures."""
    small = (max(1, background.width // 16), max(1, background.height // 16))
    glow = Image.new("L", small, 0)
    draw = ImageDraw.Draw(glow)
    for placement in placements:
        head = placement.head
        x, y = head.center
        rx, ry = 1.15 * head.width, 1.3 * head.height
        draw.ellipse(tuple(v / 16 for v in (x - rx, y - ry, x + rx, y + 1.6 * ry)), fill=255)
    glow = glow.filter(ImageFilter.GaussianBlur(small[0] * 0.06))
    darkness = 1 - np.asarray(background.convert("L").resize((8, 8))).mean() / 255
    strength = min(0.4, 0.06 + 0.55 * max(0.0, darkness - 0.15))
    mask = glow.resize(background.size, Image.Resampling.BICUBIC)
    levels = [round(level * strength) for level in range(256)]
    pale = Image.new("RGB", background.size, (236, 238, 250))
    return Image.composite(pale, background, mask.point(levels))


def visible_masks(layers: Sequence[Layer], size: Size) -> list[Image.Image]:
    """What is seen of every figure when later layers lie over earlier ones; mode L, 0 or 255."""
    masks: list[Image.Image] = []
    covered = Image.new("L", size, 0)
    for layer in reversed(layers):
        solid = layer.alpha(size).point(_SOLID_LEVELS)
        masks.append(ImageChops.subtract(solid, covered))
        covered = ImageChops.lighter(covered, solid)
    return masks[::-1]


def bounds(mask: Image.Image) -> Box:
    """The tight box of a mask; empty at the origin when nothing is seen."""
    found = mask.getbbox()
    return Box(0, 0, 0, 0) if found is None else Box(*found)
