"""A paused series loses nothing, holds up nobody and outlives a kill; moves and the host's pause."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.errors import NotFound, WrongState
from storage import jobs, steering
from storage.database import Database, open_database
from storage.guild_rows import guild_rows, load_guild_rows

CHILD = """
import asyncio, sys
from pathlib import Path
from storage import steering
from storage.database import open_database

async def main():
    async with open_database(Path(sys.argv[1])) as db:
        held = await db.write(lambda tx: steering.pause_series(
            tx, guild_id=1, series_id=int(sys.argv[2]), reason="later", now=1.0))
        print(held, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def pause_and_be_killed(path: Path, series_id: int) -> int:
    """Let a process pause a series, and kill it once it says how many jobs are held."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(series_id)],
        stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], text=True,
    )  # fmt: skip
    with child:
        assert child.stdout is not None
        held = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
    return held


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
async def test_an_acknowledged_pause_survives_kill_nine(database_path: Path, build: Any) -> None:
    async with open_database(database_path) as db:
        made = await db.write(lambda tx: build.everything(tx, 1))
    assert pause_and_be_killed(database_path, made.series_id) == 1
    async with open_database(database_path) as db:
        assert await db.write(_claim) is None
        (held,) = await jobs.held_jobs(db, 1)
        assert held.id == made.queued_job
        await db.write(lambda tx: steering.resume_series(tx, guild_id=1, series_id=made.series_id))
        taken = await db.write(_claim)
        assert taken is not None
        assert taken.id == made.queued_job


async def test_while_one_series_pauses_others_are_served(db: Database, build: Any) -> None:
    mine = await db.write(lambda tx: build.everything(tx, 1))
    theirs = await db.write(lambda tx: build.everything(tx, 2))
    await db.write(lambda tx: _pause(tx, mine))
    taken = await db.write(_claim)
    assert taken is not None
    assert taken.id == theirs.queued_job
    assert await db.write(_claim) is None
    assert await jobs.place_of(db, mine.queued_job) is None, "it stands nowhere while it is held"
    # what runs is finished and, given back, is held as well
    await db.write(lambda tx: _pause(tx, theirs))
    status = await db.write(
        lambda tx: jobs.requeue(tx, job_id=taken.id, fence=taken.fence, now=3.0)
    )
    assert status == "queued"
    assert [job.id for job in await jobs.held_jobs(db, 2)] == [taken.id]
    # what is asked for meanwhile is held, what is cancelled leaves
    answer = await db.write(
        lambda tx: jobs.request_cancel(tx, guild_id=1, panel_id=mine.queued_panel, now=4.0)
    )
    assert answer == "cancelled"
    waiting = await db.fetch_all("SELECT waiting FROM share WHERE waiting <> 0")
    assert waiting == []


async def test_what_ran_where_a_server_comes_from_is_held_where_it_goes(
    db: Database, build: Any, tmp_path: Path
) -> None:
    made = await db.write(lambda tx: build.everything(tx, 1))
    await db.write(lambda tx: _pause(tx, made))
    rows = [row async for row in guild_rows(db, 1)]
    async with open_database(tmp_path / "other.db") as other:
        await other.write(
            lambda tx: tx.execute(
                "INSERT INTO guild (guild_id, wrapped_key, created_at) VALUES (1, x'00', '')"
            )
        )
        await other.write(lambda tx: load_guild_rows(tx, guild_id=1, rows=rows))
        held = {job.id for job in await jobs.held_jobs(other, 1)}
        assert held == {made.job_id, made.queued_job}, "one ran, one waited"
        assert await other.write(_claim) is None


async def test_another_guilds_series_cannot_be_steered(db: Database, build: Any) -> None:
    theirs = await db.write(lambda tx: build.everything(tx, 2))
    await db.write(lambda tx: build.everything(tx, 1))
    for deed in (
        lambda tx: steering.pause_series(
            tx, guild_id=1, series_id=theirs.series_id, reason="", now=1.0
        ),
        lambda tx: steering.resume_series(tx, guild_id=1, series_id=theirs.series_id),
    ):
        with pytest.raises(NotFound):
            await db.write(deed)
    with pytest.raises(WrongState):
        await db.write(
            lambda tx: steering.move(tx, guild_id=1, panel_id=theirs.queued_panel, first=True)
        )


async def test_the_host_lets_nothing_begin(db: Database, build: Any) -> None:
    await db.write(lambda tx: build.everything(tx, 1))
    await db.write(lambda tx: steering.pause_host(tx, "a new card"))
    assert await steering.host_pause(db) == "a new card"
    assert await db.write(_claim) is None
    assert await db.write(steering.resume_host)
    assert not await db.write(steering.resume_host)
    assert await db.write(_claim) is not None


def _pause(tx: Any, made: Any) -> int:
    return steering.pause_series(
        tx, guild_id=made.guild_id, series_id=made.series_id, reason="", now=2.0
    )


def _claim(tx: Any):
    return jobs.claim(tx, owner="w", lease_seconds=60, now=2.0)
