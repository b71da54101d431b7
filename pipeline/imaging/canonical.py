"""What happens behind the door: foreign bytes to one canonical PNG, in a process of its own.

This module runs as ``python -m pipeline.imaging.canonical`` inside a child that
:class:`pipeline.imaging.decode.PictureDoor` starts. It imports Pillow and the standard library
only, so that the child starts fast and has little memory to lose.
"""

import io
import os
import signal
import struct
import sys
from typing import BinaryIO, NamedTuple

from PIL import AvifImagePlugin, Image, ImageCms, ImageOps, UnidentifiedImageError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 24_000_000
MAX_SIDE = 16_384
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")
TAKEN = "PNG, JPEG, WebP, GIF, AVIF, BMP or TIFF"

NOT_TAKEN = f"That file is not a picture that can be read here. Please send a {TAKEN} file."
DAMAGED = f"That picture is damaged or cut off. Please save it again as {TAKEN} and send that."
TOO_HEAVY = (
    "That picture needs too much memory to open. Please send it smaller: "
    f"at most {MAX_PIXELS // 1_000_000} megapixels."
)
TOO_MANY_BYTES = (
    f"That file is over {MAX_BYTES // (1024 * 1024)} MiB. Please send a smaller one, "
    "for example saved as WebP."
)

REQUEST = struct.Struct(">I")
REPLY = struct.Struct(">?III?")  # taken, length of what follows, width, height, has alpha
_ICC_MODES = frozenset({"L", "RGB", "CMYK", "LAB"})
_DEEP_LEVELS = 65_536


class RefusalError(Exception):
    """The text says to a person why the picture is not taken."""


class Canonical(NamedTuple):
    """An upright sRGB PNG without metadata; width and height in pixels."""

    png: bytes
    width: int
    height: int
    has_alpha: bool


def canonicalise(data: bytes) -> Canonical:
    """Decode foreign bytes and encode them anew.

    The first frame is taken, upright, in sRGB with 8 bits a channel. An alpha channel stays
    unless it is opaque everywhere. Nothing of the upload but its pixels survives.

    Raises:
        RefusalError: the bytes are not a picture that is taken; the text says why.
    """
    try:
        image = _flatten_modes(_open(data))
        return Canonical(encode_png(image), *image.size, image.mode == "RGBA")
    except RefusalError:
        raise
    except UnidentifiedImageError as error:
        raise RefusalError(NOT_TAKEN) from error
    except MemoryError as error:
        raise RefusalError(TOO_HEAVY) from error
    except Exception as error:  # IndexError, struct.error and worse escape Pillow's decoders
        raise RefusalError(DAMAGED) from error


def encode_png(image: Image.Image) -> bytes:
    """The picture as PNG bytes, without profile, text or other metadata."""
    bare = image.copy()
    bare.info = {}
    buffer = io.BytesIO()
    bare.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _open(data: bytes) -> Image.Image:
    """The first frame, upright, size checked before any pixel is decoded."""
    if len(data) > MAX_BYTES:
        raise RefusalError(TOO_MANY_BYTES)
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    _check_size(*image.size)
    image.load()
    return _upright(image)


def _check_size(width: int, height: int) -> None:
    if max(width, height) > MAX_SIDE:
        raise RefusalError(
            f"That picture is {width} × {height} pixels; the longest side may have "
            f"{MAX_SIDE:,}. Please send it smaller."
        )
    if width * height > MAX_PIXELS:
        raise RefusalError(
            f"That picture has {width * height / 1e6:.1f} megapixels; at most "
            f"{MAX_PIXELS // 1_000_000} are taken. Please send it smaller."
        )


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, LookupError, TypeError, struct.error):
        return image  # a broken EXIF block says nothing about the pixels; they stay as stored


def _flatten_modes(image: Image.Image) -> Image.Image:
    """Any Pillow mode to RGB or RGBA in sRGB."""
    profile = image.info.get("icc_profile")
    alpha = _alpha_of(image)
    if image.mode.startswith("I") or image.mode == "F":
        color = _deep_to_eight(image)
    elif image.mode in _ICC_MODES:
        color = image
    else:
        color = image.convert("RGB")
    color = _to_srgb(color, profile).convert("RGB")
    if alpha is not None and alpha.getextrema() != (255, 255):
        color.putalpha(alpha)
    return color


def _alpha_of(image: Image.Image) -> Image.Image | None:
    """The alpha channel (L), made from a transparent colour where the file only names one."""
    if not image.has_transparency_data:
        return None
    key = image.info.get("transparency")
    if image.mode.startswith("I") and isinstance(key, int):
        table = [255] * _DEEP_LEVELS
        table[key & 0xFFFF] = 0
        return image.convert("I").point(table, "L")
    if image.mode == "RGB" and isinstance(key, tuple) and max(key) > 255:
        # 16 bits a channel are read as their high bytes; so must be the key.
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return image.convert("RGBA").getchannel("A")


def _deep_to_eight(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float greys to 8 bits by scaling; a plain convert would clip."""
    _, high = image.getextrema()
    assert isinstance(high, int | float)
    if image.mode == "F":
        scale = 255.0 if high <= 1 else 1.0 if high <= 255 else 255.0 / high
        return image.point(lambda value: value * scale + 0.5).convert("L")
    deep = image.convert("I")
    if high >= _DEEP_LEVELS:  # a 32-bit TIFF: no convention, so white is its largest value
        shrink = (_DEEP_LEVELS - 1) / high
        deep = deep.point(lambda value: value * shrink + 0)
    return deep.point([(value + 128) // 257 for value in range(_DEEP_LEVELS)], "L")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "LAB":
        source = ImageCms.createProfile("LAB")
    elif profile and image.mode in _ICC_MODES:
        source = io.BytesIO(profile)
    else:
        return image
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(source),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        if image.mode == "LAB":
            raise
        return image  # broken profiles are common; the pixels are then taken as sRGB
    return image if converted is None else converted


def _limit(memory_limit: int) -> None:
    """Cap this process: address space, no file writes, no core dumps.

    Windows has no ``resource`` module: there the pixel caps and the time limit stand alone.
    """
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit, memory_limit))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until the parent closes the pipe."""
    while header := requests.read(REQUEST.size):
        (length,) = REQUEST.unpack(header)
        try:
            taken = canonicalise(requests.read(length))
            reply = REPLY.pack(True, len(taken.png), taken.width, taken.height, taken.has_alpha)
            body = taken.png
        except (RefusalError, MemoryError) as error:
            body = (str(error) or TOO_HEAVY).encode()
            reply = REPLY.pack(False, len(body), 0, 0, False)
        replies.write(reply)
        replies.write(body)
        replies.flush()


def main() -> None:
    """Run as the decoding child: ``argv[1]`` is the memory limit in bytes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to handle
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a C library that prints must not write into the answers
    _limit(int(sys.argv[1]))
    Image.MAX_IMAGE_PIXELS = None  # our own caps are lower and speak in sentences
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread would reserve address space
    replies.write(b"R")
    replies.flush()
    _serve(sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
