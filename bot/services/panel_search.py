"""The gallery: old panels, found by whom they show, by words, by page or day, or by a picture."""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property

import numpy as np

from bot.services.actor import Actor
from pipeline.domain.errors import InvalidInput, InvalidPicture, NotAllowed, NotFound
from pipeline.domain.fingerprint import FloatVector
from pipeline.domain.panel import Panel
from pipeline.domain.review import StoredCandidate
from pipeline.domain.searching import Hit, PanelSearch, PanelWish
from pipeline.fingerprints.whole import WholePrinter
from pipeline.imaging.decode import PictureDoor, load_canonical
from storage import attempts, cast, panels, searching
from storage.blobs import BlobStore
from storage.database import Database

log = logging.getLogger(__name__)

PER_PAGE = 4
MOST_HITS = 200
_PRINTED_AT_ONCE = 4
"""Pictures that one round of the chore looks at: about a tenth of a second of one core."""
_PRINTED_FOR_A_SEARCH = 100
_LOOK_AGAIN = 60.0
"""Seconds between two looks for new pictures, when there were none; a search looks by itself."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A panel on a page of the gallery."""

    panel: Panel
    candidate: StoredCandidate
    similarity: float | None


@dataclass(frozen=True, slots=True)
class GalleryPage:
    """One page of a search; ``number`` counts from 0. ``names`` maps character ids to names."""

    search: PanelSearch
    number: int
    pages: int
    shown: tuple[Shown, ...]
    names: dict[str, str]


class PanelSearchService:
    """Finds accepted panels again. The uploaded picture is compared and not kept."""

    def __init__(self, db: Database, blobs: BlobStore, door: PictureDoor) -> None:
        self._db = db
        self._blobs = blobs
        self._door = door
        self._next = 0.0

    async def search(
        self,
        actor: Actor,
        wish: PanelWish,
        character: str | None = None,
        like: bytes | None = None,
        *,
        restricted: bool = False,
    ) -> GalleryPage:
        """Look, keep what was found, and show the first page.

        Args:
            actor: who looks.
            wish: what for.
            character: the name or id of somebody who is in it.
            like: a picture; those that are most like it come first.
            restricted: whether Discord restricts the place by age.

        Raises:
            NotFound: nobody has this name, or nothing fits.
            InvalidInput: the days are the wrong way round.
            InvalidPicture: the bytes are not a picture that we take.
        """
        if wish.first and wish.last and wish.first > wish.last:
            raise InvalidInput("The first day is after the last one. Swap them.")
        if character:
            member = await cast.find_character(self._db, actor.guild_id, character)
            wish = replace(wish, character_id=member.character_id)
        wish = replace(wish, likeness=like is not None)
        found = await searching.wished_panels(self._db, actor.guild_id, wish, restricted=restricted)
        hits = [Hit(number) for number in found]
        if like is not None:
            picture = await asyncio.to_thread(self._door.open, like)
            vector = await asyncio.to_thread(self._print, picture.png)
            await self._print_missing(actor.guild_id, _PRINTED_FOR_A_SEARCH)
            hits = await searching.similar_panels(
                self._db, actor.guild_id, self._printer.key, vector, found
            )
        if not hits:
            raise NotFound("No accepted panel fits. Look for less at once.")
        search_id = await self._db.write(
            lambda tx: searching.add_search(
                tx,
                guild_id=actor.guild_id,
                member_id=actor.member_id,
                wish=wish,
                hits=hits[:MOST_HITS],
                now=datetime.now(UTC),
            )
        )
        return await self.page(actor, search_id, 0, restricted=restricted)

    async def page(
        self, actor: Actor, search_id: int, number: int, *, restricted: bool = False
    ) -> GalleryPage:
        """A page of a kept search, as it is now: what was deleted or taken down is left out.

        Raises:
            NotFound: the search is not kept any more, or nothing of it is left.
            NotAllowed: it is another person's.
        """
        search = await searching.get_search(self._db, actor.guild_id, search_id)
        if search.member_id != actor.member_id:
            raise NotAllowed("This is another person's search. Make your own: /panel gallery.")
        there = await searching.still_accepted(
            self._db, actor.guild_id, [hit.panel_id for hit in search.hits], restricted=restricted
        )
        hits = [hit for hit in search.hits if hit.panel_id in there]
        if not hits:
            raise NotFound("Nothing of this search is left. Search again with /panel gallery.")
        pages = -(-len(hits) // PER_PAGE)
        number = min(max(0, number), pages - 1)
        shown = [
            await self._shown(actor.guild_id, hit)
            for hit in hits[number * PER_PAGE : (number + 1) * PER_PAGE]
        ]
        everyone = await cast.list_characters(self._db, actor.guild_id)
        names = {character.character_id: character.name for character in everyone}
        return GalleryPage(search, number, pages, tuple(shown), names)

    async def chore(self) -> bool:
        """Look at a few accepted pictures that nobody has looked at as wholes yet."""
        if time.monotonic() < self._next:
            return False
        guild_id = await searching.next_unprinted(self._db)
        if guild_id is None:
            self._next = time.monotonic() + _LOOK_AGAIN
        else:
            await self._print_missing(guild_id, _PRINTED_AT_ONCE)
        return False  # nothing is owed to anybody

    @cached_property
    def _printer(self) -> WholePrinter:
        return WholePrinter()

    def _print(self, png: bytes) -> FloatVector:
        return self._printer.print_of(load_canonical(png))

    async def _shown(self, guild_id: int, hit: Hit) -> Shown:
        panel = await panels.get_panel(self._db, guild_id, hit.panel_id)
        assert panel.chosen_candidate is not None  # accepted ones have one
        chosen = await attempts.get_candidate(self._db, guild_id, panel.chosen_candidate)
        return Shown(panel, chosen, hit.similarity)

    async def _print_missing(self, guild_id: int, limit: int) -> None:
        printer = await asyncio.to_thread(lambda: self._printer)  # the first look loads networks
        for candidate_id, sha256 in await searching.unprinted(
            self._db, guild_id, printer.key, limit
        ):
            try:
                png = await self._blobs.get(guild_id, sha256)
                vector = await asyncio.to_thread(self._print, png)
            except (NotFound, InvalidPicture) as error:
                log.warning("picture %d cannot be found by its likes: %s", candidate_id, error)
                vector = np.zeros(printer.dimensions, np.float32)  # like nothing
            await self._db.write(
                lambda tx, candidate_id=candidate_id, vector=vector: searching.put_print(
                    tx,
                    guild_id=guild_id,
                    candidate_id=candidate_id,
                    encoder=printer.key,
                    vector=vector,
                )
            )


def read_day(text: str | None) -> date | None:
    """A day as people type it: 2026-11-29.

    Raises:
        InvalidInput: it is none.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput("Write a day like 2026-11-29.") from error
