"""What every encoder promises, asked of each one that is registered."""

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, EntryPoints
from types import ModuleType

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.errors import SettingsError
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey
from pipeline.fingerprints import registry
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.registry import available_encoders, load_encoders
from pipeline.imaging.crops import CROP_SIDE, GROUND, FigureCrop, crops_of, find_figure

MODES = list(ColorMode)


def figure(hair: str = "black", shirt: str = "navy", side: int = 400) -> Image.Image:
    """A bust that is not symmetric: a parting, one ear-ring, a scarf to the right."""
    image = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((90, 260, 310, 440), 40, fill=shirt, outline="black", width=4)
    draw.ellipse((120, 60, 280, 270), fill="peachpuff", outline="black", width=4)
    draw.pieslice((110, 40, 290, 230), 150, 350, fill=hair)
    draw.ellipse((160, 150, 176, 170), fill="black")
    draw.ellipse((220, 150, 236, 170), fill="black")
    draw.arc((165, 190, 235, 230), 20, 160, fill="black", width=4)
    draw.polygon([(230, 270), (310, 280), (280, 340)], fill="gold")
    return image.resize((side, side), Image.Resampling.LANCZOS)


def crop_of(image: Image.Image, kind: CropClass = CropClass.HEAD) -> FigureCrop:
    found = find_figure(image)
    assert found is not None
    return crops_of(image, found, ShotType.FULL)[kind]


def one(encoder: Encoder, crop: FigureCrop, mode: ColorMode = ColorMode.COLOR) -> Embedding:
    return encoder.encode([crop], mode)[0]


@pytest.fixture(params=available_encoders())
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return load_encoders([request.param])[0]


@pytest.mark.parametrize("mode", MODES)
def test_vectors_are_unit_float32_of_one_length(encoder: Encoder, mode: ColorMode) -> None:
    blank = FigureCrop(
        Image.new("RGB", (CROP_SIDE, CROP_SIDE), GROUND), np.zeros((CROP_SIDE, CROP_SIDE), np.uint8)
    )
    white = FigureCrop(
        Image.new("RGB", (CROP_SIDE, CROP_SIDE), "white"),
        np.full((CROP_SIDE, CROP_SIDE), 255, np.uint8),
    )
    for crop in (crop_of(figure()), blank, white):
        vector = one(encoder, crop, mode).vector
        assert vector.dtype == np.float32
        assert vector.shape == (encoder.dimensions,)
        assert abs(float(np.linalg.norm(vector)) - 1) < 1e-5
        assert np.isfinite(vector).all()


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_gives_what_each_crop_gives_alone(encoder: Encoder, mode: ColorMode) -> None:
    crops = [crop_of(figure(hair)) for hair in ("black", "red", "white")]
    batch = encoder.encode(crops, mode)
    assert len(batch) == 3
    for crop, embedding in zip(crops, batch, strict=True):
        assert np.array_equal(embedding.vector, one(encoder, crop, mode).vector)
    assert encoder.encode([], mode) == []


def test_another_instance_gives_the_same_vector_and_key(encoder: Encoder) -> None:
    twin = type(encoder)()
    assert twin.key == encoder.key
    crop = crop_of(figure())
    assert np.array_equal(one(encoder, crop).vector, one(twin, crop).vector)
    assert one(encoder, crop).encoder == encoder.key


def test_in_grey_the_colours_do_not_matter(encoder: Encoder) -> None:
    colour = crop_of(figure())
    grey = FigureCrop(ImageOps.grayscale(colour.image).convert("RGB"), colour.mask)
    by_colour = one(encoder, colour, ColorMode.GRAYSCALE)
    by_grey = one(encoder, grey, ColorMode.GRAYSCALE)
    assert by_colour.similarity(by_grey) > 0.9999


def test_mirror_and_scale_hardly_matter_another_figure_does(encoder: Encoder) -> None:
    base = one(encoder, crop_of(figure()))
    mirrored = one(encoder, crop_of(ImageOps.mirror(figure())))
    larger = one(encoder, crop_of(figure(side=800)))
    bald = figure(hair="peachpuff", shirt="crimson").rotate(90)
    other = one(encoder, crop_of(bald))
    assert base.similarity(mirrored) > 0.95
    assert base.similarity(larger) > 0.97
    assert other.similarity(base) < base.similarity(mirrored) - 0.05


def test_keys_are_unique_and_survive_their_text() -> None:
    keys = [encoder.key for encoder in load_encoders(available_encoders())]
    assert len(set(keys)) == len(keys)
    for key in keys:
        assert EncoderKey.parse(str(key)) == key
        assert "," not in str(key)


def test_colour_tells_hair_apart_where_structure_does_not() -> None:
    palette, structure = load_encoders(["palette", "structure"])
    black, red = crop_of(figure("black")), crop_of(figure("red"))
    by_colour = one(palette, black).similarity(one(palette, red))
    by_line = one(structure, black).similarity(one(structure, red))
    assert by_line > by_colour + 0.05


def test_structure_is_the_same_in_both_modes() -> None:
    structure = load_encoders(["structure"])[0]
    crop = crop_of(figure())
    in_colour, in_grey = (one(structure, crop, mode).vector for mode in MODES)
    assert np.array_equal(in_colour, in_grey)


def test_names_load_once_in_order() -> None:
    loaded = load_encoders(["structure", " palette ", "structure", ""])
    assert [encoder.key.name for encoder in loaded] == ["structure", "palette"]


@pytest.mark.parametrize("names", [["telepathy"], [], [" "]])
def test_unknown_or_no_names_say_what_is_known(names: Sequence[str]) -> None:
    with pytest.raises(SettingsError, match="palette, structure"):
        load_encoders(names)


def test_packages_add_encoders_but_cannot_replace_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = ModuleType("plugin_of_a_test")
    plugin.Extra = type(load_encoders(["structure"])[0])  # type: ignore[attr-defined]  # a module made here
    plugin.broken = lambda: object()  # type: ignore[attr-defined]  # likewise
    monkeypatch.setitem(sys.modules, "plugin_of_a_test", plugin)
    points = EntryPoints(
        EntryPoint(name, f"plugin_of_a_test:{target}", registry.GROUP)
        for name, target in (
            ("extra", "Extra"), ("palette", "broken"), ("broken", "broken"), ("gone", "missing"),
        )
    )  # fmt: skip
    monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))
    assert {"palette", "structure", "extra", "broken", "gone"} <= set(available_encoders())
    assert [e.key.name for e in load_encoders(["extra", "palette"])] == ["structure", "palette"]
    for name in ("broken", "gone"):
        with pytest.raises(SettingsError, match=name):
            load_encoders([name])
