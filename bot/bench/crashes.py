"""Kills a working studio and its worker at random moments, and counts what was lost or doubled."""

import random
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.app import DATABASE_NAME
from bot.bench import pasting
from bot.bench.board import Board, open_board
from bot.bench.life import Life, end_orphans

_STUCK_SECONDS = 60.0  # a studio that gets nothing done for so long never will
_MOST_WAITING = 12  # requests, so that the kills and not the backlog decide how long a run takes
_WORKER_SHARE = 0.5  # of the kills
_MOST_AHEAD = 4  # kills of the one before it must be the other's turn
_MEASURED_SHARE = 0.35  # of the kills are followed by a wait for the next post
_EARLY_SHARE = 0.2  # of the kills may hit a studio that is still starting
_POISON_EVERY, _STRANGER_EVERY = 17, 7  # requests: one aborts its worker, one is off-model
_MEMBERS = 5
_OUTCOMES = {"vote_card", "panel_failed", "review_thread"}
_LIVE = ("queued", "running")


@dataclass
class CrashResult:
    """What a run found. All the lists are empty when the promise holds.

    Attributes:
        kills: how many of which process.
        acknowledged: keys that the studio had said yes to.
        lost: acknowledged keys without an outcome or without its post.
        doubled: panels that were posted more than once, keys that became two panels.
        stuck: jobs, panels and posts that were still waiting at the end.
        orphans: processes that outlived their studio.
        outcomes: how the jobs ended, and as what they were posted.
        interrupted: how often a job was claimed again.
        repeated: how many posts took more than one try.
        recovery: seconds from a kill to the next post, by what was killed.
        stop_status: exit status of the last, graceful stop.
        stop_seconds: how long that took.
    """

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    orphans: list[int] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    interrupted: int = 0
    repeated: int = 0
    recovery: dict[str, list[float]] = field(default_factory=lambda: {"studio": [], "worker": []})
    stop_status: int = 0
    stop_seconds: float = 0.0

    def median_recovery(self, what: str) -> float | None:
        """Median seconds until the next post, None when none was measured."""
        return statistics.median(self.recovery[what]) if self.recovery[what] else None


