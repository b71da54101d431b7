"""Exact advances and kerning of a TrueType file, read from its tables.

Text is measured here and not by the rasteriser, whose advances are rounded by hinting and whose
shaping depends on how it was built: the same words break into the same lines on every machine.

Source: OpenType specification 1.9, tables ``cmap`` (format 4), ``hhea``, ``hmtx`` and ``kern``
(format 0).
"""

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FontMetrics:
    """Measures in font units: ``advances`` by character, ``kerning`` by pair of characters."""

    units_per_em: int
    ascent: int
    descent: int
    advances: dict[str, int]
    kerning: dict[tuple[str, str], int]

    def width(self, text: str, size: float) -> float:
        """The advance of ``text`` in pixels at ``size`` pixels per em, kerning included.

        Raises:
            KeyError: the font has no glyph for a character.
        """
        units = sum(self.advances[c] for c in text)
        units += sum(self.kerning.get(pair, 0) for pair in pairwise(text))
        return units * size / self.units_per_em

    def positions(self, text: str, size: float) -> list[float]:
        """Where each character's origin lies, in pixels from the start of ``text``."""
        x, found = 0, list[float]()
        for i, char in enumerate(text):
            if i:
                x += self.kerning.get((text[i - 1], char), 0)
            found.append(x * size / self.units_per_em)
            x += self.advances[char]
        return found


def read_metrics(path: Path) -> FontMetrics:
    """Read the metrics of a TrueType file.

    Raises:
        ValueError: the file lacks a table that we read.
    """
    data = path.read_bytes()
    tables = _tables(data)
    try:
        units = struct.unpack_from(">H", tables["head"], 18)[0]
        ascent, descent = struct.unpack_from(">hh", tables["hhea"], 4)
        glyphs = _character_map(tables["cmap"])
        widths = _advances(tables["hmtx"], struct.unpack_from(">H", tables["hhea"], 34)[0])
    except KeyError as error:
        raise ValueError(f"{path.name} has no table {error}") from error
    advances = {c: widths[min(g, len(widths) - 1)] for c, g in glyphs.items()}
    names: dict[int, list[str]] = {}
    for char, glyph in glyphs.items():
        names.setdefault(glyph, []).append(char)
    kerning = {
        (a, b): value
        for left, right, value in _kern_pairs(tables.get("kern", b""))
        for a in names.get(left, ())
        for b in names.get(right, ())
    }
    return FontMetrics(units, ascent, descent, advances, kerning)


def _tables(data: bytes) -> dict[str, bytes]:
    count = struct.unpack_from(">H", data, 4)[0]
    found = {}
    for i in range(count):
        tag, _, offset, length = struct.unpack_from(">4sIII", data, 12 + 16 * i)
        found[tag.decode("ascii")] = data[offset : offset + length]
    return found


def _character_map(cmap: bytes) -> dict[str, int]:
    """Characters of the Basic Multilingual Plane and their glyph numbers."""
    for i in range(struct.unpack_from(">H", cmap, 2)[0]):
        offset = struct.unpack_from(">I", cmap, 4 + 8 * i + 4)[0]
        if struct.unpack_from(">H", cmap, offset)[0] == 4:
            return _segments(cmap[offset:])
    raise ValueError("the font has no character map of format 4")


def _segments(table: bytes) -> dict[str, int]:
    length, double = struct.unpack_from(">H2xH", table, 2)
    words = struct.unpack(f">{length // 2}H", table[: length // 2 * 2])
    n = double // 2
    ends, starts = words[7 : 7 + n], words[8 + n : 8 + 2 * n]
    deltas, ranges = words[8 + 2 * n : 8 + 3 * n], words[8 + 3 * n : 8 + 4 * n]
    found: dict[str, int] = {}
    for i in range(n):
        for code in range(starts[i], min(ends[i], 0xFFFE) + 1):
            glyph = code
            if ranges[i]:
                glyph = words[8 + 3 * n + i + ranges[i] // 2 + code - starts[i]]
            if glyph or not ranges[i]:
                glyph = (glyph + deltas[i]) & 0xFFFF
            if glyph:
                found[chr(code)] = glyph
    return found


def _advances(hmtx: bytes, count: int) -> list[int]:
    return [advance for advance, _ in struct.iter_unpack(">Hh", hmtx[: 4 * count])]


def _kern_pairs(kern: bytes) -> list[tuple[int, int, int]]:
    if not kern:
        return []
    pairs = struct.unpack_from(">H", kern, 4 + 6)[0]
    return list(struct.iter_unpack(">HHh", kern[18 : 18 + 6 * pairs]))
