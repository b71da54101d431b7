"""An EPUB of fixed layout: pictures under live text, panels as region navigation.

Source: EPUB 3.3; EPUB Region-Based Navigation 1.0 (IDPF, 2015); EPUB Accessibility 1.1.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pipeline.comics.export.archive import digits, new_archive, templates
from pipeline.comics.export.budget import Budget
from pipeline.comics.export.layers import book_title, live_panels, page_words
from pipeline.comics.export.pictures import JPEG_STEPS, encoded
from pipeline.domain.character import ReadingDirection
from pipeline.domain.geometry import Box
from pipeline.domain.page import BookInfo, BookPage

_FOLDER = "fixed_layout"
# Source: MARC code list for relators.
_ROLES = (("writers", "aut"), ("artists", "art"), ("letterers", "ltr"))
# An EPUB must say when it was changed; this stands where nobody knows.
_UNKNOWN_TIME = "2000-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class _Region:
    """A panel of the guided view and its balloons, in page pixels."""

    box: Box
    balloons: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A page that is in the book, without its picture."""

    id: str
    number: int
    href: str
    picture: str
    media_type: str
    side: str
    panels: tuple[_Region, ...]


@dataclass(frozen=True, slots=True)
class _Person:
    number: int
    name: str
    roles: tuple[str, ...]


def write_epub(pages: Iterable[BookPage], info: BookInfo, out: BinaryIO, budget: Budget) -> None:
    """The EPUB: its media type first and stored, then a picture and a document for each page."""
    environment = templates(_FOLDER)
    files = Path(__file__).with_name(_FOLDER)
    places = digits(budget.pages)
    entries: list[_Entry] = []
    with new_archive(out) as archive:
        archive.add("mimetype", "application/epub+zip", compress=False)
        archive.add("META-INF/container.xml", (files / "container.xml").read_bytes())
        for place, page in enumerate(pages, start=1):
            step, picture = budget.best(JPEG_STEPS, partial(encoded, page))
            name = f"page-{place:0{places}}"
            panels = live_panels(page, info)
            entry = _Entry(
                id=name,
                number=page.page.number,
                href=f"pages/{name}.xhtml",
                picture=f"pictures/{name}.{step.ending}",
                media_type=step.media_type,
                side=_side(place, info.reading_direction),
                panels=tuple(_Region(p.box, tuple(b.box for b in p.balloons)) for p in panels),
            )
            document = environment.get_template("page.xhtml.j2").render(
                info=info,
                size=page.page.size,
                words=page_words(page, panels),
                picture=entry.picture,
                panels=panels,
            )
            budget.spend(archive.add(f"EPUB/{entry.picture}", picture, compress=False))
            budget.spend(archive.add(f"EPUB/{entry.href}", document))
            budget.turn()
            entries.append(entry)
        archive.add("EPUB/style.css", (files / "style.css").read_bytes())
        for name in ("nav.xhtml", "regions.xhtml", "package.opf"):
            text = environment.get_template(f"{name}.j2").render(**_book(info, entries))
            archive.add(f"EPUB/{name}", text)


def _book(info: BookInfo, entries: Sequence[_Entry]) -> dict[str, object]:
    strip = info.reading_direction is ReadingDirection.WEBTOON
    modified = info.modified
    return {
        "info": info,
        "title": book_title(info),
        "identifier": info.identifier or _identifier(info),
        "modified": modified.strftime("%Y-%m-%dT%H:%M:%SZ") if modified else _UNKNOWN_TIME,
        "people": _people(info),
        "pages": entries,
        "spread": "none" if strip else "landscape",
        "direction": "rtl" if info.reading_direction is ReadingDirection.RTL else "ltr",
    }


def _identifier(info: BookInfo) -> str:
    name = "\n".join((info.series, info.title, str(info.number)))
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"


def _people(info: BookInfo) -> list[_Person]:
    """Everyone once, with all that they did."""
    roles: dict[str, list[str]] = {}
    for what, role in _ROLES:
        for name in getattr(info, what):
            roles.setdefault(name, []).append(role)
    return [_Person(i, name, tuple(r)) for i, (name, r) in enumerate(roles.items(), start=1)]


def _side(place: int, direction: ReadingDirection) -> str:
    """On which side of a spread a page lies: the first is a cover and opens the book."""
    if direction is ReadingDirection.WEBTOON:
        return ""
    first = "left" if direction is ReadingDirection.RTL else "right"
    second = "right" if direction is ReadingDirection.RTL else "left"
    return f"page-spread-{first if place % 2 else second}"
