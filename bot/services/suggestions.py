"""What people may mean while they type: panels, references, pages and marks for autocomplete.

Discord asks at every key and shows 25 answers, so each is one short read of the guild's own rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.domain.character import Appearance, Character, Reference
from pipeline.domain.errors import NotFound
from pipeline.domain.panel import Panel
from storage import cast, pages, panels
from storage.database import Database
from storage.pages import PageRecord

MOST = 25
"""Discord shows so many."""


@dataclass(frozen=True, slots=True)
class ReferenceHint:
    """A reference and whose it is."""

    reference: Reference
    character: Character
    look: Appearance


class SuggestionService:
    """Reads for autocomplete; a text that fits nothing gives nothing, never an error."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def everyone(self, guild_id: int) -> list[Character]:
        """The whole cast, in alphabetical order."""
        return await cast.list_characters(self._db, guild_id)

    async def characters(self, guild_id: int, text: str) -> list[Character]:
        """Characters whose name begins with the text first, then any that hold it."""
        return await cast.suggest_characters(self._db, guild_id, text, MOST)

    async def looks(
        self, guild_id: int, text: str, characters: Iterable[str] = ()
    ) -> list[Appearance]:
        """Looks whose id or label holds the text: those of the named characters, else of all."""
        rows = {c.id for c in await self._named(guild_id, characters)}
        key = text.strip().lower()
        return [
            look
            for look in await cast.list_appearances(self._db, guild_id)
            if (not rows or look.character_row in rows)
            and (key in look.appearance_id or key in look.label.lower())
        ][:MOST]

    async def references(
        self, guild_id: int, text: str, characters: Iterable[str] = ()
    ) -> list[ReferenceHint]:
        """References by number or by what they show, newest first."""
        chosen = await self._named(guild_id, characters)
        people = {c.id: c for c in chosen or await self.everyone(guild_id)}
        words = text.lower().replace("#", " ").split()
        found = []
        for look in await cast.list_appearances(self._db, guild_id):
            if look.character_row not in people:
                continue
            for one in await cast.list_references(self._db, guild_id, look.id):
                hint = ReferenceHint(one, people[look.character_row], look)
                if all(word in _words(hint) for word in words):
                    found.append(hint)
        return sorted(found, key=lambda hint: -hint.reference.id)[:MOST]

    async def panels(self, guild_id: int, text: str) -> list[Panel]:
        """Panels by the beginning of their number, by cast or by words of the prompt."""
        return await panels.suggest_panels(self._db, guild_id, text, MOST)

    async def pages(self, guild_id: int, text: str) -> list[PageRecord]:
        """The composed pages of the active series whose number begins so, the newest first."""
        try:
            series = await cast.active_series(self._db, guild_id)
        except NotFound:
            return []
        made = await pages.list_pages(self._db, guild_id, series.id)
        fitting = [page for page in made if str(page.number).startswith(text.strip())]
        return sorted(fitting, key=lambda page: -page.number)[:MOST]

    async def marks(self, guild_id: int, text: str, character: str) -> list[str]:
        """The names of a character's marks that hold the text, each once."""
        names: dict[str, None] = {}
        for owner in await self._named(guild_id, [character]):
            for look in await cast.list_appearances(self._db, guild_id, owner.id):
                marks = await cast.list_marks(self._db, guild_id, look.id)
                names |= dict.fromkeys(mark.name for mark in marks)
        return [name for name in names if text.strip().lower() in name.lower()][:MOST]

    async def _named(self, guild_id: int, characters: Iterable[str]) -> list[Character]:
        found = []
        for name in filter(None, (text.strip() for text in characters)):
            try:
                found.append(await cast.find_character(self._db, guild_id, name))
            except NotFound:
                continue  # half a name; the rest is still being typed
        return found


def _words(hint: ReferenceHint) -> str:
    one = hint.reference
    shown = (one.id, one.shot_type, one.angle, one.expression, one.notes)
    return " ".join(
        map(str, (*shown, hint.character.name, hint.look.appearance_id, hint.look.label))
    ).lower()
