"""Registered art cut out of its ground, with the little anatomy that staging needs."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from pipeline.domain.geometry import Box
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.heads import find_head
from pipeline.imaging.masks import Figure, find_figure

SOLID = 128
"""Alpha from which a pixel belongs to the figure."""

_CUT_KEEPS = 0.85
"""A figure is cut by its picture's lower edge when its last row is this share of the rows above:
soles are round there, a cut goes straight through."""

_NEAR_ENDS, _BROAD = (0.03, 0.08), 0.6
"""At these shares of the height above its end a bust is still so broad, as a share of its largest
breadth; feet, knees and seats are narrower at one of the two. Source: 40 figures of four drawing
styles, standing, seated and cut."""
_ONLY_HEAD = 2.0
"""Figures of fewer head diameters are a head and little more."""
_TAIL = 0.14


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A figure on transparent ground, cut tight; all lengths in its own pixels.

    ``head`` is the head's box inside the picture. ``diameter`` is that of the head without hair,
    the measure that busts and whole figures share. ``grounded`` says whether the figure ends in
    feet (or a seat) rather than in a straight cut. ``facing`` runs from -1 (left) to 1 (right).
    ``loose`` is False for a picture without any figure mask: it stays a rectangle. ``lift`` is
    the length of a cut figure's lower end that is ragged or slanted.
    """

    image: Image.Image
    head: Box
    diameter: float
    grounded: bool
    facing: float
    loose: bool = True
    lift: float = 0.0

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.image.width

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.image.height

    @property
    def heads_high(self) -> float:
        """Height in head diameters."""
        return self.height / self.diameter

    def edges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Leftmost and rightmost solid column of every row, shape (h,); NaN in empty rows."""
        solid = np.asarray(self.image.getchannel("A")) >= SOLID
        some = solid.any(axis=1)
        left = np.where(some, solid.argmax(axis=1), np.nan)
        right = np.where(some, solid.shape[1] - solid[:, ::-1].argmax(axis=1), np.nan)
        return left, right

    def mirrored(self) -> "Cutout":
        """The same figure, left and right exchanged."""
        head = Box(self.width - self.head.x1, self.head.y0, self.width - self.head.x0, self.head.y1)
        return replace(self, image=ImageOps.mirror(self.image), head=head, facing=-self.facing)

    def tilted(self, degrees: float) -> "Cutout":
        """The figure turned around its middle, counter-clockwise for positive ``degrees``.

        Of a cut figure the lower corner comes up, which the result's ``lift`` accounts for.
        """
        image = self.image.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
        angle = math.radians(degrees)
        dx = (self.head.x0 + self.head.x1) / 2 - self.width / 2
        dy = (self.head.y0 + self.head.y1) / 2 - self.height / 2
        x = image.width / 2 + dx * math.cos(angle) + dy * math.sin(angle)
        y = image.height / 2 - dx * math.sin(angle) + dy * math.cos(angle)
        half_w, half_h = self.head.width / 2, self.head.height / 2
        moved = Box(round(x - half_w), round(y - half_h), round(x + half_w), round(y + half_h))
        frame = Box(0, 0, *image.size)
        slant = 0.0 if self.grounded else self.width * abs(math.sin(angle))
        return replace(self, image=image, head=moved.intersection(frame), lift=self.lift + slant)


def cut_out(png: bytes) -> Cutout:
    """Cut the figure out of a canonical picture.

    Raises:
        InvalidPicture: the bytes are damaged.
    """
    picture = load_canonical(png)
    figure = find_figure(picture)
    if figure is None or figure.box.width < 4 or figure.box.height < 4:
        mask = np.full((picture.height, picture.width), 255, np.uint8)
        whole = Figure(Box(0, 0, *picture.size), mask)
        return replace(_measure(picture.convert("RGBA"), whole), grounded=False, loose=False)
    return _measure(_with_alpha(picture, figure), figure)


def _with_alpha(picture: Image.Image, figure: Figure) -> Image.Image:
    if picture.mode == "RGBA" and np.asarray(picture.getchannel("A")).min() < SOLID:
        return picture
    # A mask cut from a flat ground keeps a rim of that ground: step inside by a pixel, soften.
    alpha = Image.fromarray(figure.mask).filter(ImageFilter.MinFilter(3))
    cut = picture.convert("RGB")
    cut.putalpha(alpha.filter(ImageFilter.GaussianBlur(0.7)))
    return cut


def _measure(picture: Image.Image, figure: Figure) -> Cutout:
    box = figure.box
    inside = figure.inside >= SOLID
    disc = find_head(figure)
    head = disc.box.shifted(-box.x0, -box.y0).intersection(Box(0, 0, box.width, box.height))
    head = _with_hair(head, inside, disc.radius)
    image = picture.crop(box)
    cut = _is_cut(inside, 2 * disc.radius)
    return Cutout(
        image=image,
        head=head,
        diameter=2 * disc.radius,
        grounded=not cut,
        facing=_facing(image, head, inside),
        lift=_ragged(inside) if cut else 0.0,
    )


def _with_hair(head: Box, inside: NDArray[np.bool_], radius: float) -> Box:
    """The head box raised over hats and buns, but not over steam or a raised finger."""
    center = (head.x0 + head.x1) // 2
    half = max(1, round(0.6 * radius))
    column = inside[: head.y0, max(0, center - half) : center + half].mean(axis=1)
    top = head.y0
    while top > 0 and column[top - 1] > 0.3 and head.y0 - top < 1.2 * radius:
        top -= 1
    return head._replace(y0=top)


def _is_cut(inside: NDArray[np.bool_], diameter: float) -> bool:
    """Whether a figure ends in a cut through its body instead of in feet or a seat."""
    rows = inside.sum(axis=1)
    above = max(1, round(0.025 * len(rows)))
    last = int(rows[-1 - max(0, above // 6)])
    before = int(rows[-1 - above])
    waist = (0.4 if len(rows) < 5.2 * diameter else 1.4) * diameter  # soles are flat too
    if last >= waist and last >= _CUT_KEEPS * before:
        return True
    # A bust may end in a wave or a slant: then it is broad all the way down. A head alone is round.
    end, near = (rows[-1 - round(share * len(rows))] / rows.max() for share in _NEAR_ENDS)
    if len(rows) < _ONLY_HEAD * diameter:
        return bool(near >= 0.4 and (end >= 0.28 or len(rows) < 1.3 * diameter))
    return bool(min(end, near) >= _BROAD)


def _ragged(inside: NDArray[np.bool_]) -> float:
    """How much of a cut figure's lower end is ragged and has to go under the frame, in pixels."""
    rows = inside.sum(axis=1)
    tail = rows[-max(1, round(_TAIL * len(rows))) :]
    full = np.flatnonzero(tail >= 0.9 * tail.max())
    return float(len(tail) - 1 - full[-1])


def _facing(image: Image.Image, head: Box, inside: NDArray[np.bool_]) -> float:
    """Where a figure looks or points: from the drawn features in its head, and from its arms."""
    if head.area == 0:
        return 0.0
    gray = np.asarray(image.convert("RGB").convert("L"), dtype=float)
    height, width = head.height, head.width
    # Eyes, nose and mouth lie here; hair above and collars below do not speak about direction.
    window = (
        slice(head.y0 + round(0.38 * height), head.y0 + round(0.8 * height)),
        slice(head.x0 + round(0.2 * width), head.x1 - round(0.2 * width)),
    )
    part = np.where(inside[window], gray[window], np.nan)
    if not np.isfinite(part).any():
        return 0.0
    light = np.nanpercentile(part, 70)
    weight = np.nan_to_num(np.clip(light - part - 40, 0, None))
    columns = np.linspace(-1, 1, part.shape[1])
    features = float((weight.sum(axis=0) * columns).sum() / max(1.0, weight.sum()))
    center = (head.x0 + head.x1) / 2
    arms = ((inside.shape[1] - center) - center) / inside.shape[1]
    return float(np.clip(0.8 * features + 0.6 * arms, -1, 1))
