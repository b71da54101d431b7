"""Panels put together from cut-outs, with the exact truth about every figure in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from pipeline.domain.geometry import Box, Size
from pipeline.imaging.heads import find_head
from pipeline.imaging.masks import Flags, find_figure, tight_box
from pipeline.training.scenery import any_ground, balloon, printed

Rng = np.random.Generator

SPRITE_SIDE = 224
_SOLID = 128
_LEAST_SEEN, _LEAST_HEAD_SEEN = 0.3, 0.6
"""Shares of a figure, and of a head, that must be seen for it to count as there."""
_LEAST_PIXELS = 60
_CUT_OFF = 0.25
"""A cut-out whose lowest row is solid over this share of its width was cut off there."""


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A figure cut out: RGBA, tight; its head's box; whether it ends broadly, as a bust does."""

    image: Image.Image
    head: tuple[float, float, float, float]
    bust: bool
    source: str = ""
    identity: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A figure in a panel: what is seen of it, tight box, and its head's box if that is seen.

    ``sprite`` is its place in the cast that was pasted.
    """

    box: Box
    head: Box | None
    mask: Flags
    sprite: int


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A composed panel: pixels uint8 (h, w, 3) and its figures, the farthest first."""

    pixels: NDArray[np.uint8]
    figures: tuple[Truth, ...]


@dataclass(slots=True, eq=False)
class _Standing:
    """A pasted figure: mask over the panel, the pixels it had in all, the head's box."""

    mask: Flags
    whole: int
    head: Box
    sprite: int


def sprite_of(image: Image.Image, source: str = "", identity: str = "") -> Sprite | None:
    """Make a cut-out (RGBA) ready; None where no figure can be told from its ground."""
    figure = find_figure(image)
    if figure is None or figure.box.width < 12 or figure.box.height < 12:
        return None
    head = find_head(figure).box.intersection(figure.box)
    head = head.shifted(-figure.box.x0, -figure.box.y0)
    cut = image.convert("RGBA")
    if not _has_alpha(image):
        cut.putalpha(Image.fromarray(figure.mask))
    cut = cut.crop(figure.box)
    scale = min(1.0, SPRITE_SIDE / max(cut.size))
    size = (max(1, round(cut.width * scale)), max(1, round(cut.height * scale)))
    small = cut.resize(size, Image.Resampling.LANCZOS) if scale < 1 else cut
    low = np.asarray(small.getchannel("A"))[-2:] >= _SOLID
    x0, y0, x1, y1 = (v * scale for v in head)
    bust = bool(low.mean() > _CUT_OFF)
    return Sprite(small, (x0, y0, x1, y1), bust, source, identity)


def compose(rng: Rng, sprites: Sequence[Sprite], size: Size, *, most: int = 4) -> Panel:
    """A panel with no to ``most`` figures, for learning: everything varies."""
    counts = np.array([0.1, 0.4, 0.28, 0.14, 0.08][: most + 1])
    count = int(rng.choice(len(counts), p=counts / counts.sum()))
    cast = [varied(rng, sprites[int(rng.integers(len(sprites)))]) for _ in range(count)]
    picture, standing = _pasted(rng, any_ground(rng, size), cast)
    for _ in range(int(rng.choice(4, p=(0.45, 0.3, 0.15, 0.1)))):
        _cover(picture, standing, *balloon(rng, size))
    picture = printed(rng, picture)
    return Panel(np.asarray(picture), _truths(standing, size))


def stage(rng: Rng, ground: Image.Image, cast: Sequence[Sprite]) -> Panel:
    """A panel with these figures on a given ground, from left to right, as they are.

    A figure that finds no place where it could be seen is left out.
    """
    picture, standing = _pasted(rng, ground, cast)
    return Panel(np.asarray(picture), _truths(standing, Size(*ground.size)))


def _pasted(
    rng: Rng, ground: Image.Image, cast: Sequence[Sprite]
) -> tuple[Image.Image, list[_Standing]]:
    picture, size = ground.copy(), Size(*ground.size)
    standing: list[_Standing] = []
    common = float(np.exp(rng.uniform(np.log(0.36), np.log(1.5))))
    for index, sprite in enumerate(cast):
        high = common * float(rng.uniform(0.8, 1.2)) * (0.75 if sprite.bust else 1.0)
        scale = _scale(sprite, high * size.height, 1.15 * size.width / len(cast) ** 0.6)
        corner = _corner(rng, sprite, scale, size, (index + 0.5) / len(cast))
        _paste(rng, picture, standing, (sprite, index, scale, corner))
    return picture, standing


def varied(rng: Rng, sprite: Sprite) -> Sprite:
    """The sprite mirrored, recoloured or drawn in greys, by chance."""
    image, head = sprite.image, sprite.head
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        head = (image.width - head[2], head[1], image.width - head[0], head[3])
    chance = rng.random()
    if chance < 0.4:
        bands = image.split()
        order = rng.permutation(3)
        image = Image.merge("RGBA", (*(bands[int(k)] for k in order), bands[3]))
    elif chance < 0.5:
        grey = image.convert("L")
        image = Image.merge("RGBA", (grey, grey, grey, image.getchannel("A")))
    return Sprite(image, head, sprite.bust, sprite.source, sprite.identity)


