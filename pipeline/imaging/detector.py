"""Finds figures in opaque panels: boxes, heads and masks from a small network of our own."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.errors import SettingsError
from pipeline.domain.geometry import Box
from pipeline.imaging.figure_maps import FINE, SAME, Found, Maps, instances, iou, peaks
from pipeline.imaging.heads import find_head
from pipeline.imaging.masks import Figure, Mask, find_figure, tight_box
from pipeline.imaging.network import start_network

MODEL = Path(__file__).with_name("figures.onnx")
MODEL_SHA256 = "a3bbeb3b5eeb070f9216567d928078d7c5e795c30ea0ec8c59584ecff206da8b"

WORK_SIDE = 192
"""Pixels of the longer side that the network sees."""
_STEP = 32
_BACKDROP = (160, 160, 160)

SURE = 0.35
"""Least score of a figure that a check may rest on.

Source: on panels with art of unseen sources, 0.35 keeps nearly all figures that are found at
0.25; from 0.4 on one in ten is lost, while hardly fewer things are taken for figures.
"""
_LEAST_FILL = 0.12
"""A mask that fills less of its box is no figure."""
_INSIDE, _OF_BOX = 0.7, 0.1
"""Shares of a figure that lie in a person's box, and of the box, for the figure to be meant."""
_TOUCHING = 0.1
"""Share of the smaller box that two figures on a plain ground may have in common. Source: in
eight of 202 single figures of 19 drawing styles the network saw two, which shared 0.26 or more."""
_SAME_HEAD = 0.3
"""IoU of the head's box by silhouette and by the network from which they are one head."""
_MARGIN = 0.2
"""What the second look sees around a box, as a share of its sides."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A figure in a panel.

    Attributes:
        box: what is seen of the figure, in pixels of the picture.
        head: the box of its head, None where none was found.
        score: 0–1; under :data:`SURE` nothing should rest on it.
        mask: shape (h, w) of the picture, 0 or 255.
    """

    box: Box
    head: Box | None
    score: float
    mask: Mask


