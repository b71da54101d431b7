"""The model sheet: one picture that says who a character is, as a studio pins it to the wall."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from pipeline.domain.character import ShotType
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.imaging.column import Column, blank_column
from pipeline.imaging.cutout import Cutout, cut_out
from pipeline.imaging.decode import to_png
from pipeline.imaging.typeset import (
    INK,
    QUIET,
    RULE,
    Rgb,
    TextStyle,
    parse_color,
    readable_on,
    shortened,
    width_of,
    wrapped,
    writable,
    write,
    write_lines,
)
from pipeline.quality.lineup import draw_person, line_up
from pipeline.quality.sheet_marks import mark_tiles

WIDTH = 1800
"""Pixels across; the height follows from what there is to show."""

_MARGIN = 56
_INNER = WIDTH - 2 * _MARGIN
_GAP = 28
_CAPTION = 48

_NAME = TextStyle(84, bold=True)
_LOOK = TextStyle(40, color=QUIET)
_HEADING = TextStyle(34, bold=True)
_TEXT = TextStyle(30)
_LABEL = TextStyle(26, color=QUIET)
_SAME_POSTURE = 0.14
"""Heads whose share of the height differs less than this belong to figures of one posture."""
_GUIDE: Rgb = (150, 176, 196)
"""The blue of an animator's pencil, for ground and height lines."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the sheet: its heading, the shots in it and its height in pixels."""

    heading: str
    shots: tuple[ShotType, ...]
    height: int
    grounded: bool


