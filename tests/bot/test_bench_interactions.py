"""The bench of a full server: everybody is answered, and every vote counts."""

import json
from pathlib import Path

from bot.bench.interactions import InteractionPlan, bench_interactions


def test_a_full_server_is_answered_while_a_worker_draws(tmp_path: Path):
    plan = InteractionPlan(members=40, requests=6, voters=12, repeats=150)
    assert bench_interactions(plan, tmp_path / "figures.json") == 0
    report = json.loads((tmp_path / "figures.json").read_text())
    figures = {f["name"]: f for f in report["figures"]}
    for kind, n in (("request", 6), ("vote", 12), ("look", 12)):
        assert figures[f"interactions.{kind}.unanswered"]["value"] == 0
        assert figures[f"interactions.{kind}.unanswered"]["n"] == n
        assert figures[f"interactions.{kind}.slowest"]["value"] > 0
    assert figures["interactions.votes_counted"]["value"] == 12
    assert figures["interactions.memory.held_per_interaction"]["n"] == 150
