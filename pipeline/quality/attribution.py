"""What drifted: the attribute, how sure that is, and where it shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.quality import Drift
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.masks import Figure, find_figure
from pipeline.quality.attributes import Attribute
from pipeline.quality.differences import Differences, differences
from pipeline.quality.forest import Forest, load_forest
from pipeline.quality.part_colours import PartColor, seen_parts, usual_parts
from pipeline.quality.plates import HEIGHT, WIDTH, Fit, Plate, plate_of
from pipeline.quality.template import DOWN, MOST_REFERENCES, Template, template_of

NAMED = 0.5
"""Confidence from which an attribute is named: more likely than not, by the model's own odds."""
LEAST_REFERENCES = 2
_SURE = 1.64
"""Standard deviations over the bags that an interval reaches to each side (90 % if normal)."""
_ZONES: dict[Attribute, tuple[str, ...]] = {
    Attribute.HAIR_COLOR: ("top", "brow", "far", "left", "right"),
    Attribute.HAIR_SHAPE: ("top", "brow", "far", "left", "right"),
    Attribute.EYE_COLOR: ("face0", "face1", "face2"),
    Attribute.EYE_SHAPE: ("face0", "face1", "face2"),
    Attribute.FACE_SHAPE: ("face2", "face3", "face4", "left", "right", "neck"),
    Attribute.FACIAL_HAIR: ("face3", "face4", "neck"),
    Attribute.OUTFIT: ("neck", "torso", "legs"),
    Attribute.OUTFIT_COLOR: ("neck", "torso", "legs"),
}
"""Where an attribute can show; the others can show anywhere."""
_HOT = 0.35
"""Share of the strongest difference from which a place belongs to the region."""
_INSIDE = 90
"""Share (of 255) of a resampled pixel that must lie in a region for it to count."""
_FULL_HEAT = 40.0
"""The difference (CIE76) that is drawn as the hottest."""
_WORDS = {
    Attribute.HAIR_COLOR: "hair colour",
    Attribute.HAIR_SHAPE: "hair shape",
    Attribute.EYE_COLOR: "eye colour",
    Attribute.EYE_SHAPE: "eye shape",
    Attribute.SKIN: "skin",
    Attribute.FACE_SHAPE: "face shape",
    Attribute.FACIAL_HAIR: "facial hair",
    Attribute.OUTFIT: "outfit",
    Attribute.OUTFIT_COLOR: "outfit colour",
    Attribute.ACCESSORY_MISSING: "accessory missing",
    Attribute.ACCESSORY_SIDE: "accessory side",
    Attribute.MARK_MISSING: "mark missing",
    Attribute.PROPORTIONS: "proportions",
    Attribute.PALETTE: "palette",
    Attribute.LINE_STYLE: "line style",
}


def words(attribute: str) -> str:
    """An attribute as people read it."""
    return _WORDS[Attribute(attribute)]


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """What drifted, the surest first, and the colours of hair, skin and clothes."""

    drifts: tuple[Drift, ...]
    parts: tuple[PartColor, ...]
    _excess: NDArray[np.float32]
    _way: "_Way"

    @property
    def heat(self) -> NDArray[np.uint8]:
        """Where it differs, in the picture's shape (h, w), 0 (not at all) to 255 (most)."""
        return self._way.map_of(self._excess)

    @property
    def named(self) -> tuple[Drift, ...]:
        """What is more likely than not."""
        return tuple(one for one in self.drifts if one.confidence >= NAMED)


@lru_cache(maxsize=1)
def shipped_forest() -> Forest:
    """The model that ships with the program."""
    return load_forest(Path(__file__).with_name("attribution.npz"))


def attribute_drift(
    image: Image.Image, figure: Figure, member: CastInput, nearest: int | None = None
) -> Attribution | None:
    """Say what drifted between a figure and its look's references.

    Args:
        image: the picture, RGB or RGBA.
        figure: the figure in it.
        member: the look, with references and marks.
        nearest: the reference that the figure is most like, if the check knows it.

    Returns:
        Every attribute with its confidence, the surest first; None where fewer than
        :data:`LEAST_REFERENCES` references show a figure.

    Raises:
        SettingsError: the model that ships with the program is damaged.
    """
    chosen = _chosen(member, nearest)
    template = _template(tuple(reference.image for reference in chosen))
    if template is None:
        return None
    plate = plate_of(image, figure)
    found = differences(plate, template, _marks(member, chosen, template))
    parts = seen_parts(image, plate, found.fit, template)
    return explained(found, plate, template, image.size, parts)


def parts_of(member: CastInput) -> list[PartColor]:
    """The usual colours of a look's hair, skin and clothes; empty where they are not known."""
    template = _template(tuple(reference.image for reference in _chosen(member, None)))
    return [] if template is None else usual_parts(template)


def explained(
    found: Differences,
    plate: Plate,
    template: Template,
    size: tuple[int, int],
    parts: Sequence[PartColor] = (),
) -> Attribution:
    """Read differences with the model, and find where they show.

    Args:
        found: the figure's differences.
        plate: the figure's plate.
        template: what it was compared with.
        size: width and height of the picture.
        parts: the figure's colours.
    """
    forest = shipped_forest()
    odds = forest.log_odds(row_of(found, forest))
    middle, spread = odds.mean(axis=0), odds.std(axis=0)
    back = _Way(found, plate, size)
    drifts = [
        Drift(
            name,
            _share(middle[k]),
            _share(middle[k] - _SURE * spread[k]),
            _share(middle[k] + _SURE * spread[k]),
            _region(Attribute(name), found, template, back) if middle[k] > 0 else None,
        )
        for k, name in enumerate(forest.classes)
    ]
    drifts.sort(key=lambda one: -one.confidence)
    return Attribution(tuple(drifts), tuple(parts), found.excess, back)


