"""``onmodel bench hashes``: which copies are found, what is taken for one, and how fast.

ImageHash runs beside ours on the same pictures. A copy counts as found where the banded search of
the registry would propose it and the pixels agree, as at registration.
"""

import io
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from bot.bench.figures import Figure, publish
from bot.bench.shares import wilson
from bot.demo.material import load_material
from pipeline.domain.errors import InvalidInput
from pipeline.domain.fingerprint import PictureHashes
from pipeline.fingerprints import hashes as ours
from pipeline.fingerprints.copies import same_picture

_PEER = "ImageHash"
_SIDE, _TIMED = 1024, 30
_KINDS = {".png", ".webp", ".jpg", ".jpeg"}

Change = Callable[[Image.Image], Image.Image]


def bench_hashes(
    data: Path | None = None, pictures: int = 300, json_file: Path | None = None
) -> int:
    """Measure, print, write; returns 0.

    Args:
        data: a folder of pictures, searched with its folders; None for the demo's cast.
        pictures: at most so many of them, evenly taken.
        json_file: where the figures go, or None.

    Raises:
        InvalidInput: the folder has fewer than two pictures.
    """
    found = _pictures(data, pictures)
    figures = [*_exactness(found), *_speed(found), *_copies(found), *_others(found)]
    publish(figures, json_file)
    return 0


def _pictures(data: Path | None, most: int) -> list[Image.Image]:
    if data is None:
        files: list[bytes | Path] = [
            upload.data
            for character in load_material().characters
            for look in character.appearances
            for upload in look.references
        ]
    else:
        files = sorted(p for p in data.rglob("*") if p.suffix.lower() in _KINDS)
    if len(files) < 2:
        raise InvalidInput("There are fewer than two pictures to compare. Name another folder.")
    chosen = files[:: max(1, -(-len(files) // most))]
    return [_flat(Image.open(io.BytesIO(f) if isinstance(f, bytes) else f)) for f in chosen]


def _exactness(pictures: Sequence[Image.Image]) -> list[Figure]:
    """How many bits of all hashes differ from ImageHash's, on the same grey picture."""
    import imagehash

    apart, total = 0, 0
    for picture in pictures:
        mine = ours.picture_hashes(picture)
        small = picture.convert("L").resize((256, 256), Image.Resampling.BOX)
        for value, peer in (
            (mine.phash, imagehash.phash),
            (mine.dhash, imagehash.dhash),
            (mine.ahash, imagehash.average_hash),
        ):
            if value is not None:
                apart += (value ^ int(str(peer(small)), 16)).bit_count()
                total += 64
    return [Figure("hashes.bits_unlike_peer", apart, "bits", "lower", 0, _PEER, total)]


def _speed(pictures: Sequence[Image.Image]) -> list[Figure]:
    """The quick path on JPEGs of 1024 pixels against ImageHash's pHash alone."""
    import imagehash

    mine, peers, apart = [], [], []
    for picture in pictures[:_TIMED]:
        data = _saved(picture.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), 90)
        began = time.perf_counter()
        quick = ours.quick_hashes(data)
        mine.append(time.perf_counter() - began)
        began = time.perf_counter()
        peer = imagehash.phash(Image.open(io.BytesIO(data)))
        peers.append(time.perf_counter() - began)
        rest = imagehash.dhash(Image.open(io.BytesIO(data)))
        for value, other in ((quick.phash, peer), (quick.dhash, rest)):
            if value is not None:
                apart.append((value ^ int(str(other), 16)).bit_count())
    ratio = float(np.median(peers) / np.median(mine))
    return [
        Figure("hashes.quick.ratio", ratio, "ratio", "higher", 2.5, f"{_PEER} pHash", len(mine)),
        Figure("hashes.quick.most_bits", max(apart), "bits", "lower", 2, _PEER, len(apart)),
    ]


def _copies(pictures: Sequence[Image.Image]) -> list[Figure]:
    """The share of copies that are found, by kind of copy, and by hashes alone."""
    known = [ours.picture_hashes(picture) for picture in pictures]
    figures = []
    for name, change in _CHANGES.items():
        by_hash = by_both = 0
        for picture, hashes in zip(pictures, known, strict=True):
            copy = change(picture)
            if ours.near_duplicate(hashes, ours.picture_hashes(copy), ours.COPY_BITS):
                by_hash += 1
                by_both += same_picture(copy, picture)
        figures.append(_share(f"hashes.found.{name}", by_both, len(pictures), 0.97))
        figures.append(_share(f"hashes.proposed.{name}", by_hash, len(pictures)))
    return figures


def _others(pictures: Sequence[Image.Image]) -> list[Figure]:
    """The share of pairs of different pictures that are taken for copies."""
    known = [ours.picture_hashes(picture) for picture in pictures]
    near = [(a, b) for a, b in combinations(range(len(pictures)), 2) if _near(known[a], known[b])]
    wrong = sum(same_picture(pictures[a], pictures[b]) for a, b in near)
    pairs = len(pictures) * (len(pictures) - 1) // 2
    return [
        _share("hashes.false_hits", wrong, pairs, 0.001, better_low=True),
        _share("hashes.false_proposals", len(near), pairs, better_low=True),
    ]


def _near(a: PictureHashes, b: PictureHashes) -> bool:
    return ours.near_duplicate(a, b, ours.COPY_BITS)


def _share(
    name: str, hits: int, total: int, target: float | None = None, *, better_low: bool = False
) -> Figure:
    better = "lower" if better_low else "higher"
    return Figure(name, hits / total, "share", better, target, None, total, wilson(hits, total))


def _flat(image: Image.Image) -> Image.Image:
    """On white, as copies of drawings are saved."""
    image = image.convert("RGBA")
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return ground


def _saved(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(_saved(image, quality))).convert("RGB")


def _half(image: Image.Image) -> Image.Image:
    size = (max(1, image.width // 2), max(1, image.height // 2))
    return image.resize(size, Image.Resampling.LANCZOS)


def _cropped(image: Image.Image) -> Image.Image:
    """Two hundredths cut off at each of the four edges."""
    x, y = round(image.width * 0.02), round(image.height * 0.02)
    return image.crop((x, y, image.width - x, image.height - y))


_CHANGES: dict[str, Change] = {
    "saved_again": lambda image: _jpeg(image, 75),
    "jpeg40": lambda image: _jpeg(image, 40),
    "half": _half,
    "cropped": _cropped,
    "cropped_half_jpeg40": lambda image: _jpeg(_half(_cropped(image)), 40),
}
