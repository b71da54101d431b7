"""How saturated a picture is beside the page that it goes on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.quality import JudgedCandidate, PageTone, ToneFault
from pipeline.imaging.colour import to_lab
from pipeline.imaging.decode import load_canonical

MOST_BESIDE = 6
"""Panels of a page that a picture is compared with."""
BEYOND = 1.4
"""How many times as saturated as its page, or as pale, a picture may be.

Source: a named prior. The demo's panels lie within 0.89 and 1.31 of one another, and 6 of 7 are
noticed at twice the saturation and at six tenths of it (``docs/quality.md``).
"""
LEAST_COMMON = 0.06
"""Least share of a picture whose colours are on the page too; with less nothing can be compared."""
_FAINT = 4.0
"""Chroma under which a pixel has no hue to speak of."""
_HUES, _LIGHTS = 12, 5
_TRACE = 0.003
_SIDE = 192
MODES: Mapping[ToneFault, str] = {ToneFault.STRONGER: "palette", ToneFault.PALER: "washed_out"}
"""The drift modes of the catalogue that they are."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Tone:
    """A picture's colours in cells of hue and lightness: shares of the picture, and mean chroma.

    Both of shape (60,). A change of saturation keeps hue and lightness, so that the chroma of one
    cell can be compared between pictures that show other things.
    """

    shares: Floats
    chroma: Floats


def tone_of(image: Image.Image) -> Tone:
    """Measure a picture of any mode; transparent parts do not count."""
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE))
    seen = np.ones((small.height, small.width), bool)
    if small.mode == "RGBA":
        seen = np.asarray(small.getchannel("A")) > 127
    lab = to_lab(np.asarray(small.convert("RGB")))[seen].astype(np.float64)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    hue = (np.arctan2(lab[:, 2], lab[:, 1]) / (2 * math.pi)) % 1.0
    light = np.minimum((lab[:, 0] / 100 * _LIGHTS).astype(int), _LIGHTS - 1)
    cells = (hue * _HUES).astype(int) % _HUES * _LIGHTS + light
    strong = chroma > _FAINT
    counts = np.bincount(cells[strong], minlength=_HUES * _LIGHTS)
    sums = np.bincount(cells[strong], chroma[strong], _HUES * _LIGHTS)
    return Tone(counts / max(1, len(lab)), sums / np.maximum(1, counts))


def beside_page(tone: Tone, page: Sequence[Tone]) -> PageTone | None:
    """Compare a picture with the accepted panels of its page.

    Args:
        tone: the picture's.
        page: those of the page's panels.

    Returns:
        The weighted median, over the colours that it shares with the panels, of how many times as
        saturated they are; None where too little is shared.
    """
    ratios: list[Floats] = []
    weights: list[Floats] = []
    for other in page:
        common = np.minimum(tone.shares, other.shares)
        known = common > _TRACE
        ratios.append(np.log(tone.chroma[known] / other.chroma[known]))
        weights.append(common[known])
    values, weight = np.concatenate([*ratios, []]), np.concatenate([*weights, []])
    if weight.sum() < LEAST_COMMON:
        return None
    order = np.argsort(values)
    middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    factor = float(np.exp(values[order][min(middle, len(order) - 1)]))
    fault = None
    if factor > BEYOND:
        fault = ToneFault.STRONGER
    elif factor < 1 / BEYOND:
        fault = ToneFault.PALER
    return PageTone(factor, len(page), fault)


def page_tones(panels: Sequence[bytes]) -> list[Tone]:
    """Measure the accepted panels of a page, canonical PNGs."""
    return [_measured(png) for png in panels]


@lru_cache(maxsize=64)  # a worker makes one panel of a page after another
def _measured(png: bytes) -> Tone:
    return tone_of(load_canonical(png))


def on_page(judged: JudgedCandidate, page: Sequence[Tone]) -> JudgedCandidate:
    """A judged picture, told about its colours beside its page."""
    if not page:
        return judged
    tone = beside_page(tone_of(load_canonical(judged.candidate.image)), page)
    return replace(judged, report=replace(judged.report, tone=tone))


def mode_beside(tone: PageTone | None) -> str:
    """The drift mode that a picture's colours are beside its page; empty where none is."""
    return "" if tone is None or tone.fault is None else MODES[tone.fault]


def tone_words(tone: PageTone) -> str:
    """What is wrong with the colours beside the page, as a sentence; empty where nothing is."""
    match tone.fault:
        case ToneFault.STRONGER:
            return f"Its colours are {tone.shift:.0%} stronger than on the rest of its page."
        case ToneFault.PALER:
            return f"Its colours are {-tone.shift:.0%} paler than on the rest of its page."
        case None:
            return ""
