import io

import pytest
from PIL import Image

from pipeline.fingerprints.copies import same_picture
from pipeline.fingerprints.hashes import near_duplicate, picture_hashes


@pytest.fixture(scope="module")
def art(pytestconfig):
    folder = pytestconfig.rootpath / "examples" / "cast"

    def load(name: str) -> Image.Image:
        return Image.open(next(folder.rglob(name))).convert("RGBA")

    return load


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _jpeg(image: Image.Image) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=40)
    return Image.open(out)


@pytest.mark.parametrize("name", ["14-headshot-smile.webp", "04-full-smile.webp"])
def test_saved_again_or_halved_is_the_same_picture(art, name):
    original = art(f"mira/everyday/{name}")
    flat = _on_white(original)
    half = flat.resize((flat.width // 2, flat.height // 2), Image.Resampling.LANCZOS)
    assert same_picture(original, _jpeg(flat))
    assert same_picture(original, half)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("mira/everyday/14-headshot-smile.webp", "mira/everyday/15-headshot-shouting.webp"),
        ("oskar/everyday/17-headshot-sad.webp", "oskar/everyday/18-headshot-winking.webp"),
        ("odette/everyday/03-full-surprised.webp", "odette/sunday/03-full-smile.webp"),
    ],
)
def test_another_expression_or_colour_is_not_although_the_hashes_say_so(art, a, b):
    one, other = art(a), art(b)
    assert near_duplicate(picture_hashes(one), picture_hashes(other))
    assert not same_picture(one, other)


@pytest.mark.parametrize("name", ["14-headshot-smile.webp", "04-full-smile.webp"])
@pytest.mark.parametrize("edges", [(0.02, 0.02, 0.02, 0.02), (0.03, 0.0, 0.0, 0.01)])
def test_cut_off_margins_leave_the_same_picture(art, name, edges):
    original = art(f"mira/everyday/{name}")
    flat = _on_white(original)
    left, top, right, bottom = edges
    width, height = flat.size
    cut = flat.crop(
        (
            round(width * left),
            round(height * top),
            width - round(width * right),
            height - round(height * bottom),
        )
    )
    assert same_picture(original, _jpeg(cut))
    assert not same_picture(art("mira/everyday/15-headshot-shouting.webp"), _jpeg(cut))
