"""``onmodel bench lettering``: random scripts, both directions, and what is wrong on the pages.

Every page is judged by its geometry and its ink, not by what the letterer believes of it. The peer
does what is common where panels are lettered without knowing them: lines of a fixed number of
characters, balloons in rows from the top in the order of the script.
"""

import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise, product
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bot.bench.figures import Figure, publish
from bot.bench.letterings import LANGUAGES, random_panels, translated
from pipeline.comics.balloons import core, curve, tail_parts
from pipeline.comics.framing import head_of
from pipeline.comics.lettering import DoesNotFit, letter_panel, sizes_for
from pipeline.comics.page import compose_page
from pipeline.comics.typesetting import ink_of
from pipeline.domain.character import ReadingDirection
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, LetteredPage, PageSpec, PanelArt, PanelFrame, Point

_FAULTS = (
    "over_faces",
    "over_hands",
    "overlapping",
    "overflowing",
    "wrong_order",
    "outside_frame",
    "too_small",
    "crossing_tails",
    "tails_over_faces",
)
_PEER = "rows from the top, textwrap"
_LEAST_FIT = 0.98
# Whispers and captions are set a little smaller than speech.
_SMALLER = 0.9


@dataclass(slots=True)
class Tally:
    """Counts over pages: faults by name, and what they are counted from."""

    faults: Counter[str] = field(default_factory=Counter)
    scripts: int = 0
    lines: int = 0
    refused: int = 0
    balloons: int = 0
    voices: int = 0
    tailless: int = 0
    seconds: float = 0.0


