"""What drifted, on the evidence card: bars with their uncertainty, and a map of where."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from pipeline.domain.geometry import Box
from pipeline.domain.quality import Drift
from pipeline.imaging.column import Column
from pipeline.imaging.typeset import INK, QUIET, RULE, Rgb, TextStyle, shortened, width_of, write
from pipeline.quality.attribution import NAMED, words

MOST_BARS = 5
LEAST_SHOWN = 0.08
"""Attributes that are less likely are not worth a line."""
_HEADING = TextStyle(38, bold=True)
_LABEL = TextStyle(34)
_SMALL = TextStyle(32, color=QUIET)
_BAR: Rgb = (58, 98, 150)
_SPAN: Rgb = (150, 176, 206)
_HOT = np.array([214, 40, 30], np.float32)
_HEAT_SHARE = 0.75
"""How much of the hottest places' own colour is covered."""


def heated(image: Image.Image, heat: np.ndarray) -> Image.Image:
    """The picture in quiet greys, red where it differs from the references.

    Args:
        image: RGB or RGBA; transparent parts stay so.
        heat: uint8 of the picture's shape.
    """
    grey = np.asarray(image.convert("L"), np.float32)[..., None] * 0.7 + 70
    share = (heat.astype(np.float32) / 255)[..., None] * _HEAT_SHARE
    mixed = np.broadcast_to(grey, (*heat.shape, 3)) * (1 - share) + _HOT * share
    out = Image.fromarray(mixed.clip(0, 255).astype(np.uint8))
    if image.mode == "RGBA":
        out.putalpha(image.getchannel("A"))
    return out


def drift_bars(card: Column, drifts: Sequence[Drift]) -> None:
    """A bar for each attribute that may have drifted: how likely, and between which bounds."""
    shown = [one for one in drifts if one.confidence >= LEAST_SHOWN][:MOST_BARS]
    card.need(70 + 58 * max(1, len(shown)))
    write(card.draw, (card.margin, card.y), "What differs most", _HEADING)
    card.y += 56
    if not shown:
        card.text("Nothing that has a name stands out.", _LABEL)
        return
    for one in shown:
        _bar(card, one)
    card.y += 6


def _bar(card: Column, drift: Drift) -> None:
    draw, y = card.draw, card.y
    sure = drift.confidence >= NAMED
    label = TextStyle(_LABEL.size, bold=sure)
    write(draw, (card.margin, y), shortened(words(drift.attribute), label, 330), label)
    x0, x1 = card.margin + 350, card.width - card.margin - 130
    draw.rounded_rectangle((x0, y + 10, x1, y + 38), 8, fill=RULE)

    def across(share: float) -> float:
        return x0 + share * (x1 - x0)

    draw.rounded_rectangle(
        (x0, y + 10, max(across(drift.confidence), x0 + 8), y + 38), 8, fill=_BAR if sure else _SPAN
    )
    low, high = across(drift.low), across(drift.high)
    draw.line((low, y + 24, high, y + 24), fill=INK, width=4)
    for end in (low, high):
        draw.line((end, y + 14, end, y + 34), fill=INK, width=4)
    number = f"{drift.confidence:.0%}"
    write(draw, (card.width - card.margin - width_of(number, label), y), number, label)
    card.y += 58


def ringed(image: Image.Image, boxes: Sequence[Box]) -> Image.Image:
    """The picture with boxes drawn around the places that were named."""
    from PIL import ImageDraw

    out = image.copy()
    draw = ImageDraw.Draw(out)
    thick = max(2, round(max(image.size) / 220))
    for box in boxes:
        draw.rectangle((box.x0, box.y0, box.x1 - 1, box.y1 - 1), outline=(214, 40, 30), width=thick)
    return out


def recipe_lines(card: Column, changes: Sequence[str]) -> None:
    """What is different in the recipe since the last panel of the character that was accepted."""
    if not changes:
        return
    card.need(60)
    write(card.draw, (card.margin, card.y), "Changed since the last good panel", _HEADING)
    card.y += 54
    for line in changes:
        card.text(f"· {line}", _SMALL, most=2)
    card.y += 10
