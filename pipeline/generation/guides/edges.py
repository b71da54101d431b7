"""The lines of a sketch or drawing: thin, white on black, as edge ControlNets were trained on."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from pipeline.domain.geometry import Size
from pipeline.imaging.pieces import pieces_of, sizes_of

Values = NDArray[np.floating]
Flags = NDArray[np.bool_]

_STROKE = 0.022
"""Widest stroke, as a share of the picture's shorter side: 17 pixels at 768. Wider is an area."""
_FAINT, _CLEAR = 16.0, 40.0
"""How much darker than its surroundings (of 255) a stroke is at least, and surely is."""
_BLUR = 1.4
"""Pixels by which paper grain and pencil texture are smoothed, as in Canny's usual first step."""
_WEAK, _STRONG = 100.0, 200.0
"""Canny's two limits on the length of the Sobel gradient. Source: the usual defaults of 100 and
200 with which edge ControlNets are fed."""
_DUST = 0.02
"""Lines shorter than this share of the shorter side are texture or dirt."""
_RING = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


def line_guide(picture: Image.Image, size: Size) -> Image.Image:
    """Turn a picture into lines one pixel wide.

    Drawn strokes become their middle line (an edge finder alone would give both of their sides);
    borders of painted areas that no stroke outlines are found as Canny finds them. The picture is
    fitted into ``size`` with its proportions kept; what is left over stays black.

    Args:
        picture: any mode; transparent parts count as white paper.
        size: of the guide, in pixels.

    Returns:
        A picture of mode L and of ``size``, 0 or 255.
    """
    fitted = _fitted(_on_paper(picture), size)
    soft = np.asarray(fitted.filter(ImageFilter.GaussianBlur(_BLUR)), np.float32)
    short = min(fitted.size)
    strokes = _stroke_mask(soft, max(3, round(_STROKE * short)))
    borders = _canny(soft) & ~_grown(strokes, 3)
    lines = _without_dust(_thinned(strokes) | borders, max(4, round(_DUST * short)))
    guide = Image.new("L", size, 0)
    drawn = Image.fromarray(np.where(lines, 255, 0).astype(np.uint8))
    guide.paste(drawn, ((size.width - drawn.width) // 2, (size.height - drawn.height) // 2))
    return guide


def _on_paper(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGBA", "LA", "P"):
        full = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", full.size, "white"), full)
    return picture.convert("L")


def _fitted(grey: Image.Image, size: Size) -> Image.Image:
    scale = min(size.width / grey.width, size.height / grey.height)
    wanted = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    return grey.resize(wanted, Image.Resampling.LANCZOS)


def _stroke_mask(soft: Values, widest: int) -> Flags:
    """Dark strokes up to a width: faint ones too, where they continue a clear one.

    Source: black top-hat (F. Meyer, 1979): the closing minus the picture keeps what is dark and
    thinner than the window, and nothing of darkness that fills an area.
    """
    depth = _extreme(_extreme(soft, widest, np.maximum), widest, np.minimum) - soft
    return _continued(depth >= _FAINT, depth >= _CLEAR)


def _extreme(values: Values, window: int, pick: np.ufunc) -> Values:
    """Largest or smallest value in a square window (odd side), by doubling spans."""
    half = window // 2
    out = np.pad(values, half, mode="edge")
    for axis in (0, 1):
        span, wanted = 1, 2 * half + 1
        while span < wanted:
            step = min(span, wanted - span)
            length = out.shape[axis] - step
            out = pick(_span(out, 0, length, axis), _span(out, step, length, axis))
            span += step
    return out


def _span(values: Values, start: int, length: int, axis: int) -> Values:
    return values[start : start + length] if axis == 0 else values[:, start : start + length]


def _canny(soft: Values) -> Flags:
    """Source: J. Canny, "A computational approach to edge detection", PAMI 1986."""
    p = np.pad(soft, 1, mode="edge")
    across = p[:, 2:] - p[:, :-2]
    dx = across[:-2] + 2 * across[1:-1] + across[2:]
    down = p[2:] - p[:-2]
    dy = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    length = np.hypot(dx, dy)
    crest = _crests(dx, dy, length)
    return _continued(crest & (length >= _WEAK), crest & (length >= _STRONG))


def _crests(dx: Values, dy: Values, length: Values) -> Flags:
    """Where the gradient is larger than at both neighbours in its own direction."""
    around = np.pad(length, 1)
    height, width = length.shape
    sector = np.round(np.arctan2(dy, dx) / (np.pi / 4)).astype(int) % 4
    crest = np.zeros(length.shape, bool)
    for number, (down, right) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead = around[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        behind = around[1 - down : 1 - down + height, 1 - right : 1 - right + width]
        crest |= (sector == number) & (length > behind) & (length >= ahead)
    return crest


def _continued(weak: Flags, strong: Flags) -> Flags:
    """The weak pieces that hold something strong."""
    labels = pieces_of(weak)
    kept = np.zeros(int(labels.max()) + 1, bool)
    kept[labels[strong & weak]] = True
    kept[0] = False
    return kept[labels]


def _without_dust(lines: Flags, least: int) -> Flags:
    labels = pieces_of(lines)
    return (sizes_of(labels) >= least)[labels]


def _grown(flags: Flags, reach: int) -> Flags:
    image = Image.fromarray(np.where(flags, 255, 0).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.MaxFilter(2 * reach + 1))) > 127


def _thinned(flags: Flags) -> Flags:
    """The middle lines of strokes.

    Source: T. Zhang, C. Suen, "A fast parallel algorithm for thinning digital patterns", 1984; the
    two conditions are looked up by the eight neighbours' bits.
    """
    lines, tables = flags.copy(), (_removable(first=True), _removable(first=False))
    changed = True
    while changed:
        changed = False
        for table in tables:
            gone = table[_neighbours(lines)] & lines
            if gone.any():
                lines &= ~gone
                changed = True
    return lines


def _neighbours(flags: Flags) -> NDArray[np.uint8]:
    """The eight neighbours of each cell as bits, clockwise from the one above."""
    around = np.pad(flags, 1).view(np.uint8)
    height, width = flags.shape
    code = np.zeros(flags.shape, np.uint8)
    for bit, (down, right) in enumerate(_RING):
        code |= around[1 + down : 1 + down + height, 1 + right : 1 + right + width] << bit
    return code


def _removable(*, first: bool) -> Flags:
    """Which of the 256 neighbourhoods let a cell go, in one of the two half steps."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    count = bits.sum(axis=1)
    turns = ((bits == 0) & (np.roll(bits, -1, axis=1) == 1)).sum(axis=1)
    up, right, down, left = (bits[:, i] for i in (0, 2, 4, 6))
    sides = (
        (up * right * down == 0) & (right * down * left == 0)
        if first
        else (up * right * left == 0) & (up * down * left == 0)
    )
    return (count >= 2) & (count <= 6) & (turns == 1) & sides
