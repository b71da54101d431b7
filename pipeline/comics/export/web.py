"""A web reader: a folder that opens from disk in any browser, without a network.

Pages and guided view, keyboard and touch, right to left, live text, languages to choose from,
light and dark; the reader's own parts lie in ``reader/`` beside this module.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pipeline.comics.export.archive import Archive, digits, new_archive, templates
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
    translations: Mapping[str, "_Translation"]


@dataclass(frozen=True, slots=True)
class _Translation:
    """The same page in another language."""

    picture: str
    panels: tuple[LivePanel, ...]


def write_web(pages: Iterable[BookPage], info: BookInfo, out: BinaryIO, budget: Budget) -> None:
    """The zip: ``index.html``, its style and script, and ``pages/page-001.webp`` and so on."""
    places = digits(budget.pages)
    sheets: list[_Sheet] = []
    languages: dict[str, None] = {}
    with new_archive(out) as archive:
        for place, page in enumerate(pages, start=1):
            stem = f"pages/page-{place:0{places}}"
            share = budget.share / (1 + len(page.translations))
            picture = _add(archive, stem, page, budget, share)
            others: dict[str, _Translation] = {}
            for language, other in page.translations.items():
                name = _add(archive, f"{stem}.{language}", other, budget, share)
                others[language] = _Translation(name, live_panels(other, info))
            languages |= dict.fromkeys(others)
            budget.turn()
            panels = live_panels(page, info)
            words = page_words(page, panels)
            sheets.append(_Sheet(page.page.number, page.page.size, picture, words, panels, others))
        html = templates(_FOLDER).get_template("index.html.j2")
        known = [info.language, *(language for language in languages if language != info.language)]
        archive.add(
            "index.html",
            html.render(title=book_title(info), info=info, pages=sheets, languages=known),
        )
        for name in ("reader.css", "reader.js"):
            archive.add(name, Path(__file__).with_name(_FOLDER).joinpath(name).read_bytes())


def _add(archive: Archive, stem: str, page: BookPage, budget: Budget, share: float) -> str:
    """Add the picture of a page; returns its name."""
    step, picture = budget.best(WEBP_STEPS, partial(encoded, page), share)
    name = f"{stem}.{step.ending}"
    budget.spend(archive.add(name, picture, compress=False))
    return name