def bench_lettering(scripts: int, json_file: Path | None = None) -> int:
    """Letter ``scripts`` random pages in both directions and some in other languages; returns 0."""
    figures: list[Figure] = []
    for direction in (ReadingDirection.LTR, ReadingDirection.RTL):
        figures += _direction_figures(direction, scripts)
    figures += _language_figures(max(1, scripts // 5))
    publish(figures, json_file)
    return 0


def _direction_figures(direction: ReadingDirection, scripts: int) -> Iterator[Figure]:
    tally, peer_covers = Tally(), 0
    spec = PageSpec(reading_direction=direction)
    for seed in range(scripts):
        panels = random_panels(seed)
        start = time.perf_counter()
        try:
            page = compose_page(panels, spec)
        except DoesNotFit:
            tally.refused += 1
            continue
        finally:
            tally.scripts += 1
            tally.seconds += time.perf_counter() - start
        judge(page, panels, tally)
        peer_covers += sum(_peer_covers(art, page) for art in panels)
    name = f"lettering.{direction}"
    for fault in _FAULTS:
        yield Figure(f"{name}.{fault}", tally.faults[fault], "count", "lower", 0, n=tally.balloons)
    yield Figure(f"{name}.refused", tally.refused, "count", "lower", 0, n=tally.scripts)
    lost = tally.tailless / max(1, tally.voices)
    yield Figure(f"{name}.without_tail", lost, "share", "lower", n=tally.voices)
    peer = peer_covers / max(1, tally.balloons)
    yield Figure(f"{name}.peer_over_faces", peer, "share", "lower", None, _PEER, tally.balloons)
    rate = tally.scripts / max(1e-9, tally.seconds)
    yield Figure(f"{name}.pages_per_second", rate, "1/s", "higher", n=tally.scripts)


def _language_figures(scripts: int) -> Iterator[Figure]:
    """How many lines still fit their panels when the text is a third longer."""
    tallies = {language: Tally() for language in LANGUAGES}
    for seed in range(scripts):
        panels = random_panels(seed)
        try:
            first = compose_page(panels, PageSpec())
        except DoesNotFit:
            continue
        for language, tally in tallies.items():
            _set_anew(first, translated(panels, language, seed), language, tally)
    for language, tally in tallies.items():
        name = f"lettering.language.{language}"
        share = 1 - tally.refused / max(1, tally.lines)
        yield Figure(f"{name}.fit", share, "share", "higher", _LEAST_FIT, n=tally.lines)
        over = tally.faults["over_faces"]
        yield Figure(f"{name}.over_faces", over, "count", "lower", 0, n=tally.balloons)
        wrong = sum(tally.faults.values())
        yield Figure(f"{name}.faults", wrong, "count", "lower", 0, n=tally.balloons)


def _set_anew(first: LetteredPage, panels: Sequence[PanelArt], language: str, tally: Tally) -> None:
    """Letter translated panels in the frames of the page in its first language."""
    for art, frame in zip(panels, first.frames, strict=True):
        tally.lines += len(art.dialogue)
        try:
            done = letter_panel(art, frame.box, PageSpec(language=language))
        except DoesNotFit:  # names one line; with it the others of the panel would fit
            tally.refused += 1
            continue
        judge(replace(first, frames=(done.frame,), balloons=done.balloons), [art], tally)


def judge(page: LetteredPage, panels: Sequence[PanelArt], tally: Tally) -> None:
    """Count what is wrong on a page."""
    arts = {art.panel_id: art for art in panels}
    spec = PageSpec(size=page.size, reading_direction=page.reading_direction)
    least = round(sizes_for(spec)[-1] * _SMALLER)
    for frame in page.frames:
        art, balloons = arts[frame.panel_id], page.balloons_of(frame.panel_id)
        heads = [frame.to_page(head_of(figure)) for figure in art.figures]
        hands = [frame.to_page(hand) for figure in art.figures for hand in figure.hands]
        for balloon in balloons:
            tally.balloons += 1
            tally.faults.update(_own_faults(balloon, frame, heads, hands, least))
            _count_tail(balloon, art, tally)
        for a, b in combinations(balloons, 2):
            tally.faults["overlapping"] += a.box.overlaps(b.box)
            tally.faults["wrong_order"] += not _in_order(a, b, page.reading_direction)
            tally.faults["crossing_tails"] += _tails_cross(a, b)


def _own_faults(
    balloon: Balloon, frame: PanelFrame, heads: Sequence[Box], hands: Sequence[Box], least: int
) -> Iterator[str]:
    if any(balloon.box.overlaps(head) for head in heads):
        yield "over_faces"
    if any(balloon.box.overlaps(hand) for hand in hands):
        yield "over_hands"
    if balloon.box.intersection(frame.box) != balloon.box:
        yield "outside_frame"
    if balloon.font_size < least:
        yield "too_small"
    if _overflows(balloon):
        yield "overflowing"
    points = [point for part in tail_parts(balloon) for point in part]
    if any(h.x0 < p.x < h.x1 and h.y0 < p.y < h.y1 for p in points for h in heads):
        yield "tails_over_faces"


def _overflows(balloon: Balloon) -> bool:
    """Whether any ink of the words lies outside the shape, by pixels twice as fine as the page."""
    b, scale = balloon.box, 2
    tile = Box(b.x0 - 40, b.y0 - 40, b.x1 + 40, b.y1 + 40)
    shape = Image.new("L", (tile.width * scale, tile.height * scale))
    points = [((p.x - tile.x0) * scale, (p.y - tile.y0) * scale) for p in core(balloon)]
    ImageDraw.Draw(shape).polygon(points, fill=255, outline=255)
    ink = ink_of(balloon, tile, scale)
    return bool((ink[np.asarray(shape) == 0] > 127).any())


def _count_tail(balloon: Balloon, art: PanelArt, tally: Tally) -> None:
    seen = {figure.character_id for figure in art.figures}
    if balloon.kind.has_tail and balloon.speaker in seen:
        tally.voices += 1
        tally.tailless += not balloon.tails


def _in_order(a: Balloon, b: Balloon, direction: ReadingDirection) -> bool:
    """Whether the eye meets ``a`` first: not lower, and before ``b`` where they stand level."""
    if a.box.y0 > b.box.y0:
        return False
    if a.box.y1 <= b.box.y0:
        return True
    rtl = direction is ReadingDirection.RTL
    return a.box.x0 >= b.box.x1 if rtl else a.box.x1 <= b.box.x0


def _tails_cross(a: Balloon, b: Balloon) -> bool:
    for one, two in product(a.tails, b.tails):
        if two.joins == a.order:
            continue
        first = [curve(one, i / 12) for i in range(13)]
        second = [curve(two, i / 12) for i in range(13)]
        if any(_meet(p, q, r, s) for p, q in pairwise(first) for r, s in pairwise(second)):
            return True
    return False


def _meet(p: Point, q: Point, r: Point, s: Point) -> bool:
    def side(a: Point, b: Point, c: Point) -> float:
        return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)

    return side(p, q, r) * side(p, q, s) < 0 and side(r, s, p) * side(r, s, q) < 0


def _peer_covers(art: PanelArt, page: LetteredPage) -> int:
    """How many of the peer's balloons lie on a face, at the largest size of the page."""
    frame = next(f for f in page.frames if f.panel_id == art.panel_id)
    heads = [frame.to_page(head_of(figure)) for figure in art.figures]
    em = sizes_for(PageSpec(size=page.size))[0]
    x, y, tallest, covers = frame.box.x0 + 8, frame.box.y0 + 8, 0, 0
    for line in art.dialogue:
        lines = textwrap.wrap(line.text, 18) or [""]
        width = round((max(map(len, lines)) * 0.55 + 2) * em)
        height = round((len(lines) * 1.16 + 1.4) * em)
        if x + width > frame.box.x1 and x > frame.box.x0 + 8:
            x, y, tallest = frame.box.x0 + 8, y + tallest + 8, 0
        box = Box(x, y, x + width, y + height)
        covers += any(box.overlaps(head) for head in heads)
        x, tallest = x + width + 8, max(tallest, height)
    return covers
