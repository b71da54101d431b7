"""Pictures of a source as encoders see them, in every condition, and which pairs count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.bench.scores import Floats, Pairs
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.geometry import Box, Size
from pipeline.generation.draft.backgrounds import paint_background
from pipeline.generation.draft.canvas import Canvas
from pipeline.generation.draft.scene import Place, Scene, Time
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import choose_tones
from pipeline.imaging.crops import CROP_SIDE, GROUND, FigureCrop, find_figure, head_box
from pipeline.training.catalog import Drawing, open_drawing

CONDITIONS = ("color", "grey", "busy", "lookalike", "outfit", "crop")
SHOWN = ("color", "busy", "crop")
"""What crops are cut for; the other conditions look at those in colour in another way."""
REFERENCES = 3
_KEPT = 0.8
"""Of a crop's sides, what the condition ``crop`` leaves: a corner of it is out of the frame."""
_GROUNDS, _GROUND_SIDE = 24, 384


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """One source's drawings and, for each of SHOWN, a crop of each in the same order."""

    source: str
    drawings: tuple[Drawing, ...]
    crops: Mapping[str, tuple[FigureCrop, ...]]

    @property
    def identities(self) -> list[str]:
        """The identities, sorted."""
        return sorted({one.identity for one in self.drawings})


def make_exams(
    drawings: Sequence[Drawing], crop: CropClass, per_identity: int, seed: int
) -> list[Exam]:
    """Cut all crops of all sources with two identities or more.

    On busy ground the drawing stands in scenery of the draft generator and the region is known,
    but not what in it is figure: as with a box that a person draws.

    Args:
        drawings: of any number of sources.
        crop: the head, or the whole figure.
        per_identity: at most so many drawings of each, the references first; 0 for all.
        seed: of grounds and frames.
    """
    grounds = list(_scenery(_GROUNDS, seed))
    exams = []
    for source in sorted({one.source for one in drawings}):
        chosen = chosen_drawings([one for one in drawings if one.source == source], per_identity)
        if len({one.identity for one in chosen}) > 1:
            exams.append(_exam(source, chosen, crop, grounds))
    return exams


def compared(exam: Exam, condition: str, similarity: Floats) -> Pairs:
    """Which pairs count in a condition.

    ``lookalike`` asks inside a family only: an identity and those that differ in one attribute.
    ``outfit`` asks for pairs of one identity in different clothes; strangers may wear any.

    Args:
        exam: the source.
        condition: one of CONDITIONS.
        similarity: (n, n), rows known, columns asked.
    """
    owners = _indices([one.identity for one in exam.drawings])
    families = _indices([one.family for one in exam.drawings])
    references = np.array([_is_reference(exam.drawings, k) for k in range(len(owners))])
    same = owners[:, None] == owners[None, :]
    kin = families[:, None] == families[None, :]
    apart = ~np.eye(len(owners), dtype=bool)
    genuine, impostor = same & apart, ~same
    asked, candidates = ~references, np.ones_like(same)
    if condition == "lookalike":
        shared = (kin & ~same).any(axis=0)
        genuine, impostor = genuine & shared, impostor & kin
        asked, candidates = asked & shared, kin
    elif condition == "outfit":
        worn = _indices([one.outfit for one in exam.drawings])
        known = np.array([bool(one.outfit) for one in exam.drawings])
        other = (worn[:, None] != worn[None, :]) & known[:, None] & known[None, :]
        genuine = genuine & other
        impostor = impostor & bool(genuine.any())
        asked = asked & known & ~(references[:, None] & same & ~other).any(axis=0)
    return Pairs(similarity, owners, genuine, impostor, references, asked, candidates)


def _exam(
    source: str, drawings: Sequence[Drawing], crop: CropClass, grounds: Sequence[Image.Image]
) -> Exam:
    kept: list[Drawing] = []
    crops: dict[str, list[FigureCrop]] = {name: [] for name in SHOWN}
    for drawing in drawings:
        image = open_drawing(drawing)
        cut = _cuts(image, crop, grounds, Random(drawing.identity + drawing.variant))
        if cut is not None:
            kept.append(drawing)
            for name, one in cut.items():
                crops[name].append(one)
    return Exam(source, tuple(kept), {name: tuple(cut) for name, cut in crops.items()})


