"""Words to glyphs: bidirectional order, one face for each stretch, shaping by HarfBuzz.

All lengths are ems. Nothing here depends on how the machine's libraries were built: HarfBuzz and
the bidirectional algorithm come with the program, so the same words with the same fonts are set
the same everywhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from pipeline.comics.fonts import Face, FontStyle, face_for, own_faces
from pipeline.comics.harfbuzz import harfbuzz
from pipeline.comics.scripts import Script, script_of, stands
from pipeline.domain.page import TextRun

# A column of upright signs is shaped by the cell; these stand across it instead.
_ACROSS = 3
_COMBINING = frozenset("\u200c\u200d\ufe0e\ufe0f\u3099\u309a")
_EMOJI_PARTS = range(0x1F3FB, 0x1F400)
_RTL = (Script.HEBREW, Script.ARABIC)

Matrix = tuple[float, float, float, float]
_UPRIGHT: Matrix = (1.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Glyph:
    """One glyph of ``face`` with its origin at (``x``, ``y``), y up from the baseline.

    ``matrix`` (xx, yx, xy, yy) turns or slants the outline before it is placed. ``cluster`` is the
    index of the first character that it stands for.
    """

    face: Face
    id: int
    x: float
    y: float
    cluster: int
    matrix: Matrix = _UPRIGHT


@dataclass(frozen=True, slots=True)
class ShapedLine:
    """The glyphs of one line in the order in which they stand, and how long the line is."""

    glyphs: tuple[Glyph, ...]
    length: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """Characters that are shaped together."""

    text: str
    start: int
    face: Face
    rtl: bool


def line_width(text: str, style: FontStyle, language: str = "") -> float:
    """How wide a plain line is, in ems."""
    return shape_line((TextRun(text),), style, language).length


@lru_cache(maxsize=16384)
def shape_line(runs: tuple[TextRun, ...], style: FontStyle, language: str = "") -> ShapedLine:
    """Shape one horizontal line; characters that no face has are left out (check first)."""
    text = "".join(run.text for run in runs)
    styles = _styles(runs, style)
    levels = _levels(text)
    glyphs: list[Glyph] = []
    x = 0.0
    for piece in _visual(_pieces(text, styles, levels, language), levels):
        shaped, advance = _shape(piece, "rtl" if piece.rtl else "ltr", language)
        glyphs += [_moved(glyph, x, 0.0) for glyph in shaped]
        x += advance
    return ShapedLine(tuple(glyphs), x)


@lru_cache(maxsize=4096)
def shape_column(runs: tuple[TextRun, ...], style: FontStyle, language: str = "") -> ShapedLine:
    """Shape one column from top to bottom; x counts from its middle line, y up from its top.

    Ideographs and kana stand upright with their vertical forms, up to three digits or marks stand
    side by side in one cell, longer stretches of other scripts are turned.
    """
    text = "".join(run.text for run in runs)
    styles = _styles(runs, style)
    glyphs: list[Glyph] = []
    y = 0.0
    for start, part in _column_parts(text):
        pieces = list(_pieces(part, styles[start : start + len(part)], None, language, start))
        if stands(part[0]):
            shaped, length = _stacked(pieces, language)
        elif len(part) <= _ACROSS and not part.isspace():
            shaped, length = _across(pieces, language)
        else:
            shaped, length = _turned(pieces, language)
        glyphs += [_moved(glyph, 0.0, -y) for glyph in shaped]
        y += length
    return ShapedLine(tuple(glyphs), y)


def _styles(runs: Iterable[TextRun], style: FontStyle) -> list[FontStyle]:
    return [style.toggled(bold=run.bold, italic=run.italic) for run in runs for _ in run.text]


def _levels(text: str) -> list[int] | None:
    """Embedding levels by the bidirectional algorithm; None for text that only runs one way.

    Source: Unicode Standard Annex 9, by the algorithm of python-bidi.
    """
    if not any(script_of(char) in _RTL for char in text):
        return None
    from bidi import algorithm

    storage = algorithm.get_empty_storage()
    storage["base_level"] = algorithm.get_base_level(text)
    storage["base_dir"] = ("L", "R")[storage["base_level"]]
    algorithm.get_embedding_levels(text, storage)
    algorithm.explicit_embed_and_overrides(storage)
    if len(storage["chars"]) != len(text):  # invisible direction marks were dropped: simple order
        return [storage["base_level"]] * len(text)
    algorithm.resolve_weak_types(storage)
    algorithm.resolve_neutral_types(storage, debug=False)
    algorithm.resolve_implicit_levels(storage, debug=False)
    return [char["level"] for char in storage["chars"]]


def _pieces(
    text: str,
    styles: Sequence[FontStyle],
    levels: Sequence[int] | None,
    language: str,
    first: int = 0,
) -> Iterable[_Piece]:
    """Stretches of one face and one level, in the order of the text."""
    faces = _faces(text, styles, language)
    keys = [(id(face), levels[i] if levels else 0) for i, face in enumerate(faces)]
    for _, group in groupby(range(len(text)), key=keys.__getitem__):
        where = list(group)
        a, b = where[0], where[-1] + 1
        rtl = bool(levels and levels[a] % 2)
        yield _Piece(text[a:b], first + a, faces[a], rtl)


def _faces(text: str, styles: Sequence[FontStyle], language: str) -> list[Face]:
    """A face for each character; spaces, marks and joiners go with what stands before them."""
    found: list[Face] = []
    for i, (char, style) in enumerate(zip(text, styles, strict=True)):
        bound = char in _COMBINING or ord(char) in _EMOJI_PARTS
        if found and (bound or char == " ") and (bound or ord(char) in found[-1].chars):
            same_style = char != " " or styles[i] is styles[i - 1]
            if same_style:
                found.append(found[-1])
                continue
        found.append(face_for(char, style, language) or own_faces(style)[0])
    return found


def _visual(pieces: Iterable[_Piece], levels: Sequence[int] | None) -> list[_Piece]:
    """Pieces in the order in which they stand (rule L2 of the algorithm)."""
    found = list(pieces)
    if levels is None:
        return found
    level_of = [levels[piece.start] for piece in found]
    for level in range(max(level_of, default=0), 0, -1):
        i = 0
        while i < len(found):
            j = i
            while j < len(found) and level_of[j] >= level:
                j += 1
            found[i:j], level_of[i:j] = found[i:j][::-1], level_of[i:j][::-1]
            i = max(j, i + 1)
    return found


def _shape(piece: _Piece, direction: str, language: str) -> tuple[list[Glyph], float]:
    """Glyphs from the piece's start, and its advance (downwards for a column)."""
    hb = harfbuzz()
    buffer = hb.Buffer()
    buffer.add_str(piece.text)
    buffer.guess_segment_properties()
    buffer.direction = direction
    if language:
        buffer.language = language
    hb.shape(piece.face.font, buffer)
    em = piece.face.units_per_em
    matrix = (1.0, 0.0, piece.face.slant, 1.0)
    x, y = 0.0, 0.0
    found: list[Glyph] = []
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        if info.codepoint:
            at = (x + place.x_offset / em, y + place.y_offset / em)
            found.append(Glyph(piece.face, info.codepoint, *at, piece.start + info.cluster, matrix))
        x += place.x_advance / em
        y += place.y_advance / em
    return found, -y if direction == "ttb" else x


