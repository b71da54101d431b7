"""A process that is killed while it erases has erased all of a person, or nothing."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage import privacy
from storage.database import open_database
from storage.doomed import COPIES, doomed_files

ANN = 700_000_000_000_000_021
ROUNDS = 5

# Erases when it is told to, says so when it is acknowledged, and waits to be killed.
CHILD = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from storage.database import open_database
from storage.privacy import forget_member

async def main():
    async with open_database(Path(sys.argv[1])) as db:
        print("ready", flush=True)
        sys.stdin.readline()
        await db.write(lambda tx: forget_member(tx, guild_id=1, member_id=int(sys.argv[2]),
            references=True, now=datetime.now(UTC)))
        print("done", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def fill(tx: sqlite3.Connection, build: Any) -> None:
    """A person with many votes, panels and pictures."""
    made = build.everything(tx, 1)
    tx.execute("UPDATE reference SET added_by = ?", (ANN,))
    for number in range(300):
        panel = build.panel(tx, 1, made.series_id)
        tx.execute("UPDATE panel SET requester_id = ? WHERE id = ?", (ANN, panel))
        build.job(tx, 1, panel, f"many:{number}", member_id=ANN)
        tx.execute(
            "INSERT INTO vote VALUES (1, ?, ?, ?, '2031')", (panel, ANN, made.candidate_ids[0])
        )


def erase_until_killed(path: Path, pause: float) -> bool:
    """Kill the eraser ``pause`` seconds after it began; whether it had acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(ANN)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("\n")
        child.stdin.flush()
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        said = child.stdout.read()
    return said == "done\n"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
async def test_all_of_a_person_or_nothing_goes(database_path: Path, build: Any) -> None:
    async with open_database(database_path) as db:
        await db.write(lambda tx: fill(tx, build))
        held = await privacy.rows_of_member(db, 1, ANN)
    rng = random.Random()
    for number in range(ROUNDS):
        last = number == ROUNDS - 1
        acknowledged = erase_until_killed(database_path, 2.0 if last else rng.uniform(0, 0.08))
        with closing(sqlite3.connect(database_path)) as check:
            assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert check.execute("PRAGMA foreign_key_check").fetchall() == []
        async with open_database(database_path) as db:
            left = await privacy.rows_of_member(db, 1, ANN)
            doomed = [file.name for file in await doomed_files(db)]
            if left:
                assert not acknowledged
                assert left == held, "half of a person went"
                assert doomed == []
            else:
                assert await privacy.traces_of_member(db, 1, ANN) == []
                assert COPIES in doomed, "what has to go is written down for the next start"
                return
    pytest.fail("nothing was ever erased")
