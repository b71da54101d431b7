"""Hashes find copies and leave everything else alone."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from pipeline.domain.errors import EncoderMismatch, InvalidPicture
from pipeline.domain.fingerprint import PictureHashes
from pipeline.fingerprints.hashes import (
    QUICK_VERSION,
    bits_apart,
    near_duplicate,
    picture_hashes,
    quick_hashes,
)


def panel(seed: int, side: int = 360) -> Image.Image:
    """A picture of twenty shapes; another seed is another picture."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(image)
    for _ in range(20):
        x, y = (int(v) for v in rng.integers(0, side, 2))
        r = int(rng.integers(side // 20, side // 5))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    return image


def saved(image: Image.Image, kind: str, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return Image.open(buffer).convert("RGB")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("change", ["same", "jpeg", "webp", "half", "darker", "alpha"])
def test_copies_are_recognised(seed: int, change: str) -> None:
    image = panel(seed)
    match change:
        case "same":
            copy = image.copy()
        case "jpeg":
            copy = saved(image, "JPEG", 50)
        case "webp":
            copy = saved(image, "WEBP", 50)
        case "half":
            copy = image.resize((180, 180))
        case "darker":
            copy = ImageEnhance.Brightness(image).enhance(0.93)
        case _:
            copy = image.convert("RGBA")
    assert near_duplicate(picture_hashes(image), picture_hashes(copy))


def test_other_pictures_are_not_copies() -> None:
    hashes = [picture_hashes(panel(seed)) for seed in range(30)]
    pairs = [(a, b) for i, a in enumerate(hashes) for b in hashes[i + 1 :]]
    assert not any(near_duplicate(a, b) for a, b in pairs)


def test_flat_pictures_have_no_hash_and_no_copies() -> None:
    flat = picture_hashes(Image.new("RGB", (50, 50), (240, 240, 240)))
    assert (flat.phash, flat.dhash, flat.ahash) == (None, None, None)
    assert not near_duplicate(flat, flat)


def test_hidden_pixels_do_not_count() -> None:
    image = panel(1).convert("RGBA")
    image.putalpha(Image.radial_gradient("L").resize(image.size).point(lambda v: 255 * (v < 150)))
    hidden = image.copy()
    data = np.asarray(hidden).copy()
    data[data[..., 3] == 0, :3] = (255, 0, 255)
    assert picture_hashes(Image.fromarray(data)) == picture_hashes(image)


def test_versions_never_mix() -> None:
    mine = picture_hashes(panel(1))
    other = PictureHashes("imagehash-0/other-1", mine.phash, mine.dhash, mine.ahash)
    assert not near_duplicate(mine, other)
    with pytest.raises(EncoderMismatch):
        mine.distance(other)


@pytest.mark.parametrize("seed", range(4))
def test_the_quick_path_differs_in_two_bits_at_most_and_has_its_own_version(seed: int) -> None:
    image = panel(seed, 1024)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    quick, slow = quick_hashes(buffer.getvalue()), picture_hashes(Image.open(buffer))
    for fast, exact in ((quick.phash, slow.phash), (quick.dhash, slow.dhash)):
        assert fast is not None
        assert exact is not None
        assert (fast ^ exact).bit_count() <= 2
    assert quick.version == QUICK_VERSION != slow.version
    assert bits_apart(quick, slow) is None


def test_the_quick_path_reads_other_formats_and_refuses_what_is_no_picture() -> None:
    buffer = io.BytesIO()
    panel(1).convert("RGBA").save(buffer, "PNG")
    assert quick_hashes(buffer.getvalue()).phash == picture_hashes(panel(1)).phash
    with pytest.raises(InvalidPicture):
        quick_hashes(b"no picture")


def test_the_bits_are_those_of_imagehash() -> None:
    imagehash = pytest.importorskip("imagehash")
    for seed in range(5):
        grey = panel(seed).convert("L").resize((256, 256), Image.Resampling.BOX)
        mine = picture_hashes(panel(seed))
        for value, peer in (
            (mine.phash, imagehash.phash),
            (mine.dhash, imagehash.dhash),
            (mine.ahash, imagehash.average_hash),
        ):
            assert value == int(str(peer(grey)), 16)
