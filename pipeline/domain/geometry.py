"""Boxes and sizes: pixels, half-open, x to the right and y down."""

from typing import NamedTuple


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


class Box(NamedTuple):
    """A half-open pixel rectangle ``[x0, x1) × [y0, y1)``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Pixels across, never negative."""
        return max(0, self.x1 - self.x0)

    @property
    def height(self) -> int:
        """Pixels down, never negative."""
        return max(0, self.y1 - self.y0)

    @property
    def area(self) -> int:
        """Pixels covered."""
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """The middle point, in pixels."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def intersection(self, other: "Box") -> "Box":
        """The common part; its area is 0 when there is none."""
        x0, y0 = max(self.x0, other.x0), max(self.y0, other.y0)
        return Box(x0, y0, max(x0, min(self.x1, other.x1)), max(y0, min(self.y1, other.y1)))

    def overlaps(self, other: "Box") -> bool:
        """Whether the two share at least one pixel."""
        return self.intersection(other).area > 0

    def shifted(self, dx: int, dy: int) -> "Box":
        """The same box moved by ``dx`` and ``dy`` pixels."""
        return Box(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)

    def scaled(self, factor: float) -> "Box":
        """The box on a picture that was resized by ``factor``, rounded to whole pixels."""
        return Box(*(round(v * factor) for v in self))