class FigureDetector:
    """The network with its reading. Deterministic, one thread, safe to share between threads."""

    def __init__(self, path: Path = MODEL, sha256: str | None = MODEL_SHA256) -> None:
        """Load the network.

        Args:
            path: an ONNX file as ``onmodel train figures`` writes it.
            sha256: what the file must be, in hex; None takes any.

        Raises:
            SettingsError: the file is missing, or is not the one that was meant.
        """
        self._session = _open(path, sha256)

    def detect(self, image: Image.Image) -> list[Detection]:
        """All figures of a picture, the surest first, at most eight.

        The picture is looked at twice: whole, then closely around every figure that was found,
        which gives finer masks.
        """
        picture = _flat(image)
        frame = Box(0, 0, *picture.size)
        if min(picture.size) < FINE:
            return []
        found: list[Detection] = []
        for coarse in self._look(picture):
            fine = self._closer(picture, coarse)
            if all(iou(fine.box, other.box) < SAME for other in found):
                found.append(fine)
        return [one for one in found if one.box.intersection(frame).area > 0]

    def detect_in(self, image: Image.Image, box: Box) -> Detection | None:
        """The largest figure in a box which a person drew, None if nothing stands out in it."""
        picture = _flat(image)
        area = Box(0, 0, *picture.size).intersection(box)
        if area.width < FINE or area.height < FINE:
            return None
        found = [one for one in self.detect(picture) if _lies_in(one, area)]
        if found:
            seen = max(found, key=lambda one: one.box.area)
        else:
            blank = np.zeros((picture.height, picture.width), np.uint8)
            marked = Detection(area, None, 0.0, blank)
            seen = self._closer(picture, marked)
            if seen is marked:
                return None
        mask = np.zeros_like(seen.mask)
        window = (slice(area.y0, area.y1), slice(area.x0, area.x1))
        mask[window] = seen.mask[window]
        tight = tight_box(mask)
        return None if tight is None else Detection(tight, seen.head, seen.score, mask)

    def _closer(self, picture: Image.Image, coarse: Detection) -> Detection:
        """The same figure looked at closely; as it was where a close look does not see it."""
        dx, dy = (max(4, round(_MARGIN * side)) for side in (coarse.box.width, coarse.box.height))
        box = coarse.box
        window = Box(box.x0 - dx, box.y0 - dy, box.x1 + dx, box.y1 + dy)
        window = window.intersection(Box(0, 0, *picture.size))
        wanted = box.shifted(-window.x0, -window.y0)
        seen = self._look(picture.crop(window))
        best = max(seen, key=lambda one: iou(one.box, wanted), default=None)
        if best is None or iou(best.box, wanted) < SAME:
            return coarse
        mask = np.zeros((picture.height, picture.width), np.uint8)
        mask[window.y0 : window.y1, window.x0 : window.x1] = best.mask
        head = None if best.head is None else best.head.shifted(window.x0, window.y0)
        score = max(coarse.score, best.score) if coarse.score else best.score
        return Detection(best.box.shifted(window.x0, window.y0), head, score, mask)

    def _look(self, picture: Image.Image) -> list[Detection]:
        small, scale = _shrunk(picture)
        maps = self._run(small)
        figures = peaks(maps, 0)
        heads = peaks(maps, 1)
        masks = instances(maps, figures)
        found: list[Detection] = []
        for figure, mask in zip(figures, masks, strict=True):
            full = _enlarged(mask, picture.size)
            tight = tight_box(full)
            if tight is None or _fill(full, tight) < _LEAST_FILL:
                continue
            head = _head_of(figure, heads)
            found.append(
                Detection(tight, None if head is None else _box(head.box, scale, picture.size),
                          figure.score, full)
            )  # fmt: skip
        return found

    def _run(self, small: Image.Image) -> Maps:
        pixels = np.asarray(small, np.float32).transpose(2, 0, 1)[None] / 255
        said = self._session.run(None, {"picture": pixels})
        return Maps(*(one[0] for one in said))


@lru_cache(maxsize=1)
def shipped_detector() -> FigureDetector:
    """The detector that comes with the program, loaded once.

    Raises:
        SettingsError: its file is missing or damaged.
    """
    return FigureDetector()


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """What may be a figure: its silhouette, the network's score, and whether both see one head."""

    figure: Figure
    score: float
    heads_agree: bool

    @property
    def sure(self) -> bool:
        """Whether a check may rest on it."""
        return self.score >= SURE and self.heads_agree


def sightings(image: Image.Image) -> list[Sighting]:
    """Everything in a picture that may be a figure: what a check may rest on first, at most eight.

    Args:
        image: RGB or RGBA; where alpha or a flat ground tells figures from it, that is kept to.
    """
    plain = find_figure(image)  # everything that stands out, if the ground tells it
    found: list[Sighting] = []
    for one in shipped_detector().detect(image):
        mask = one.mask if plain is None else np.minimum(one.mask, plain.mask)
        box = tight_box(mask)
        if box is not None:
            figure = Figure(box, mask, None if plain is None else plain.ground)
            found.append(Sighting(figure, one.score, _heads_agree(figure, one.head)))
    return sorted(found, key=lambda one: not one.sure)


def find_figures(image: Image.Image, expected: int) -> list[Figure]:
    """The figures of a picture that a check may rest on, the surest first.

    Args:
        image: RGB or RGBA.
        expected: how many are meant to be there; up to three bystanders more are returned.

    Returns:
        Figures with tight boxes and masks; none where the detector is not sure of any.
    """
    return [one.figure for one in sightings(image) if one.sure][: expected + 3]


