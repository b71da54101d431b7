"""From a figure to comparable crops: head, upper half, whole figure, each on one neutral ground."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from pipeline.domain.character import ShotType
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.geometry import Box
from pipeline.imaging.heads import Head, find_head
from pipeline.imaging.masks import Figure, Mask, find_figure

__all__ = [
    "CROP_SIDE",
    "GROUND",
    "Figure",
    "FigureCrop",
    "classes_shown",
    "crops_of",
    "find_figure",
    "head_box",
    "shot_of",
]

CROP_SIDE = 224
GROUND = (160, 160, 160)
"""The ground of every crop: a middle grey; black hair and white shirts both stand off it."""
CROPS_VERSION = 2
"""Part of every encoder's key: raise it with any change to what a crop shows."""
_HALF_SIDE, _HALF_TOP = 6.0, -1.45
"""The upper half is a square of 6 head radii (about two heads and a half), from above the hair."""
_TELLING = 40.0
"""RGB distance from the old ground from which a colour tells how much of a pixel is figure."""
_HALF_REACHES = 3.0
"""The upper half counts as shown if the figure reaches so many head radii under its middle."""
_HEADSHOT_UP_TO, _HALF_UP_TO = 2.6, 5.2
"""Figure height in head diameters up to which a picture counts as a headshot, as a half."""
_FULL_FROM_SHAPE = 2.8
"""Height over width from which a figure counts as whole. Source: of the drawn halves and busts of
the example cast and seven bench sources the slimmest is 2.6; standing figures reach 4.8."""


@dataclass(frozen=True, slots=True, eq=False)
class FigureCrop:
    """A square crop: RGB of CROP_SIDE pixels on GROUND, and its mask (h, w), 0 or 255."""

    image: Image.Image
    mask: Mask


def classes_shown(shot_type: ShotType) -> tuple[CropClass, ...]:
    """The crop classes that a shot shows, smallest part first."""
    match shot_type:
        case ShotType.HEADSHOT:
            return (CropClass.HEAD,)
        case ShotType.HALF:
            return (CropClass.HEAD, CropClass.HALF)
        case ShotType.FULL | ShotType.DYNAMIC:
            return (CropClass.HEAD, CropClass.HALF, CropClass.FIGURE)


def shot_of(figure: Figure) -> ShotType:
    """Guess the shot type from the silhouette: how many heads high the figure is.

    Big hair makes a big head and hides how tall somebody is; nothing that ends at the waist is
    much higher than wide, though.
    """
    if figure.box.height >= _FULL_FROM_SHAPE * figure.box.width:
        return ShotType.FULL
    heads = figure.box.height / (2 * find_head(figure).radius)
    if heads <= _HEADSHOT_UP_TO:
        return ShotType.HEADSHOT
    return ShotType.HALF if heads <= _HALF_UP_TO else ShotType.FULL


def head_box(figure: Figure) -> Box:
    """The box around a figure's head, in pixels of the picture, cut at the picture's edges."""
    height, width = figure.mask.shape
    return find_head(figure).box.intersection(Box(0, 0, width, height))


def crops_of(
    image: Image.Image, figure: Figure, shot_type: ShotType
) -> dict[CropClass, FigureCrop]:
    """Cut the crops that a shot shows out of a picture.

    Args:
        image: RGB or RGBA, of the size of the figure's mask.
        figure: where the figure is; what lies outside its mask is replaced by the ground.
        shot_type: which classes are shown: a headshot its head; a half also the upper half; a
            full or dynamic shot also the whole figure. The upper half is left out where the
            silhouette ends at the chest whatever the shot is called: a bust is not a half.

    Returns:
        One square crop for each class, figure centred, scaled to CROP_SIDE.
    """
    head = find_head(figure)
    return {
        crop: _cut(image, figure, _region(crop, figure, head))
        for crop in classes_shown(shot_type)
        if crop is not CropClass.HALF or figure.box.y1 - head.y >= _HALF_REACHES * head.radius
    }


def _region(crop: CropClass, figure: Figure, head: Head) -> Box:
    match crop:
        case CropClass.HEAD:
            return head.box
        case CropClass.HALF:
            return head.square(_HALF_SIDE, _HALF_TOP)
        case CropClass.FIGURE:
            return _squared(figure.box)


def _squared(box: Box) -> Box:
    """The smallest square around a box, with the box in its middle."""
    side = max(box.width, box.height, 1)
    x0, y0 = box.x0 - (side - box.width) // 2, box.y0 - (side - box.height) // 2
    return Box(x0, y0, x0 + side, y0 + side)


def _cut(image: Image.Image, figure: Figure, region: Box) -> FigureCrop:
    """Cut a region, which may reach past the picture, and lay it on the ground."""
    pixels, seen = _shrunk(image.crop(region), Image.fromarray(figure.mask).crop(region))
    ground = Image.new("RGB", pixels.size, GROUND)
    if pixels.mode == "RGBA":  # soft edges blend with the ground, not with what alpha hid
        over = ground.copy()
        over.paste(pixels.convert("RGB"), mask=pixels.getchannel("A"))
        pixels = over
    elif figure.ground is not None:
        pixels = _edges_unblended(pixels, seen, figure.ground)
    ground.paste(pixels, mask=seen)
    size = (CROP_SIDE, CROP_SIDE)
    small = seen.resize(size, Image.Resampling.BOX)
    solid = np.where(np.asarray(small) > 127, 255, 0).astype(np.uint8)
    return FigureCrop(ground.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0), solid)


def _shrunk(pixels: Image.Image, seen: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Average large crops down before anything is done with them; alpha counts as weight."""
    factor = pixels.width // (2 * CROP_SIDE)
    if factor < 2:
        return pixels, seen
    if pixels.mode == "RGBA":
        return pixels.convert("RGBa").reduce(factor).convert("RGBA"), seen.reduce(factor)
    return pixels.reduce(factor), seen.reduce(factor)


def _edges_unblended(
    pixels: Image.Image, seen: Image.Image, old: tuple[int, int, int]
) -> Image.Image:
    """Replace the share of the old ground in the figure's edge pixels by the new ground.

    How much of an edge pixel is figure is told by how far its colour is from the old ground,
    against the farthest colour around it. Where nothing around is far, it is left alone.
    """
    values = np.asarray(pixels, np.float32)
    far = np.linalg.norm(values - np.array(old, np.float32), axis=2).clip(0, 255)
    around = Image.fromarray(far.astype(np.uint8)).filter(ImageFilter.MaxFilter(5))
    farthest = np.asarray(around, np.float32)
    inner = np.asarray(seen.filter(ImageFilter.MinFilter(5)))
    share = np.where((inner > 127) | (farthest < _TELLING), 1.0, far / np.maximum(farthest, 1.0))
    shift = np.array(GROUND, np.float32) - np.array(old, np.float32)
    unblended = values + (1.0 - share[..., None]) * shift
    return Image.fromarray(unblended.clip(0, 255).astype(np.uint8))
