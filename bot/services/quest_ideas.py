"""What the panels of late say about the pictures that a cast lacks."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.domain.character import Character
from pipeline.domain.quest import Quest, QuestIdea, View
from pipeline.quality.coverage_heat import Outfit, heat_map
from pipeline.retrieval.coverage import coverage_of
from pipeline.retrieval.quests import PastPanel, quest_ideas, shows, view_of, wish_of
from storage import cast, quests
from storage.database import Database

DAYS = 30
"""How far back panels tell what is lacking; a saving is for as many panels to come."""


@dataclass(frozen=True, slots=True)
class Heat:
    """The heat map of a character (PNG), how many references it counts, and the wish not met most.

    ``most_wanted`` is that wish over all looks, with the number of panels.
    """

    png: bytes
    references: int
    most_wanted: tuple[View, int] | None


async def ideas_for(db: Database, character: Character, alive: Sequence[Quest]) -> list[QuestIdea]:
    """Pictures worth asking for that nobody asks for yet, the most saving first."""
    past = await past_panels(db, character.guild_id)
    ideas: list[QuestIdea] = []
    for look in await cast.list_appearances(db, character.guild_id, character.id):
        references = await cast.list_references(db, character.guild_id, look.id)
        held = [view_of(r) for r in references if r.canon]
        missing = coverage_of(look, references, character.kind).missing
        asked = [q.view for q in alive if q.appearance_row == look.id]
        ideas += [
            idea
            for idea in quest_ideas(past, look.appearance_id, held, missing)
            if not any(shows(view, idea.view) for view in asked)
        ]
    return sorted(ideas, key=lambda i: -(i.saving.tries if i.saving else 0.0))


async def heat_of(db: Database, character: Character) -> Heat:
    """Where a character's references lie, and what panels of late wanted in vain."""
    past = await past_panels(db, character.guild_id)
    outfits = []
    for look in await cast.list_appearances(db, character.guild_id, character.id):
        references = await cast.list_references(db, character.guild_id, look.id)
        canon = [r for r in references if r.canon]
        wanted = Counter(
            one.wish
            for one in past
            if one.appearance_id == look.appearance_id
            and not any(shows(view_of(r), one.wish) for r in canon)
        )
        outfits.append(Outfit(look.label, canon, wanted))
    png = await asyncio.to_thread(heat_map, character.name, outfits)
    most = sum((Counter(outfit.wanted) for outfit in outfits), Counter[View]()).most_common(1)
    return Heat(png, sum(len(o.references) for o in outfits), most[0] if most else None)


async def past_panels(db: Database, guild_id: int) -> list[PastPanel]:
    """What panels of late asked to see, whether it was there, and how often they failed."""
    since = datetime.now(UTC) - timedelta(days=DAYS)
    looks = await cast.list_appearances(db, guild_id)
    held = {
        look.appearance_id: [
            (r.created_at, view_of(r))
            for r in await cast.list_references(db, guild_id, look.id)
            if r.canon
        ]
        for look in looks
    }
    past = []
    for panel in await quests.panel_tries(db, guild_id, since):
        wish = wish_of(panel.brief.shot_type, panel.brief.prompt)
        for role in panel.brief.cast:
            views = held.get(role.appearance_id)
            if views is None:
                continue  # the look is gone
            failed = sum(
                not any(seen.get(role.appearance_id) == "on_model" for seen in candidates)
                for candidates in panel.tries
            )
            shown = any(at <= panel.created_at and shows(view, wish) for at, view in views)
            past.append(PastPanel(role.appearance_id, wish, failed, shown))
    return past
