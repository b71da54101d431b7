"""The queue's benchmark: its figures say what they mean, in the agreed form."""

import json
from collections import Counter

import numpy as np

from bot.bench.claims import GUILDS, measure_claims
from bot.bench.crashes import CrashResult
from bot.bench.figures import Figure, publish
from bot.bench.queue import crash_figures
from bot.bench.turns import requests, serve, turn_figures
from bot.bench.waiting import evening, made_up

FIELDS = {"name", "value", "unit", "better", "target", "peer", "n", "interval"}


def test_claims_are_compared_with_a_named_peer_and_shared_fairly(tmp_path):
    figures = {figure.name: figure for figure in measure_claims(tmp_path, backlog=700, claims=64)}
    ratio = figures["queue.claim.ratio"]
    low, high = ratio.interval
    assert 0 < low <= ratio.value <= high
    assert "without index" in ratio.peer
    # nine in ten jobs are one guild's and came first; yet every guild is served in the first round
    assert figures["queue.fair.claims_until_all_served"].value == GUILDS


def test_crash_figures_count_what_broke():
    result = CrashResult(
        kills=Counter(studio=3, worker=2),
        acknowledged={"a", "b"},
        lost=["b"],
        recovery={"studio": [1.0, 4.0, 2.0], "worker": []},
    )
    figures = {figure.name: figure for figure in crash_figures(result)}
    assert figures["queue.crashes.lost"].value == 1
    assert figures["queue.crashes.lost"].n == 2
    assert figures["queue.crashes.doubled"].value == 0
    assert figures["queue.crashes.orphans"].n == 5
    assert figures["queue.crashes.recovery.studio"].value == 2.0
    assert "queue.crashes.recovery.worker" not in figures


def test_turns_are_compared_with_the_plain_order_on_the_same_requests():
    figures = {figure.name: figure for figure in turn_figures((3,))}
    assert figures["queue.turns.switches_saved"].value > 0
    assert figures["queue.turns.jain"].value > 0.95
    assert all(figure.peer for figure in figures.values())


def test_nobody_is_served_twice_or_forgotten_in_an_evening():
    asked = requests(np.random.default_rng(1))
    evening = serve(asked, keep=True)
    assert len(evening.waits) == len(asked)
    assert min(evening.waits) >= 0


async def test_an_interval_is_said_once_enough_was_told_and_came(tmp_path):
    first, later = await evening(tmp_path / "queue.db", 1, made_up, requests=200)
    known = [word for word in first if word.low is not None]
    assert len(known) > 50
    assert all(0 < word.low <= word.high for word in known)
    assert all(word.actual > 0 for word in (*first, *later))
    assert 0.5 < np.mean([word.low <= word.actual <= word.high for word in known]) < 1


def test_the_report_has_the_agreed_form(tmp_path):
    publish([Figure("queue.x", 1.5, "ratio", "higher", interval=(1, 2))], tmp_path / "out.json")
    report = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert set(report) == {"figures", "machine", "version"}
    (figure,) = report["figures"]
    assert set(figure) == FIELDS
    assert (figure["value"], figure["interval"], figure["peer"]) == (1.5, [1, 2], None)
