"""The bench of pages on a few of them: every figure is there, and books do not grow memory."""

import json

from bot.bench.pages import bench_pages


def test_a_small_bench_writes_every_figure(tmp_path, monkeypatch):
    monkeypatch.setattr("bot.bench.pages._FORMATS", ("cbz",))
    file = tmp_path / "pages.json"
    assert bench_pages(2, 3, file) == 0
    figures = {f["name"]: f for f in json.loads(file.read_text())["figures"]}
    assert figures["pages.per_second"]["value"] > 0
    assert figures["pages.drawing_against_bare"]["peer"]
    most = figures["pages.book.cbz.most_memory"]
    assert 20 < most["value"] < most["target"] == 1024
    assert figures["pages.book.cbz.file"]["value"] > 0.1
    assert any(name.startswith("pages.script.") for name in figures)
