"""Animatics of composed pages: the film, its captions, and what drifted in it."""

import asyncio
import threading
from dataclasses import dataclass

from bot.services.actor import Actor
from bot.services.naming import slug
from bot.services.page_material import PageMaterial
from pipeline.comics.animatic.encode import FilmFormat, captions, encode_film
from pipeline.comics.animatic.film import (
    FilmPage,
    FilmSpec,
    Shot,
    film_spec,
    frames_of,
    shots_of,
)
from pipeline.comics.formats import spec_of_series
from pipeline.comics.page import compose_page
from pipeline.domain.character import ReadingDirection, Series
from pipeline.domain.errors import InvalidInput, WrongState
from pipeline.domain.geometry import Size
from pipeline.domain.page import PanelArt
from storage import attempts, cast, pages, panels
from storage.blobs import BlobStore
from storage.database import Database

MAX_PAGES = 12
_SHAPES = {"wide": Size(1280, 720), "square": Size(960, 960), "tall": Size(720, 1280)}


@dataclass(frozen=True, slots=True)
class Animatic:
    """A film with its captions; ``weakest`` is the panel whose characters held least, and when."""

    filename: str
    data: bytes
    captions: str
    seconds: float
    panels: int
    weakest: tuple[int, float, float] | None
    """Panel id, second, and how far it was over its limit (below 0: under it)."""


class AnimaticService:
    """One film at a time: each keeps a core busy."""

    def __init__(self, db: Database, blobs: BlobStore) -> None:
        self._db = db
        self._material = PageMaterial(db, blobs)
        self._filming = asyncio.Semaphore(1)

    def shapes(self) -> list[str]:
        """The names that :meth:`make` takes for the shape of a film."""
        return list(_SHAPES)

    async def make(
        self,
        actor: Actor,
        *,
        first: int,
        last: int | None = None,
        form: FilmFormat = FilmFormat.MP4,
        shape: str = "wide",
        language: str = "",
        limit_bytes: int | None = None,
    ) -> Animatic:
        """Film composed pages, from ``first`` to ``last``. Cancelling stops at the next picture.

        Raises:
            InvalidInput: the shape is unknown, or there are too many pages.
            WrongState: none of these pages is composed.
            TooLarge: the film is too long, or does not fit into ``limit_bytes``.
        """
        if shape not in _SHAPES:
            raise InvalidInput(f"A film is {', '.join(_SHAPES)}; not “{shape}”.")
        comic = await cast.active_series(self._db, actor.guild_id)
        wanted = range(first, (last or first) + 1)
        records = await pages.list_pages(self._db, actor.guild_id, comic.id)
        chosen = [record for record in records if record.number in wanted]
        if not chosen:
            raise WrongState("None of these pages is composed yet. Use /page compose first.")
        if len(chosen) > MAX_PAGES:
            raise InvalidInput(f"A film takes at most {MAX_PAGES} pages; name fewer.")
        found = [
            (record, await self._material.of_record(comic, record, language)) for record in chosen
        ]
        film, stopped = FilmSpec(_SHAPES[shape]), threading.Event()

        def work() -> tuple[bytes, list[Shot]]:
            filmed = [
                _film_page(comic, record, [art for _, art in both], language)
                for record, both in found
            ]
            shots = shots_of(filmed, film)
            data = encode_film(
                form,
                lambda spec: frames_of(filmed, spec),
                film,
                sum(shot.timing.seconds for shot in shots),
                limit_bytes=limit_bytes,
                cancelled=stopped.is_set,
            )
            return data, shots

        async with self._filming:
            try:
                data, shots = await asyncio.to_thread(work)
            finally:
                stopped.set()
        people = await cast.list_characters(self._db, actor.guild_id)
        names = {person.character_id: person.name for person in people}
        stem = f"{slug(comic.name)}-{first:03d}" + (f"-{last:03d}" if last else "")
        return Animatic(
            f"{stem}.{form.value}",
            data,
            captions(shots, names),
            sum(shot.timing.seconds for shot in shots),
            len(shots),
            await self._weakest(actor.guild_id, shots),
        )

    async def _weakest(self, guild_id: int, shots: list[Shot]) -> tuple[int, float, float] | None:
        """The panel whose check was nearest to its limit, and the second when it is seen."""
        margins: list[tuple[float, int, float]] = []
        for shot in shots:
            panel = await panels.get_panel(self._db, guild_id, shot.panel_id)
            if panel.chosen_candidate is None:
                continue
            candidate = await attempts.get_candidate(self._db, guild_id, panel.chosen_candidate)
            if candidate.report.margin is not None:
                margins.append((candidate.report.margin, panel.id, shot.start))
        if not margins:
            return None
        margin, panel_id, second = min(margins)
        return panel_id, round(second, 2), margin


def _film_page(
    comic: Series, record: pages.PageRecord, arts: list[PanelArt], language: str
) -> FilmPage:
    spec = spec_of_series(comic, language)
    strip = comic.reading_direction is ReadingDirection.WEBTOON
    page = compose_page(
        arts, film_spec(spec), layout=None if strip else record.layout, number=record.number
    )
    return FilmPage(page, arts)
