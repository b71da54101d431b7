"""The worker process: it may die in any way, and nothing of that reaches its parent."""

import asyncio
import importlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from pickle import PicklingError
from types import ModuleType

import pytest

from bot.queue.executors.base import WorkerCrashed, WorkerUnavailable
from bot.queue.executors.local import LocalExecutor, LocalLimits
from pipeline.domain.errors import Cancelled, GenerationFailed, MissingReference

HERE = Path(__file__).parent


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(HERE)  # a spawned worker inherits it and imports the work by name
    return importlib.import_module("scripted_work")


@pytest.fixture
async def executor(scripts: ModuleType):
    executor = LocalExecutor(scripts.factory, LocalLimits(start=60, cancel=20, stop=10))
    yield executor
    await executor.stop()


async def make(executor: LocalExecutor, inputs, progress=None, cancelled=None):
    return await executor.run(
        inputs,
        on_progress=progress or (lambda *_: None),
        cancelled=cancelled or asyncio.Event(),
    )


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie is dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def poll(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.01)


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(poll, condition)


async def test_runs_one_panel_after_another_in_one_other_process(executor, scripts):
    first = await make(executor, scripts.inputs("pid"))
    second = await make(executor, scripts.inputs("pid"))
    assert first.seconds == second.seconds == executor.pid
    assert executor.pid != os.getpid()


async def test_megabytes_travel_both_ways(executor, scripts):
    inputs = replace(scripts.inputs("size"), style="x" * (8 << 20))
    assert (await make(executor, inputs)).seconds == 8 << 20
    assert len((await make(executor, scripts.inputs(f"draw {8 << 20}"))).evidence) == 8 << 20


async def test_progress_arrives_in_order_on_the_loop(executor, scripts):
    seen: list[tuple[float, str]] = []
    await make(executor, scripts.inputs("report 5"), lambda *step: seen.append(step))
    assert seen == [(number / 5, f"step {number}") for number in range(5)]


async def test_the_workers_log_reaches_the_parents_log(executor, scripts, caplog):
    with caplog.at_level(logging.WARNING):
        await make(executor, scripts.inputs("log paper is short"))
    assert ("scripted", logging.WARNING, "paper is short") in caplog.record_tuples


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("segfault", "SIGSEGV"),
        ("abort", "SIGABRT"),
        ("kill", "memory ran out"),
        ("exit 3", "exit status 3"),
        ("leave 4", "exit status 4"),
        ("memory", "ran out of memory"),
    ],
)
async def test_a_crash_is_told_and_the_next_run_gets_a_new_process(
    executor, scripts, script, sentence
):
    before = (await make(executor, scripts.inputs("pid"))).seconds
    with pytest.raises(WorkerCrashed, match=sentence) as crash:
        await make(executor, scripts.inputs(script))
    assert not isinstance(crash.value, WorkerUnavailable)
    assert not alive(int(before))
    assert (await make(executor, scripts.inputs("pid"))).seconds not in (before, os.getpid())


async def test_an_idle_worker_that_dies_is_replaced(executor, scripts):
    await executor.start()
    pid = executor.pid
    os.kill(pid, signal.SIGKILL)
    await until(lambda: executor.pid is None)
    assert (await make(executor, scripts.inputs("pid"))).seconds != pid


async def test_errors_for_people_keep_class_and_text(executor, scripts):
    with pytest.raises(MissingReference, match=r"^Add a picture of Akira\.$"):
        await make(executor, scripts.inputs("missing Add a picture of Akira."))
    with pytest.raises(GenerationFailed, match=r"^No ink\.$"):
        await make(executor, scripts.inputs("fail No ink."))


async def test_an_error_that_cannot_be_pickled_keeps_its_text(executor, scripts):
    with pytest.raises(GenerationFailed, match=r"^Akira cannot fly; try another\.$"):
        await make(executor, scripts.inputs("talk fly"))


async def test_a_bug_becomes_a_sentence_and_its_traceback_goes_to_the_log(
    executor, scripts, caplog
):
    pid = (await make(executor, scripts.inputs("pid"))).seconds
    with pytest.raises(GenerationFailed, match="ZeroDivisionError") as failure:
        await make(executor, scripts.inputs("bug"))
    assert "secret" not in str(failure.value)
    assert "secret /path" in caplog.text
    assert "Traceback" in caplog.text
    assert executor.pid == pid  # a Python error is no reason to load the model again


async def test_a_result_that_cannot_be_sent_is_a_failure_not_a_hang(executor, scripts):
    with pytest.raises(GenerationFailed):
        await make(executor, scripts.inputs("lambda"))
    assert await make(executor, scripts.inputs("draw")) is not None


async def test_inputs_that_cannot_be_sent_fail_the_run_only(executor, scripts):
    inputs = replace(scripts.inputs("draw"), earlier={"panel 1": lambda: 0})
    with pytest.raises((TypeError, AttributeError, PicklingError)):
        await make(executor, inputs)
    assert await make(executor, scripts.inputs("draw")) is not None


