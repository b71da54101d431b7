"""``onmodel bench pages``: pages per second and memory of layout, lettering and drawing.

The peer puts the same pictures into the same frames with Pillow alone, cropped to the middle and
without a word, and saves the same PNG: what is left over is the price of layout, balloons, faces
that are spared, and type.
"""

import io
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from bot.bench.figures import Figure, publish
from bot.bench.letterings import random_panels
from bot.bench.script_lints import lint_figures
from pipeline.comics.export.book import export_book
from pipeline.comics.formats import PNG_LEVEL
from pipeline.comics.lettering import DoesNotFit
from pipeline.comics.page import compose_page, render_page
from pipeline.domain.geometry import Size
from pipeline.domain.page import BookInfo, BookPage, LetteredPage, PageSpec, PanelArt

_PEER = "Pillow: crop, paste, save"
_MOST_MIB = 1024
_FORMATS = ("cbz", "pdf", "epub", "web")


def bench_pages(pages: int, book: int, json_file: Path | None = None) -> int:
    """Time ``pages`` pages, bind books of ``book`` pages in processes of their own; returns 0."""
    figures = [*_speed_figures(pages), *_memory_figures(book), *lint_figures()]
    publish(figures, json_file)
    return 0


def random_page(seed: int) -> list[PanelArt]:
    """Panels as the bench of lettering has them, with pictures to draw."""
    return [replace(art, image=_picture(art.size, art.panel_id)) for art in random_panels(seed)]


@cache
def _picture(size: Size, seed: int) -> bytes:
    """Soft shapes with some grain: a PNG of the weight that drawn panels have."""
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 220, (12, 16, 3)).astype(np.uint8)
    soft = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    grain = random.integers(-3, 4, (size.height, size.width, 1))
    pixels = (np.asarray(soft, np.int16) + grain).clip(0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _speed_figures(pages: int) -> Iterator[Figure]:
    composing = drawing = bare = 0.0
    made = size = 0
    for seed in range(pages):
        panels = random_page(seed)
        start = time.perf_counter()
        try:
            page = compose_page(panels, PageSpec())
        except DoesNotFit:
            continue
        composed = time.perf_counter()
        size += len(render_page(page, panels))
        drawn = time.perf_counter()
        _bare_page(page, panels)
        bare += time.perf_counter() - drawn
        composing += composed - start
        drawing += drawn - composed
        made += 1
    whole = composing + drawing
    yield Figure("pages.per_second", made / whole, "1/s", "higher", n=made)
    yield Figure("pages.layout_and_lettering", composing / made, "s", "lower", n=made)
    yield Figure("pages.drawing", drawing / made, "s", "lower", n=made)
    yield Figure("pages.drawing_against_bare", drawing / bare, "ratio", "lower", None, _PEER, made)
    yield Figure("pages.whole_against_bare", whole / bare, "ratio", "lower", None, _PEER, made)
    yield Figure("pages.png_bytes", size / made, "bytes", "lower", n=made)


def _bare_page(page: LetteredPage, panels: Sequence[PanelArt]) -> bytes:
    sheet = Image.new("RGB", page.size, "white")
    for frame, art in zip(page.frames, panels, strict=True):
        with Image.open(io.BytesIO(art.image)) as image:
            part = ImageOps.fit(image.convert("RGB"), (frame.box.width, frame.box.height))
        sheet.paste(part, (frame.box.x0, frame.box.y0))
    out = io.BytesIO()
    sheet.save(out, "PNG", compress_level=PNG_LEVEL)
    return out.getvalue()


def _memory_figures(book: int) -> Iterator[Figure]:
    """The most memory of a process that composes, draws and binds a book."""
    for form in _FORMATS:
        one, _, _ = _apart(form, 1)
        most, size, seconds = _apart(form, book)
        name = f"pages.book.{form}"
        yield Figure(f"{name}.most_memory", most, "MiB", "lower", _MOST_MIB, n=book)
        per_page = (most - one) / max(1, book - 1)
        yield Figure(f"{name}.memory_per_page", per_page, "MiB", "lower", n=book)
        yield Figure(f"{name}.file", size / 2**20, "MiB", "lower", n=book)
        yield Figure(f"{name}.bound_per_second", book / seconds, "1/s", "higher", n=book)


def _apart(form: str, pages: int) -> tuple[float, int, float]:
    """Most memory in MiB, bytes of the file and seconds of binding it, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_export, args=(form, pages, theirs))
    process.start()
    theirs.close()
    try:
        return mine.recv()
    finally:
        process.join()
        mine.close()


def _export(form: str, pages: int, answer: Any) -> None:
    start, drawing = time.perf_counter(), [0.0]
    data = export_book(form, _drawn(pages, drawing), BookInfo("Bench"), total=pages)
    seconds = time.perf_counter() - start - drawing[0]
    answer.send((_most_memory(), len(data), seconds))
    answer.close()


def _most_memory() -> float:
    """The most memory of this process so far in MiB, without what its parent had."""
    # ru_maxrss begins at what the parent held when it started this process; VmHWM does not.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _drawn(pages: int, seconds: list[float]) -> Iterator[BookPage]:
    """Pages of four panels when they are asked for; adds the time that making them takes.

    One page is drawn; the others are the same with another mark on them, because binders keep equal
    pictures once: they weigh as much, and to draw 200 pages would tell nothing new about memory.
    """
    start = time.perf_counter()
    panels = _page_of_four()
    page = compose_page(panels, PageSpec())
    with Image.open(io.BytesIO(render_page(page, panels))) as image:
        sheet = image.convert("RGB")
    for number in range(1, pages + 1):
        sheet.paste((number % 256, number // 256, 90), (40, 40, 104, 104))
        out = io.BytesIO()
        sheet.save(out, "PNG", compress_level=1)
        seconds[0] += time.perf_counter() - start
        yield BookPage(replace(page, number=number), out.getvalue())
        start = time.perf_counter()


def _page_of_four() -> list[PanelArt]:
    for seed in range(1000):
        panels = random_page(seed)
        if len(panels) == 4:
            return panels
    raise AssertionError("the random scripts have pages of four panels")
