"""The colours of a character: what they usually are, and what they are in a picture."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.quality.plates import HEIGHT, WIDTH, Fit, Floats, Plate, colours, moved
from pipeline.quality.template import DOWN, Flags, Template, dominant, like, solid

_FEW = 30
"""Map pixels from which a colour counts as seen."""
_MOST_COLOURS = 8
"""Colours of one character that are told apart."""
_ONE_COLOUR = 8.0
"""CIE76 distance within which a pixel has a colour: hair may be hardly darker than skin."""
_SHARE = 0.015
"""Share of a figure from which a colour is one of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class PartColor:
    """A colour of a part, Lab around the middle (3,): usual, and seen in this figure.

    ``share`` is the share of the part that has the colour seen.
    """

    part: str
    usual: Floats
    seen: Floats
    share: float = 1.0


def usual_parts(template: Template) -> list[PartColor]:
    """The colours of a look as its references have them, the commonest first."""
    return [PartColor(part, color, color) for part, color, _ in _places(template)]


def seen_parts(image: Image.Image, plate: Plate, fit: Fit, template: Template) -> list[PartColor]:
    """What is in a picture where the references have the colours of their parts.

    The picture is asked whether or not its figure was cut out there: a silhouette that lost the
    hair would hide its colour.

    Args:
        image: the picture that the plate was made of.
        plate: the figure in it.
        fit: how the plate lies over the template.
        template: the look's references.
    """
    layer = colours(moved(_uncut(image, plate), fit, DOWN))
    out: list[PartColor] = []
    for part, usual, where in _places(template):
        count = int((where & solid(layer)).sum())
        if count > _FEW:
            seen = dominant(layer, where)
            share = float((like(layer, seen) & where).sum()) / count
            out.append(PartColor(part, usual, seen, share))
    return out


def _places(template: Template) -> list[tuple[str, Floats, Flags]]:
    """Every colour of a look: of which part it is, and where it is on the template."""
    typical = template.typical
    where = solid(typical)
    least = max(_FEW, _SHARE * int(where.sum()))
    out: list[tuple[str, Floats, Flags]] = []
    for _ in range(_MOST_COLOURS):
        if int(where.sum()) <= least:
            break
        color = dominant(typical, where)
        here = where & like(typical, color, _ONE_COLOUR)
        if int(here.sum()) > least:
            out.append((_part_of(color, here, template), color, here))
        where = where & ~like(typical, color, 1.5 * _ONE_COLOUR)
    return out


def _part_of(color: Floats, here: Flags, template: Template) -> str:
    """The part that a colour is of, by where most of it lies."""
    masks = template.zones.masks
    if 2 * int((here & (masks["torso"] | masks["legs"])).sum()) > int(here.sum()):
        return "clothes"
    if np.linalg.norm(color - template.zones.skin) < _ONE_COLOUR:
        return "skin"
    face = np.any([masks[f"face{k}"] for k in range(5)], axis=0)
    return "face" if 2 * int((here & face).sum()) > int(here.sum()) else "hair"


def _uncut(image: Image.Image, plate: Plate) -> Plate:
    """The whole of the picture where a plate lies, not only the figure."""
    x, y = plate.origin
    box = (x, y, x + WIDTH * plate.scale, y + HEIGHT * plate.scale)
    whole = image.convert("RGBA").transform(
        (WIDTH, HEIGHT), Image.Transform.EXTENT, box, Image.Resampling.BILINEAR
    )
    return Plate(whole, plate.origin, plate.scale)
