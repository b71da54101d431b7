"""Classifiers of pictures that are not for everyone, and what the runner does with what they say."""

import importlib.util
from pathlib import Path

import pytest
from PIL import Image

from pipeline.domain.errors import SettingsError
from pipeline.domain.safety import USUAL_FLAG, Rating, Restricted, SafetyPolicy, SafetyRules
from pipeline.safety import raters
from pipeline.safety.raters import DrawingRater, PhotoRater, load_raters, rate_picture

CAST = Path(__file__).parents[2] / "examples" / "cast"


class Fixed:
    """A rater that says the same of everything and remembers what it saw."""

    def __init__(self, name: str, score: float) -> None:
        self.name, self.score = name, score
        self.seen: list[Image.Image] = []

    def rate(self, image: Image.Image) -> float:
        self.seen.append(image)
        return self.score


def test_the_surest_classifier_decides_and_transparency_is_seen_on_white() -> None:
    calm, sure = Fixed("drawings", 0.1), Fixed("photos", 0.85)
    rating = rate_picture(Image.new("RGBA", (8, 8)), [calm, sure], SafetyPolicy())
    assert rating == Rating(0.85, "photos", over=True)
    assert calm.seen[0].mode == "RGB"
    assert calm.seen[0].getpixel((0, 0)) == (255, 255, 255)
    stricter = rate_picture(Image.new("RGB", (8, 8)), [calm], SafetyPolicy(0.1))
    assert stricter.over


def test_the_rules_of_a_server() -> None:
    usual = SafetyRules()
    assert usual.policy(restricted_channel=True) == SafetyPolicy(USUAL_FLAG, hold=True)
    open_minded = SafetyRules(60, Restricted.ALLOW)
    assert open_minded.policy(restricted_channel=True) == SafetyPolicy(0.6, hold=False)
    assert open_minded.policy(restricted_channel=False).hold


def test_the_network_for_drawings_leaves_our_own_cast_alone() -> None:
    rater = DrawingRater()
    pictures = sorted(CAST.rglob("*.webp"))
    assert len(pictures) > 20
    scores = [
        rate_picture(Image.open(path), [rater], SafetyPolicy()).score for path in pictures[::3]
    ]
    assert max(scores) < 0.2
    assert len(set(scores)) > 1, "it looks at the pictures"


def test_a_damaged_network_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(raters, "MODEL", tmp_path / "none.onnx")
    raters._network.cache_clear()
    with pytest.raises(SettingsError, match="missing"):
        DrawingRater().rate(Image.new("RGB", (8, 8)))
    (tmp_path / "none.onnx").write_bytes(b"x")
    with pytest.raises(SettingsError, match="damaged"):
        DrawingRater().rate(Image.new("RGB", (8, 8)))
    raters._network.cache_clear()


def test_photographs_are_looked_at_where_the_extra_is_installed() -> None:
    names = [rater.name for rater in load_raters()]
    there = importlib.util.find_spec(raters.EXTRA) is not None
    assert names == ["drawings", "photos"] if there else names == ["drawings"]
    if there:
        assert 0 <= PhotoRater().rate(Image.new("RGB", (64, 64), "white")) < 0.2


def test_the_doctor_says_what_nothing_looks_at(monkeypatch) -> None:
    from bot.doctor import _safety

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    line = _safety()
    assert "none for photographs" in line.found
    assert "onmodel[safety]" in line.mend
