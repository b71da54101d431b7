"""``onmodel bench interactions``: how soon people are answered while a worker draws.

The real client, services, queue, worker process and SQLite; only Discord is simcord's, in this
process. Discord forgets an interaction that is not answered within three seconds.
"""

import asyncio
import gc
import tempfile
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.bench.crowd import Answer, Crowd, Order, crowd
from bot.bench.figures import Figure, publish
from bot.watch import LoopWatch

DEADLINE = 3.0
"""Seconds until Discord forgets an interaction. Source: Discord, Receiving and Responding."""
_OURS = ("bot", "cogs", "storage", "pipeline", "discord")
_WARM = 0.2
_MIXTURE = (
    Order("queue show"),
    Order("character list"),
    Order("panel status", {"panel": 1}),
    Order("panel recipe", {"panel": 1}),
)


@dataclass(frozen=True, slots=True)
class InteractionPlan:
    """How many members, of whom so many ask and vote, and how many commands follow."""

    members: int = 200
    requests: int = 50
    voters: int = 30
    repeats: int = 10_000


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured: answers by kind, seconds of loop lag, votes that were counted."""

    requests: Sequence[Answer]
    votes: Sequence[Answer]
    looks: Sequence[Answer]
    worst_lag: float
    counted: int
    drawing: bool


def bench_interactions(plan: InteractionPlan, json_file: Path | None = None) -> int:
    """Measure, print, and write the figures; returns 0 if every interaction was answered."""
    load, growth = asyncio.run(_measure(plan))
    answers = (*load.requests, *load.votes, *load.looks)
    figures = [*_figures(load), _growth_figure(growth, plan.repeats)]
    publish(figures, json_file)
    return 0 if all(a.seconds is not None for a in answers) and load.counted == plan.voters else 1


async def _measure(plan: InteractionPlan) -> tuple[Load, float]:
    with tempfile.TemporaryDirectory(prefix="onmodel-bench-") as name:
        async with crowd(Path(name), plan.members) as people, LoopWatch().watching() as watch:
            load = await _rush(people, plan, watch)
            await people.drawn()
            growth = await _grind(people, plan.repeats)
    return load, growth


async def _rush(people: Crowd, plan: InteractionPlan, watch: LoopWatch) -> Load:
    """Everybody at once: requests, then votes and looks at the queue while panels are drawn."""
    watch.worst = 0.0
    ask = Order("panel request", {"characters": "Mira", "prompt": "She waves.", "alternates": 2})
    requests = await people.all_at_once([(n, ask) for n in range(plan.requests)])
    card = await people.first_card()
    drawing = await people.is_drawing()
    votes = await people.vote_at_once(card, range(plan.voters))
    look = Order("queue show")
    looks = await people.all_at_once([(n, look) for n in range(plan.voters)])
    drawing = drawing and await people.is_drawing()
    await people.settled()
    return Load(requests, votes, looks, watch.worst, await people.votes(card), drawing)


async def _grind(people: Crowd, repeats: int) -> float:
    """Bytes that our code and discord.py hold on to after each further interaction.

    What simcord remembers as Discord is thrown away as it goes. The first fifth fills caches that
    have a limit and does not count.
    """
    warm = max(1, int(repeats * _WARM))
    await _commands(people, warm)
    tracemalloc.start()
    try:
        await _commands(people, max(1, warm // 2))
        before = _held()
        await _commands(people, repeats - warm)
        return (_held() - before) / max(1, repeats - warm)
    finally:
        tracemalloc.stop()


async def _commands(people: Crowd, count: int) -> None:
    for number in range(count):
        order = _MIXTURE[number % len(_MIXTURE)]
        await people.all_at_once([(number % people.members, order)])
        if number % 50 == 0:
            await people.settled()
            people.forget()
    await people.settled()
    people.forget()


def _held() -> int:
    gc.collect()
    wanted = [tracemalloc.Filter(True, f"*/{room}/*") for room in _OURS]
    traces = tracemalloc.take_snapshot().filter_traces(wanted).statistics("filename")
    return sum(trace.size for trace in traces)


def _figures(load: Load) -> list[Figure]:
    figures = []
    for kind, answers in (
        ("request", load.requests),
        ("vote", load.votes),
        ("look", load.looks),
    ):
        seconds = sorted(a.seconds for a in answers if a.seconds is not None)
        lost = len(answers) - len(seconds)
        name = f"interactions.{kind}"
        n = len(answers)
        figures.append(Figure(f"{name}.unanswered", lost, "count", "lower", target=0, n=n))
        for label, share in (("p50", 0.5), ("p95", 0.95), ("slowest", 1.0)):
            if seconds:
                value = seconds[min(len(seconds) - 1, int(share * len(seconds)))]
                figures.append(Figure(f"{name}.{label}", value, "s", "lower", target=1.0, n=n))
        if seconds:
            share = seconds[-1] / DEADLINE
            peer = "Discord's deadline of 3 s"
            figures.append(Figure(f"{name}.slowest_of_deadline", share, "ratio", "lower",
                                  target=1 / 3, peer=peer, n=n))  # fmt: skip
    figures.append(Figure("interactions.worst_loop_lag", load.worst_lag, "s", "lower", target=1.0))
    figures.append(
        Figure("interactions.votes_counted", load.counted, "count", "higher",
               target=len(load.votes), n=len(load.votes))
    )  # fmt: skip
    figures.append(
        Figure("interactions.worker_was_busy", float(load.drawing), "count", "higher", target=1)
    )
    return figures


def _growth_figure(per_interaction: float, repeats: int) -> Figure:
    return Figure(
        "interactions.memory.held_per_interaction", per_interaction, "B", "lower",
        target=64, n=repeats,
    )  # fmt: skip
