"""Views of a drawing to learn from: cut, laid on a ground, recoloured, reduced to line or grey."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from pipeline.domain.fingerprint import CropClass
from pipeline.domain.geometry import Box
from pipeline.imaging.crops import GROUND, classes_shown, shot_of
from pipeline.imaging.heads import find_head
from pipeline.imaging.masks import find_figure

Rng = np.random.Generator
_WORK_SIDE = 256
_CHIN, _COSTUME = 0.15, 0.25
"""In head boxes: where clothes begin under the box, and how much of them must be seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Sitter:
    """A drawing made ready: figure on transparent ground and the region of each crop class."""

    image: Image.Image
    regions: dict[CropClass, Box]
    head: Box


@dataclass(frozen=True, slots=True)
class Recipe:
    """What all views of one batch have in common.

    Attributes:
        crop: the class that is cut; a sitter that does not show it gives its largest.
        grey: whether the batch is in greys.
        strength: 0 leaves views as an encoder will see them, 1 changes them most.
        busy: the share of views on a busy ground, 0–1.
        side: pixels of a view.
    """

    crop: CropClass
    grey: bool
    strength: float
    busy: float
    side: int


def sitter(image: Image.Image) -> Sitter | None:
    """Prepare a picture (RGBA); None where no figure is found in it."""
    if max(image.size) > _WORK_SIDE:
        image.thumbnail((_WORK_SIDE, _WORK_SIDE), Image.Resampling.LANCZOS)
    figure = find_figure(image)
    if figure is None:
        return None
    head = find_head(figure)
    side = max(figure.box.width, figure.box.height)
    x0 = figure.box.x0 - (side - figure.box.width) // 2
    y0 = figure.box.y0 - (side - figure.box.height) // 2
    regions = {CropClass.HEAD: head.box, CropClass.FIGURE: Box(x0, y0, x0 + side, y0 + side)}
    if CropClass.HALF in classes_shown(shot_of(figure)):
        regions[CropClass.HALF] = head.square(6.0, -1.45)
    own = np.asarray(image.convert("RGBA").getchannel("A"))
    alpha = Image.fromarray(np.minimum(own, figure.mask))
    cut = image.convert("RGB")
    cut.putalpha(alpha)
    return Sitter(cut, regions, head.box)


def view(
    one: Sitter, recipe: Recipe, grounds: Sequence[Image.Image], rng: Rng
) -> NDArray[np.uint8]:
    """One view, RGB of shape (side, side, 3)."""
    strength = recipe.strength
    cut = _cut(one, recipe, rng)
    if strength and rng.random() < 0.35:
        cut = ImageOps.mirror(cut)
    cut = _coloured(cut, strength, rng)
    if rng.random() < 0.12 * strength:
        cut = _line_art(cut)
    picture = _grounded(cut, grounds, recipe.busy, rng)
    picture = _worn_down(picture, strength, rng)
    if recipe.grey:
        picture = picture.convert("L").convert("RGB")
    return np.asarray(picture)


def _cut(one: Sitter, recipe: Recipe, rng: Rng) -> Image.Image:
    """A jittered crop, RGBA, with the costume recoloured at times (never hair or face)."""
    region = one.regions.get(recipe.crop) or one.regions[CropClass.FIGURE]
    image = one.image
    if rng.random() < 0.35 * recipe.strength:
        image = _recostumed(image, one.head, rng)
    reach = recipe.strength * region.width
    side = region.width * float(np.exp(rng.normal(0.0, 0.1 * recipe.strength)))
    x = (region.x0 + region.x1) / 2 + float(rng.uniform(-0.08, 0.08)) * reach
    y = (region.y0 + region.y1) / 2 + float(rng.uniform(-0.08, 0.08)) * reach
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    frame = tuple(round(v) for v in box)
    cut = image.crop((frame[0], frame[1], max(frame[0] + 1, frame[2]), max(frame[1] + 1, frame[3])))
    premultiplied = cut.convert("RGBa").resize(
        (recipe.side, recipe.side), Image.Resampling.BILINEAR
    )
    cut = premultiplied.convert("RGBA")
    if rng.random() < 0.35 * recipe.strength:
        cut = cut.rotate(float(rng.normal(0, 7)), Image.Resampling.BILINEAR)
    if rng.random() < 0.12 * recipe.strength:
        cut = _occluded(cut, rng)
    return cut


