"""Do the times that people are told hold? Streams of requests in virtual time, the real ledger.

People ask in bursts, some cancel, some panels are tried again, and one worker draws in the fair
order. What ``/queue show`` would say is noted when a panel is asked for and at later looks, and
compared with what comes. How long drawing takes is either made up (log-normal around a fixed part
and the work, tried again once or twice in a third of the cases) or recorded: seconds that the
embedded engine took in this very run. Peer: the same times said as the median job times the place,
give or take what such jobs stray, without looking at what was said before.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bot.bench.figures import Figure
from pipeline.domain.job import JobKind, JobStatus
from storage import jobs
from storage.database import Database, Transaction, open_database
from storage.estimates import COVERS
from storage.keys import Keyring

_MEMBERS, _REQUESTS, _WARM_UP = 10, 700, 120
_LOAD, _CANCELLED = 0.85, 0.05
_LOOK_EVERY = 12
_BAND = 0.05
"""The interval has to hold four of five, give or take this much."""
_WORKS = (0.8, 1.6, 3.2)
_RECORDED = 36

Drawing = Callable[[float, np.random.Generator], float]
"""Seconds that a panel of so much work takes."""


@dataclass(frozen=True, slots=True)
class Word:
    """What was said of a job, and what came: seconds from then until done."""

    low: float | None
    high: float | None
    plain: tuple[float, float] | None
    actual: float


@dataclass(slots=True)
class _Stream:
    """One evening: its clock, who is expected when, and what was said."""

    rng: np.random.Generator
    drawing: Drawing
    usual: float
    series: int
    requests: int
    now: float = 1_800_000_000.0
    asked: int = 0


async def waiting_figures(seeds: Sequence[int] = (1, 2)) -> list[Figure]:
    """Coverage when asked and later, how wide, and from how many panels on there is one."""
    figures = []
    for name, drawing in (("simulated", made_up), ("recorded", _recorded())):
        first: list[Word] = []
        later: list[Word] = []
        for seed in seeds:
            with tempfile.TemporaryDirectory(prefix="onmodel-bench-") as folder:
                told = await evening(Path(folder) / "queue.db", seed, drawing)
            first += told[0]
            later += told[1]
        figures += _covered(f"queue.eta.{name}.when_asked", first)
        figures += _covered(f"queue.eta.{name}.later_looks", later)
    return figures


def _covered(name: str, words: Sequence[Word]) -> list[Figure]:
    known = [(w.low, w.high, w) for w in words if w.low is not None and w.high is not None]
    held = [float(low <= w.actual <= high) for low, high, w in known]
    plain = [float(w.plain[0] <= w.actual <= w.plain[1]) for _low, _high, w in known if w.plain]
    share, spread = float(np.mean(held)), float(np.sqrt(COVERS * (1 - COVERS) / len(held)))
    width = [np.log(high / low) for low, high, _word in known if low]
    peer = f"the median times the place: {np.mean(plain):.3f}"
    off = abs(share - COVERS)
    return [
        Figure(f"{name}.coverage", share, "share", "higher", COVERS, peer, len(known),
               (share - 1.96 * spread, share + 1.96 * spread)),
        Figure(f"{name}.off", off, "share", "lower", _BAND, None, len(known)),
        Figure(f"{name}.width", float(np.exp(np.median(width))), "ratio", "lower", None, None,
               len(known)),
    ]  # fmt: skip


# --- an evening -----------------------------------------------------------------------------------


async def evening(
    path: Path, seed: int, drawing: Drawing, *, requests: int = _REQUESTS
) -> tuple[list[Word], list[Word]]:
    """What was said when panels were asked for, and at later looks, after a warm-up."""
    rng = np.random.default_rng(seed)
    usual = float(np.mean([drawing(work, rng) for work in _WORKS for _ in range(200)]))
    async with open_database(path) as db:
        await Keyring(db, bytes(32)).guild_key(1)
        series = await db.write(_series)
        stream = _Stream(rng, drawing, usual, series, requests)
        return await _run(db, stream)


async def _run(db: Database, stream: _Stream) -> tuple[list[Word], list[Word]]:
    """Alternate between who asks next and what is done next."""
    rng, said, looks = stream.rng, {}, []
    ends, burst, ask_at = None, 0, stream.now
    running: int | None = None
    done: dict[int, float] = {}
    seconds: list[float] = []
    while stream.asked < stream.requests or running is not None:
        if stream.asked < stream.requests and (ends is None or ask_at <= ends):
            stream.now = max(stream.now, ask_at)
            job, word = await _ask(db, stream, seconds)
            said[job] = (stream.now, word)
            if stream.asked % _LOOK_EVERY == 0:
                looks += await _look(db, stream, seconds)
            if burst == 0:
                burst = int(rng.integers(1, 6))
                ask_at = stream.now + rng.exponential(burst * stream.usual / _LOAD)
            else:
                ask_at = stream.now + rng.exponential(2.0)
            burst -= 1
        elif ends is not None and running is not None:
            stream.now = ends
            await _finish(db, running, stream.now)
            done[running] = stream.now
            running = ends = None
        if running is None:
            taken = await _take(db, stream)
            if taken is not None:
                running, took = taken
                seconds.append(took)
                ends = stream.now + took
    words = [
        replace(word, actual=done[job] - at) for job, (at, word) in said.items() if job in done
    ]
    later = [replace(word, actual=done[job] - at) for job, at, word in looks if job in done]
    return words[_WARM_UP:], later[_WARM_UP // 2 :]


async def _ask(db: Database, stream: _Stream, seconds: Sequence[float]) -> tuple[int, Word]:
    rng, number = stream.rng, stream.asked
    member, work = 1 + int(rng.integers(_MEMBERS)), float(rng.choice(_WORKS))
    stream.asked += 1

    def add(tx: Transaction) -> int:
        row = tx.execute(
            "INSERT INTO panel (guild_id, series_id, requester_id, origin, status, brief, "
            "created_at, updated_at) VALUES (1, ?, ?, 'generated', 'queued', '{}', '', '') "
            "RETURNING id",
            (stream.series, member),
        ).fetchone()
        return jobs.enqueue(
            tx, guild_id=1, member_id=member, kind=JobKind.GENERATE, panel_id=row["id"],
            dedupe_key=str(number), engine="bench", work=work, now=stream.now,
        )  # fmt: skip

    job = await db.write(add)
    place = await jobs.place_of(db, job, now=stream.now)
    assert place is not None
    expected = place.eta_seconds
    if expected is not None:
        await db.write(lambda tx: jobs.note_expected(tx, job_id=job, seconds=expected))
    return job, Word(place.eta_low, place.eta_high, _plain(seconds, place.ahead + 1), 0.0)


async def _look(
    db: Database, stream: _Stream, seconds: Sequence[float]
) -> list[tuple[int, float, Word]]:
    return [
        (job.id, stream.now, Word(p.eta_low, p.eta_high, _plain(seconds, p.ahead + 1), 0.0))
        for job, p in await jobs.queue_places(db, 1, now=stream.now)
    ]


def _plain(seconds: Sequence[float], count: int) -> tuple[float, float] | None:
    latest = seconds[-20:]
    if len(latest) < 3:
        return None
    middle, spread = statistics.median(latest), statistics.pstdev(latest)
    reach = 1.2816 * spread * count**0.5
    return count * middle - reach, count * middle + reach


async def _take(db: Database, stream: _Stream) -> tuple[int, float] | None:
    """Claim the next that nobody cancels; how long will it take?"""
    while True:
        job = await db.write(
            lambda tx: jobs.claim(tx, owner="w", lease_seconds=1e6, now=stream.now)
        )
        if job is None:
            return None
        if stream.rng.random() >= _CANCELLED:
            return job.id, stream.drawing(job.work, stream.rng)
        fence = job.fence
        await db.write(
            lambda tx, i=job.id, f=fence: jobs.finish(
                tx, job_id=i, fence=f, status=JobStatus.CANCELLED, now=stream.now
            )
        )


async def _finish(db: Database, job_id: int, now: float) -> None:
    def end(tx: Transaction) -> None:
        row = tx.execute("SELECT fence, started_at FROM job WHERE id = ?", (job_id,)).fetchone()
        began = datetime.fromisoformat(row["started_at"]).timestamp()
        jobs.finish(
            tx, job_id=job_id, fence=row["fence"], status=JobStatus.DONE, seconds=now - began,
            now=now,
        )  # fmt: skip

    await db.write(end)


def _series(tx: Transaction) -> int:
    return tx.execute(
        "INSERT INTO series (guild_id, slug, name, reading_direction, color_mode, created_by, "
        "created_at) VALUES (1, 's', 's', 'ltr', 'color', 1, ?) RETURNING id",
        (datetime.now(UTC).isoformat(),),
    ).fetchone()["id"]


# --- how long drawing takes -----------------------------------------------------------------------


def made_up(work: float, rng: np.random.Generator) -> float:
    """A fixed part and the work, log-normal, tried again once or twice in a third of the cases."""
    tries = 1 + int(rng.random() < 0.25) + int(rng.random() < 0.08)
    return float(tries * (4 + 20 * work) * rng.lognormal(0, 0.25))


def _recorded() -> Drawing:
    """Seconds that the embedded engine takes for drafts, drawn again as they fell."""
    from bot.bench.drafts import draft_panels

    found, drafts = [], draft_panels(_RECORDED, 11)
    for _ in range(_RECORDED):
        began = time.perf_counter()
        next(drafts)
        found.append(time.perf_counter() - began)
    kept = found[2:]  # what is loaded for the first ones counts once only

    def drawing(work: float, rng: np.random.Generator) -> float:
        return float(rng.choice(kept, size=max(1, round(work / _WORKS[0]))).sum())

    return drawing
