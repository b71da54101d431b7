"""The bench of lettering: its figures, and that it would see what it looks for."""

import json
from dataclasses import replace
from pathlib import Path

from bot.bench.lettering import Tally, bench_lettering, judge
from bot.bench.letterings import LANGUAGES, random_panels, translated
from pipeline.comics.page import compose_page
from pipeline.domain.page import PageSpec


def test_a_few_scripts_are_set_without_a_fault(tmp_path: Path, capsys):
    assert bench_lettering(3, tmp_path / "figures.json") == 0
    figures = {
        figure["name"]: figure
        for figure in json.loads((tmp_path / "figures.json").read_text())["figures"]
    }
    for direction in ("ltr", "rtl"):
        for fault in ("over_faces", "overflowing", "wrong_order", "crossing_tails"):
            assert figures[f"lettering.{direction}.{fault}"]["value"] == 0
    assert {f"lettering.language.{language}.fit" for language in LANGUAGES} <= set(figures)
    assert "lettering.ltr.over_faces" in capsys.readouterr().out


def test_the_judge_sees_planted_faults():
    panels = next(p for p in map(random_panels, range(50)) if len(p[-1].dialogue) > 1)
    page = compose_page(panels, PageSpec())
    clean = Tally()
    judge(page, panels, clean)
    assert sum(clean.faults.values()) == 0

    first, *rest = page.balloons_of(panels[-1].panel_id)
    moved = [replace(b, box=first.box, text=first.text) for b in rest]
    big = replace(first, font_size=first.font_size * 3)
    others = [b for b in page.balloons if b.panel_id != first.panel_id]
    spoilt = Tally()
    judge(replace(page, balloons=(*others, big, *moved)), panels, spoilt)
    assert spoilt.faults["overlapping"] >= 1
    assert spoilt.faults["wrong_order"] >= 1
    assert spoilt.faults["overflowing"] >= 1


def test_translations_are_a_third_longer():
    panels = random_panels(5)
    before = sum(len(line.text) for art in panels for line in art.dialogue)
    after = sum(len(line.text) for art in translated(panels, "de", 5) for line in art.dialogue)
    assert after >= 1.25 * before
