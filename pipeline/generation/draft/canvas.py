"""An antialiased drawing surface in panel pixels, for flat shapes with ink lines."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from pipeline.domain.geometry import Size
from pipeline.generation.draft.tones import Rgb

Point = tuple[float, float]

SUPERSAMPLING = 2
"""Shapes are drawn this many times larger and averaged down; 2 hides the stairs in flat art."""


class Canvas:
    """Draws with float coordinates in pixels of the finished picture, ``(0, 0)`` top left."""

    def __init__(self, size: Size, paper: Rgb) -> None:
        self.size = size
        self._k = SUPERSAMPLING
        self._image = Image.new("RGB", (size.width * self._k, size.height * self._k), paper)
        self._draw = ImageDraw.Draw(self._image)

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._k, y * self._k) for x, y in points]

    def poly(
        self, points: Sequence[Point], fill: Rgb, line: Rgb | None = None, width: float = 2.0
    ) -> None:
        """A filled polygon, inked around when ``line`` is given."""
        scaled = self._scaled(points)
        self._draw.polygon(scaled, fill=fill)
        if line is not None:
            self._stroke([*scaled, scaled[0], scaled[1]], line, width)

    def rect(
        self,
        corners: tuple[float, float, float, float],
        fill: Rgb,
        line: Rgb | None = None,
        width: float = 2.0,
    ) -> None:
        """A filled rectangle ``(x0, y0, x1, y1)``."""
        x0, y0, x1, y1 = corners
        self.poly([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill, line, width)

    def disc(
        self, center: Point, radii: Point, fill: Rgb, line: Rgb | None = None, width: float = 2.0
    ) -> None:
        """A filled ellipse around ``center``."""
        (x, y), (rx, ry), k = center, radii, self._k
        box = ((x - rx) * k, (y - ry) * k, (x + rx) * k, (y + ry) * k)
        if line is None:
            self._draw.ellipse(box, fill=fill)
        else:
            self._draw.ellipse(box, fill=fill, outline=line, width=max(1, round(width * k)))

    def line(self, points: Sequence[Point], color: Rgb, width: float = 2.0) -> None:
        """An open polyline with round joints."""
        self._stroke(self._scaled(points), color, width)

    def curve(self, points: Sequence[Point], color: Rgb, width: float = 2.0) -> None:
        """A smooth open line through ``points``."""
        self.line(smooth(points, closed=False), color, width)

    def blob(
        self, points: Sequence[Point], fill: Rgb, line: Rgb | None = None, width: float = 2.0
    ) -> None:
        """A smooth closed shape through ``points``."""
        self.poly(smooth(points, closed=True), fill, line, width)

    def gradient(self, top: Rgb, bottom: Rgb, y0: float, y1: float) -> None:
        """A vertical gradient over the full width, from ``y0`` down to ``y1``."""
        k, height = self._k, self._image.height
        start, stop = max(0, round(y0 * k)), min(height, round(y1 * k))
        if stop <= start:
            return
        share = ((np.arange(start, stop) / k - y0) / max(1e-6, y1 - y0))[:, None]
        rows = np.array(top) * (1 - share) + np.array(bottom) * share
        strip = Image.fromarray(np.rint(rows).clip(0, 255).astype(np.uint8)[:, None, :])
        self._image.paste(strip.resize((self._image.width, stop - start)), (0, start))

    def glow(self, center: Point, radius: float, color: Rgb, strength: float) -> None:
        """A soft round light; ``strength`` (0 to 1) is its share in the middle."""
        small = np.linspace(-1.0, 1.0, 64)
        away = np.minimum(1.0, np.hypot(small[:, None], small[None, :]))
        alpha = np.rint((1 - away) ** 1.6 * 255 * strength).astype(np.uint8)
        side = max(2, round(radius * 2 * self._k))
        mask = Image.fromarray(alpha).resize((side, side), Image.Resampling.BICUBIC)
        corner = (round((center[0] - radius) * self._k), round((center[1] - radius) * self._k))
        self._image.paste(Image.new("RGB", (side, side), color), corner, mask)

    def _stroke(self, scaled: list[Point], color: Rgb, width: float) -> None:
        self._draw.line(scaled, fill=color, width=max(1, round(width * self._k)), joint="curve")

    def finish(self) -> Image.Image:
        """The averaged picture, RGB of the asked size."""
        return self._image.reduce(self._k)


def smooth(points: Sequence[Point], *, closed: bool, steps: int = 6) -> list[Point]:
    """Catmull-Rom spline through ``points``.

    Source: Catmull and Rom, *A class of local interpolating splines*, 1974 (uniform, tension ½).
    """
    control = np.asarray(points, dtype=float)
    if closed:
        padded = np.vstack([control[-1], control, control[:2]])
    else:
        padded = np.vstack([control[0], control, control[-1]])
    p0, p1, p2, p3 = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = (np.arange(steps) / steps)[None, :, None]
    a, b, c, d = (p[:, None, :] for p in (p0, p1, p2, p3))
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    flat = [(float(x), float(y)) for x, y in curve.reshape(-1, 2)]
    return flat if closed else [*flat, (float(control[-1, 0]), float(control[-1, 1]))]