_ROWS = (
    _Row("Turnaround, poses, action", (ShotType.FULL, ShotType.DYNAMIC), 620, grounded=True),
    _Row("Waist up", (ShotType.HALF,), 430, grounded=False),
    _Row("Expressions", (ShotType.HEADSHOT,), 320, grounded=False),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Figure:
    """A reference cut out, with its scale on the sheet."""

    reference: ReferenceInput
    cutout: Cutout
    scale: float

    @property
    def width(self) -> int:
        return max(1, round(self.cutout.width * self.scale))

    @property
    def height(self) -> int:
        return max(1, round(self.cutout.height * self.scale))

    @property
    def caption(self) -> str:
        words = (self.reference.angle, self.reference.expression)
        return " · ".join(w for w in words if w) or self.reference.kind.value


def model_sheet(
    cast: CastInput, notes: str, all_heights: Sequence[tuple[str, float]] = ()
) -> bytes:
    """Draw the model sheet of one character in one appearance.

    Args:
        cast: the character with its references; any number, any mix of shots.
        notes: the owner's notes about marks and habits; may be empty.
        all_heights: name and relative height of every character of the series, for the line-up.

    Returns:
        A PNG, :data:`WIDTH` pixels wide: title, figures at equal scale on a ground line, upper
        halves, expressions, palette with its codes, components, notes, heights.

    Raises:
        InvalidPicture: a reference's bytes are damaged.
    """
    sheet = blank_column(WIDTH, _MARGIN)
    _title(sheet, cast)
    for row in _ROWS:
        figures = [
            _Figure(r, cut_out(r.image), 1.0) for r in cast.references if r.shot_type in row.shots
        ]
        if figures:
            _row(sheet, row, _equal_scale(figures, row.height))
    if not cast.references:
        sheet.need(60)
        write(sheet.draw, (_MARGIN, sheet.y), "No references are registered yet.", _TEXT)
        sheet.y += 70
    _palette(sheet, cast.palette)
    _facts(sheet, cast, notes)
    if cast.marks:
        _marks(sheet, cast)
    if len(all_heights) > 1:
        _heights(sheet, cast, all_heights)
    height = round(sheet.y + _MARGIN / 2)
    page = sheet.image.crop((0, 0, WIDTH, height))
    ImageDraw.Draw(page).rectangle((10, 10, WIDTH - 11, height - 11), outline=INK, width=5)
    return to_png(page)


def _title(sheet: Column, cast: CastInput) -> None:
    sheet.y = _MARGIN
    ids = [f"{cast.character_id}", f"{cast.appearance_id}"]
    right = max(width_of(writable(i), _LABEL) for i in ids)
    right = max(200, min(right, _INNER // 3))
    room = _INNER - right - 40
    name = shortened(cast.name, _NAME, room)
    write(sheet.draw, (_MARGIN, sheet.y - 12), name, _NAME)
    for k, text in enumerate(("Model sheet", *ids)):
        style = TextStyle(26, bold=True) if k == 0 else _LABEL
        line = shortened(text, style, right)
        left = WIDTH - _MARGIN - width_of(line, style)
        write(sheet.draw, (left, sheet.y + 34 * k), line, style)
    sheet.y += 96
    count = len(cast.references)
    look = f"{cast.label or 'One appearance'}  ·  {count} reference{'' if count == 1 else 's'}"
    write(sheet.draw, (_MARGIN, sheet.y), shortened(look, _LOOK, room), _LOOK)
    sheet.y += 62
    sheet.draw.line((_MARGIN, sheet.y, WIDTH - _MARGIN, sheet.y), fill=INK, width=5)
    sheet.y += 26


def _equal_scale(figures: Sequence[_Figure], height: int) -> list[_Figure]:
    """Scale figures so that all heads have one size and the tallest fits the row."""
    usable = height - 16
    # Heads that cannot be found in a plain rectangle say nothing about scale.
    heads = sorted(f.cutout.diameter / f.cutout.height for f in figures if f.cutout.loose)
    typical = heads[len(heads) // 2] if heads else 1 / 3
    out: list[_Figure] = []
    for figure in figures:
        cutout = figure.cutout
        share = cutout.diameter / cutout.height
        # Figures of one posture get one height: a head is measured less exactly than a figure.
        same = not cutout.loose or abs(share / typical - 1) < _SAME_POSTURE
        scale = usable / cutout.height * (1.0 if same else typical / share)
        scale = min(scale, usable / cutout.height, _INNER / 2 / cutout.width)
        out.append(_Figure(figure.reference, cutout, scale))
    return out


def _row(sheet: Column, row: _Row, figures: Sequence[_Figure]) -> None:
    sheet.heading(row.heading, _HEADING)
    for line in _lines(figures):
        height = max(f.height for f in line) + 16
        sheet.need(height + _CAPTION)
        base = round(sheet.y + height)
        if row.grounded:
            draw = sheet.draw
            draw.line((_MARGIN, base, WIDTH - _MARGIN, base), fill=_GUIDE, width=3)
            top = base - max(f.height for f in line)
            for share in (0.25, 0.5, 0.75, 1.0):
                y = base - share * (base - top)
                _dashes(draw, y)
        _fill_line(sheet, line, base)
        sheet.y = base + _CAPTION + 10


def _lines(figures: Sequence[_Figure]) -> list[list[_Figure]]:
    """Break figures into lines of the sheet's width."""
    lines: list[list[_Figure]] = [[]]
    used = 0
    for figure in figures:
        cell = _cell(figure)
        if lines[-1] and used + cell > _INNER:
            lines.append([])
            used = 0
        lines[-1].append(figure)
        used += cell + _GAP
    return lines


def _cell(figure: _Figure) -> int:
    """Width that a figure and its caption need, in pixels."""
    return max(figure.width, min(width_of(writable(figure.caption), _LABEL) + 8, 260))


def _fill_line(sheet: Column, line: Sequence[_Figure], base: int) -> None:
    """Paste a line of figures, spread over the width when it is nearly full."""
    used = sum(map(_cell, line))
    free = _INNER - used
    gap = min(free / max(1, len(line) - 1), 110)
    x = float(_MARGIN)
    for figure in line:
        small = figure.cutout.image.resize((figure.width, figure.height), Image.Resampling.LANCZOS)
        left = round(x + (_cell(figure) - figure.width) / 2)
        sheet.image.paste(small.convert("RGB"), (left, base - figure.height), small.getchannel("A"))
        if not figure.cutout.loose:
            edge = (left, base - figure.height, left + figure.width, base)
            sheet.draw.rectangle(edge, outline=RULE, width=2)
        caption = shortened(figure.caption, _LABEL, _cell(figure))
        middle = x + (_cell(figure) - width_of(caption, _LABEL)) / 2
        write(sheet.draw, (middle, base + 8), caption, _LABEL)
        x += _cell(figure) + gap


def _dashes(draw: ImageDraw.ImageDraw, y: float) -> None:
    for x in range(_MARGIN, WIDTH - _MARGIN, 26):
        draw.line((x, y, x + 10, y), fill=(214, 226, 234), width=2)


def _palette(sheet: Column, palette: Sequence[str]) -> None:
    sheet.heading("Palette", _HEADING)
    colors = [(text, color) for text in palette if (color := parse_color(text)) is not None]
    if not colors:
        write(sheet.draw, (_MARGIN, sheet.y), "Not measured yet.", _LABEL)
        sheet.y += 56
        return
    per_line, height = 8, 120
    cell = (_INNER - (per_line - 1) * 16) / per_line
    for start in range(0, len(colors), per_line):
        sheet.need(height + 30)
        for k, (text, color) in enumerate(colors[start : start + per_line]):
            x = _MARGIN + k * (cell + 16)
            box = (x, sheet.y, x + cell, sheet.y + height)
            sheet.draw.rounded_rectangle(box, 14, fill=color, outline=INK, width=3)
            style = TextStyle(30, bold=True, color=readable_on(color))
            code = text.lower()
            left = x + (cell - width_of(code, style)) / 2
            write(sheet.draw, (left, sheet.y + height - 50), code, style)
        sheet.y += height + 22


def _facts(sheet: Column, cast: CastInput, notes: str) -> None:
    """Components on the left, notes on the right."""
    column = (_INNER - 60) // 2
    items = [(k.replace("_", " "), v.replace("_", " ")) for k, v in sorted(cast.components.items())]
    items = items or [("components", "none noted")]
    words = wrapped(notes, _TEXT, column, most=14) or ["No notes."]
    lines = max(sum(len(wrapped(v, _TEXT, column - 290, 2)) for _, v in items), len(words))
    sheet.y += 8
    sheet.need(lines * 52 + 120)
    top = sheet.y
    right = _MARGIN + column + 60
    for x, title in ((_MARGIN, "Components"), (right, "Notes and marks")):
        write(sheet.draw, (x, top), title, _HEADING)
        sheet.draw.line((x, top + 50, x + column, top + 50), fill=INK, width=3)
    y = top + 64
    for key, value in items:
        write(sheet.draw, (_MARGIN, y), shortened(key, _LABEL, 270), _LABEL)
        y = write_lines(
            sheet.draw, (_MARGIN + 290, y - 3), wrapped(value, _TEXT, column - 290, 2), _TEXT
        )
        sheet.draw.line((_MARGIN, y + 4, _MARGIN + column, y + 4), fill=RULE, width=2)
        y += 12
    end = write_lines(sheet.draw, (right, top + 62), words, _TEXT)
    sheet.y = max(y, end) + 26


def _marks(sheet: Column, cast: CastInput) -> None:
    """Close-ups of what must never be lost, four in a line."""
    sheet.heading("Must-keep marks", _HEADING)
    side, per_line = 240, 4
    cell = (_INNER - (per_line - 1) * _GAP) // per_line
    top = sheet.y
    for k, tile in enumerate(mark_tiles(cast, side)):
        if k % per_line == 0:
            top = sheet.y
            sheet.need(side + 130)
            sheet.y += side + 100
        x = _MARGIN + k % per_line * (cell + _GAP)
        sheet.image.paste(tile.image, (x, round(top)))
        sheet.draw.rectangle((x, top, x + side, top + side), outline=INK, width=3)
        lines = wrapped(tile.words, _LABEL, cell, 2)
        write_lines(sheet.draw, (x, top + side + 8), lines, _LABEL)


def _heights(sheet: Column, cast: CastInput, heights: Sequence[tuple[str, float]]) -> None:
    """The line-up: every character as a bar on one ground, this one filled."""
    shown = line_up(cast.name, heights)
    sheet.heading("Height line-up", _HEADING)
    tall = 300
    sheet.need(tall + 120)
    base = sheet.y + tall + 14
    most = max(value for _, value in shown)
    cell = min(210.0, _INNER / len(shown))
    for share in (0.25, 0.5, 0.75, 1.0):
        _dashes(sheet.draw, base - share * tall)
    sheet.draw.line((_MARGIN, base, WIDTH - _MARGIN, base), fill=_GUIDE, width=3)
    for k, (name, value) in enumerate(shown):
        middle = _MARGIN + (k + 0.5) * cell
        draw_person(sheet.draw, (middle, base), tall * value / most, own=name == cast.name)
        style = TextStyle(26, bold=name == cast.name, color=INK if name == cast.name else QUIET)
        for row, text in enumerate((name, f"{value:.2f}")):
            line = shortened(text, style, round(cell - 8))
            write(
                sheet.draw, (middle - width_of(line, style) / 2, base + 8 + 32 * row), line, style
            )
    sheet.y = base + 92
