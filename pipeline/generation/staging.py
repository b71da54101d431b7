"""Who may be drawn where, and what stays free: from a storyboard, or by dividing the picture."""

from collections.abc import Sequence

from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import CastInput
from pipeline.domain.panel import PanelBrief

_OVERLAP = 0.12
"""Share of the width by which neighbouring regions overlap: people touch."""


def regions_for(count: int, size: Size) -> tuple[Box | None, ...]:
    """One column per character in speaking order, each overlapping its neighbours a little.

    A character that is alone has the whole picture: None.
    """
    if count < 2:
        return (None,) * count
    step, lap = size.width / count, size.width * _OVERLAP / 2
    return tuple(
        Box(
            max(0, round(k * step - lap)),
            0,
            min(size.width, round((k + 1) * step + lap)),
            size.height,
        )
        for k in range(count)
    )


def staged_regions(cast: Sequence[CastInput], brief: PanelBrief) -> tuple[Box | None, ...]:
    """Where each may be drawn: its box in the storyboard, a little wider, else a column."""
    columns = regions_for(len(cast), brief.size)
    if brief.staging is None or len(cast) < 2:
        return columns
    lap = round(brief.size.width * _OVERLAP / 2)
    frame = Box(0, 0, *brief.size)
    staged = (brief.staging.box_of(member.character_id) for member in cast)
    return tuple(
        Box(box.x0 - lap, box.y0 - lap, box.x1 + lap, box.y1 + lap).intersection(frame)
        if box is not None
        else column
        for box, column in zip(staged, columns, strict=True)
    )


def clear_words(brief: PanelBrief) -> str:
    """Where the storyboard has balloons, in words for an engine; empty where it has none."""
    places = []
    for box in brief.staging.clear if brief.staging else ():
        high = "top" if (box.y0 + box.y1) < brief.size.height else "bottom"
        side = "left" if (box.x0 + box.x1) < brief.size.width else "right"
        places.append(f"{high} {side}")
    return f"empty space at the {' and the '.join(dict.fromkeys(places))}" if places else ""
