"""The detector on panels whose truth is known: what it finds, what it leaves, what it refuses."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.domain.errors import SettingsError
from pipeline.domain.geometry import Box, Size
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.detector import (
    MODEL,
    MODEL_SHA256,
    SURE,
    Detection,
    FigureDetector,
    everyone_in,
    figure_in,
    find_figures,
    shipped_detector,
)
from pipeline.imaging.figure_maps import iou
from pipeline.training.panels import Panel, Sprite, sprite_of, stage
from pipeline.training.scenery import HELD_OUT_PLACES, scenery

CAST = Path(__file__).parents[2] / "examples" / "cast"
SIZE = Size(512, 384)


@pytest.fixture(scope="module")
def sprites() -> list[Sprite]:
    """Art of the demo's cast, a source that the detector was not trained on."""
    paths = sorted(CAST.glob("*/*/*.webp"))[::4]
    found = [sprite_of(Image.open(path).convert("RGBA")) for path in paths]
    return [sprite for sprite in found if sprite is not None]


def panels(sprites: list[Sprite], count: int, most: int = 2) -> list[Panel]:
    rng = np.random.default_rng(21)
    return [
        stage(
            rng,
            scenery(rng, SIZE, HELD_OUT_PLACES),
            [sprites[int(rng.integers(len(sprites)))] for _ in range(1 + number % most)],
        )
        for number in range(count)
    ]


def sure(image: Image.Image) -> list[Detection]:
    return [one for one in shipped_detector().detect(image) if one.score >= SURE]


def recall(panels_: list[Panel], *, grey: bool = False) -> tuple[float, float]:
    """Share of figures that were found at IoU 0.5, and false ones a panel."""
    hits = total = false = 0
    for panel in panels_:
        image = Image.fromarray(panel.pixels)
        left = sure(image.convert("L").convert("RGB") if grey else image)
        for truth in panel.figures:
            total += 1
            match = next((one for one in left if iou(one.box, truth.box) >= 0.5), None)
            if match is not None:
                hits += 1
                left.remove(match)
        false += len(left)
    return hits / total, false / len(panels_)


@pytest.mark.parametrize("grey", [False, True])
def test_most_figures_of_unseen_art_are_found(sprites: list[Sprite], grey: bool) -> None:
    found, false = recall(panels(sprites, 24), grey=grey)
    assert found >= 0.6
    assert false <= 0.4


def test_masks_cover_figures_and_not_their_boxes(sprites: list[Sprite]) -> None:
    overlaps = []
    for panel in panels(sprites, 12, most=1):
        for one in sure(Image.fromarray(panel.pixels)):
            truth = panel.figures[0].mask
            mask = one.mask > 0
            assert mask.shape == truth.shape
            assert one.box == Box(0, 0, *SIZE).intersection(one.box)
            overlaps.append((mask & truth).sum() / (mask | truth).sum())
    assert np.median(overlaps) >= 0.6


def test_the_same_picture_gives_the_same_figures(sprites: list[Sprite]) -> None:
    image = Image.fromarray(panels(sprites, 2)[1].pixels)
    first, second = (FigureDetector().detect(image) for _ in range(2))
    assert [(one.box, one.head, one.score) for one in first] == [
        (one.box, one.head, one.score) for one in second
    ]
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.mask, b.mask)


def test_scenery_without_anybody_is_mostly_empty() -> None:
    rng = np.random.default_rng(4)
    seen = [bool(find_figures(scenery(rng, SIZE, HELD_OUT_PLACES), 1)) for _ in range(20)]
    assert sum(seen) <= 3


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (9, 5), (700, 3)])
def test_tiny_and_thin_pictures_do_no_harm(size: tuple[int, int]) -> None:
    assert len(find_figures(Image.new("RGB", size, "teal"), 1)) <= 4


def test_transparent_parts_are_no_figure(sprites: list[Sprite]) -> None:
    panel = panels(sprites, 1, most=1)[0]
    image = Image.fromarray(panel.pixels).convert("RGBA")
    hole = panel.figures[0].box
    image.paste((0, 0, 0, 0), hole)
    for figure in find_figures(image, 1):
        assert not figure.mask[hole.y0 : hole.y1, hole.x0 : hole.x1].any()


def test_a_persons_box_is_the_last_word(sprites: list[Sprite]) -> None:
    panel = next(p for p in panels(sprites, 12, most=1) if p.figures[0].box.area > 8000)
    image, box = Image.fromarray(panel.pixels), panel.figures[0].box
    figure = figure_in(image, box)
    assert figure is not None
    assert figure.box.intersection(box) == figure.box
    loose = figure_in(image, Box(box.x0 - 40, box.y0 - 30, box.x1 + 40, box.y1 + 30))
    assert loose is not None
    assert iou(loose.box, box) >= 0.5
    corner = Box(2, 2, 40, 40)
    nothing = figure_in(image, corner)
    assert nothing is not None
    assert nothing.box.intersection(corner) == nothing.box
    assert figure_in(image, Box(900, 900, 990, 990)) is None


def test_the_file_is_the_one_that_was_meant(tmp_path: Path) -> None:
    data = MODEL.read_bytes()
    assert hashlib.sha256(data).hexdigest() == MODEL_SHA256
    assert len(data) <= 10_000_000
    damaged = tmp_path / "figures.onnx"
    damaged.write_bytes(data[:-1] + b"!")
    with pytest.raises(SettingsError, match="damaged"):
        FigureDetector(damaged)
    with pytest.raises(SettingsError, match="missing"):
        FigureDetector(tmp_path / "none.onnx")


def test_a_registered_picture_needs_no_detector() -> None:
    """Where alpha tells the figure, a box only confines it."""
    path = next(iter(sorted(CAST.glob("*/*/*.webp"))))
    image = load_canonical(_png(Image.open(path).convert("RGBA")))
    whole = figure_in(image, Box(0, 0, *image.size))
    assert whole is not None
    alpha = np.asarray(image.getchannel("A")) >= 128
    assert np.array_equal(whole.mask > 0, alpha)


def _png(image: Image.Image) -> bytes:
    import io

    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def test_on_a_plain_ground_several_count_only_if_they_stand_apart() -> None:
    paths = sorted(CAST.glob("*/*/*.webp"))[::7]
    alone = [Image.open(path).convert("RGBA") for path in paths]
    assert all(len(everyone_in(image, 4)) == 1 for image in alone)
    pair = Image.new("RGB", (1400, 1100), "white")
    standing = [image.crop(image.getbbox()) for image in (alone[0], alone[-1])]
    for number, image in enumerate(standing):
        small = image.resize((round(image.width * 900 / image.height), 900))
        pair.paste(small, (60 + 700 * number, 150), small)
    left, right = everyone_in(pair, 4)
    assert left.box.x1 <= right.box.x0 + 40
    assert len(everyone_in(pair, 1)) == 1
