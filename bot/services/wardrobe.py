"""Who wears what at a place of the story, for the whole cast at a glance."""

from dataclasses import dataclass

from bot.services.briefs import place_of
from pipeline.domain.character import Appearance, Character
from pipeline.domain.story import StoryPlace, look_in
from storage import cast
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Worn:
    """What one member of the cast wears there, or None where no look is valid; and what it has."""

    character: Character
    look: Appearance | None
    looks: tuple[Appearance, ...]


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """The table of a place; without a chapter it is what everybody usually wears."""

    place: StoryPlace
    rows: tuple[Worn, ...]


async def wardrobe_at(
    db: Database, guild_id: int, chapter: int | None, page: int | None
) -> Wardrobe:
    """The wardrobe of a place, found as for a panel that says this much about when it plays.

    Raises:
        NotFound: the guild has no series.
        InvalidInput: chapter or page are out of their limits.
    """
    place = await place_of(db, await cast.active_series(db, guild_id), chapter, page)
    every = await cast.list_appearances(db, guild_id)
    rows = []
    for character in await cast.list_characters(db, guild_id):
        looks = tuple(look for look in every if look.character_row == character.id)
        rows.append(Worn(character, look_in(looks, place), looks))
    return Wardrobe(place, tuple(rows))
