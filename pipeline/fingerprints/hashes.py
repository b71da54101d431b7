"""Perceptual hashes of whole pictures: they find copies, they do not know who is drawn."""

import functools
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.errors import InvalidPicture
from pipeline.domain.fingerprint import PictureHashes

HASH_VERSION = "dct-1/white-256-1"
"""Algorithm and preprocessing. Bit for bit those of ImageHash 4.3 on the same grey picture."""
QUICK_VERSION = "dct-1/draft-256-1"
COPY_BITS = 20
"""Bits of 128 in which pHash and dHash of a copy may differ together before pixels are asked.

Measured on 247 figures of comicgen: 99.6 % of copies that lost 2 % at each edge stay within, and
so do 0.5 % of pairs of other pictures, most of them one pose with two expressions. So hashes only
propose, and pixels decide (:mod:`pipeline.fingerprints.copies`).
"""
_GROUND = (255, 255, 255)
_SIDE, _DCT_SIDE, _GRID = 256, 32, 8
_FLAT = 4.0
"""Standard deviation of grey levels (of 255) under which a hash would only describe noise."""

Grey = NDArray[np.float64]


def picture_hashes(image: Image.Image) -> PictureHashes:
    """pHash, dHash and aHash of a canonical picture, alpha laid on white.

    A picture that is flat gives None in place of each hash. The picture is first reduced to
    256 pixels by box averaging, so that its size hardly matters.

    Source: pHash and dHash as in the ImageHash package (Buchner), after Krawetz 2011 and 2013.
    """
    return _hashes(_prepared(image), HASH_VERSION)


def quick_hashes(data: bytes) -> PictureHashes:
    """Hashes of a file that is trusted, by a decoder that scales while it reads (JPEG only).

    A JPEG is decoded at the least size above 256 pixels, in grey, which skips most of the
    inverse transform. The bits may differ by a few from :func:`picture_hashes`, so they have a
    version of their own. Other formats are read in full.

    Args:
        data: one's own file. Bytes from outside go through
            :class:`pipeline.imaging.decode.PictureDoor` first.

    Raises:
        InvalidPicture: the bytes are not a picture.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.draft("L", (_SIDE, _SIDE))
            small = _prepared(image if image.mode in ("L", "RGBA") else image.convert("RGBA"))
    except (OSError, SyntaxError, ValueError) as error:
        raise InvalidPicture("That file cannot be read as a picture. Save it again.") from error
    return _hashes(small, QUICK_VERSION)


def bits_apart(a: PictureHashes, b: PictureHashes) -> int | None:
    """In how many of 128 bits pHash and dHash differ together.

    Returns:
        None for hashes of two versions and for pictures too flat for a hash.
    """
    if a.version != b.version or a.phash is None or b.phash is None:
        return None
    if a.dhash is None or b.dhash is None:
        return None
    return (a.phash ^ b.phash).bit_count() + (a.dhash ^ b.dhash).bit_count()


def near_duplicate(a: PictureHashes, b: PictureHashes, within: int = 4) -> bool:
    """Whether the hashes alone take two pictures for copies: same, re-saved or resized.

    pHash and dHash vote together, since each alone takes two busts of one style for copies.
    Where the pixels can be asked, :data:`COPY_BITS` finds more.
    """
    apart = bits_apart(a, b)
    return apart is not None and apart <= within


def _hashes(grey: Image.Image, version: str) -> PictureHashes:
    if float(np.asarray(grey, np.float32).std()) < _FLAT:
        return PictureHashes(version, None, None, None)
    return PictureHashes(version, _phash(grey), _dhash(grey), _ahash(grey))


def _phash(grey: Image.Image) -> int:
    """Signs of the 64 lowest frequencies against their median."""
    basis = _cosines()
    frequencies = basis @ _shrunk(grey, _DCT_SIDE, _DCT_SIDE) @ basis.T
    return _number(frequencies > np.median(frequencies))


def _dhash(grey: Image.Image) -> int:
    """Whether each of 8 × 8 cells is brighter than the one to its left."""
    cells = _shrunk(grey, _GRID + 1, _GRID)
    return _number(cells[:, 1:] > cells[:, :-1])


def _ahash(grey: Image.Image) -> int:
    """Which of 8 × 8 cells are brighter than the mean."""
    cells = _shrunk(grey, _GRID, _GRID)
    return _number(cells > cells.mean())


@functools.cache
def _cosines() -> Grey:
    """The first rows of the type II cosine transform, shape (8, 32)."""
    place = (2 * np.arange(_DCT_SIDE) + 1) / (2 * _DCT_SIDE)
    return 2 * np.cos(np.pi * np.outer(np.arange(_GRID), place))


def _shrunk(grey: Image.Image, width: int, height: int) -> Grey:
    return np.asarray(grey.resize((width, height), Image.Resampling.LANCZOS), np.float64)


def _prepared(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA":
        ground = Image.new("RGB", image.size, _GROUND)
        ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
        image = ground
    return image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)


def _number(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
