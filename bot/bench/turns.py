"""Does a worker that goes on with what it has loaded save switches, and at whose expense?

A simulated evening: members ask in bursts, mostly for panels of the few characters that everybody
likes; one worker serves from the real ledger. A switch of what is loaded costs a share of a panel.
Peer: the same requests in the plain fair order.
"""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bot.bench.figures import Figure
from pipeline.domain.job import Job, JobKind, JobStatus
from storage import jobs
from storage.schema_text import schema_text

_MEMBERS, _LOOKS, _REQUESTS = 8, 6, 600
_PANEL, _SWITCH = 60.0, 20.0
"""Seconds of a panel and of loading what another one needs."""
_BURSTS = 0.85
"""How much of the time the worker would be busy without any switch."""
_PLAIN = "the plain fair order"
_GUILD = 1


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks for a panel."""

    at: float
    member: int
    look: str


@dataclass(frozen=True, slots=True)
class Evening:
    """What became of the requests: switches, waits by job, and who was served while others waited.

    ``fair`` is Jain's index of the panels that those got who waited all the time, by stretches.
    """

    switches: int
    waits: list[float]
    fair: list[float]


def turn_figures(seeds: Sequence[int] = range(10)) -> list[Figure]:
    """Switches saved, extra waiting, and fairness, each against the plain order."""
    saved, mean, worst, free, fair, plain_fair = [], [], [], [], [], []
    for seed in seeds:
        asked = requests(np.random.default_rng(seed))
        kept, plain = serve(asked, keep=True), serve(asked, keep=False)
        saved.append(1 - kept.switches / plain.switches)
        mean.append(float(np.mean(kept.waits) / np.mean(plain.waits) - 1))
        late = [np.quantile(evening.waits, 0.95) for evening in (kept, plain)]
        worst.append(float(late[0] / late[1] - 1))
        costless = [serve(asked, keep=keep, switch=0.0) for keep in (True, False)]
        late = [np.quantile(evening.waits, 0.95) for evening in costless]
        free.append(float(late[0] / late[1] - 1))
        fair += kept.fair
        plain_fair += plain.fair
    peer = f"{_PLAIN}: {np.mean(plain_fair):.3f}"
    return [
        _figure("queue.turns.switches_saved", saved, "higher", 0.4, _PLAIN),
        _figure("queue.turns.extra_wait", mean, "lower", 0.1, _PLAIN),
        _figure("queue.turns.extra_wait.p95", worst, "lower", None, _PLAIN),
        _figure("queue.turns.extra_wait.p95.costless", free, "lower", 0.1, _PLAIN),
        _figure("queue.turns.jain", fair, "higher", 0.95, peer),
    ]


def requests(rng: np.random.Generator) -> list[Request]:
    """Bursts of one to eight panels, of one or two looks that are popular by rank."""
    popular = 1 / np.arange(1, _LOOKS + 1)
    popular /= popular.sum()
    found, at = [], 0.0
    while len(found) < _REQUESTS:
        size = int(rng.integers(1, 9))
        at += rng.exponential(size * _PANEL / _BURSTS)
        member = 1 + int(rng.integers(_MEMBERS))
        looks = rng.choice(_LOOKS, size=2, replace=False, p=popular)
        for _ in range(size):
            look = looks[int(rng.random() < 0.3)]
            found.append(Request(at, member, f"look_{look}"))
    return found


def serve(asked: Sequence[Request], *, keep: bool, switch: float = _SWITCH) -> Evening:
    """Let one worker serve all requests from the real ledger, in virtual time."""
    tx = _ledger()
    came = {}
    waiting, pending, now, last = 0, list(reversed(asked)), 0.0, ""
    switches, waits, served = 0, [], []
    keys = itertools.count()
    while pending or waiting:
        while pending and (pending[-1].at <= now or not waiting):
            request = pending.pop()
            now = max(now, request.at)
            job_id = _enqueue(tx, request, next(keys))
            came[job_id] = request.at
            waiting += 1
        present = _who_waits(tx)
        job = jobs.claim(tx, owner="w", lease_seconds=1e6, now=now, prefers=last if keep else "")
        assert job is not None
        waiting -= 1
        waits.append(now - came[job.id])
        served.append((job.member_id, present))
        switches += job.affinity != last
        now += _PANEL + (switch if job.affinity != last else 0.0)
        last = job.affinity
        _done(tx, job, now)
    tx.close()
    return Evening(switches, waits, _jain(served))


def _jain(served: Sequence[tuple[int, frozenset[int]]], stretch: int = 24) -> list[float]:
    """Of every stretch of claims: Jain's index over the members who waited all through it."""
    found = []
    for start in range(0, len(served) - stretch, stretch):
        part = served[start : start + stretch]
        always = frozenset.intersection(*(present for _, present in part))
        if len(always) >= 2:
            count = Counter(member for member, _ in part if member in always)
            got = np.array([count[member] for member in always], float)
            found.append(float(got.sum() ** 2 / (len(got) * (got**2).sum())))
    return found


def _ledger() -> sqlite3.Connection:
    tx = sqlite3.connect(":memory:", isolation_level=None)
    tx.row_factory = sqlite3.Row
    tx.executescript("PRAGMA foreign_keys = ON;" + schema_text())
    tx.execute(
        "INSERT INTO guild (guild_id, wrapped_key, created_at) VALUES (?, x'00', '')", (_GUILD,)
    )
    tx.execute(
        "INSERT INTO series (id, guild_id, slug, name, reading_direction, color_mode, created_by, "
        "created_at) VALUES (1, ?, 's', 's', 'ltr', 'color', 1, '')",
        (_GUILD,),
    )
    return tx


def _enqueue(tx: sqlite3.Connection, request: Request, number: int) -> int:
    panel = tx.execute(
        "INSERT INTO panel (guild_id, series_id, requester_id, origin, status, brief, created_at, "
        "updated_at) VALUES (?, 1, ?, 'generated', 'queued', '{}', '', '') RETURNING id",
        (_GUILD, request.member),
    ).fetchone()["id"]
    return jobs.enqueue(
        tx, guild_id=_GUILD, member_id=request.member, kind=JobKind.GENERATE, panel_id=panel,
        dedupe_key=str(number), affinity=request.look, now=request.at,
    )  # fmt: skip


def _who_waits(tx: sqlite3.Connection) -> frozenset[int]:
    rows = tx.execute("SELECT member_id FROM share WHERE member_id <> 0 AND waiting > 0")
    return frozenset(row["member_id"] for row in rows)


def _done(tx: sqlite3.Connection, job: Job, now: float) -> None:
    jobs.finish(tx, job_id=job.id, fence=job.fence, status=JobStatus.DONE, seconds=1.0, now=now)


def _figure(
    name: str,
    values: Sequence[float],
    better: Literal["higher", "lower"],
    target: float | None,
    peer: str,
) -> Figure:
    array = np.asarray(values, float)
    rng = np.random.default_rng(5)
    means = array[rng.integers(0, len(array), (1000, len(array)))].mean(axis=1)
    low, high = (float(v) for v in np.quantile(means, (0.025, 0.975)))
    return Figure(name, float(array.mean()), "share", better, target, peer, len(array), (low, high))