def _recostumed(image: Image.Image, head: Box, rng: Rng) -> Image.Image:
    """Turn the hue of what lies under the head; hair and face keep their colours."""
    top = round(head.y1 + _CHIN * head.height)
    bottom = image.getbbox()
    if bottom is None or bottom[3] - top < _COSTUME * head.height:
        return image
    lower = image.crop((0, top, image.width, image.height))
    hue, saturation, value = lower.convert("RGB").convert("HSV").split()
    turn = int(rng.integers(20, 236))
    hue = hue.point([(level + turn) % 256 for level in range(256)])
    if rng.random() < 0.5:
        share = float(rng.uniform(0.5, 1.5))
        value = value.point([min(255, int(level * share)) for level in range(256)])
    turned = Image.merge("HSV", (hue, saturation, value)).convert("RGB")
    turned.putalpha(lower.getchannel("A"))
    changed = image.copy()
    changed.paste(turned, (0, top))
    return changed


def _occluded(cut: Image.Image, rng: Rng) -> Image.Image:
    """Cut a side off, as a frame or another figure would."""
    side = cut.width
    share = int(side * rng.uniform(0.08, 0.3))
    edges = ((0, 0, share, side), (side - share, 0, side, side), (0, side - share, side, side))
    cut = cut.copy()
    cut.paste((0, 0, 0, 0), edges[int(rng.integers(3))])
    return cut


def _coloured(cut: Image.Image, strength: float, rng: Rng) -> Image.Image:
    """Light, contrast, saturation and a few degrees of hue: as much as a scene's light does."""
    if rng.random() > 0.7:
        return cut
    alpha, picture = cut.getchannel("A"), cut.convert("RGB")
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        factor = float(np.exp(rng.normal(0.0, 0.15 * strength)))
        picture = enhancer(picture).enhance(factor)
    if rng.random() < 0.5:
        tint = np.array(rng.normal(1.0, 0.05 * strength, 3))
        picture = picture.point([int(min(255, v * t)) for t in tint for v in range(256)])
    picture.putalpha(alpha)
    return picture


def _line_art(cut: Image.Image) -> Image.Image:
    """The outlines alone, dark on white."""
    grey = cut.convert("RGB").convert("L").filter(ImageFilter.GaussianBlur(0.7))
    lines = ImageChops.difference(grey.filter(ImageFilter.MaxFilter(3)), grey)
    lines = ImageOps.invert(lines.point([min(255, 4 * level) for level in range(256)])).convert(
        "RGB"
    )
    lines.putalpha(cut.getchannel("A"))
    return lines


def _grounded(
    cut: Image.Image, grounds: Sequence[Image.Image], busy: float, rng: Rng
) -> Image.Image:
    """Lay the figure on the neutral ground, or on a busy one."""
    size = cut.size
    chance = rng.random()
    if chance < busy and grounds:
        ground = grounds[int(rng.integers(len(grounds)))]
        reach = int(rng.integers(ground.width // 2, ground.width + 1))
        x, y = (int(rng.integers(0, ground.width - reach + 1)) for _ in range(2))
        ground = ground.resize(size, Image.Resampling.BILINEAR, (x, y, x + reach, y + reach))
        if rng.random() < 0.5:
            ground = ImageOps.mirror(ground)
    elif busy < 1.0 and chance < busy * 1.3:
        red, green, blue = (int(v) for v in rng.integers(0, 256, 3))
        ground = Image.new("RGB", size, (red, green, blue))
    else:
        ground = Image.new("RGB", size, GROUND)
    ground.paste(cut.convert("RGB"), mask=cut.getchannel("A"))
    return ground


def _worn_down(picture: Image.Image, strength: float, rng: Rng) -> Image.Image:
    """What files and printers do: few pixels, blur, JPEG, screentone."""
    side = picture.width
    chance = rng.random()
    if chance < 0.2 * strength:
        low = int(side * rng.uniform(0.3, 0.8))
        small = picture.resize((low, low), Image.Resampling.BOX)
        picture = small.resize((side, side), Image.Resampling.BILINEAR)
    elif chance < 0.28 * strength:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.2))))
    elif chance < 0.34 * strength:
        picture = _halftone(picture, float(rng.uniform(3.0, 6.0)))
    if rng.random() < 0.25 * strength:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.integers(30, 85)))
        picture = Image.open(buffer).convert("RGB")
    return picture


def _halftone(picture: Image.Image, step: float) -> Image.Image:
    """Grey as dots of ink on a turned grid."""
    grey = np.asarray(picture.convert("L"), np.float32) / 255.0
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
    wave = np.cos((x + y) * (2 * np.pi / step / 1.414)) + np.cos(
        (x - y) * (2 * np.pi / step / 1.414)
    )
    ink = np.clip((grey - 0.5 + 0.2 * wave) * 4 + 0.5, 0, 1) * 255
    return Image.fromarray(ink.astype(np.uint8)).convert("RGB")
