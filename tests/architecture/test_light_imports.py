"""What importing the command line costs, measured in fresh interpreters."""

import json
import subprocess
import sys

import pytest

_PROBE = """
import json, sys, time
started = time.perf_counter()
import {module}
print(json.dumps({{"seconds": time.perf_counter() - started, "modules": sorted(sys.modules)}}))
"""


def _probe(module: str) -> dict:
    result = subprocess.run(
        [sys.executable, "-c", _PROBE.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(result.stdout)


def test_the_command_line_loads_nothing_heavy():
    modules = {name.partition(".")[0] for name in _probe("bot.cli")["modules"]}
    assert modules.isdisjoint({"torch", "diffusers", "discord", "numpy", "PIL", "onnxruntime"})


def test_the_command_line_imports_fast():
    # The best of several, because the machine is shared; the bound is the promise to users.
    assert min(_probe("bot.cli")["seconds"] for _ in range(5)) < 0.5


@pytest.mark.parametrize("module", ["pipeline.runner", "bot.app", "bot.queue.dispatcher"])
def test_rooms_below_discord_do_not_load_it(module: str):
    modules = {name.partition(".")[0] for name in _probe(module)["modules"]}
    assert modules.isdisjoint({"torch", "diffusers", "discord"})
