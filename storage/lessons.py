"""What panels teach: drift that is named, words that hold against it, steps that pay."""

import sqlite3

from pipeline.domain.conditioning import ConditioningPlan, Step
from pipeline.domain.evidence import DriftCount, StepCount
from pipeline.domain.quality import Attempt
from storage.database import Database

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
