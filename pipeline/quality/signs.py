"""The word, colour and shape of each verdict, the same on every card."""

from PIL import ImageDraw

from pipeline.domain.geometry import Box
from pipeline.domain.quality import Verdict
from pipeline.imaging.typeset import Rgb, TextStyle, width_of, write

WORDS = {
    Verdict.ON_MODEL: "ON-MODEL",
    Verdict.OFF_MODEL: "OFF-MODEL",
    Verdict.CANNOT_JUDGE: "CANNOT JUDGE",
}
# Green and red of one lightness are one colour to many people: each verdict has its own shape too.
COLORS: dict[Verdict, Rgb] = {
    Verdict.ON_MODEL: (22, 120, 84),
    Verdict.OFF_MODEL: (190, 48, 42),
    Verdict.CANNOT_JUDGE: (150, 96, 8),
}
ASKED = "ON-MODEL?"
ASKED_COLOR: Rgb = (56, 92, 134)
"""What stands in place of a verdict while people are asked without being told it."""


def sign(draw: ImageDraw.ImageDraw, verdict: Verdict | None, box: Box) -> None:
    """The shape of a verdict: disc with a tick, octagon with a cross, triangle with ``?``.

    Of an open question (None) it is a square with ``?``.
    """
    color = ASKED_COLOR if verdict is None else COLORS[verdict]
    white = (255, 255, 255)
    x0, y0, x1, y1 = box
    w = box.width

    def at(*pairs: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x0 + a * w, y0 + b * box.height) for a, b in pairs]

    thick = max(3, w // 9)
    match verdict:
        case None:
            draw.rounded_rectangle((x0, y0, x1, y1), thick, fill=white)
            mark = TextStyle(max(10, round(w * 0.7)), bold=True, color=color)
            left = (x0 + x1) / 2 - width_of("?", mark) / 2
            write(draw, (left, y0 + 0.04 * box.height), "?", mark)
        case Verdict.ON_MODEL:
            draw.ellipse((x0, y0, x1, y1), fill=white)
            draw.line(
                at((0.25, 0.52), (0.43, 0.7), (0.76, 0.32)), fill=color, width=thick, joint="curve"
            )
        case Verdict.OFF_MODEL:
            draw.polygon(
                at((0.3, 0), (0.7, 0), (1, 0.3), (1, 0.7), (0.7, 1), (0.3, 1), (0, 0.7), (0, 0.3)),
                fill=white,
            )
            draw.line(at((0.3, 0.3), (0.7, 0.7)), fill=color, width=thick)
            draw.line(at((0.7, 0.3), (0.3, 0.7)), fill=color, width=thick)
        case Verdict.CANNOT_JUDGE:
            draw.polygon(at((0.5, 0), (1, 0.95), (0, 0.95)), fill=white)
            mark = TextStyle(max(10, round(w * 0.56)), bold=True, color=color)
            left = (x0 + x1) / 2 - width_of("?", mark) / 2
            write(draw, (left, y0 + 0.28 * box.height), "?", mark)
