"""Busy grounds to learn on: shapes, stripes, lattices, strokes and screentone, by chance."""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Rng = np.random.Generator
_Painter = Callable[[ImageDraw.ImageDraw, int, Rng], None]


def busy_ground(rng: Rng, side: int) -> Image.Image:
    """A square RGB picture of ``side`` pixels, full of things that are no figure."""
    image = _gradient(rng, side)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 6))):
        _PAINTERS[int(rng.integers(len(_PAINTERS)))](draw, side, rng)
    if rng.random() < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 3.0))))
    if rng.random() < 0.15:
        image = image.convert("L").convert("RGB")
    return image


def _colour(rng: Rng) -> tuple[int, int, int]:
    """Any colour, paper white and ink more often than others."""
    chance = rng.random()
    if chance < 0.12:
        return (255, 255, 255)
    if chance < 0.22:
        return (12, 12, 14)
    red, green, blue = (int(v) for v in rng.integers(0, 256, 3))
    return (red, green, blue)


def _gradient(rng: Rng, side: int) -> Image.Image:
    ends = np.array([_colour(rng), _colour(rng)], np.float32)
    turn = rng.uniform(0, 2 * math.pi)
    y, x = np.mgrid[:side, :side] / side
    along = np.clip((x - 0.5) * math.cos(turn) + (y - 0.5) * math.sin(turn) + 0.5, 0, 1)
    pixels = ends[0] + along[..., None] * (ends[1] - ends[0])
    return Image.fromarray(pixels.astype(np.uint8))


def _polygons(draw: ImageDraw.ImageDraw, side: int, rng: Rng) -> None:
    for _ in range(int(rng.integers(3, 14))):
        middle, reach = rng.uniform(0, side, 2), rng.uniform(0.05, 0.4) * side
        turns = np.sort(rng.uniform(0, 2 * math.pi, int(rng.integers(3, 8))))
        corners = [
            (float(middle[0] + reach * math.cos(t)), float(middle[1] + reach * math.sin(t)))
            for t in turns
        ]
        line = _colour(rng) if rng.random() < 0.5 else None
        draw.polygon(corners, fill=_colour(rng), outline=line)


def _rounds(draw: ImageDraw.ImageDraw, side: int, rng: Rng) -> None:
    fill = _colour(rng)
    for _ in range(int(rng.integers(4, 30))):
        x, y = rng.uniform(0, side, 2)
        w, h = rng.uniform(0.02, 0.2, 2) * side
        if rng.random() < 0.4:
            fill = _colour(rng)
        line = _colour(rng) if rng.random() < 0.5 else None
        draw.ellipse((x - w, y - h, x + w, y + h), fill=fill, outline=line, width=2)


def _stripes(draw: ImageDraw.ImageDraw, side: int, rng: Rng) -> None:
    colour, width = _colour(rng), int(rng.integers(1, max(2, side // 12)))
    turn, gap = rng.uniform(0, math.pi), rng.uniform(1.5, 5.0) * width + 2
    across, along = (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))
    for step in np.arange(-side, side, gap):
        x, y = side / 2 + step * across[0], side / 2 + step * across[1]
        reach = 1.5 * side
        ends = (
            x - reach * along[0],
            y - reach * along[1],
            x + reach * along[0],
            y + reach * along[1],
        )
        draw.line(ends, fill=colour, width=width)


def _lattice(draw: ImageDraw.ImageDraw, side: int, rng: Rng) -> None:
    """Rows of boxes: windows, bricks, shelves, tiles."""
    width, height = (int(v) for v in rng.integers(max(4, side // 20), max(8, side // 4), 2))
    gap, fill, line = int(rng.integers(1, 9)), _colour(rng), _colour(rng)
    top = int(rng.integers(0, side // 2))
    for row, y in enumerate(range(top, side, height + gap)):
        shift = (row % 2) * width // 2
        for x in range(-shift, side, width + gap):
            draw.rectangle((x, y, x + width, y + height), fill=fill, outline=line)


def _strokes(draw: ImageDraw.ImageDraw, side: int, rng: Rng) -> None:
    """Grass, leaves, hatching, or lines of speed towards one point."""
    focus = rng.uniform(0, side, 2) if rng.random() < 0.4 else None
    colour, reach = _colour(rng), rng.uniform(0.05, 0.5) * side
    for _ in range(int(rng.integers(20, 90))):
        x, y = rng.uniform(0, side, 2)
        if focus is None:
            turn = rng.normal(math.pi / 2, 0.5)
        else:
            turn = math.atan2(focus[1] - y, focus[0] - x)
        end = (x + reach * math.cos(turn), y + reach * math.sin(turn))
        draw.line((x, y, *end), fill=colour, width=int(rng.integers(1, 4)))


def _screentone(draw: ImageDraw.ImageDraw, side: int, rng: Rng) -> None:
    step, colour = float(rng.uniform(3, 10)), _colour(rng)
    radius = step * rng.uniform(0.15, 0.5)
    top = rng.uniform(0, side)
    for row, y in enumerate(np.arange(top, side, step)):
        for x in np.arange((row % 2) * step / 2, side, step):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _faces(draw: ImageDraw.ImageDraw, side: int, rng: Rng) -> None:
    """Bystanders: discs with eyes, so that any face is not taken for the face."""
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0, side, 2)
        r = rng.uniform(0.06, 0.18) * side
        draw.ellipse((x - r, y - r, x + r, y + r), fill=_colour(rng), outline=(20, 20, 20), width=2)
        for off in (-0.35, 0.35):
            e = 0.12 * r
            cx = x + off * r
            draw.ellipse((cx - e, y - e, cx + e, y + e), fill=(20, 20, 20))
        draw.arc((x - r / 2, y, x + r / 2, y + r / 2), 10, 170, fill=(20, 20, 20), width=2)


_PAINTERS: tuple[_Painter, ...] = (
    _polygons, _rounds, _stripes, _lattice, _strokes, _screentone, _faces,
)  # fmt: skip