async def test_a_cancel_is_obeyed_by_the_work(executor, scripts, tmp_path):
    cancelled = asyncio.Event()
    run = asyncio.create_task(
        make(executor, scripts.inputs(f"wait {tmp_path / 'flag'}"), cancelled=cancelled)
    )
    await until((tmp_path / "flag").exists)
    pid = executor.pid
    cancelled.set()
    with pytest.raises(Cancelled, match="as asked"):
        await run
    assert (await make(executor, scripts.inputs("pid"))).seconds == pid


async def test_a_cancel_before_the_start_is_obeyed_too(executor, scripts, tmp_path):
    cancelled = asyncio.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        await make(executor, scripts.inputs(f"wait {tmp_path / 'flag'}"), cancelled=cancelled)


async def test_a_worker_that_ignores_a_cancel_is_killed(scripts, tmp_path):
    executor = LocalExecutor(scripts.factory, LocalLimits(cancel=0.1))
    cancelled = asyncio.Event()
    run = asyncio.create_task(
        make(executor, scripts.inputs(f"stubborn {tmp_path / 'flag'}"), cancelled=cancelled)
    )
    await until((tmp_path / "flag").exists)
    pid = executor.pid
    cancelled.set()
    with pytest.raises(Cancelled):
        await run
    assert not alive(pid)
    assert (await make(executor, scripts.inputs("pid"))).seconds != pid
    await executor.stop()


async def test_a_hanging_run_is_ended_by_its_limit(scripts, tmp_path):
    executor = LocalExecutor(scripts.factory, LocalLimits(run=0.2))
    with pytest.raises(WorkerCrashed, match="took longer"):
        await make(executor, scripts.inputs(f"stubborn {tmp_path / 'flag'}"))
    assert executor.pid is None
    await executor.stop()


async def test_abandoning_a_run_ends_its_process(executor, scripts, tmp_path):
    run = asyncio.create_task(make(executor, scripts.inputs(f"stubborn {tmp_path / 'flag'}")))
    await until((tmp_path / "flag").exists)
    pid = executor.pid
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not alive(pid)


async def test_stop_leaves_no_process_even_in_the_middle_of_a_run(scripts, tmp_path):
    executor = LocalExecutor(scripts.factory, LocalLimits(stop=0.1))
    run = asyncio.create_task(make(executor, scripts.inputs(f"stubborn {tmp_path / 'flag'}")))
    await until((tmp_path / "flag").exists)
    pid = executor.pid
    await executor.stop()
    assert not alive(pid)
    with pytest.raises(WorkerCrashed):
        await run
    await executor.stop()  # twice is fine


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("dying_factory", WorkerUnavailable, "killed"),
        ("missing_factory", MissingReference, "choose another"),
    ],
)
async def test_a_worker_that_cannot_be_built_says_why(scripts, name, kind, sentence):
    executor = LocalExecutor(getattr(scripts, name))
    for _ in range(2):
        with pytest.raises(kind, match=sentence):
            await executor.start()
    await executor.stop()
    assert executor.pid is None


async def test_a_worker_that_never_gets_ready_is_given_up(scripts):
    executor = LocalExecutor(scripts.hanging_factory, LocalLimits(start=0.2))
    with pytest.raises(WorkerUnavailable, match="too long"):
        await executor.start()
    assert executor.pid is None
    await executor.stop()


async def test_ctrl_c_and_sigterm_are_the_parents_business(executor, scripts):
    pid = int((await make(executor, scripts.inputs("pid"))).seconds)
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGTERM)
    assert (await make(executor, scripts.inputs("pid"))).seconds == pid


async def test_the_event_loop_stays_free_while_megabytes_travel(executor, scripts):
    """The loop turns many times during one run: nothing blocks it."""
    await executor.start()
    run = asyncio.create_task(make(executor, scripts.inputs(f"draw {32 << 20}")))
    turns = 0
    while not run.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(run.result().evidence) == 32 << 20
    assert turns > 10


PARENT = """
import asyncio, sys
sys.path.insert(0, {here!r})
import scripted_work
from bot.queue.executors.local import LocalExecutor

async def main():
    executor = LocalExecutor(scripted_work.factory)
    await executor.start()
    print(executor.pid, flush=True)
    {then}

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.parametrize(
    "then",
    [
        "await asyncio.sleep(600)",
        "await executor.run(scripted_work.inputs('stubborn {flag}'), on_progress=print,"
        " cancelled=asyncio.Event())",
    ],
    ids=["idle", "busy"],
)
def test_the_worker_dies_with_a_killed_parent(tmp_path, then):
    flag = tmp_path / "flag"
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(here=str(HERE), then=then.format(flag=flag)), encoding="utf-8")
    parent = start_parent(script)
    pid = int(parent.stdout.readline())
    poll(lambda: "stubborn" not in then or flag.exists())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    poll(lambda: not alive(pid))


def test_a_parent_that_forgets_to_stop_still_ends(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(here=str(HERE), then=""), encoding="utf-8")
    parent = start_parent(script)
    pid = int(parent.stdout.readline())
    assert parent.wait(60) == 0
    parent.stdout.close()
    assert not alive(pid)


def start_parent(script: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
    )
