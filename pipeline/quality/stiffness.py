"""How much a figure repeats a reference: the sign of conditioning that holds too hard."""

import io
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from PIL import Image, ImageOps

from pipeline.domain.character import ShotType
from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.fingerprint import CropClass, PictureHashes
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.fingerprints.hashes import picture_hashes
from pipeline.imaging.crops import crops_of, shot_of
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.masks import Figure, Mask, find_figure

_STRONGEST = 3
"""References of a character that a figure is compared with: those that hold it most."""
CropHashes = Mapping[CropClass, tuple[PictureHashes, PictureHashes]]
"""Hashes of each part of a figure, as it is and mirrored."""

_LARGEST_FIRST = (CropClass.FIGURE, CropClass.HALF, CropClass.HEAD)
_UNRELATED_BITS = 32
"""Bits of 64 by which two unrelated pictures differ on average."""
STIFF = 0.9
"""Copy score from which a figure counts as copied (3 of 64 bits).

Source: measured on the example cast. 76 % of 45 copies (two thirds of the size; full figures also
cut at the waist) reach it; so do 1 % of 75 pairs of other drawings of one character (0.42 on
average) and none of 360 pairs of two characters (0.18 on average). AF33 asks for the check.
"""


def copy_score(
    candidate: Candidate, plan: ConditioningPlan, pictures: Mapping[str, bytes]
) -> float | None:
    """How much the most repetitive figure of a picture is like a reference that the plan names.

    The figures are cut into the crops of the check first, so that the score sees shape and pose
    and neither scenery nor framing; a mirrored copy is a copy.

    Args:
        candidate: a picture whose figures are marked.
        plan: names the references of each character.
        pictures: PNGs by sha256.

    Returns:
        1 for the same drawing, 0 for unrelated ones; None if no figure is marked or too flat.
    """
    marked = {figure.character_id: figure for figure in candidate.figures}
    image = load_canonical(candidate.image) if marked else None
    scores: list[float] = []
    for member in plan.cast:
        placed = marked.get(member.character_id)
        if image is None or placed is None:
            continue
        figure = Figure(placed.box, _mask_of(placed, image.size))
        mine = _crop_hashes(image, figure, plan.shot_type)
        strongest = sorted(member.references, key=lambda use: -use.scale)[:_STRONGEST]
        theirs = [_reference_hashes(pictures[use.sha256]) for use in strongest]
        scores += [score for other in theirs if (score := _likeness(mine, other)) is not None]
    return max(scores, default=None)


def _likeness(mine: CropHashes, other: CropHashes) -> float | None:
    """By the largest part of the figure that both pictures show; the better of both ways round."""
    common = next((crop for crop in _LARGEST_FIRST if crop in mine and crop in other), None)
    if common is None:
        return None
    bits = [
        (a.phash ^ b.phash).bit_count()
        for a in mine[common]
        for b in other[common][:1]
        if a.phash is not None and b.phash is not None
    ]
    return max(0.0, 1 - min(bits) / _UNRELATED_BITS) if bits else None


@lru_cache(maxsize=64)  # a worker draws many panels of one cast
def _reference_hashes(png: bytes) -> CropHashes:
    image = load_canonical(png)
    figure = find_figure(image)
    return {} if figure is None else _crop_hashes(image, figure, shot_of(figure))


def _crop_hashes(image: Image.Image, figure: Figure, shot: ShotType) -> CropHashes:
    return {
        crop: (picture_hashes(cut.image), picture_hashes(ImageOps.mirror(cut.image)))
        for crop, cut in crops_of(image, figure, shot).items()
    }


def _mask_of(placed: PlacedFigure, size: tuple[int, int]) -> Mask:
    """The figure's mask (h, w), its whole box where the engine gave none."""
    if placed.mask is not None:
        mask = Image.open(io.BytesIO(placed.mask), formats=("PNG",)).convert("L")
        if mask.size == size:
            return np.where(np.asarray(mask) > 127, 255, 0).astype(np.uint8)
    boxed = np.zeros((size[1], size[0]), np.uint8)
    boxed[placed.box.y0 : placed.box.y1, placed.box.x0 : placed.box.x1] = 255
    return boxed
