"""Pages: accepted panels become lettered pages, pages become files."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.services.actor import Actor
from bot.services.naming import slug
from pipeline.comics.export.book import export_book
from pipeline.comics.layout import MAX_PANELS, layout_names
from pipeline.comics.page import compose_page, render_page
from pipeline.domain.character import ReadingDirection, Series
from pipeline.domain.errors import InvalidInput, WrongState
from pipeline.domain.geometry import Size
from pipeline.domain.page import (
    BookFormat,
    BookInfo,
    BookPage,
    LetteredPage,
    PageSpec,
    PanelArt,
)
from pipeline.domain.panel import Panel, PanelStatus
from storage import attempts, cast, pages, panels
from storage.blobs import BlobStore
from storage.database import Database
from storage.records import figures_from_json

MAX_PAGES = 200


@dataclass(frozen=True, slots=True)
class ComposedPage:
    """A page as it was just made."""

    number: int
    layout: str
    png: bytes
    panels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """A file to hand out."""

    filename: str
    data: bytes
    pages: int


class PageService:
    """From accepted panels to a book. Pixels are moved in threads, off the event loop."""

    def __init__(self, db: Database, blobs: BlobStore) -> None:
        self._db = db
        self._blobs = blobs

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
        arts = await self._arts(actor.guild_id, series, page)
        lettered, png = await asyncio.to_thread(_draw, arts, _spec(series), layout, page)
        sha256 = await self._blobs.put(actor.guild_id, png)
        ids = tuple(art.panel_id for art in arts)
        await self._db.write(
            lambda tx: pages.put_page(
                tx,
                guild_id=actor.guild_id,
                series_id=series.id,
                number=page,
                layout=lettered.layout,
                panels=ids,
                sha256=sha256,
                now=datetime.now(UTC),
            )
        )
        return ComposedPage(page, lettered.layout, png, ids)

    async def export(self, actor: Actor, format_name: str, *, page: int | None = None) -> Exported:
        """One page or the whole book as a file.

        Raises:
            InvalidInput: the format is unknown.
            WrongState: nothing was composed yet.
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
        book = [await self._book_page(actor.guild_id, series, record) for record in wanted]
        info = BookInfo(
            series=series.name,
            reading_direction=series.reading_direction,
            color_mode=series.color_mode,
            characters=tuple(c.name for c in await cast.list_characters(self._db, actor.guild_id)),
        )
        data = await asyncio.to_thread(export_book, format_name, book, info)
        stem = slug(series.name) + (f"-{page:03d}" if page else "")
        return Exported(f"{stem}.{format_name}", data, len(book))

    async def _book_page(self, guild_id: int, series: Series, record: pages.PageRecord) -> BookPage:
        """The page as it was composed: same panels, same layout, hence the same balloons."""
        found = [await panels.get_panel(self._db, guild_id, i) for i in record.panels]
        arts = [await self._art(guild_id, panel) for panel in found]
        lettered, png = await asyncio.to_thread(
            _draw, arts, _spec(series), record.layout, record.number
        )
        return BookPage(lettered, png)

    async def _arts(self, guild_id: int, series: Series, page: int) -> list[PanelArt]:
        accepted = await panels.list_panels(
            self._db, guild_id, page=page, status=PanelStatus.ACCEPTED
        )
        mine = sorted((p for p in accepted if p.series_id == series.id), key=lambda p: p.id)
        if not mine:
            raise WrongState(
                f"Page {page} has no accepted panel yet. Ask for panels with page:{page}, and "
                "wait until votes and reviews are through."
            )
        return [await self._art(guild_id, panel) for panel in mine]

    async def _art(self, guild_id: int, panel: Panel) -> PanelArt:
        if panel.chosen_candidate is None:
            raise WrongState(f"Panel {panel.id} has no accepted picture any more.")
        candidate = await attempts.get_candidate(self._db, guild_id, panel.chosen_candidate)
        return PanelArt(
            panel_id=panel.id,
            image=await self._blobs.get(guild_id, candidate.sha256),
            size=Size(candidate.width, candidate.height),
            figures=figures_from_json(candidate.figures),
            dialogue=panel.brief.dialogue,
            shot_type=panel.brief.shot_type,
        )


def _spec(series: Series) -> PageSpec:
    return PageSpec(
        reading_direction=series.reading_direction,
        color_mode=series.color_mode,
        title=series.name,
    )


def _draw(
    arts: Sequence[PanelArt], spec: PageSpec, layout: str | None, number: int
) -> tuple[LetteredPage, bytes]:
    page = compose_page(arts, spec, layout=layout, number=number)
    return page, render_page(page, arts)
