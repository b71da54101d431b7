"""The coverage of a character as a picture: what the references show, and the gaps in it."""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw

from pipeline.domain.character import EntryKind, Reference, ShotType
from pipeline.domain.vocabulary import ANGLES, Expression, family_of
from pipeline.imaging.decode import to_png
from pipeline.imaging.typeset import (
    INK,
    PAPER,
    QUIET,
    RULE,
    Rgb,
    TextStyle,
    readable_on,
    shortened,
    width_of,
    wrapped,
    write,
)
from pipeline.quality.tiles import dashed_box, paste_inside, write_centered
from pipeline.retrieval.coverage import COLUMNS, UNKNOWN, CharacterCoverage, Coverage

WIDTH = 1500
"""Pixels across; the height follows from the looks."""
MOST_LOOKS = 6
"""Looks that one picture shows."""

_MARGIN = 44
_LEFT = 190
_CELL = 150
_GAP = 10
_GRID = len(COLUMNS) * (_CELL + _GAP)
_SIDE = _MARGIN + _LEFT + _GRID + 24

_NAME = TextStyle(60, bold=True)
_LOOK = TextStyle(32, bold=True)
_HEAD = TextStyle(22, bold=True)
_TEXT = TextStyle(23)
_SMALL = TextStyle(20, color=QUIET)
_COUNT = TextStyle(22, bold=True)

_HEAT: tuple[Rgb, ...] = ((252, 251, 247), (222, 236, 230), (176, 216, 200), (112, 186, 160))
"""Cells with no, one, two, and three or more references; light enough for ink lines on them."""
_LACK: Rgb = (190, 48, 42)
_READY: Rgb = (22, 120, 84)
_ALMOST: Rgb = (176, 120, 16)

_ROWS = {
    ShotType.HEADSHOT: "Head",
    ShotType.HALF: "Waist up",
    ShotType.FULL: "Full figure",
    ShotType.DYNAMIC: "In action",
}
_COLUMN_WORDS = {
    "front": "front",
    "three_quarter": "three-quarter",
    "side": "side",
    "back": "back",
    UNKNOWN: "not said",
}

Pictures = Mapping[int, bytes]
"""Canonical PNGs by reference id."""


def coverage_sheet(
    coverage: CharacterCoverage,
    references: Mapping[str, Sequence[Reference]],
    pictures: Pictures,
) -> bytes:
    """Draw the coverage of a character, a block a look.

    Args:
        coverage: what was counted.
        references: the references of each look, by its id.
        pictures: their canonical PNGs; a cell whose picture is not here shows its count only.

    Returns:
        A PNG, :data:`WIDTH` pixels wide. Darker cells hold more references; a dashed red outline
        is a view that is still needed.

    Raises:
        InvalidPicture: a reference's bytes are damaged.
    """
    looks = coverage.looks[:MOST_LOOKS]
    heights = [_block_height(look, coverage.kind) for look in looks]
    image = Image.new("RGB", (WIDTH, 190 + sum(heights) + _MARGIN), PAPER)
    _title(image, coverage)
    y = 180
    for look, height in zip(looks, heights, strict=True):
        canon = [r for r in references.get(look.appearance_id, ()) if r.canon]
        _block(image, y, look, coverage.kind, (canon, pictures))
        y += height
    ImageDraw.Draw(image).rectangle((8, 8, WIDTH - 9, image.height - 9), outline=INK, width=4)
    return to_png(image)


def _title(image: Image.Image, coverage: CharacterCoverage) -> None:
    draw = ImageDraw.Draw(image)
    write(draw, (_MARGIN, 28), shortened(coverage.name, _NAME, 900), _NAME)
    right = f"Coverage  ·  {coverage.character_id}"
    write(draw, (WIDTH - _MARGIN - width_of(right, _SMALL), 44), right, _SMALL)
    write(draw, (_MARGIN, 106), shortened(coverage.advice, _TEXT, WIDTH - 2 * _MARGIN), _TEXT)
    draw.line((_MARGIN, 150, WIDTH - _MARGIN, 150), fill=INK, width=4)


def _block_height(look: Coverage, kind: EntryKind) -> int:
    rows = len(ShotType) + (1 if kind is EntryKind.CHARACTER else 0)
    return max(96 + rows * (_CELL + _GAP) + 50, 240 + 34 * len(look.missing))


def _block(
    image: Image.Image,
    y: int,
    look: Coverage,
    kind: EntryKind,
    shown: tuple[Sequence[Reference], Pictures],
) -> None:
    draw = ImageDraw.Draw(image)
    title = f"{look.label}  ·  {look.references} references"
    write(draw, (_MARGIN, y), shortened(title, _LOOK, _SIDE - _MARGIN - 40), _LOOK)
    for k, column in enumerate(COLUMNS):
        x = _MARGIN + _LEFT + k * (_CELL + _GAP) + _CELL / 2
        write_centered(draw, x, y + 54, _COLUMN_WORDS[column], _SMALL, _CELL)
    wanted = _wanted_cells(look)
    top = y + 86
    for shot, words in _ROWS.items():
        write(draw, (_MARGIN, top + _CELL / 2 - 14), words, _HEAD)
        for k, column in enumerate(COLUMNS):
            inside = [r for r in shown[0] if r.shot_type is shot and _column(r) == column]
            box = _cell_box(k, top)
            _cell(image, box, inside, shown[1], lacking=(shot, column) in wanted)
        top += _CELL + _GAP
    if kind is EntryKind.CHARACTER:
        _expressions(image, top, look, shown)
    _side_note(draw, y, look)


