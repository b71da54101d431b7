"""How much a figure repeats a reference: the sign of conditioning that holds too hard."""

import io
from collections.abc import Mapping
from functools import lru_cache

from PIL import Image, ImageOps

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.fingerprint import PictureHashes
from pipeline.domain.geometry import Box
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.fingerprints.hashes import picture_hashes
from pipeline.imaging.crops import GROUND
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.masks import find_figure

_UNRELATED_BITS = 32
"""Bits of 64 by which two unrelated pictures differ on average."""
STIFF = 0.9
"""Copy score from which a figure counts as copied (3 of 64 bits).

Source: measured on full figures of the example cast: copies at two thirds of the size score 0.94
and more, two poses of one character 0.88 at most (99 pairs, 0.52 on average), two characters 0.81
at most (462 pairs, 0.23 on average). AF33 asks for the check.
"""
_SIDE = 256


def copy_score(
    candidate: Candidate, plan: ConditioningPlan, pictures: Mapping[str, bytes]
) -> float | None:
    """How much the most repetitive figure of a picture is like a reference that the plan names.

    Figures are cut out and laid on one ground first, so that the score sees shape and pose and
    not the scenery; a mirrored copy is a copy.

    Args:
        candidate: a picture whose figures are marked.
        plan: names the references of each character.
        pictures: PNGs by sha256.

    Returns:
        1 for the same drawing, 0 for unrelated ones; None if no figure is marked or too flat.
    """
    marked = {figure.character_id: figure for figure in candidate.figures}
    image = load_canonical(candidate.image).convert("RGB") if marked else None
    scores: list[float] = []
    for member in plan.cast:
        placed = marked.get(member.character_id)
        if image is None or placed is None:
            continue
        mine = _both_ways(_cut(image, placed.box, _mask_of(placed, image.size)))
        theirs = [_reference_hashes(pictures[use.sha256]) for use in member.references]
        scores += [_likeness(a, b) for a in mine for b in theirs if b is not None]
    return max(scores, default=None)


def _likeness(a: PictureHashes, b: PictureHashes) -> float:
    if a.phash is None or b.phash is None:
        return 0.0
    return max(0.0, 1 - (a.phash ^ b.phash).bit_count() / _UNRELATED_BITS)


@lru_cache(maxsize=64)  # a worker draws many panels of one cast
def _reference_hashes(png: bytes) -> PictureHashes | None:
    image = load_canonical(png)
    figure = find_figure(image)
    if figure is None:
        return None
    return picture_hashes(_cut(image.convert("RGB"), figure.box, Image.fromarray(figure.mask)))


def _both_ways(cut: Image.Image) -> tuple[PictureHashes, PictureHashes]:
    return picture_hashes(cut), picture_hashes(ImageOps.mirror(cut))


def _cut(image: Image.Image, box: Box, mask: Image.Image | None) -> Image.Image:
    """The figure alone on the ground of all crops, as a square of 256 pixels."""
    side = max(box.width, box.height, 1)
    square = Image.new("RGB", (side, side), GROUND)
    corner = ((side - box.width) // 2, (side - box.height) // 2)
    square.paste(image.crop(box), corner, None if mask is None else mask.crop(box))
    return square.resize((_SIDE, _SIDE), Image.Resampling.BOX)


def _mask_of(placed: PlacedFigure, size: tuple[int, int]) -> Image.Image | None:
    if placed.mask is None:
        return None
    mask = Image.open(io.BytesIO(placed.mask), formats=("PNG",)).convert("L")
    return mask if mask.size == size else None