class CrashRun:
    """Lives of one studio on one data folder."""

    def __init__(self, folder: Path, board: Board, seed: int) -> None:
        self._folder = folder
        self._board = board
        self._random = random.Random(seed)
        self._wanted: dict[str, dict[str, object]] = {}
        self._leaders: list[int] = []
        self._life: Life | None = None
        self.result = CrashResult()

    def go(self, kills: int) -> CrashResult:
        """Start, kill so often, wait until all is quiet, stop gracefully, and judge.

        Raises:
            StudioDied: the studio ended although nobody killed it; see ``studio.log``.
        """
        try:
            life = self._start()
            life.wait_until_ready()  # the cast is registered by now
            while self.result.kills.total() < kills:
                life = self._kill_something(life)
            self._calm(life)
            started = time.monotonic()
            self.result.stop_status = life.stop()
            self.result.stop_seconds = time.monotonic() - started
            self._hear(life)
        finally:
            self._end()
        self._judge()
        return self.result

    # --- living -----------------------------------------------------------------------------

    def _start(self) -> Life:
        life = self._life = Life(self._folder, self._board.url)
        self._leaders.append(life.pid)
        for key, request in self._wanted.items():
            if key not in self.result.acknowledged:
                life.send(request)
        return life

    def _kill_something(self, life: Life) -> Life:
        """Ask for a few panels, wait a random moment, kill."""
        if self._waiting() < _MOST_WAITING:
            for _ in range(self._random.randint(1, 3)):
                life.send(self._wish())
        if self._random.random() > _EARLY_SHARE:
            life.wait_until_ready()
        time.sleep(self._random.random() * 0.8)
        self._hear(life)
        what = self._victim()
        posts, waiting = len(self._board.messages()), self._waiting()
        at = time.monotonic()
        if what == "studio":
            life.kill()
            self._hear(life)
            life = self._start()
        elif not life.kill_worker():
            return life  # there is no worker yet; try again later
        self.result.kills[what] += 1
        if waiting and self._random.random() < _MEASURED_SHARE:
            message = self._board.wait_for_message(posts, _STUCK_SECONDS)
            if message is not None:
                self.result.recovery[what].append(message.at - at)
        return life

    def _victim(self) -> str:
        ahead = self.result.kills["studio"] - self.result.kills["worker"]
        if abs(ahead) >= _MOST_AHEAD:
            return "worker" if ahead > 0 else "studio"
        return "worker" if self._random.random() < _WORKER_SHARE else "studio"

    def _wish(self) -> dict[str, object]:
        number = len(self._wanted)
        prompt = f"a street, take {number}"
        if number % _POISON_EVERY == _POISON_EVERY // 3:
            prompt = pasting.POISON
        elif number % _STRANGER_EVERY == _STRANGER_EVERY // 2:
            prompt = f"{pasting.STRANGER}, take {number}"
        request: dict[str, object] = {
            "key": f"wish {number}",
            "member": 10 + number % _MEMBERS,
            "prompt": prompt,
        }
        self._wanted[f"wish {number}"] = request
        return request

    def _hear(self, life: Life) -> None:
        self.result.acknowledged |= life.acks

    def _waiting(self) -> int:
        """How many requests were made that are not posted yet."""
        return max(0, len(self._wanted) - len(self._board.messages()))

    def _calm(self, life: Life) -> None:
        """Wait until every request is acknowledged and nothing waits any more."""
        for key, request in self._wanted.items():
            if key not in self.result.acknowledged:
                life.send(request)
        before, until = None, 0.0
        while True:
            self._hear(life)
            now = (len(self.result.acknowledged), self._unfinished())
            if self.result.acknowledged >= self._wanted.keys() and not now[1]:
                return
            if now != before:
                before, until = now, time.monotonic() + _STUCK_SECONDS
            if time.monotonic() > until:
                return
            time.sleep(0.05)

    def _end(self) -> None:
        """Leave nothing behind, whatever happened; what has to be killed here is an orphan."""
        if self._life is not None:
            self._life.end()
        self.result.orphans = end_orphans(self._leaders)

    # --- judging ----------------------------------------------------------------------------

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        path = self._folder / "data" / DATABASE_NAME
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.row_factory = sqlite3.Row
            yield connection

    def _unfinished(self) -> list[str]:
        """Whatever the ledger still has to do, in words."""
        with self._database() as db:
            return [
                f"{row['what']} {row['id']} is {row['status']}"
                for row in db.execute(
                    "SELECT 'job' AS what, id, status FROM job WHERE status IN (?, ?) "
                    "UNION ALL SELECT 'panel', id, status FROM panel WHERE status IN (?, ?) "
                    "UNION ALL SELECT 'post', id, status FROM outbox WHERE status <> 'posted'",
                    (*_LIVE, *_LIVE),
                )
            ]

    def _judge(self) -> None:
        result = self.result
        result.stuck = self._unfinished()
        with self._database() as db:
            jobs = db.execute("SELECT dedupe_key, panel_id, status, fence FROM job").fetchall()
            (result.repeated,) = db.execute("SELECT sum(tries > 1) FROM outbox").fetchone()
            reviews = dict(db.execute("SELECT id, panel_id FROM review").fetchall())
        result.outcomes = Counter(row["status"] for row in jobs)
        result.outcomes.update(message.kind for message in self._board.messages())
        result.interrupted = sum(max(0, row["fence"] - 1) for row in jobs)
        posts = Counter(
            reviews[message.subject] if message.kind == "review_thread" else message.subject
            for message in self._board.messages()
            if message.kind in _OUTCOMES
        )
        nonces = Counter(message.nonce for message in self._board.messages())
        panels: dict[str, list[int]] = {}
        for row in jobs:
            panels.setdefault(row["dedupe_key"], []).append(row["panel_id"])
        result.lost = sorted(
            key
            for key in result.acknowledged
            if not any(posts[panel_id] for panel_id in panels.get(key, []))
        )
        result.doubled = [
            *(f"panel {panel} has {count} outcomes" for panel, count in posts.items() if count > 1),
            *(f"{nonce} was posted {count} times" for nonce, count in nonces.items() if count > 1),
            *(f"{key} became {len(ids)} panels" for key, ids in panels.items() if len(ids) > 1),
        ]


def run_crashes(folder: Path, kills: int, seed: int) -> CrashResult:
    """Kill so many processes, at moments that ``seed`` decides, and say what came of it.

    Args:
        folder: an empty one; the data and ``studio.log`` stay in it.
        kills: of studio and worker together.
        seed: of the moments and of the board's misbehaviour.
    """
    pasting.install(folder / "packages")
    with open_board(seed) as board:
        return CrashRun(folder, board, seed).go(kills)
