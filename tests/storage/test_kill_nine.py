"""A process that is killed at a random moment has kept every vote that it acknowledged."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage.database import open_database

ROUNDS = 10

# Eight people vote at once, over and over; a vote's number is printed when it is acknowledged.
CHILD = """
import asyncio, itertools, sys
from pathlib import Path
from storage.database import open_database
from storage.votes import cast_vote

path, first, panel, candidate = Path(sys.argv[1]), *map(int, sys.argv[2:])

async def main():
    numbers = itertools.count(first)
    async with open_database(path) as db:
        async def person():
            while True:
                member = next(numbers)
                await db.write(lambda tx: cast_vote(tx, guild_id=1, panel_id=panel,
                    member_id=member, candidate_id=candidate, now=1.0))
                sys.stdout.write(f"{member}\\n")
                sys.stdout.flush()
        await asyncio.gather(*(person() for _ in range(8)))

asyncio.run(main())
"""


def vote_until_killed(path: Path, first: int, made: Any, rng: random.Random) -> list[int]:
    """Start a voter, kill it somewhere in its work, return what it acknowledged."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            CHILD,
            str(path),
            str(first),
            str(made.panel_id),
            str(made.candidate_ids[0]),
        ],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert child.stdout is not None
    with child:
        lines = [child.stdout.readline()]
        assert lines[0], "the voter never voted"
        killer = threading.Timer(rng.uniform(0.0, 0.12), os.kill, (child.pid, signal.SIGKILL))
        killer.start()
        lines += child.stdout.readlines()
        killer.join()
    assert child.returncode == -signal.SIGKILL
    return [int(line) for line in lines if line.endswith("\n")]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
async def test_acknowledged_votes_survive_kill_nine(database_path: Path, build: Any) -> None:
    rng = random.Random()
    async with open_database(database_path) as db:
        made = await db.write(lambda tx: build.everything(tx, 1))
    acknowledged: list[int] = []
    for number in range(ROUNDS):
        acknowledged += vote_until_killed(database_path, 1_000_000 * (number + 1), made, rng)
        with closing(sqlite3.connect(database_path)) as check:
            assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            stored = {row[0] for row in check.execute("SELECT member_id FROM vote")}
        assert not set(acknowledged) - stored
    assert len(acknowledged) > ROUNDS * 8
    # And the next start works on it as if nothing had happened.
    async with open_database(database_path) as db:
        assert len(await db.fetch_all("SELECT 1 FROM vote")) >= len(acknowledged)
