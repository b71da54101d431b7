"""Marks: where a person says they are, and the small fingerprints of just that region."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from pipeline.domain.character import ColorMode, Mark
from pipeline.domain.errors import InvalidInput
from pipeline.domain.fingerprint import Embedding
from pipeline.domain.geometry import Box, Size
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.crops import CROP_SIDE, GROUND, FigureCrop

MarkPrints = tuple[tuple[ColorMode, Embedding], ...]
LEAST_SIDE = 4
"""A region of fewer pixels in either direction says nothing."""


def checked_box(box: Box, size: Size) -> Box:
    """A region that lies inside a picture.

    Raises:
        InvalidInput: it does not, or it is too small.
    """
    inside = box.intersection(Box(0, 0, *size))
    if inside != box or min(box.width, box.height) < LEAST_SIDE:
        raise InvalidInput(
            f"The region {', '.join(map(str, box))} must lie inside the reference, which has "
            f"{size.width} × {size.height} pixels, and be at least {LEAST_SIDE} pixels wide."
        )
    return box


def mark_crop(image: Image.Image, box: Box) -> FigureCrop:
    """The region of a mark as encoders take it: a square on the neutral ground."""
    part = image.crop(box).convert("RGBA")
    side = max(part.size)
    left, top = (side - part.width) // 2, (side - part.height) // 2
    ground = Image.new("RGB", (side, side), GROUND)
    ground.paste(part.convert("RGB"), (left, top), part.getchannel("A"))
    mask = Image.new("L", (side, side), 0)
    mask.paste(part.getchannel("A"), (left, top))
    small = np.asarray(mask.resize((CROP_SIDE, CROP_SIDE), Image.Resampling.BOX))
    return FigureCrop(
        ground.resize((CROP_SIDE, CROP_SIDE), Image.Resampling.LANCZOS),
        np.where(small > 127, 255, 0).astype(np.uint8),
    )


def mark_prints(image: Image.Image, box: Box, encoders: Sequence[Encoder]) -> MarkPrints:
    """The fingerprints of one region, in colour and in grey.

    Args:
        image: the canonical reference, RGB or RGBA.
        box: the region in its pixels.
        encoders: each gives one vector a mode.
    """
    crop = mark_crop(image, box)
    return tuple((mode, e.encode([crop], mode)[0]) for mode in ColorMode for e in encoders)


def mark_caption(mark: Mark) -> str:
    """``scar, on the left: thin, over the brow``: a mark under a picture or in a list."""
    place = {"left": ", on the left", "right": ", on the right", "center": ", in the middle"}
    return mark.name + place.get(mark.side, "") + (f": {mark.notes}" if mark.notes else "")
