"""Layouts of one page as its own: tiers with their heights, panels with their widths.

A layout has a short name that tells everything, so that a page can be composed again and changed
by hand: ``1.2=1/1=1.35,1`` is a wide panel over two, ``!`` after a height lets the tier bleed
to the edges of the sheet, ``+`` joins panels that stand one below the other at the end of a tier,
``^`` sets a small panel into the corner of a panel that is alone in its tier.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.comics.templates import Split
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box
from pipeline.domain.page import PageSpec

MAX_TIERS, MAX_ACROSS, MAX_STACKED = 6, 4, 3
LEAST, MOST = 0.2, 8.0
LEAST_INSET, MOST_INSET = 0.2, 0.5
_TIER = re.compile(
    r"(?P<height>\d+(?:\.\d+)?)(?P<bleed>!?)=(?P<columns>[\d.,+]+)(?:\^(?P<inset>\d?\.\d+))?"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One panel, or several one below the other, of a relative ``width``."""

    width: float
    panels: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, slots=True)
class Tier:
    """Columns side by side, of a relative ``height``; ``bleed`` takes them to the sheet's edge.

    ``inset`` is the width of a further panel that is set into the only one, as a share of it; 0
    for none.
    """

    height: float
    columns: tuple[Column, ...]
    bleed: bool = False
    inset: float = 0.0

    @property
    def count(self) -> int:
        """How many panels it holds."""
        return self.framed + bool(self.inset)

    @property
    def framed(self) -> int:
        """How many of them have a frame of their own, not set into another's."""
        return sum(len(column.panels) for column in self.columns)


Tiers = tuple[Tier, ...]


def is_tiers(name: str) -> bool:
    """Whether a layout's name tells a layout of its own."""
    return "=" in name


def read_tiers(name: str) -> Tiers:
    """The layout that a name tells.

    Raises:
        InvalidInput: it tells none, or one that cannot be read in order.
    """
    found = []
    for part in name.split("/"):
        match = _TIER.fullmatch(part)
        if match is None:
            raise InvalidInput(f"“{name[:60]}” is no layout; write tiers like “1.2=1/1=1.35,1”.")
        columns = tuple(_column(text, name) for text in match["columns"].split(","))
        inset = float(match["inset"] or 0)
        found.append(Tier(_weight(match["height"], name), columns, bool(match["bleed"]), inset))
    return _checked(tuple(found))


def write_tiers(tiers: Tiers) -> str:
    """The name of a layout; :func:`read_tiers` gives the same layout."""
    return "/".join(
        f"{tier.height:g}{'!' if tier.bleed else ''}="
        + ",".join(map(_written, tier.columns))
        + (f"^{tier.inset:g}" if tier.inset else "")
        for tier in tiers
    )


def split_of(tiers: Tiers) -> Split:
    """The layout as nested splits."""
    return Split(
        True,
        tuple(
            (
                tier.height,
                Split(
                    False,
                    tuple(
                        (c.width, Split(True, tuple((h, None) for h in c.panels)))
                        for c in tier.columns
                    ),
                ),
            )
            for tier in tiers
        ),
    )


def bled(tiers: Tiers, boxes: Sequence[Box], spec: PageSpec) -> list[Box]:
    """The frames with the bleeding tiers drawn out to the edges of the sheet."""
    width, height = spec.size
    out: list[Box] = []
    for number, tier in enumerate(tiers):
        mine = boxes[len(out) : len(out) + tier.framed]
        left, right = min(b.x0 for b in mine), max(b.x1 for b in mine)
        top, low = min(b.y0 for b in mine), max(b.y1 for b in mine)
        for box in mine:
            if not tier.bleed:
                out.append(box)
                continue
            out.append(
                Box(
                    0 if box.x0 == left else box.x0,
                    0 if number == 0 and box.y0 == top else box.y0,
                    width if box.x1 == right else box.x1,
                    height if number == len(tiers) - 1 and box.y1 == low else box.y1,
                )
            )
    return out


def resized(tiers: Tiers, index: int, factor: float) -> Tiers:
    """Panel ``index`` (from 0) larger or smaller by ``factor``: wider in its tier, or higher.

    Raises:
        InvalidInput: there is no such panel, or it would get too small or too large.
    """
    t, c, p = _find(tiers, index)
    tier = tiers[t]
    column = tier.columns[c]
    if len(column.panels) > 1:
        heights = _with(column.panels, p, round(column.panels[p] * factor, 3))
        columns = _with(tier.columns, c, replace(column, panels=heights))
        changed = replace(tier, columns=columns)
    elif len(tier.columns) > 1:
        wider = replace(column, width=round(column.width * factor, 3))
        changed = replace(tier, columns=_with(tier.columns, c, wider))
    else:
        changed = replace(tier, height=round(tier.height * factor, 3))
    return _checked(_with(tiers, t, changed))


