"""How long jobs take and how far such words were off: measured, over all guilds, numbers only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from storage.database import Database
from storage.times import from_text

MEASURED_LEAST, MEASURED_MOST = 3, 300
"""How many finished jobs an estimate needs, and how many of the latest it looks at."""
_SAME = 20
"""The latest jobs of the same engine and the same work that count."""
COVERS = 0.8
"""With which chance the interval holds what happens."""
_TOLD_LEAST, _TOLD_NEAR = 12, 40
"""How many earlier words an interval needs, and how many of the most similar it looks at."""
_LEAST_LEFT = 0.1
"""A job that takes longer than expected takes at least this share of it longer still."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A finished job: what drew what, in how many seconds."""

    engine: str
    work: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Told:
    """What was expected of a job when it was asked for, and what came; seconds until done."""

    expected: float
    actual: float


@dataclass(frozen=True, slots=True)
class Running:
    """A job that is being worked on, and since how many seconds."""

    engine: str
    work: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the latest jobs say about the next ones.

    ``done`` and ``told`` have the latest first; ``mean_work`` is that of all waiting jobs.
    """

    done: Sequence[Measured]
    told: Sequence[Told]
    running: Sequence[Running]
    mean_work: float

    def seconds_of(self, engine: str, work: float) -> float | None:
        """How long one job takes: as such jobs took, else in proportion to its work.

        Returns:
            None where too few jobs were measured.
        """
        if len(self.done) < MEASURED_LEAST:
            return None
        by_engine = [one for one in self.done if one.engine == engine]
        same = [one for one in by_engine if math.isclose(one.work, work, rel_tol=0.02)][:_SAME]
        if len(same) >= MEASURED_LEAST:
            return sum(one.seconds for one in same) / len(same)
        like = by_engine if len(by_engine) >= MEASURED_LEAST else self.done
        total, seconds = sum(one.work for one in like), sum(one.seconds for one in like)
        if not total or not work:
            return seconds / len(like)
        return seconds * work / total

    def until_done(
        self, engine: str, work: float, *, work_ahead: float, jobs_of_others: int, jobs_ahead: int
    ) -> float | None:
        """Seconds until a waiting job is done, if nobody asks in between.

        Args:
            engine: what draws it.
            work: what it draws.
            work_ahead: what the jobs of its own guild draw that come before.
            jobs_of_others: how many jobs of other guilds come before.
            jobs_ahead: how many jobs come before in all.
        """
        own = self.seconds_of(engine, work)
        if own is None:
            return None
        ahead = work_ahead + jobs_of_others * self.mean_work
        before = (
            (self.seconds_of(engine, ahead / jobs_ahead) or 0.0) * jobs_ahead if jobs_ahead else 0
        )
        return own + before + sum(self._left(one) for one in self.running)

    def around(self, expected: float | None) -> tuple[float, float] | None:
        """The interval that holds what happens with 80 %.

        Of earlier words about similar times the quotients of what came and what was said are
        taken as they fell: what arrivals, cancellations and bad luck do is in them.

        Source: split conformal prediction (V. Vovk et al., "Algorithmic Learning in a Random
        World", 2005), with the nearest earlier cases.
        """
        if expected is None or len(self.told) < _TOLD_LEAST:
            return None
        near = sorted(self.told, key=lambda one: abs(math.log(one.expected / expected)))
        quotients = sorted(one.actual / one.expected for one in near[:_TOLD_NEAR])
        count, tail = len(quotients), (1 - COVERS) / 2
        low = quotients[max(0, math.floor(tail * (count + 1)) - 1)]
        high = quotients[min(count - 1, math.ceil((1 - tail) * (count + 1)) - 1)]
        return expected * low, expected * high

    def _left(self, one: Running) -> float:
        expected = self.seconds_of(one.engine, one.work) or 0.0
        return max(expected - one.seconds, _LEAST_LEFT * expected)


async def read_estimates(db: Database, now: float) -> Estimates:
    """What the ledger says at ``now``, in seconds since 1970."""
    rows = await db.fetch_all(
        "SELECT engine, work, seconds, expected_seconds, created_at, finished_at FROM job "
        "WHERE status = 'done' AND seconds IS NOT NULL ORDER BY finished_at DESC LIMIT ?",
        (MEASURED_MOST,),
    )
    running = await db.fetch_all(
        "SELECT engine, work, started_at FROM job WHERE status = 'running'"
    )
    mean = await db.fetch_one(
        "SELECT avg(work) AS work FROM (SELECT work FROM job "
        "WHERE status = 'queued' AND held = 0 LIMIT 1000)"
    )
    return Estimates(
        [Measured(row["engine"], row["work"], row["seconds"]) for row in rows],
        [
            Told(row["expected_seconds"], _between(row["created_at"], row["finished_at"]))
            for row in rows
            if row["expected_seconds"]
        ],
        [Running(row["engine"], row["work"], _since(row["started_at"], now)) for row in running],
        (mean["work"] or 0.0) if mean is not None else 0.0,
    )


def _since(moment: str | None, now: float) -> float:
    return 0.0 if moment is None else max(0.0, now - from_text(moment).timestamp())


def _between(first: str, then: str) -> float:
    return (from_text(then) - from_text(first)).total_seconds()