def row_of(found: Differences, forest: Forest) -> np.ndarray:
    """The features in a model's order, float32, NaN where there is none."""
    return np.array([found.features.get(n, math.nan) for n in forest.names], np.float32)


class _Way:
    """The way from template maps back into the picture."""

    def __init__(self, found: Differences, plate: Plate, size: tuple[int, int]) -> None:
        a, b, c, d, e, f = found.fit.coefficients(DOWN)
        # The fit says where a template pixel comes from; here a plate pixel asks where it goes.
        inverse = np.linalg.inv(np.array([[a, b, c], [d, e, f], [0, 0, 1]]))
        self._matrix = tuple(float(v) for v in inverse[:2].ravel())
        self._plate, self._size = plate, size

    def on_plate(self, values: np.ndarray) -> Image.Image:
        """A map as it lies on the figure's plate (mode L, the size of the maps)."""
        image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
        return image.transform(
            image.size, Image.Transform.AFFINE, self._matrix, Image.Resampling.BILINEAR
        )

    def box_of(self, flags: np.ndarray) -> Box | None:
        """The box of some map pixels in the picture."""
        inside = np.asarray(self.on_plate(np.where(flags, 255, 0))) > _INSIDE
        tight = Image.fromarray(inside).getbbox()
        if tight is None:
            return None
        x, y = self._plate.origin
        step = self._plate.scale * DOWN
        box = Box(
            round(x + tight[0] * step), round(y + tight[1] * step),
            round(x + tight[2] * step), round(y + tight[3] * step),
        )  # fmt: skip
        cut = box.intersection(Box(0, 0, *self._size))
        return cut if cut.area else None

    def map_of(self, values: np.ndarray) -> np.ndarray:
        """A map as it lies in the picture, uint8 (h, w); 40 (CIE76) and more is 255."""
        small = self.on_plate(values * (255 / _FULL_HEAT))
        side = max(1, round(WIDTH * self._plate.scale)), max(1, round(HEIGHT * self._plate.scale))
        heat = Image.new("L", self._size)
        at = round(self._plate.origin[0]), round(self._plate.origin[1])
        heat.paste(small.resize(side, Image.Resampling.BILINEAR), at)
        return np.asarray(heat)


def _region(attribute: Attribute, found: Differences, template: Template, back: _Way) -> Box | None:
    """Where an attribute shows: the strongest differences in the parts where it can show."""
    names = _ZONES.get(attribute)
    zones = template.zones.masks
    where = np.ones(found.excess.shape, bool)
    if names is not None:
        where = np.any([zones[name] for name in names], axis=0)
    smooth = Image.fromarray(np.clip(found.excess, 0, 255).astype(np.uint8))
    values = np.asarray(smooth.filter(ImageFilter.BoxBlur(1)), np.float32) * where
    if values.max() < 1:
        return None
    return back.box_of(values > _HOT * values.max())


def _chosen(member: CastInput, nearest: int | None) -> list[ReferenceInput]:
    """The nearest reference first, then canon ones, at most as many as are compared."""
    usable = [r for r in member.references if r.canon or r.reference_id == nearest]
    usable.sort(key=lambda r: r.reference_id != nearest)
    if usable and nearest is not None:
        shot = usable[0].shot_type
        usable[1:] = sorted(usable[1:], key=lambda r: r.shot_type is not shot)
    return usable[:MOST_REFERENCES]


@lru_cache(maxsize=32)
def _reference_plate(png: bytes) -> Plate | None:
    image = load_canonical(png)
    figure = find_figure(image)
    return None if figure is None else plate_of(image, figure)


@lru_cache(maxsize=16)  # a worker judges many pictures of one cast
def _template(pictures: tuple[bytes, ...]) -> Template | None:
    plates = [plate for png in pictures if (plate := _reference_plate(png)) is not None]
    if len(plates) < LEAST_REFERENCES or _reference_plate(pictures[0]) is None:
        return None
    return template_of(plates[0], plates[1:])


def _marks(
    member: CastInput, chosen: Sequence[ReferenceInput], template: Template
) -> tuple[Box, ...]:
    """The look's marks as they lie on the template, in plate pixels."""
    places = {r.reference_id: k for k, r in enumerate(chosen)}
    known = [r for r in chosen if _reference_plate(r.image) is not None]
    out: list[Box] = []
    for mark in member.marks:
        k = places.get(mark.reference_id)
        if k is None or chosen[k] not in known:
            continue
        plate = _reference_plate(chosen[k].image)
        fit = template.fits[known.index(chosen[k])]
        if plate is not None:
            out.append(onto_template(mark.box, plate, fit))
    return tuple(out)


def onto_template(box: Box, plate: Plate, fit: Fit) -> Box:
    """A box of a reference's picture in the pixels of the template."""
    a, b, c, d, e, f = fit.coefficients()
    inverse = np.linalg.inv(np.array([[a, b, c], [d, e, f], [0, 0, 1]]))
    corners = np.array(
        [[(x - plate.origin[0]) / plate.scale, (y - plate.origin[1]) / plate.scale, 1]
         for x in (box.x0, box.x1) for y in (box.y0, box.y1)]
    )  # fmt: skip
    moved = corners @ inverse.T
    low, high = moved[:, :2].min(axis=0), moved[:, :2].max(axis=0)
    return Box(round(low[0]), round(low[1]), round(high[0]), round(high[1]))


def _share(log_odds: float) -> float:
    return float(1 / (1 + math.exp(-max(-30.0, min(30.0, float(log_odds))))))
