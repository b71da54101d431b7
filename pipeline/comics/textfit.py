"""Breaking a line of dialogue so that it fills its balloon.

Everything here is measured in ems (multiples of the font size), so one break serves all sizes.
Lines in round balloons form a lens: short, long, short. Boxed kinds are set flush with even
lines, upright columns hang from one height. Each number of lines gives one :class:`Fit`; the
placement chooses among them.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import cos, inf, radians, sin
from zlib import crc32

from pipeline.comics.breaking import Atom, Setting, atoms_of, line_of
from pipeline.comics.fonts import STYLE_OF_KIND, check_glyphs
from pipeline.comics.markup import plain_text, text_of
from pipeline.comics.measures import CAP, COLUMN, COLUMN_PITCH, DROP, LEADING, ROUNDNESS
from pipeline.comics.scripts import language_of
from pipeline.domain.errors import InvalidInput
from pipeline.domain.page import TextRun
from pipeline.domain.panel import BalloonKind

WIDEST = 21.0  # a longer line is hard to find the start of
TALLEST = 12.0  # the same for a column of upright signs
_MOST_SOUND_LINES = 3
# Sounds stand at an angle, which one is told by their letters.
_ANGLES = (-11.0, -8.0, -5.0, 6.0, 9.0)

# Kind: (space beside a line, space above and below the block, depth of bumps or spikes).
_ROUND = (0.5, 0.38, 0.0)
PADDING = {
    BalloonKind.SPEECH: _ROUND,
    BalloonKind.THOUGHT: (0.35, 0.27, 0.55),
    BalloonKind.SHOUT: (0.36, 0.26, 1.15),
    BalloonKind.WHISPER: _ROUND,
    BalloonKind.RADIO: (0.4, 0.32, 0.5),
    BalloonKind.CAPTION: (0.6, 0.42, 0.0),
    BalloonKind.NARRATION: (0.7, 0.5, 0.0),
    BalloonKind.SFX: (0.2, 0.18, 0.0),
    BalloonKind.OFF_PANEL: _ROUND,
    BalloonKind.JOINED: _ROUND,
    BalloonKind.DOUBLE_TAIL: _ROUND,
}


@dataclass(frozen=True, slots=True)
class Fit:
    """One way to break a text; lengths in ems of its own font size.

    ``width`` × ``height`` is the drawn shape, ``text_width`` × ``text_height`` the block of
    lines in its middle, ``angle`` (degrees) how far that block is turned. ``strain`` is 0 for a
    perfect lens (or an even caption) and grows. ``runs`` holds the emphasis of every line.
    """

    lines: tuple[str, ...]
    text_width: float
    text_height: float
    width: float
    height: float
    strain: float
    runs: tuple[tuple[TextRun, ...], ...] = ()
    vertical: bool = False
    angle: float = 0.0


def clean(text: str, language: str = "") -> str:
    """Text as it is lettered: composed characters, single spaces.

    Raises:
        InvalidInput: nothing is left, or no font has a character (``MissingGlyph``).
    """
    words = " ".join(unicodedata.normalize("NFC", text).split())
    if not plain_text(words).strip():
        raise InvalidInput("A balloon needs words; remove the empty line or write something.")
    check_glyphs(words, language_of(words, language))
    return words


def angle_of(text: str) -> float:
    """How far a sound's letters are turned, in degrees, clockwise on the page."""
    return _ANGLES[crc32(text.encode()) % len(_ANGLES)]


@lru_cache(maxsize=2048)
def fits(
    text: str, kind: BalloonKind, language: str = "", *, vertical: bool = False
) -> tuple[Fit, ...]:
    """All sensible breaks of ``text``, one for each number of lines (columns if ``vertical``).

    Raises:
        InvalidInput: the text is empty or no font has one of its characters.
    """
    words = clean(text, language)
    setting = Setting(STYLE_OF_KIND[kind], language_of(words, language), vertical)
    measure = _Measure(atoms_of(words, setting), setting)
    total = measure.of(0, len(measure.atoms))
    most = _MOST_SOUND_LINES if kind is BalloonKind.SFX else len(measure.atoms)
    longest = TALLEST if vertical else WIDEST
    found: list[Fit] = []
    for count in range(1, most + 1):
        if total / count > longest:
            continue
        fit = _fit(measure, count, kind, words)
        if fit is None or (fit.text_height if vertical else fit.text_width) > longest * 1.1:
            continue
        found.append(fit)
        across, down = fit.text_width, fit.text_height
        if (across > 1.2 * down) if vertical else (across < 1.15 * down):
            break
    return tuple(found)


class _Measure:
    """Lengths of runs of atoms, in ems."""

    def __init__(self, atoms: Sequence[Atom], setting: Setting):
        self.atoms = atoms
        self.vertical = setting.vertical
        self._hyphen = setting.length((TextRun("-"),))
        self._starts = [0.0]
        for atom in atoms:
            self._starts.append(self._starts[-1] + atom.width + atom.space)

    def of(self, first: int, last: int) -> float:
        """The length of ``atoms[first:last]`` on one line."""
        end = self.atoms[last - 1]
        length = self._starts[last] - self._starts[first] - end.space
        return length + (self._hyphen if end.hyphen and last < len(self.atoms) else 0.0)

    def strain(self, last: int) -> float:
        """What a break behind ``atoms[last - 1]`` costs."""
        return self.atoms[last - 1].strain if last < len(self.atoms) else 0.0


