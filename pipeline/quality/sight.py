"""What there is to see of a figure: how large it is, whether its face shows, what cuts it off.

Where too little shows, a similarity means nothing; then the check says why instead of a verdict,
and what would help.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.inputs import CastInput
from pipeline.domain.quality import CharacterCheck, Verdict
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.heads import find_head
from pipeline.imaging.masks import Figure, find_figure

_SIDE = 112
"""The head is looked at in this many pixels."""
_STROKE = 10.0
"""Grey levels a pixel from which a change counts as drawn."""
_LEAST_DETAIL = 0.02
"""Share of the face in which something is drawn. Source: of 1,883 heads of 210 training identities
of the bench 2.2 % are under it, of heads from behind, in shadow, out of focus or covered 98 %."""
_LEAST_VISIBLE = 0.7
_CUT = 0.25
"""Share of a figure's width that ends at the picture's upper edge. Source: of the same heads not
one in a hundred is beyond it."""
_STRAIGHT, _SLIM = 0.6, 1.6
"""Share of a figure's height along which one side is a straight upright line, and height over
width: together they tell a strip beside a door or a frame. Source: of 630 pictures of 210 training
identities none has both, of strips of them 99 % do."""

_LEAST_SHARE, _LEAST_HEIGHT, _LEAST_HEAD = 0.05, 48, 24
"""Least share of the picture's height, height in pixels, and width of the head in pixels.

Source: on-model art of 68 training identities that was shrunk before the check was flagged in 9 %
of cases at full size, 15 % with a head of 24 pixels, 29 % at 16 and 49 % at 12.
"""
_LEAST_DRAWN, _SHRUNK = 12, 0.8
"""A look that is drawn small is judged small: a head of at least 12 pixels that is not under 0.8 of
its references' usual one. Source: of 101 sprites of training and validation identities whose heads
are 12 to 24 pixels across none was under its references' limit, and others are told from it as well
as at 24 and more (AUC 0.91 to 0.93); under 12 pixels one in five was."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sight:
    """What shows.

    ``detail`` is the share of the face in which something is drawn, ``visible`` the share of the
    head that is there at all, ``cut`` the share of the figure's width that the upper edge of the
    picture cuts, ``straight`` the share of its height along which one side is a straight upright
    line, ``slimness`` its height over width.
    """

    detail: float
    visible: float
    cut: float
    straight: float
    slimness: float