def _moved(glyph: Glyph, dx: float, dy: float, matrix: Matrix | None = None) -> Glyph:
    return Glyph(
        glyph.face, glyph.id, glyph.x + dx, glyph.y + dy, glyph.cluster, matrix or glyph.matrix
    )


def _column_parts(text: str) -> Iterable[tuple[int, str]]:
    """Stretches of a column: signs that stand upright, and all others."""
    at = 0
    for _, group in groupby(text, key=stands):
        part = "".join(group)
        yield at, part
        at += len(part)


def _stacked(pieces: Iterable[_Piece], language: str) -> tuple[list[Glyph], float]:
    found: list[Glyph] = []
    y = 0.0
    for piece in pieces:
        shaped, length = _shape(piece, "ttb", language)
        found += [_moved(glyph, 0.0, -y) for glyph in shaped]
        y += length
    return found, y


def _across(pieces: Iterable[_Piece], language: str) -> tuple[list[Glyph], float]:
    """A few signs side by side in one cell, squeezed where they are wider than it."""
    row, width = _row(pieces, language)
    squeeze = min(1.0, 1.0 / width) if width else 1.0
    found = [
        Glyph(
            glyph.face,
            glyph.id,
            (glyph.x - width / 2) * squeeze,
            glyph.y - 0.86,
            glyph.cluster,
            (glyph.matrix[0] * squeeze, 0.0, glyph.matrix[2] * squeeze, 1.0),
        )
        for glyph in row
    ]
    return found, 1.0


def _turned(pieces: Iterable[_Piece], language: str) -> tuple[list[Glyph], float]:
    """A stretch turned clockwise by a right angle: its baseline runs down the column."""
    row, width = _row(pieces, language)
    found = []
    for glyph in row:
        xx, yx, xy, yy = glyph.matrix
        at = (glyph.y - 0.36, -glyph.x)
        found.append(Glyph(glyph.face, glyph.id, *at, glyph.cluster, (yx, -xx, yy, -xy)))
    return found, width


def _row(pieces: Iterable[_Piece], language: str) -> tuple[list[Glyph], float]:
    found: list[Glyph] = []
    x = 0.0
    for piece in pieces:
        shaped, advance = _shape(piece, "ltr", language)
        found += [_moved(glyph, x, 0.0) for glyph in shaped]
        x += advance
    return found, x