def _cuts(
    image: Image.Image, crop: CropClass, grounds: Sequence[Image.Image], rng: Random
) -> dict[str, FigureCrop] | None:
    """One drawing's crops, None where no figure is found."""
    figure = find_figure(image)
    if figure is None:
        return None
    region = head_box(figure) if crop is CropClass.HEAD else figure.box
    square = _square(region)
    own = np.minimum(np.asarray(image.getchannel("A")), figure.mask)
    cut = image.convert("RGB")
    cut.putalpha(Image.fromarray(own))
    return {
        "color": _framed(cut, square, None),
        "busy": _framed(cut, square, rng.choice(grounds), rng),
        "crop": _framed(cut, _shifted(square, rng), None),
    }


def _framed(
    cut: Image.Image, square: Box, ground: Image.Image | None, rng: Random | None = None
) -> FigureCrop:
    """A region of a cut-out figure on the neutral ground, or with scenery and no mask."""
    part = cut.crop(square)
    size = (CROP_SIDE, CROP_SIDE)
    alpha = part.getchannel("A")
    if ground is None or rng is None:
        base = Image.new("RGB", part.size, GROUND)
        small = np.asarray(alpha.resize(size, Image.Resampling.BOX))
        mask = np.where(small > 127, 255, 0).astype(np.uint8)
    else:
        reach = rng.randint(_GROUND_SIDE // 3, _GROUND_SIDE)
        x, y = (rng.randint(0, _GROUND_SIDE - reach) for _ in range(2))
        base = ground.resize(part.size, Image.Resampling.BICUBIC, (x, y, x + reach, y + reach))
        mask = np.full(size, 255, np.uint8)
    base.paste(part.convert("RGB"), mask=alpha)
    return FigureCrop(base.resize(size, Image.Resampling.LANCZOS), mask)


def _square(box: Box) -> Box:
    side = max(box.width, box.height, 1)
    x0, y0 = box.x0 - (side - box.width) // 2, box.y0 - (side - box.height) // 2
    return Box(x0, y0, x0 + side, y0 + side)


def _shifted(square: Box, rng: Random) -> Box:
    """A smaller square in one corner of a square."""
    side = max(1, round(_KEPT * square.width))
    x = square.x0 + rng.choice((0, square.width - side))
    y = square.y0 + rng.choice((0, square.height - side))
    return Box(x, y, x + side, y + side)


def chosen_drawings(drawings: Sequence[Drawing], per_identity: int) -> list[Drawing]:
    """The references of each identity, then the others in order."""
    chosen: list[Drawing] = []
    for identity in sorted({one.identity for one in drawings}):
        own = [one for one in drawings if one.identity == identity]
        own.sort(key=lambda one: (one.role != "ref", one.variant))
        chosen.extend(own[: per_identity or None])
    return chosen


def _is_reference(drawings: Sequence[Drawing], place: int) -> bool:
    """Whether a drawing is among the first REFERENCES of its identity, which come first."""
    own = [k for k, one in enumerate(drawings) if one.identity == drawings[place].identity]
    return place in own[:REFERENCES]


def _indices(names: Sequence[str]) -> NDArray[np.intp]:
    index = {name: place for place, name in enumerate(sorted(set(names)))}
    return np.array([index[name] for name in names], np.intp)


def _scenery(count: int, seed: int) -> Sequence[Image.Image]:
    """Rooms, streets and woods of the draft generator."""
    places = [place for place in Place if place is not Place.PLAIN]
    grounds = []
    for number in range(count):
        rng = Random(f"{seed}/{number}")
        scene = Scene(places[number % len(places)], rng.choice(list(Time)))
        tones = choose_tones(scene, rng)
        size = Size(_GROUND_SIDE, _GROUND_SIDE)
        site = Site(
            Canvas(size, tones.far), scene, tones, rng, 0.8 * size.height, 0.6 * size.height
        )
        grounds.append(paint_background(site))
    return grounds
