"""Which part of a picture a frame shows: covered by cropping, but never through a head."""

from collections.abc import Iterator, Sequence
from math import inf

from pipeline.domain.geometry import Box
from pipeline.domain.page import PanelArt, PanelFrame
from pipeline.domain.panel import PlacedFigure

# Windows are tried at this many places along the axis that has play.
_STEPS = 48
# Share of a window's height that is worth keeping free above the heads: always, at least and at
# most when people speak, and for each character that they say. A balloon of forty characters takes
# about a tenth of a common frame, its tail and the gap to the border as much again.
_HEADROOM, _LEAST_HEADROOM, _MOST_HEADROOM = 0.08, 0.24, 0.42
_HEADROOM_PER_CHARACTER = 0.0025
# What a figure's share and headroom are worth without and with dialogue: words need ground, and
# legs are less missed than arms that a balloon covers.
_SILENT, _SPEAKING = (2.0, 1.6), (1.2, 2.5)


def head_of(figure: PlacedFigure) -> Box:
    """The head box of a figure; guessed generously from the top of the figure where unknown."""
    if figure.head is not None:
        return figure.head
    box = figure.box
    return Box(box.x0, box.y0, box.x1, box.y0 + round(min(0.45 * box.height, 1.1 * box.width)))


def heads_of(art: PanelArt) -> tuple[Box, ...]:
    """The parts of the heads that lie on the picture (art pixels)."""
    whole = Box(0, 0, *art.size)
    found = (head_of(figure).intersection(whole) for figure in art.figures)
    return tuple(head for head in found if head.area)


def frame_art(art: PanelArt, box: Box, zoom: float = 1.0) -> PanelFrame:
    """Show ``art`` in ``box`` (page pixels).

    The largest window of the frame's shape is slid to the place that holds every head and as
    much of the figures as possible. Where no such window exists, or ``zoom`` above 1 asks for
    more room around the picture, the window grows beyond the picture's edges: the picture then
    stands on the frame's ground and the rest is left to the tone of its edges.
    """
    width, height = art.size
    shape = box.width / box.height
    cover = min(width, height * shape)
    best = max(
        _windows(art, cover * zoom, cover * zoom / shape),
        key=lambda window: _worth(art, window),
        default=None,
    )
    if best is None or _worth(art, best) == -inf:
        need = _hull(heads_of(art))
        span = max(cover * zoom, need.width * 1.06, need.height * 1.06 * shape)
        windows = _windows(art, span, span / shape)
        best = max(windows, key=lambda window: _worth(art, window))
    return _frame(art, box, best)


def _windows(art: PanelArt, w: float, h: float) -> Iterator[tuple[float, float, float, float]]:
    """Windows of one size: slid where the picture is larger, else centred (and on the ground)."""
    play_x, play_y = art.size.width - w, art.size.height - h
    xs = [play_x * i / _STEPS for i in range(_STEPS + 1)] if play_x > 0 else [play_x / 2]
    ys = [play_y * i / _STEPS for i in range(_STEPS + 1)] if play_y > 0 else [play_y]
    if heads := heads_of(art):
        # a window hardly wider than the heads fits at one place only, between two steps perhaps
        x, y = _hull(heads).center
        xs += [min(max(x - w / 2, 0), play_x)] if play_x > 0 else []
        ys += [min(max(y - h / 2, 0), play_y)] if play_y > 0 else []
    for x in xs:
        for y in ys:
            yield x, y, x + w, y + h


def _worth(art: PanelArt, window: tuple[float, float, float, float]) -> float:
    """How well a window shows the panel; ``-inf`` when it cuts a head."""
    x0, y0, x1, y1 = window
    heads = heads_of(art)
    if any(h.x0 < x0 or h.y0 < y0 or h.x1 > x1 or h.y1 > y1 for h in heads):
        return -inf
    seen = _seen(art, window)
    middle = abs((x0 + x1) / 2 - art.size.width / 2) / art.size.width
    figures, headroom = _SPEAKING if art.dialogue else _SILENT
    worth = figures * seen - 0.3 * middle
    if heads:
        top = (min(h.y0 for h in heads) - y0) / (y1 - y0)
        side = min(min(h.x0 - x0, x1 - h.x1) for h in heads) / (x1 - x0)
        worth += headroom * min(top, _headroom(art)) + min(side, 0.04) * 4
    return worth


def _headroom(art: PanelArt) -> float:
    """The share of a window's height that is wanted above the heads."""
    said = sum(len(line.text) for line in art.dialogue)
    if not said:
        return _HEADROOM
    wanted = 0.16 + _HEADROOM_PER_CHARACTER * said
    return min(_MOST_HEADROOM, max(_LEAST_HEADROOM, wanted))


def _seen(art: PanelArt, window: tuple[float, float, float, float]) -> float:
    """The share of the figures' boxes inside a window, 1 where there are none."""
    total = sum(f.box.area for f in art.figures)
    if not total:
        return 1.0
    inner = Box(*(round(v) for v in window))
    return sum(f.box.intersection(inner).area for f in art.figures) / total


def share_seen(art: PanelArt, frame: PanelFrame) -> float:
    """The share of the figures' boxes that a frame shows, 0 to 1."""
    return _seen(art, frame.crop)


def _hull(boxes: Sequence[Box]) -> Box:
    return Box(
        min(b.x0 for b in boxes),
        min(b.y0 for b in boxes),
        max(b.x1 for b in boxes),
        max(b.y1 for b in boxes),
    )


def _frame(art: PanelArt, box: Box, window: tuple[float, float, float, float]) -> PanelFrame:
    """Turn a window (art pixels, possibly beyond the picture) into whole-pixel boxes."""
    x0, y0, x1, y1 = window
    width, height = art.size
    crop = Box(max(0, round(x0)), max(0, round(y0)), min(width, round(x1)), min(height, round(y1)))
    scale = box.width / (x1 - x0)
    left = box.x0 + round((crop.x0 - x0) * scale) if x0 < -0.5 else box.x0
    top = box.y0 + round((crop.y0 - y0) * scale) if y0 < -0.5 else box.y0
    right = left + round(crop.width * scale) if x1 > width + 0.5 else box.x1
    bottom = top + round(crop.height * scale) if y1 > height + 0.5 else box.y1
    return PanelFrame(art.panel_id, box, crop, Box(left, top, right, bottom))
