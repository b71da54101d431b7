"""Webtoon slices: the strip in pieces that the publishing sites take, and an index of them.

Source: Webtoon Canvas takes pictures up to 800 × 1280 pixels and 2 MB.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from pipeline.comics.export.archive import Archive, digits, new_archive
from pipeline.comics.export.budget import Budget
from pipeline.comics.export.layers import LivePanel, live_panels
from pipeline.comics.export.pictures import JPEG_STEPS, Step, compressed
from pipeline.comics.export.slicing import Strip, cuts_of
from pipeline.domain.character import ColorMode, ReadingDirection
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import BookInfo, BookPage, PageSpec

SLICE = Size(800, 1280)
SLICE_BYTES = 2_000_000


def strip_spec(spec: PageSpec) -> PageSpec:
    """A page as a strip of 800 pixels: read downwards, without title and number at the foot."""
    scale = SLICE.width / spec.size.width
    return replace(
        spec,
        size=Size(SLICE.width, SLICE.height),
        margin=round(spec.margin * scale),
        gutter=round(spec.gutter * scale),
        reading_direction=ReadingDirection.WEBTOON,
        title="",
        show_number=False,
    )


@dataclass(slots=True)
class _Index:
    """What ``index.json`` will say."""

    slices: list[dict[str, Any]] = field(default_factory=list)
    panels: list[dict[str, Any]] = field(default_factory=list)
    height: int = 0


def write_webtoon(pages: Iterable[BookPage], info: BookInfo, out: BinaryIO, budget: Budget) -> None:
    """The zip: ``slice-001.png`` (or ``.jpg``, whichever is smaller) and on, ``index.json``.

    ``index.json`` lists the slices with their place in the whole strip, and the panels with
    their rectangle (pixels of the whole strip), their slices and their description.

    Raises:
        InvalidInput: a page is not a strip of at most 800 pixels.
    """
    index = _Index()
    with new_archive(out) as archive:
        for page in pages:
            if page.page.reading_direction is not ReadingDirection.WEBTOON or (
                page.page.size.width > SLICE.width
            ):
                raise InvalidInput(
                    "A webtoon is cut from strips of 800 pixels; compose the page as a strip first."
                )
            _add_page(archive, page, info, budget, index)
            budget.turn()
        about = {
            "series": info.series,
            "title": info.title,
            "language": info.language,
            "width": SLICE.width,
            "height": index.height,
            "slices": index.slices,
            "panels": index.panels,
        }
        archive.add("index.json", json.dumps(about, ensure_ascii=False, indent=1) + "\n")


def _add_page(
    archive: Archive, page: BookPage, info: BookInfo, budget: Budget, index: _Index
) -> None:
    with Image.open(BytesIO(page.png)) as image:
        grey = page.page.color_mode is ColorMode.GRAYSCALE
        sheet = image.convert("L" if grey else "RGB")
    cuts = cuts_of(_strip(page, sheet), SLICE.height)
    slices: list[tuple[str, int, int]] = []
    share = budget.share
    for top, bottom in pairwise([0, *cuts]):
        piece = sheet.crop((0, top, sheet.width, bottom))
        part = min(SLICE_BYTES, share * (bottom - top) / sheet.height)
        data, ending = _picture(piece, part, budget)
        name = f"slice-{len(index.slices) + 1:0{digits(10 * budget.pages)}}.{ending}"
        budget.spend(archive.add(name, data, compress=False))
        slices.append((name, top, bottom))
        index.slices.append(
            {
                "file": name,
                "page": page.page.number,
                "top": index.height + top,
                "width": sheet.width,
                "height": bottom - top,
                "bytes": len(data),
            }
        )
    index.panels += [
        _panel(panel, page.page.number, index.height, slices) for panel in live_panels(page, info)
    ]
    index.height += sheet.height


def _strip(page: BookPage, sheet: Image.Image) -> Strip:
    grey = np.asarray(sheet.convert("L"), float)
    across = np.abs(np.diff(grey, axis=1)).mean(1)
    detail = np.zeros(sheet.height + 1)
    detail[1:-1] = np.maximum(across[:-1], across[1:])
    balloons = [_reach(page, i) for i in range(len(page.page.balloons))]
    frames = [frame.box for frame in page.page.frames]
    return Strip(sheet.height, frames, [*balloons, *page.heads], detail)


def _reach(page: BookPage, index: int) -> Box:
    """A balloon with its tails."""
    balloon = page.page.balloons[index]
    ys = [p.y for tail in balloon.tails for p in (tail.base, tail.bend, tail.tip)]
    box = balloon.box
    if not ys:
        return box
    return Box(box.x0, min(box.y0, int(min(ys))), box.x1, max(box.y1, int(max(ys)) + 1))


def _picture(piece: Image.Image, share: float, budget: Budget) -> tuple[bytes, str]:
    """The slice as PNG where that is small enough and smaller than a good JPEG, else as JPEG."""
    step, jpeg = budget.best(JPEG_STEPS[:4], lambda step: compressed(piece, step), share)
    png = compressed(piece, Step("PNG"))
    if len(png) <= min(share, len(jpeg)) or (len(jpeg) > share and len(png) < len(jpeg)):
        return png, "png"
    if len(jpeg) > SLICE_BYTES:
        raise budget.too_large()
    return jpeg, step.ending


def _panel(
    panel: LivePanel, page: int, above: int, slices: Sequence[tuple[str, int, int]]
) -> dict[str, Any]:
    box = panel.box
    return {
        "panel": panel.panel_id,
        "page": page,
        "box": list(box.shifted(0, above)),
        "slices": [name for name, top, bottom in slices if top < box.y1 and bottom > box.y0],
        "alt": panel.alt,
        "dialogue": [balloon.spoken for balloon in panel.balloons],
    }
