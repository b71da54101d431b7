"""Pages that come back from a painting program: what changed is checked, the rest stays."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.services.actor import Actor
from bot.services.intake import Requested
from bot.services.lettering import LetterEdit, LetteringService
from bot.services.pages import PageService
from bot.services.panels import PanelService
from pipeline.comics.layered.comparing import (
    Changes,
    Origin,
    changes_in,
    cut_panels,
    new_art,
    origin_of,
)
from pipeline.comics.layered.drawing import layered_page, stamp_of
from pipeline.comics.layered.returned import Returned, is_layered, open_returned
from pipeline.domain.errors import InvalidInput, WrongState
from pipeline.domain.page import LetteredPage, PanelArt
from pipeline.domain.panel import Panel
from pipeline.imaging.decode import PictureDoor, load_canonical


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a page: panels that are checked now, lines that were lettered anew.

    ``kept`` counts the panels whose picture stays as it is.
    """

    number: int
    repainted: tuple[Requested, ...]
    lettered: tuple[str, ...]
    kept: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """A page as the studio has it."""

    page: LetteredPage
    panels: tuple[Panel, ...]
    arts: tuple[PanelArt, ...]


class PageSubmissions:
    """Takes pages back, as layers or as one picture."""

    def __init__(
        self,
        pages: PageService,
        panels: PanelService,
        lettering: LetteringService,
        door: PictureDoor,
    ) -> None:
        self._pages = pages
        self._panels = panels
        self._lettering = lettering
        self._door = door

    async def submit(
        self,
        actor: Actor,
        data: bytes,
        *,
        page: int | None = None,
        channel_id: int | None,
        dedupe_key: str,
    ) -> Submitted:
        """Take a page back.

        A layered file (``/page export`` as ora or psd) is compared layer by layer: repainted
        panels are checked and reviewed like every drawing, new words become lettering, everything
        else stays as it is, to the bit. Any other picture is an artist's own page, without words:
        it is cut by the frames of the page's layout.

        Args:
            actor: who painted it.
            data: the file.
            page: which page a plain picture is; layers know it themselves.
            channel_id: where outcomes are posted.
            dedupe_key: tells this request from every other.

        Raises:
            InvalidPicture: the file is not taken.
            InvalidInput: it is another page, of another size or shape, or nothing changed.
            WrongState: the page was composed or lettered anew since the file was exported.
            NotAllowed: a changed panel is someone else's.
        """
        if is_layered(data):
            returned = await asyncio.to_thread(open_returned, data)
            origin = origin_of(returned)
            if page not in (None, origin.number):
                raise InvalidInput(f"That file is page {origin.number}, not page {page}.")
            known = await self._known(actor, origin)
            changes = await asyncio.to_thread(_changes, returned, known, origin)
        else:
            if page is None:
                raise InvalidInput("Say which page that picture is (page:…).")
            origin = Origin(page, "", "")
            known = await self._known(actor, origin)
            changes = await asyncio.to_thread(self._cut, data, known)
        if not changes.art and not changes.words:
            told = " ".join(changes.notes[:3])
            raise InvalidInput(f"Nothing in that file can be taken as a change. {told}".strip())
        return await self._take(actor, origin, known, changes, (channel_id, dedupe_key))

    async def _known(self, actor: Actor, origin: Origin) -> _Known:
        page, found = await self._pages.composed(actor, origin.number, origin.language)
        known = _Known(page, tuple(p for p, _ in found), tuple(a for _, a in found))
        if origin.stamp and origin.stamp != stamp_of(known.page, known.arts):
            raise WrongState(
                f"Page {origin.number} was changed here since that file was exported. Export it "
                "again and bring your layers over."
            )
        return known

    def _cut(self, data: bytes, known: _Known) -> Changes:
        own = load_canonical(self._door.open(data).png)
        cuts = cut_panels(own, known.page.size, known.page.frames)
        by_panel = zip(known.page.frames, cuts, strict=True)
        return Changes(art={frame.panel_id: cut for frame, cut in by_panel})

    async def _take(
        self,
        actor: Actor,
        origin: Origin,
        known: _Known,
        changes: Changes,
        post: tuple[int | None, str],
    ) -> Submitted:
        panels = {panel.id: panel for panel in known.panels}
        for panel_id in {*changes.art, *(panel for panel, _ in changes.words)}:
            actor.require_own(panels[panel_id].requester_id, "change this panel")
        pictures = await asyncio.to_thread(_pictures, known, changes)
        lettered = await self._letter(actor, origin, known, changes)
        channel_id, dedupe_key = post
        repainted = [
            await self._panels.repaint(
                actor,
                panels[panel_id],
                png,
                channel_id=channel_id,
                dedupe_key=f"{dedupe_key}:{panel_id}",
            )
            for panel_id, png in pictures.items()
        ]
        return Submitted(
            number=origin.number,
            repainted=tuple(repainted),
            lettered=tuple(lettered),
            kept=len(known.panels) - len(repainted),
            notes=tuple(changes.notes),
        )

    async def _letter(
        self, actor: Actor, origin: Origin, known: _Known, changes: Changes
    ) -> Sequence[str]:
        """Letter the changed lines one by one, so that one which does not fit names itself."""
        places = {panel.id: place for place, panel in enumerate(known.panels, start=1)}
        done: list[str] = []
        for (panel_id, order), words in sorted(changes.words.items()):
            edit = LetterEdit(panel=places[panel_id], line=order + 1, text=words)
            await self._lettering.letter(actor, origin.number, edit, language=origin.language)
            done.append(words)
        return done


def _changes(returned: Returned, known: _Known, origin: Origin) -> Changes:
    factor = max(1, round(returned.size.width / known.page.size.width))
    drawing = layered_page(
        known.page, known.arts, {}, factor=factor, language=origin.language, masks=False
    )
    return changes_in(returned, drawing)


def _pictures(known: _Known, changes: Changes) -> Mapping[int, bytes]:
    arts = {art.panel_id: art for art in known.arts}
    frames = {frame.panel_id: frame for frame in known.page.frames}
    return {
        panel_id: new_art(arts[panel_id], frames[panel_id], seen)
        for panel_id, seen in changes.art.items()
    }
