"""Where the camera looks: windows of one shape, from wide to near, around all that matters."""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.domain.geometry import Box

_NEAR = 0.86
_AIR = 0.02


class Window(NamedTuple):
    """A part of the page, in page pixels; may reach beyond the panel, where the ground is."""

    x0: float
    y0: float
    x1: float
    y1: float

    def holds(self, box: Box) -> bool:
        """Whether a box lies wholly inside."""
        return self.x0 <= box.x0 and self.y0 <= box.y0 and box.x1 <= self.x1 and box.y1 <= self.y1


class CameraPath(NamedTuple):
    """From one window to another, eased at both ends. Both hold all faces and balloons.

    A window between two that hold a box holds it too: so nothing is ever cut.
    """

    start: Window
    end: Window

    def at(self, share: float) -> Window:
        """The window after a share of the time, 0 to 1."""
        t = min(1.0, max(0.0, share))
        eased = t * t * (3 - 2 * t)
        pairs = zip(self.start, self.end, strict=True)
        return Window(*(a + (b - a) * eased for a, b in pairs))


def path_over(frame: Box, keep: Sequence[Box], aspect: float) -> CameraPath:
    """A slow push towards what matters in a panel.

    Args:
        frame: the panel, page pixels.
        keep: faces and balloons, which have to be seen whole all the time.
        aspect: width by height of the film.

    Returns:
        A path that fills the film with the panel where faces and balloons allow it; else the
        whole panel is seen, on the ground of the film.
    """
    hull = _hull(frame, keep)
    cover = min(frame.width, frame.height * aspect)
    if hull.width <= cover and hull.height <= cover / aspect:
        start = _around(hull, cover, aspect, frame)
        near = max(_NEAR * cover, hull.width, hull.height * aspect)
        return CameraPath(start, _around(hull, near, aspect, frame))
    whole = max(frame.width, frame.height * aspect) * (1 + 2 * _AIR)
    start = _centred(frame.center, whole, aspect)
    near = max(_NEAR * whole, hull.width * (1 + _AIR), hull.height * aspect * (1 + _AIR))
    return CameraPath(start, _moved_over(_centred(frame.center, near, aspect), hull))


def _hull(frame: Box, keep: Sequence[Box]) -> Box:
    seen = [box for box in (one.intersection(frame) for one in keep) if box.area]
    if not seen:
        x, y = frame.center
        return Box(round(x), round(y), round(x) + 1, round(y) + 1)
    return Box(
        min(b.x0 for b in seen),
        min(b.y0 for b in seen),
        max(b.x1 for b in seen),
        max(b.y1 for b in seen),
    )


def _around(hull: Box, width: float, aspect: float, frame: Box) -> Window:
    """A window about the middle of what matters, inside of the panel."""
    window = _centred(hull.center, width, aspect)
    dx = max(0.0, frame.x0 - window.x0) - max(0.0, window.x1 - frame.x1)
    dy = max(0.0, frame.y0 - window.y0) - max(0.0, window.y1 - frame.y1)
    return Window(window.x0 + dx, window.y0 + dy, window.x1 + dx, window.y1 + dy)


def _moved_over(window: Window, hull: Box) -> Window:
    dx = min(0.0, hull.x0 - window.x0) + max(0.0, hull.x1 - window.x1)
    dy = min(0.0, hull.y0 - window.y0) + max(0.0, hull.y1 - window.y1)
    return Window(window.x0 + dx, window.y0 + dy, window.x1 + dx, window.y1 + dy)


def _centred(middle: tuple[float, float], width: float, aspect: float) -> Window:
    x, y = middle
    return Window(x - width / 2, y - width / aspect / 2, x + width / 2, y + width / aspect / 2)
