"""The queue runs in front of any front end: it loads neither Discord nor an engine."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
import bot.queue.dispatcher, bot.queue.executors.local, bot.queue.outbox
print(sorted({"discord", "torch", "PIL", "onnxruntime", "ray"} & sys.modules.keys()))
"""


def test_the_queue_loads_neither_discord_nor_an_engine():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
