"""The shipped network: its size, its key, and that it knows the demo's cast by their heads."""

import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import CropClass
from pipeline.fingerprints.encoders.house import MODEL, HouseEncoder
from pipeline.fingerprints.registry import EncoderUnavailable, load_encoders
from pipeline.imaging.crops import FigureCrop, crops_of, find_figure, shot_of

EXAMPLES = Path(__file__).parents[2] / "examples"
CAST = ("basil", "mira", "mugsworth", "odette", "oskar")


def heads(folder: str, name: str, count: int) -> list[FigureCrop]:
    crops = []
    for path in sorted((EXAMPLES / folder / name / "everyday").glob("*.webp"))[-count:]:
        with Image.open(path) as opened:
            image = opened.convert("RGBA")
        figure = find_figure(image)
        assert figure is not None
        crops.append(crops_of(image, figure, shot_of(figure))[CropClass.HEAD])
    return crops


def test_the_file_is_small_and_the_key_is_its_hash() -> None:
    model = (files("pipeline.fingerprints.encoders") / MODEL).read_bytes()
    assert len(model) < 15_000_000
    key = HouseEncoder().key
    assert key.name == "house"
    assert hashlib.sha256(model).hexdigest().startswith(key.weights_hash)


def test_weights_of_ones_own_are_named_by_their_file(tmp_path: Path) -> None:
    shipped, own = HouseEncoder(), tmp_path / "own.onnx"
    own.write_bytes((files("pipeline.fingerprints.encoders") / MODEL).read_bytes())
    (named,) = load_encoders([f"house@{own}"])
    assert named.key == shipped.key
    own.write_bytes(b"no network")
    for path in (tmp_path / "gone.onnx", own.rename(tmp_path / "broken.onnx")):
        with pytest.raises(EncoderUnavailable, match="onmodel train identity"):
            load_encoders([f"house@{path}"])


def test_it_knows_the_cast_in_colour_and_in_grey() -> None:
    house = HouseEncoder()
    for mode in ColorMode:
        known = np.stack(
            [e.vector for name in CAST for e in house.encode(heads("cast", name, 4), mode)]
        )
        asked = np.stack(
            [e.vector for name in CAST for e in house.encode(heads("held_out", name, 2), mode)]
        )
        nearest = (asked @ known.T).argmax(axis=1) // 4
        assert (nearest == np.repeat(np.arange(5), 2)).mean() >= 0.9
