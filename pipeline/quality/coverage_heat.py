"""The heat map of a character: shot × angle × expression, outfit by outfit, and what was wanted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from pipeline.domain.character import Reference, ShotType
from pipeline.domain.quest import View
from pipeline.domain.vocabulary import ANGLES, Expression, family_of
from pipeline.imaging.decode import to_png
from pipeline.imaging.typeset import INK, PAPER, QUIET, RULE, Rgb, TextStyle, shortened, write
from pipeline.quality.tiles import write_centered
from pipeline.retrieval.coverage import UNKNOWN

WIDTH = 1500
"""Pixels across; the height follows from the looks."""
MOST_LOOKS = 6
"""Outfits that one picture shows."""

_MARGIN, _LEFT, _CELL, _HIGH, _GAP = 40, 140, 40, 46, 16
_TOP = 270
_HEADING = 46
_COLUMNS = (*ANGLES, UNKNOWN)
_FACES = (*Expression, None)
_NAME = TextStyle(56, bold=True)
_LOOK = TextStyle(28, bold=True)
_ROW = TextStyle(22)
_HEAD = TextStyle(22, bold=True)
_FACE = TextStyle(20, color=QUIET)
_COUNT = TextStyle(22, bold=True)
_SMALL = TextStyle(22)
_HEAT: tuple[Rgb, ...] = (
    (252, 251, 247), (205, 232, 221), (150, 206, 184), (96, 176, 148), (48, 140, 112),
)  # fmt: skip
_LACK: Rgb = (190, 48, 42)
_SHOTS = {
    ShotType.HEADSHOT: "Head",
    ShotType.HALF: "Waist up",
    ShotType.FULL: "Full figure",
    ShotType.DYNAMIC: "In action",
}
_ANGLE_WORDS = {
    "front": "front", "three_quarter": "three-quarter", "side": "side", "back": "back",
    UNKNOWN: "not said",
}  # fmt: skip
_FACE_WORDS = {
    Expression.NEUTRAL: "calm", Expression.JOY: "happy", Expression.SADNESS: "sad",
    Expression.ANGER: "angry", Expression.SURPRISE: "surprised", None: "any other",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outfit:
    """A look for the heat map: its label, its canon references, and what panels wanted in vain.

    ``wanted`` counts panels by what they asked to see and no reference showed.
    """

    label: str
    references: Sequence[Reference]
    wanted: Mapping[View, int]


def heat_map(name: str, outfits: Sequence[Outfit]) -> bytes:
    """Draw where the references of a character lie, and where panels found none.

    Args:
        name: of the character.
        outfits: its looks; the first :data:`MOST_LOOKS` are drawn.

    Returns:
        A PNG, :data:`WIDTH` pixels wide. Darker cells hold more references (the number says how
        many); a red frame with a number counts panels that asked for this and found none.
    """
    drawn = outfits[:MOST_LOOKS]
    block = _HEADING + len(ShotType) * _HIGH + 26
    image = Image.new("RGB", (WIDTH, _TOP + len(drawn) * block + 76), PAPER)
    draw = ImageDraw.Draw(image)
    write(draw, (_MARGIN, 26), shortened(f"{name}: where the references lie", _NAME, 1400), _NAME)
    draw.line((_MARGIN, 108, WIDTH - _MARGIN, 108), fill=INK, width=4)
    _headings(image)
    for number, outfit in enumerate(drawn):
        _block(draw, _TOP + number * block, outfit)
    _legend(draw, image.height - 56)
    draw.rectangle((8, 8, WIDTH - 9, image.height - 9), outline=INK, width=4)
    return to_png(image)


def _headings(image: Image.Image) -> None:
    draw = ImageDraw.Draw(image)
    for k, angle in enumerate(_COLUMNS):
        left, right = _x(k, 0), _x(k, len(_FACES) - 1) + _CELL
        write_centered(draw, (left + right) / 2, 122, _ANGLE_WORDS[angle], _HEAD, right - left)
        draw.line((left, 154, right, 154), fill=RULE, width=2)
        for f, face in enumerate(_FACES):
            _upright(image, (_x(k, f), 160), _FACE_WORDS[face])


def _block(draw: ImageDraw.ImageDraw, top: int, outfit: Outfit) -> None:
    count = len(outfit.references)
    title = f"{outfit.label}  ·  {count} reference{'' if count == 1 else 's'}"
    write(draw, (_MARGIN, top), shortened(title, _LOOK, 900), _LOOK)
    held = Counter(
        (r.shot_type, r.angle if r.angle in ANGLES else UNKNOWN, family_of(r.expression))
        for r in outfit.references
    )
    wanted: Counter[tuple[ShotType, str, Expression | None]] = Counter()
    for view, panels in outfit.wanted.items():
        wanted[view.shot_type, view.angle or UNKNOWN, view.expression] += panels
    for row, (shot, words) in enumerate(_SHOTS.items()):
        y = top + _HEADING + row * _HIGH
        write(draw, (_MARGIN, y + 8), words, _ROW)
        for k, angle in enumerate(_COLUMNS):
            for f, face in enumerate(_FACES):
                _cell(draw, (_x(k, f), y), held[shot, angle, face], wanted[shot, angle, face])


def _cell(draw: ImageDraw.ImageDraw, corner: tuple[int, int], held: int, wanted: int) -> None:
    x, y = corner
    box = (x, y, x + _CELL - 3, y + _HIGH - 4)
    heat = _HEAT[min(held, len(_HEAT) - 1)]
    draw.rectangle(box, fill=heat, outline=_LACK if wanted else RULE, width=4 if wanted else 1)
    if held or wanted:
        ink = _LACK if wanted else INK if held < 4 else PAPER
        style = TextStyle(_COUNT.size, bold=True, color=ink)
        shown = str(min(wanted or held, 99))
        write_centered(draw, x + (_CELL - 3) / 2, y + 6, shown, style, _CELL)


def _legend(draw: ImageDraw.ImageDraw, y: int) -> None:
    x = _MARGIN
    for count in range(len(_HEAT)):
        draw.rectangle((x, y, x + 40, y + 28), fill=_HEAT[count], outline=RULE)
        ink = INK if count < 4 else PAPER
        words = f"{count}+" if count == len(_HEAT) - 1 else str(count)
        style = TextStyle(20, bold=True, color=ink)
        write_centered(draw, x + 20, y + 1, words, style, 40)
        x += 44
    write(draw, (x + 8, y + 1), "references", _SMALL)
    x += 190
    draw.rectangle((x, y, x + 40, y + 28), outline=_LACK, width=4)
    style = TextStyle(20, bold=True, color=_LACK)
    write_centered(draw, x + 20, y + 1, "n", style, 40)
    words = "panels of the last 30 days that asked for this and found no reference"
    write(draw, (x + 52, y + 1), words, _SMALL)


def _upright(image: Image.Image, corner: tuple[int, int], words: str) -> None:
    """Small words that run upwards, in a column of one cell."""
    tile = Image.new("RGB", (100, _CELL - 3), PAPER)
    write(ImageDraw.Draw(tile), (2, 3), words, _FACE)
    image.paste(tile.rotate(90, expand=True), corner)


def _x(angle: int, face: int) -> int:
    return _MARGIN + _LEFT + angle * (len(_FACES) * _CELL + _GAP) + face * _CELL
