"""What a look's references have in common: colours, unrest, where face, hair and clothes lie."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Box
from pipeline.quality.plates import (
    CENTER,
    HEIGHT,
    RADIUS,
    SOLID_WEIGHT,
    WIDTH,
    Fit,
    Floats,
    Plate,
    colours,
    lay_over,
    moved,
)

Flags = NDArray[np.bool_]

DOWN = 2
"""How much smaller the maps are than the plates."""
UNIT = RADIUS // DOWN
SHAPE = (HEIGHT // DOWN, WIDTH // DOWN)
MOST_REFERENCES = 4
"""References that are compared; more cost time and say little."""
SAME = 14.0
"""CIE76 distance up to which two pixels have one colour; print and light stay below it."""
_EDGE = 18.0
_HALF = SOLID_WEIGHT / 2


@dataclass(frozen=True, slots=True, eq=False)
class Zones:
    """Where things lie on the template, and the dominant colours of hair, skin and clothes."""

    face: Box
    masks: dict[str, Flags]
    hair: Floats
    skin: Floats
    cloth: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """References laid over their anchor. Maps have the shape ``SHAPE``.

    ``layers`` are the references' colours, ``typical`` their median, ``unrest`` how much they
    differ among themselves, ``edges`` where each has lines. ``faces`` and ``face_unrest`` are the
    same for the ``window`` of the plate that holds the face, at the plate's full size.
    """

    anchor: Plate
    fits: tuple[Fit, ...]
    layers: tuple[Floats, ...]
    typical: Floats
    unrest: Floats
    edges: tuple[Flags, ...]
    zones: Zones
    window: Box
    faces: tuple[Floats, ...]
    face_unrest: Floats


def template_of(anchor: Plate, others: Sequence[Plate]) -> Template:
    """Lay references over each other.

    Args:
        anchor: the one that the others are laid over.
        others: of the same look; at most :data:`MOST_REFERENCES` are used.
    """
    fits = [Fit(), *(lay_over(other, anchor) for other in others[: MOST_REFERENCES - 1])]
    plates = [anchor, *others[: MOST_REFERENCES - 1]]
    layers = [colours(moved(p, fit, DOWN)) for p, fit in zip(plates, fits, strict=True)]
    typical = np.median(np.stack(layers), axis=0).astype(np.float32)
    zones = zones_of(typical)
    window = _window(zones.face)
    faces = [colours(moved(p, fit).crop(window)) for p, fit in zip(plates, fits, strict=True)]
    return Template(
        anchor,
        tuple(fits),
        tuple(layers),
        typical,
        _unrest(layers),
        tuple(edges_of(layer) for layer in layers),
        zones,
        window,
        tuple(faces),
        _unrest(faces),
    )


def _window(face: Box) -> Box:
    """The face and a little around it, in plate pixels."""
    reach = round(0.12 * face.height) + 1
    wide = Box(face.x0 - reach, face.y0 - reach, face.x1 + reach, face.y1 + reach)
    return wide.intersection(Box(0, 0, SHAPE[1], SHAPE[0])).scaled(DOWN)


def _unrest(layers: Sequence[Floats]) -> Floats:
    """How far each reference is from the nearest other one, on average, pixel by pixel."""
    if len(layers) < 2:
        return np.zeros(layers[0].shape[:2], np.float32)
    gaps = {}
    for i in range(len(layers)):
        for j in range(i):
            gaps[i, j] = gaps[j, i] = apart(layers[i], layers[j])
    nearest = [
        np.min([gaps[i, j] for j in range(len(layers)) if j != i], axis=0)
        for i in range(len(layers))
    ]
    return np.mean(nearest, axis=0).astype(np.float32)


def apart(first: Floats, second: Floats, reach: int = 1) -> Floats:
    """Colour distances of two maps (h, w, 4), each pixel against the best one nearby."""
    height, width = first.shape[:2]
    padded = np.pad(second, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    best = np.full((height, width), np.inf, np.float32)
    for dy in range(2 * reach + 1):
        for dx in range(2 * reach + 1):
            gap = first - padded[dy : dy + height, dx : dx + width]
            np.minimum(best, np.einsum("hwc,hwc->hw", gap, gap), out=best)
    return np.sqrt(best)


def edges_of(layer: Floats) -> Flags:
    """Where colours change steeply, whatever the colours are."""
    rows = np.abs(np.diff(layer, axis=0, prepend=layer[:1])).max(axis=2)
    columns = np.abs(np.diff(layer, axis=1, prepend=layer[:, :1])).max(axis=2)
    return np.maximum(rows, columns) > _EDGE


def grown(flags: Flags) -> Flags:
    """Flags and their eight neighbours."""
    out = flags.copy()
    out[1:] |= flags[:-1]
    out[:-1] |= flags[1:]
    wide = out.copy()
    wide[:, 1:] |= out[:, :-1]
    wide[:, :-1] |= out[:, 1:]
    return wide


def solid(layer: Floats) -> Flags:
    """Where a figure is."""
    return layer[..., 3] > _HALF


def dominant(layer: Floats, where: Flags, most: int = 4000) -> Floats:
    """The commonest colour of some pixels, shape (3,); the middle where there are none."""
    pixels = layer[..., :3][where & solid(layer)]
    if not len(pixels):
        return np.zeros(3, np.float32)
    pixels = pixels[:: max(1, len(pixels) // most)]
    keys = np.round(pixels / 9).astype(np.int64) + 32
    flat = keys[:, 0] * 4096 + keys[:, 1] * 64 + keys[:, 2]
    values, inverse, counts = np.unique(flat, return_inverse=True, return_counts=True)
    start = pixels[inverse == int(counts.argmax())].mean(axis=0)
    del values
    near = np.linalg.norm(pixels - start, axis=1) < 10
    return pixels[near].mean(axis=0).astype(np.float32) if near.any() else start


def like(layer: Floats, color: Floats, within: float = SAME) -> Flags:
    """Where the figure has a colour."""
    gap = layer[..., :3] - color
    return solid(layer) & (np.einsum("hwc,hwc->hw", gap, gap) < within**2)


def zones_of(typical: Floats) -> Zones:
    """Find face, hair and clothes by colour and place; soft guesses that serve every style."""
    y, x = grid()
    middle = (np.abs(x) < 0.55) & (y > -0.3) & (y < 0.75)
    skin = dominant(typical, middle)
    face = _face_box(like(typical, skin) & (np.abs(x) < 1.2) & (y > -1.1) & (y < 1.35))
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    v = (rows - face.y0) / max(1, face.height)
    u = (columns - (face.x0 + face.x1) / 2) / max(1, face.width) * 2
    masks = {f"face{k}": (np.abs(u) < 0.8) & (v >= k / 5) & (v < (k + 1) / 5) for k in range(5)}
    masks["left"] = (u <= -0.8) & (u > -1.7) & (v >= 0) & (v < 1)
    masks["right"] = (u >= 0.8) & (u < 1.7) & (v >= 0) & (v < 1)
    masks["brow"] = (np.abs(u) < 1.1) & (v >= -0.35) & (v < 0)
    masks["top"] = (np.abs(u) < 1.9) & (v < -0.35)
    masks["far"] = (np.abs(u) >= 1.7) & (v >= -0.35) & (v < 1.15)
    masks["neck"] = (np.abs(u) < 1.7) & (v >= 1) & (v < 1.25)
    masks["torso"] = (v >= 1.25) & (v < 2.6)
    masks["legs"] = v >= 2.6
    body = solid(typical)
    bare = ~like(typical, skin)
    above = (masks["top"] | masks["brow"] | masks["far"]) & body & bare
    inner = above & ~grown(edges_of(typical))
    hair = dominant(typical, inner if inner.sum() > 20 else above)
    below = (masks["torso"] | masks["legs"]) & body
    cloth = dominant(typical, below & bare if (below & bare).sum() > 30 else below)
    return Zones(face, masks, hair, skin, cloth)


def grid() -> tuple[Floats, Floats]:
    """Row and column of every map pixel in head radii off the head's middle."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    return (rows - CENTER[1] / DOWN) / UNIT, (columns - CENTER[0] / DOWN) / UNIT


def _face_box(skin: Flags) -> Box:
    """The block of rows and columns that hold most of the skin; the head's middle if none does."""
    cy, cx = round(CENTER[1] / DOWN), round(CENTER[0] / DOWN)
    if skin.sum() < 40:
        return Box(cx - round(0.7 * UNIT), cy - round(0.5 * UNIT), cx + round(0.7 * UNIT),
                   cy + round(0.9 * UNIT))  # fmt: skip
    y0, y1 = _span(skin.sum(axis=1), 0.42)
    x0, x1 = _span(skin[y0:y1].sum(axis=0), 0.3)
    return Box(x0, y0, max(x1, x0 + 4), max(y1, y0 + 4))


def _span(profile: NDArray[np.int64], share: float) -> tuple[int, int]:
    """The run of cells around the profile's middle of mass that stay above a share of its peak."""
    smooth = np.convolve(profile, np.ones(3) / 3, "same")
    inside = np.flatnonzero(smooth >= share * smooth.max())
    return int(inside[0]), int(inside[-1]) + 1
