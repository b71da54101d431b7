"""Encoders with a file of the host's: the same promises, and errors that say what to install."""

import importlib
import importlib.util
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.fingerprint import CropClass
from pipeline.fingerprints.composite import fingerprint
from pipeline.fingerprints.encoders.base import Encoder, classes_of
from pipeline.fingerprints.registry import LENSES, EncoderUnavailable, load_encoders
from pipeline.imaging.crops import FigureCrop, crops_of, find_figure
from pipeline.torch_mends import mend_torchvision

TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1},
}
"""A model of open_clip's own classes, small enough to be made in a test."""


# --- a network small enough to write by hand: mean levels of 8 × 8 cells ---------------------------


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, value: int | bytes | str) -> bytes:
    """One protobuf field."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def ints(name: str, *values: int) -> bytes:
    return field(5, field(1, name) + b"".join(field(8, v) for v in values) + field(20, 7))


def tensor(name: str, *shape: int) -> bytes:
    dims = b"".join(field(1, field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def network(side: int) -> bytes:
    """AveragePool and Flatten: float32 (1, 3, side, side) to (1, 192)."""
    cell = side // 8
    pool = field(1, "in") + field(2, "cells") + field(4, "AveragePool")
    pool += ints("kernel_shape", cell, cell) + ints("strides", cell, cell)
    flat = field(1, "cells") + field(2, "out") + field(4, "Flatten")
    graph = field(1, pool) + field(1, flat) + field(2, "means")
    graph += field(11, tensor("in", 1, 3, side, side)) + field(12, tensor("out", 1, 192))
    return field(1, 8) + field(8, field(2, 13)) + field(7, graph)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name, side in (("lite0", 224), ("arcface", 112)):
        made[name] = tmp_path_factory.mktemp("lenses") / f"{name}.onnx"
        made[name].write_bytes(network(side))
    return made


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a tiny model that open_clip knows."""
    if importlib.util.find_spec("open_clip") is None:
        pytest.skip("open_clip and torch are not installed: `openclip` is not tried")
    mend_torchvision()
    open_clip = importlib.import_module("open_clip")
    folder = tmp_path_factory.mktemp("models")
    (folder / "tiny-of-a-test.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(folder)
    return "tiny-of-a-test"


@pytest.fixture(scope="module", params=["lite0", "arcface", "openclip", "dlib"])
def lens(request: pytest.FixtureRequest, networks: dict[str, Path]) -> Encoder:
    if request.param in networks:
        return load_encoders([f"{request.param}@{networks[request.param]}"])[0]
    if request.param == "dlib":
        found = importlib.util.find_spec("face_recognition_models")
        if found is None or importlib.util.find_spec("dlib") is None or found.origin is None:
            pytest.skip("dlib and face_recognition_models are not installed: `dlib` is not tried")
        file = "models/dlib_face_recognition_resnet_model_v1.dat"
        return load_encoders([f"dlib@{Path(found.origin).parent / file}"])[0]
    return load_encoders([f"openclip@{request.getfixturevalue('clip')}:random"])[0]


def figure(hair: str = "black", shirt: str = "navy") -> Image.Image:
    image = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((90, 260, 310, 440), 40, fill=shirt, outline="black", width=4)
    draw.ellipse((120, 60, 280, 270), fill="peachpuff", outline="black", width=4)
    draw.pieslice((110, 40, 290, 230), 150, 350, fill=hair)
    draw.polygon([(230, 270), (310, 280), (280, 340)], fill="gold")
    return image


def crop_of(image: Image.Image) -> FigureCrop:
    found = find_figure(image)
    assert found is not None
    return crops_of(image, found, ShotType.FULL)[CropClass.HEAD]


@pytest.mark.parametrize("mode", list(ColorMode))
def test_a_lens_keeps_the_promises_of_an_encoder(lens: Encoder, mode: ColorMode) -> None:
    crops = [crop_of(figure(hair)) for hair in ("black", "red", "white")]
    batch = lens.encode(crops, mode)
    for crop, made in zip(crops, batch, strict=True):
        assert made.vector.shape == (lens.dimensions,)
        assert made.encoder == lens.key
        assert np.array_equal(made.vector, lens.encode([crop], mode)[0].vector)
    assert lens.encode([], mode) == []
    assert "," not in str(lens.key)


def test_a_mirrored_figure_gives_the_same_vector_and_grey_ignores_colour(lens: Encoder) -> None:
    crop = crop_of(figure())
    mirrored = FigureCrop(ImageOps.mirror(crop.image), ImageOps.mirror(Image.fromarray(crop.mask)))  # type: ignore[arg-type]
    one, other = (lens.encode([c], ColorMode.COLOR)[0] for c in (crop, mirrored))
    assert one.similarity(other) > 0.999
    grey = FigureCrop(ImageOps.grayscale(crop.image).convert("RGB"), crop.mask)
    one, other = (lens.encode([c], ColorMode.GRAYSCALE)[0] for c in (crop, grey))
    assert one.similarity(other) > 0.999


def test_the_key_is_of_the_file(networks: dict[str, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(networks["lite0"].read_bytes() + field(3, "another producer"))
    first, second = load_encoders([f"lite0@{networks['lite0']}", f"lite0@{other}"])
    assert first.key != second.key


def test_weights_of_a_file_are_loaded_and_named_by_their_hash(clip: str, tmp_path: Path) -> None:
    torch = importlib.import_module("torch")
    (random,) = load_encoders([f"openclip@{clip}:random"])
    model = importlib.import_module("open_clip").create_model(clip)
    torch.manual_seed(7)
    changed = {name: torch.rand_like(one) - 0.5 for name, one in model.state_dict().items()}
    torch.save(changed, tmp_path / "weights.pt")
    (trained,) = load_encoders([f"openclip@{clip}:{tmp_path / 'weights.pt'}"])
    assert trained.dimensions == random.dimensions == TINY["embed_dim"]
    assert trained.key != random.key
    assert trained.key.name == "openclip"
    one, other = (e.encode([crop_of(figure())], ColorMode.COLOR)[0] for e in (random, trained))
    assert abs(float(one.vector @ other.vector)) < 0.999
    (tmp_path / "broken.pt").write_bytes(b"no weights")
    for argument in ("no-such-model:random", f"{clip}:{tmp_path / 'broken.pt'}"):
        with pytest.raises(EncoderUnavailable, match="open_clip cannot make"):
            load_encoders([f"openclip@{argument}"])


def test_a_face_lens_describes_heads_only(networks: dict[str, Path]) -> None:
    encoders = load_encoders([f"arcface@{networks['arcface']}", f"lite0@{networks['lite0']}"])
    assert classes_of(encoders[0]) == (CropClass.HEAD,)
    found = {
        (p.crop, p.embedding.encoder.name) for p in fingerprint(figure(), ShotType.HALF, encoders)
    }
    assert (CropClass.HEAD, "arcface") in found
    assert {crop for crop, name in found if name == "arcface"} == {CropClass.HEAD}
    assert {name for _, name in found} == {"arcface", "lite0"}


@pytest.mark.parametrize("name", sorted(LENSES))
def test_without_its_file_or_package_a_lens_says_what_it_needs(name: str) -> None:
    for wanted in (name, f"{name}@/nowhere/at-all.bin"):
        with pytest.raises(EncoderUnavailable, match=rf"{name}.*(pip install|FILE|MODEL)"):
            load_encoders([wanted])


def test_a_file_that_is_no_network_of_pictures_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(struct.pack("<40f", *range(40)))
    with pytest.raises(EncoderUnavailable, match="no network that takes pictures"):
        load_encoders([f"lite0@{broken}"])
