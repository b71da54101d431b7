"""Which layout a page takes, a template or one of its own, and where its frames stand."""

from collections.abc import Iterator, Sequence
from math import log

from pipeline.comics.framing import frame_art, heads_of, share_seen
from pipeline.comics.templates import STRIP, TEMPLATES, frames_in, frames_of, names_for
from pipeline.comics.tiers import Tiers, bled, is_tiers, read_tiers, split_of, tiers_of, write_tiers
from pipeline.comics.weighing import BLEED_WEIGHT, weighed_layouts
from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import PageSpec, PanelArt

MAX_PANELS = 12
MAX_STRIP_PANELS = 40
DYNAMIC = "dynamic"
"""Asks for the best layout by weight, among all ways to break the panels into tiers."""
# So many layouts by weight are compared with the templates, panel by panel.
_WEIGHED = 6

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
    return (STRIP,) if strip else (*names_for(count), DYNAMIC)


def rank_layouts(
    arts: Sequence[PanelArt], spec: PageSpec, layout: str | None = None
) -> tuple[str, ...]:
    """The layouts to try, best first; just ``layout`` where one is named.

    Raises:
        InvalidInput: the name is unknown or holds another number of panels.
    """
    names = layout_names(len(arts), spec.reading_direction)
    if layout is not None and is_tiers(layout):
        return (write_tiers(_of_count(read_tiers(layout), len(arts), spec)),)
    if layout not in (None, *names):
        known = layout in TEMPLATES or layout == STRIP
        raise InvalidInput(
            f"Layout “{layout}” "
            + ("does not suit this page" if known else "does not exist")
            + f"; for {len(arts)} panel{'s' if len(arts) > 1 else ''} choose from: "
            + ", ".join(names)
            + "."
        )
    if layout not in (None, DYNAMIC):
        return (layout,)

    def by_misfit(found: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted(found, key=lambda name: _misfit(name, arts, spec)))

    templates = [name for name in names if name != DYNAMIC]
    if names == (STRIP,) or (layout is None and templates and _alike(arts)):
        return by_misfit(templates)
    weighed = by_misfit(_weighed(arts, spec))
    if layout == DYNAMIC:
        return weighed
    if any(art.weight >= BLEED_WEIGHT for art in arts):
        # a template knows no splash: one is taken where the words fit nowhere else
        return (*weighed, *by_misfit(templates))
    return by_misfit((*weighed, *templates))


def own_layout(name: str) -> Tiers:
    """A page's layout as tiers, to change it by hand.

    Raises:
        InvalidInput: the layout is a strip, which has no tiers.
    """
    if name == STRIP:
        raise InvalidInput("A webtoon strip has no tiers; its panels can only be swapped.")
    return read_tiers(name) if is_tiers(name) else tiers_of(TEMPLATES[name])


def _alike(arts: Sequence[PanelArt]) -> bool:
    """Whether no panel is more important than another: then a template is made for them."""
    return len({art.weight for art in arts}) == 1


def _weighed(arts: Sequence[PanelArt], spec: PageSpec) -> list[str]:
    live = (spec.size.width - 2 * spec.margin) / (spec.size.height - 2 * spec.margin)
    claims = [_claim(art) for art in arts]
    found = weighed_layouts(claims, [art.weight for art in arts], live, _WEIGHED)
    return [write_tiers(tiers) for tiers in found]


def _of_count(tiers: Tiers, count: int, spec: PageSpec) -> Tiers:
    held = sum(tier.count for tier in tiers)
    if spec.reading_direction is ReadingDirection.WEBTOON:
        raise InvalidInput("Webtoon pages are strips; leave the layout out.")
    if held != count:
        raise InvalidInput(f"That layout holds {held} panels and the page has {count}.")
    return tiers


def place_frames(name: str, arts: Sequence[PanelArt], spec: PageSpec) -> tuple[Size, list[Box]]:
    """The page size and the frames of a layout, in reading order."""
    if is_tiers(name):
        tiers = read_tiers(name)
        boxes = bled(tiers, frames_in(split_of(tiers), spec), spec)
        return spec.size, list(_with_insets(tiers, boxes, arts, spec))
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


def _with_insets(
    tiers: Tiers, boxes: Sequence[Box], arts: Sequence[PanelArt], spec: PageSpec
) -> Iterator[Box]:
    """The frames, and behind each that holds an inset the frame of the inset."""
    left = iter(boxes)
    place = 0
    for tier in tiers:
        framed = [next(left) for _ in range(tier.framed)]
        yield from framed
        if tier.inset:
            art = arts[place] if place < len(arts) else None
            yield _inset(framed[-1], tier.inset, art, spec)
        place += tier.count


def _inset(host: Box, share: float, art: PanelArt | None, spec: PageSpec) -> Box:
    """The lower corner of a frame where reading ends; the other one where a head is in the way."""
    width = round(host.width * share)
    gap = 2 * spec.gutter
    low = min(host.y1 - gap, spec.size.height - spec.safe)
    height = min(round(0.75 * width), low - (host.y0 + host.y1 + 1) // 2)
    right = min(host.x1 - gap, spec.size.width - spec.safe)
    left = max(host.x0 + gap, spec.safe)
    corners = [
        Box(right - width, low - height, right, low),
        Box(left, low - height, left + width, low),
    ]
    if spec.reading_direction is ReadingDirection.RTL:
        corners.reverse()
    if art is None:
        return corners[0]
    frame = frame_art(art, host)
    heads = [frame.to_page(head) for head in heads_of(art)]
    return min(corners, key=lambda box: sum(box.intersection(head).area for head in heads))


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
    """The relative area that a panel asks for, by importance, shot and words.

    About 700 characters' worth of balloons fill a sixth of a page. However unimportant a panel
    is, its words have to find room beside its figures.
    """
    words = sum(len(line.text) for line in art.dialogue)
    shot = _WEIGHT[art.shot_type] if art.shot_type else 1.0
    asked = art.weight * shot * (1 + words / 700)
    return max(asked, 0.5 + words / 100) if words else asked


def _panel_misfit(art: PanelArt, box: Box) -> float:
    frame = frame_art(art, box)
    misfit = 2.0 * (1 - share_seen(art, frame))
    misfit += 3.0 * (frame.art != frame.box)
    misfit += 0.6 * abs(log((box.width / box.height) / (art.size.width / art.size.height)))
    covered = sum(frame.to_page(h).intersection(box).area for h in heads_of(art)) / box.area
    return misfit + 2.5 * max(0.0, covered - 0.35) * bool(art.dialogue)
