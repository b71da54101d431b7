"""The studio and its worker are killed at random moments: nothing is lost, nothing is doubled.

Real processes, a real ledger on disk, posts over HTTP; ``onmodel bench queue --crashes N`` runs the
same for more kills.
"""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.app import DATABASE_NAME
from bot.bench import pasting
from bot.bench.board import open_board
from bot.bench.crashes import run_crashes
from bot.bench.life import Life, end_orphans
from bot.services.runs import MAX_CRASHES

KILLS, SEED = 20, 1

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="looks for orphans in /proc"
)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_acknowledged_request_ends_in_one_outcome_and_one_post(tmp_path):
    result = run_crashes(tmp_path, KILLS, SEED)
    sys.stdout.write((tmp_path / "studio.log").read_text(encoding="utf-8")[-4000:])
    assert result.kills.total() >= KILLS
    assert min(result.kills["studio"], result.kills["worker"]) >= 5
    assert len(result.acknowledged) >= 12
    assert result.lost == []
    assert result.doubled == []
    assert result.stuck == []
    assert result.orphans == []
    # The run means something only if work was interrupted, and was done all the same.
    assert result.interrupted > 0
    assert result.outcomes["done"] > 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sigterm_in_the_middle_ends_well_and_the_next_life_goes_on(tmp_path):
    pasting.install(tmp_path / "packages")
    wishes = [{"key": f"wish {n}", "member": n, "prompt": f"take {n}"} for n in range(1, 5)]
    with open_board(SEED) as board:
        first = Life(tmp_path, board.url)
        try:
            first.wait_until_ready()
            for wish in wishes:
                first.send(wish)
            assert board.wait_for_message(0, 60) is not None
            assert first.stop() == 0  # within the ten seconds that it has
        finally:
            first.end()
        assert end_orphans([first.pid]) == []
        second = Life(tmp_path, board.url)
        try:
            for wish in wishes:
                second.send(wish)
            assert board.wait_for_message(len(wishes) - 1, 60) is not None
            assert second.stop() == 0
        finally:
            second.end()
        assert end_orphans([second.pid]) == []
        nonces = [message.nonce for message in board.messages()]
    assert len(set(nonces)) == len(nonces) == len(wishes)
    with closing(sqlite3.connect(tmp_path / "data" / DATABASE_NAME)) as db:
        jobs = db.execute("SELECT status, crashes FROM job").fetchall()
    assert jobs == [("done", 0)] * len(wishes)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_worker_alone_may_die_again_and_again(tmp_path):
    """A job that kills its worker each time is given up, and the others are made."""
    pasting.install(tmp_path / "packages")
    prompts = ["take 1", pasting.POISON, "take 2"]
    with open_board(SEED) as board:
        life = Life(tmp_path, board.url)
        try:
            for number, prompt in enumerate(prompts, 1):
                life.send({"key": f"wish {number}", "member": number, "prompt": prompt})
            assert board.wait_for_message(len(prompts) - 1, 120) is not None
            assert len(life.workers) > MAX_CRASHES
            assert life.stop() == 0
        finally:
            life.end()
        kinds = sorted(message.kind for message in board.messages())
    assert kinds == ["panel_failed", "vote_card", "vote_card"]
