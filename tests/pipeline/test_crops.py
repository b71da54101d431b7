"""Figures, heads, crops and colours on drawn shapes whose truth is known."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from pipeline.domain.character import ShotType
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.geometry import Box
from pipeline.imaging.colour import grayscale, palette, to_lab
from pipeline.imaging.crops import (
    CROP_SIDE,
    GROUND,
    Figure,
    crops_of,
    find_figure,
    head_box,
    shot_of,
)
from pipeline.imaging.heads import find_head
from pipeline.imaging.masks import flood_from_border

HEAD = Box(130, 40, 190, 100)


def person(ground: str | None = None, *, arm_up: bool = False, to: int = 400) -> Image.Image:
    """A person of 320×400 whose head is the disc in HEAD; cut off at row ``to``."""
    image = Image.new("RGBA", (320, 400), ground or (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle((150, 90, 170, 120), fill="peachpuff")
    draw.rounded_rectangle((120, 112, 200, 240), 14, fill="navy")
    draw.rectangle((128, 240, 155, 380), fill="saddlebrown")
    draw.rectangle((165, 240, 192, 380), fill="saddlebrown")
    draw.ellipse(HEAD, fill="peachpuff", outline="black", width=3)
    if arm_up:
        draw.rectangle((196, 10, 210, 150), fill="navy")
    cut = image.crop((0, 0, 320, to))
    return cut if ground is None else cut.convert("RGB")


def overlap(a: Box, b: Box) -> float:
    return a.intersection(b).area / (a.area + b.area - a.intersection(b).area)


def test_alpha_tells_the_figure() -> None:
    figure = find_figure(person())
    assert figure is not None
    assert figure.box == Box(120, 40, 201, 381)
    assert figure.mask[70, 160] == 255
    assert figure.mask[5, 5] == 0


def test_a_flat_ground_tells_the_same_figure() -> None:
    by_alpha = find_figure(person())
    by_ground = find_figure(person("lightgreen"))
    assert by_alpha is not None
    assert by_ground is not None
    assert overlap(by_alpha.box, by_ground.box) > 0.97
    assert (by_alpha.mask == by_ground.mask).mean() > 0.99


def test_a_white_shirt_cut_off_at_the_lower_edge_is_not_drained() -> None:
    image = Image.new("RGB", (200, 200), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((60, 20, 140, 110), fill="white", outline="black", width=4)
    draw.rounded_rectangle((30, 105, 170, 320), 30, fill="white", outline="black", width=4)
    figure = find_figure(image)
    assert figure is not None
    assert figure.mask[180, 100] == 255
    assert figure.mask[60, 100] == 255
    assert figure.mask[10, 10] == 0


def noise() -> Image.Image:
    rng = np.random.default_rng(3)
    return Image.fromarray(rng.integers(0, 255, (90, 120, 3), np.uint8))


def horizon() -> Image.Image:
    image = Image.new("RGB", (120, 90), "skyblue")
    image.paste((90, 140, 60), (0, 55, 120, 90))
    return image


def slope() -> Image.Image:
    return Image.linear_gradient("L").convert("RGB")


@pytest.mark.parametrize("ground", [noise(), horizon(), slope()], ids=["noise", "horizon", "slope"])
def test_a_ground_that_is_not_flat_tells_nothing(ground: Image.Image) -> None:
    image = ground.resize((320, 400))
    cut_out = person()
    image.paste(cut_out, mask=cut_out)
    assert find_figure(image) is None


def test_on_a_busy_ground_a_box_stands_for_the_figure() -> None:
    figure = find_figure(noise(), Box(10, 20, 50, 300))
    assert figure is not None
    assert figure.box == Box(10, 20, 50, 90)
    assert figure.mask.sum() == 255 * 40 * 70


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGBA", (40, 40), (0, 0, 0, 0)),
        Image.new("RGB", (40, 40), "white"),
        Image.new("RGB", (1, 1), "red"),
    ],
    ids=["transparent", "blank", "pixel"],
)
def test_an_empty_picture_has_no_figure(image: Image.Image) -> None:
    assert find_figure(image) is None


def test_a_box_picks_one_of_two_figures() -> None:
    pair = Image.new("RGB", (640, 400), "lightgreen")
    pair.paste(person("lightgreen"), (0, 0))
    pair.paste(person("lightgreen"), (320, 0))
    figure = find_figure(pair, Box(320, 0, 640, 400))
    assert figure is not None
    assert overlap(figure.box, Box(440, 40, 520, 381)) > 0.95


def test_jpeg_noise_on_the_ground_does_not_hide_the_figure() -> None:
    image = person("lightgreen").filter(ImageFilter.GaussianBlur(0.7))
    rng = np.random.default_rng(5)
    noisy = np.asarray(image, np.int16) + rng.integers(-4, 5, (400, 320, 3))
    figure = find_figure(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)))
    assert figure is not None
    assert overlap(figure.box, Box(120, 40, 201, 381)) > 0.9


def test_flood_reaches_around_corners_but_not_into_rings() -> None:
    maze = np.array(
        [[0, 0, 0, 0, 0], [1, 1, 1, 0, 1], [1, 0, 1, 0, 1], [1, 1, 1, 0, 1], [1, 0, 0, 0, 1]], bool
    )
    filled = flood_from_border(~maze)
    assert filled[4, 1]
    assert not filled[2, 1]
    assert not (filled & maze).any()


@pytest.mark.parametrize("arm_up", [False, True])
@pytest.mark.parametrize("to", [400, 240, 150])
def test_the_head_is_found_in_full_half_and_bust(arm_up: bool, to: int) -> None:
    figure = find_figure(person(arm_up=arm_up, to=to))
    assert figure is not None
    head = find_head(figure)
    assert abs(head.x - 160) < 6
    assert abs(head.y - 70) < 8
    assert abs(head.radius - 30) < 6
    assert HEAD.intersection(head_box(figure)) == HEAD


def test_the_head_box_of_a_figure_at_the_edge_stays_in_the_picture() -> None:
    figure = find_figure(person().crop((155, 60, 320, 400)))
    assert figure is not None
    box = head_box(figure)
    assert box == box.intersection(Box(0, 0, 165, 340))


@pytest.mark.parametrize(
    ("to", "shot"), [(400, ShotType.FULL), (250, ShotType.HALF), (125, ShotType.HEADSHOT)]
)
def test_the_shot_is_guessed_from_heads_shown(to: int, shot: ShotType) -> None:
    figure = find_figure(person(to=to))
    assert figure is not None
    assert shot_of(figure) is shot


@pytest.mark.parametrize(
    ("shot", "classes"),
    [
        (ShotType.HEADSHOT, {CropClass.HEAD}),
        (ShotType.HALF, {CropClass.HEAD, CropClass.HALF}),
        (ShotType.FULL, set(CropClass)),
        (ShotType.DYNAMIC, set(CropClass)),
    ],
)
def test_a_shot_gives_the_crops_it_shows(shot: ShotType, classes: set[CropClass]) -> None:
    image = person()
    figure = find_figure(image)
    assert figure is not None
    crops = crops_of(image, figure, shot)
    assert set(crops) == classes
    for crop in crops.values():
        assert crop.image.size == (CROP_SIDE, CROP_SIDE)
        assert crop.image.mode == "RGB"
        assert crop.mask.shape == (CROP_SIDE, CROP_SIDE)
        outside = np.asarray(crop.image)[crop.mask == 0]
        assert (outside == GROUND).all(axis=1).mean() > 0.85


def test_crops_do_not_depend_on_ground_scale_or_place() -> None:
    plain = person()
    moved = Image.new("RGBA", (900, 1000), (0, 0, 0, 0))
    moved.paste(plain.resize((640, 800), Image.Resampling.LANCZOS), (200, 150))
    for other in (moved, person("lightgreen")):
        one, two = find_figure(plain), find_figure(other)
        assert one is not None
        assert two is not None
        first = crops_of(plain, one, ShotType.FULL)
        second = crops_of(other, two, ShotType.FULL)
        for crop in CropClass:
            a = np.asarray(first[crop].image, np.int16)
            b = np.asarray(second[crop].image, np.int16)
            assert np.abs(a - b).mean() < 8


def test_what_alpha_hides_does_not_show() -> None:
    pixels = np.zeros((100, 100, 4), np.uint8)
    pixels[..., 0] = 255  # a hidden red everywhere
    pixels[20:80, 30:70] = (0, 0, 200, 255)
    image = Image.fromarray(pixels)
    figure = find_figure(image)
    assert figure is not None
    crop = crops_of(image, figure, ShotType.FULL)[CropClass.FIGURE]
    assert np.asarray(crop.image)[..., 0].max() < 200  # red would be 255


def test_a_mask_alone_separates_the_figure() -> None:
    mask = np.zeros((90, 120), np.uint8)
    mask[10:80, 40:80] = 255
    crop = crops_of(noise(), Figure(Box(40, 10, 80, 80), mask), ShotType.FULL)[CropClass.FIGURE]
    assert tuple(np.asarray(crop.image)[CROP_SIDE // 2, 2]) == GROUND


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0.0, 0.0)),
    ],
)
def test_lab_of_known_colours(rgb: tuple[int, ...], lab: tuple[float, ...]) -> None:
    assert np.abs(to_lab(np.array([rgb], np.uint8))[0] - lab).max() < 0.1


def test_a_palette_lists_the_main_colours_under_the_mask() -> None:
    image = person()
    figure = find_figure(image)
    assert figure is not None
    colours = palette(image, figure.mask)
    assert colours[:3] == ["#000080", "#8b4513", "#ffdab9"]
    assert palette(image, np.zeros((400, 320), np.uint8)) == []
    assert len(palette(noise(), None, 3)) == 3


def test_grey_is_one_channel() -> None:
    assert grayscale(person()).mode == "L"


def line_art(*, open_neck: bool) -> Image.Image:
    """A white face on white paper, outlined; with an open neck the paper runs into the face."""
    image = Image.new("RGB", (400, 400), "white")
    draw = ImageDraw.Draw(image)
    draw.arc((110, 60, 290, 300), 120 if open_neck else 0, 60 if open_neck else 360, "black", 5)
    for box in ((160, 150, 180, 175), (220, 150, 240, 175), (192, 190, 204, 215)):
        draw.ellipse(box, fill="black")
    for x in (150, 210):
        draw.line((x, 130, x + 40, 126), fill="black", width=6)
    draw.line((165, 240, 235, 240), fill="black", width=6)
    return image


def test_a_face_that_the_paper_ran_into_is_no_figure() -> None:
    closed = find_figure(line_art(open_neck=False))
    assert closed is not None
    assert closed.mask[200, 150] == 255
    assert find_figure(line_art(open_neck=True)) is None


def test_small_gaps_in_an_outline_hold() -> None:
    image = line_art(open_neck=False)
    image.paste("white", (285, 178, 295, 181))
    figure = find_figure(image)
    assert figure is not None
    assert figure.mask[200, 150] == 255


def test_a_margin_around_a_whole_picture_is_not_its_ground() -> None:
    page = Image.new("RGB", (400, 300), "white")
    page.paste(noise().resize((340, 240)), (30, 30))
    assert find_figure(page) is None


def test_the_old_ground_leaves_no_rim() -> None:
    by_alpha, by_ground = person(), person("red")
    crops = []
    for image in (by_alpha, by_ground.resize((320, 400))):
        blurred = image.resize((240, 300), Image.Resampling.LANCZOS)
        figure = find_figure(blurred)
        assert figure is not None
        crops.append(crops_of(blurred, figure, ShotType.FULL)[CropClass.HEAD])
    reddest = [np.asarray(crop.image, np.int16) for crop in crops]
    rim = [int((c[..., 0] - c[..., 2] > 80).sum()) for c in reddest]
    assert rim[1] <= rim[0] + 60


def test_big_hair_does_not_make_a_standing_figure_a_half(pytestconfig):
    art = pytestconfig.rootpath / "examples" / "cast" / "mira" / "everyday"
    for name, shot in (
        ("01-full-neutral", ShotType.FULL),
        ("04-full-smile", ShotType.FULL),
        ("10-half-annoyed", ShotType.HALF),
        ("14-headshot-smile", ShotType.HEADSHOT),
    ):
        figure = find_figure(Image.open(art / f"{name}.webp").convert("RGBA"))
        assert figure is not None
        assert shot_of(figure) is shot