def _has_alpha(image: Image.Image) -> bool:
    return image.mode == "RGBA" and bool((np.asarray(image.getchannel("A")) < _SOLID).any())


def _scale(sprite: Sprite, height: float, widest: float) -> float:
    return min(height / sprite.image.height, widest / sprite.image.width, 2.5)


def _corner(rng: Rng, sprite: Sprite, scale: float, size: Size, seat: float) -> tuple[int, int]:
    """The upper left corner: busts mostly end at the lower edge, feet stand near it."""
    width, height = sprite.image.width * scale, sprite.image.height * scale
    x = (seat + rng.normal(0, 0.09)) * size.width - width / 2
    if sprite.bust and rng.random() < 0.8:
        y = size.height - height + rng.uniform(0, 0.15) * height
    elif rng.random() < 0.75:
        y = rng.uniform(0.82, 1.02) * size.height - height
        if height > 0.85 * size.height:  # cut at the knees or the waist, the head is in
            y = rng.uniform(0.0, 0.2) * size.height
    else:
        y = rng.uniform(-0.1, 1.0) * (size.height - 0.5 * height)
    return round(x), round(y)


def _paste(
    rng: Rng,
    picture: Image.Image,
    standing: list[_Standing],
    what: tuple[Sprite, int, float, tuple[int, int]],
) -> None:
    """Paste one figure unless it would hide too much of another, or be hardly seen itself."""
    sprite, index, scale, corner = what
    pixels = sprite.image.resize(
        (max(2, round(sprite.image.width * scale)), max(2, round(sprite.image.height * scale))),
        Image.Resampling.BILINEAR,
    )
    alpha = Image.new("L", picture.size, 0)
    alpha.paste(pixels.getchannel("A"), corner)
    mask = np.asarray(alpha) >= _SOLID
    whole = int((np.asarray(pixels.getchannel("A")) >= _SOLID).sum())
    if mask.sum() < max(_LEAST_PIXELS, _LEAST_SEEN * whole):
        return
    if any(_hides(mask, other) for other in standing):
        return
    head = Box(*(round(v * scale) for v in sprite.head)).shifted(*corner)
    if not sprite.bust and rng.random() < 0.5:
        _shadow(rng, picture, pixels, corner)
    picture.paste(pixels.convert("RGB"), corner, pixels.getchannel("A"))
    for other in standing:
        other.mask &= ~mask
    standing.append(_Standing(mask.copy(), int(mask.sum()), head, index))


def _hides(mask: Flags, other: _Standing) -> bool:
    left = other.mask & ~mask
    rows, columns = _window(other.head, mask.shape)
    before, after = other.mask[rows, columns].sum(), left[rows, columns].sum()
    return left.sum() < 0.4 * other.whole or after < 0.6 * before


def _window(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    inside = box.intersection(Box(0, 0, shape[1], shape[0]))
    return slice(inside.y0, inside.y1), slice(inside.x0, inside.x1)


def _shadow(rng: Rng, picture: Image.Image, pixels: Image.Image, corner: tuple[int, int]) -> None:
    """Darken the ground under the feet: a shadow is no part of a figure."""
    shade = Image.new("L", picture.size, 0)
    middle, low = corner[0] + pixels.width / 2, corner[1] + pixels.height
    wide, deep = 0.5 * pixels.width * rng.uniform(0.6, 1.2), 0.04 * pixels.height
    box = (middle - wide, low - 1.5 * deep, middle + wide, low + deep)
    ImageDraw.Draw(shade).ellipse(box, fill=int(rng.integers(50, 150)))
    soft = shade.filter(ImageFilter.GaussianBlur(1.5))
    picture.paste(Image.new("RGB", picture.size, (30, 28, 45)), (0, 0), soft)


def _cover(
    picture: Image.Image,
    standing: list[_Standing],
    over: Image.Image,
    mask: Image.Image,
    corner: tuple[int, int],
) -> None:
    """Lay a balloon over the panel unless it would hide too much of a figure."""
    full = Image.new("L", picture.size, 0)
    full.paste(mask, corner)
    covered = np.asarray(full) >= _SOLID
    if any(_hides(covered, one) for one in standing):
        return
    picture.paste(over, corner, mask)
    for one in standing:
        one.mask &= ~covered


def _truths(standing: list[_Standing], size: Size) -> tuple[Truth, ...]:
    found: list[Truth] = []
    for one in standing:
        box = tight_box(np.where(one.mask, 255, 0).astype(np.uint8))
        if box is None or one.mask.sum() < _LEAST_PIXELS:
            continue
        head = one.head.intersection(Box(0, 0, *size))
        seen = head.area >= _LEAST_HEAD_SEEN * one.head.area and head.area > 0
        found.append(Truth(box, head if seen else None, one.mask, one.sprite))
    return tuple(found)
