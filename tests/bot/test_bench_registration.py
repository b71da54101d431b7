"""What one more reference costs: the figures are written, and the pictures are of the size."""

import io
import json

from PIL import Image

from bot.bench.registration import SIDE, squared
from bot.cli import main


def test_the_pictures_are_squares_of_the_promised_size(material) -> None:
    upload = material.characters[0].appearances[0].references[0]
    with Image.open(io.BytesIO(squared(upload).data)) as image:
        assert image.size == (SIDE, SIDE)
        box = image.getchannel("A").getbbox()
    assert box is not None
    assert max(box[2] - box[0], box[3] - box[1]) > 0.9 * SIDE


def test_the_command_writes_what_a_reference_costs(tmp_path) -> None:
    out = tmp_path / "figures.json"
    assert main(["bench", "registration", "--pictures", "2", "--json", str(out)]) == 0
    found = {figure["name"]: figure for figure in json.loads(out.read_text())["figures"]}
    whole = found["registration.all"]
    assert whole["target"] == 1.0
    assert whole["n"] == 2
    parts = [found[f"registration.{name}"]["value"] for name in ("opening", "encoding")]
    assert 0 < sum(parts) < whole["value"]
