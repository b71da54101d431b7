"""Pages: accepted panels become lettered pages, pages become files."""

import asyncio
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from bot.services.actor import Actor
from bot.services.naming import slug
from bot.services.page_material import PageMaterial
from pipeline.comics.export.book import file_ending, spec_for
from pipeline.comics.export.parts import export_parts, part_name
from pipeline.comics.formats import format_named, spec_of_series
from pipeline.comics.framing import heads_of
from pipeline.comics.layout import MAX_PANELS, layout_names, own_layout
from pipeline.comics.page import compose_page, render_page
from pipeline.comics.printing import bleed_of, draw_sheet
from pipeline.comics.tiers import Tiers, divided, merged, resized, write_tiers
from pipeline.domain.character import ReadingDirection, Series
from pipeline.domain.errors import Cancelled, InvalidInput, WrongState
from pipeline.domain.geometry import Box
from pipeline.domain.page import (
    BookFormat,
    BookInfo,
    BookPage,
    LetteredPage,
    PageSpec,
    PanelArt,
    PanelFrame,
)
from pipeline.domain.panel import DialogueLine, Panel
from storage import cast, lettering, pages
from storage.blobs import BlobStore
from storage.database import Database

MAX_PAGES = 200
# What a series is written in where nobody said.
_LANGUAGE = "en"
# Each export holds a few rendered pages and keeps one thread busy.
_EXPORTS_AT_ONCE = 2


class PageEdit(StrEnum):
    """What can be changed on a composed page."""

    SWAP = "swap"
    LARGER = "larger"
    SMALLER = "smaller"
    MERGE = "merge"
    SPLIT = "split"


_CHANGES: Mapping[PageEdit, Callable[[Tiers, int], Tiers]] = {
    PageEdit.LARGER: lambda tiers, index: resized(tiers, index, _STEP),
    PageEdit.SMALLER: lambda tiers, index: resized(tiers, index, 1 / _STEP),
    PageEdit.MERGE: merged,
    PageEdit.SPLIT: divided,
}
# Clearly seen, and four of them stay within what a layout takes.
_STEP = 1.3


@dataclass(frozen=True, slots=True)
class ComposedPage:
    """A page as it was just made."""

    number: int
    layout: str
    png: bytes
    panels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """Files to hand out: one, or the parts of a book that does not fit into one.

    ``filename`` and ``data`` are the first file's.
    """

    files: tuple[tuple[str, bytes], ...]
    pages: int

    @property
    def filename(self) -> str:
        """The name of the (first) file."""
        return self.files[0][0]

    @property
    def data(self) -> bytes:
        """The bytes of the (first) file."""
        return self.files[0][1]


