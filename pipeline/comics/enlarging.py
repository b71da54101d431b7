"""Lettered pages and balloons at another resolution or place: the same lines, other pixels."""

from dataclasses import replace

from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import Balloon, LetteredPage, PanelFrame, Point, Tail


def enlarged(page: LetteredPage, factor: int) -> LetteredPage:
    """The page with ``factor`` times as many pixels along each side.

    Crops stay as they are: they are pixels of the art.
    """
    if factor == 1:
        return page
    return replace(
        page,
        size=Size(page.size.width * factor, page.size.height * factor),
        frames=tuple(_frame(frame, factor) for frame in page.frames),
        balloons=tuple(_balloon(balloon, factor) for balloon in page.balloons),
    )


def shifted(balloon: Balloon, dx: int, dy: int) -> Balloon:
    """The same balloon elsewhere on the page."""

    def moved(tail: Tail | None) -> Tail | None:
        if tail is None:
            return None
        ends = (tail.base, tail.bend, tail.tip)
        base, bend, tip = (Point(p.x + dx, p.y + dy) for p in ends)
        return replace(tail, base=base, bend=bend, tip=tip)

    return replace(
        balloon,
        box=balloon.box.shifted(dx, dy),
        text=balloon.text.shifted(dx, dy),
        tail=moved(balloon.tail),
        also_tail=moved(balloon.also_tail),
    )


def _box(box: Box, factor: int) -> Box:
    return Box(*(side * factor for side in box))


def _frame(frame: PanelFrame, factor: int) -> PanelFrame:
    return replace(frame, box=_box(frame.box, factor), art=_box(frame.art, factor))


def _balloon(balloon: Balloon, factor: int) -> Balloon:
    return replace(
        balloon,
        font_size=balloon.font_size * factor,
        line_height=balloon.line_height * factor,
        box=_box(balloon.box, factor),
        text=_box(balloon.text, factor),
        tail=_tail(balloon.tail, factor),
        also_tail=_tail(balloon.also_tail, factor),
    )


def _tail(tail: Tail | None, factor: int) -> Tail | None:
    if tail is None:
        return None
    base, bend, tip = (Point(p.x * factor, p.y * factor) for p in (tail.base, tail.bend, tail.tip))
    return replace(tail, base=base, bend=bend, tip=tip, width=tail.width * factor)
