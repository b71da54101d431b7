"""What the art itself says of a new reference: guesses that a person confirms.

The head is the disc that :func:`pipeline.imaging.heads.find_head` fits into the silhouette. Its
rim above the face is taken for hair, the middle of its lower half for skin, and what lies below
the chin for the top. That is right for people who are drawn from the front and often wrong for
mugs and monsters, so nothing here becomes a fact by itself.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.imaging.color_names import nearest_name
from pipeline.imaging.colour import palette, to_lab
from pipeline.imaging.drawn_faces import LIKELY, drawn_faces
from pipeline.imaging.heads import Head, find_head
from pipeline.imaging.masks import Figure, Mask

_DARK = 22.0
"""L* under which a colour of skin or cloth is taken for its outline."""
_WHITE = 90.0
"""L* over which the colour of an eye is taken for its white."""
_AROUND_FACE = 4.0
"""Side of the square in which a face is looked for, in head radii."""
_LEAST_PIXELS = 24
_FRONT, _QUARTER = 0.13, 0.42
"""Facing (0 to 1) up to which a head counts as seen from the front, from three quarters."""


@dataclass(frozen=True, slots=True)
class _Patch:
    """An ellipse inside a figure, in head radii from the head's centre."""

    slot: str
    words: str
    x: float
    y: float
    half_width: float
    half_height: float
    skips_outline: bool


_PATCHES = (
    _Patch("hair_color", "hair_color", 0.0, -0.95, 0.62, 0.30, skips_outline=False),
    _Patch("skin", "skin", 0.0, 0.28, 0.50, 0.36, skips_outline=True),
    _Patch("top", "main_color", 0.0, 3.0, 1.0, 0.8, skips_outline=True),
)


def suggest_components(image: Image.Image, figure: Figure) -> dict[str, str]:
    """Guess hair, skin and top colours of one picture, by names of the vocabulary.

    Returns:
        Component → colour name; what the picture does not show is left out.
    """
    head = find_head(figure)
    found = {p.slot: color for p in _PATCHES if (color := _color(image, figure, head, p))}
    return {
        p.slot: nearest_name(p.words, found[p.slot])[0].name for p in _PATCHES if p.slot in found
    }


def face_components(image: Image.Image, figure: Figure) -> dict[str, str]:
    """Colours of hair, skin and eyes where the drawn-face detector sees a face, by name.

    It often samples the white of an eye, so eyes are named only where both say the same colour.

    Returns:
        Component → colour name; nothing where no face is likely enough.
    """
    head = find_head(figure)
    faces = drawn_faces(image.crop(head.square(_AROUND_FACE, -_AROUND_FACE / 2)))
    if not faces or faces[0].likelihood < LIKELY:
        return {}
    face = faces[0]
    left, right = (nearest_name("eye_color", eye)[0].name for eye in face.eyes)
    found = {
        "hair_color": nearest_name("hair_color", face.hair)[0].name,
        "skin": nearest_name("skin", face.skin)[0].name,
    }
    plain = any(_lightness(eye) > _WHITE for eye in face.eyes)
    return found if left != right or plain else found | {"eye_color": left}


def agreed(guesses: Sequence[dict[str, str]]) -> dict[str, str]:
    """What most pictures of one look say; a component without a majority is left out."""
    out: dict[str, str] = {}
    for slot in sorted({slot for guess in guesses for slot in guess}):
        votes = Counter(guess[slot] for guess in guesses if slot in guess)
        value, count = votes.most_common(1)[0]
        if 2 * count > votes.total():
            out[slot] = value
    return out


def suggest_angle(facing: float) -> str:
    """Guess the angle from :attr:`pipeline.imaging.cutout.Cutout.facing` (-1 to 1).

    A back view looks like a front view to it.
    """
    turned = abs(facing)
    if turned <= _FRONT:
        return "front"
    return "three_quarter" if turned <= _QUARTER else "side"


def _color(image: Image.Image, figure: Figure, head: Head, patch: _Patch) -> str | None:
    """The main colour of a patch as ``#rrggbb``; None where the figure is not there."""
    mask = _ellipse(figure.mask.shape, head, patch) & figure.mask
    if int((mask > 127).sum()) < _LEAST_PIXELS:
        return None
    colors = palette(image, mask, 3)
    if not patch.skips_outline:
        return colors[0] if colors else None
    return next((c for c in colors if _lightness(c) >= _DARK), colors[0] if colors else None)


def _ellipse(shape: tuple[int, ...], head: Head, patch: _Patch) -> Mask:
    ys = (np.arange(shape[0]) - head.y) / head.radius - patch.y
    xs = (np.arange(shape[1]) - head.x) / head.radius - patch.x
    inside = (ys[:, None] / patch.half_height) ** 2 + (xs[None, :] / patch.half_width) ** 2 <= 1
    return np.where(inside, 255, 0).astype(np.uint8)


def _lightness(code: str) -> float:
    return float(to_lab(np.array(list(bytes.fromhex(code[1:])), np.uint8))[0])
