"""A judged picture as numbers: eight that have a name, and what an encoder sees of the whole."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from pipeline.domain.character import ColorMode
from pipeline.domain.quality import JudgedCandidate
from pipeline.domain.taste import Trait, Traits
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.colour import to_lab
from pipeline.imaging.crops import CROP_SIDE, GROUND, FigureCrop
from pipeline.imaging.decode import load_canonical

_SIDE = 96
_SPAN = 100.0
"""L* goes to 100; a* and b* are divided by the same, so that the units are comparable."""


def described(
    judged: Sequence[JudgedCandidate], encoders: Sequence[Encoder], color_mode: ColorMode
) -> tuple[JudgedCandidate, ...]:
    """With their traits, those of the pictures that may go to a vote.

    Args:
        judged: the pictures.
        encoders: the first of them looks at the whole picture; without any nothing is described.
        color_mode: how the series is printed.
    """
    return tuple(
        replace(one, traits=traits_of(one, encoders[0], color_mode))
        if encoders and one.report.acceptable
        else one
        for one in judged
    )


def traits_of(judged: JudgedCandidate, encoder: Encoder, color_mode: ColorMode) -> Traits:
    """Describe a picture.

    Lightness, contrast (standard deviation of L*), colourfulness (mean chroma), warmth (mean of
    a* + b*) and detail (mean step of L* between neighbours) are parts of 100; closeness is the
    height of the tallest checked figure over the picture's; centred is 1 less how far that
    figure's middle is from the picture's, in half widths; likeness is the check's margin.

    Args:
        judged: an on-model candidate with canonical PNG.
        encoder: what looks at the whole picture.
        color_mode: how the series is printed.

    Raises:
        InvalidPicture: the candidate's bytes are damaged.
    """
    image = _flat(load_canonical(judged.candidate.image))
    small = image.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    lab = to_lab(np.asarray(small)) / _SPAN
    light, red, yellow = lab[..., 0], lab[..., 1], lab[..., 2]
    steps = np.abs(np.diff(light, axis=0)).mean() + np.abs(np.diff(light, axis=1)).mean()
    closeness, centred = _framing(judged)
    named = {
        Trait.LIGHTNESS: float(light.mean()),
        Trait.CONTRAST: float(light.std()),
        Trait.COLOURFULNESS: float(np.hypot(red, yellow).mean()),
        Trait.WARMTH: float((red + yellow).mean()),
        Trait.DETAIL: float(steps),
        Trait.CLOSENESS: closeness,
        Trait.CENTRED: centred,
        Trait.LIKENESS: judged.report.margin or 0.0,
    }
    seen = encoder.encode([_whole(image)], color_mode)[0]
    return Traits(named, seen.vector, str(seen.encoder))


def _flat(image: Image.Image) -> Image.Image:
    if "A" not in image.getbands():
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, (*GROUND, 255))
    return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")


def _whole(image: Image.Image) -> FigureCrop:
    """The picture on the ground that encoders know, none of it cut away."""
    fitted = image.copy()
    fitted.thumbnail((CROP_SIDE, CROP_SIDE), Image.Resampling.BOX)
    square = Image.new("RGB", (CROP_SIDE, CROP_SIDE), GROUND)
    at = ((CROP_SIDE - fitted.width) // 2, (CROP_SIDE - fitted.height) // 2)
    square.paste(fitted, at)
    mask = np.zeros((CROP_SIDE, CROP_SIDE), np.uint8)
    mask[at[1] : at[1] + fitted.height, at[0] : at[0] + fitted.width] = 255
    return FigureCrop(square, mask)


def _framing(judged: JudgedCandidate) -> tuple[float, float]:
    """How close the tallest figure is, and how near the middle; (0, 0) where none is known."""
    boxes = [check.box for check in judged.report.checks if check.box is not None]
    if not boxes:
        return 0.0, 0.0
    width, height = judged.candidate.size
    tallest = max(boxes, key=lambda box: box.height)
    middle = (tallest.x0 + tallest.x1) / 2
    return tallest.height / height, 1 - abs(2 * middle / width - 1)
