"""Composed panels: the truth that comes with them is exact, and a seed decides all of it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.imaging.heads import find_head
from pipeline.imaging.masks import find_figure
from pipeline.training.figures import Plan, load_sprites, train_figures
from pipeline.training.panels import Sprite, compose, sprite_of, stage
from pipeline.training.scenery import HELD_OUT_PLACES, LEARNED_PLACES


def person(shirt: str = "navy") -> Image.Image:
    image = Image.new("RGBA", (160, 400), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((50, 10, 110, 80), fill="peachpuff", outline="black", width=2)
    draw.rectangle((72, 75, 88, 100), fill="peachpuff")
    draw.rounded_rectangle((40, 95, 120, 240), 14, fill=shirt, outline="black", width=2)
    draw.rectangle((50, 235, 75, 390), fill="gray")
    draw.rectangle((85, 235, 110, 390), fill="gray")
    return image


SPRITES = [s for c in ("navy", "crimson", "olive") if (s := sprite_of(person(c))) is not None]


@given(seed=st.integers(0, 2**32 - 1))
def test_boxes_and_heads_are_those_of_what_is_seen(seed: int) -> None:
    size = Size(192, 160)
    panel = compose(np.random.default_rng(seed), SPRITES, size)
    assert panel.pixels.shape == (160, 192, 3)
    assert len(panel.figures) <= 4
    frame, taken = Box(0, 0, *size), np.zeros((160, 192), bool)
    for figure in panel.figures:
        ys, xs = np.nonzero(figure.mask)
        assert frame.intersection(figure.box) == figure.box
        inside = (ys >= figure.box.y0) & (ys < figure.box.y1)
        inside &= (xs >= figure.box.x0) & (xs < figure.box.x1)
        assert inside.mean() > 0.95  # dust is left outside
        assert not (taken & figure.mask).any()
        taken |= figure.mask
        if figure.head is not None:
            assert frame.intersection(figure.head) == figure.head


def test_a_seed_decides_everything() -> None:
    one, two = (compose(np.random.default_rng(5), SPRITES, Size(160, 128)) for _ in range(2))
    assert np.array_equal(one.pixels, two.pixels)
    assert [f.box for f in one.figures] == [f.box for f in two.figures]


def test_a_staged_figure_is_where_its_colours_are() -> None:
    ground = Image.new("RGB", (300, 240), "white")
    panel = stage(np.random.default_rng(3), ground, SPRITES[:1])
    (figure,) = panel.figures
    drawn = (panel.pixels < 200).any(axis=2)
    assert (drawn & figure.mask).sum() / figure.mask.sum() > 0.9


def test_the_head_of_a_cut_out_is_that_of_its_silhouette() -> None:
    sprite = SPRITES[0]
    figure = find_figure(sprite.image)
    assert figure is not None
    middle = find_head(figure)
    x0, y0, x1, y1 = sprite.head
    assert x0 <= middle.x <= x1
    assert y0 <= middle.y <= y1


def test_measuring_plays_where_learning_never_did() -> None:
    assert HELD_OUT_PLACES
    assert not set(HELD_OUT_PLACES) & set(LEARNED_PLACES)


def folder(root: Path, people: int) -> Path:
    for k in range(people):
        home = root / "shapes" / f"p{k}"
        home.mkdir(parents=True)
        person(("navy", "crimson", "olive", "teal")[k % 4]).save(home / "1.png")
    return root


def test_sources_can_be_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = folder(tmp_path, 3)
    found: list[Sprite] = load_sprites(data, ("train",), 10, rng)
    assert {s.identity for s in found} == {"shapes/p0", "shapes/p1", "shapes/p2"}
    assert load_sprites(data, ("train",), 10, rng, without=("shapes",)) == []
    assert load_sprites(data, ("train",), 10, rng, only=("others",)) == []


def test_training_on_next_to_nothing_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    with pytest.raises(InvalidInput, match="Only 3 figures"):
        train_figures(folder(tmp_path / "d", 3), tmp_path / "f.onnx", Plan(steps=1))


@pytest.mark.slow
def test_a_short_training_writes_a_network_that_can_be_read(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    from pipeline.imaging.detector import FigureDetector

    lines: list[str] = []
    out = tmp_path / "f.onnx"
    done = train_figures(
        folder(tmp_path / "d", 8), out, Plan(steps=2, batch=2, per_source=8), lines.append
    )
    assert done.parameters < 2_000_000
    assert lines[0] == "8 figures of 1 sources"
    detector = FigureDetector(out, done.sha256)
    assert detector.detect(Image.new("RGB", (96, 96), "white")) == []
