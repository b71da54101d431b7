"""A page: composed from accepted panels, then drawn."""

from collections.abc import Sequence

from pipeline.comics.layout import place_frames, rank_layouts
from pipeline.comics.lettering import DoesNotFit, LetteredPanel, letter_panel, sizes_for
from pipeline.comics.rendering import draw_page
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import LetteredPage, PageSpec, PanelArt

# Panels that need smaller words than this share of the page's size do not pull the rest down.
_COMMON = 0.86
# How many layouts are lettered to find a good one, where the words fit into one of them.
_TRIES = 4
# The regret in lettering that outweighs one step down among the layouts.
_STEP = 0.4


def compose_page(
    arts: Sequence[PanelArt], spec: PageSpec, *, layout: str | None = None, number: int = 1
) -> LetteredPage:
    """Lay out and letter one page; ``arts`` are in reading order.

    Args:
        arts: the panels, each with its figures and dialogue.
        spec: size, margins, direction and colour of the page.
        layout: a layout by name, or None for the one that suits the panels best.
        number: the page number, from 1.

    Raises:
        InvalidInput: no such layout (the message lists those that fit), too many panels, a panel
            twice, or a line that does not fit (``DoesNotFit``) in any layout that was tried.
    """
    if len({art.panel_id for art in arts}) != len(arts):
        raise InvalidInput("A panel stands on this page twice; name each panel once.")
    complaint: DoesNotFit | None = None
    found: list[tuple[float, str, Size, list[LetteredPanel]]] = []
    for place, name in enumerate(rank_layouts(arts, spec, layout)):
        if found and place >= _TRIES:
            break
        try:
            size, panels = _letter(name, arts, spec)
        except DoesNotFit as error:
            complaint = complaint or error
            continue
        regret = sum(panel.regret for panel in panels)
        found.append((regret + _STEP * place, name, size, panels))
        if regret <= _STEP:
            break
    if not found:
        assert complaint is not None, "a layout either letters or complains"
        raise complaint
    _, name, size, panels = min(found, key=lambda item: item[0])
    panels = _even(panels, arts, spec)
    return LetteredPage(
        number=number,
        size=size,
        layout=name,
        reading_direction=spec.reading_direction,
        color_mode=spec.color_mode,
        frames=tuple(panel.frame for panel in panels),
        balloons=tuple(b for panel in panels for b in panel.balloons),
        title=spec.title,
        show_number=spec.show_number,
    )


def _letter(
    name: str, arts: Sequence[PanelArt], spec: PageSpec
) -> tuple[Size, list[LetteredPanel]]:
    size, boxes = place_frames(name, arts, spec)
    return size, [
        letter_panel(art, box, spec, taken=_set_into(box, boxes))
        for art, box in zip(arts, boxes, strict=True)
    ]


def _set_into(box: Box, boxes: Sequence[Box]) -> list[Box]:
    """The frames that are set into this one."""
    return [other for other in boxes if other != box and box.intersection(other) == other]


def _even(
    panels: Sequence[LetteredPanel], arts: Sequence[PanelArt], spec: PageSpec
) -> list[LetteredPanel]:
    """Bring the page to one size of lettering where the smallest is not far from the largest."""
    sizes = sizes_for(spec)
    spoken = [p.size for p in panels if p.balloons]
    common = min((s for s in spoken if s >= _COMMON * sizes[0]), default=sizes[0])
    below = tuple(s for s in sizes if s <= common)
    boxes = [panel.frame.box for panel in panels]
    found: list[LetteredPanel] = []
    for panel, art in zip(panels, arts, strict=True):
        if not panel.balloons or panel.size <= common:
            found.append(panel)
            continue
        try:
            taken = _set_into(panel.frame.box, boxes)
            found.append(letter_panel(art, panel.frame.box, spec, below, taken))
        except DoesNotFit:  # the search is no proof: the larger words stand as they were
            found.append(panel)
    return found


def render_page(page: LetteredPage, arts: Sequence[PanelArt]) -> bytes:
    """Draw a lettered page.

    Args:
        page: what :func:`compose_page` made.
        arts: the same panels; found by ``panel_id``.

    Returns:
        An opaque RGB PNG of ``page.size``; equal grey values per pixel in grayscale.

    Raises:
        InvalidInput: the art of a panel is missing.
    """
    by_id = {art.panel_id: art for art in arts}
    missing = [f.panel_id for f in page.frames if f.panel_id not in by_id]
    if missing:
        raise InvalidInput(f"The picture of panel {missing[0]} is missing; compose the page again.")
    return draw_page(page, by_id)
