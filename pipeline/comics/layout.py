"""Which template a page takes, and where its frames stand."""

from collections.abc import Sequence
from math import log

from pipeline.comics.framing import frame_art, heads_of, share_seen
from pipeline.comics.templates import MAX_PANELS, STRIP, TEMPLATES, frames_of, names_for
from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import PageSpec, PanelArt

MAX_STRIP_PANELS = 40

# The share of a page's frames that a shot of this kind asks for, relative to an even split:
# close-ups carry a small frame, action wants a large one.
_WEIGHT = {
    ShotType.HEADSHOT: 0.8,
    ShotType.HALF: 1.0,
    ShotType.FULL: 1.1,
    ShotType.DYNAMIC: 1.3,
}

# How much a frame of the wrong size weighs against one of the wrong shape.
_SHARE_WEIGHT = 1.2


def layout_names(count: int, direction: ReadingDirection) -> tuple[str, ...]:
    """The layouts that hold ``count`` panels when read in ``direction``.

    Raises:
        InvalidInput: no layout holds so many (or no) panels.
    """
    strip = direction is ReadingDirection.WEBTOON
    limit = MAX_STRIP_PANELS if strip else MAX_PANELS
    if not 1 <= count <= limit:
        raise InvalidInput(
            f"A page holds 1 to {limit} panels, not {count}. "
            + ("Add a panel first." if count < 1 else "Spread them over several pages.")
        )
    return (STRIP,) if strip else names_for(count)


def rank_layouts(
    arts: Sequence[PanelArt], spec: PageSpec, layout: str | None = None
) -> tuple[str, ...]:
    """The layouts to try, best first; just ``layout`` where one is named.

    Raises:
        InvalidInput: the name is unknown or holds another number of panels.
    """
    names = layout_names(len(arts), spec.reading_direction)
    if layout is not None:
        if layout not in names:
            known = layout in TEMPLATES or layout == STRIP
            raise InvalidInput(
                f"Layout “{layout}” "
                + ("does not suit this page" if known else "does not exist")
                + f"; for {len(arts)} panel{'s' if len(arts) > 1 else ''} choose from: "
                + ", ".join(names)
                + "."
            )
        return (layout,)
    return tuple(sorted(names, key=lambda name: _misfit(name, arts, spec)))


def place_frames(name: str, arts: Sequence[PanelArt], spec: PageSpec) -> tuple[Size, list[Box]]:
    """The page size and the frames of a layout, in reading order."""
    if name != STRIP:
        return spec.size, list(frames_of(name, spec))
    width = spec.size.width
    side = round(spec.margin * 0.5)
    y, boxes = spec.margin, list[Box]()
    for art in arts:
        inner = width - 2 * side
        height = round(inner * min(1.5, max(0.62, art.size.height / art.size.width)))
        boxes.append(Box(side, y, width - side, y + height))
        y += height + spec.gutter * 3
    return Size(width, y - spec.gutter * 3 + spec.margin), boxes


def _misfit(name: str, arts: Sequence[PanelArt], spec: PageSpec) -> float:
    """How badly a layout suits the pictures: lost figures, fitted frames, cramped words."""
    _, boxes = place_frames(name, arts, spec)
    given = sum(b.area for b in boxes)
    wanted = [_claim(art) for art in arts]
    return sum(
        _panel_misfit(art, box)
        + _SHARE_WEIGHT * abs(log((box.area / given) / (claim / sum(wanted))))
        for art, box, claim in zip(arts, boxes, wanted, strict=True)
    )


def _claim(art: PanelArt) -> float:
    """The relative area that a panel asks for, by shot and by words.

    About 700 characters' worth of balloons fill a sixth of a page.
    """
    words = sum(len(line.text) for line in art.dialogue)
    return (_WEIGHT[art.shot_type] if art.shot_type else 1.0) * (1 + words / 700)


def _panel_misfit(art: PanelArt, box: Box) -> float:
    frame = frame_art(art, box)
    misfit = 2.0 * (1 - share_seen(art, frame))
    misfit += 3.0 * (frame.art != frame.box)
    misfit += 0.6 * abs(log((box.width / box.height) / (art.size.width / art.size.height)))
    covered = sum(frame.to_page(h).intersection(box).area for h in heads_of(art)) / box.area
    return misfit + 2.5 * max(0.0, covered - 0.35) * bool(art.dialogue)