def merged(tiers: Tiers, index: int) -> Tiers:
    """The tier of panel ``index`` joined to the one before it: all their panels side by side.

    Raises:
        InvalidInput: it is the first tier, or they are too many for one.
    """
    t, _, _ = _find(tiers, index)
    if t == 0:
        raise InvalidInput("The first tier has none before it; name a panel further down.")
    before, tier = tiers[t - 1], tiers[t]
    if before.inset or tier.inset:
        raise InvalidInput("A tier with an inset stands alone; split it first.")
    # the taller column comes last in a tier: what is stacked would be read in the wrong order
    if any(len(column.panels) > 1 for column in before.columns):
        raise InvalidInput("The tier before ends in stacked panels; split them first.")
    joined = Tier(
        max(before.height, tier.height),
        (*before.columns, *tier.columns),
        before.bleed or tier.bleed,
    )
    return _checked((*tiers[: t - 1], joined, *tiers[t + 1 :]))


def divided(tiers: Tiers, index: int) -> Tiers:
    """A new tier that begins with panel ``index``.

    Raises:
        InvalidInput: it begins a tier already, or there is no such panel.
    """
    t, c, p = _find(tiers, index)
    tier = tiers[t]
    if tier.inset:
        return (*tiers[:t], replace(tier, inset=0.0), Tier(1.0, (Column(1.0),)), *tiers[t + 1 :])
    if (c, p) == (0, 0):
        raise InvalidInput("That panel begins a tier already; name another one.")
    column = tier.columns[c]
    first = tier.columns[:c] + ((replace(column, panels=column.panels[:p]),) if p else ())
    second = (replace(column, panels=column.panels[p:]), *tier.columns[c + 1 :])
    parts = (replace(tier, columns=first), replace(tier, columns=second))
    return _checked((*tiers[:t], *parts, *tiers[t + 1 :]))


def tiers_of(split: Split) -> Tiers:
    """A template as tiers, so that it can be changed by hand."""
    if not split.tiers:
        return (Tier(1.0, tuple(_columns_of(split))),)
    return tuple(
        Tier(weight, (Column(1.0),)) if inner is None else Tier(weight, tuple(_columns_of(inner)))
        for weight, inner in split.parts
    )


def _columns_of(split: Split) -> Iterator[Column]:
    for width, inner in split.parts:
        yield Column(width) if inner is None else Column(width, tuple(h for h, _ in inner.parts))


def _find(tiers: Tiers, index: int) -> tuple[int, int, int]:
    """Tier, column and place in the column of a panel."""
    number = 0
    for t, tier in enumerate(tiers):
        for c, column in enumerate(tier.columns):
            for p in range(len(column.panels)):
                if number == index:
                    return t, c, p
                number += 1
        if tier.inset:
            if number == index:
                raise InvalidInput("That panel is set into another; name the one around it.")
            number += 1
    raise InvalidInput(f"The page has {number} panels; name one of them by its place, from 1.")


def _with(items: tuple, at: int, item: object) -> tuple:
    return (*items[:at], item, *items[at + 1 :])


def _checked(tiers: Tiers) -> Tiers:
    for tier in tiers:
        stacked = [c for c in tier.columns if len(c.panels) > 1]
        if len(tier.columns) > MAX_ACROSS or any(len(c.panels) > MAX_STACKED for c in stacked):
            raise InvalidInput(
                f"A tier takes {MAX_ACROSS} columns of at most {MAX_STACKED} panels."
            )
        if tier.inset and not (tier.framed == 1 and LEAST_INSET <= tier.inset <= MOST_INSET):
            raise InvalidInput(
                f"An inset takes {LEAST_INSET:g} to {MOST_INSET:g} of a panel that is alone in its "
                "tier."
            )
        if stacked and stacked != [tier.columns[-1]]:
            raise InvalidInput("Stacked panels can stand at the end of a tier only.")
        weights = [tier.height, *(w for c in tier.columns for w in (c.width, *c.panels))]
        if not all(LEAST <= weight <= MOST for weight in weights):
            raise InvalidInput(
                "That panel would get too small or too large beside the others; choose less."
            )
    if not 1 <= len(tiers) <= MAX_TIERS:
        raise InvalidInput(f"A page has 1 to {MAX_TIERS} tiers.")
    return tiers


def _column(text: str, name: str) -> Column:
    parts = text.split("+")
    width = _weight(parts[0], name)
    return Column(width, tuple(_weight(p, name) for p in parts[1:]) if len(parts) > 1 else (1.0,))


def _written(column: Column) -> str:
    if len(column.panels) == 1:
        return f"{column.width:g}"
    return "+".join(f"{number:g}" for number in (column.width, *column.panels))


def _weight(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidInput(f"“{text}” in “{name[:60]}” is no number.") from error