def sight_of(image: Image.Image, figure: Figure) -> Sight:
    """Measure what shows of a figure. ``image`` has the size of the figure's mask."""
    head = find_head(figure)
    region = head.box
    gray = image.convert("RGBA").convert("L").crop(region).resize((_SIDE, _SIDE))
    seen = Image.fromarray(figure.mask).crop(region).resize((_SIDE, _SIDE))
    box = figure.box
    top = figure.mask[: max(1, figure.mask.shape[0] // 200)]
    inside = np.asarray(seen) > 127
    return Sight(
        _detail(np.asarray(gray, np.float64), inside),
        float(inside[_disc(0.37 * _SIDE)].mean()),
        float((top > 0).any(axis=0).sum()) / max(1, box.width),
        _straight(figure.inside > 0),
        box.height / max(1, box.width),
    )


def too_small(figure: Figure, picture_height: int, cast: Sequence[CastInput] = ()) -> bool:
    """Whether so little is seen of a figure that nothing should be said about it.

    Args:
        figure: in a picture.
        picture_height: in pixels.
        cast: whom it may show; one of them who is drawn as small in the references is enough.
    """
    if figure.box.height < max(_LEAST_HEIGHT, _LEAST_SHARE * picture_height):
        return True
    across = 2 * find_head(figure).radius
    if across >= _LEAST_HEAD:
        return False
    return across < _LEAST_DRAWN or all(across < _SHRUNK * _usual_head(m) for m in cast)


def _usual_head(member: CastInput) -> float:
    """How many pixels the head is across in a look's canon references; infinite without any."""
    sizes = [size for r in member.references if r.canon and (size := _head_across(r.image))]
    return float(np.median(sizes)) if sizes else math.inf


@lru_cache(maxsize=64)  # a worker judges many pictures of one cast
def _head_across(png: bytes) -> float | None:
    figure = find_figure(load_canonical(png))
    return None if figure is None else 2 * find_head(figure).radius


def doubtful(
    check: CharacterCheck, member: CastInput, image: Image.Image, figure: Figure
) -> CharacterCheck:
    """A check of a figure, or "cannot judge" with the reason where too little of it shows.

    A face that does not show is judged only where a reference shows the back as well. A figure
    that is cut off may still pass: what shows of it fits.
    """
    if check.similarity is None:
        return check
    sight = sight_of(image, figure)
    check = replace(check, interval=_widened(check, sight.visible))
    reason = _why(sight, member, check)
    if reason is None:
        return check
    return replace(check, verdict=Verdict.CANNOT_JUDGE, reason=reason)


def _widened(check: CharacterCheck, visible: float) -> tuple[float, float] | None:
    """The interval where only a part of the head shows: half of it doubles the variance."""
    if check.interval is None or check.similarity is None:
        return None
    wider = max(visible, 0.05) ** -0.5
    low, high = (check.similarity + wider * (end - check.similarity) for end in check.interval)
    return max(-1.0, low), min(1.0, high)


def _why(sight: Sight, member: CastInput, check: CharacterCheck) -> str | None:
    name = member.name
    if sight.detail < _LEAST_DETAIL and not _shown_from(member, ("back",)):
        return (
            f"{name}'s face does not show: it is turned away, in shadow or covered, and no "
            f"reference shows {name} like that. Add a reference of this angle (back), or let a "
            "person decide."
        )
    if sight.visible < _LEAST_VISIBLE and _unsettled(check):
        return (
            f"Something covers {name}'s head: {sight.visible:.0%} of it shows, and what shows does "
            "not settle it. Let a person decide."
        )
    if sight.straight > _STRAIGHT and sight.slimness > _SLIM:
        return (
            f"Only a strip of {name} shows, something hides the rest. Let a person decide, or draw "
            "a box around the whole figure."
        )
    if check.verdict is Verdict.ON_MODEL:
        return None
    if sight.cut > _CUT:
        return (
            f"The picture's upper edge cuts {name}'s head off. Send a picture that shows the whole "
            "head, or let a person decide."
        )
    return None


def _unsettled(check: CharacterCheck) -> bool:
    """Whether the limit lies inside the interval."""
    if check.interval is None or check.threshold is None:
        return False
    return check.interval[0] <= check.threshold <= check.interval[1]


def _disc(radius: float) -> Flags:
    rows, columns = np.indices((_SIDE, _SIDE))
    return np.hypot(columns - _SIDE / 2, rows - _SIDE / 2) < radius


def _shown_from(member: CastInput, angles: Sequence[str]) -> bool:
    return any(r.canon and r.angle in angles for r in member.references)


def _detail(gray: NDArray[np.float64], seen: Flags) -> float:
    """The share of the face in which something is drawn, outlines left out."""
    down, across = np.gradient(gray)
    rows, columns = np.indices(gray.shape)
    face = np.hypot((columns - 0.5 * _SIDE) / 33, (rows - 0.54 * _SIDE) / 36) < 1
    inner = face & _shrunk(seen)
    if inner.sum() < 50:
        return 0.0
    return float((np.hypot(across, down)[inner] > _STROKE).mean())


def _straight(inside: Flags) -> float:
    """The share of rows that end at the leftmost, or at the rightmost, place of all."""
    shown = inside[inside.any(axis=1)]
    if not len(shown):
        return 0.0
    slack = max(1.0, 0.01 * shown.shape[1])
    left = shown.argmax(axis=1)
    right = shown[:, ::-1].argmax(axis=1)
    return float(max((side <= side.min() + slack).mean() for side in (left, right)))


def _shrunk(seen: Flags) -> Flags:
    """The mask without its three outermost pixels."""
    for _ in range(3):
        padded = np.pad(seen, 1)
        seen = seen & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return seen
