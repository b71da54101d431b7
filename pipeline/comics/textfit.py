"""Breaking a line of dialogue so that it fills its balloon.

Everything here is measured in ems (multiples of the font size), so one break serves all sizes.
Lines in round balloons form a lens: short, long, short. Captions are set flush left with even
lines. Each number of lines gives one :class:`Fit`; the placement chooses among them.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import inf

from pipeline.comics.fonts import STYLE_OF_KIND, check_glyphs, metrics
from pipeline.comics.sfnt import FontMetrics
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import BalloonKind

LEADING = 1.16  # baseline to baseline
CAP = 0.76  # from the baseline up to the top of a tall letter
DROP = 0.26  # from the baseline down to where descenders end
ROUNDNESS = 2.35  # exponent of the superellipse; 2 is an ellipse, more is squarer
WIDEST = 21.0  # a longer line is hard to find the start of
LONGEST_WORD = 13.0

# Kind: (space beside a line, space above and below the block, depth of bumps or spikes).
PADDING = {
    BalloonKind.SPEECH: (0.5, 0.38, 0.0),
    BalloonKind.THOUGHT: (0.35, 0.27, 0.55),
    BalloonKind.SHOUT: (0.36, 0.26, 1.15),
    BalloonKind.CAPTION: (0.6, 0.42, 0.0),
}
_WORD = re.compile(r"[^\s]+")
_BREAKABLE = re.compile(r"(?<=[-–—…/])(?=\w)")


@dataclass(frozen=True, slots=True)
class Fit:
    """One way to break a text; lengths in ems of its own font size.

    ``width`` × ``height`` is the drawn shape, ``text_width`` × ``text_height`` the block of
    lines in its middle. ``strain`` is 0 for a perfect lens (or an even caption) and grows.
    """

    lines: tuple[str, ...]
    text_width: float
    text_height: float
    width: float
    height: float
    strain: float


def clean(text: str) -> str:
    """Text as it is lettered: composed characters, single spaces.

    Raises:
        InvalidInput: nothing is left, or the font lacks a character.
    """
    words = " ".join(unicodedata.normalize("NFC", text).split())
    if not words:
        raise InvalidInput("A balloon needs words; remove the empty line or write something.")
    check_glyphs(words)
    return words


@lru_cache(maxsize=2048)
def fits(text: str, kind: BalloonKind) -> tuple[Fit, ...]:
    """All sensible breaks of ``text`` (cleaned), one for each number of lines.

    Raises:
        InvalidInput: the text is empty or the font lacks a character.
    """
    font = metrics(STYLE_OF_KIND[kind])
    words = _words(clean(text), font)
    widths = _Widths(words, font)
    total = widths.of(0, len(words))
    found: list[Fit] = []
    for count in range(1, len(words) + 1):
        if total / count > WIDEST:
            continue
        fit = _fit(widths, count, kind)
        if fit is None or fit.text_width > WIDEST * 1.1:
            continue
        found.append(fit)
        if fit.text_width < 1.15 * fit.text_height:
            break
    return tuple(found)


class _Widths:
    """Widths of runs of words, in ems."""

    def __init__(self, words: Sequence[str], font: FontMetrics):
        self.words = words
        self.starts = [0.0]
        space = font.width(" ", 1)
        for word in words:
            self.starts.append(self.starts[-1] + font.width(word, 1) + space)
        self.space = space

    def of(self, first: int, last: int) -> float:
        """The width of ``words[first:last]`` on one line."""
        return self.starts[last] - self.starts[first] - self.space


def _words(text: str, font: FontMetrics) -> list[str]:
    """Words, divided where they are too long for any balloon."""
    found: list[str] = []
    for word in _WORD.findall(text):
        if font.width(word, 1) <= LONGEST_WORD:
            found.append(word)
            continue
        for piece in _BREAKABLE.split(word):
            found.extend(_divide(piece, font))
    return found


def _divide(word: str, font: FontMetrics) -> list[str]:
    """Cut a word into equal pieces with hyphens; the last resort for screams and codes."""
    count = int(font.width(word, 1) / (LONGEST_WORD - 1)) + 1
    if count == 1:
        return [word]
    size = -(-len(word) // count)
    pieces = [word[i : i + size] for i in range(0, len(word), size)]
    return [piece + "-" for piece in pieces[:-1]] + pieces[-1:]


def _fit(widths: _Widths, count: int, kind: BalloonKind) -> Fit | None:
    caption = kind is BalloonKind.CAPTION
    shape = [1.0] * count if caption else _lens(count)
    total = widths.of(0, len(widths.words)) - (count - 1) * widths.space
    goal = [part * total / sum(shape) for part in shape]
    breaks = _break(widths, goal)
    if breaks is None:
        return None
    pairs = list(pairwise(breaks))
    measured = [widths.of(a, b) for a, b in pairs]
    text_width = max(measured)
    text_height = (count - 1) * LEADING + CAP + DROP
    beside, above, depth = PADDING[kind]
    if caption:
        width, height = text_width + 2 * beside, text_height + 2 * above
    else:
        a, b = _enclose([w / 2 + beside for w in measured], text_height, above)
        width, height = 2 * (a + depth), 2 * (b + depth)
    strain = sum(abs(w - g) for w, g in zip(measured, goal, strict=True)) / sum(goal)
    lines = tuple(" ".join(widths.words[a:b]) for a, b in pairs)
    return Fit(lines, text_width, text_height, width, height, strain)


def _lens(count: int) -> list[float]:
    """Relative widths of the lines of a round block."""
    half = (count + 1.1) / 2
    middle = (count - 1) / 2
    return [(1 - abs((i - middle) / half) ** 2.0) ** 0.5 for i in range(count)]


def _break(widths: _Widths, goal: Sequence[float]) -> list[int] | None:
    """Break points that come closest to the wanted widths (least squares, by dynamic programming).

    Source: the total-fit idea of Knuth and Plass (1981), with a target for each line.
    """
    n, k = len(widths.words), len(goal)
    best = [[inf] * (n + 1) for _ in range(k + 1)]
    back = [[0] * (n + 1) for _ in range(k + 1)]
    best[0][0] = 0.0
    for line in range(1, k + 1):
        want = goal[line - 1]
        for end in range(line, n - (k - line) + 1):
            for start in range(end - 1, line - 2, -1):
                width = widths.of(start, end)
                if best[line - 1][start] == inf:
                    continue
                cost = best[line - 1][start] + (width - want) ** 2
                if cost < best[line][end]:
                    best[line][end], back[line][end] = cost, start
                if width > 2.2 * want + 4:
                    break
    if best[k][n] == inf:
        return None
    points = [n]
    for line in range(k, 0, -1):
        points.append(back[line][points[-1]])
    return points[::-1]


def _enclose(halves: Sequence[float], height: float, above: float) -> tuple[float, float]:
    """The half axes of the smallest pleasant superellipse around a block of centred lines."""
    corners: list[tuple[float, float]] = []
    for i, half in enumerate(halves):
        top = -height / 2 + i * LEADING - (above if i == 0 else 0)
        bottom = -height / 2 + i * LEADING + CAP + DROP
        if i == len(halves) - 1:
            bottom = height / 2 + above
        corners.append((half, max(abs(top), abs(bottom))))
    best, chosen = inf, (1.0, 1.0)
    for step in range(18):
        ratio = 1.1 + 0.1 * step
        b = max(((x / ratio) ** ROUNDNESS + y**ROUNDNESS) ** (1 / ROUNDNESS) for x, y in corners)
        # Round balloons look calm, slabs and eggs do not.
        cost = ratio * b * b * (1 + 0.06 * abs(ratio - 1.65))
        if cost < best:
            best, chosen = cost, (ratio * b, b)
    return chosen
