"""Must-keep marks for the model sheet: a close-up each, with the mark ringed."""

from dataclasses import dataclass

from PIL import Image, ImageDraw

from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.typeset import PAPER, Rgb
from pipeline.registry.marks import mark_caption

RING: Rgb = (190, 48, 42)
"""The red of a corrector's pencil."""
_AROUND = 2.6
"""Side of a close-up in longer sides of the mark."""


@dataclass(frozen=True, slots=True, eq=False)
class MarkTile:
    """A close-up (RGB, square) and what it shows in words."""

    image: Image.Image
    words: str


def mark_tiles(cast: CastInput, side: int) -> list[MarkTile]:
    """Close-ups of ``side`` pixels of all marks whose reference is at hand.

    Raises:
        InvalidPicture: a reference's bytes are damaged.
    """
    pictures = {r.reference_id: r.image for r in cast.references}
    return [
        MarkTile(_close_up(load_canonical(pictures[m.reference_id]), m.box, side), mark_caption(m))
        for m in cast.marks
        if m.reference_id in pictures
    ]


def _close_up(picture: Image.Image, box: Box, side: int) -> Image.Image:
    x, y = box.center
    half = max(box.width, box.height) * _AROUND / 2
    region = Box(round(x - half), round(y - half), round(x + half), round(y + half))
    part = picture.convert("RGBA").crop(region)
    tile = Image.new("RGB", part.size, PAPER)
    tile.paste(part.convert("RGB"), mask=part.getchannel("A"))
    tile = tile.resize((side, side), Image.Resampling.LANCZOS)
    scale = side / region.width
    ring = box.shifted(-region.x0, -region.y0).scaled(scale)
    pad = round(side * 0.03)
    ImageDraw.Draw(tile).ellipse(
        (ring.x0 - pad, ring.y0 - pad, ring.x1 + pad, ring.y1 + pad), outline=RING, width=5
    )
    return tile
