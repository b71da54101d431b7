"""Pictures on their way out: named, described, and small enough for the server's upload limit."""

import asyncio
import io
from dataclasses import dataclass

from PIL import Image

from pipeline.domain.errors import InvalidPicture

DEFAULT_LIMIT = 10 * 1024 * 1024
SPOILER = "SPOILER_"
_HEADROOM = 4096  # form headers around the bytes
_WEBP_QUALITIES = (95, 88, 78)
_SHRINK = 0.75
_LEAST_SIDE = 64


@dataclass(frozen=True, slots=True)
class Picture:
    """An attachment: its file name, what it shows in words, and its bytes.

    ``data`` is None for a picture that the edited message carries already. ``spoiler`` hides it
    until somebody wants to see it.
    """

    name: str
    alt: str
    data: bytes | None = None
    spoiler: bool = False

    @property
    def filename(self) -> str:
        """The name of the attachment: Discord hides what begins with its mark of spoilers."""
        return f"{SPOILER}{self.name}" if self.spoiler else self.name


async def fitted(stem: str, alt: str, png: bytes, limit: int) -> Picture:
    """A picture of at most ``limit`` bytes: the PNG itself, else WebP, else a smaller JPEG.

    Raises:
        InvalidPicture: nothing that a person could still look at fits.
    """
    if len(png) <= limit - _HEADROOM:
        return Picture(f"{stem}.png", alt, png)
    suffix, data = await asyncio.to_thread(_squeeze, png, limit - _HEADROOM)
    return Picture(f"{stem}.{suffix}", alt, data)


async def thumbnail(stem: str, alt: str, png: bytes, side: int = 640) -> Picture:
    """A picture no larger than ``side`` pixels, as WebP: for leafing through many."""
    return Picture(f"{stem}.webp", alt, await asyncio.to_thread(_small, png, side))


def _small(png: bytes, side: int) -> bytes:
    image = Image.open(io.BytesIO(png))
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return _encode(image, "WEBP", 82)


def _squeeze(png: bytes, limit: int) -> tuple[str, bytes]:
    image = Image.open(io.BytesIO(png))
    image.load()
    for quality in _WEBP_QUALITIES:
        data = _encode(image, "WEBP", quality)
        if len(data) <= limit:
            return "webp", data
    flat = _flattened(image)
    while min(flat.size) >= _LEAST_SIDE:
        data = _encode(flat, "JPEG", 85)
        if len(data) <= limit:
            return "jpg", data
        flat = flat.resize((round(flat.width * _SHRINK), round(flat.height * _SHRINK)))
    raise InvalidPicture("The picture is too large for this server; export fewer pages at a time.")


def _flattened(image: Image.Image) -> Image.Image:
    """The picture on white, as JPEG knows no transparency."""
    rgba = image.convert("RGBA")
    ground = Image.new("RGBA", rgba.size, "white")
    ground.alpha_composite(rgba)
    return ground.convert("RGB")


def _encode(image: Image.Image, kind: str, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, quality=quality)
    return out.getvalue()
