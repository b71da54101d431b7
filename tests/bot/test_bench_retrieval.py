"""The benches of retrieval and hashes run, on little, and keep their promises."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.bench.hashes import bench_hashes
from bot.bench.retrieval import bench_retrieval
from pipeline.domain.errors import InvalidInput


def read(path: Path) -> dict[str, dict]:
    return {f["name"]: f for f in json.loads(path.read_text())["figures"]}


def test_a_tiny_retrieval_bench_finds_the_right_neighbours(tmp_path: Path) -> None:
    out = tmp_path / "retrieval.json"
    assert bench_retrieval(6000, out) == 0
    figures = read(out)
    assert figures["retrieval.whole_store.recall_at_10"]["value"] >= 0.95
    for name in ("one_character", "one_guild_of_1000", "whole_store", "preflight.p95"):
        assert figures[f"retrieval.{name}"]["value"] > 0
        assert figures[f"retrieval.{name}"]["target"] is not None


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    folder = tmp_path / "art"
    folder.mkdir()
    for seed in range(6):
        rng = np.random.default_rng(seed)
        image = Image.new("RGB", (300, 300), "white")
        draw = ImageDraw.Draw(image)
        for _ in range(25):
            x, y, r = (int(v) for v in rng.integers(20, 280, 3) // (1, 1, 6))
            colour = tuple(int(v) for v in rng.integers(0, 256, 3))
            draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        image.save(folder / f"{seed}.png")
    return folder


def test_the_bench_of_hashes_finds_copies_and_nothing_else(drawings: Path, tmp_path: Path) -> None:
    out = tmp_path / "hashes.json"
    assert bench_hashes(drawings, 10, out) == 0
    figures = read(out)
    assert figures["hashes.bits_unlike_peer"]["value"] == 0
    assert figures["hashes.quick.most_bits"]["value"] <= 2
    assert figures["hashes.false_hits"]["value"] == 0
    for copy in ("saved_again", "jpeg40", "half"):
        assert figures[f"hashes.found.{copy}"]["value"] == 1
    assert figures["hashes.found.cropped"]["value"] >= 0.5


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="fewer than two"):
        bench_hashes(tmp_path)
