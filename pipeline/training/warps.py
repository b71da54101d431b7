"""Drift that no drawing program has a slider for: jaws, proportions, colours, lines.

And what happens to every picture on its way to a model sheet.
"""

import io
from collections.abc import Callable, Mapping
from random import Random

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from pipeline.domain.geometry import Box
from pipeline.quality.attributes import Attribute

Circle = tuple[float, float, float]
Warp = Callable[[Image.Image, Circle, Random], Image.Image]


def other_proportions(image: Image.Image, head: Circle, rng: Random) -> Image.Image:
    """The head larger or smaller against the body, or the whole figure slimmer or stouter."""
    x, y, r = head
    amount = rng.choice((rng.uniform(0.74, 0.86), rng.uniform(1.16, 1.32)))
    neck = y + 1.05 * r
    has_body = _rows_below(image, neck) > 0.35 * r
    if not has_body or rng.random() < 0.4:
        wide = amount**0.5
        return _resampled(image, lambda u, v: (x + (u - x) / wide, y + (v - y) * wide))

    def body(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        share = np.clip((v - neck) / (0.3 * r), 0, 1)
        return x + (u - x) / (1 + (amount - 1) * share), v

    return _resampled(image, body)


def other_face(image: Image.Image, head: Circle, rng: Random) -> Image.Image:
    """A narrower or broader jaw, a longer or shorter chin."""
    x, y, r = head
    amount = rng.choice((rng.uniform(0.72, 0.84), rng.uniform(1.18, 1.34)))
    start, end = y + 0.1 * r, y + 0.95 * r

    def jaw(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        down = np.clip((v - start) / (end - start), 0, 1)
        share = np.where(v < end, down, np.clip(1 - (v - end) / (0.5 * r), 0, 1))
        near = np.clip(1.6 - np.abs(u - x) / r, 0, 1)
        return x + (u - x) / (1 + (amount - 1) * share * near), v

    return _resampled(image, jaw)


def other_palette(image: Image.Image, _head: Circle, rng: Random) -> Image.Image:
    """Too much or too little colour, a tint over everything, or hues that turned."""
    alpha = image.getchannel("A")
    rgb = image.convert("RGB")
    way = rng.random()
    if way < 0.5:
        amount = rng.choice((rng.uniform(0.15, 0.5), rng.uniform(1.7, 2.4)))
        rgb = ImageEnhance.Color(rgb).enhance(amount)
        rgb = ImageEnhance.Contrast(rgb).enhance(rng.choice((0.8, 1.0)))
    elif way < 0.8:
        tint = np.array([rng.choice((-1, 1)) * rng.uniform(24, 44) for _ in range(3)])
        values = np.asarray(rgb, np.float32) * 0.86 + tint
        rgb = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    else:
        hue, sat, value = rgb.convert("HSV").split()
        turn = rng.choice((-1, 1)) * rng.randint(22, 60)
        hue = hue.point([(k + turn) % 256 for k in range(256)])
        rgb = Image.merge("HSV", (hue, sat, value)).convert("RGB")
        rgb = ImageEnhance.Color(rgb).enhance(rng.uniform(0.7, 1.4))
    rgb.putalpha(alpha)
    return rgb


def other_lines(image: Image.Image, head: Circle, rng: Random) -> Image.Image:
    """Lines fatter, thinner, smudged, or scratched."""
    alpha = image.getchannel("A")
    rgb = Image.new("RGB", image.size, (255, 255, 255))
    rgb.paste(image.convert("RGB"), mask=alpha)
    match rng.randrange(4):
        case 0:
            rgb = rgb.filter(ImageFilter.MinFilter(5 if head[2] > 50 else 3))
        case 1:
            rgb = rgb.filter(ImageFilter.MaxFilter(5 if head[2] > 50 else 3))
        case 2:
            rgb = rgb.filter(ImageFilter.GaussianBlur(head[2] * rng.uniform(0.045, 0.08)))
        case _:
            rgb = _scratched(rgb, head[2], rng)
    rgb.putalpha(alpha)
    return rgb


def _scratched(rgb: Image.Image, radius: float, rng: Random) -> Image.Image:
    """Hatched as with a dry pen, along one slant."""
    values = np.asarray(rgb, np.float32)
    height, width = values.shape[:2]
    v, u = np.mgrid[:height, :width]
    period = max(3.0, radius * rng.uniform(0.07, 0.14))
    wave = np.sin((u + rng.choice((-1, 1)) * v) * 2 * np.pi / period)
    shade = 1 - rng.uniform(0.25, 0.5) * (wave > 0.3)
    return Image.fromarray((values * shade[..., None]).clip(0, 255).astype(np.uint8))


WARPS: Mapping[Attribute, Warp] = {
    Attribute.FACE_SHAPE: other_face,
    Attribute.PROPORTIONS: other_proportions,
    Attribute.PALETTE: other_palette,
    Attribute.LINE_STYLE: other_lines,
}
"""Drift that is done to a picture."""


def as_photographed(
    image: Image.Image, box: Box | None, rng: Random, *, mirror: bool
) -> tuple[Image.Image, Box | None]:
    """A picture as it comes in: turned, resized, cut, a little lighter, compressed.

    Returns:
        The picture (RGBA) and where ``box`` went.
    """
    side = image.width
    wide = round(1.3 * side)
    canvas = Image.new("RGBA", (wide, wide))
    at = round(0.15 * side)
    canvas.paste(image, (at, at))
    size = rng.uniform(0.7, 1.2)
    turn = rng.uniform(-5, 5)
    canvas = canvas.rotate(turn, Image.Resampling.BICUBIC)
    center = canvas.width / 2
    if box is not None:
        angle = np.deg2rad(turn)
        cx, cy = (box.x0 + box.x1) / 2 + at - center, (box.y0 + box.y1) / 2 + at - center
        nx = center + cx * np.cos(angle) + cy * np.sin(angle)
        ny = center - cx * np.sin(angle) + cy * np.cos(angle)
        half = box.width / 2
        box = Box(*(round(n * size) for n in (nx - half, ny - half, nx + half, ny + half)))
    width = round(canvas.width * size)
    canvas = canvas.resize((width, width), Image.Resampling.LANCZOS)
    if mirror:
        canvas = canvas.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return _compressed(canvas, rng), box


def _compressed(image: Image.Image, rng: Random) -> Image.Image:
    alpha = image.getchannel("A")
    rgb = Image.new("RGB", image.size, (255, 255, 255))
    rgb.paste(image.convert("RGB"), mask=alpha)
    values = np.asarray(rgb, np.float32) * rng.uniform(0.94, 1.05)
    values *= 1 + np.array([rng.uniform(-0.025, 0.025) for _ in range(3)])
    rgb = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    stream = io.BytesIO()
    rgb.save(stream, "JPEG", quality=rng.randint(65, 95))
    rgb = Image.open(stream).convert("RGB")
    rgb.putalpha(alpha)
    return rgb


def _rows_below(image: Image.Image, row: float) -> int:
    alpha = np.asarray(image.getchannel("A")) > 127
    return int(alpha[max(0, round(row)) :].any(axis=1).sum())


def _resampled(
    image: Image.Image,
    source: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> Image.Image:
    """Move pixels: ``source`` says where each one comes from. Bilinear, transparent outside."""
    values = np.asarray(image.convert("RGBa"), np.float32)
    height, width = values.shape[:2]
    v, u = np.mgrid[:height, :width].astype(np.float32)
    x, y = source(u, v)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    padded = np.pad(values, ((1, 2), (1, 2), (0, 0)))

    def at(cx: np.ndarray, cy: np.ndarray) -> np.ndarray:
        return padded[np.clip(cy + 1, 0, height + 1), np.clip(cx + 1, 0, width + 1)]

    top = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx
    low = at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx
    out = (top * (1 - fy) + low * fy).round().clip(0, 255).astype(np.uint8)
    rgb = out[..., :3]
    return Image.fromarray(np.dstack([np.minimum(rgb, out[..., 3:]), out[..., 3]]), "RGBa").convert(
        "RGBA"
    )
