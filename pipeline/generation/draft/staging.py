"""Where figures stand: framing by shot type, side by side, no face behind anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.character import ShotType
from pipeline.domain.geometry import Box, Size
from pipeline.imaging.cutout import Cutout

GROUND_LINE = 0.935
"""Where feet stand, as a share of the picture's height."""

_SINK = 0.012
"""Straight cuts end this share of the height below the lower edge, never above it."""

_MOST_SHRINKING = 60
"""Steps of 4.5 %: enough to fit four figures with stretched arms into a narrow strip."""

_ALL_HEAD = 1.35
"""Characters that are little but a head (mugs, mascots) may fill more of the frame with it."""

_BASE_ROOM, _ROOM_PER_LINE, _MOST_ROOM = 0.055, 0.075, 0.36


@dataclass(frozen=True, slots=True)
class Shot:
    """How a shot type frames a figure.

    ``heads`` and ``share`` bound what is seen below the top of the head: in head diameters, and as
    a share of a whole figure. ``head_limit`` bounds a head's diameter as a share of the height.
    """

    heads: float
    share: float
    head_limit: float


SHOTS = {
    ShotType.HEADSHOT: Shot(heads=2.15, share=0.62, head_limit=0.54),
    ShotType.HALF: Shot(heads=4.1, share=0.7, head_limit=0.34),
    ShotType.DYNAMIC: Shot(heads=5.6, share=0.86, head_limit=0.34),
}


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """A cut-out in the picture: scaled by ``scale``, its upper left corner at ``(left, top)``."""

    cutout: Cutout
    scale: float
    left: float
    top: float

    @property
    def head(self) -> Box:
        """The head's box in pixels of the picture; it may reach past the edges."""
        head = self.cutout.head
        return Box(
            round(self.left + head.x0 * self.scale),
            round(self.top + head.y0 * self.scale),
            round(self.left + head.x1 * self.scale),
            round(self.top + head.y1 * self.scale),
        )

    @property
    def bottom(self) -> float:
        """Where the figure ends, in pixels from the top of the picture."""
        return self.top + self.cutout.height * self.scale


def headroom(height: int, balloon_lines: int) -> int:
    """Pixels at the top that stay free of heads, so that balloons find room."""
    share = min(_MOST_ROOM, _BASE_ROOM + _ROOM_PER_LINE * balloon_lines)
    return round(height * share)


@dataclass(frozen=True, slots=True)
class Stage:
    """The picture to fill: its size, the room for balloons in pixels, and the shot."""

    size: Size
    room: int
    shot: ShotType


def place_figures(
    cutouts: Sequence[Cutout], heights: Sequence[float], stage: Stage, rng: Random
) -> list[Placement]:
    """Place figures from left to right in the given order.

    Args:
        cutouts: one per character, already mirrored or tilted.
        heights: height of each whole figure relative to the others, > 0.
        stage: the picture and its framing.
        rng: decides the small things: which way a single figure leans off the middle.

    Returns:
        One placement per cut-out. No head is covered by another figure, every head begins below
        ``stage.room``, and straight cuts end below the lower edge.
    """
    scales = _scales(cutouts, heights, stage)
    tops, seats, xs = _row(cutouts, scales, stage)
    for _ in range(_MOST_SHRINKING):
        whole = all(_fits(stage, *item) for item in zip(cutouts, scales, tops, strict=True))
        if whole and _span(seats, xs) <= stage.size.width:
            break
        scales = [s * 0.955 for s in scales]
        tops, seats, xs = _row(cutouts, scales, stage)
    xs = _spread(seats, xs, stage, rng)
    return [
        Placement(c, s, x - (c.head.x0 + c.head.x1) / 2 * s, top)
        for c, s, x, top in zip(cutouts, scales, xs, tops, strict=True)
    ]


def _row(
    cutouts: Sequence[Cutout], scales: Sequence[float], stage: Stage
) -> tuple[list[float], list["_Seat"], list[float]]:
    """Tops, outlines and head middles of the figures at these scales, packed closely."""
    tops = [_top(c, s, stage) for c, s in zip(cutouts, scales, strict=True)]
    seats = [_Seat.of(*item) for item in zip(cutouts, scales, tops, strict=True)]
    return tops, seats, _packed(seats)


def _scales(cutouts: Sequence[Cutout], heights: Sequence[float], stage: Stage) -> list[float]:
    if stage.shot is ShotType.FULL and any(c.grounded for c in cutouts):
        return _whole_scales(cutouts, heights, stage)
    framing = SHOTS.get(stage.shot, SHOTS[ShotType.HALF])
    open_height = stage.size.height - stage.room
    diameters: list[float] = []
    for cutout in cutouts:
        below = cutout.height - cutout.head.y0
        seen = framing.heads * cutout.diameter
        seen = min(seen, framing.share * below) if cutout.grounded else min(seen, below)
        head = open_height / seen * cutout.diameter
        limit = framing.head_limit * (_ALL_HEAD if cutout.heads_high < 3 else 1.0)
        diameters.append(min(head, limit * open_height))
    # Art of several proportions shares a panel: heads may differ, but not like giant and mouse.
    least = min(diameters)
    tallest = max(heights)
    return [
        min(d, 1.3 * least) * (h / tallest) ** 0.35 / c.diameter
        for d, h, c in zip(diameters, heights, cutouts, strict=True)
    ]


