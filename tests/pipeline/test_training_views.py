"""Views to learn from: what may change in them and what may not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.domain.errors import InvalidInput
from pipeline.domain.fingerprint import CropClass
from pipeline.imaging.crops import GROUND, FigureCrop, crops_of, find_figure, shot_of
from pipeline.training.augment import Recipe, Sitter, sitter, view
from pipeline.training.catalog import Drawing
from pipeline.training.grounds import busy_ground
from pipeline.training.sampling import DrawnSource, Sampler, drawn_sources, in_validation

PLAIN = Recipe(CropClass.HEAD, grey=False, strength=0.0, busy=0.0, side=96)


def person(shirt: str = "navy") -> Image.Image:
    image = Image.new("RGBA", (240, 256), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((50, 150, 190, 256), 30, fill=shirt)
    draw.ellipse((75, 20, 165, 150), fill="peachpuff", outline="black", width=3)
    draw.pieslice((70, 10, 170, 120), 180, 360, fill="saddlebrown")
    return image


def ready(image: Image.Image) -> Sitter:
    found = sitter(image)
    assert found is not None
    return found


def head_crop(image: Image.Image) -> FigureCrop:
    figure = find_figure(image)
    assert figure is not None
    return crops_of(image, figure, shot_of(figure))[CropClass.HEAD]


def test_without_augmentation_a_view_is_the_crop_that_encoders_see() -> None:
    seen = np.asarray(head_crop(person()).image.resize((96, 96), Image.Resampling.BOX), np.int16)
    shown = view(ready(person()), PLAIN, [], np.random.default_rng(1)).astype(np.int16)
    assert np.abs(seen - shown).mean() < 4
    assert tuple(shown[0, 0]) == GROUND


def test_a_seed_makes_a_view_and_another_seed_another() -> None:
    one = ready(person())
    strong = Recipe(CropClass.HEAD, grey=False, strength=1.0, busy=0.5, side=64)
    grounds = [busy_ground(np.random.default_rng(k), 128) for k in range(3)]
    first, again, other = (
        view(one, strong, grounds, np.random.default_rng(seed)) for seed in (4, 4, 5)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_grey_views_are_grey_and_busy_ones_leave_the_figure_alone() -> None:
    one = ready(person())
    grey = Recipe(CropClass.HEAD, grey=True, strength=1.0, busy=0.0, side=64)
    pixels = view(one, grey, [], np.random.default_rng(2))
    assert np.ptp(pixels.astype(np.int16), axis=2).max() == 0
    busy = Recipe(CropClass.HEAD, grey=False, strength=0.0, busy=1.0, side=96)
    ground = busy_ground(np.random.default_rng(3), 128)
    plain = view(one, PLAIN, [], np.random.default_rng(1)).astype(np.int16)
    there = view(one, busy, [ground], np.random.default_rng(1)).astype(np.int16)
    assert np.abs(there - plain)[:6, :6].mean() > 10
    assert np.abs(there - plain)[45:55, 45:55].max() <= 1


def test_an_empty_picture_is_no_sitter() -> None:
    assert sitter(Image.new("RGBA", (40, 40), (0, 0, 0, 0))) is None


def test_batches_come_from_one_source_and_from_the_seed_alone() -> None:
    shirts = ("navy", "crimson", "gold", "green")
    families = [[[ready(person(shirt)), ready(person(shirt))]] for shirt in shirts]
    sources = [DrawnSource("ink", families[:2]), DrawnSource("wash", families[2:])]
    sampler, again = (Sampler(sources, seed=7, generated_share=0.5) for _ in range(2))
    batches = [sampler.batch(step, strength=0.5, side=32) for step in range(6)]
    assert {batch.source for batch in batches} == {"ink", "wash"}
    assert all(set(batch.labels) == {0, 1} for batch in batches)
    repeated = again.batch(5, strength=0.5, side=32)
    assert np.array_equal(repeated.pixels, batches[5].pixels)


def test_families_stay_together_when_there_are_no_splits(tmp_path) -> None:
    drawings = [
        Drawing(tmp_path / "x", "ink", f"ink/{k}{twin}", "1", lookalike_of=f"ink/{k}" * bool(twin))
        for k in range(60)
        for twin in ("", "L")
    ]
    chosen = [in_validation(one) for one in drawings]
    assert chosen[::2] == chosen[1::2]
    assert 0 < sum(chosen) < 40


@pytest.mark.parametrize("licence", ["GPL-3.0", "CC BY-NC 4.0", "all rights reserved"])
def test_art_that_may_not_be_passed_on_is_refused(tmp_path, licence: str) -> None:
    with pytest.raises(InvalidInput, match="does not allow"):
        drawn_sources([Drawing(tmp_path / "x.png", "ink", "ink/a", "1", licence=licence)])
