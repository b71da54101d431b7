"""Dead owners of leases are told from living ones by what the kernel knows."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.queue.presence import Presence

ROOT = Path(__file__).parents[2]
LIVE = """
import sys, time
from pathlib import Path
from bot.queue.presence import Presence

with Presence(Path(sys.argv[1])) as presence:
    print(presence.name, flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process with a presence; leaving the context ends it gracefully if it still lives."""
    with subprocess.Popen(
        [sys.executable, "-c", LIVE, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        yield process, process.stdout.readline().strip()


def test_a_killed_process_is_dead_at_once(tmp_path):
    with Presence(tmp_path) as mine, other_process(tmp_path) as (process, name):
        assert mine.dead([name]) == []
        process.kill()
        process.wait()
        assert mine.dead([name]) == [name]
        mine.forget([name])
        assert mine.dead([name]) == []
        assert len(list(tmp_path.iterdir())) == 1


def test_a_process_that_ended_well_leaves_nothing(tmp_path):
    with other_process(tmp_path) as (process, name):
        process.stdin.close()
        assert process.wait() == 0
    assert list(tmp_path.iterdir()) == []
    assert Presence(tmp_path).dead([name]) == []


def test_two_of_one_process_tell_each_other_alive_and_have_two_names(tmp_path):
    with Presence(tmp_path) as first, Presence(tmp_path) as second:
        assert first.name != second.name
        assert first.dead([first.name, second.name]) == []


def test_a_name_from_another_machine_is_left_to_its_lease(tmp_path):
    assert Presence(tmp_path).dead(["elsewhere:1:0123456789abcdef"]) == []


def test_without_a_folder_for_locks_the_leases_decide(tmp_path, caplog):
    (tmp_path / "file").touch()
    with Presence(tmp_path / "file" / "owners") as presence:
        assert presence.dead(["elsewhere:1:0123456789abcdef"]) == []
    assert "leases decide alone" in caplog.text