class PageService:
    """From accepted panels to a book. Pixels are moved in threads, off the event loop."""

    def __init__(self, db: Database, blobs: BlobStore) -> None:
        self._db = db
        self._blobs = blobs
        self._material = PageMaterial(db, blobs)
        self._exporting = asyncio.Semaphore(_EXPORTS_AT_ONCE)

    def layouts(self) -> list[str]:
        """Every layout's name; how many panels it takes is checked by :meth:`compose`."""
        names = [
            name
            for count in range(1, MAX_PANELS + 1)
            for name in layout_names(count, ReadingDirection.LTR)
        ]
        return list(dict.fromkeys([*names, *layout_names(1, ReadingDirection.WEBTOON)]))

    def formats(self) -> list[str]:
        """The names that :meth:`export` takes."""
        return list(BookFormat)

    async def compose(self, actor: Actor, page: int, *, layout: str | None = None) -> ComposedPage:
        """Lay out and letter the accepted panels of a page, in the order they were asked for.

        Raises:
            WrongState: no panel of this page is accepted yet.
            InvalidInput: the layout is unknown, or does not take this many panels.
        """
        series = await cast.active_series(self._db, actor.guild_id)
        arts = await self._material.arts(series, page, {})
        return await self._drawn_and_kept(series, page, arts, layout)

    async def edit(
        self, actor: Actor, page: int, edit: PageEdit, place: int, other: int | None = None
    ) -> ComposedPage:
        """Change a composed page by hand; art and words flow into the new frames.

        Args:
            actor: who asks.
            page: its number.
            edit: what to do.
            place: the panel's place on the page, 1 being the first in reading order.
            other: the place to swap with.

        Raises:
            WrongState: the page was not composed yet.
            InvalidInput: there is no such place, or the layout cannot be changed so.
        """
        series = await cast.active_series(self._db, actor.guild_id)
        layout = await self._material.layout(series, page)
        if layout is None:
            raise WrongState(f"Page {page} is not composed yet. Use /page compose first.")
        arts = await self._material.arts(series, page, {})
        if edit is PageEdit.SWAP:
            arts = _swapped(arts, place, other)
        else:
            layout = write_tiers(_CHANGES[edit](own_layout(layout), place - 1))
        return await self._drawn_and_kept(series, page, arts, layout)

    async def panels_of_page(self, series: Series, page: int, language: str) -> list[Panel]:
        """See :meth:`PageMaterial.panels_of_page`."""
        return await self._material.panels_of_page(series, page, language)

    async def composed(
        self, actor: Actor, page: int, language: str
    ) -> tuple[LetteredPage, list[tuple[Panel, PanelArt]]]:
        """A page as it was composed, with its panels and their pictures.

        Raises:
            NotFound: it was not composed yet.
        """
        series = await cast.active_series(self._db, actor.guild_id)
        record = await pages.get_page(self._db, actor.guild_id, series.id, page)
        found = await self._material.of_record(series, record, language)
        arts = [art for _, art in found]
        spec = spec_of_series(series, language)
        lettered = await asyncio.to_thread(
            compose_page, arts, spec, layout=record.layout, number=page
        )
        return lettered, found

    async def preview(
        self,
        series: Series,
        page: int,
        language: str,
        lines: Mapping[int, tuple[DialogueLine, ...]],
    ) -> LetteredPage:
        """The page as it would be lettered with these lines (by panel id), without its picture."""
        arts = await self._material.arts(series, page, lines)
        layout = await self._material.layout(series, page)
        return await asyncio.to_thread(
            compose_page, arts, spec_of_series(series, language), layout=layout, number=page
        )

    async def letter(
        self,
        series: Series,
        page: int,
        language: str,
        lines: Mapping[int, tuple[DialogueLine, ...]],
        changed: Panel | None,
    ) -> ComposedPage:
        """Draw a page with these lines and keep those of ``changed``, both or neither.

        The picture in the first language becomes the page's own.

        Raises:
            InvalidInput: a line does not fit, or cannot be lettered.
        """
        arts = await self._material.arts(series, page, lines)
        layout = await self._material.layout(series, page)
        relettered = {} if changed is None else {changed.id: lines[changed.id]}
        return await self._drawn_and_kept(series, page, arts, layout, language, relettered)

    async def _drawn_and_kept(
        self,
        series: Series,
        page: int,
        arts: Sequence[PanelArt],
        layout: str | None,
        language: str = "",
        relettered: Mapping[int, tuple[DialogueLine, ...]] = MappingProxyType({}),
    ) -> ComposedPage:
        """Draw a page, then keep it and the new lines of its panels in one transaction.

        A picture in another language is handed out and not kept.
        """
        spec, guild_id = spec_of_series(series, language), series.guild_id
        lettered, png = await asyncio.to_thread(_draw, arts, spec, layout, page)
        ids = tuple(art.panel_id for art in arts)
        sha256 = None if language else await self._blobs.put(guild_id, png)
        now = datetime.now(UTC)

        def keep(tx: sqlite3.Connection) -> None:
            for panel_id, lines in relettered.items():
                lettering.put_lettering(
                    tx,
                    guild_id=guild_id,
                    panel_id=panel_id,
                    language=language,
                    lines=lines,
                    now=now,
                )
            if sha256 is not None:
                pages.put_page(
                    tx,
                    guild_id=guild_id,
                    series_id=series.id,
                    number=page,
                    layout=lettered.layout,
                    panels=ids,
                    sha256=sha256,
                    now=now,
                )

        await self._db.write(keep)
        return ComposedPage(page, lettered.layout, png, ids)

    async def export(
        self,
        actor: Actor,
        format_name: str,
        *,
        page: int | None = None,
        limit_bytes: int | None = None,
        language: str = "",
    ) -> Exported:
        """One page or the whole book as a file.

        Pages are drawn one after the other while the book is bound, so that a book of any length
        needs the memory of its file and of a few pages. Cancelling stops after the current page.

        Args:
            actor: who asks.
            format_name: one of :meth:`formats`.
            page: only this page.
            limit_bytes: no file may be larger; a book is divided where its quality would suffer,
                and what cannot be divided gives way in quality.
            language: whose lettering is shown; panels without it keep their first words.

        Raises:
            InvalidInput: the format is unknown.
            WrongState: nothing was composed yet.
            TooLarge: the book does not fit into ``limit_bytes`` at any quality.
        """
        if format_name not in self.formats():
            raise InvalidInput(
                f"“{format_name}” is not an export. Choose: {', '.join(self.formats())}."
            )
        series = await cast.active_series(self._db, actor.guild_id)
        records = await pages.list_pages(self._db, actor.guild_id, series.id)
        wanted = [r for r in records if page is None or r.number == page][:MAX_PAGES]
        if not wanted:
            raise WrongState("No page is composed yet. Use /page compose first.")
        info = await self._info(series, wanted, language)
        stopped = threading.Event()
        async with self._exporting:
            loop = asyncio.get_running_loop()
            book = self._drawn(loop, stopped, series, wanted, format_name, language)
            try:
                made = await asyncio.to_thread(
                    export_parts,
                    format_name,
                    book,
                    info,
                    total=len(wanted),
                    limit_bytes=limit_bytes,
                )
            finally:
                stopped.set()
        stem = slug(series.name) + (f"-{page:03d}" if page else "")
        name, count = stem + file_ending(format_name), len(made)
        files = tuple(
            (part_name(name, number, count), data) for number, data in enumerate(made, start=1)
        )
        return Exported(files, len(wanted))

    async def _info(
        self, series: Series, records: Sequence[pages.PageRecord], language: str
    ) -> BookInfo:
        people = await cast.list_characters(self._db, series.guild_id)
        name = f"onmodel:{series.guild_id}:{series.id}:{series.created_at.isoformat()}"
        return BookInfo(
            series=series.name,
            reading_direction=series.reading_direction,
            color_mode=series.color_mode,
            characters=tuple(c.name for c in people),
            identifier=f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}",
            modified=max(record.updated_at for record in records).astimezone(UTC),
            names={c.character_id: c.name for c in people},
            language=language or _LANGUAGE,
        )

    def _drawn(
        self,
        loop: asyncio.AbstractEventLoop,
        stopped: threading.Event,
        series: Series,
        records: Sequence[pages.PageRecord],
        format_name: str,
        language: str,
    ) -> Iterator[BookPage]:
        """The pages as they were composed, each read and drawn when it is asked for.

        Runs in the exporting thread; only the reading goes back to the event loop. Equal panels
        in an equal layout give equal balloons. Webtoons are composed anew, as strips.
        """
        composed = spec_of_series(series, language)
        spec = spec_for(format_name, composed)
        for record in records:
            if stopped.is_set():
                raise Cancelled("The export was cancelled; start it again when you like.")
            reading = asyncio.run_coroutine_threadsafe(
                self._material.of_record(series, record, language), loop
            )
            found = reading.result()
            arts = [art for _, art in found]
            layout = record.layout if spec == composed else None
            made = _page_for(format_name, series, arts, (spec, layout, record.number))
            briefs = {panel.id: panel.brief for panel, _ in found}
            made = replace(made, briefs=briefs, language=language)
            if format_name == BookFormat.WEB and not language:
                others = self._translated(loop, series, record, arts, layout)
                made = replace(made, translations=others)
            yield made

    def _translated(
        self,
        loop: asyncio.AbstractEventLoop,
        series: Series,
        record: pages.PageRecord,
        first: Sequence[PanelArt],
        layout: str | None,
    ) -> dict[str, BookPage]:
        """The page in every other language that it was lettered in."""
        listing = lettering.list_languages(self._db, series.guild_id, series.id)
        made: dict[str, BookPage] = {}
        for language in asyncio.run_coroutine_threadsafe(listing, loop).result():
            reading = self._material.of_record(series, record, language)
            arts = [a for _, a in asyncio.run_coroutine_threadsafe(reading, loop).result()]
            if [art.dialogue for art in arts] != [art.dialogue for art in first]:
                page, png = _draw(arts, spec_of_series(series, language), layout, record.number)
                made[language] = BookPage(page, png, language=language)
        return made


