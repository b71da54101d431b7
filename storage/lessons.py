"""What panels teach: drift that is named, words that hold against it, steps that pay."""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.domain.conditioning import ConditioningPlan, Step
from pipeline.domain.evidence import AttributeCount, DriftCount, StepCount
from pipeline.domain.quality import Attempt
from storage.database import Database
from storage.records import report_from_json

FREE_LABEL = "other: "
"""What a label begins with that somebody wrote and nobody had listed."""

_COUNT = (
    "INSERT INTO drift_mode (guild_id, mode, shown, helped, labelled) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (guild_id, mode) DO UPDATE SET shown = shown + excluded.shown, "
    "helped = helped + excluded.helped, labelled = labelled + excluded.labelled"
)


def learn_from(tx: sqlite3.Connection, *, guild_id: int, attempt_id: int, attempt: Attempt) -> None:
    """Note the steps of an attempt, what they gained, and which modes its words were against.

    Args:
        tx: inside a write.
        guild_id: the tenant.
        attempt_id: the row of the attempt, of this guild.
        attempt: what came back; a person's drawing teaches nothing.
    """
    plan = attempt.plan
    if plan is None:
        return
    tx.executemany(
        "INSERT INTO ladder_step (guild_id, attempt_id, generator, step, mode, gain) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (guild_id, attempt_id, plan.generator, taken.step, taken.mode, attempt.gain)
            for taken in plan.steps
            if taken.step is not Step.START
        ],
    )
    gained = attempt.gain is not None and attempt.gain > 0
    against = {t.mode for t in plan.steps if t.step is Step.RAISE_NEGATIVE and gained}
    tx.executemany(
        _COUNT, [(guild_id, mode, 1, mode in against, 0) for mode in sorted(_modes_of(plan))]
    )


def count_label(tx: sqlite3.Connection, *, guild_id: int, mode: str) -> None:
    """A moderator named a drift mode."""
    tx.execute(_COUNT, (guild_id, mode, 0, 0, 1))


async def drift_counts(db: Database, guild_id: int) -> dict[str, DriftCount]:
    """The counters of every mode that a guild has met, by mode."""
    rows = await db.fetch_all(
        "SELECT mode, shown, helped, labelled FROM drift_mode WHERE guild_id = ?", (guild_id,)
    )
    return {row["mode"]: DriftCount(**dict(row)) for row in rows}


async def step_counts(db: Database, guild_id: int) -> tuple[StepCount, ...]:
    """How often each step was tried and gained in a guild, by mode and engine.

    Attempts whose gain could not be measured say nothing and are left out.
    """
    rows = await db.fetch_all(
        "SELECT mode, step, generator, count(*) AS tried, sum(gain > 0) AS helped, "
        "sum(gain) AS gain FROM ladder_step WHERE guild_id = ? AND gain IS NOT NULL "
        "GROUP BY mode, step, generator ORDER BY mode, step, generator",
        (guild_id,),
    )
    return tuple(StepCount(**{**dict(row), "step": Step(row["step"])}) for row in rows)


def _modes_of(plan: ConditioningPlan) -> set[str]:
    parts = [*plan.negative_parts, *(part for m in plan.cast for part in m.negative)]
    return {part.mode for part in parts if part.mode}


async def attribute_counts(
    db: Database, guild_id: int, *, modes: Mapping[str, Sequence[str]], limit: int = 500
) -> dict[str, AttributeCount]:
    """How often what the check said first is what people said, by attribute.

    Args:
        db: the database.
        guild_id: the tenant.
        modes: the labels that each attribute stands for.
        limit: how many of the latest labelled reviews count.
    """
    rows = await db.fetch_all(
        "SELECT c.report, (SELECT json_group_array(label) FROM review_label "
        "WHERE review_id = r.id) AS labels FROM review AS r JOIN candidate AS c "
        "ON c.id = r.candidate_id WHERE r.guild_id = ? AND EXISTS "
        "(SELECT 1 FROM review_label WHERE review_id = r.id) ORDER BY r.id DESC LIMIT ?",
        (guild_id, limit),
    )
    named: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for row in rows:
        labels = set(json.loads(row["labels"]))
        for check in report_from_json(row["report"]).checks:
            if check.drift:
                first = check.drift[0].attribute
                named[first] += 1
                right[first] += bool(labels & set(modes.get(first, ())))
    return {word: AttributeCount(word, named[word], right[word]) for word in named}


async def free_labels(db: Database, guild_id: int, limit: int = 500) -> list[str]:
    """What people wrote where no drift mode fitted, the latest first."""
    rows = await db.fetch_all(
        "SELECT label FROM review_label WHERE guild_id = ? AND label LIKE ? ORDER BY id DESC "
        "LIMIT ?",
        (guild_id, FREE_LABEL + "%", limit),
    )
    return [row["label"].removeprefix(FREE_LABEL) for row in rows]
