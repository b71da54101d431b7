"""What pages are made of: accepted panels, their pictures, and the words that are lettered."""

from collections.abc import Mapping
from dataclasses import replace

from pipeline.domain.character import Series
from pipeline.domain.errors import NotFound, WrongState
from pipeline.domain.geometry import Size
from pipeline.domain.page import PanelArt
from pipeline.domain.panel import DialogueLine, Panel, PanelStatus
from storage import attempts, lettering, pages, panels
from storage.blobs import BlobStore
from storage.database import Database
from storage.records import figures_from_json


class PageMaterial:
    """Reads panels for pages."""

    def __init__(self, db: Database, blobs: BlobStore) -> None:
        self._db = db
        self._blobs = blobs

    async def panels_of_page(self, series: Series, page: int, language: str) -> list[Panel]:
        """The panels of a page in reading order, with the dialogue that is lettered.

        Raises:
            WrongState: no panel of this page is accepted yet.
        """
        accepted = await self._accepted(series, page)
        return [await self._lettered(panel, language) for panel in accepted]

    async def of_record(
        self, series: Series, record: pages.PageRecord, language: str
    ) -> list[tuple[Panel, PanelArt]]:
        """The panels of a composed page with their pictures."""
        stored = [await panels.get_panel(self._db, series.guild_id, i) for i in record.panels]
        found = [await self._lettered(panel, language) for panel in stored]
        return [(panel, await self._art(series.guild_id, panel)) for panel in found]

    async def _lettered(self, panel: Panel, language: str) -> Panel:
        """The panel with the dialogue that people edited, in a language if there is any in it."""
        edited = await lettering.get_lettering(self._db, panel.guild_id, panel.id)
        for before in await self._replaced(panel):  # who takes another's place keeps its words
            edited = await lettering.get_lettering(self._db, panel.guild_id, before) | edited
        lines = edited.get(language, edited.get("", panel.brief.dialogue))
        return replace(panel, brief=replace(panel.brief, dialogue=lines))

    async def _replaced(self, panel: Panel) -> list[int]:
        """The panels (by id) in whose place this one stands, the latest first."""
        found: list[int] = []
        while (before := panel.brief.replaces) is not None:
            found.append(before)
            try:
                panel = await panels.get_panel(self._db, panel.guild_id, before)
            except NotFound:  # erased since: nothing is known of what was before it
                break
        return found

    async def _accepted(self, series: Series, page: int) -> list[Panel]:
        accepted = await panels.list_panels(
            self._db, series.guild_id, page=page, status=PanelStatus.ACCEPTED
        )
        order = await self._order(series, page)
        mine = _in_order([p for p in accepted if p.series_id == series.id], order)
        if not mine:
            raise WrongState(
                f"Page {page} has no accepted panel yet. Ask for panels with page:{page}, and "
                "wait until votes and reviews are through."
            )
        return mine

    async def _order(self, series: Series, page: int) -> dict[int, int]:
        """Where each panel stood when the page was last composed."""
        for record in await pages.list_pages(self._db, series.guild_id, series.id):
            if record.number == page:
                return {panel: place for place, panel in enumerate(record.panels)}
        return {}

    async def arts(
        self, series: Series, page: int, lines: Mapping[int, tuple[DialogueLine, ...]]
    ) -> list[PanelArt]:
        """The accepted pictures of a page; ``lines`` (by panel id) replace their dialogue."""
        shown = await self.panels_of_page(series, page, "")
        found = [await self._art(series.guild_id, panel) for panel in shown]
        return [replace(art, dialogue=lines.get(art.panel_id, art.dialogue)) for art in found]

    async def layout(self, series: Series, page: int) -> str | None:
        """The layout that the page was composed in, None if it was not or panels came since."""
        records = await pages.list_pages(self._db, series.guild_id, series.id)
        accepted = await self._accepted(series, page)
        for record in records:
            if record.number == page and len(record.panels) == len(accepted):
                return record.layout
        return None

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
            weight=panel.brief.weight,
        )


def _in_order(accepted: list[Panel], order: Mapping[int, int]) -> list[Panel]:
    """The panels as the page was composed, then by number; each in the place of what it replaces.

    Of several pictures for one place the last accepted one (by number) is taken.
    """
    replaced = {p.id: p.brief.replaces for p in accepted}
    taken: dict[int, Panel] = {}
    for panel in sorted(accepted, key=lambda p: p.id):
        first = panel.id
        while (before := replaced.get(first)) is not None:
            first = before
        taken[first] = panel
    places = {
        first: min(order.get(first, len(order)), order.get(p.id, len(order)))
        for first, p in taken.items()
    }
    return [taken[first] for first in sorted(taken, key=lambda f: (places[f], f))]
