"""What pictures are like, the closed votes on them, and what was expected of votes."""

import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from pipeline.domain.taste import Ballot, Guess, Slate, Trait, Traits
from storage.database import Database
from storage.records import to_json

MOST_PANELS = 300
"""The latest closed votes that count: tastes change, and older ones say little more."""

_CLOSED = (
    "SELECT id FROM panel WHERE guild_id = :guild AND series_id = :series AND status = 'accepted' "
    "AND EXISTS (SELECT 1 FROM vote WHERE vote.panel_id = panel.id) ORDER BY id DESC LIMIT :most"
)


@dataclass(frozen=True, slots=True)
class Record:
    """Expected winners of closed votes, and how many of them won."""

    expected: int
    right: int


def add_traits(tx: sqlite3.Connection, *, guild_id: int, candidate_id: int, traits: Traits) -> None:
    """Remember what a candidate is like."""
    tx.execute(
        "INSERT INTO candidate_traits (candidate_id, guild_id, named, vector, source) "
        "VALUES (?, ?, ?, ?, ?)",
        (
            candidate_id,
            guild_id,
            to_json(dict(traits.named)),
            np.asarray(traits.vector, "<f4").tobytes(),
            traits.source,
        ),
    )


def note_guess(tx: sqlite3.Connection, *, guild_id: int, panel_id: int, guess: Guess) -> None:
    """Remember what was expected of a vote; the first word counts."""
    tx.execute(
        "INSERT INTO taste_guess (panel_id, guild_id, candidate_id, chance) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (panel_id, guild_id, guess.candidate_id, guess.chance),
    )


async def guess_of(db: Database, guild_id: int, panel_id: int) -> Guess | None:
    """What was expected of a closed vote, or None."""
    row = await db.fetch_one(
        "SELECT candidate_id, chance FROM taste_guess WHERE panel_id = ? AND guild_id = ?",
        (panel_id, guild_id),
    )
    return None if row is None else Guess(row["candidate_id"], row["chance"])


async def record_of(db: Database, guild_id: int, series_id: int) -> Record:
    """How often the expected alternate of a closed vote had the most votes; ties do not count."""
    row = await db.fetch_one(
        "SELECT count(*) AS expected, coalesce(sum(g.candidate_id = first.candidate_id), 0) AS won "
        "FROM taste_guess AS g JOIN panel AS p ON p.id = g.panel_id JOIN ("
        "SELECT panel_id, min(candidate_id) AS candidate_id FROM ("
        "SELECT panel_id, candidate_id, "
        "rank() OVER (PARTITION BY panel_id ORDER BY count(*) DESC) AS place "
        "FROM vote WHERE guild_id = :guild GROUP BY panel_id, candidate_id"
        ") WHERE place = 1 GROUP BY panel_id HAVING count(*) = 1"
        ") AS first ON first.panel_id = p.id "
        "WHERE g.guild_id = :guild AND p.series_id = :series AND p.status = 'accepted'",
        {"guild": guild_id, "series": series_id},
    )
    return Record(0, 0) if row is None else Record(row["expected"], row["won"])


async def stamp_of(db: Database, guild_id: int, series_id: int) -> tuple[object, ...]:
    """What changes whenever closed votes of a series come, change or are erased."""
    row = await db.fetch_one(
        f"SELECT count(*), max(cast_at), count(DISTINCT panel_id), sum(candidate_id), "  # noqa: S608 - text of our own
        f"sum(member_id % 65521) FROM vote WHERE panel_id IN ({_CLOSED})",
        {"guild": guild_id, "series": series_id, "most": MOST_PANELS},
    )
    return () if row is None or not row[0] else tuple(row)


async def closed_slates(db: Database, guild_id: int, series_id: int) -> list[Slate]:
    """The latest closed votes of a series, oldest first.

    Votes with an alternate that nobody described (those of earlier versions) are left out.
    """
    told = {"guild": guild_id, "series": series_id, "most": MOST_PANELS}
    rows = await db.fetch_all(
        "SELECT c.panel_id, c.id, t.named, t.vector, t.source FROM candidate AS c "  # noqa: S608 - text of our own
        "LEFT JOIN candidate_traits AS t ON t.candidate_id = c.id "
        f"WHERE c.panel_id IN ({_CLOSED}) AND c.label IS NOT NULL ORDER BY c.panel_id, c.label",
        told,
    )
    shown: dict[int, list[sqlite3.Row]] = defaultdict(list)
    for row in rows:
        shown[row["panel_id"]].append(row)
    cast = await db.fetch_all(
        f"SELECT panel_id, member_id, candidate_id FROM vote WHERE panel_id IN ({_CLOSED}) "  # noqa: S608 - text of our own
        "ORDER BY panel_id, cast_at, member_id",
        told,
    )
    numbers: dict[int, int] = {}
    ballots: dict[int, list[Ballot]] = defaultdict(list)
    for row in cast:
        places = {one["id"]: place for place, one in enumerate(shown[row["panel_id"]])}
        if row["candidate_id"] in places:
            voter = numbers.setdefault(row["member_id"], len(numbers))
            ballots[row["panel_id"]].append(Ballot(voter, places[row["candidate_id"]]))
    return [
        Slate(panel, tuple(_traits(row) for row in rows), tuple(ballots[panel]))
        for panel, rows in shown.items()
        if all(row["named"] is not None for row in rows)
    ]


async def traits_of_alternates(db: Database, guild_id: int, panel_id: int) -> dict[int, Traits]:
    """What the alternates on a panel's card are like, by candidate; only those described."""
    rows = await db.fetch_all(
        "SELECT c.id, t.named, t.vector, t.source FROM candidate AS c JOIN candidate_traits AS t "
        "ON t.candidate_id = c.id WHERE c.guild_id = ? AND c.panel_id = ? AND c.label IS NOT NULL "
        "ORDER BY c.label",
        (guild_id, panel_id),
    )
    return {row["id"]: _traits(row) for row in rows}


def _traits(row: sqlite3.Row) -> Traits:
    named = json.loads(row["named"])
    vector = np.frombuffer(row["vector"], "<f4").astype(np.float32)
    return Traits({t: named[t] for t in Trait if t in named}, vector, row["source"])
