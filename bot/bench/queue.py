"""``onmodel bench queue``: nothing lost or doubled, quick claims, fair turns, times that hold."""

import asyncio
import tempfile
from pathlib import Path

from bot.bench.claims import measure_claims
from bot.bench.crashes import CrashResult, run_crashes
from bot.bench.figures import Figure, publish
from bot.bench.turns import turn_figures
from bot.bench.waiting import waiting_figures

_SEED = 20


def bench_queue(
    crashes: int = 20, json_file: Path | None = None, seed: int = _SEED, part: str | None = None
) -> int:
    """Measure, print, and write the figures.

    Args:
        crashes: how many processes to kill.
        json_file: where the figures go, or None.
        seed: of the moments of the kills.
        part: ``crashes``, ``claims``, ``turns`` or ``times``; None for all.

    Returns:
        0 if nothing was lost, doubled, stuck or orphaned, else 1.
    """
    result, figures = None, []
    with tempfile.TemporaryDirectory(prefix="onmodel-bench-") as name:
        folder = Path(name)
        if part in (None, "crashes"):
            result = run_crashes(folder, crashes, seed)
            figures += crash_figures(result)
        if part in (None, "claims"):
            figures += measure_claims(folder)
    if part in (None, "turns"):
        figures += turn_figures()
    if part in (None, "times"):
        figures += asyncio.run(waiting_figures())
    publish(figures, json_file)
    if result is None:
        return 0
    for trouble in (*result.lost, *result.doubled, *result.stuck):
        print(f"  {trouble}")  # noqa: T201 - the output of a command
    broken = (*result.lost, *result.doubled, *result.stuck, *result.orphans)
    return 1 if broken or result.stop_status != 0 else 0


def crash_figures(result: CrashResult) -> list[Figure]:
    """The promises as counts that should be 0, and how long a recovery takes."""
    kills, asked = result.kills.total(), len(result.acknowledged)
    promises = {
        "lost": (len(result.lost), asked),
        "doubled": (len(result.doubled), asked),
        "stuck": (len(result.stuck), asked),
        "orphans": (len(result.orphans), kills),
    }
    figures = [
        Figure(f"queue.crashes.{name}", value, "count", "lower", target=0, n=n)
        for name, (value, n) in promises.items()
    ]
    for what, seconds in result.recovery.items():
        median = result.median_recovery(what)
        if median is not None:
            name = f"queue.crashes.recovery.{what}"
            figures.append(Figure(name, median, "s", "lower", n=len(seconds)))
    figures.append(Figure("queue.stop.seconds", result.stop_seconds, "s", "lower", target=10))
    return figures
