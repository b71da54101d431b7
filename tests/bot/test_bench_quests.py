"""The bench of quests, on a few drawn people: same art and seed, same figures."""

from pathlib import Path

import pytest

from bot.bench.quest_art import read_people
from bot.bench.quests import figures_of, simulate
from pipeline.fingerprints.registry import load_encoders

DATA = Path(__file__).parents[3] / "shared" / "bench"


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the bench's art beside the checkout")
def test_asked_for_pictures_beat_random_ones():
    encoders = load_encoders(("palette",))
    people = read_people(DATA, encoders, 1)
    assert "comicgen" in people
    assert all(len({d.view for d in one.drawings}) >= 3 for (one,) in people.values())
    figures = {f.name: f for f in figures_of(simulate(DATA, encoders, 1))}
    for name in ("misses", "retries"):
        less = figures[f"quests.{name}.less"]
        assert less.target == 0.4
        assert less.interval is not None
        assert less.interval[0] <= less.value <= less.interval[1]
        before, asked = (
            figures[f"quests.{name}.per_panel.{w}"].value for w in ("before", "quests")
        )
        assert asked <= before
    assert figures["quests.misses.per_panel.quests"].value < 0.5
