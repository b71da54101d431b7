"""The taste of a series: learned from its closed votes whenever somebody needs it, never stored.

So it forgets at once whoever is forgotten, and a restart loses nothing. What it says orders
on-model alternates; it decides about none.
"""

import asyncio
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from bot.services.actor import Actor
from pipeline.domain.character import Series
from pipeline.domain.panel import Panel
from pipeline.domain.taste import Guess, Taste
from pipeline.domain.voting import TasteUse
from pipeline.taste.learning import LEAST_BALLOTS, LEAST_PANELS, learn, usable_slates
from pipeline.taste.ranking import chances
from storage import audit, series, taste
from storage.database import Database, Transaction
from storage.taste import Record

DRAWN_IN_FULL = 0.1
"""The share of panels of which all alternates are drawn all the same, so that taste keeps learning
about what it would not have drawn."""
_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class TasteView:
    """What there is to say about the taste of a series.

    ``taste`` is None before ``panels`` closed votes with ``ballots`` votes are as many as it takes
    (``least``); ``record`` counts what it said before votes closed.
    """

    series: Series
    taste: Taste | None
    panels: int
    ballots: int
    record: Record
    least: tuple[int, int] = (LEAST_PANELS, LEAST_BALLOTS)


class TasteService:
    """Learns, guesses, tells what it knows, and is switched."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: OrderedDict[tuple[int, int], tuple[object, Taste | None]] = OrderedDict()
        self._learning: defaultdict[tuple[int, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of_series(self, guild_id: int, series_id: int) -> Taste | None:
        """What the closed votes of a series teach now; None where they are too few."""
        key = (guild_id, series_id)
        async with self._learning[key]:
            stamp = await taste.stamp_of(self._db, guild_id, series_id)
            known = self._known.get(key)
            if known is None or known[0] != stamp:
                slates = await taste.closed_slates(self._db, guild_id, series_id)
                known = (stamp, await asyncio.to_thread(learn, slates))
                self._known[key] = known
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return known[1]

    async def for_run(self, comic: Series, panel_id: int) -> Taste | None:
        """What a run may stop drawing by; None where everything is to be drawn."""
        explored = Random(f"drawn in full {comic.guild_id} {panel_id}").random() < DRAWN_IN_FULL
        if comic.taste is not TasteUse.SPARE or explored:
            return None
        return _ready(await self.of_series(comic.guild_id, comic.id))

    async def guess(self, panel: Panel) -> Guess | None:
        """Which alternate of an open vote its series is expected to choose, and how surely.

        The votes on the panel itself are not looked at. None where taste is switched off, knows too
        little, or does not do better than guessing.
        """
        comic = await series.get_series(self._db, panel.guild_id, panel.series_id)
        if comic.taste is TasteUse.OFF:
            return None
        known = _ready(await self.of_series(comic.guild_id, comic.id))
        shown = await taste.traits_of_alternates(self._db, panel.guild_id, panel.id)
        if known is None or len(shown) < 2:
            return None
        chance = await asyncio.to_thread(chances, known, list(shown.values()))
        return Guess(list(shown)[int(chance.argmax())], float(chance.max()))

    async def look(self, actor: Actor) -> TasteView:
        """What it has learned, from how much, and how often it was right.

        Raises:
            NotFound: the guild has no series.
        """
        comic = await series.active_series(self._db, actor.guild_id)
        usable = usable_slates(await taste.closed_slates(self._db, actor.guild_id, comic.id))
        return TasteView(
            comic,
            None if comic.taste is TasteUse.OFF else await self.of_series(comic.guild_id, comic.id),
            len(usable),
            sum(len(slate.ballots) for slate in usable),
            await taste.record_of(self._db, actor.guild_id, comic.id),
        )

    async def switch(self, actor: Actor, use: TasteUse) -> None:
        """Say what is done with the taste of the active series.

        Raises:
            NotAllowed: the actor may not manage the guild.
            NotFound: the guild has no series.
        """
        actor.require_manager("switch the taste of the series")
        comic = await series.active_series(self._db, actor.guild_id)

        def work(tx: Transaction) -> None:
            series.update_series(tx, guild_id=actor.guild_id, series_id=comic.id, taste=use.value)
            audit.note(
                tx,
                guild_id=actor.guild_id,
                member_id=actor.member_id,
                action="series.taste",
                subject=f"series {comic.id}",
                detail=use.value,
                now=datetime.now(UTC),
            )

        await self._db.write(work)


def _ready(known: Taste | None) -> Taste | None:
    return known if known is not None and known.ready else None