def _whole_scales(cutouts: Sequence[Cutout], heights: Sequence[float], stage: Stage) -> list[float]:
    """Whole figures by their heights; busts among them by the size of their heads."""
    ground = GROUND_LINE * stage.size.height
    tallest = max(heights)
    person = ground - stage.room
    scales = [person * (h / tallest) / c.height for c, h in zip(cutouts, heights, strict=True)]
    heads = [s * c.diameter for s, c in zip(scales, cutouts, strict=True) if c.grounded]
    typical = sorted(heads)[len(heads) // 2]
    return [
        s if c.grounded else 1.25 * typical / c.diameter
        for s, c in zip(scales, cutouts, strict=True)
    ]


def _top(cutout: Cutout, scale: float, stage: Stage) -> float:
    """The top edge of a figure: feet on the ground, cuts below the frame, head below the room."""
    height = stage.size.height
    length = cutout.height * scale
    if not cutout.grounded:
        lowest = height * (1 + _SINK) + cutout.lift * scale - length
        wanted = stage.room + 0.03 * height - cutout.head.y0 * scale
        return max(lowest, wanted)
    standing = GROUND_LINE * height - length
    if stage.shot is ShotType.FULL:
        return standing
    wanted = stage.room + 0.03 * height - cutout.head.y0 * scale
    # Feet just outside the frame look like a mistake: stand them on the ground instead.
    return standing if wanted + length < 1.12 * height else wanted


def _fits(stage: Stage, cutout: Cutout, scale: float, top: float) -> bool:
    """Whether the head is below the room for balloons and a standing figure is whole."""
    if top + cutout.head.y0 * scale < stage.room:
        return False
    return stage.shot is not ShotType.FULL or not cutout.grounded or top >= 0


@dataclass(frozen=True, slots=True, eq=False)
class _Seat:
    """A figure's outline in picture rows, x relative to the middle of its head."""

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    top: float
    scale: float
    head: tuple[float, float, float, float]

    @classmethod
    def of(cls, cutout: Cutout, scale: float, top: float) -> "_Seat":
        left, right = cutout.edges()
        middle = (cutout.head.x0 + cutout.head.x1) / 2
        head = cutout.head
        return cls(
            (left - middle) * scale,
            (right - middle) * scale,
            top,
            scale,
            (
                (head.x0 - middle) * scale,
                top + head.y0 * scale,
                (head.x1 - middle) * scale,
                top + head.y1 * scale,
            ),
        )

    def extent(self, y0: float, y1: float) -> tuple[float, float]:
        """Leftmost and rightmost reach within picture rows ``y0`` to ``y1``; 0, 0 if empty."""
        start = max(0, int((y0 - self.top) / self.scale))
        stop = max(start, int(np.ceil((y1 - self.top) / self.scale)))
        left, right = self.left[start:stop], self.right[start:stop]
        if not np.isfinite(left).any():
            return 0.0, 0.0
        return float(np.nanmin(left)), float(np.nanmax(right))


def _separation(a: _Seat, b: _Seat) -> float:
    """The least distance of two heads' middles, ``a`` left of ``b``, that keeps faces clear."""
    pad = 0.06 * max(a.head[2] - a.head[0], b.head[2] - b.head[0])
    apart = a.head[2] - b.head[0] + 2 * pad
    over_b = a.extent(b.head[1], b.head[3])[1] - b.head[0] + pad
    over_a = a.head[2] - b.extent(a.head[1], a.head[3])[0] + pad
    # Bodies may overlap a little, as in a group photograph, but each stays readable.
    body_a = float(np.nanpercentile(a.right, 75))
    body_b = float(np.nanpercentile(b.left, 25))
    return max(apart, over_b, over_a, 0.72 * (body_a - body_b))


def _packed(seats: Sequence[_Seat]) -> list[float]:
    """Head middles as close as separations allow, the first at 0."""
    xs: list[float] = []
    for seat in seats:
        xs.append(max((x + _separation(seats[i], seat) for i, x in enumerate(xs)), default=0.0))
    return xs


def _bounds(seats: Sequence[_Seat], xs: Sequence[float]) -> tuple[float, float]:
    """Left and right end of a row of figures; arms may leave the frame, heads never do."""
    left = min(
        x + max(float(np.nanmin(s.left)), 1.9 * s.head[0]) for s, x in zip(seats, xs, strict=True)
    )
    right = max(
        x + min(float(np.nanmax(s.right)), 1.9 * s.head[2]) for s, x in zip(seats, xs, strict=True)
    )
    return left, right


def _span(seats: Sequence[_Seat], xs: Sequence[float]) -> float:
    left, right = _bounds(seats, xs)
    return (right - left) * 1.02


def _spread(seats: Sequence[_Seat], xs: Sequence[float], stage: Stage, rng: Random) -> list[float]:
    """Share the free width out between and beside the figures."""
    left, right = _bounds(seats, xs)
    free = max(0.0, stage.size.width - (right - left))
    if len(seats) == 1:
        lean = rng.uniform(-0.16, 0.16) if stage.shot is not ShotType.HEADSHOT else 0.0
        return [free * (0.5 + lean) - left + xs[0]]
    between = min(free / (len(seats) + 1) * 1.1, 0.2 * stage.size.width)
    side = (free - between * (len(seats) - 1)) / 2
    return [x - left + side + k * between for k, x in enumerate(xs)]
