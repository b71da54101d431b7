"""What drifted: figures laid over their references, features, the model, regions in the picture."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.errors import SettingsError
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.imaging.decode import to_png
from pipeline.imaging.masks import Figure, find_figure
from pipeline.quality.attributes import Attribute
from pipeline.quality.attribution import attribute_drift, parts_of, shipped_forest, words
from pipeline.quality.differences import differences
from pipeline.quality.forest import load_forest
from pipeline.quality.part_colours import seen_parts
from pipeline.quality.plates import lay_over, moved, plate_of
from pipeline.quality.template import template_of

SKIN, HAIR, SHIRT = (236, 188, 150), (40, 60, 150), (60, 150, 80)


def person(
    hair: Sequence[int] = HAIR, shirt: Sequence[int] = SHIRT, mouth: int = 8, turn: float = 0.0
) -> Image.Image:
    """A bust: shirt, head, hair, eyes, a mouth that changes."""
    image = Image.new("RGBA", (300, 340))
    draw = ImageDraw.Draw(image)
    ink = (24, 24, 30)
    draw.polygon([(70, 339), (105, 235), (195, 235), (230, 339)], tuple(shirt), ink)
    draw.ellipse((88, 70, 212, 212), SKIN, ink, 3)
    draw.chord((78, 40, 222, 166), 180, 360, tuple(hair), ink, 3)
    for x in (125, 175):
        draw.ellipse((x - 9, 126, x + 9, 146), (250, 250, 250), ink, 2)
        draw.ellipse((x - 4, 132, x + 4, 142), (60, 40, 20))
    draw.ellipse((150 - 14, 172, 150 + 14, 172 + mouth), (150, 40, 50), ink, 2)
    return image.rotate(turn, Image.Resampling.BICUBIC) if turn else image


def figure_of(image: Image.Image) -> Figure:
    found = find_figure(image)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def member() -> CastInput:
    references = tuple(
        ReferenceInput(
            k, f"{k:064x}", to_png(person(mouth=6 + 4 * k)), next(iter(ReferenceKind)),
            ShotType.HALF, "front", "", True, (),
        )
        for k in range(1, 5)
    )  # fmt: skip
    return CastInput("ch_mira", "mira_s1", "Mira", "", 1.0, {}, (), references)


def test_a_turned_smaller_copy_is_laid_back_over_the_original() -> None:
    image = person()
    other = person(turn=5).resize((210, 238))
    first, second = (plate_of(i, figure_of(i)) for i in (image, other))
    fit = lay_over(second, first)
    assert abs(fit.turn) == pytest.approx(np.deg2rad(5), abs=0.035)
    gap = np.abs(np.asarray(moved(second, fit), float) - np.asarray(first.level(1), float))
    assert gap.mean() < 4
    assert lay_over(first, first).error < 0.02


def test_a_mirrored_copy_is_recognised_as_mirrored() -> None:
    image = person()
    ImageDraw.Draw(image).rectangle((92, 70, 118, 120), (230, 60, 60))  # only on one side
    other = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert lay_over(*(plate_of(i, figure_of(i)) for i in (other, image))).mirrored


def test_an_unchanged_figure_has_no_excess_and_a_recoloured_one_has(member: CastInput) -> None:
    plates = [plate_of(i, figure_of(i)) for i in (person(mouth=m) for m in (8, 14, 20))]
    template = template_of(plates[0], plates[1:])
    same, red = person(mouth=11), person(hair=(180, 40, 40), mouth=11)
    calm = differences(plate_of(same, figure_of(same)), template)
    loud = differences(plate_of(red, figure_of(red)), template)
    assert calm.excess.mean() < 0.5
    assert loud.excess.mean() > 4 * calm.excess.mean()
    assert loud.features["hair.gap"] > 30 > calm.features["hair.gap"]
    assert loud.features["skin.gap"] < 10
    parts = seen_parts(red, plate_of(red, figure_of(red)), loud.fit, template)
    hair = next(one for one in parts if one.part == "hair")
    assert np.linalg.norm(hair.seen - hair.usual) > 30


@pytest.mark.parametrize(
    ("changed", "attribute", "above"),
    [
        ({"hair": (190, 40, 40)}, Attribute.HAIR_COLOR, True),
        ({"shirt": (220, 60, 160)}, Attribute.OUTFIT_COLOR, False),
    ],
)
def test_what_drifted_is_named_with_its_region(
    member: CastInput, changed: dict[str, Sequence[int]], attribute: Attribute, above: bool
) -> None:
    image = person(**changed, mouth=9)
    found = attribute_drift(image, figure_of(image), member, nearest=2)
    assert found is not None
    first = found.drifts[0]
    assert first.attribute == attribute
    assert 0.0 <= first.low <= first.confidence <= first.high <= 1.0
    assert first.box is not None
    assert (first.box.center[1] < 200) == above
    assert found.heat.shape == (340, 300)
    hot = np.argwhere(found.heat > 128)
    assert (hot[:, 0].mean() < 200) == above
    assert words(first.attribute)


def test_the_region_lies_where_the_figure_is_in_a_larger_picture(member: CastInput) -> None:
    wide = Image.new("RGBA", (900, 500))
    wide.paste(person(hair=(190, 40, 40)), (520, 100))
    found = attribute_drift(wide, figure_of(wide), member)
    assert found is not None
    box = found.drifts[0].box
    assert box is not None
    head = Box(520 + 60, 100 + 20, 520 + 240, 100 + 260)
    assert box.intersection(head).area >= 0.9 * box.area


def test_too_few_references_say_nothing(member: CastInput) -> None:
    alone = CastInput("a", "a", "A", "", 1.0, {}, (), member.references[:1])
    image = person()
    assert attribute_drift(image, figure_of(image), alone) is None
    assert parts_of(alone) == []
    assert {"hair", "skin"} <= {one.part for one in parts_of(member)}


def test_the_shipped_model_names_every_attribute_and_gives_odds() -> None:
    forest = shipped_forest()
    assert set(forest.classes) == set(map(str, Attribute))
    odds = forest.log_odds(np.full(len(forest.names), np.nan, np.float32))
    assert odds.shape == forest.base.shape
    assert np.isfinite(odds).all()


def test_a_damaged_model_says_what_to_do(tmp_path) -> None:
    broken = tmp_path / "attribution.npz"
    broken.write_bytes(b"not a model")
    with pytest.raises(SettingsError, match="Install the program anew"):
        load_forest(broken)
    shipped_forest().save(tmp_path / "same.npz")
    again = load_forest(tmp_path / "same.npz")
    row = np.zeros(len(again.names), np.float32)
    assert np.array_equal(again.log_odds(row), shipped_forest().log_odds(row))
