"""A web reader: a folder that opens from disk in any browser, without a network.

Pages and guided view, keyboard and touch, right to left, live text, light and dark; the reader's
own parts lie in ``reader/`` beside this module.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pipeline.comics.export.archive import digits, new_archive, templates
from pipeline.comics.export.budget import Budget
from pipeline.comics.export.layers import LivePanel, book_title, live_panels, page_words
from pipeline.comics.export.pictures import WEBP_STEPS, encoded
from pipeline.domain.geometry import Size
from pipeline.domain.page import BookInfo, BookPage

_FOLDER = "reader"


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A page that is in the folder, without its picture."""

    number: int
    size: Size
    picture: str
    words: str
    panels: tuple[LivePanel, ...]


def write_web(pages: Iterable[BookPage], info: BookInfo, out: BinaryIO, budget: Budget) -> None:
    """The zip: ``index.html``, its style and script, and ``pages/page-001.webp`` and so on."""
    places = digits(budget.pages)
    sheets: list[_Sheet] = []
    with new_archive(out) as archive:
        for place, page in enumerate(pages, start=1):
            step, picture = budget.best(WEBP_STEPS, partial(encoded, page))
            name = f"pages/page-{place:0{places}}.{step.ending}"
            budget.spend(archive.add(name, picture, compress=False))
            budget.turn()
            panels = live_panels(page, info)
            sheets.append(
                _Sheet(page.page.number, page.page.size, name, page_words(page, panels), panels)
            )
        html = templates(_FOLDER).get_template("index.html.j2")
        archive.add("index.html", html.render(title=book_title(info), info=info, pages=sheets))
        for name in ("reader.css", "reader.js"):
            archive.add(name, Path(__file__).with_name(_FOLDER).joinpath(name).read_bytes())
