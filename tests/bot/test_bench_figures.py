"""``onmodel bench figures`` on a handful of panels, end to end."""

import json
from pathlib import Path

import pytest
from PIL import Image

from bot.cli import main

CAST = Path(__file__).parents[2] / "examples" / "cast"


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    """The demo's art as a folder of drawings, under the name of its source."""
    for path in sorted(CAST.glob("*/*/*.webp")):
        home = tmp_path / "drawings" / "comicgen" / path.parents[1].name
        home.mkdir(parents=True, exist_ok=True)
        Image.open(path).convert("RGBA").save(home / f"{path.stem}.png")
    return tmp_path / "drawings"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_small_run(drawings: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    assert main(["bench", "figures", "--data", str(drawings), "--panels", "6",
                 "--json", str(out)]) == 0  # fmt: skip
    report = json.loads(out.read_text(encoding="utf-8"))
    figures = {one["name"]: one for one in report["figures"]}
    assert len(figures) == len(report["figures"])
    assert figures["figures.recall50.draft"]["value"] >= 0.5
    assert figures["figures.empty_wrong"]["value"] <= 0.5
    assert figures["figures.opaque.other_passed"]["value"] == 0.0
    for way in ("true_mask", "detector", "box", "whole"):
        assert 0 <= figures[f"figures.auc.{way}.new_figures"]["value"] <= 1
    assert not any(name.endswith("new_busts") for name in figures)