def _expressions(
    image: Image.Image,
    top: int,
    look: Coverage,
    shown: tuple[Sequence[Reference], Pictures],
) -> None:
    draw = ImageDraw.Draw(image)
    write(draw, (_MARGIN, top + _CELL / 2 - 14), "Expressions", _HEAD)
    for k, family in enumerate(Expression):
        inside = [r for r in shown[0] if family_of(r.expression) is family]
        inside.sort(key=lambda r: (r.shot_type is not ShotType.HEADSHOT, r.id))
        box = _cell_box(k, top)
        _cell(image, box, inside, shown[1], lacking=not look.expressions[family])
        x = (box[0] + box[2]) / 2
        write_centered(draw, x, box[3] + 6, family.value, _SMALL, _CELL)


def _cell(
    image: Image.Image,
    box: tuple[int, int, int, int],
    inside: Sequence[Reference],
    pictures: Pictures,
    *,
    lacking: bool,
) -> None:
    draw = ImageDraw.Draw(image)
    count = len(inside)
    heat = _HEAT[min(count, len(_HEAT) - 1)]
    draw.rounded_rectangle(box, 10, fill=heat, outline=None if lacking else RULE, width=2)
    x0, y0, x1, y1 = box
    if lacking and not count:
        dashed_box(draw, box, _LACK)
        style = TextStyle(21, bold=True, color=_LACK)
        write_centered(draw, (x0 + x1) / 2, (y0 + y1) / 2 - 14, "needed", style, _CELL - 10)
        return
    if not count:
        write_centered(draw, (x0 + x1) / 2, (y0 + y1) / 2 - 14, "–", _SMALL, _CELL)
        return
    best = next((r for r in inside if r.id in pictures), None)
    if best is not None:
        paste_inside(image, pictures[best.id], (x0 + 12, y0 + 8, x1 - 12, y1 - 2))
    chip = (x1 - 40, y0 + 6, x1 - 6, y0 + 36)
    draw.rounded_rectangle(chip, 14, fill=INK)
    style = TextStyle(20, bold=True, color=readable_on(INK))
    write_centered(draw, (chip[0] + chip[2]) / 2, chip[1] + 2, str(count), style, 40)


def _side_note(draw: ImageDraw.ImageDraw, y: int, look: Coverage) -> None:
    """Readiness as a bar, and what is missing in words."""
    room = WIDTH - _MARGIN - _SIDE
    share = look.readiness
    color = _READY if share >= 0.85 else _ALMOST if share >= 0.5 else _LACK
    write(draw, (_SIDE, y + 4), "Readiness", _HEAD)
    number = TextStyle(52, bold=True, color=color)
    write(draw, (_SIDE, y + 34), f"{share:.0%}", number)
    bar = (_SIDE, y + 108, _SIDE + room, y + 126)
    draw.rounded_rectangle(bar, 9, fill=RULE)
    draw.rounded_rectangle((bar[0], bar[1], bar[0] + max(18, share * room), bar[3]), 9, fill=color)
    y += 150
    if not look.missing:
        write(draw, (_SIDE, y), "Nothing is missing.", _TEXT)
        return
    write(draw, (_SIDE, y), "Still needed", _HEAD)
    y += 38
    for need in look.missing:
        mark = (_SIDE + 2, y + 8, _SIDE + 14, y + 20)
        draw.ellipse(mark, outline=_LACK, fill=_LACK if need.required else None, width=3)
        count = f" ({need.have} of {need.want})" if need.want > 1 else ""
        for line in wrapped(need.words + count, _SMALL, room - 26, 2):
            write(draw, (_SIDE + 24, y), line, _SMALL)
            y += 28
        y += 4


def _wanted_cells(look: Coverage) -> set[tuple[ShotType, str]]:
    """Cells where a picture would meet a need."""
    cells: set[tuple[ShotType, str]] = set()
    for need in look.missing:
        part, _, angle = need.key.partition(".")
        if part == "head":
            cells.add((ShotType.HEADSHOT, angle))
        elif part == "full" and angle in ANGLES:
            cells.add((ShotType.FULL, angle))
        elif part == "half":
            cells.add((ShotType.HALF, "front"))
        elif part == "dynamic":
            cells.add((ShotType.DYNAMIC, "front"))
    return cells


def _column(reference: Reference) -> str:
    return reference.angle if reference.angle in ANGLES else UNKNOWN


def _cell_box(column: int, top: int) -> tuple[int, int, int, int]:
    left = _MARGIN + _LEFT + column * (_CELL + _GAP)
    return left, top, left + _CELL, top + _CELL
