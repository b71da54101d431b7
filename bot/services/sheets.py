"""Model sheets: who a character is, on one picture or on paper."""

import asyncio
from dataclasses import dataclass

from bot.services.actor import Actor
from bot.services.casting import cast_input, pick_appearance
from pipeline.domain.character import Appearance, Character, Reference
from pipeline.quality.sheet import model_sheet
from pipeline.quality.sheet_pdf import Paper, sheet_pdf
from storage import cast
from storage.blobs import BlobStore
from storage.database import Database


@dataclass(frozen=True, slots=True)
class ModelSheet:
    """A sheet as PNG, and what it shows."""

    png: bytes
    character: Character
    look: Appearance
    references: tuple[Reference, ...]


class SheetService:
    """Draws model sheets."""

    def __init__(self, db: Database, blobs: BlobStore) -> None:
        self._db = db
        self._blobs = blobs

    async def draw(self, actor: Actor, character: str, appearance: str | None = None) -> ModelSheet:
        """The model sheet of a look, of the first one unless it is named.

        Raises:
            NotFound: no such character or appearance.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        look = await pick_appearance(self._db, found, appearance)
        member = await cast_input(self._db, self._blobs, found, look)
        everyone = await cast.list_characters(self._db, actor.guild_id)
        heights = [(c.name, c.height_ratio) for c in everyone]
        notes = "\n".join(text for text in (found.notes, look.notes) if text)
        png = await asyncio.to_thread(model_sheet, member, notes, heights)
        references = await cast.list_references(self._db, actor.guild_id, look.id)
        return ModelSheet(png, found, look, tuple(references))

    async def pdf(
        self,
        actor: Actor,
        character: str,
        appearance: str | None = None,
        paper: Paper = Paper.A4,
    ) -> bytes:
        """The model sheet on one page of paper.

        Raises:
            NotFound: no such character or appearance.
        """
        drawn = await self.draw(actor, character, appearance)
        title = f"Model sheet: {drawn.character.name}"
        return await asyncio.to_thread(sheet_pdf, drawn.png, title, paper)
