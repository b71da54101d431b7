"""Colours between pictures and words: names of the vocabulary in CIE L*a*b*."""

from functools import cache

import numpy as np

from pipeline.domain.vocabulary import COLOR_SLOTS, NamedColor
from pipeline.imaging.colour import Lab, to_lab


def lab_of(color: NamedColor) -> tuple[float, float, float]:
    """A named colour as L*, a*, b* (D65)."""
    lightness, a, b = _lab_of_hex((color.hex,))[0]
    return float(lightness), float(a), float(b)


def nearest_name(slot: str, hex_color: str) -> tuple[NamedColor, float]:
    """The name of a slot's vocabulary that is nearest to a colour, and how far it is (CIE76).

    Args:
        slot: one of :data:`pipeline.domain.vocabulary.COLOR_SLOTS`.
        hex_color: ``#rrggbb``.

    Raises:
        KeyError: the slot names no colour.
    """
    names = COLOR_SLOTS[slot]
    far = np.linalg.norm(_lab_of_hex(tuple(names.values())) - _lab_of_hex((hex_color,)), axis=1)
    best = int(np.argmin(far))
    name = list(names)[best]
    return NamedColor(name, names[name]), float(far[best])


@cache
def _lab_of_hex(codes: tuple[str, ...]) -> Lab:
    rgb = np.array([list(bytes.fromhex(code[1:])) for code in codes], np.uint8)
    return to_lab(rgb)