def _swapped(arts: Sequence[PanelArt], place: int, other: int | None) -> list[PanelArt]:
    if other is None:
        raise InvalidInput("Say which panel to swap it with.")
    for one in (place, other):
        if not 1 <= one <= len(arts):
            raise InvalidInput(f"The page has {len(arts)} panels; {one} is none of them.")
    found = list(arts)
    found[place - 1], found[other - 1] = found[other - 1], found[place - 1]
    return found


def _draw(
    arts: Sequence[PanelArt], spec: PageSpec, layout: str | None, number: int
) -> tuple[LetteredPage, bytes]:
    page = compose_page(arts, spec, layout=layout, number=number)
    return page, render_page(page, arts)


def _page_for(
    format_name: str,
    series: Series,
    arts: Sequence[PanelArt],
    plan: tuple[PageSpec, str | None, int],
) -> BookPage:
    """A page as a format wants it drawn; ``plan`` is how, in which layout, and its number."""
    if format_name == BookFormat.PRINT:
        spec, layout, number = plan
        bleed = bleed_of(format_named(series.page_format))
        page = compose_page(arts, spec, layout=layout, number=number)
        lettered, png = draw_sheet(page, arts, bleed)
        return BookPage(lettered, png, heads=tuple(_heads(lettered.frames, arts)), bleed=bleed)
    lettered, png = _draw(arts, *plan)
    heads = tuple(_heads(lettered.frames, arts))
    kept = tuple(arts) if format_name in (BookFormat.ORA, BookFormat.PSD) else ()
    return BookPage(lettered, png, heads=heads, arts=kept)


def _heads(frames: Sequence[PanelFrame], arts: Sequence[PanelArt]) -> Iterator[Box]:
    """The heads that the frames show, in page pixels."""
    for frame, art in zip(frames, arts, strict=True):
        for head in heads_of(art):
            seen = frame.to_page(head).intersection(frame.box)
            if seen.area:
                yield seen
