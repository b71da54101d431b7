"""Page templates: nested splits of the page into tiers and columns.

A template is drawn for left-to-right reading; right-to-left pages mirror it. Panels are numbered
in the order in which the splits are walked. A column that is divided again never stands before
an undivided one (its lower panel would lie beside the place where the eye goes next), which
keeps the order plain; :func:`in_reading_order` states the rule and tests check every template.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.domain.character import ReadingDirection
from pipeline.domain.geometry import Box
from pipeline.domain.page import PageSpec

STRIP = "strip"


@dataclass(frozen=True, slots=True)
class Split:
    """Parts one below the other (``tiers``) or side by side, with relative sizes."""

    tiers: bool
    parts: tuple[tuple[float, "Split | None"], ...]


def tiers(*parts: "float | tuple[float, Split]") -> Split:
    """Parts one below the other; a bare number is an undivided panel of that height."""
    return Split(True, tuple(p if isinstance(p, tuple) else (p, None) for p in parts))


def columns(*parts: "float | tuple[float, Split]") -> Split:
    """Parts side by side; a bare number is an undivided panel of that width."""
    return Split(False, tuple(p if isinstance(p, tuple) else (p, None) for p in parts))


_PAIR = columns(1, 1)
_SWAY = columns(1.35, 1)
_SWING = columns(1, 1.35)

TEMPLATES: dict[str, Split] = {
    # one
    "splash": tiers(1),
    # two
    "two-tiers": tiers(1, 1),
    "two-opening": tiers(1.6, 1),
    "two-closing": tiers(1, 1.6),
    "two-columns": columns(1, 1),
    # three
    "three-tiers": tiers(1, 1, 1),
    "wide-then-two": tiers(1.15, (1, _PAIR)),
    "two-then-wide": tiers((1, _PAIR), 1.15),
    "tall-then-two": columns(1, (1.15, tiers(1, 1))),
    # four
    "four-grid": tiers((1, _PAIR), (1, _PAIR)),
    "four-sway": tiers((1, _SWAY), (1, _SWING)),
    "wide-two-wide": tiers(1, (1, _PAIR), 1),
    "two-wide-wide": tiers((1, _PAIR), 1, 1),
    "wide-wide-two": tiers(1, 1, (1, _PAIR)),
    "four-tiers": tiers(1, 1, 1, 1),
    # five
    "two-wide-two": tiers((1, _SWAY), 1.05, (1, _SWING)),
    "wide-two-two": tiers(1.15, (1, _SWAY), (1, _SWING)),
    "two-two-wide": tiers((1, _SWAY), (1, _SWING), 1.15),
    "five-opening": tiers((1.5, columns(1, (1.15, tiers(1, 1)))), (1, _PAIR)),
    # six
    "six-grid": tiers((1, _PAIR), (1, _PAIR), (1, _PAIR)),
    "six-sway": tiers((1, _SWAY), (1, _SWING), (1, _SWAY)),
    "wide-two-two-wide": tiers(1, (1, _SWAY), (1, _SWING), 1),
    "wide-two-three": tiers(1.25, (1, _PAIR), (0.9, columns(1, 1, 1))),
    "six-columns": tiers((1, columns(1, 1, 1)), (1, columns(1, 1, 1))),
}


def panel_count(split: Split) -> int:
    """How many panels a template holds."""
    return sum(1 if part is None else panel_count(part) for _, part in split.parts)


def names_for(count: int) -> tuple[str, ...]:
    """The templates for a number of panels, simplest first."""
    return tuple(name for name, split in TEMPLATES.items() if panel_count(split) == count)


def frames_of(name: str, spec: PageSpec) -> tuple[Box, ...]:
    """The frames of a template on a page, in reading order."""
    return frames_in(TEMPLATES[name], spec)


def frames_in(split: Split, spec: PageSpec) -> tuple[Box, ...]:
    """The frames that splits give a page, in reading order.

    Gaps between tiers are wider than gaps between columns on right-to-left pages: that is how
    manga tells the eye to finish a tier first.
    """
    width, height = spec.size
    m = spec.margin
    rtl = spec.reading_direction is ReadingDirection.RTL
    gaps = (spec.gutter, round(spec.gutter * 1.5) if rtl else spec.gutter)
    boxes = _cut(split, Box(m, m, width - m, height - m), gaps)
    if not rtl:
        return tuple(boxes)
    return tuple(Box(width - b.x1, b.y0, width - b.x0, b.y1) for b in boxes)


def _cut(split: Split, box: Box, gaps: tuple[int, int]) -> Iterator[Box]:
    """Walk the splits; ``gaps`` are the gutter between columns and the one between tiers."""
    gap = gaps[1] if split.tiers else gaps[0]
    start, end = (box.y0, box.y1) if split.tiers else (box.x0, box.x1)
    room = end - start - gap * (len(split.parts) - 1)
    total = sum(weight for weight, _ in split.parts)
    before = 0.0
    for i, (weight, inner) in enumerate(split.parts):
        low = start + round(room * before / total) + gap * i
        before += weight
        high = start + round(room * before / total) + gap * i
        part = Box(box.x0, low, box.x1, high) if split.tiers else Box(low, box.y0, high, box.y1)
        if inner is None:
            yield part
        else:
            yield from _cut(inner, part, gaps)


def in_reading_order(boxes: Sequence[Box], direction: ReadingDirection) -> bool:
    """Whether boxes are read in the order in which they are given.

    Each box lies wholly above every later one, or beside it: before it in the direction of
    reading, and not starting lower. A box that is set into another is read after it, and stands in
    its lower half.
    """
    rtl = direction is ReadingDirection.RTL
    for i, first in enumerate(boxes):
        for second in boxes[i + 1 :]:
            if first.intersection(second) == second:
                if second.y0 < (first.y0 + first.y1) // 2:
                    return False
                continue
            above = first.y1 <= second.y0
            before = first.x0 >= second.x1 if rtl else first.x1 <= second.x0
            if not above and not (before and first.y0 <= second.y0):
                return False
    return True