def _fit(measure: _Measure, count: int, kind: BalloonKind, words: str) -> Fit | None:
    flush = kind.is_boxed or measure.vertical or kind is BalloonKind.SFX
    shape = [1.0] * count if flush else _lens(count)
    spaces = [atom.space for atom in measure.atoms[:-1] if atom.space]
    lost = (count - 1) * (sum(spaces) / len(spaces) if spaces else 0.0)
    total = max(0.1, measure.of(0, len(measure.atoms)) - lost)
    goal = [part * total / sum(shape) for part in shape]
    breaks = _break(measure, goal)
    if breaks is None:
        return None
    pairs = list(pairwise(breaks))
    runs = tuple(line_of(measure.atoms, a, b) for a, b in pairs)
    measured = [measure.of(a, b) for a, b in pairs]
    block = _block(measured, vertical=measure.vertical)
    angle = angle_of(words) if kind is BalloonKind.SFX else 0.0
    width, height = _around(measured, block, kind, angle, measure.vertical)
    strain = sum(abs(w - g) for w, g in zip(measured, goal, strict=True)) / sum(goal)
    strain += sum(measure.strain(end) for end in breaks[1:-1])
    plain = all(not (run.bold or run.italic) for line in runs for run in line)
    return Fit(
        tuple(text_of(line) for line in runs),
        *block,
        width,
        height,
        strain,
        () if plain else runs,
        measure.vertical,
        angle,
    )


def _block(measured: Sequence[float], *, vertical: bool) -> tuple[float, float]:
    """Width and height of the lines (or columns) together."""
    count = len(measured)
    if vertical:
        return (count - 1) * COLUMN_PITCH + COLUMN, max(measured)
    return max(measured), (count - 1) * LEADING + CAP + DROP


def _around(
    measured: Sequence[float],
    block: tuple[float, float],
    kind: BalloonKind,
    angle: float,
    vertical: bool,
) -> tuple[float, float]:
    """Width and height of the shape around a block of lines."""
    beside, above, depth = PADDING[kind]
    width, height = block
    if kind.is_boxed or kind is BalloonKind.SFX:
        w, h = width + 2 * beside, height + 2 * above
        co, si = abs(cos(radians(angle))), abs(sin(radians(angle)))
        return w * co + h * si, w * si + h * co
    if vertical:
        a, b = _enclose([(width / 2 + above, height / 2 + above)], (0.5, 1.4), 0.8)
    else:
        a, b = _enclose(_corners([w / 2 + beside for w in measured], height, above), (1.1, 2.8))
    return 2 * (a + depth), 2 * (b + depth)


def _lens(count: int) -> list[float]:
    """Relative widths of the lines of a round block."""
    half = (count + 1.1) / 2
    middle = (count - 1) / 2
    return [(1 - abs((i - middle) / half) ** 2.0) ** 0.5 for i in range(count)]


def _break(measure: _Measure, goal: Sequence[float]) -> list[int] | None:
    """Break points that come closest to the wanted lengths (least squares, by dynamic programming).

    Source: the total-fit idea of Knuth and Plass (1981), with a target for each line.
    """
    n, k = len(measure.atoms), len(goal)
    best = [[inf] * (n + 1) for _ in range(k + 1)]
    back = [[0] * (n + 1) for _ in range(k + 1)]
    best[0][0] = 0.0
    hurt = [measure.strain(end) * sum(goal) for end in range(1, n + 1)]
    for line in range(1, k + 1):
        want, above, here, came = goal[line - 1], best[line - 1], best[line], back[line]
        for end in range(line, n - (k - line) + 1):
            for start in range(end - 1, line - 2, -1):
                length = measure.of(start, end)
                if length > 2.2 * want + 4:
                    break
                cost = above[start] + (length - want) ** 2 + hurt[end - 1]
                if cost < here[end]:
                    here[end], came[end] = cost, start
    if best[k][n] == inf:
        return None
    points = [n]
    for line in range(k, 0, -1):
        points.append(back[line][points[-1]])
    return points[::-1]


def _corners(halves: Sequence[float], height: float, above: float) -> list[tuple[float, float]]:
    """The outermost points of a block of centred lines, in one quarter."""
    found: list[tuple[float, float]] = []
    for i, half in enumerate(halves):
        top = -height / 2 + i * LEADING - (above if i == 0 else 0)
        bottom = -height / 2 + i * LEADING + CAP + DROP
        if i == len(halves) - 1:
            bottom = height / 2 + above
        found.append((half, max(abs(top), abs(bottom))))
    return found


def _enclose(
    corners: Sequence[tuple[float, float]], ratios: tuple[float, float], liked: float = 1.65
) -> tuple[float, float]:
    """The half axes of the smallest pleasant superellipse around some points of a quarter."""
    best, chosen = inf, (1.0, 1.0)
    for step in range(18):
        ratio = ratios[0] + (ratios[1] - ratios[0]) * step / 17
        b = max(((x / ratio) ** ROUNDNESS + y**ROUNDNESS) ** (1 / ROUNDNESS) for x, y in corners)
        # Round balloons look calm, slabs and eggs do not.
        cost = ratio * b * b * (1 + 0.06 * abs(ratio - liked))
        if cost < best:
            best, chosen = cost, (ratio * b, b)
    return chosen
