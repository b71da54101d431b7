"""Pictures from which nobody could say who it is, made of ones from which everybody can."""

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipeline.imaging.crops import find_figure
from pipeline.imaging.heads import Head, find_head
from pipeline.imaging.masks import Figure

Spoil = Callable[[Image.Image, Figure, Head], Image.Image]
_TINY_HEAD = 14
"""Pixels across, of the head that is too small."""


def spoil(image: Image.Image, kind: str) -> Image.Image | None:
    """A picture of a figure on transparent or plain ground, spoiled in one of KINDS.

    Returns:
        RGBA; None where no figure is found.
    """
    figure = find_figure(image)
    if figure is None:
        return None
    cut = image.convert("RGBA")
    alpha = np.minimum(np.asarray(cut.getchannel("A")), figure.mask)
    cut.putalpha(Image.fromarray(alpha))
    return KINDS[kind](cut, figure, find_head(figure))


def _silhouette(image: Image.Image, figure: Figure, _head: Head) -> Image.Image:
    """One flat colour, as against the light."""
    flat = Image.new("RGBA", image.size, (*_mean(image, figure.mask > 0), 255))
    flat.putalpha(image.getchannel("A"))
    return flat


def _blurred(image: Image.Image, _figure: Figure, head: Head) -> Image.Image:
    """Far out of focus."""
    soft = image.convert("RGB").filter(ImageFilter.GaussianBlur(0.35 * head.radius))
    soft.putalpha(image.getchannel("A"))
    return soft


def _from_behind(image: Image.Image, figure: Figure, head: Head) -> Image.Image:
    """Hair where the face was."""
    rows, columns = np.indices(figure.mask.shape)
    above = (np.hypot(columns - head.x, rows - head.y) < 1.3 * head.radius) & (figure.mask > 0)
    above &= rows < head.y - 0.6 * head.radius
    painted = image.copy()
    reach = 0.98 * head.radius
    ImageDraw.Draw(painted).ellipse(
        (head.x - reach, head.y - reach, head.x + reach, head.y + reach),
        fill=(*_mean(image, above), 255),
    )
    painted.putalpha(image.getchannel("A"))
    return painted


def _covered(image: Image.Image, _figure: Figure, head: Head) -> Image.Image:
    """Something flat is held before the head."""
    painted = image.copy()
    wide, high = 1.15 * head.radius, 1.05 * head.radius
    ImageDraw.Draw(painted).rectangle(
        (head.x - wide, head.y - high, head.x + wide, head.y + high), fill=(196, 188, 170, 255)
    )
    painted.putalpha(image.getchannel("A"))
    return painted


def _cut_off(image: Image.Image, _figure: Figure, head: Head) -> Image.Image:
    """The frame ends under the eyes."""
    top = min(image.height - 8, round(head.y + 0.35 * head.radius))
    return image.crop((0, top, image.width, image.height))


def _sliver(image: Image.Image, _figure: Figure, head: Head) -> Image.Image:
    """Behind a door: a strip of the figure is left."""
    alpha = np.asarray(image.getchannel("A")).copy()
    alpha[:, : max(0, round(head.x + 0.45 * head.radius))] = 0
    out = image.copy()
    out.putalpha(Image.fromarray(alpha))
    return out


def _tiny(image: Image.Image, _figure: Figure, head: Head) -> Image.Image:
    """In the far distance."""
    factor = _TINY_HEAD / (2 * head.radius)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    canvas = Image.new("RGBA", image.size)
    canvas.paste(image.resize(size, Image.Resampling.LANCZOS), (8, 8))
    return canvas


def _mean(image: Image.Image, where: np.ndarray) -> tuple[int, int, int]:
    pixels = np.asarray(image.convert("RGB"))[where]
    values = np.median(pixels, axis=0) if len(pixels) else np.full(3, 90)
    return int(values[0]), int(values[1]), int(values[2])


KINDS: Mapping[str, Spoil] = {
    "silhouette": _silhouette,
    "blurred": _blurred,
    "from_behind": _from_behind,
    "covered": _covered,
    "cut_off": _cut_off,
    "sliver": _sliver,
    "tiny": _tiny,
}
