"""Heights of a cast side by side."""

from collections.abc import Sequence

from PIL import ImageDraw

from pipeline.imaging.typeset import INK, QUIET


def line_up(name: str, heights: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """At most twelve characters by height, this one always among them."""
    ordered = sorted(((n, v) for n, v in heights if v > 0), key=lambda item: (item[1], item[0]))
    own = [item for item in ordered if item[0] == name][:1]
    others = [item for item in ordered if item not in own]
    step = max(1, -(-len(others) // 11))
    return sorted(own + others[::step], key=lambda item: (item[1], item[0]))


def draw_person(
    draw: ImageDraw.ImageDraw, foot: tuple[float, float], height: float, *, own: bool
) -> None:
    """A plain figure of ``height`` pixels: head, shoulders, body."""
    x, y = foot
    fill, line = (INK, INK) if own else ((232, 236, 240), QUIET)
    head = 0.085 * height
    draw.ellipse((x - head, y - height, x + head, y - height + 2 * head), fill=fill, outline=line,
                 width=3)  # fmt: skip
    shoulder, waist = 0.14 * height, 0.09 * height
    top = y - height + 2.2 * head
    half = [
        (0.08 * height, top),
        (shoulder, top + 0.05 * height),
        (waist, y - 0.42 * height),
        (0.1 * height, y),
    ]
    body = [(x + dx, dy) for dx, dy in half] + [(x - dx, dy) for dx, dy in reversed(half)]
    draw.polygon(body, fill=fill, outline=line, width=3)