def everyone_in(image: Image.Image, most: int) -> list[Figure]:
    """All figures of a picture of which nobody said how many it shows, from left to right.

    A plain ground cuts one figure out better than the network does, and the network sees a second
    one in a hat or a fist now and then: there several count only if they stand apart.

    Args:
        image: RGB or RGBA.
        most: at most so many, the surest.
    """
    plain = find_figure(image)
    found = find_figures(image, most)[:most]
    if plain is not None and not (len(found) > 1 and _stand_apart(found)):
        return [plain]
    return sorted(found, key=lambda figure: figure.box.x0)


def figure_in(image: Image.Image, box: Box) -> Figure | None:
    """The figure in a box that a person drew or an engine gave: the box is the last word.

    Within it the figure is cut out by alpha, by a flat ground, or by the network; where none of
    them sees it, all of the box is the figure. None where the box holds nothing.
    """
    figure = find_figure(image, box)
    if figure is None or not figure.inside.all():
        return figure
    seen = shipped_detector().detect_in(image, figure.box)
    if seen is None or seen.score < SURE:
        return figure
    return Figure(seen.box, seen.mask)


def _stand_apart(figures: list[Figure]) -> bool:
    """Whether no box covers more than a tenth of another."""
    return all(
        one.box.intersection(other.box).area <= _TOUCHING * min(one.box.area, other.box.area)
        for one, other in combinations(figures, 2)
    )


def _heads_agree(figure: Figure, head: Box | None) -> bool:
    """Whether the silhouette has its head where the network sees one.

    A mask that lost the head, or holds half a room, would be compared by a skirt or a lamp.
    """
    if head is None:
        return False
    disc = find_head(figure)
    inside = head.x0 <= disc.x <= head.x1 and head.y0 <= disc.y <= head.y1
    return inside and iou(disc.box, head) >= _SAME_HEAD


def _lies_in(one: Detection, area: Box) -> bool:
    """Whether a figure is meant by a box: most of it is inside, and it fills some of the box."""
    common = one.box.intersection(area).area
    return common >= _INSIDE * one.box.area and common >= _OF_BOX * area.area


def _open(path: Path, sha256: str | None) -> Any:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            "The figure detector's file is missing. Install the program again."
        ) from error
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise SettingsError("The figure detector's file is damaged. Install the program again.")
    return start_network(data)


def _flat(image: Image.Image) -> Image.Image:
    """RGB; a transparent ground becomes middle grey."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, _BACKDROP)
    ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return ground


def _shrunk(picture: Image.Image) -> tuple[Image.Image, tuple[float, float]]:
    """The network's picture, sides in whole steps, and its scale (x, y)."""
    ratio = WORK_SIDE / max(picture.size)
    width, height = (
        max(_STEP, _STEP * round(side * ratio / _STEP)) for side in (picture.width, picture.height)
    )
    reduced = picture.resize((width, height), Image.Resampling.BILINEAR)
    return reduced, (width / picture.width, height / picture.height)


def _enlarged(share: NDArray[np.float64], size: tuple[int, int]) -> Mask:
    levels = Image.fromarray((share * 255).astype(np.uint8))
    full = np.asarray(levels.resize(size, Image.Resampling.BILINEAR))
    return np.where(full > 127, 255, 0).astype(np.uint8)


def _fill(mask: Mask, box: Box) -> float:
    return float((mask[box.y0 : box.y1, box.x0 : box.x1] > 0).mean())


def _head_of(figure: Found, heads: list[Found]) -> Found | None:
    """The surest head whose middle is in the figure's upper two thirds."""
    x0, y0, x1, y1 = figure.box
    for head in heads:
        x, y = (head.box[0] + head.box[2]) / 2, (head.box[1] + head.box[3]) / 2
        if x0 <= x <= x1 and y0 <= y <= y0 + 0.67 * (y1 - y0):
            return head
    return None


def _box(box: NDArray[np.float64], scale: tuple[float, float], size: tuple[int, int]) -> Box:
    x0, y0, x1, y1 = (round(float(v) / scale[k % 2]) for k, v in enumerate(box))
    return Box(x0, y0, x1, y1).intersection(Box(0, 0, *size))
