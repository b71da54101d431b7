"""Page pictures at several qualities, best first; the steps that a byte limit may ask for."""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from pipeline.comics.formats import PNG_LEVEL
from pipeline.domain.character import ColorMode
from pipeline.domain.page import BookPage


@dataclass(frozen=True, slots=True)
class Step:
    """One way to encode a picture: ``kind`` is a Pillow format; ``scale`` shrinks the sides.

    Quality 0 leaves the PNG as it is.
    """

    kind: str
    quality: int = 0
    scale: float = 1.0

    @property
    def ending(self) -> str:
        """The ending of a file of this kind, without the dot."""
        return {"JPEG": "jpg"}.get(self.kind, self.kind.lower())

    @property
    def media_type(self) -> str:
        """The media type, as manifests want it."""
        return f"image/{self.kind.lower()}"


def _ladder(kind: str) -> tuple[Step, ...]:
    full = (92, 84, 74, 62)
    return (*(Step(kind, q) for q in full), Step(kind, 66, 0.75), Step(kind, 60, 0.5))


JPEG_STEPS = _ladder("JPEG")
WEBP_STEPS = _ladder("WEBP")
PNG_STEPS = (Step("PNG"), *JPEG_STEPS)


def encoded(page: BookPage, step: Step) -> bytes:
    """The picture of a page by one step; greyscale books get one channel where the kind has it."""
    if step.kind == "PNG" and step.quality == 0 and step.scale == 1.0:
        return page.png
    with Image.open(BytesIO(page.png)) as image:
        grey = page.page.color_mode is ColorMode.GRAYSCALE and step.kind == "JPEG"
        return compressed(image.convert("L" if grey else "RGB"), step)


def compressed(image: Image.Image, step: Step) -> bytes:
    """A picture (RGB or L) by one step.

    JPEGs keep the full colour resolution at the high qualities, which keeps lettering clean.
    """
    if step.scale != 1.0:
        size = (round(image.width * step.scale), round(image.height * step.scale))
        image = image.resize(size, Image.Resampling.LANCZOS)
    out = BytesIO()
    if step.kind == "JPEG":
        image.save(out, "JPEG", quality=step.quality, subsampling=0 if step.quality > 80 else 2)
    elif step.kind == "WEBP":
        image.save(out, "WEBP", quality=step.quality, method=4)
    else:
        image.save(out, step.kind, compress_level=PNG_LEVEL)
    return out.getvalue()
